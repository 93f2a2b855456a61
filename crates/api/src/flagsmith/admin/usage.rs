//! `organisations/{organisation_id}/usage-data/` and a feature's `evaluation-data/`: what SDKs asked for

use super::super::answer::Answer;
use super::super::call::Call;
use super::super::error::Failure;
use super::super::fields::{Fields, Need, Text};
use super::super::view::View;
use super::features::feature_id;
use super::lists;
use super::organisations::organisation_id;
use super::projects::project_id;
use super::times;
use crate::auth::Member;
use crate::routes::Routes;
use flagstaff_core::{EnvironmentId, ProjectId, Timestamp};
use flagstaff_service::{
    Caller, EvaluationSum, LabelFilter, RequestKind, RequestSum, UsageLabels, UsagePeriod,
    UsagePlace,
};
use serde_json::{Map, Value as Json, json};
use std::collections::BTreeMap;

/// What is shown where no period is asked for.
const USUAL: UsagePeriod = UsagePeriod::Days(30);
const PERIODS: [(&str, UsagePeriod); 3] = [
    ("current_billing_period", UsagePeriod::CurrentMonth),
    ("previous_billing_period", UsagePeriod::PreviousMonth),
    ("90_day_period", UsagePeriod::Days(90)),
];
const LABEL: Text = Text::up_to(1000).or_blank();
const PERIOD: Text = Text::up_to(20).or_blank();

/// Adds the routes.
pub(super) fn routes(routes: Routes) -> Routes {
    routes
        .view(
            "/api/v1/organisations/{organisation_id}/usage-data/",
            View::new("Get Usage Data")
                .as_function()
                .get(Member, usage_data),
        )
        .view(
            "/api/v1/organisations/{organisation_id}/usage-data/total-count/",
            View::new("Get Usage Data Total Count")
                .as_function()
                .get(Member, total_count),
        )
        .view(
            "/api/v1/organisations/{organisation_id}/usage/",
            View::new("Usage").get(Member, usage),
        )
        .view(
            "/api/v1/organisations/{organisation_id}/influx-data/",
            View::new("Get influx data").get(Member, organisation_events),
        )
        .view(
            "/api/v1/projects/{project_id}/features/{feature_id}/evaluation-data/",
            View::new("Get evaluation data").get(Member, evaluation_data),
        )
        .view(
            "/api/v1/projects/{project_id}/features/{feature_id}/influx-data/",
            View::new("Get influx data").get(Member, feature_events),
        )
}

/// What of an organisation's requests is asked for.
struct Asked {
    place: UsagePlace,
    period: UsagePeriod,
    labels: LabelFilter,
}

fn read_asked(call: &Call<Caller>) -> Result<Asked, Failure> {
    let organisation = organisation_id(call)?;
    lists::read_parameters(&call.query(), |fields| {
        let project = fields.integer("project_id", Need::Optional, 0, i64::MAX);
        let environment = fields.integer("environment_id", Need::Optional, 0, i64::MAX);
        Asked {
            place: UsagePlace::Within(
                organisation,
                project.value().map(ProjectId::new),
                environment.value().map(EnvironmentId::new),
            ),
            period: fields
                .choice("period", Need::Optional, &PERIODS)
                .value()
                .unwrap_or(USUAL),
            labels: read_labels(fields),
        }
    })
}

fn read_labels(fields: &mut Fields<'_>) -> LabelFilter {
    let label = |fields: &mut Fields<'_>, name| {
        let text = fields.text(name, Need::Optional, LABEL).value();
        text.filter(|text| !text.is_empty())
    };
    LabelFilter {
        user_agent: label(fields, "user_agent"),
        application_name: label(fields, "client_application_name"),
        application_version: label(fields, "client_application_version"),
    }
}

async fn requests(call: &Call<Caller>, asked: &Asked) -> Result<Vec<RequestSum>, Failure> {
    let service = call.service();
    let mut sums = service
        .request_usage(&call.subject, asked.place, asked.period)
        .await?;
    sums.retain(|sum| asked.labels.accepts(&sum.labels));
    Ok(sums)
}

/// `GET /api/v1/organisations/{organisation_id}/usage-data/`: a row for each day and client.
async fn usage_data(call: Call<Caller>) -> Result<Answer, Failure> {
    let asked = read_asked(&call)?;
    let mut rows: BTreeMap<(Timestamp, &UsageLabels), BTreeMap<RequestKind, i64>> = BTreeMap::new();
    let sums = requests(&call, &asked).await?;
    for sum in &sums {
        let row = rows.entry((sum.start, &sum.labels)).or_default();
        *row.entry(sum.kind).or_insert(0) += sum.count;
    }
    let shapes: Vec<Json> = rows
        .iter()
        .map(|((start, labels), counts)| {
            let count = |kind| counts.get(&kind).copied().unwrap_or(0);
            json!({
                "flags": count(RequestKind::Flags),
                "identities": count(RequestKind::Identities),
                "traits": count(RequestKind::Traits),
                "environment_document": count(RequestKind::EnvironmentDocument),
                "day": day(*start),
                "labels": shape_of_labels(labels),
            })
        })
        .collect();
    Ok(Answer::of(&shapes))
}

/// `GET /api/v1/organisations/{organisation_id}/usage-data/total-count/`: this month's requests.
async fn total_count(call: Call<Caller>) -> Result<Answer, Failure> {
    let count = requests_of(&call, UsagePeriod::CurrentMonth).await?;
    Ok(Answer::of(&json!({ "count": count })))
}

