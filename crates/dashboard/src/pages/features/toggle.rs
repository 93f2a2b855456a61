//! Switching a feature on and off where it is listed.

use super::list_path;
use crate::Dashboard;
use crate::answer::{PageResult, is_own_path};
use crate::fields::Fields;
use crate::notices::Notice;
use crate::visitor::SignedIn;
use axum::extract::{Path, State};
use flagstaff_core::FeatureId;
use flagstaff_service::{ServedChanges, StatePatch, WriteMode};

/// `POST /environments/{client_key}/features/{feature_id}/toggle`: says how it is to be, so that two who press at once
/// want the same.
pub(crate) async fn submit(
    State(dashboard): State<Dashboard>,
    Path((client_key, feature_id)): Path<(String, i64)>,
    signed_in: SignedIn,
    fields: Fields,
) -> PageResult {
    let (service, caller) = (&dashboard.service, &signed_in.caller);
    let feature = FeatureId::new(feature_id);
    let environment = service.environment(caller, &client_key).await?;
    let view = service
        .feature(caller, environment.project_id, feature)
        .await?;
    let enabled = fields.is_on("enabled");
    let before = service
        .served_feature(caller, &client_key, feature)
        .await?
        .default
        .enabled;
    let patch = StatePatch {
        enabled: Some(enabled),
        ..StatePatch::default()
    };
    let changes = ServedChanges {
        default: Some(patch),
        ..ServedChanges::default()
    };
    service
        .change_served_feature(caller, &client_key, feature, changes, WriteMode::Update)
        .await?;
    let back = Some(fields.text("back")).filter(|path| is_own_path(path));
    let list = list_path(&client_key);
    let back = back.unwrap_or(&list);
    let state = if enabled { "on" } else { "off" };
    let said = format!("{} is {state} in {}.", view.feature.name, environment.name);
    let mut notice = Notice::done(said);
    if before != enabled {
        let path = format!("{list}/{feature_id}/toggle");
        let enabled = before.to_string();
        notice = notice.with_undo(path, &[("enabled", &enabled), ("back", back)]);
    }
    Ok(notice.on(back, &dashboard, &signed_in))
}
