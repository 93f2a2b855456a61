//! What people do with the SDK.

use crate::server::{
    admin, api, change_value, client_key, is_on, json_of, local, options, remote, sdk, server_key,
    shown, traits, value, value_of, variable,
};
use flagsmith::error::ErrorKind;
use flagsmith::flagsmith::models::{Flag, SDKTrait};
use flagsmith::flagsmith::offline_handler::LocalFileHandler;
use flagsmith::{Flagsmith, FlagsmithOptions};
use serde_json::{Value, json};
use std::collections::HashMap;
use std::thread::sleep;
use std::time::{Duration, Instant};

/// What an SDK counts arrives and is accepted. The test that runs this then looks for the sums.
pub fn analytics() {
    let before = accepted_counts();
    {
        let options = FlagsmithOptions {
            enable_analytics: true,
            ..options()
        };
        let client = Flagsmith::new(client_key(), options);
        let flags = client.get_environment_flags().unwrap();
        for _ in 0..7 {
            flags.is_feature_enabled("dark-mode").unwrap();
        }
        for _ in 0..3 {
            flags.get_feature_value_as_string("page-size").unwrap();
        }
    }
    // Dropped, the SDK sends the rest from a thread that nobody can wait for.
    let end = Instant::now() + Duration::from_secs(30);
    while accepted_counts() == before {
        assert!(Instant::now() < end, "no counts arrived");
        sleep(Duration::from_millis(50));
    }
}

/// How many reports of counts the server has taken.
fn accepted_counts() -> String {
    let mut answer = ureq::get(format!("{}/metrics", variable("SERVER_URL")))
        .call()
        .unwrap();
    let text = answer.body_mut().read_to_string().unwrap();
    let is_it = |line: &&str| {
        line.starts_with("flagstaff_http_requests_total")
            && line.contains("/api/v1/analytics/flags/")
            && line.contains("200")
    };
    text.lines().find(is_it).unwrap_or_default().to_owned()
}

/// Everybody's flags, with the types their values have; some are for servers only.
pub fn environment_flags() {
    let flags = remote(&client_key()).get_environment_flags().unwrap();
    assert!(is_on(&flags, "dark-mode"));
    assert_eq!(value_of(&flags, "dark-mode"), Value::Null);
    assert_eq!(value_of(&flags, "banner"), json!("Welcome"));
    assert_eq!(value_of(&flags, "page-size"), json!(25));
    assert!(!is_on(&flags, "beta-search"));
    assert_eq!(value_of(&flags, "colour"), json!("red"));
    assert!(flags.get_flag("internal-limit").is_err());

    let flags = remote(&server_key()).get_environment_flags().unwrap();
    assert_eq!(value_of(&flags, "internal-limit"), json!(9000));
}

/// An identity's flags: traits sent once count from then on, and null takes one away.
pub fn identity_flags() {
    let client = remote(&client_key());
    let ask = |identity_traits: Value| {
        client
            .get_identity_flags("carol", traits(identity_traits), None)
            .unwrap()
    };
    let flags = ask(json!({"beta": true, "plan": "pro", "version": "2.1.0"}));
    assert!(is_on(&flags, "beta-search"));
    assert_eq!(value_of(&flags, "seats"), json!(50));
    assert_eq!(value_of(&flags, "new-client"), json!("v2"));

    let flags = client.get_identity_flags("carol", None, None).unwrap();
    assert!(is_on(&flags, "beta-search"));
    assert_eq!(value_of(&flags, "seats"), json!(50));

    let flags = ask(json!({"plan": "enterprise", "version": "1.9.9"}));
    assert_eq!(value_of(&flags, "seats"), json!(500));
    assert!(!is_on(&flags, "new-client"));

    let flags = ask(json!({"plan": null}));
    assert_eq!(value_of(&flags, "seats"), json!(5));
    assert!(is_on(&flags, "beta-search"));
}

