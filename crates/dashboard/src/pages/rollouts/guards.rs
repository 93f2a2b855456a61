//! Guards of a rollout: what they think, and the form that makes one.

use super::show::find;
use super::{list_path, rollout_path};
use crate::Dashboard;
use crate::answer::PageResult;
use crate::fields::{FieldProblems, Fields};
use crate::fragments::Moment;
use crate::notices::Notice;
use crate::pages::asking;
use crate::pages::question::Question;
use crate::shell::Shell;
use crate::visitor::SignedIn;
use askama::Template;
use axum::extract::{Path, Query, State};
use axum::http::StatusCode;
use axum::response::Response;
use flagstaff_core::guard::{
    Guard, GuardAction, Harm, RateLimit, SequentialTest, Threshold, Verdict, Watch,
};
use flagstaff_core::{EnvironmentPermission, GuardId, RolloutId};
use flagstaff_service::{GuardRequest, Noun, RolloutView, ServiceError, ServiceResult};

/// Kinds of guards: the word, and what people call it.
const KINDS: [(&str, &str); 4] = [
    ("metric", "A metric"),
    ("failure_rate", "Failures of those who have it"),
    ("comparison", "Compared with the others"),
    ("health", "Reports of others"),
];

const ACTIONS: [(&str, &str); 3] = [
    ("roll_back", "Roll back"),
    ("hold", "Hold"),
    ("nothing", "Only show it"),
];

/// A guard as the page of its rollout shows it.
pub(super) struct GuardRow {
    pub(super) name: String,
    pub(super) watch: String,
    pub(super) verdict: &'static str,
    pub(super) class: &'static str,
    pub(super) detail: String,
    pub(super) looked: Option<Moment>,
    pub(super) on_harm: &'static str,
    /// Where it is asked whether it is to go.
    pub(super) ask: String,
    /// Another one whenever it looked.
    pub(super) version: i64,
}

impl GuardRow {
    pub(super) fn new(shell: &Shell, path: &str, guard: Guard) -> Self {
        let (verdict, class) = match guard.sight.verdict {
            Verdict::Healthy => ("Healthy", "good"),
            Verdict::Harmful => ("Harmful", "danger"),
            Verdict::Undecided => ("Undecided", ""),
            Verdict::NoData => ("Nothing measured", "warn"),
        };
        let id = guard.id.get().to_string();
        let looked = guard.sight.looked_at;
        Self {
            ask: asking(&guards_path(path), &[("remove", &id)]),
            watch: watched(&guard.watch),
            on_harm: match guard.on_harm {
                GuardAction::RollBack => "rolls back",
                GuardAction::Hold => "holds",
                GuardAction::Nothing => "is only shown",
            },
            looked: looked.map(|at| Moment::new(at, shell.now)),
            version: looked.map_or(0, flagstaff_core::Timestamp::micros),
            name: guard.name,
            detail: guard.sight.detail,
            verdict,
            class,
        }
    }
}

/// What a guard watches, in a few words.
fn watched(watch: &Watch) -> String {
    match watch {
        Watch::Metric {
            source,
            query,
            threshold,
        } => {
            let side = match threshold.harm {
                Harm::Above => "at most",
                Harm::Below => "at least",
            };
            format!("{query} of {source}: {side} {}", threshold.limit)
        }
        Watch::FailureRate(limit) => format!(
            "at most {} % fail, from {} on",
            (limit.limit * 10_000.0).round() / 100.0,
            limit.minimum
        ),
        Watch::Comparison(test) => format!(
            "the odds of failing are at most {} times those of the others",
            test.tolerated
        ),
        Watch::Health => "what others report of the feature's health".to_owned(),
    }
}

/// Where the guards of a rollout are made.
pub(super) fn guards_path(rollout_path: &str) -> String {
    format!("{rollout_path}/guards")
}

#[derive(Template)]
#[template(path = "rollouts/guard.html")]
struct GuardPage<'a> {
    shell: &'a Shell,
    feature: String,
    list_path: String,
    rollout_path: &'a str,
    path: String,
    kind: &'static str,
    kinds: Vec<(String, &'static str, bool)>,
    sent: &'a Fields,
    problems: &'a FieldProblems,
}

