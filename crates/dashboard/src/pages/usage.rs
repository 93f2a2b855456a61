//! How often flags are asked for in an environment: by time, kind of request, client and feature.

use crate::Dashboard;
use crate::answer::{PageResult, encoded};
use crate::fields::Fields;
use crate::fragments::dates::{day, hour, short_day};
use crate::fragments::{Chart, Moment, Series, Sparkline, grouped};
use crate::navigation::{Link, Section};
use crate::shell::{Place, Shell};
use crate::visitor::SignedIn;
use askama::Template;
use axum::extract::{Path, Query, State};
use axum::http::StatusCode;
use flagstaff_core::{Environment, FeatureId, Timestamp};
use flagstaff_service::{
    EvaluationSum, RequestKind, RequestSum, ServiceResult, UsageLabels, UsagePeriod, UsagePlace,
    UsageStep,
};
use std::collections::BTreeMap;

/// Features that a page lists, the most evaluated first.
const FEATURES: u32 = 25;
/// Days that the small charts beside them show.
const SMALL_DAYS: u32 = 14;
/// Periods to choose from: what stands in the address, what it is called.
const PERIODS: [(&str, &str, UsagePeriod); 4] = [
    ("24h", "24 hours", UsagePeriod::Hours(24)),
    ("7d", "7 days", UsagePeriod::Days(7)),
    ("30d", "30 days", UsagePeriod::Days(30)),
    ("90d", "90 days", UsagePeriod::Days(90)),
];
const KINDS: [(RequestKind, &str); 4] = [
    (RequestKind::Flags, "flags"),
    (RequestKind::Identities, "identities"),
    (RequestKind::EnvironmentDocument, "documents"),
    (RequestKind::Traits, "traits"),
];

/// The page.
#[derive(Template)]
#[template(path = "usage.html")]
struct UsagePage<'a> {
    shell: &'a Shell,
    path: String,
    periods: Vec<Link>,
    requests: Charted,
    clients: Vec<ClientRow>,
    features: Vec<FeatureRow>,
    feature: Option<FeaturePart>,
    days: u32,
}

/// A chart with its numbers.
struct Charted {
    chart: Chart,
    rows: Vec<TimeRow>,
}

struct TimeRow {
    time: String,
    counts: Vec<String>,
    total: String,
}

/// What one kind of client asked for.
struct ClientRow {
    name: String,
    application: String,
    count: String,
    share: i64,
}

struct FeatureRow {
    name: String,
    path: String,
    count: String,
    is_here: bool,
    sparkline: Sparkline,
}

/// The feature that is looked at.
struct FeaturePart {
    name: String,
    detail: Option<String>,
    charted: Charted,
    variants: Vec<VariantRow>,
    clients: Vec<ClientRow>,
    last: Option<Moment>,
}

/// How often a variant was given out.
struct VariantRow {
    name: String,
    count: String,
    share: i64,
}

/// What is asked for.
struct Asked {
    word: &'static str,
    period: UsagePeriod,
    feature: Option<FeatureId>,
}

impl Asked {
    fn read(sent: &Fields) -> Self {
        let wanted = sent.text("period");
        let found = PERIODS.iter().find(|(word, ..)| *word == wanted);
        let (word, _, period) = found.unwrap_or(&PERIODS[2]);
        Self {
            word,
            period: *period,
            feature: sent.parsed("feature").map(FeatureId::new),
        }
    }

    /// Days that the list of features looks at: a busy week of 10,000 features is read in a moment, a quarter is not.
    fn days(&self) -> u32 {
        match self.period {
            UsagePeriod::Days(days) => days.min(7),
            UsagePeriod::Hours(_) | UsagePeriod::CurrentMonth | UsagePeriod::PreviousMonth => 1,
        }
    }
}

