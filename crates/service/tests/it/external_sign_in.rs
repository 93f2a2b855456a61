//! Signing in with other services, against a provider run here.

use crate::fixture::{Fixture, HERE, PASSWORD, clock};
use crate::identity_provider::{CLIENT, IdentityProvider, SECRET};
use flagstaff_core::Role;
use flagstaff_service::config::{GithubConfig, GoogleConfig, OidcConfig};
use flagstaff_service::{
    CameIn, ExternalProblem, Returning, Service, ServiceConfig, ServiceError, SignUpRequest, Work,
};
use secrecy::{ExposeSecret as _, SecretString};
use serde_json::json;

const GRACE: &str = "grace@example.com";

struct Door {
    fixture: Fixture,
    service: Service,
    provider: IdentityProvider,
    _work: Work,
}

impl Door {
    async fn open() -> Self {
        Self::open_with(|_| {}).await
    }

    async fn open_with(change: impl FnOnce(&mut ServiceConfig)) -> Self {
        let fixture = Fixture::new().await;
        let provider = IdentityProvider::start().await;
        let (id, secret) = (CLIENT.to_owned(), SecretString::from(SECRET));
        let oidc = OidcConfig {
            label: Some("Acme".to_owned()),
            issuer: provider.issuer.clone(),
            client_id: id.clone(),
            client_secret: Some(secret.clone()),
            organisation: Some("Acme".to_owned()),
            role_claim: Some("groups".to_owned()),
            admin_values: vec!["flag-admins".to_owned()],
            ..OidcConfig::default()
        };
        let mut config = ServiceConfig {
            oidc: [("acme".to_owned(), oidc)].into(),
            google: GoogleConfig {
                client_id: Some(id.clone()),
                client_secret: Some(secret.clone()),
                issuer: provider.issuer.clone(),
                token_info_url: format!("{}/tokeninfo", provider.issuer),
                organisation: Some("Acme".to_owned()),
                ..GoogleConfig::default()
            },
            github: GithubConfig {
                client_id: Some(id),
                client_secret: Some(secret),
                url: provider.issuer.clone(),
                api_url: provider.issuer.clone(),
                organisation: Some("Acme".to_owned()),
                ..GithubConfig::default()
            },
            public_url: Some("https://flags.example.com".into()),
            ..ServiceConfig::default()
        };
        config.sign_in.attempts_per_minute = 1000;
        change(&mut config);
        let service = Service::new(fixture.store.clone(), clock(&fixture.time), config);
        let work = service.start().await.unwrap();
        Self {
            fixture,
            service,
            provider,
            _work: work,
        }
    }

    /// A whole journey: out, agreed to, and back.
    async fn journey(&self, name: &str) -> Result<CameIn, ServiceError> {
        let leaving = self.service.leave_for(name, None).await?;
        let (arrival, code) = self.provider.agree(&leaving.url);
        let returning = Returning {
            ticket: leaving.ticket,
            state: arrival.state,
            code: code.into(),
        };
        self.service.come_back_from(name, returning, HERE).await
    }

    async fn sign_up(&self, email: &str) -> SecretString {
        let mut config = self.service.config().clone();
        config.sign_in.allow_sign_up = true;
        let open = Service::new(
            self.fixture.store.clone(),
            clock(&self.fixture.time),
            config,
        );
        let request = SignUpRequest {
            email: email.to_owned(),
            password: PASSWORD.into(),
            first_name: "Eve".to_owned(),
            last_name: "Eve".to_owned(),
            sign_up_type: None,
            invite: None,
            is_superuser: false,
        };
        open.sign_up(request, HERE).await.unwrap().1
    }
}

#[track_caller]
fn check_refusal(result: Result<CameIn, ServiceError>, expected: ExternalProblem) {
    match result {
        Err(ServiceError::External(problem)) => assert_eq!(problem, expected),
        other => unreachable!("not refused as {expected:?}: {other:?}"),
    }
}

#[tokio::test]
async fn a_newcomer_joins_the_organisation_and_is_known_from_then_on() {
    let door = Door::open().await;

    let first = door.journey("acme").await.unwrap();
    door.provider.claim("email", "g.hopper@example.com");
    let second = door.journey("acme").await.unwrap();

    assert!(first.is_new && !second.is_new);
    assert_eq!(
        (first.member.id, &*first.member.email),
        (second.member.id, GRACE)
    );
    assert_eq!(
        (&*first.member.first_name, &*first.member.last_name),
        ("Grace", "Hopper")
    );
    let places = door
        .fixture
        .store
        .memberships(first.member.id)
        .await
        .unwrap();
    assert_eq!((places.len(), places[0].role), (1, Role::User));
    let names: Vec<String> = door
        .service
        .sign_in_providers()
        .await
        .into_iter()
        .map(|each| each.label)
        .collect();
    assert_eq!(names, ["Acme", "GitHub", "Google"]);
    // Nobody has a password here, so none signs in.
    let by_password = door.service.sign_in(GRACE, "".into(), HERE).await;
    assert!(matches!(by_password, Err(ServiceError::WrongCredentials)));
}

