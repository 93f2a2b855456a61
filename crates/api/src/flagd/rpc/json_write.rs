//! Messages written as JSON as protobuf has it: members that are not set are written too, whole numbers of 64 bits
//! as text.

use prost_types::value::Kind;
use prost_types::{Struct, Value};
use serde_json::{Map, Number, Value as Json};

/// The largest double below which every whole number has one of its own.
const EXACT: f64 = 9_007_199_254_740_992.0;

/// A struct as the object it stands for.
pub(super) fn object_json(object: &Struct) -> Json {
    let members = object.fields.iter();
    let members: Map<_, _> = members
        .map(|(name, value)| (name.clone(), value_json(value)))
        .collect();
    Json::Object(members)
}

fn value_json(value: &Value) -> Json {
    match &value.kind {
        Some(Kind::NullValue(_)) | None => Json::Null,
        Some(Kind::BoolValue(value)) => Json::Bool(*value),
        Some(Kind::NumberValue(number)) => number_json(*number),
        Some(Kind::StringValue(text)) => Json::String(text.clone()),
        Some(Kind::ListValue(list)) => list.values.iter().map(value_json).collect(),
        Some(Kind::StructValue(object)) => object_json(object),
    }
}

/// A double, without a fraction where it has none.
pub(super) fn number_json(number: f64) -> Json {
    if number.fract() == 0.0 && number.abs() < EXACT {
        // Exact: it is whole and small.
        return Json::from(number as i64);
    }
    // Nothing that is served is infinite; protobuf has words for what is.
    Number::from_f64(number).map_or_else(|| Json::from(number.to_string()), Json::Number)
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn numbers_have_a_fraction_only_where_they_need_one() {
        let check = |number: f64, expected: &str| {
            assert_eq!(number_json(number).to_string(), expected);
        };

        check(5.0, "5");
        check(-3.0, "-3");
        check(0.5, "0.5");
        check(1e300, "1e+300");
        check(f64::NAN, "\"NaN\"");
    }
}