/// Variants are about as frequent as their weights, stay with an identity, and are the same locally.
pub fn multivariate() {
    let (client, engine) = (remote(&client_key()), local(&server_key()));
    let colours = |source: &Flagsmith| -> Vec<String> {
        let people = (0..200).map(|number| format!("person-{number}"));
        people
            .map(|person| {
                let flags = source.get_identity_flags(&person, None, None).unwrap();
                flags.get_feature_value_as_string("colour").unwrap()
            })
            .collect()
    };
    let first = colours(&client);
    assert_eq!(colours(&client), first);
    assert_eq!(colours(&engine), first);
    let mut counts: HashMap<_, i32> = HashMap::new();
    for colour in &first {
        *counts.entry(colour.as_str()).or_default() += 1;
    }
    // Three standard deviations around 60 blue, 40 green and 100 red of 200.
    assert!((40..=80).contains(&counts["blue"]), "{counts:?}");
    assert!((22..=58).contains(&counts["green"]), "{counts:?}");
    assert!((78..=122).contains(&counts["red"]), "{counts:?}");

    let flags = client
        .get_identity_flags("someone", traits(json!({"colour": "blue"})), None)
        .unwrap();
    assert_eq!(value_of(&flags, "colour"), json!("blue"));
}

/// A document saved from the server serves an SDK that has no server.
pub fn offline() {
    let (status, document) = sdk("environment-document/", &server_key());
    assert_eq!(status, 200);
    let file = std::env::temp_dir().join(format!("flagstaff-{}.json", std::process::id()));
    std::fs::write(&file, document.to_string()).unwrap();
    let handler = || LocalFileHandler::new(file.to_str().unwrap()).unwrap();
    let options = FlagsmithOptions {
        offline_handler: Some(Box::new(handler())),
        offline_mode: true,
        ..FlagsmithOptions::default()
    };
    let offline = Flagsmith::new("none".to_owned(), options);
    let client = remote(&server_key());
    assert_eq!(
        shown(&offline.get_environment_flags().unwrap()),
        shown(&client.get_environment_flags().unwrap())
    );
    let plan = || traits(json!({"plan": "enterprise", "beta": true}));
    for identifier in ["alice", "bob", "henry"] {
        assert_eq!(
            shown(
                &offline
                    .get_identity_flags(identifier, plan(), None)
                    .unwrap()
            ),
            shown(&client.get_identity_flags(identifier, plan(), None).unwrap())
        );
    }

    // The handler also stands in for a server that cannot be reached.
    let options = FlagsmithOptions {
        api_url: "http://127.0.0.1:9/api/v1/".to_owned(),
        offline_handler: Some(Box::new(handler())),
        ..FlagsmithOptions::default()
    };
    let stand_in = Flagsmith::new("whatever".to_owned(), options);
    let flags = stand_in.get_environment_flags().unwrap();
    assert_eq!(value_of(&flags, "banner"), json!("Welcome"));
    std::fs::remove_file(file).unwrap();
}

/// Segments override everybody's state, an identity's own override wins over both, remotely and locally.
pub fn overrides() {
    for client in [remote(&client_key()), local(&server_key())] {
        let ask = |identifier: &str, identity_traits: Value| {
            client
                .get_identity_flags(identifier, traits(identity_traits), None)
                .unwrap()
        };
        let flags = ask("alice", json!({"plan": "pro", "age": 40}));
        assert!(!is_on(&flags, "dark-mode"));
        assert_eq!(value_of(&flags, "banner"), json!("Hello Alice"));
        assert_eq!(value_of(&flags, "seats"), json!(50));

        let flags = ask("frank", json!({"plan": "pro", "age": 40}));
        assert!(is_on(&flags, "dark-mode"));
        assert_eq!(value_of(&flags, "banner"), json!("Nested"));
        assert_eq!(value_of(&flags, "seats"), json!(50));

        let flags = ask("grace", json!({"plan": "enterprise", "age": 40}));
        assert_eq!(value_of(&flags, "seats"), json!(500));

        let flags = ask("bob", json!({}));
        assert_eq!(value_of(&flags, "page-size"), json!(100));
        assert_eq!(value_of(&flags, "colour"), json!("green"));
    }
}

