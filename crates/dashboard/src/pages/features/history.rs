//! What was done to a feature, in every environment, newest first: from the audit log.

use super::frame::{Frame, Tab};
use crate::Dashboard;
use crate::answer::PageResult;
use crate::fragments::Moment;
use crate::shell::Shell;
use crate::visitor::SignedIn;
use askama::Template;
use axum::extract::{Path, Query, State};
use axum::http::StatusCode;
use flagstaff_core::Timestamp;
use flagstaff_service::{AuditFilter, AuditPlace, AuditRecord, ServiceError};
use serde::Deserialize;

/// Entries on a page.
const PAGE: u32 = 50;

/// The page.
#[derive(Template)]
#[template(path = "features/history.html")]
struct HistoryPage<'a> {
    shell: &'a Shell,
    frame: &'a Frame,
    rows: Vec<HistoryRow>,
    older: Option<String>,
    is_forbidden: bool,
}

struct HistoryRow {
    at: Moment,
    by: String,
    what: String,
    environment: String,
}

/// What the address says.
#[derive(Default, Deserialize)]
pub(crate) struct Wish {
    #[serde(default)]
    before: Option<i64>,
}

/// `GET /environments/{client_key}/features/{feature_id}/history`
pub(crate) async fn show(
    State(dashboard): State<Dashboard>,
    Path((client_key, feature_id)): Path<(String, i64)>,
    Query(wish): Query<Wish>,
    signed_in: SignedIn,
) -> PageResult {
    let frame = dashboard
        .feature_frame(&signed_in, &client_key, feature_id, Tab::History)
        .await?;
    let place = AuditPlace::Project(frame.shell.project()?.id);
    let filter = AuditFilter {
        feature: Some(frame.feature().id),
        ..AuditFilter::default()
    };
    let asked = dashboard
        .service
        .audit_part(&signed_in.caller, place, filter, wish.before, PAGE)
        .await;
    let (found, is_forbidden) = match asked {
        // The log has a permission of its own.
        Err(ServiceError::Forbidden) => ((Vec::new(), None), true),
        other => (other?, false),
    };
    let (records, older) = found;
    let template = HistoryPage {
        rows: records.into_iter().map(|each| row(&frame, each)).collect(),
        older: older.map(|before| format!("{}/history?before={before}", frame.path)),
        shell: &frame.shell,
        frame: &frame,
        is_forbidden,
    };
    Ok(frame.shell.page(StatusCode::OK, &template))
}

fn row(frame: &Frame, record: AuditRecord) -> HistoryRow {
    HistoryRow {
        at: Moment::new(Timestamp::from_micros(record.entry.at), frame.shell.now),
        by: record.entry.actor_name,
        what: record.entry.summary,
        environment: record
            .environment
            .map(|environment| environment.name)
            .unwrap_or_default(),
    }
}