/// `GET /environments/{client_key}/usage`
pub(crate) async fn show(
    State(dashboard): State<Dashboard>,
    Path(client_key): Path<String>,
    Query(sent): Query<Vec<(String, String)>>,
    signed_in: SignedIn,
) -> PageResult {
    let place = Place::Environment(&client_key);
    let shell = dashboard.shell(&signed_in, place, Section::Usage).await?;
    let environment = shell.environment()?;
    let asked = Asked::read(&sent.into_iter().collect());
    let path = format!("/environments/{}/usage", encoded(&environment.api_key));
    let sums = dashboard
        .service
        .request_usage(
            &shell.caller,
            UsagePlace::Environment(environment.id),
            asked.period,
        )
        .await?;
    let template = UsagePage {
        periods: periods(&path, &asked),
        requests: requests(&sums, asked.period, shell.now),
        clients: clients(sums.iter().map(|sum| (&sum.labels, sum.count))),
        features: features(&dashboard, &shell, environment, &asked, &path).await?,
        feature: feature(&dashboard, &shell, environment, &asked).await?,
        days: asked.days(),
        shell: &shell,
        path,
    };
    Ok(shell.page(StatusCode::OK, &template))
}

fn periods(path: &str, asked: &Asked) -> Vec<Link> {
    let feature = asked
        .feature
        .map_or_else(String::new, |id| format!("&feature={}", id.get()));
    let link = |(word, label, _): &(&str, &str, UsagePeriod)| Link {
        path: format!("{path}?period={word}{feature}"),
        label: (*label).to_owned(),
        is_here: *word == asked.word,
        shortcut: "",
    };
    PERIODS.iter().map(link).collect()
}

/// The beginnings of the bars, and how they are written.
fn times(period: UsagePeriod, now: Timestamp) -> (Vec<Timestamp>, Vec<String>) {
    let starts = period.starts(now);
    let words = starts.iter().map(|start| match period.step() {
        UsageStep::Hour => hour(*start),
        UsageStep::Day => short_day(*start),
    });
    let words = words.collect();
    (starts, words)
}

fn charted(
    what: &'static str,
    (starts, words): (Vec<Timestamp>, Vec<String>),
    step: UsageStep,
    series: Vec<Series>,
) -> Charted {
    let row = |(position, start): (usize, &Timestamp)| {
        let time = match step {
            UsageStep::Hour => format!("{} {}", day(*start), hour(*start)),
            UsageStep::Day => day(*start),
        };
        let counts: Vec<i64> = series.iter().map(|each| each.counts[position]).collect();
        let total = grouped(counts.iter().sum());
        TimeRow {
            time,
            counts: counts.into_iter().map(grouped).collect(),
            total,
        }
    };
    let mut rows: Vec<_> = starts.iter().enumerate().map(row).collect();
    // The newest is looked for first.
    rows.reverse();
    Charted {
        chart: Chart::new(what, words, series),
        rows,
    }
}

fn requests(sums: &[RequestSum], period: UsagePeriod, now: Timestamp) -> Charted {
    let times = times(period, now);
    let series = KINDS.iter().map(|(kind, label)| {
        let mut counts: BTreeMap<Timestamp, i64> = BTreeMap::new();
        for sum in sums.iter().filter(|sum| sum.kind == *kind) {
            *counts.entry(sum.start).or_insert(0) += sum.count;
        }
        let count = |start| counts.get(start).copied().unwrap_or(0);
        Series {
            label,
            counts: times.0.iter().map(count).collect(),
        }
    });
    let series = series.collect();
    charted("Requests", times, period.step(), series)
}

/// Adds up what each client asked for; the busiest first.
fn clients<'a>(counts: impl Iterator<Item = (&'a UsageLabels, i64)>) -> Vec<ClientRow> {
    let mut sums: BTreeMap<&UsageLabels, i64> = BTreeMap::new();
    for (labels, count) in counts {
        *sums.entry(labels).or_insert(0) += count;
    }
    let total: i64 = sums.values().sum();
    let mut sums: Vec<_> = sums.into_iter().collect();
    sums.sort_by_key(|(_, count)| -count);
    let row = |(labels, count): (&UsageLabels, i64)| {
        let application = [&labels.application_name, &labels.application_version];
        let application: Vec<&str> = application
            .into_iter()
            .flatten()
            .map(String::as_str)
            .collect();
        ClientRow {
            name: labels
                .user_agent
                .clone()
                .unwrap_or_else(|| "not said".to_owned()),
            application: application.join(" "),
            count: grouped(count),
            share: share(count, total),
        }
    };
    sums.into_iter().map(row).collect()
}