impl GuardPage<'_> {
    /// A field as it was sent, or as it usually is.
    fn text(&self, name: &str, usual: &'static str) -> String {
        self.sent.raw(name).unwrap_or(usual).to_owned()
    }

    /// Actions with the one that is chosen.
    fn actions(&self, name: &str, usual: &str) -> Vec<(&'static str, &'static str, bool)> {
        let chosen = self.sent.raw(name).unwrap_or(usual);
        let action =
            |(word, label): &(&'static str, &'static str)| (*word, *label, *word == chosen);
        ACTIONS.iter().map(action).collect()
    }
}

fn kind_of(fields: &Fields) -> &'static str {
    let mut kinds = KINDS.iter().map(|(word, _)| *word);
    let asked = fields.text("kind");
    kinds.find(|word| *word == asked).unwrap_or(KINDS[0].0)
}

fn page(
    shell: &Shell,
    view: &RolloutView,
    (sent, problems): (&Fields, &FieldProblems),
    status: StatusCode,
) -> Response {
    let rollout_path = rollout_path(&view.client_key, view.rollout.id);
    let (path, kind) = (guards_path(&rollout_path), kind_of(sent));
    let tab = |(word, label): &(&'static str, &'static str)| {
        (asking(&path, &[("kind", word)]), *label, *word == kind)
    };
    let template = GuardPage {
        feature: view.feature.to_string(),
        list_path: list_path(&view.client_key),
        kinds: KINDS.iter().map(tab).collect(),
        rollout_path: &rollout_path,
        path: path.clone(),
        shell,
        kind,
        sent,
        problems,
    };
    shell.page(status, &template)
}

type Address = Path<(String, i64)>;

/// `GET /environments/{client_key}/rollouts/{rollout_id}/guards`: the form; `?remove=3` asks whether that is meant.
pub(super) async fn show(
    State(dashboard): State<Dashboard>,
    Path((client_key, id)): Address,
    Query(sent): Query<Vec<(String, String)>>,
    signed_in: SignedIn,
) -> PageResult {
    let (shell, view) = find(&dashboard, &signed_in, &client_key, id).await?;
    if !shell.may_in_environment(EnvironmentPermission::UpdateFeatureState) {
        return Err(ServiceError::Forbidden.into());
    }
    let sent: Fields = sent.into_iter().collect();
    if let Some(guard) = sent.parsed("remove").map(GuardId::new) {
        let guard = guard_of(&dashboard, &shell, view.rollout.id, guard).await?;
        let path = rollout_path(&client_key, view.rollout.id);
        let action = guards_path(&path);
        return Ok(removal(&shell, (&path, &action), &guard).asked());
    }
    let problems = FieldProblems::default();
    Ok(page(&shell, &view, (&sent, &problems), StatusCode::OK))
}

async fn guard_of(
    dashboard: &Dashboard,
    shell: &Shell,
    rollout: RolloutId,
    id: GuardId,
) -> ServiceResult<Guard> {
    let guards = dashboard.service.guards(&shell.caller, rollout).await?;
    let mut guards = guards.into_iter();
    let noun = Noun::Guard;
    guards
        .find(|guard| guard.id == id)
        .ok_or(ServiceError::NotFound { noun })
}

/// Whether a guard is to go.
fn removal<'a>(
    shell: &'a Shell,
    (from, action): (&'a str, &'a str),
    guard: &'a Guard,
) -> Question<'a> {
    Question {
        shell,
        from: (from, "Rollout"),
        heading: format!("Remove the guard {}", guard.name),
        text: "Nothing watches what it watched any more: the rollout goes on without it.",
        name: &guard.name,
        button: "Remove the guard",
        action,
        fields: vec![("remove", guard.id.get().to_string())],
    }
}

/// `POST /environments/{client_key}/rollouts/{rollout_id}/guards`: makes one, or takes one away.
pub(super) async fn change(
    State(dashboard): State<Dashboard>,
    Path((client_key, id)): Address,
    signed_in: SignedIn,
    fields: Fields,
) -> PageResult {
    let (shell, view) = find(&dashboard, &signed_in, &client_key, id).await?;
    let (service, rollout) = (&dashboard.service, view.rollout.id);
    let path = rollout_path(&client_key, rollout);
    if let Some(guard) = fields.parsed("remove").map(GuardId::new) {
        let guard = guard_of(&dashboard, &shell, rollout, guard).await?;
        removal(&shell, (&path, &guards_path(&path)), &guard).answered(&fields)?;
        service
            .delete_guard(&shell.caller, rollout, guard.id)
            .await?;
        let notice = Notice::done(format!("The guard {} is gone.", guard.name));
        return Ok(notice.on(&path, &dashboard, &signed_in));
    }
    let problems = match request(&fields) {
        Ok(request) => match service.create_guard(&shell.caller, rollout, request).await {
            Ok(guard) => {
                let notice = Notice::done(format!("{} watches the rollout now.", guard.name));
                return Ok(notice.on(&path, &dashboard, &signed_in));
            }
            Err(error) => FieldProblems::from_refusal(error)?,
        },
        Err(problems) => problems,
    };
    let status = StatusCode::UNPROCESSABLE_ENTITY;
    Ok(page(&shell, &view, (&fields, &problems), status))
}