/// `GET /api/v1/organisations/{organisation_id}/usage/`: requests of the last 30 days.
async fn usage(call: Call<Caller>) -> Result<Answer, Failure> {
    let count = requests_of(&call, USUAL).await?;
    Ok(Answer::of(&json!({ "events": count })))
}

async fn requests_of(call: &Call<Caller>, period: UsagePeriod) -> Result<i64, Failure> {
    let place = UsagePlace::Organisation(organisation_id(call)?);
    let service = call.service();
    let sums = service.request_usage(&call.subject, place, period).await?;
    Ok(sums.iter().map(|sum| sum.count).sum())
}

/// `GET /api/v1/organisations/{organisation_id}/influx-data/`: a row for each day.
async fn organisation_events(call: Call<Caller>) -> Result<Answer, Failure> {
    let asked = read_asked(&call)?;
    let mut days: BTreeMap<Timestamp, Map<String, Json>> = BTreeMap::new();
    for sum in requests(&call, &asked).await? {
        let row = days.entry(sum.start).or_default();
        let name = match sum.kind {
            RequestKind::Flags => "Flags",
            RequestKind::Identities => "Identities",
            RequestKind::Traits => "Traits",
            RequestKind::EnvironmentDocument => "Environment-document",
        };
        let known = row.get(name).and_then(Json::as_i64).unwrap_or(0);
        row.insert(name.to_owned(), (known + sum.count).into());
    }
    let list: Vec<Json> = days
        .into_iter()
        .map(|(start, mut row)| {
            row.insert("name".to_owned(), day(start).into());
            Json::Object(row)
        })
        .collect();
    Ok(Answer::of(&json!({ "events_list": list })))
}

/// What of a feature's evaluations is asked for.
struct AskedOfFeature {
    environment: EnvironmentId,
    period: UsagePeriod,
    labels: LabelFilter,
}

async fn evaluations(
    call: &Call<Caller>,
    asked: &AskedOfFeature,
) -> Result<Vec<EvaluationSum>, Failure> {
    let (project, feature) = (project_id(call)?, feature_id(call)?);
    let service = call.service();
    let mut sums = service
        .feature_usage(
            &call.subject,
            project,
            feature,
            asked.environment,
            asked.period,
        )
        .await?;
    sums.retain(|sum| asked.labels.accepts(&sum.labels));
    Ok(sums)
}

/// `GET /api/v1/projects/{project_id}/features/{feature_id}/evaluation-data/`: a row for each day and client.
async fn evaluation_data(call: Call<Caller>) -> Result<Answer, Failure> {
    let asked = lists::read_parameters(&call.query(), |fields| {
        let days = fields.integer("period", Need::Optional, 1, 400).value();
        AskedOfFeature {
            environment: EnvironmentId::new(environment_id(fields)),
            period: days.map_or(USUAL, |days| {
                UsagePeriod::Days(u32::try_from(days).unwrap_or(30))
            }),
            labels: read_labels(fields),
        }
    })?;
    let sums = evaluations(&call, &asked).await?;
    let mut rows: BTreeMap<(Timestamp, &UsageLabels), i64> = BTreeMap::new();
    for sum in &sums {
        *rows.entry((sum.start, &sum.labels)).or_insert(0) += sum.count;
    }
    let shapes: Vec<Json> = rows
        .iter()
        .map(|((start, labels), count)| {
            json!({ "day": day(*start), "count": count, "labels": shape_of_labels(labels) })
        })
        .collect();
    Ok(Answer::of(&shapes))
}

/// `GET /api/v1/projects/{project_id}/features/{feature_id}/influx-data/`: the count of each day under the feature's name.
async fn feature_events(call: Call<Caller>) -> Result<Answer, Failure> {
    let asked = lists::read_parameters(&call.query(), |fields| {
        let period = fields.text("period", Need::Optional, PERIOD).value();
        AskedOfFeature {
            environment: EnvironmentId::new(environment_id(fields)),
            period: period
                .as_deref()
                .and_then(span)
                .unwrap_or(UsagePeriod::Days(1)),
            labels: LabelFilter::default(),
        }
    })?;
    let (project, id) = (project_id(&call)?, feature_id(&call)?);
    let service = call.service();
    let view = service.feature(&call.subject, project, id).await?;
    let mut days: BTreeMap<Timestamp, i64> = BTreeMap::new();
    for sum in evaluations(&call, &asked).await? {
        *days.entry(sum.start).or_insert(0) += sum.count;
    }
    let list: Vec<Json> = days
        .into_iter()
        .map(|(start, count)| {
            json!({ view.feature.name.as_str(): count, "datetime": times::shown(start) })
        })
        .collect();
    Ok(Answer::of(&json!({ "events_list": list })))
}

fn environment_id(fields: &mut Fields<'_>) -> i64 {
    let id = fields.integer("environment_id", Need::Required, 0, i64::MAX);
    id.or_default()
}

/// `24h` or `30d`, in days: what is shorter is shown by day too.
fn span(text: &str) -> Option<UsagePeriod> {
    let (number, unit) = text.split_at_checked(text.len().checked_sub(1)?)?;
    let number: u32 = number.parse().ok()?;
    match unit {
        "d" => Some(UsagePeriod::Days(number)),
        "h" => Some(UsagePeriod::Days(number.div_ceil(24))),
        _ => None,
    }
}

/// `2026-11-21`
fn day(start: Timestamp) -> String {
    let mut text = times::shown(start);
    text.truncate(10);
    text
}

fn shape_of_labels(labels: &UsageLabels) -> Json {
    json!({
        "client_application_name": labels.application_name,
        "client_application_version": labels.application_version,
        "user_agent": labels.user_agent,
    })
}
