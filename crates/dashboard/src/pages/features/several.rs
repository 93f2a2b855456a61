//! Several features of the list, changed at a time.

use super::list_path;
use crate::Dashboard;
use crate::answer::{PageResult, is_own_path};
use crate::fields::Fields;
use crate::notices::Notice;
use crate::visitor::SignedIn;
use axum::extract::{Path, State};
use flagstaff_core::FeatureId;
use flagstaff_service::{
    FeaturePatch, ServedChanges, ServiceError, ServiceResult, StatePatch, WriteMode,
};

/// The most features that are changed at a time: those of a page.
const AT_ONCE: usize = 200;

/// What is done to the features that were ticked.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
enum Action {
    Switch(bool),
    Archive(bool),
}

impl Action {
    fn parse(word: &str) -> Option<Self> {
        match word {
            "on" => Some(Self::Switch(true)),
            "off" => Some(Self::Switch(false)),
            "archive" => Some(Self::Archive(true)),
            "restore" => Some(Self::Archive(false)),
            _ => None,
        }
    }

    const fn undone_by(self) -> &'static str {
        match self {
            Self::Switch(true) => "off",
            Self::Switch(false) => "on",
            Self::Archive(true) => "restore",
            Self::Archive(false) => "archive",
        }
    }

    fn said(self, count: usize, environment: &str) -> String {
        let (noun, verb) = if count == 1 {
            ("feature", "was")
        } else {
            ("features", "were")
        };
        match self {
            Self::Switch(true) => format!("{count} {noun} {verb} switched on in {environment}."),
            Self::Switch(false) => format!("{count} {noun} {verb} switched off in {environment}."),
            Self::Archive(true) => format!("{count} {noun} {verb} archived."),
            Self::Archive(false) => format!("{count} {noun} {verb} brought back."),
        }
    }
}

/// `POST /environments/{client_key}/features`: does one thing to the features that were ticked.
pub(crate) async fn submit(
    State(dashboard): State<Dashboard>,
    Path(client_key): Path<String>,
    signed_in: SignedIn,
    fields: Fields,
) -> PageResult {
    let environment = dashboard
        .service
        .environment(&signed_in.caller, &client_key)
        .await?;
    let list = list_path(&client_key);
    let back = Some(fields.text("back")).filter(|path| is_own_path(path));
    let back = back.unwrap_or(&list);
    let ids: Vec<FeatureId> = fields
        .all("feature")
        .filter_map(|id| id.parse().ok().map(FeatureId::new))
        .take(AT_ONCE)
        .collect();
    let Some(action) = Action::parse(fields.text("action")).filter(|_| !ids.is_empty()) else {
        let notice = Notice::problem("Tick the features that are meant first.");
        return Ok(notice.on(back, &dashboard, &signed_in));
    };
    let mut changed = Vec::new();
    for id in ids {
        if act(&dashboard, &signed_in, &client_key, action, id).await? {
            changed.push(id.get().to_string());
        }
    }
    let mut notice = Notice::done(action.said(changed.len(), &environment.name));
    if !changed.is_empty() {
        let mut undo = vec![("action", action.undone_by()), ("back", back)];
        undo.extend(changed.iter().map(|id| ("feature", id.as_str())));
        notice = notice.with_undo(list.clone(), &undo);
    }
    Ok(notice.on(back, &dashboard, &signed_in))
}

/// True where it was not so already.
async fn act(
    dashboard: &Dashboard,
    signed_in: &SignedIn,
    client_key: &str,
    action: Action,
    id: FeatureId,
) -> ServiceResult<bool> {
    let (service, caller) = (&dashboard.service, &signed_in.caller);
    match action {
        Action::Switch(enabled) => {
            let served = service.served_feature(caller, client_key, id).await;
            let served = match served {
                // Deleted meanwhile.
                Err(ServiceError::NotFound { .. }) => return Ok(false),
                other => other?,
            };
            if served.default.enabled == enabled {
                return Ok(false);
            }
            let patch = StatePatch {
                enabled: Some(enabled),
                ..StatePatch::default()
            };
            let changes = ServedChanges {
                default: Some(patch),
                ..ServedChanges::default()
            };
            service
                .change_served_feature(caller, client_key, id, changes, WriteMode::Update)
                .await?;
        }
        Action::Archive(is_archived) => {
            let environment = service.environment(caller, client_key).await?;
            let view = service.feature(caller, environment.project_id, id).await?;
            if view.feature.is_archived == is_archived {
                return Ok(false);
            }
            let patch = FeaturePatch {
                is_archived: Some(is_archived),
                ..FeaturePatch::default()
            };
            service
                .update_feature(caller, environment.project_id, id, patch)
                .await?;
        }
    }
    Ok(true)
}
