//! Signing in.

use crate::fixture::{Fixture, HERE, PASSWORD};
use flagstaff_service::{AuthenticationProblem, ServiceError};
use secrecy::ExposeSecret;

#[tokio::test]
async fn every_sign_in_gives_a_token_of_its_own_and_signing_out_withdraws_one() {
    let fixture = Fixture::new().await;
    let service = &fixture.service;
    let sign_in = || service.sign_in("ada@example.com", PASSWORD.into(), HERE);
    let first = sign_in().await.unwrap();
    let second = sign_in().await.unwrap();

    service.sign_out(first.expose_secret()).await.unwrap();

    let gone = service.caller_by_token(first.expose_secret()).await;
    assert!(matches!(
        gone,
        Err(ServiceError::Unauthenticated(
            AuthenticationProblem::InvalidToken
        ))
    ));
    assert!(
        service
            .caller_by_token(second.expose_secret())
            .await
            .is_ok()
    );
}

#[tokio::test]
async fn a_wrong_password_and_an_unknown_address_are_answered_alike() {
    let fixture = Fixture::new().await;

    for email in ["ada@example.com", "nobody@example.com"] {
        let answer = fixture.service.sign_in(email, "wrong".into(), HERE).await;
        assert!(
            matches!(answer, Err(ServiceError::WrongCredentials)),
            "{email}"
        );
    }
}

#[tokio::test]
async fn attempts_are_limited_for_each_address_and_minute() {
    let fixture = Fixture::new().await;
    let limit = fixture.service.config().sign_in.attempts_per_minute;
    let attempt = |from: &str| {
        let from = from.parse().unwrap();
        fixture.service.sign_in("nobody", "x".into(), from)
    };
    for _ in 0..limit {
        assert!(matches!(
            attempt("10.0.0.1").await,
            Err(ServiceError::WrongCredentials)
        ));
    }

    let over = attempt("10.0.0.1").await;
    let elsewhere = attempt("10.0.0.2").await;
    fixture.advance(60);
    let later = attempt("10.0.0.1").await;

    assert!(matches!(
        over,
        Err(ServiceError::TooManyAttempts {
            retry_after_seconds: 1..=61
        })
    ));
    assert!(matches!(elsewhere, Err(ServiceError::WrongCredentials)));
    assert!(matches!(later, Err(ServiceError::WrongCredentials)));
}

#[tokio::test]
async fn there_is_no_sign_in_link_once_somebody_can_sign_in() {
    let fixture = Fixture::new().await;

    assert!(
        fixture
            .service
            .waiting_sign_in_link()
            .await
            .unwrap()
            .is_none()
    );
}
