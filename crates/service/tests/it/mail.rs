//! Mail, and links that change an account.

use crate::fixture::{Fixture, HERE, PASSWORD, clock};
use flagstaff_core::Role;
use flagstaff_service::config::{MailConfig, MailSecurity};
use flagstaff_service::outbound::MailSender;
use flagstaff_service::{
    AccountLinkGuest, Caller, InviteRequest, LinkPurpose, Service, ServiceConfig, ServiceError,
    SignUpRequest, Work,
};
use flagstaff_testkit::{ReceivedMail, SmtpSink};
use secrecy::{ExposeSecret as _, SecretString};

pub(crate) const ADA: &str = "ada@example.com";
const NEW_PASSWORD: &str = "another-long-Passw0rd";

pub(crate) struct Post {
    pub(crate) fixture: Fixture,
    service: Service,
    pub(crate) sink: SmtpSink,
    _work: Work,
}

impl Post {
    async fn open() -> Self {
        Self::open_with(|_| {}).await
    }

    async fn open_with(change: impl FnOnce(&mut ServiceConfig)) -> Self {
        Self::open_at(SmtpSink::start().await, change).await
    }

    /// With a mail server of a certain kind.
    pub(crate) async fn open_at(sink: SmtpSink, change: impl FnOnce(&mut ServiceConfig)) -> Self {
        let fixture = Fixture::new().await;
        let mut config = ServiceConfig {
            mail: MailConfig {
                host: Some("127.0.0.1".to_owned()),
                port: sink.port,
                security: MailSecurity::None,
                from: Some(sender()),
                ..MailConfig::default()
            },
            public_url: Some("https://flags.example.com".into()),
            ..ServiceConfig::default()
        };
        change(&mut config);
        let service = Service::new(fixture.store.clone(), clock(&fixture.time), config);
        let work = service.start().await.unwrap();
        Self {
            fixture,
            service,
            sink,
            _work: work,
        }
    }

    pub(crate) async fn ask(&self, email: &str) {
        let asked = self
            .service
            .request_account_link(LinkPurpose::Password, email, HERE);
        asked.await.unwrap();
    }

    /// Nothing is in the queue any more.
    async fn settle(&self) {
        for _ in 0..200 {
            let waiting = "SELECT COUNT(*) FROM outbox";
            if flagstaff_testkit::sql::count(&self.fixture.store, waiting).await == 0 {
                return;
            }
            tokio::time::sleep(std::time::Duration::from_millis(20)).await;
        }
        unreachable!("letters stay in the queue");
    }

    async fn may_sign_in(&self, password: &str) -> bool {
        let signed_in = self.service.sign_in(ADA, password.into(), HERE).await;
        signed_in.is_ok()
    }
}

fn sender() -> MailSender {
    MailSender::try_from("Flagstaff <flags@example.com>".to_owned()).unwrap()
}

/// What stands in the link of a letter.
fn guest(letter: &ReceivedMail, page: &str) -> AccountLinkGuest {
    let link = letter.after(&format!("https://flags.example.com/{page}/"));
    let (account, token) = link.split_once('/').unwrap();
    AccountLinkGuest {
        account: account.to_owned(),
        token: token.into(),
    }
}

fn is_over<T: std::fmt::Debug>(result: Result<T, ServiceError>) -> bool {
    matches!(result, Err(ServiceError::NotFound { .. }))
}

#[tokio::test]
async fn a_forgotten_password_is_chosen_anew_once() {
    let mut post = Post::open().await;
    let token = post
        .service
        .sign_in(ADA, PASSWORD.into(), HERE)
        .await
        .unwrap();
    let session = post
        .service
        .open_session(post.fixture.caller.require_person().unwrap().id);
    let session = session.await.unwrap();

    post.ask("ADA@example.com").await;
    let letter = post.sink.next().await;
    let guest = guest(&letter, "password-reset/confirm");
    let reset = || {
        post.service
            .reset_password(&guest, NEW_PASSWORD.into(), HERE)
    };
    let member = reset().await.unwrap();

    assert_eq!(
        (letter.to.as_slice(), &*letter.from),
        (&[ADA.to_owned()][..], "flags@example.com")
    );
    assert_eq!(member.email, ADA);
    assert!(post.may_sign_in(NEW_PASSWORD).await && !post.may_sign_in(PASSWORD).await);
    assert!(is_over(reset().await));
    assert!(
        post.service
            .caller_by_token(token.expose_secret())
            .await
            .is_err()
    );
    assert!(
        post.service
            .caller_by_session(session.expose_secret())
            .await
            .is_err()
    );
    let notice = post.sink.next().await;
    assert!(
        notice.text.contains("has a new password"),
        "{}",
        notice.text
    );
}

