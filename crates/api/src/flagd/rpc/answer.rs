//! What is answered to a question about one flag: the same for every version and encoding, until it is written.
//!
//! Version 1 has no word for "nothing": a flag that is off is told with the zero value of its type and an empty
//! variant, and one whose default is the caller's own is not found. In version 2 value and variant are absent.

use super::json_read::read_object;
use super::json_write::{number_json, object_json};
use super::methods::Version;
use flagstaff_core::{Resolution, ResolutionReason, TypedValue};
use flagstaff_proto::flagd::evaluation::{v1, v2};
use prost::Message;
use prost_types::Struct;
use serde_json::{Map, Value as Json};
use tonic::Status;

/// A flag as it is answered.
#[derive(Debug, Clone, PartialEq)]
pub(super) struct Answered<T> {
    /// `None`: the caller is to use its own default.
    pub(super) value: Option<T>,
    pub(super) reason: &'static str,
    pub(super) variant: Option<String>,
    pub(super) metadata: Struct,
}

/// A type that a flag can be asked for.
pub(super) trait FlagType: Sized + Send {
    /// The value with this type.
    ///
    /// # Errors
    /// `INVALID_ARGUMENT` where it has another one, `DATA_LOSS` where what is stored cannot be told.
    fn read(value: &TypedValue<'_>) -> Result<Self, Status>;

    fn json(&self) -> Json;

    /// What version 1 says in JSON where there is no value.
    fn nothing() -> Json;

    /// Writes an answer as a message.
    fn message(answered: Answered<Self>, version: Version) -> Vec<u8>;
}

impl<T: FlagType> Answered<T> {
    /// Types a resolution.
    ///
    /// # Errors
    /// As [`FlagType::read`], and `NOT_FOUND` in version 1 for a flag that is on and has no value for this caller.
    pub(super) fn of(
        resolution: &Resolution<'_>,
        metadata: Struct,
        version: Version,
    ) -> Result<Self, Status> {
        let value = match &resolution.value {
            Some(value) => Some(T::read(value)?),
            None if version == Version::V1 && resolution.reason != ResolutionReason::Disabled => {
                return Err(Status::not_found(
                    "the flag has no default value: the caller's own holds",
                ));
            }
            None => None,
        };
        let variant = resolution.variant.as_ref();
        Ok(Self {
            value,
            reason: resolution.reason.name(),
            variant: variant.map(|variant| variant.name().to_owned()),
            metadata,
        })
    }

    /// Writes it as JSON.
    pub(super) fn to_json(&self, version: Version) -> Json {
        let mut members = Map::new();
        let value = self.value.as_ref().map(T::json);
        let variant = self.variant.clone();
        let (value, variant) = match version {
            Version::V1 => (
                Some(value.unwrap_or_else(T::nothing)),
                Some(variant.unwrap_or_default()),
            ),
            Version::V2 => (value, variant),
        };
        if let Some(value) = value {
            members.insert("value".to_owned(), value);
        }
        members.insert("reason".to_owned(), self.reason.into());
        if let Some(variant) = variant {
            members.insert("variant".to_owned(), variant.into());
        }
        members.insert("metadata".to_owned(), object_json(&self.metadata));
        Json::Object(members)
    }
}

fn wrong_type(value: &TypedValue<'_>, wanted: &str) -> Status {
    let kind = match value {
        TypedValue::Boolean(_) => "a boolean",
        TypedValue::Integer(_) => "an integer",
        TypedValue::Number(_) => "a float",
        TypedValue::String(_) => "a string",
        TypedValue::Json(_) => "an object",
    };
    Status::invalid_argument(format!("the flag is {kind}, not {wanted}"))
}

/// Both versions' messages for one type; `$zero` makes of an absent value what version 1 has for it.
macro_rules! messages {
    ($response:ident, $zero:expr) => {
        fn message(answered: Answered<Self>, version: Version) -> Vec<u8> {
            let Answered {
                value,
                reason,
                variant,
                metadata,
            } = answered;
            match version {
                Version::V1 => v1::$response {
                    value: $zero(value),
                    reason: reason.to_owned(),
                    variant: variant.unwrap_or_default(),
                    metadata: Some(metadata),
                }
                .encode_to_vec(),
                Version::V2 => v2::$response {
                    value,
                    reason: reason.to_owned(),
                    variant,
                    metadata: Some(metadata),
                }
                .encode_to_vec(),
            }
        }
    };
}

impl FlagType for bool {
    fn read(value: &TypedValue<'_>) -> Result<Self, Status> {
        match value {
            TypedValue::Boolean(value) => Ok(*value),
            _ => Err(wrong_type(value, "a boolean")),
        }
    }

    fn json(&self) -> Json {
        (*self).into()
    }

    fn nothing() -> Json {
        false.into()
    }

    messages!(ResolveBooleanResponse, Option::unwrap_or_default);
}

impl FlagType for String {
    fn read(value: &TypedValue<'_>) -> Result<Self, Status> {
        match value {
            TypedValue::String(text) => Ok(text.clone().into_owned()),
            _ => Err(wrong_type(value, "a string")),
        }
    }

    fn json(&self) -> Json {
        self.as_str().into()
    }

    fn nothing() -> Json {
        "".into()
    }