/// Percent of a total, rounded down.
fn share(count: i64, total: i64) -> i64 {
    i64::try_from(i128::from(count) * 100 / i128::from(total.max(1))).unwrap_or(100)
}

fn variant_rows(counts: Vec<(String, i64)>) -> Vec<VariantRow> {
    let total: i64 = counts.iter().map(|(_, count)| count).sum();
    let row = |(name, count): (String, i64)| VariantRow {
        share: share(count, total),
        count: grouped(count),
        name,
    };
    counts.into_iter().map(row).collect()
}

async fn features(
    dashboard: &Dashboard,
    shell: &Shell,
    environment: &Environment,
    asked: &Asked,
    path: &str,
) -> ServiceResult<Vec<FeatureRow>> {
    let service = &dashboard.service;
    let busiest = service
        .busiest_features(&shell.caller, environment.id, asked.days(), FEATURES)
        .await?;
    let ids: Vec<FeatureId> = busiest.iter().map(|(feature, _)| feature.id).collect();
    let mut lines = service
        .feature_sparklines(&shell.caller, environment.id, &ids, SMALL_DAYS)
        .await?;
    let row = |(feature, count): (flagstaff_core::Feature, i64)| FeatureRow {
        path: format!("{path}?period={}&feature={}", asked.word, feature.id.get()),
        count: grouped(count),
        is_here: asked.feature == Some(feature.id),
        sparkline: Sparkline::new(
            lines.remove(&feature.id).unwrap_or_default(),
            "evaluations in 14 days",
        ),
        name: feature.name.as_str().to_owned(),
    };
    Ok(busiest.into_iter().map(row).collect())
}

async fn feature(
    dashboard: &Dashboard,
    shell: &Shell,
    environment: &Environment,
    asked: &Asked,
) -> ServiceResult<Option<FeaturePart>> {
    let Some(id) = asked.feature else {
        return Ok(None);
    };
    let (service, project) = (&dashboard.service, shell.project()?.id);
    let view = service.feature(&shell.caller, project, id).await?;
    let sums = service
        .feature_usage(&shell.caller, project, id, environment.id, asked.period)
        .await?;
    let variants = service
        .variant_usage(&shell.caller, (project, id), environment.id, asked.period)
        .await?;
    let last = service
        .last_evaluations(&shell.caller, project, &[id])
        .await?;
    let has_page = dashboard.has_page("/environments/{client_key}/features/{feature_id}");
    let key = encoded(&environment.api_key);
    Ok(Some(FeaturePart {
        name: view.feature.name.as_str().to_owned(),
        detail: has_page.then(|| format!("/environments/{key}/features/{}", id.get())),
        charted: evaluations(&sums, asked.period, shell.now),
        variants: variant_rows(variants),
        clients: clients(sums.iter().map(|sum| (&sum.labels, sum.count))),
        last: last.get(&id).map(|at| Moment::new(*at, shell.now)),
    }))
}

fn evaluations(sums: &[EvaluationSum], period: UsagePeriod, now: Timestamp) -> Charted {
    let times = times(period, now);
    let states = [
        (Some(true), "on"),
        (Some(false), "off"),
        (None, "state not said"),
    ];
    let series = states.into_iter().map(|(state, label)| {
        let mut counts: BTreeMap<Timestamp, i64> = BTreeMap::new();
        for sum in sums.iter().filter(|sum| sum.enabled == state) {
            *counts.entry(sum.start).or_insert(0) += sum.count;
        }
        let count = |start| counts.get(start).copied().unwrap_or(0);
        Series {
            label,
            counts: times.0.iter().map(count).collect(),
        }
    });
    let series = series.collect();
    charted("Evaluations", times, period.step(), series)
}
