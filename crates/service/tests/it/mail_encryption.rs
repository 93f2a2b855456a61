//! Mail over encrypted connections, and servers that are not trusted with it.

use crate::mail::{ADA, Post};
use flagstaff_service::ServiceConfig;
use flagstaff_service::config::MailSecurity;
use flagstaff_testkit::{Authority, SmtpEncryption, SmtpSink};
use std::path::PathBuf;
use std::time::Duration;

const UNTRUSTED: &str = "the certificate of the mail server is not trusted";

/// The settings of somebody who has an account at the mail server.
fn settings(security: MailSecurity, ca_file: Option<PathBuf>) -> impl FnOnce(&mut ServiceConfig) {
    move |config| {
        config.mail.security = security;
        config.mail.user = Some("flags".to_owned());
        config.mail.password = Some("password-at-the-relay".into());
        config.outbound.ca_file = ca_file;
    }
}

/// Asks for a letter, and looks at why it was not handed over.
async fn check_problem(post: &Post, parts: &[&str]) {
    const REASON: &str = "SELECT last_error FROM outbox WHERE last_error IS NOT NULL";
    post.ask(ADA).await;
    for _ in 0..500 {
        if let Some(told) = flagstaff_testkit::sql::text(&post.fixture.store, REASON).await {
            assert!(parts.iter().all(|part| told.contains(part)), "{told}");
            return;
        }
        tokio::time::sleep(Duration::from_millis(20)).await;
    }
    unreachable!("no letter waits");
}

/// No letter came, and neither password nor address was said to the server.
#[track_caller]
fn check_silence(sink: &SmtpSink) {
    let overheard = sink.overheard();
    let is_greeting = |line: &String| {
        ["EHLO", "STARTTLS", "QUIT"]
            .iter()
            .any(|word| line.starts_with(word))
    };
    assert!(sink.is_empty());
    assert!(overheard.iter().all(is_greeting), "{overheard:?}");
}

#[tokio::test]
async fn letters_and_the_password_go_over_an_encrypted_connection() {
    let authority = Authority::new();
    let acceptor = || authority.server("127.0.0.1");
    let kinds = [
        (SmtpEncryption::StartTls(acceptor()), MailSecurity::StartTls),
        (SmtpEncryption::Tls(acceptor()), MailSecurity::Tls),
    ];
    for (encryption, security) in kinds {
        let sink = SmtpSink::start_with(encryption).await;
        let mut post = Post::open_at(sink, settings(security, Some(authority.file()))).await;

        post.ask(ADA).await;
        let letter = post.sink.next().await;

        assert!(letter.was_encrypted, "{security:?}");
        assert_eq!(letter.to, [ADA]);
        check_silence(&post.sink);
    }
}

#[tokio::test]
async fn a_server_that_offers_no_encryption_is_told_nothing() {
    let sink = SmtpSink::start().await;
    let post = Post::open_at(sink, settings(MailSecurity::StartTls, None)).await;

    check_problem(&post, &["STARTTLS is not supported on this server"]).await;

    check_silence(&post.sink);
}

#[tokio::test]
async fn a_server_whose_certificate_is_not_trusted_is_told_nothing() {
    // Both have the same name.
    let (authority, stranger) = (Authority::new(), Authority::new());
    let cases = [
        (authority.server("127.0.0.1"), None, "UnknownIssuer"),
        (
            authority.server("127.0.0.1"),
            Some(&stranger),
            "BadSignature",
        ),
        (
            authority.server("mail.example.com"),
            Some(&authority),
            "not valid for name",
        ),
        (
            authority.outdated_server("127.0.0.1"),
            Some(&authority),
            "expired",
        ),
    ];
    for (acceptor, trusted, reason) in cases {
        let kinds = [
            (
                SmtpEncryption::StartTls(acceptor.clone()),
                MailSecurity::StartTls,
            ),
            (SmtpEncryption::Tls(acceptor), MailSecurity::Tls),
        ];
        for (encryption, security) in kinds {
            let sink = SmtpSink::start_with(encryption).await;
            let ca_file = trusted.map(Authority::file);
            let post = Post::open_at(sink, settings(security, ca_file)).await;

            check_problem(&post, &[UNTRUSTED, reason]).await;

            check_silence(&post.sink);
        }
    }
}