/// What the form asks for.
fn request(fields: &Fields) -> Result<GuardRequest, FieldProblems> {
    let mut problems = FieldProblems::default();
    let watch = watch(fields, &mut problems);
    let mut whole = |name: &'static str| {
        fields.filled(name)?;
        let number = fields.parsed::<u32>(name);
        if number.is_none() {
            problems.add(name, "Give a whole number.");
        }
        number
    };
    let (grace, every, looks) = (
        whole("grace_seconds"),
        whole("every_seconds"),
        whole("looks"),
    );
    if !problems.is_empty() {
        return Err(problems);
    }
    Ok(GuardRequest {
        name: fields.text("name").trim().to_owned(),
        watch,
        on_harm: GuardAction::parse(fields.text("on_harm")),
        on_silence: GuardAction::parse(fields.text("on_silence")),
        grace_seconds: grace,
        every_seconds: every,
        looks,
    })
}

fn watch(fields: &Fields, problems: &mut FieldProblems) -> Watch {
    let mut number = |name: &'static str| {
        fields.parsed::<f64>(name).unwrap_or_else(|| {
            problems.add(name, "Give a number.");
            0.0
        })
    };
    match kind_of(fields) {
        "failure_rate" => Watch::FailureRate(RateLimit {
            limit: number("limit") / 100.0,
            // Refused by the service where it is none.
            minimum: fields.parsed("minimum").unwrap_or(0),
        }),
        "comparison" => Watch::Comparison(SequentialTest {
            tolerated: number("tolerated_ratio"),
            harmful: number("harmful_ratio"),
            ..SequentialTest::default()
        }),
        "health" => Watch::Health,
        _ => Watch::Metric {
            source: fields.text("source").trim().to_owned(),
            query: fields.text("query").trim().to_owned(),
            threshold: Threshold {
                harm: Harm::parse(fields.text("harm")).unwrap_or(Harm::Above),
                limit: number("limit"),
            },
        },
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    fn fields(list: &[(&str, &str)]) -> Fields {
        let owned = |(name, value): &(&str, &str)| ((*name).to_owned(), (*value).to_owned());
        list.iter().map(owned).collect()
    }

    #[test]
    fn each_kind_of_guard_is_read_from_its_fields() {
        let metric = request(&fields(&[
            ("name", " errors "),
            ("kind", "metric"),
            ("source", "main"),
            ("query", "sum(errors)"),
            ("harm", "below"),
            ("limit", "0.5"),
            ("on_harm", "hold"),
            ("looks", "3"),
        ]))
        .unwrap();
        let rate = request(&fields(&[
            ("kind", "failure_rate"),
            ("limit", "2"),
            ("minimum", "50"),
        ]));
        let health = request(&fields(&[("kind", "health")])).unwrap();

        let threshold = Threshold {
            harm: Harm::Below,
            limit: 0.5,
        };
        let (source, query) = ("main".to_owned(), "sum(errors)".to_owned());
        assert_eq!(
            metric.watch,
            Watch::Metric {
                source,
                query,
                threshold
            }
        );
        assert_eq!((metric.name.as_str(), metric.looks), ("errors", Some(3)));
        assert_eq!(metric.on_harm, Some(GuardAction::Hold));
        let limit = RateLimit {
            limit: 0.02,
            minimum: 50,
        };
        assert_eq!(rate.unwrap().watch, Watch::FailureRate(limit));
        assert_eq!((health.watch, health.on_harm), (Watch::Health, None));
    }

    #[test]
    fn what_is_no_number_is_said_beside_its_field() {
        let problems = request(&fields(&[
            ("kind", "comparison"),
            ("every_seconds", "often"),
        ]));

        let problems = problems.unwrap_err();
        for field in ["tolerated_ratio", "harmful_ratio", "every_seconds"] {
            assert!(problems.of(field).is_some(), "{field}");
        }
    }
}
