//! Rollouts of one feature: those there were, and the form that starts one.

use super::frame::{Frame, Tab};
use super::state_form::variant_label;
use crate::Dashboard;
use crate::answer::PageResult;
use crate::fields::{FieldProblems, Fields};
use crate::fragments::dates::parse_minute;
use crate::notices::Notice;
use crate::pages::rollouts::rollout_path;
use crate::pages::rollouts::words::RolloutRow;
use crate::shell::Shell;
use crate::visitor::SignedIn;
use askama::Template;
use axum::extract::{Path, State};
use axum::http::StatusCode;
use axum::response::Response;
use flagstaff_core::rollout::STEP_LIMIT;
use flagstaff_core::{OptionId, Percentage, RolloutStep, SegmentId, Timestamp};
use flagstaff_service::{
    FeatureReference, PageRequest, RolloutQuery, RolloutRequest, SegmentQuery, ServiceError,
    ServiceResult, VariantReference,
};

/// Rollouts that are shown.
const SHOWN: u32 = 20;

/// Units of time that a step can last: the word, its seconds, what people call it.
const UNITS: [(&str, i64, &str); 3] = [
    ("m", 60, "minutes"),
    ("h", 3_600, "hours"),
    ("d", 86_400, "days"),
];

/// What a plan is at first: percentage, how long, in which unit.
const USUAL: [(&str, &str, &str); 4] = [
    ("1", "1", "h"),
    ("10", "1", "d"),
    ("50", "1", "d"),
    ("100", "0", "h"),
];

#[derive(Template)]
#[template(path = "features/rollouts.html")]
struct RolloutsPage<'a> {
    shell: &'a Shell,
    frame: &'a Frame,
    rows: Vec<RolloutRow>,
    /// True while one has not ended: there is no second one beside it.
    has_live: bool,
    form: Form,
    problems: &'a FieldProblems,
    segments: Vec<(i64, String, bool)>,
    variants: Vec<(i64, String, bool)>,
}

/// The form as it is to be shown.
struct Form {
    description: String,
    begins: String,
    steps: Vec<StepRow>,
}

struct StepRow {
    number: usize,
    percentage: String,
    hold: String,
    unit: String,
    needs_approval: bool,
}

impl StepRow {
    fn of(row: &Fields) -> Self {
        Self {
            number: 0,
            percentage: row.text("percentage").to_owned(),
            hold: row.text("hold").to_owned(),
            unit: row.text("unit").to_owned(),
            needs_approval: row.is_on("needs_approval"),
        }
    }

    /// What people call the units, with the one that is chosen.
    fn units(&self) -> impl Iterator<Item = (&'static str, &'static str, bool)> {
        UNITS
            .iter()
            .map(|(word, _, label)| (*word, *label, *word == self.unit))
    }
}

impl Form {
    fn usual() -> Self {
        let row = |(number, (percentage, hold, unit)): (usize, &(&str, &str, &str))| StepRow {
            number,
            percentage: (*percentage).to_owned(),
            hold: (*hold).to_owned(),
            unit: (*unit).to_owned(),
            needs_approval: false,
        };
        Self {
            description: String::new(),
            begins: String::new(),
            steps: USUAL.iter().enumerate().map(row).collect(),
        }
    }

    /// As it was sent, with one step more where that was asked for, and without the one that was to go.
    fn sent(fields: &Fields) -> Self {
        let gone: Option<usize> = fields.parsed("remove");
        let rows = fields.rows("steps");
        let mut steps: Vec<StepRow> = rows.iter().take(STEP_LIMIT).map(StepRow::of).collect();
        if let Some(gone) = gone.filter(|gone| *gone < steps.len()) {
            steps.remove(gone);
        }
        if fields.has("add") && steps.len() < STEP_LIMIT {
            steps.push(StepRow {
                unit: "h".to_owned(),
                ..StepRow::of(&Fields::default())
            });
        }
        for (number, step) in steps.iter_mut().enumerate() {
            step.number = number;
        }
        Self {
            description: fields.text("description").to_owned(),
            begins: fields.text("begins").to_owned(),
            steps,
        }
    }
}

