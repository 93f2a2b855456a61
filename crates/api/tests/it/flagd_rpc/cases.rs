//! Every row of the table of cases, on both versions.

use super::shop::{feature, over, segment, set, shop};
use super::{context, json, keyed, v1, v2};
use crate::face::Face;
use crate::flagd_grpc::code;
use flagstaff_core::ValueType;
use flagstaff_proto::flagd::evaluation::{v1 as one, v2 as two};
use flagstaff_service::EnvironmentPatch;
use prost_types::Struct;
use serde_json::{Value as Json, json};
use tonic::Code;

macro_rules! ask {
    ($client:expr, $method:ident, $request:path, $key:expr) => {
        ask!($client, $method, $request, $key, json!({"targetingKey": "u1"}))
    };
    ($client:expr, $method:ident, $request:path, $key:expr, $context:expr) => {{
        use $request as Request;
        let request = Request {
            flag_key: $key.to_owned(),
            context: context($context),
        };
        let answer = $client.$method(keyed(request)).await;
        answer.map(tonic::Response::into_inner)
    }};
}

fn told(metadata: Option<Struct>) -> Json {
    json(&metadata.unwrap())
}

#[tokio::test]
async fn a_flag_without_targeting_is_static() {
    let face = shop().await;

    let answer = ask!(
        v1(&face),
        resolve_boolean,
        one::ResolveBooleanRequest,
        "bool"
    )
    .unwrap();
    assert_eq!(
        (answer.value, &*answer.reason, &*answer.variant),
        (true, "STATIC", "control")
    );
    let answer = ask!(v2(&face), resolve_string, two::ResolveStringRequest, "text").unwrap();
    assert_eq!(
        (
            answer.value.as_deref(),
            &*answer.reason,
            answer.variant.as_deref()
        ),
        (Some("hello"), "STATIC", Some("control"))
    );
}

#[tokio::test]
async fn numbers_are_asked_for_as_int_or_float() {
    let face = shop().await;
    let mut client = v2(&face);

    let int = |answer: two::ResolveIntResponse| answer.value;
    let float = |answer: two::ResolveFloatResponse| answer.value;
    let answer = ask!(client, resolve_int, two::ResolveIntRequest, "int");
    assert_eq!(int(answer.unwrap()), Some(5));
    let answer = ask!(client, resolve_float, two::ResolveFloatRequest, "int");
    assert_eq!(float(answer.unwrap()), Some(5.0));
    let answer = ask!(client, resolve_int, two::ResolveIntRequest, "whole");
    assert_eq!(int(answer.unwrap()), Some(3));
    let answer = ask!(client, resolve_float, two::ResolveFloatRequest, "float");
    assert_eq!(float(answer.unwrap()), Some(1.5));
    // A whole number is not made of one with a fraction.
    let answer = ask!(client, resolve_int, two::ResolveIntRequest, "float");
    assert_eq!(code(&answer), Code::InvalidArgument);
    let answer = ask!(v1(&face), resolve_int, one::ResolveIntRequest, "float");
    assert_eq!(code(&answer), Code::InvalidArgument);
}

/// What flagd's suite asks of zero values: they are values, told apart from none by their variant.
#[tokio::test]
async fn what_is_zero_empty_or_false_is_a_value() {
    let face = shop().await;
    for (name, value, value_type) in [
        ("no", "false", ValueType::Auto),
        ("empty", "", ValueType::String),
        ("zero", "0", ValueType::Auto),
        ("zero-float", "0.0", ValueType::Number),
    ] {
        feature(&face, name, value, true, value_type).await;
    }
    let (mut one, mut two) = (v1(&face), v2(&face));

    macro_rules! check {
        ($method:ident, $one:path, $two:path, $key:literal, $value:expr) => {
            let old = ask!(one, $method, $one, $key).unwrap();
            let new = ask!(two, $method, $two, $key).unwrap();
            assert_eq!((old.value, &*old.variant), ($value, "control"));
            assert_eq!(
                (new.value, new.variant.as_deref()),
                (Some($value), Some("control"))
            );
        };
    }
    check!(
        resolve_boolean,
        one::ResolveBooleanRequest,
        two::ResolveBooleanRequest,
        "no",
        false
    );
    check!(
        resolve_string,
        one::ResolveStringRequest,
        two::ResolveStringRequest,
        "empty",
        String::new()
    );
    check!(
        resolve_int,
        one::ResolveIntRequest,
        two::ResolveIntRequest,
        "zero",
        0
    );
    check!(
        resolve_float,
        one::ResolveFloatRequest,
        two::ResolveFloatRequest,
        "zero-float",
        0.0
    );
}