#[tokio::test]
async fn a_claim_makes_an_admin_of_whoever_joins() {
    let door = Door::open().await;
    door.provider
        .claim("groups", json!(["staff", "flag-admins"]));

    let came = door.journey("acme").await.unwrap();

    let places = door
        .fixture
        .store
        .memberships(came.member.id)
        .await
        .unwrap();
    assert_eq!(places[0].role, Role::Admin);
    assert!(!came.member.is_superuser);
}

#[tokio::test]
async fn a_token_that_is_not_right_in_every_way_lets_nobody_in() {
    let lies: [(&str, serde_json::Value); 8] = [
        ("iss", json!("https://elsewhere.example")),
        ("aud", json!("another-client")),
        ("aud", json!(["flagstaff", "another-client"])),
        ("exp", json!(1_000_000_000)),
        ("nonce", json!("of-another-sign-in")),
        ("nonce", json!(null)),
        ("sub", json!("")),
        ("at_hash", json!("AAAAAAAAAAAAAAAAAAAAAA")),
    ];
    for (claim, value) in lies {
        let door = Door::open().await;
        door.provider.claim(claim, value.clone());

        let came = door.journey("acme").await;

        assert!(
            matches!(came, Err(ServiceError::External(ExternalProblem::Failed))),
            "{claim} {value}: {came:?}"
        );
    }
    for algorithm in ["none", "HS256"] {
        let door = Door::open().await;
        door.provider.tell(|says| says.algorithm = algorithm);
        check_refusal(door.journey("acme").await, ExternalProblem::Failed);
    }
    let door = Door::open().await;
    door.provider.tell(|says| says.signs_secretly = true);
    check_refusal(door.journey("acme").await, ExternalProblem::Failed);
}

#[tokio::test]
async fn every_signature_that_the_provider_alone_can_make_is_accepted() {
    let door = Door::open().await;
    // The first half of the access token's hash, by the hash of each algorithm.
    let [short, middle, long] = [
        "bSKYhMEmi7CrMtjaMV0P5Q",
        "r4fRMzLLjsZ2n1Iv3-hxo7piIBhARm0O",
        "fbMJhlShp9jmuAqXBJET-ShZLVNUaW7dkNnxSGjGex8",
    ];
    let algorithms = [
        ("RS256", short),
        ("RS384", middle),
        ("RS512", long),
        ("PS256", short),
        ("PS384", middle),
        ("PS512", long),
        ("ES256", short),
        ("ES384", middle),
        ("EdDSA", long),
    ];
    for (algorithm, hash) in algorithms {
        door.provider.tell(|says| says.algorithm = algorithm);
        door.provider.claim("at_hash", hash);

        let came = door.journey("acme").await;

        assert!(came.is_ok(), "{algorithm}: {came:?}");
    }
}

#[tokio::test]
async fn keys_are_not_taken_for_what_they_are_not() {
    let door = Door::open().await;
    // The algorithm in the token's header, and the key that it names: a public key is no shared secret, and a key of
    // one kind makes no signature of another.
    let confusions = [
        ("none", "first"),
        ("HS256", "first"),
        ("HS384", "first"),
        ("HS512", "p256"),
        ("RS256", "p256"),
        ("RS256", "ed25519"),
        ("ES256", "first"),
        ("ES256", "p384"),
        ("ES384", "p256"),
        ("EdDSA", "p256"),
        ("PS256", "nobody"),
    ];
    for (algorithm, kid) in confusions {
        door.provider.tell(|says| {
            says.algorithm = algorithm;
            says.kid = Some(kid);
        });

        let came = door.journey("acme").await;

        assert!(
            matches!(came, Err(ServiceError::External(ExternalProblem::Failed))),
            "{algorithm} by {kid}: {came:?}"
        );
    }
}

