//! Recorded management requests, replayed in one go: the files build on one another.

mod comparison;
mod slice;

use crate::face::{Face, Reply};
use crate::flagsmith::golden::recording::{self, Exchange};
use comparison::Comparison;
use flagstaff_testkit::sql;
use secrecy::{ExposeSecret as _, SecretString};
use slice::Place;

const FILES: [&str; 8] = [
    "01-auth",
    "02-organisation-project-environment",
    "04-tags",
    "05-features",
    "06-featurestates",
    "07-segments",
    "08-segment-overrides",
    "09-identities-admin",
];
const EMAIL: &str = "admin@example.com";
const PASSWORD: &str = "Str0ng-Passw0rd!";

#[tokio::test]
async fn management_is_answered_as_recorded() {
    let face = Face::start_empty().await;
    sign_up(&face).await;
    let mut comparison = Comparison::default();
    let mut report = Vec::new();
    for file in FILES {
        for exchange in recording::read(file) {
            let number = exchange.number;
            if let Some(statements) = slice::preparation(file, number) {
                sql::execute(&face.store, statements).await;
                comparison.agree_on(slice::CLIENT_KEY);
            }
            face.pass_seconds(1);
            let problems = match slice::place(file, number) {
                Place::Elsewhere => continue,
                Place::NotYet => must_be_absent(&send(&face, &exchange, &comparison).await),
                Place::Here => {
                    let reply = send(&face, &exchange, &comparison).await;
                    comparison.problems(&exchange.expected, &reply)
                }
            };
            if !problems.is_empty() {
                let problems = problems.join("\n  ");
                report.push(format!("{file} row {number}:\n  {problems}"));
            }
        }
    }
    let count = report.len();
    assert!(
        report.is_empty(),
        "{count} rows differ\n{}",
        report.join("\n")
    );
}

/// Signs up whom the recording signed up, as no superuser.
async fn sign_up(face: &Face) {
    let link = face.service.waiting_sign_in_link().await.unwrap().unwrap();
    let password = SecretString::from(PASSWORD);
    let redeemed = face
        .service
        .redeem_sign_in_link(link.expose_secret(), EMAIL, password);
    redeemed.await.unwrap();
    let statements =
        "UPDATE members SET first_name = 'Ada', last_name = 'Admin', is_superuser = FALSE";
    sql::execute(&face.store, statements).await;
}

async fn send(face: &Face, exchange: &Exchange, comparison: &Comparison) -> Reply {
    let path = comparison.in_our_words(&exchange.path);
    let mut ask = face.keyless(&exchange.method, &path);
    for (name, value) in &exchange.request_headers {
        let value = comparison.in_our_words(value);
        ask = ask.header(&name.to_ascii_lowercase(), &value);
    }
    if let Some(body) = &exchange.request_body {
        ask = ask.body(body.clone());
    }
    ask.send().await
}

/// A route that is not there yet must say so; once it is there, its rows are compared.
fn must_be_absent(reply: &Reply) -> Vec<String> {
    match (reply.status, reply.json()["detail"].as_str()) {
        (404, Some("Not found.")) | (405, _) => Vec::new(),
        (status, detail) => vec![format!("is answered with {status} {detail:?}")],
    }
}