#[tokio::test]
async fn an_object_comes_as_it_is_stored() {
    let face = shop().await;
    let stored = json!({"a": [1.0, "x"]});

    let answer = ask!(
        v1(&face),
        resolve_object,
        one::ResolveObjectRequest,
        "object"
    )
    .unwrap();
    assert_eq!(json(&answer.value.unwrap()), stored);
    let answer = ask!(
        v2(&face),
        resolve_object,
        two::ResolveObjectRequest,
        "object"
    )
    .unwrap();
    assert_eq!(json(&answer.value.unwrap()), stored);
}

#[tokio::test]
async fn a_disabled_flag_has_no_value() {
    let face = shop().await;

    let answer = ask!(
        v1(&face),
        resolve_boolean,
        one::ResolveBooleanRequest,
        "off"
    )
    .unwrap();
    assert_eq!(
        (answer.value, &*answer.reason, &*answer.variant),
        (false, "DISABLED", "")
    );
    let answer = ask!(
        v2(&face),
        resolve_boolean,
        two::ResolveBooleanRequest,
        "off"
    )
    .unwrap();
    assert_eq!(
        (answer.value, &*answer.reason, answer.variant),
        (None, "DISABLED", None)
    );
    // Nobody can tell of which type it would be.
    let answer = ask!(v2(&face), resolve_object, two::ResolveObjectRequest, "off").unwrap();
    assert_eq!((answer.value, &*answer.reason), (None, "DISABLED"));
}

#[tokio::test]
async fn a_flag_without_a_default_is_not_found_in_version_1_and_has_no_value_in_version_2() {
    let face = shop().await;

    let answer = ask!(v1(&face), resolve_string, one::ResolveStringRequest, "beta");
    assert_eq!(code(&answer), Code::NotFound);
    let answer = ask!(v2(&face), resolve_string, two::ResolveStringRequest, "beta").unwrap();
    assert_eq!(
        (answer.value, &*answer.reason, answer.variant),
        (None, "DEFAULT", None)
    );
    let pro = json!({"targetingKey": "u1", "plan": "pro"});
    let answer = ask!(
        v1(&face),
        resolve_string,
        one::ResolveStringRequest,
        "beta",
        pro
    )
    .unwrap();
    assert_eq!(
        (&*answer.value, &*answer.reason, &*answer.variant),
        ("early", "TARGETING_MATCH", "override_pros")
    );
}

#[tokio::test]
async fn an_unknown_flag_is_not_found() {
    let face = shop().await;

    for key in ["gone", "", "BOOL", "bool "] {
        let answer = ask!(v1(&face), resolve_boolean, one::ResolveBooleanRequest, key);
        assert_eq!(code(&answer), Code::NotFound, "{key}");
        let answer = ask!(v2(&face), resolve_boolean, two::ResolveBooleanRequest, key);
        assert_eq!(code(&answer), Code::NotFound, "{key}");
    }
}

#[tokio::test]
async fn a_flag_of_another_type_is_an_invalid_argument() {
    let face = shop().await;
    let (mut first, mut second) = (v1(&face), v2(&face));

    let codes = [
        code(&ask!(
            first,
            resolve_boolean,
            one::ResolveBooleanRequest,
            "text"
        )),
        code(&ask!(
            first,
            resolve_string,
            one::ResolveStringRequest,
            "bool"
        )),
        code(&ask!(first, resolve_int, one::ResolveIntRequest, "text")),
        code(&ask!(
            first,
            resolve_float,
            one::ResolveFloatRequest,
            "bool"
        )),
        code(&ask!(
            first,
            resolve_object,
            one::ResolveObjectRequest,
            "int"
        )),
        code(&ask!(
            second,
            resolve_boolean,
            two::ResolveBooleanRequest,
            "object"
        )),
        code(&ask!(
            second,
            resolve_string,
            two::ResolveStringRequest,
            "int"
        )),
        code(&ask!(second, resolve_int, two::ResolveIntRequest, "object")),
        code(&ask!(
            second,
            resolve_float,
            two::ResolveFloatRequest,
            "text"
        )),
        code(&ask!(
            second,
            resolve_object,
            two::ResolveObjectRequest,
            "bool"
        )),
    ];

    assert_eq!(codes, [Code::InvalidArgument; 10]);
}