#[tokio::test]
async fn what_a_provider_does_not_say_it_signs_with_is_refused() {
    let door = Door::open().await;
    door.provider.tell(|says| {
        says.offers = json!(["ES256"]);
        says.algorithm = "RS256";
    });

    check_refusal(door.journey("acme").await, ExternalProblem::Failed);

    door.provider.tell(|says| says.algorithm = "ES256");
    assert!(door.journey("acme").await.is_ok());
}

#[tokio::test]
async fn an_address_that_is_not_verified_or_of_another_domain_is_refused() {
    let door = Door::open().await;
    for value in [json!(false), json!(null)] {
        door.provider.claim("email_verified", value);
        check_refusal(door.journey("acme").await, ExternalProblem::EmailUnverified);
    }

    let limited = |config: &mut ServiceConfig| {
        let domains = || vec!["Example.com".to_owned()];
        config.oidc.get_mut("acme").unwrap().allowed_domains = domains();
        config.google.allowed_domains = domains();
    };
    let door = Door::open_with(limited).await;
    for email in [
        "grace@evil.example",
        "grace@sub.example.com",
        "grace@example.com.evil.example",
    ] {
        door.provider.claim("email", email);
        check_refusal(
            door.journey("acme").await,
            ExternalProblem::DomainNotAllowed,
        );
    }
    door.provider.claim("email", GRACE);
    // An address of the domain that Google does not count to the domain's own organisation.
    check_refusal(
        door.journey("google").await,
        ExternalProblem::DomainNotAllowed,
    );
    door.provider.claim("hd", "example.com");
    assert!(door.journey("google").await.is_ok());
}

#[tokio::test]
async fn only_the_browser_that_left_comes_back_and_only_once_and_in_time() {
    let door = Door::open().await;
    let come = |ticket: &SecretString, state: &str, code: String, name: &'static str| {
        let returning = Returning {
            ticket: ticket.clone(),
            state: state.to_owned(),
            code: code.into(),
        };
        door.service.come_back_from(name, returning, HERE)
    };
    let leaving = door.service.leave_for("acme", None).await.unwrap();
    let (arrival, code) = door.provider.agree(&leaving.url);
    let stranger = door.service.leave_for("acme", None).await.unwrap();
    let (state, ticket) = (arrival.state.clone(), leaving.ticket.clone());

    // The code of one browser in another one: whoever follows a prepared link does not end up signed in as its maker.
    check_refusal(
        come(&stranger.ticket, &state, code.clone(), "acme").await,
        ExternalProblem::Stale,
    );
    check_refusal(
        come(&ticket, "other", code.clone(), "acme").await,
        ExternalProblem::Stale,
    );
    check_refusal(
        come(&ticket, &state, code.clone(), "google").await,
        ExternalProblem::Stale,
    );
    let text = ticket.expose_secret();
    for forged in [
        "",
        ".",
        "zz.zz",
        &text[..text.len() - 2],
        &text.replace("61", "62"),
    ] {
        let forged = SecretString::from(forged);
        check_refusal(
            come(&forged, &state, code.clone(), "acme").await,
            ExternalProblem::Stale,
        );
    }
    come(&ticket, &state, code.clone(), "acme").await.unwrap();
    let fresh_code = door.provider.code_for(&arrival);
    check_refusal(
        come(&ticket, &state, fresh_code, "acme").await,
        ExternalProblem::Stale,
    );

    let late = door.service.leave_for("acme", None).await.unwrap();
    let (arrival, code) = door.provider.agree(&late.url);
    door.fixture.advance(601);
    check_refusal(
        come(&late.ticket, &arrival.state, code, "acme").await,
        ExternalProblem::Stale,
    );
    let used = door.service.leave_for("acme", None).await.unwrap();
    let (arrival, _) = door.provider.agree(&used.url);
    check_refusal(
        come(&used.ticket, &arrival.state, "code-1".to_owned(), "acme").await,
        ExternalProblem::Failed,
    );
}

#[tokio::test]
async fn an_account_that_somebody_else_made_with_the_address_is_theirs_no_longer() {
    let door = Door::open().await;
    let token = door.sign_up(GRACE).await;

    let came = door.journey("acme").await.unwrap();

    assert!(!came.is_new);
    let by_password = door.service.sign_in(GRACE, PASSWORD.into(), HERE).await;
    assert!(matches!(by_password, Err(ServiceError::WrongCredentials)));
    assert!(
        door.service
            .caller_by_token(token.expose_secret())
            .await
            .is_err()
    );
}