type Address = Path<(String, i64)>;

/// `GET /environments/{client_key}/features/{feature_id}/rollouts`
pub(crate) async fn show(
    State(dashboard): State<Dashboard>,
    Path((client_key, feature_id)): Address,
    signed_in: SignedIn,
) -> PageResult {
    let frame = dashboard
        .feature_frame(&signed_in, &client_key, feature_id, Tab::Rollouts)
        .await?;
    let shown = (Form::usual(), Fields::default(), FieldProblems::default());
    Ok(page(&dashboard, &frame, shown, StatusCode::OK).await?)
}

/// `POST /environments/{client_key}/features/{feature_id}/rollouts`: starts one, or adds and takes away a step of the form.
pub(crate) async fn submit(
    State(dashboard): State<Dashboard>,
    Path((client_key, feature_id)): Address,
    signed_in: SignedIn,
    fields: Fields,
) -> PageResult {
    let frame = dashboard
        .feature_frame(&signed_in, &client_key, feature_id, Tab::Rollouts)
        .await?;
    let form = Form::sent(&fields);
    if fields.has("add") || fields.has("remove") {
        let shown = (form, fields, FieldProblems::default());
        return Ok(page(&dashboard, &frame, shown, StatusCode::OK).await?);
    }
    let problems = match request(&frame, &fields) {
        Ok(request) => {
            let service = &dashboard.service;
            let made = service
                .create_rollout(&signed_in.caller, &client_key, request)
                .await;
            match made {
                Ok(view) => {
                    let said = format!("The rollout of {} is made.", view.feature);
                    let path = rollout_path(&client_key, view.rollout.id);
                    return Ok(Notice::done(said).on(&path, &dashboard, &signed_in));
                }
                Err(error) => FieldProblems::from_refusal(error)?,
            }
        }
        Err(problems) => problems,
    };
    let status = StatusCode::UNPROCESSABLE_ENTITY;
    Ok(page(&dashboard, &frame, (form, fields, problems), status).await?)
}

/// What the form asks for.
fn request(frame: &Frame, fields: &Fields) -> Result<RolloutRequest, FieldProblems> {
    let mut problems = FieldProblems::default();
    let begins = fields.filled("begins").map(parse_minute);
    if begins == Some(None) {
        problems.add("begins", "This is not a time.");
    }
    let steps = steps(&fields.rows("steps"), begins.flatten(), &mut problems);
    if !problems.is_empty() {
        return Err(problems);
    }
    let variant = fields.parsed("variant").map(OptionId::new);
    Ok(RolloutRequest {
        feature: FeatureReference::Id(frame.feature().id),
        variant: variant.map(VariantReference::Id),
        segment_id: fields.parsed("segment").map(SegmentId::new),
        description: fields.filled("description").map(str::to_owned),
        steps,
    })
}

fn steps(
    rows: &[Fields],
    begins: Option<Timestamp>,
    problems: &mut FieldProblems,
) -> Vec<RolloutStep> {
    let mut steps = Vec::new();
    for (position, row) in rows.iter().enumerate() {
        let percentage = row.parsed::<f64>("percentage");
        let percentage = percentage.and_then(|percent| Percentage::from_percent(percent).ok());
        let mut units = UNITS.iter();
        let unit = units.find(|(word, ..)| *word == row.text("unit"));
        let hold: Option<i64> = match row.filled("hold") {
            None => Some(0),
            Some(_) => row.parsed("hold"),
        };
        let seconds = hold
            .zip(unit)
            .and_then(|(hold, (_, seconds, _))| hold.checked_mul(*seconds));
        let (Some(percentage), Some(hold_seconds)) = (percentage, seconds) else {
            let number = position + 1;
            let sentence = format!(
                "Step {number} has no percentage from 0 to 100 with at most two decimals, or lasts no whole number of units."
            );
            problems.add("steps", sentence);
            continue;
        };
        steps.push(RolloutStep {
            percentage,
            starts_at: begins.filter(|_| position == 0),
            hold_seconds,
            needs_approval: row.is_on("needs_approval"),
        });
    }
    steps
}