/// A change reaches an SDK that evaluates locally when it refreshes, by itself or when told to.
pub fn refresh() {
    let options = FlagsmithOptions {
        enable_local_evaluation: true,
        environment_refresh_interval_mills: 100,
        ..options()
    };
    let by_itself = Flagsmith::new(server_key(), options);
    let mut when_told = local(&server_key());
    let banner = |client: &Flagsmith| value_of(&client.get_environment_flags().unwrap(), "banner");
    assert_eq!(banner(&by_itself), json!("Welcome"));

    change_value("banner", "Changed");
    assert_eq!(banner(&when_told), json!("Welcome"));
    when_told.update_environment().unwrap();
    assert_eq!(banner(&when_told), json!("Changed"));
    let end = Instant::now() + Duration::from_secs(10);
    while banner(&by_itself) != json!("Changed") {
        assert!(Instant::now() < end, "not refreshed");
        sleep(Duration::from_millis(20));
    }
}

/// What is transient counts for one call and is not stored.
pub fn transient() {
    let client = remote(&client_key());
    let beta = traits(json!({"beta": true}));
    let flags = client.get_identity_flags("dave", beta, Some(true)).unwrap();
    assert!(is_on(&flags, "beta-search"));
    let flags = client.get_identity_flags("dave", None, Some(true)).unwrap();
    assert!(!is_on(&flags, "beta-search"));
    let path = format!("environments/{}/identities/?q=dave", client_key());
    assert_eq!(admin("GET", &path, None)["results"], json!([]));

    let sent = vec![
        SDKTrait::new("plan".to_owned(), value(&json!("pro"))),
        SDKTrait::new_with_transient("beta".to_owned(), value(&json!(true)), true),
    ];
    let flags = client.get_identity_flags("erin", Some(sent), None).unwrap();
    assert!(is_on(&flags, "beta-search"));
    assert_eq!(value_of(&flags, "seats"), json!(50));
    let flags = client.get_identity_flags("erin", None, None).unwrap();
    assert!(!is_on(&flags, "beta-search"));
    assert_eq!(value_of(&flags, "seats"), json!(50));
}

/// A wrong key is refused in a way the SDK understands, and what is there by default stands in.
pub fn wrong_key() {
    let refused = |result: Result<_, flagsmith::error::Error>| {
        let error = result
            .map(|_: flagsmith::flagsmith::models::Flags| ())
            .unwrap_err();
        assert_eq!(error.kind, ErrorKind::FlagsmithAPIError);
        assert!(error.msg.contains("403 Forbidden"), "{error}");
        assert!(error.msg.contains("Environment Key"), "{error}");
    };
    let client = remote("wrong");
    refused(client.get_environment_flags());
    let plan = traits(json!({"plan": "pro"}));
    refused(client.get_identity_flags("alice", plan, None));
    // Without a document this SDK asks for the flags instead.
    refused(local("ser.wrong").get_environment_flags());

    let options = FlagsmithOptions {
        default_flag_handler: Some(|name| Flag {
            feature_name: name.to_owned(),
            is_default: true,
            value: value(&json!("default")),
            ..Flag::default()
        }),
        ..options()
    };
    let client = Flagsmith::new("wrong".to_owned(), options);
    let flag = client
        .get_environment_flags()
        .unwrap()
        .get_flag("banner")
        .unwrap();
    assert_eq!(
        (flag.is_default, json_of(&flag.value)),
        (true, json!("default"))
    );

    let detail = |text: &str| (403, json!({"detail": text}));
    assert!(api().starts_with("http://127.0.0.1:"));
    assert_eq!(
        sdk("flags/", "wrong"),
        detail("Invalid or missing Environment Key")
    );
    assert_eq!(
        sdk("environment-document/", &client_key()),
        detail("Invalid or missing Environment key")
    );
}