#[tokio::test]
async fn a_verified_account_keeps_its_password_beside_the_service() {
    let door = Door::open().await;
    door.provider.claim("email", "ADA@example.com");

    let came = door.journey("acme").await.unwrap();

    assert_eq!(
        (came.is_new, &*came.member.email),
        (false, "ada@example.com")
    );
    assert!(
        door.service
            .sign_in("ada@example.com", PASSWORD.into(), HERE)
            .await
            .is_ok()
    );
}

#[tokio::test]
async fn who_has_no_account_and_no_invitation_stays_outside() {
    let door = Door::open_with(|config| {
        config.oidc.get_mut("acme").unwrap().organisation = None;
    })
    .await;
    check_refusal(door.journey("acme").await, ExternalProblem::Closed);
    let caller = &door.fixture.caller;
    let organisation = door.fixture.project.organisation_id;
    let link = door
        .service
        .create_invite_link(caller, organisation, Role::User, None);
    let link = link.await.unwrap();

    let leaving = door
        .service
        .leave_for("acme", Some(link.token.to_string()))
        .await
        .unwrap();
    let (arrival, code) = door.provider.agree(&leaving.url);
    let returning = Returning {
        ticket: leaving.ticket,
        state: arrival.state,
        code: code.into(),
    };
    let came = door
        .service
        .come_back_from("acme", returning, HERE)
        .await
        .unwrap();

    assert_eq!(
        (came.is_new, came.invite.as_deref()),
        (true, Some(&*link.token))
    );
    assert!(matches!(
        door.service.leave_for("unknown", None).await,
        Err(ServiceError::External(ExternalProblem::NotSetUp))
    ));
}

#[tokio::test]
async fn a_provider_may_change_its_key() {
    let door = Door::open().await;
    let before = door.journey("acme").await.unwrap();
    door.provider.tell(|says| says.has_new_key = true);
    // The first answer is kept for some time, but not against a token that it does not fit; within half a minute of being
    // asked a provider is not asked again.
    check_refusal(door.journey("acme").await, ExternalProblem::Failed);
    let node = Service::new(
        door.fixture.store.clone(),
        clock(&door.fixture.time),
        door.service.config().clone(),
    );
    let _work = node.start().await.unwrap();

    let leaving = node.leave_for("acme", None).await.unwrap();
    let (arrival, code) = door.provider.agree(&leaving.url);
    let returning = Returning {
        ticket: leaving.ticket,
        state: arrival.state,
        code: code.into(),
    };
    let after = node.come_back_from("acme", returning, HERE).await.unwrap();

    assert_eq!(before.member.id, after.member.id);
}

#[tokio::test]
async fn github_counts_with_its_primary_and_verified_address() {
    let door = Door::open().await;
    for emails in [
        json!([]),
        json!([{ "email": GRACE, "primary": true, "verified": false }]),
        json!([{ "email": GRACE, "primary": false, "verified": true }]),
    ] {
        door.provider.tell(|says| says.emails = emails);
        check_refusal(
            door.journey("github").await,
            ExternalProblem::EmailUnverified,
        );
    }
    door.provider.tell(|says| {
        says.emails = json!([
            { "email": "ada@example.com", "primary": false, "verified": false },
            { "email": GRACE, "primary": true, "verified": true },
        ]);
    });

    let came = door.journey("github").await.unwrap();

    assert_eq!(
        (&*came.member.email, &*came.member.first_name),
        (GRACE, "Grace")
    );
    assert_eq!(came.member.last_name, "Brewster Hopper");
}

#[tokio::test]
async fn a_dashboard_of_flagsmith_signs_in_with_what_it_got_itself() {
    let door = Door::open().await;
    let sign_in = |name: &'static str, token: &str| {
        let token = SecretString::from(token);
        let service = &door.service;
        async move { service.sign_in_by_token_of(name, &token, None, HERE).await }
    };

    let (key, is_new) = sign_in("google", "an-access-token").await.unwrap();
    let (_, again) = sign_in("github", "from-a-dashboard").await.unwrap();

    assert!(is_new && !again);
    let caller = door
        .service
        .caller_by_token(key.expose_secret())
        .await
        .unwrap();
    assert_eq!(caller.member().unwrap().email, GRACE);
    assert!(sign_in("github", "nonsense").await.is_err());
    assert!(matches!(
        sign_in("acme", "an-access-token").await,
        Err(ServiceError::External(ExternalProblem::NotSetUp))
    ));
    // A token that Google gave out to another application is worth nothing here.
    door.provider
        .tell(|says| says.token_audience = "another-app".to_owned());
    assert!(matches!(
        sign_in("google", "an-access-token").await,
        Err(ServiceError::External(ExternalProblem::Failed))
    ));
}