async fn page(
    dashboard: &Dashboard,
    frame: &Frame,
    (form, sent, problems): (Form, Fields, FieldProblems),
    status: StatusCode,
) -> ServiceResult<Response> {
    let (service, caller) = (&dashboard.service, &frame.shell.caller);
    let feature = frame.feature();
    let query = RolloutQuery {
        client_key: Some(frame.client_key.clone()),
        feature: Some(feature.id),
        ..RolloutQuery::default()
    };
    let newest = PageRequest {
        page: 1,
        size: SHOWN,
    };
    let found = service.rollouts(caller, query, newest).await?;
    let has_live = found.items.iter().any(|view| view.rollout.state.is_live());
    let row = |view| RolloutRow::new(view, &frame.client_key, frame.shell.now);
    let variant = sent.parsed("variant");
    let variants = frame.options().iter().enumerate();
    let template = RolloutsPage {
        rows: found.items.into_iter().map(row).collect(),
        segments: segments(dashboard, frame, sent.parsed("segment")).await?,
        variants: variants
            .map(|(position, option)| {
                let id = option.id.get();
                (id, variant_label(position, option), variant == Some(id))
            })
            .collect(),
        shell: &frame.shell,
        problems: &problems,
        has_live,
        frame,
        form,
    };
    Ok(frame.shell.page(status, &template))
}

/// Segments that a rollout may be within: id, name, whether it is chosen.
async fn segments(
    dashboard: &Dashboard,
    frame: &Frame,
    chosen: Option<i64>,
) -> Result<Vec<(i64, String, bool)>, ServiceError> {
    let project = frame.shell.project()?.id;
    let query = SegmentQuery::default();
    let found = dashboard
        .service
        .segments(&frame.shell.caller, project, query, PageRequest::first())
        .await?;
    let of_project = found.items.into_iter();
    let of_project = of_project.filter(|segment| segment.feature_id.is_none());
    let choice = |segment: flagstaff_core::Segment| {
        let id = segment.id.get();
        (id, segment.name, chosen == Some(id))
    };
    Ok(of_project.map(choice).collect())
}

#[cfg(test)]
mod tests {
    use super::*;

    fn row(percentage: &str, hold: &str, unit: &str) -> Fields {
        let fields = [("percentage", percentage), ("hold", hold), ("unit", unit)];
        let owned = |(name, value): (&str, &str)| (name.to_owned(), value.to_owned());
        fields.into_iter().map(owned).collect()
    }

    #[test]
    fn steps_are_read_with_their_units_and_only_the_first_waits_for_the_beginning() {
        let begins = Some(Timestamp::from_micros(7));
        let mut problems = FieldProblems::default();

        let read = steps(
            &[row("2.5", "3", "h"), row("100", "", "d")],
            begins,
            &mut problems,
        );

        assert!(problems.is_empty());
        let said: Vec<_> = read
            .iter()
            .map(|step| (step.percentage.percent(), step.hold_seconds, step.starts_at))
            .collect();
        assert_eq!(said, [(2.5, 10_800, begins), (100.0, 0, None)]);
    }

    #[test]
    fn what_is_no_step_is_named() {
        for wrong in [
            row("101", "1", "h"),
            row("1.234", "1", "h"),
            row("", "1", "h"),
            row("1", "soon", "h"),
            row("1", "1", "fortnight"),
            row("1", "9223372036854775807", "d"),
        ] {
            let mut problems = FieldProblems::default();
            let read = steps(std::slice::from_ref(&wrong), None, &mut problems);

            assert!(read.is_empty(), "{wrong:?}");
            assert!(problems.of("steps").unwrap().starts_with("Step 1 "));
        }
    }
}
