//! One environment, all protocols: the same answer, or a difference that diagnostics name.
//!
//! Made-up environments are asked through Flagsmith's API, Flagsmith's SDK with local evaluation, OFREP, flagd's remote
//! evaluation (gRPC and Connect), and, as the document that flagd gets, in flagd's evaluators for JavaScript, Python and
//! Rust and in flagd itself. OFREP is what the others are held against.
//!
//! A difference is excused only where `diagnostics.json` names that feature, the condition, the client, and what this
//! very caller has for the attribute. 2,000 flags normally, 50,000 with `FLAGSTAFF_FULL=1`: half from a fixed seed, half
//! from a new one that is printed and can be given again as `FLAGSTAFF_SEED`. The report is in `target/agreement`.

mod ask;
mod clients;
mod excuses;
mod generate;
mod page;
mod report;

use crate::face::Face;
use ask::{Asker, Flag, Flags, Off, Shown, is_shown_as, same, traits};
use clients::{Evaluator, FLAGSMITH};
use excuses::{Excuse, Excuses};
use flagstaff_core::{EnvironmentKey, FlagdEvaluators, FlagdForm};
use flagstaff_service::{FlagdIntegrationPatch, ImportRequest};
use flagstaff_testkit::evaluators::Process;
use flagstaff_testkit::sql;
use flagstaff_wire::flagsmith::document::parse_environment_document;
use generate::{Caller, Environment, Generator, server_key};
use report::Report;
use serde_json::Value as Json;
use std::collections::BTreeMap;
use std::hash::{BuildHasher as _, RandomState};
use std::io::Write as _;

const FIXED_SEED: u64 = 20_261_121;

/// Flags for callers, of which each environment has some hundred.
const FEW: usize = 2_000;
const MANY: usize = 50_000;

#[tokio::test(flavor = "multi_thread")]
async fn every_protocol_gives_the_same_answer_or_diagnostics_say_where_not() {
    let is_long = std::env::var("FLAGSTAFF_FULL").is_ok_and(|value| value == "1");
    let wanted = if is_long { MANY } else { FEW };
    let random_seed = std::env::var("FLAGSTAFF_SEED").map_or_else(
        |_| RandomState::new().hash_one(0) >> 1,
        |seed| seed.parse().unwrap(),
    );
    let mut comparison = Comparison {
        evaluators: Evaluator::all(),
        local: clients::local(),
        report: Report::default(),
    };
    comparison.run(FIXED_SEED, wanted / 2).await;
    let kinds = comparison.report.kinds();
    comparison.run(random_seed, wanted).await;

    let markdown = comparison.report.write(&[FIXED_SEED, random_seed]);
    say(&markdown);
    comparison.report.check();
    assert_eq!(
        comparison.report.compared.len(),
        3 + comparison.evaluators.len() + usize::from(comparison.local.is_some()),
        "somebody was never asked"
    );
    for reason in ["STATIC", "DEFAULT", "TARGETING_MATCH", "SPLIT", "DISABLED"] {
        let count = comparison.report.reasons.get(reason).copied();
        assert!(count > Some(wanted / 100), "{reason}: {count:?}");
    }
    // Without all clients there are fewer differences.
    if comparison.evaluators.len() == 4 && comparison.local.is_some() {
        page::check(&kinds, comparison.report.named(), is_long);
    }
}

/// Says something that a person should see among the test's output.
fn say(text: &str) {
    // Not `eprintln!`: a test that passes would keep that to itself.
    std::io::stderr().write_all(text.as_bytes()).unwrap();
}

struct Comparison {
    evaluators: Vec<Evaluator>,
    local: Option<Process>,
    report: Report,
}

impl Comparison {
    /// Compares until there are so many evaluations in all.
    async fn run(&mut self, seed: u64, wanted: usize) {
        let face = Face::start_empty().await;
        let mut generator = Generator::new(seed);
        while self.report.evaluations < wanted {
            let environment = generator.environment();
            let callers = generator.callers(&environment);
            let asker = serve(&face, &environment, generator.number()).await;
            self.environment(&asker, &environment, &callers).await;
        }
    }