/// The only data that could be lost is a stored object, and those are checked when they are stored.
#[tokio::test]
async fn a_rule_that_cannot_be_understood_never_matches_and_is_no_error() {
    let face = shop().await;
    let broken = segment(&face, "broken", "plan", "REGEX", "(").await;
    over(&face, "text", broken, true, "other").await;
    let pro = json!({"targetingKey": "u1", "plan": "("});

    let answer = ask!(
        v1(&face),
        resolve_string,
        one::ResolveStringRequest,
        "text",
        pro
    )
    .unwrap();

    assert_eq!((&*answer.value, &*answer.reason), ("hello", "DEFAULT"));
}

#[tokio::test]
async fn all_flags_are_those_that_have_a_value() {
    let face = shop().await;
    let request = one::ResolveAllRequest {
        context: context(json!({"targetingKey": "u1"})),
    };

    let answer = v1(&face).resolve_all(keyed(request)).await.unwrap();

    let answer = answer.into_inner();
    let value = |key: &str| answer.flags.get(key).and_then(|flag| flag.value.clone());
    use one::any_flag::Value;
    assert_eq!(value("bool"), Some(Value::BoolValue(true)));
    assert_eq!(value("text"), Some(Value::StringValue("hello".to_owned())));
    assert_eq!(value("int"), Some(Value::DoubleValue(5.0)));
    assert_eq!(value("float"), Some(Value::DoubleValue(1.5)));
    assert!(matches!(value("object"), Some(Value::ObjectValue(_))));
    for left_out in ["off", "beta", "gone"] {
        assert!(!answer.flags.contains_key(left_out), "{left_out}");
    }
    let set = told(answer.metadata);
    assert!(set["flagSetId"].as_str().unwrap().contains('/'), "{set}");
    assert_eq!(set["flagsmith.translatorVersion"], "v1");
}

#[tokio::test]
async fn metadata_says_where_a_flag_comes_from_and_why_it_has_its_value() {
    let face = shop().await;
    let pro = json!({"targetingKey": "u1", "plan": "pro"});

    let answer = ask!(
        v2(&face),
        resolve_string,
        two::ResolveStringRequest,
        "offer",
        pro
    )
    .unwrap();

    assert_eq!(answer.value.as_deref(), Some("gold"));
    let metadata = told(answer.metadata);
    assert_eq!(metadata["flagsmith.segment"], "pros");
    assert_eq!(
        metadata["flagsmith.reason"],
        "TARGETING_MATCH; segment=pros"
    );
    assert!(
        metadata["version"].as_str().unwrap().ends_with('Z'),
        "{metadata}"
    );
    assert!(metadata["flagsmith.environmentId"].is_number());
    assert!(metadata.get("targeting_key_missing").is_none());
    let nobody = json!({});
    let answer = ask!(
        v2(&face),
        resolve_string,
        two::ResolveStringRequest,
        "split",
        nobody
    );
    let answer = answer.unwrap();
    assert_eq!(
        (answer.value.as_deref(), &*answer.reason),
        (Some("blue"), "DEFAULT")
    );
    assert_eq!(told(answer.metadata)["targeting_key_missing"], true);
}

#[tokio::test]
async fn only_a_flag_that_is_the_same_for_everybody_is_static() {
    let face = shop().await;
    let mut client = v2(&face);

    // Clients keep what is static until they are told of a change.
    let mut reasons = Vec::new();
    for key in ["text", "offer", "split"] {
        let answer = ask!(client, resolve_string, two::ResolveStringRequest, key).unwrap();
        reasons.push(answer.reason);
    }

    assert_eq!(reasons, ["STATIC", "DEFAULT", "SPLIT"]);
}

#[tokio::test]
async fn what_is_hidden_while_it_is_off_is_not_found() {
    let face = shop().await;
    let hide = EnvironmentPatch {
        hide_disabled_flags: Some(Some(true)),
        ..EnvironmentPatch::default()
    };
    face.update_environment(hide).await;

    let answer = ask!(
        v2(&face),
        resolve_boolean,
        two::ResolveBooleanRequest,
        "off"
    );

    assert_eq!(code(&answer), Code::NotFound);
}

#[tokio::test]
async fn a_change_is_answered_at_once() {
    let face = shop().await;
    set(&face, "text", true, "new").await;

    let answer = ask!(v2(&face), resolve_string, two::ResolveStringRequest, "text").unwrap();

    assert_eq!(answer.value.as_deref(), Some("new"));
}

#[tokio::test]
async fn the_older_package_is_answered_as_version_1() {
    let face: Face = shop().await;
    let ask = super::connect(&face, "/schema.v1.Service/ResolveBoolean");

    let reply = ask.body(r#"{"flagKey": "bool"}"#).send().await;

    assert_eq!((reply.status, &reply.json()["value"]), (200, &json!(true)));
}