    messages!(ResolveStringResponse, Option::unwrap_or_default);
}

impl FlagType for i64 {
    /// Takes whole numbers only: cutting a fraction off would be another value.
    fn read(value: &TypedValue<'_>) -> Result<Self, Status> {
        /// 2⁶³, the first double that is too large.
        const LIMIT: f64 = 9_223_372_036_854_775_808.0;
        match value {
            TypedValue::Integer(integer) => Ok(*integer),
            TypedValue::Number(number)
                if number.fract() == 0.0 && (-LIMIT..LIMIT).contains(number) =>
            {
                // Exact: it is whole and within the range.
                Ok(*number as Self)
            }
            _ => Err(wrong_type(value, "an integer")),
        }
    }

    fn json(&self) -> Json {
        self.to_string().into()
    }

    fn nothing() -> Json {
        "0".into()
    }

    messages!(ResolveIntResponse, Option::unwrap_or_default);
}

impl FlagType for f64 {
    /// Takes integers too: JavaScript asks for every number with this type. Beyond 53 bits they lose digits.
    fn read(value: &TypedValue<'_>) -> Result<Self, Status> {
        match value {
            TypedValue::Integer(integer) => Ok(*integer as Self),
            TypedValue::Number(number) => Ok(*number),
            _ => Err(wrong_type(value, "a float")),
        }
    }

    fn json(&self) -> Json {
        number_json(*self)
    }

    fn nothing() -> Json {
        0.into()
    }

    messages!(ResolveFloatResponse, Option::unwrap_or_default);
}

impl FlagType for Struct {
    fn read(value: &TypedValue<'_>) -> Result<Self, Status> {
        match value {
            TypedValue::Json(text) => read_object(text)
                .map_err(|problem| Status::data_loss(format!("the stored object: {problem}"))),
            _ => Err(wrong_type(value, "an object")),
        }
    }

    fn json(&self) -> Json {
        object_json(self)
    }

    fn nothing() -> Json {
        Json::Null
    }

    messages!(ResolveObjectResponse, std::convert::identity);
}

#[cfg(test)]
mod tests {
    use super::*;
    use tonic::Code;

    #[track_caller]
    fn refused<T: FlagType + std::fmt::Debug>(value: &TypedValue<'_>) -> Code {
        T::read(value).unwrap_err().code()
    }

    #[test]
    fn integers_are_floats_too_and_floats_integers_where_nothing_is_lost() {
        assert_eq!(f64::read(&TypedValue::Integer(5)).unwrap(), 5.0);
        assert_eq!(i64::read(&TypedValue::Number(5.0)).unwrap(), 5);
        assert_eq!(
            i64::read(&TypedValue::Number(-9_223_372_036_854_775_808.0)).unwrap(),
            i64::MIN
        );
        for number in [1.5, -0.5, 9_223_372_036_854_775_808.0, 1e300] {
            let code = refused::<i64>(&TypedValue::Number(number));
            assert_eq!(code, Code::InvalidArgument, "{number}");
        }
    }

    #[test]
    fn every_other_type_is_a_wrong_one() {
        let values = [
            TypedValue::Boolean(true),
            TypedValue::Integer(1),
            TypedValue::Number(1.5),
            TypedValue::String("1".into()),
            TypedValue::Json("{}".into()),
        ];
        // For each: boolean, string, int, float, object.
        let fits = [
            [true, false, false, false, false],
            [false, false, true, true, false],
            [false, false, false, true, false],
            [false, true, false, false, false],
            [false, false, false, false, true],
        ];
        for (value, fits) in values.iter().zip(fits) {
            let read = [
                bool::read(value).is_ok(),
                String::read(value).is_ok(),
                i64::read(value).is_ok(),
                f64::read(value).is_ok(),
                Struct::read(value).is_ok(),
            ];
            assert_eq!(read, fits, "{value:?}");
        }
        let problem = bool::read(&values[3]).unwrap_err();
        assert_eq!(problem.message(), "the flag is a string, not a boolean");
    }

    #[test]
    fn an_object_that_no_message_can_hold_is_lost() {
        let value = TypedValue::Json(r#"{"a": 1e400}"#.into());

        assert_eq!(refused::<Struct>(&value), Code::DataLoss);
    }

    #[test]
    fn version_1_fills_what_version_2_leaves_out() {
        let off = Answered::<i64> {
            value: None,
            reason: "DISABLED",
            variant: None,
            metadata: Struct::default(),
        };

        let one = r#"{"metadata":{},"reason":"DISABLED","value":"0","variant":""}"#;
        let two = r#"{"metadata":{},"reason":"DISABLED"}"#;
        let read = |version| off.to_json(version);
        assert_eq!(
            read(Version::V1),
            serde_json::from_str::<Json>(one).unwrap()
        );
        assert_eq!(
            read(Version::V2),
            serde_json::from_str::<Json>(two).unwrap()
        );
        let message = i64::message(off.clone(), Version::V2);
        let message = v2::ResolveIntResponse::decode(&*message).unwrap();
        assert_eq!((message.value, message.variant), (None, None));
        let zero = Answered {
            value: Some(0),
            ..off
        };
        let message = i64::message(zero, Version::V2);
        let message = v2::ResolveIntResponse::decode(&*message).unwrap();
        assert_eq!(message.value, Some(0), "told apart from nothing");
    }
}