    async fn environment(
        &mut self,
        asker: &Asker<'_>,
        environment: &Environment,
        callers: &[Caller],
    ) {
        let diagnostics = asker.document("/api/v1/flagd/diagnostics.json").await;
        let diagnostics: Json = serde_json::from_str(&diagnostics).unwrap();
        let excuses = Excuses::read(&diagnostics);
        self.report.name(&excuses, &diagnostics);

        let document = asker.document("/api/v1/flagd/flags.json").await;
        let contexts: Vec<Json> = callers
            .iter()
            .map(|caller| caller.context.clone())
            .collect();
        let mut by_client = Vec::new();
        for evaluator in &mut self.evaluators {
            by_client.push((evaluator.name(), evaluator.evaluate(&document, &contexts)));
        }
        let for_sdk = asker.document("/api/v1/environment-document/").await;
        let local = self.local_answers(&for_sdk, callers);

        for (number, caller) in callers.iter().enumerate() {
            let told = asker.by_ofrep(&caller.context).await;
            self.count(caller, &told);
            let place = Place {
                excuses: &excuses,
                caller,
                environment: environment.document["id"].as_i64().unwrap(),
                document: &document,
            };
            self.other_protocols(asker, &place, &told).await;
            for (client, answers) in &by_client {
                self.client(client, &answers[number], &place, &told);
            }
            if is_known_to_flagsmith(&caller.context) {
                let shown = asker.by_flagsmith(&caller.context).await;
                self.flagsmith(environment, &shown, &place, &told);
                if let Some(local) = &local {
                    self.local(&local[number], &shown, &place);
                }
            }
        }
    }

    fn count(&mut self, caller: &Caller, told: &Flags) {
        self.report.evaluations += told.len();
        self.report.well_typed += if caller.is_well_typed { told.len() } else { 0 };
        for flag in told.values() {
            *self.report.reasons.entry(flag.reason.clone()).or_default() += 1;
        }
    }

    /// What the SDK says to each caller; null for those whom it cannot be asked about.
    fn local_answers(&mut self, document: &str, callers: &[Caller]) -> Option<Vec<Json>> {
        let local = self.local.as_mut()?;
        let known: Vec<usize> = (0..callers.len())
            .filter(|number| is_known_to_flagsmith(&callers[*number].context))
            .collect();
        let contexts: Vec<Json> = known
            .iter()
            .map(|number| Json::Object(traits(&callers[*number].context)))
            .collect();
        let mut answers = vec![Json::Null; callers.len()];
        for (number, answer) in known
            .into_iter()
            .zip(local.evaluate(document.as_bytes(), &contexts))
        {
            answers[number] = answer;
        }
        Some(answers)
    }

    /// The server's own protocols have no excuse.
    async fn other_protocols(&mut self, asker: &Asker<'_>, place: &Place<'_>, told: &Flags) {
        let context = &place.caller.context;
        for (protocol, flags) in [
            ("flagd-grpc", asker.by_grpc(context).await),
            ("flagd-connect", asker.by_connect(context).await),
        ] {
            for (name, flag) in told {
                // Those without a value are left out.
                let is_same = match (flags.get(name), flag) {
                    (None, Flag { value: None, .. }) => true,
                    (
                        Some(other),
                        Flag {
                            value: Some(value), ..
                        },
                    ) => {
                        let same_value =
                            other.value.as_ref().is_some_and(|other| same(other, value));
                        same_value && other.variant == flag.variant && other.reason == flag.reason
                    }
                    _ => false,
                };
                if is_same {
                    self.report.agree(protocol);
                } else {
                    let other = flags.get(name);
                    self.report.fail(|| {
                        format!(
                            "{protocol}: {} {other:?}, and by OFREP {flag:?}",
                            place.of(name)
                        )
                    });
                }
            }
            let surplus = flags.keys().find(|name| !told.contains_key(*name));
            if let Some(name) = surplus {
                self.report
                    .fail(|| format!("{protocol}: {} by OFREP not at all", place.of(name)));
            }
        }
    }

    /// One of flagd's evaluators.
    fn client(&mut self, client: &'static str, answer: &Json, place: &Place<'_>, told: &Flags) {
        for (name, flag) in told {
            let Some(other) = answer.get(name) else {
                // Hidden, and so off for everybody.
                if flag.value.is_none() {
                    self.report.agree(client);
                } else {
                    self.report
                        .fail(|| format!("{client}: {} is not in the document", place.of(name)));
                }
                continue;
            };
            let none = Json::Null;
            let is_same = other.get("error").is_none()
                && other["variant"].as_str() == flag.variant.as_deref()
                && same(&other["value"], flag.value.as_ref().unwrap_or(&none));
            self.settle(client, is_same, name, place, || {
                format!("{other}, and by OFREP {flag:?}")
            });
        }
    }

