//! Recorded requests, replayed in one go and in order: the files build on one another.

mod comparison;
mod preparation;

use crate::face::{Face, Reply};
use crate::flagsmith::golden::recording::{self, Exchange};
use crate::flagsmith::golden::{
    anonymous, matcher, prelude,
    roles::{Kind, Roles},
};
use comparison::Comparison;
use flagstaff_testkit::contract;

const FILES: [&str; 20] = [
    "01-auth",
    "02-organisation-project-environment",
    "03-master-api-keys",
    "04-tags",
    "05-features",
    "06-featurestates",
    "06b-featurestates-simple-patch",
    "07-segments",
    "08-segment-overrides",
    "09-identities-admin",
    "10-sdk-flags",
    "11-sdk-identities",
    "12-sdk-traits",
    "13-sdk-environment-document",
    "14-sdk-analytics",
    "15-sdk-bucketing",
    "16-v2-versioning",
    "18-audit",
    "19-clone-import-export",
    "20-usage",
];

contract! {
    async fn everything_is_answered_as_recorded(database: Database) {
        let face = Face::start_open_to_all_on(database.open().await).await;
        let mut comparison = Comparison::new();
        let mut report = Vec::new();
        for file in FILES {
            let mut roles = Roles::default();
            for mut exchange in recording::read(file) {
                let number = exchange.number;
                preparation::prepare(&database, &mut comparison, file, number).await;
                face.pass_seconds(1);
                // Between two recorded requests there was time for what was asked for.
                face.service.make_feature_files().await.unwrap();
                let exchange_is_refused = exchange.expected.status >= 400;
                prelude::before(&face, file, number).await;
                let problems = if file.contains("-sdk-") {
                    face.pass_seconds(10);
                    let reply = send(&face, &exchange, &comparison, &roles).await;
                    if exchange.expected.body["identifier"].is_string() && reply.status == 200 {
                        anonymous::expect_variants_of(&reply.json(), &mut exchange.expected);
                    }
                    matcher::compare(&exchange.expected, &reply, &mut roles)
                } else {
                    let reply = send(&face, &exchange, &comparison, &roles).await;
                    comparison.problems(&exchange.expected, &reply)
                };
                if exchange_is_refused {
                    database.close_gaps().await;
                }
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
}

async fn send(face: &Face, exchange: &Exchange, comparison: &Comparison, roles: &Roles) -> Reply {
    let path = comparison.in_our_words(&exchange.path);
    let mut ask = face.keyless(&exchange.method, &path);
    for (name, value) in &exchange.request_headers {
        let name = name.to_ascii_lowercase();
        let value = match roles.ours(Kind::Second, value) {
            // A client sends back the time that this server told it.
            Some(second) => second.to_owned(),
            None => comparison.in_our_words(value),
        };
        ask = ask.header(&name, &value);
    }
    if let Some(body) = &exchange.request_body {
        let body = String::from_utf8(body.clone()).unwrap();
        ask = ask.body(comparison.in_our_words(&body));
    }
    ask.send().await
}
