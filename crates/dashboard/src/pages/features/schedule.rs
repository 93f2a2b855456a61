//! What a feature will be, and when: versions that are published and whose time is to come.

use super::frame::{Frame, Tab};
use super::state_form::{self, StateForm};
use crate::Dashboard;
use crate::answer::PageResult;
use crate::fields::{FieldProblems, Fields};
use crate::fragments::Moment;
use crate::notices::Notice;
use crate::shell::Shell;
use crate::values::glance_of;
use crate::visitor::SignedIn;
use askama::Template;
use axum::extract::{Path, State};
use axum::http::StatusCode;
use axum::response::Response;
use flagstaff_core::{StateOwner, Timestamp};
use flagstaff_service::{
    PageRequest, ServiceResult, VersionFilter, VersionPlace, VersionPlan, VersionUpdate,
};
use time::PrimitiveDateTime;
use time::macros::format_description;
use uuid::Uuid;

/// The page.
#[derive(Template)]
#[template(path = "features/schedule.html")]
struct SchedulePage<'a> {
    shell: &'a Shell,
    frame: &'a Frame,
    form: StateForm,
    problems: &'a FieldProblems,
    at: String,
    note: String,
    now: String,
    planned: Vec<PlannedRow>,
    may_switch: bool,
}

struct PlannedRow {
    uuid: String,
    at: Moment,
    exact: String,
    is_enabled: bool,
    value: String,
    note: String,
}

type Place = Path<(String, i64)>;

/// `GET /environments/{client_key}/features/{feature_id}/schedule`
pub(crate) async fn show(
    State(dashboard): State<Dashboard>,
    Path((client_key, feature_id)): Place,
    signed_in: SignedIn,
) -> PageResult {
    let frame = dashboard
        .feature_frame(&signed_in, &client_key, feature_id, Tab::Schedule)
        .await?;
    let form = StateForm::of_state(frame.feature(), frame.options(), &frame.served.default);
    let in_an_hour = frame.shell.now.plus_micros(3_600_000_000);
    let at = Moment::new(in_an_hour, frame.shell.now).for_input();
    let shown = (form, at, String::new());
    let problems = FieldProblems::default();
    Ok(page(
        &dashboard,
        &signed_in,
        &frame,
        shown,
        &problems,
        StatusCode::OK,
    )
    .await?)
}

/// `POST /environments/{client_key}/features/{feature_id}/schedule`: plans a change, or takes a planned one back.
pub(crate) async fn submit(
    State(dashboard): State<Dashboard>,
    Path((client_key, feature_id)): Place,
    signed_in: SignedIn,
    fields: Fields,
) -> PageResult {
    let frame = dashboard
        .feature_frame(&signed_in, &client_key, feature_id, Tab::Schedule)
        .await?;
    let (service, caller) = (&dashboard.service, &signed_in.caller);
    let place = place_of(&frame)?;
    let path = format!("{}/schedule", frame.path);
    if let Some(uuid) = fields.parsed::<Uuid>("cancel") {
        service.delete_feature_version(caller, place, uuid).await?;
        let notice = Notice::done("The planned change was taken back.");
        return Ok(notice.on(&path, &dashboard, &signed_in));
    }
    let problems = match plan(&frame, &fields) {
        Ok(plan) => match service.create_feature_version(caller, place, plan).await {
            Ok(_) => {
                let said = format!("The change of {} is planned.", frame.feature().name);
                return Ok(Notice::done(said).on(&path, &dashboard, &signed_in));
            }
            Err(error) => state_form::problems(error)?,
        },
        Err(problems) => problems,
    };
    let form = StateForm::of_fields(frame.feature(), frame.options(), &fields);
    let (at, note) = (fields.text("at").to_owned(), fields.text("note").to_owned());
    let (shown, status) = ((form, at, note), StatusCode::UNPROCESSABLE_ENTITY);
    Ok(page(&dashboard, &signed_in, &frame, shown, &problems, status).await?)
}

fn place_of(frame: &Frame) -> ServiceResult<VersionPlace> {
    Ok(VersionPlace {
        environment_id: frame.shell.environment()?.id,
        feature_id: frame.feature().id,
    })
}