#[tokio::test]
async fn a_link_runs_out_and_ends_with_the_password_it_was_made_for() {
    let mut post = Post::open().await;
    post.ask(ADA).await;
    let late = guest(&post.sink.next().await, "password-reset/confirm");
    post.fixture.advance(3601);
    assert!(is_over(
        post.service
            .reset_password(&late, NEW_PASSWORD.into(), HERE)
            .await
    ));

    post.ask(ADA).await;
    let first = guest(&post.sink.next().await, "password-reset/confirm");
    post.ask(ADA).await;
    let second = guest(&post.sink.next().await, "password-reset/confirm");
    let first_used = post
        .service
        .reset_password(&first, NEW_PASSWORD.into(), HERE);
    first_used.await.unwrap();

    assert!(is_over(
        post.service
            .reset_password(&second, PASSWORD.into(), HERE)
            .await
    ));
    assert!(post.may_sign_in(NEW_PASSWORD).await);
}

#[tokio::test]
async fn a_link_is_for_one_account_and_one_purpose() {
    let mut post = Post::open().await;
    post.ask(ADA).await;
    let right = guest(&post.sink.next().await, "password-reset/confirm");
    let other_account = AccountLinkGuest {
        account: "7a7c9f10-3a0e-4e43-a7a8-a2a3d1f7ad11".to_owned(),
        ..right.clone()
    };
    let other_token = AccountLinkGuest {
        token: SecretString::from("0".repeat(40)),
        ..right.clone()
    };

    for wrong in [&other_account, &other_token] {
        assert!(is_over(
            post.service
                .reset_password(wrong, NEW_PASSWORD.into(), HERE)
                .await
        ));
    }
    assert!(is_over(post.service.activate(&right, HERE).await));
    assert!(is_over(
        post.service
            .reset_email(&right, "eve@example.com", HERE)
            .await
    ));
    let weak = post
        .service
        .reset_password(&right, "123".into(), HERE)
        .await;
    assert!(matches!(
        weak,
        Err(ServiceError::Invalid {
            field: "new_password",
            ..
        })
    ));
    assert!(
        post.service
            .reset_password(&right, NEW_PASSWORD.into(), HERE)
            .await
            .is_ok()
    );
}

#[tokio::test]
async fn an_unknown_address_is_answered_alike_and_written_to_by_nobody() {
    let mut post = Post::open().await;

    post.ask("nobody@example.com").await;
    post.ask(ADA).await;

    let letter = post.sink.next().await;
    post.settle().await;
    assert_eq!(letter.to, [ADA]);
    assert!(post.sink.is_empty());
    let no_address = post
        .service
        .request_account_link(LinkPurpose::Password, "nonsense", HERE);
    assert!(matches!(
        no_address.await,
        Err(ServiceError::Invalid { .. })
    ));
}

#[tokio::test]
async fn wishes_are_limited_for_an_address_and_for_where_they_come_from() {
    let mut post = Post::open().await;
    for number in 0..8_u8 {
        let from = std::net::IpAddr::from([10, 0, 0, number]);
        let asked = post
            .service
            .request_account_link(LinkPurpose::Password, ADA, from);
        asked.await.unwrap();
    }
    post.settle().await;
    let mut letters = 0;
    while !post.sink.is_empty() {
        post.sink.next().await;
        letters += 1;
    }

    let mut refused = None;
    for number in 0..25 {
        let email = format!("someone{number}@example.com");
        let asked = post
            .service
            .request_account_link(LinkPurpose::Password, &email, HERE);
        if let Err(error) = asked.await {
            refused = Some(error);
        }
    }

    assert_eq!(letters, 5);
    assert!(matches!(
        refused,
        Some(ServiceError::TooManyAttempts { .. })
    ));
}