    /// Flagsmith's API has no excuse either.
    fn flagsmith(
        &mut self,
        environment: &Environment,
        shown: &BTreeMap<String, Shown>,
        place: &Place<'_>,
        told: &Flags,
    ) {
        for (name, flag) in told {
            let Some(other) = shown.get(name) else {
                // Hidden for being off, which OpenFeature is told as having no value.
                if flag.value.is_none() {
                    self.report.agree("flagsmith");
                } else {
                    self.report
                        .fail(|| format!("flagsmith: {} is hidden", place.of(name)));
                }
                continue;
            };
            if is_shown_as(flag.value.as_ref(), other, environment.off(name)) {
                self.report.agree("flagsmith");
            } else {
                self.report.fail(|| {
                    format!(
                        "flagsmith: {} {other:?}, and by OFREP {flag:?}",
                        place.of(name)
                    )
                });
            }
        }
    }

    /// Flagsmith's SDK, held against Flagsmith's API.
    fn local(&mut self, answer: &Json, shown: &BTreeMap<String, Shown>, place: &Place<'_>) {
        for (name, flag) in shown {
            let other = &answer[name];
            let is_same = other["enabled"] == flag.enabled && same(&other["value"], &flag.value);
            self.settle(FLAGSMITH, is_same, name, place, || {
                format!("{other}, and remotely {flag:?}")
            });
        }
    }

    fn settle(
        &mut self,
        client: &'static str,
        is_same: bool,
        feature: &str,
        place: &Place<'_>,
        answers: impl Fn() -> String,
    ) {
        if is_same {
            self.report.agree(client);
            return;
        }
        let context = &place.caller.context;
        let excuses: Vec<&Excuse> = place
            .excuses
            .of(feature, client, context)
            .filter(|excuse| !place.caller.is_well_typed || excuse.holds_for_well_typed())
            .collect();
        let told = || format!("{client}: {} {}", place.of(feature), answers());
        if excuses.is_empty() {
            self.report
                .fail(|| format!("{}; {}", told(), place.flag(feature)));
        } else {
            self.report.excuse(client, &excuses, &told());
        }
    }
}

/// Who asks what.
struct Place<'p> {
    excuses: &'p Excuses,
    caller: &'p Caller,
    environment: i64,
    document: &'p str,
}

impl Place<'_> {
    fn of(&self, feature: &str) -> String {
        let kind = if self.caller.is_well_typed {
            "well typed"
        } else {
            "odd"
        };
        let Caller { context, .. } = self.caller;
        format!(
            "environment {}, {kind} {context}: `{feature}` is",
            self.environment
        )
    }

    fn flag(&self, feature: &str) -> String {
        let document: Json = serde_json::from_str(self.document).unwrap();
        format!("{} {}", document["flags"][feature], document["$evaluators"])
    }
}

/// True for somebody whom Flagsmith's API can be asked about: it cuts the blanks around an identifier off.
fn is_known_to_flagsmith(context: &Json) -> bool {
    let identifier = context["targetingKey"].as_str();
    identifier.is_some_and(|key| !key.is_empty() && key.trim() == key)
}

impl Environment {
    /// Whether a feature is off for everybody without an override of their own.
    fn off(&self, feature: &str) -> Off {
        let mut states = self.document["feature_states"].as_array().unwrap().iter();
        let state = states.find(|state| state["feature"]["name"] == feature);
        if state.unwrap()["enabled"] == true {
            Off::No
        } else if self.disabled_as_state {
            Off::ForEverybody
        } else {
            Off::ForMost
        }
    }
}

/// Imports an environment and sets what Flagsmith's documents have no words for.
async fn serve<'f>(face: &'f Face, environment: &Environment, number: usize) -> Asker<'f> {
    let key = server_key(number);
    let text = environment.document.to_string();
    let (document, _) = parse_environment_document(text.as_bytes()).unwrap();
    let request = ImportRequest {
        server_key: EnvironmentKey::parse(&key),
        ..ImportRequest::default()
    };
    let imported = face
        .service
        .import_environment(document, request)
        .await
        .unwrap();
    let project = imported.project.id;
    let settings = environment.settings.join(";\n");
    let settings = settings.replace("{project}", &project.get().to_string());
    sql::execute(&face.store, &settings).await;
    let patch = FlagdIntegrationPatch {
        enabled: Some(true),
        form: Some(if environment.lean {
            FlagdForm::Lean
        } else {
            FlagdForm::Typed
        }),
        evaluators: Some(if environment.inline {
            FlagdEvaluators::Inline
        } else {
            FlagdEvaluators::Shared
        }),
    };
    face.pass_seconds(1);
    let changed = face
        .service
        .update_flagd_integration(&face.caller, project, None, patch);
    changed.await.unwrap();
    Asker { face, key }
}