fn plan(frame: &Frame, fields: &Fields) -> Result<VersionPlan, FieldProblems> {
    let (feature, options) = (frame.feature(), frame.options());
    let patch = state_form::patch(feature, options, &frame.served.default, fields)?;
    let mut problems = FieldProblems::default();
    let Some(at) = parse_time(fields.text("at")) else {
        problems.add("at", "Say when, as in 2026-12-24 18:00.");
        return Err(problems);
    };
    if at <= frame.shell.now {
        problems.add("at", "This time has passed.");
        return Err(problems);
    }
    Ok(VersionPlan {
        description: fields.filled("note").map(str::to_owned),
        live_from: Some(at),
        updated: vec![VersionUpdate {
            segment_id: None,
            priority: None,
            patch,
        }],
        is_published: true,
        ..VersionPlan::default()
    })
}

/// A time in UTC as browsers send it, with or without seconds; typed by hand, a space may stand for the `T`.
fn parse_time(text: &str) -> Option<Timestamp> {
    let text = text.trim().replacen(' ', "T", 1);
    let with_seconds = format_description!("[year]-[month]-[day]T[hour]:[minute]:[second]");
    let without = format_description!("[year]-[month]-[day]T[hour]:[minute]");
    let time = PrimitiveDateTime::parse(&text, with_seconds)
        .or_else(|_| PrimitiveDateTime::parse(&text, without))
        .ok()?;
    let seconds = time.assume_utc().unix_timestamp();
    Some(Timestamp::from_micros(seconds.checked_mul(1_000_000)?))
}

async fn planned(
    dashboard: &Dashboard,
    signed_in: &SignedIn,
    frame: &Frame,
) -> ServiceResult<Vec<PlannedRow>> {
    if !frame.has_versions {
        return Ok(Vec::new());
    }
    let (service, caller) = (&dashboard.service, &signed_in.caller);
    let place = place_of(frame)?;
    let filter = VersionFilter {
        is_live: Some(false),
    };
    let found = service
        .feature_versions(caller, place, filter, PageRequest::first())
        .await?;
    let mut rows = Vec::new();
    for view in found.items {
        let version = view.version;
        let Some(at) = version.live_from.filter(|_| version.is_published()) else {
            continue;
        };
        let states = service
            .feature_version_states(caller, place, version.uuid)
            .await?;
        let mut defaults = states.iter();
        let default = defaults.find(|state| state.owner == StateOwner::Environment);
        let moment = Moment::new(at, frame.shell.now);
        rows.push((
            at,
            PlannedRow {
                uuid: version.uuid.to_string(),
                exact: moment.exact(),
                at: moment,
                is_enabled: default.is_some_and(|state| state.enabled),
                value: default
                    .map(|state| glance_of(&state.value))
                    .unwrap_or_default(),
                note: version.description.unwrap_or_default(),
            },
        ));
    }
    rows.sort_by_key(|(at, _)| *at);
    Ok(rows.into_iter().map(|(_, row)| row).collect())
}

async fn page(
    dashboard: &Dashboard,
    signed_in: &SignedIn,
    frame: &Frame,
    (form, at, note): (StateForm, String, String),
    problems: &FieldProblems,
    status: StatusCode,
) -> ServiceResult<Response> {
    let template = SchedulePage {
        planned: planned(dashboard, signed_in, frame).await?,
        may_switch: frame.shell.administers_environment(),
        now: Moment::new(frame.shell.now, frame.shell.now).exact(),
        shell: &frame.shell,
        problems,
        frame,
        form,
        note,
        at,
    };
    Ok(frame.shell.page(status, &template))
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn times_are_read_as_browsers_and_people_write_them() {
        let expected = Some(Timestamp::from_micros(1_798_135_200_000_000));

        assert_eq!(parse_time("2026-12-24T18:00"), expected);
        assert_eq!(parse_time("2026-12-24T18:00:00"), expected);
        assert_eq!(parse_time(" 2026-12-24 18:00 "), expected);
        assert_eq!(parse_time("tomorrow"), None);
        assert_eq!(parse_time(""), None);
    }
}