#[tokio::test]
async fn a_letter_that_is_not_taken_now_is_tried_again_with_another_link() {
    let mut post = Post::open().await;
    post.sink.refuse_once("451 later");
    post.ask(ADA).await;
    // The first attempt fails; its pause passes at once by the clock of the test.
    let letter = async {
        loop {
            post.fixture.advance(20);
            post.service.send_waiting_mail().await.unwrap();
            if !post.sink.is_empty() {
                return post.sink.next().await;
            }
            tokio::time::sleep(std::time::Duration::from_millis(20)).await;
        }
    };
    let letter = tokio::time::timeout(std::time::Duration::from_secs(20), letter)
        .await
        .unwrap();

    let guest = guest(&letter, "password-reset/confirm");
    let reset = post
        .service
        .reset_password(&guest, NEW_PASSWORD.into(), HERE)
        .await;
    assert!(reset.is_ok());
}

#[tokio::test]
async fn a_letter_that_is_refused_for_good_is_dropped() {
    let mut post = Post::open().await;
    post.sink.refuse_once("550 nobody here");

    post.ask(ADA).await;
    post.settle().await;
    post.ask(ADA).await;

    post.sink.next().await;
    assert!(post.sink.is_empty());
}

#[tokio::test]
async fn without_mail_a_superuser_is_shown_the_link_once() {
    let post = Post::open_with(|config| config.mail.host = None).await;
    let caller = &post.fixture.caller;
    post.ask(ADA).await;
    post.ask(ADA).await;
    post.settle().await;

    let waiting = post.service.waiting_links(caller).await.unwrap();
    assert_eq!((waiting.len(), &*waiting[0].email), (1, ADA));
    let shown = post
        .service
        .show_waiting_link(caller, waiting[0].id)
        .await
        .unwrap();
    let again = post.service.show_waiting_link(caller, waiting[0].id).await;

    assert!(is_over(again));
    assert!(post.service.waiting_links(caller).await.unwrap().is_empty());
    let path = shown
        .expose_secret()
        .strip_prefix("/password-reset/confirm/")
        .unwrap();
    let (account, token) = path.split_once('/').unwrap();
    let guest = AccountLinkGuest {
        account: account.to_owned(),
        token: token.into(),
    };
    post.service
        .reset_password(&guest, NEW_PASSWORD.into(), HERE)
        .await
        .unwrap();
    assert!(post.may_sign_in(NEW_PASSWORD).await);
    let mut plain = caller.require_person().unwrap().clone();
    plain.is_superuser = false;
    let plain = Caller::of_member(plain, Vec::new());
    assert!(matches!(
        post.service.waiting_links(&plain).await,
        Err(ServiceError::Forbidden)
    ));
}

fn somebody(email: &str, invite: Option<&str>) -> SignUpRequest {
    SignUpRequest {
        email: email.to_owned(),
        password: PASSWORD.into(),
        first_name: "Grace".to_owned(),
        last_name: "Hopper".to_owned(),
        sign_up_type: None,
        invite: invite.map(str::to_owned),
        is_superuser: false,
    }
}

#[tokio::test]
async fn an_invitation_is_mailed_and_lets_one_person_in() {
    let mut post = Post::open().await;
    let organisation = post.fixture.project.organisation_id;
    let request = InviteRequest {
        email: "grace@example.com".to_owned(),
        role: Role::User,
    };
    let invited = post
        .service
        .create_invites(&post.fixture.caller, organisation, vec![request]);
    let invited = invited.await.unwrap();

    let letter = post.sink.next().await;
    let token = letter.after("https://flags.example.com/invite/").to_owned();

    assert_eq!(letter.to, ["grace@example.com"]);
    assert!(letter.text.contains("Acme") && token != invited[0].token.expose_secret());
    let invitation = post.service.invitation(&token).await.unwrap();
    assert_eq!(
        (&*invitation.organisation, invitation.email.as_deref()),
        ("Acme", Some("grace@example.com"))
    );
    let eve = post
        .service
        .sign_up(somebody("eve@example.com", Some(&token)), HERE)
        .await;
    assert!(matches!(eve, Err(ServiceError::Forbidden)));
    let grace = post
        .service
        .sign_up(somebody("grace@example.com", Some(&token)), HERE);
    let (member, key) = grace.await.unwrap();
    let caller = post
        .service
        .caller_by_token(key.expose_secret())
        .await
        .unwrap();
    post.service.join_by_either(&caller, &token).await.unwrap();
    assert!(
        post.fixture
            .store
            .email_is_verified(member.id)
            .await
            .unwrap()
    );
    assert!(is_over(post.service.invitation(&token).await));
}

