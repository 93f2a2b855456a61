//! What an identity gets in place of others: made, changed, taken away.

use super::{find, override_path, path};
use crate::Dashboard;
use crate::answer::{PageResult, Refused};
use crate::fields::{FieldProblems, Fields};
use crate::notices::Notice;
use crate::pages::question::Question;
use crate::rules::draft::plain;
use crate::shell::Shell;
use crate::values::{change as change_of, text_of, typed};
use crate::visitor::SignedIn;
use askama::Template;
use axum::extract::{Path, Query, State};
use axum::http::StatusCode;
use flagstaff_core::{FeatureId, FeatureState, Identity, OptionId, StateValue, ValueType};
use flagstaff_service::{
    FeatureView, IdentityOverrideRequest, ServiceResult, StatePatch, ValueChange, WeightChange,
};

#[derive(Template)]
#[template(path = "identities/override.html")]
struct OverridePage<'a> {
    shell: &'a Shell,
    identity: &'a Identity,
    identity_path: String,
    path: String,
    name: &'a str,
    is_json: bool,
    /// Options of a multivariate feature: id, how it reads, whether it is chosen.
    options: Vec<(i64, String, bool)>,
    stored: bool,
    typed: &'a Typed,
    problems: &'a FieldProblems,
}

/// The override as it is typed.
struct Typed {
    enabled: bool,
    value: String,
    option: Option<OptionId>,
}

/// What the form is about.
struct Desk {
    shell: Shell,
    identity: Identity,
    feature: FeatureView,
    stored: Option<FeatureState>,
}

async fn desk(
    dashboard: &Dashboard,
    signed_in: &SignedIn,
    client_key: &str,
    (id, feature): (i64, i64),
) -> Result<Desk, Refused> {
    let (shell, identity) = find(dashboard, signed_in, client_key, id).await?;
    let (service, caller) = (&dashboard.service, &signed_in.caller);
    let project = shell.project()?.id;
    let feature = service
        .feature(caller, project, FeatureId::new(feature))
        .await?;
    let (_, states) = service
        .identity_overrides(caller, client_key, identity.id)
        .await?;
    let mut states = states.into_iter();
    Ok(Desk {
        stored: states.find(|state| state.feature_id == feature.feature.id),
        shell,
        identity,
        feature,
    })
}

impl Desk {
    /// The form of what is stored, or of what others have.
    fn typed(&self) -> Typed {
        let initial =
            || StateValue::typed_by_content(self.feature.feature.initial_value.as_deref());
        let Some(stored) = &self.stored else {
            return Typed {
                enabled: true,
                value: text_of(&initial()),
                option: None,
            };
        };
        let mut options = self.feature.options.iter();
        let whole = options.find(|option| stored.weight_of(option.id) >= 100.0);
        Typed {
            enabled: stored.enabled,
            value: text_of(&stored.value),
            option: whole.map(|option| option.id),
        }
    }

    fn page(&self, client_key: &str, typed: &Typed, problems: &FieldProblems) -> PageResult {
        let feature = &self.feature.feature;
        let option = |option: &flagstaff_core::MultivariateOption| {
            let key = option.key.clone().unwrap_or_else(|| "variant".to_owned());
            let words = format!("{key}: {}", text_of(&option.value));
            (option.id.get(), words, typed.option == Some(option.id))
        };
        let template = OverridePage {
            shell: &self.shell,
            identity: &self.identity,
            identity_path: path(client_key, self.identity.id),
            path: override_path(client_key, self.identity.id, feature.id),
            name: feature.name.as_str(),
            is_json: feature.value_type == ValueType::Json,
            options: self.feature.options.iter().map(option).collect(),
            stored: self.stored.is_some(),
            typed,
            problems,
        };
        let status = if problems.is_empty() {
            StatusCode::OK
        } else {
            StatusCode::UNPROCESSABLE_ENTITY
        };
        Ok(self.shell.page(status, &template))
    }

    /// Whether the override is to go.
    fn removal<'a>(&'a self, from: &'a str, action: &'a str) -> Question<'a> {
        Question {
            shell: &self.shell,
            from: (from, &self.identity.identifier),
            heading: format!("Take the override of {} away", self.feature.feature.name),
            text: "This identity gets what others get, at once.",
            name: self.feature.feature.name.as_str(),
            button: "Take the override away",
            action,
            fields: vec![("action", "delete".to_owned())],
        }
    }

    /// All of one option, or none of any.
    fn weights(&self, chosen: Option<OptionId>) -> Vec<WeightChange> {
        let options = self.feature.options.iter();
        let weights = options.map(|option| WeightChange {
            option_id: option.id,
            percentage_allocation: if chosen == Some(option.id) {
                100.0
            } else {
                0.0
            },
        });
        weights.collect()
    }

    async fn save(
        &self,
        dashboard: &Dashboard,
        client_key: &str,
        sent: &Typed,
    ) -> ServiceResult<FeatureState> {
        let (service, caller) = (&dashboard.service, &self.shell.caller);
        let feature = &self.feature.feature;
        let weights = self.weights(sent.option);
        let Some(stored) = &self.stored else {
            let request = IdentityOverrideRequest {
                feature_id: feature.id,
                enabled: sent.enabled,
                value: Some(ValueChange::exactly(&typed(
                    &sent.value,
                    feature.value_type,
                ))),
                weights,
            };
            return service
                .create_identity_override(caller, client_key, self.identity.id, request)
                .await;
        };
        let patch = StatePatch {
            enabled: Some(sent.enabled),
            value: change_of(&sent.value, &stored.value, feature.value_type),
            weights: (!weights.is_empty()).then_some(weights),
        };
        service
            .update_identity_override(caller, client_key, self.identity.id, stored.id, patch)
            .await
    }
}

/// `GET …/identities/{identity_id}/overrides/{feature_id}`; `?ask=delete` asks whether that is meant.
pub(crate) async fn show(
    State(dashboard): State<Dashboard>,
    Path((client_key, id, feature)): Path<(String, i64, i64)>,
    Query(sent): Query<Vec<(String, String)>>,
    signed_in: SignedIn,
) -> PageResult {
    let desk = desk(&dashboard, &signed_in, &client_key, (id, feature)).await?;
    if sent.iter().any(|(name, _)| name == "ask") {
        let feature = desk.feature.feature.id;
        let action = override_path(&client_key, desk.identity.id, feature);
        return Ok(desk
            .removal(&path(&client_key, desk.identity.id), &action)
            .asked());
    }
    desk.page(&client_key, &desk.typed(), &FieldProblems::default())
}

/// `POST …/identities/{identity_id}/overrides/{feature_id}`
pub(crate) async fn change(
    State(dashboard): State<Dashboard>,
    Path((client_key, id, feature)): Path<(String, i64, i64)>,
    signed_in: SignedIn,
    fields: Fields,
) -> PageResult {
    let desk = desk(&dashboard, &signed_in, &client_key, (id, feature)).await?;
    let back = path(&client_key, desk.identity.id);
    let name = desk.feature.feature.name.as_str();
    if fields.text("action") == "delete" {
        let action = override_path(&client_key, desk.identity.id, desk.feature.feature.id);
        desk.removal(&back, &action).answered(&fields)?;
        if let Some(stored) = &desk.stored {
            dashboard
                .service
                .delete_identity_override(
                    &signed_in.caller,
                    &client_key,
                    desk.identity.id,
                    stored.id,
                )
                .await?;
        }
        let notice = Notice::done(format!("{name} is again what it is for others."));
        return Ok(notice.on(&back, &dashboard, &signed_in));
    }
    let option = fields.parsed("option").map(OptionId::new);
    let mut options = desk.feature.options.iter();
    let sent = Typed {
        enabled: fields.is_on("enabled"),
        value: plain(fields.text("value")),
        option: option.filter(|id| options.any(|option| option.id == *id)),
    };
    match desk.save(&dashboard, &client_key, &sent).await {
        Ok(_) => {
            let notice = Notice::done(format!("{name} is overridden for this identity."));
            Ok(notice.on(&back, &dashboard, &signed_in))
        }
        Err(error) => {
            let mut problems = FieldProblems::default();
            for (_, sentence) in FieldProblems::from_refusal(error)?.all() {
                problems.add("value", sentence.as_str());
            }
            desk.page(&client_key, &sent, &problems)
        }
    }
}