#[tokio::test]
async fn an_invitation_runs_out() {
    let mut post = Post::open().await;
    let organisation = post.fixture.project.organisation_id;
    let request = InviteRequest {
        email: "grace@example.com".to_owned(),
        role: Role::User,
    };
    let caller = &post.fixture.caller;
    post.service
        .create_invites(caller, organisation, vec![request])
        .await
        .unwrap();
    let letter = post.sink.next().await;
    let token = letter.after("/invite/").to_owned();

    post.fixture.advance(15 * 24 * 3600);

    assert!(is_over(post.service.invitation(&token).await));
    let late = post
        .service
        .sign_up(somebody("grace@example.com", Some(&token)), HERE)
        .await;
    assert!(matches!(late, Err(ServiceError::Forbidden)));
}

#[tokio::test]
async fn who_signs_up_uninvited_waits_for_activation_where_that_is_asked_for() {
    let mut post = Post::open_with(|config| {
        config.sign_in.allow_sign_up = true;
        config.sign_in.activation = true;
    })
    .await;
    let signed_up = post
        .service
        .sign_up(somebody("grace@example.com", None), HERE)
        .await;
    let (member, token) = signed_up.unwrap();
    let sign_in = || {
        post.service
            .sign_in("grace@example.com", PASSWORD.into(), HERE)
    };

    assert!(!member.is_active && sign_in().await.is_err());
    assert!(
        post.service
            .caller_by_token(token.expose_secret())
            .await
            .is_err()
    );
    let guest = guest(&post.sink.next().await, "activate");
    post.service.activate(&guest, HERE).await.unwrap();

    assert!(sign_in().await.is_ok());
    assert!(
        post.fixture
            .store
            .email_is_verified(member.id)
            .await
            .unwrap()
    );
    assert!(is_over(post.service.activate(&guest, HERE).await));
}

#[tokio::test]
async fn another_address_is_chosen_by_a_link_and_the_first_is_told() {
    let mut post = Post::open().await;
    let asked = post
        .service
        .request_account_link(LinkPurpose::Email, ADA, HERE);
    asked.await.unwrap();
    let guest = guest(&post.sink.next().await, "email-change/confirm");

    post.service
        .reset_email(&guest, "countess@example.com", HERE)
        .await
        .unwrap();

    let notice = post.sink.next().await;
    assert_eq!(notice.to, [ADA]);
    let sign_in = post
        .service
        .sign_in("countess@example.com", PASSWORD.into(), HERE);
    assert!(sign_in.await.is_ok());
    assert!(is_over(post.service.reset_email(&guest, ADA, HERE).await));
}

#[tokio::test]
async fn one_account_is_not_tried_out_from_many_places() {
    // Few, because each attempt takes its time on purpose.
    let post = Post::open_with(|config| config.sign_in.account_attempts_per_hour = 3).await;
    let limit = post.service.config().sign_in.account_attempts_per_hour;
    let attempt = async |number: u32, email: &str| {
        let from = std::net::IpAddr::from(number.to_be_bytes());
        post.service.sign_in(email, "wrong".into(), from).await
    };

    let mut outcomes = Vec::new();
    for number in 0..=limit {
        outcomes.push(attempt(number, "nobody@example.com").await);
    }

    let last = outcomes.pop().unwrap();
    assert!(
        outcomes
            .iter()
            .all(|each| matches!(each, Err(ServiceError::WrongCredentials)))
    );
    assert!(matches!(last, Err(ServiceError::TooManyAttempts { .. })));
}
