//! One trait of an identity: made, changed, taken away.

use super::{find, path};
use crate::Dashboard;
use crate::answer::PageResult;
use crate::fields::{FieldProblems, Fields};
use crate::notices::Notice;
use crate::pages::question::Question;
use crate::rules::draft::plain;
use crate::rules::tree::value_text;
use crate::shell::Shell;
use crate::visitor::SignedIn;
use askama::Template;
use axum::extract::{Path, Query, State};
use axum::http::StatusCode;
use flagstaff_core::{Identity, IdentityId, TraitId};
use flagstaff_service::{ServiceError, TraitKind, TraitPatch};

const KINDS: [(TraitKind, &str, &str); 4] = [
    (TraitKind::Text, "text", "Text"),
    (TraitKind::Integer, "integer", "Whole number"),
    (TraitKind::Float, "float", "Number"),
    (TraitKind::Boolean, "boolean", "True or false"),
];

#[derive(Template)]
#[template(path = "identities/trait.html")]
struct TraitPage<'a> {
    shell: &'a Shell,
    identity: &'a Identity,
    identity_path: String,
    /// Where the form is sent.
    path: String,
    is_new: bool,
    typed: &'a Typed,
    problems: &'a FieldProblems,
}

/// A trait as it is typed.
struct Typed {
    key: String,
    kind: TraitKind,
    value: String,
}

impl TraitPage<'_> {
    fn kinds(&self) -> Vec<(&'static str, &'static str, bool)> {
        let kinds = KINDS.iter();
        kinds
            .map(|(kind, word, label)| (*word, *label, *kind == self.typed.kind))
            .collect()
    }
}

impl Typed {
    fn of(fields: &Fields) -> Self {
        let word = fields.text("kind");
        let kind = KINDS.iter().find(|(_, each, _)| *each == word);
        Self {
            key: fields.text("key").to_owned(),
            kind: kind.map_or(TraitKind::Text, |(kind, ..)| *kind),
            value: plain(fields.text("value")),
        }
    }

    /// The trait to be stored; what is wrong with the value is said.
    fn patch(&self, problems: &mut FieldProblems) -> TraitPatch {
        let mut patch = TraitPatch {
            key: Some(self.key.clone()),
            kind: Some(self.kind),
            ..TraitPatch::default()
        };
        let value = self.value.trim();
        let problem = match self.kind {
            TraitKind::Text => {
                patch.text = Some(self.value.clone());
                None
            }
            TraitKind::Integer => {
                patch.integer = value.parse().ok();
                let is_missing = patch.integer.is_none();
                is_missing.then_some("Give a whole number of at most 18 digits, such as 42.")
            }
            TraitKind::Float => {
                patch.float = value.parse().ok().filter(|number: &f64| number.is_finite());
                patch
                    .float
                    .is_none()
                    .then_some("Give a number, such as 1.5.")
            }
            TraitKind::Boolean => {
                patch.boolean = value.to_lowercase().parse().ok();
                patch.boolean.is_none().then_some("Give true or false.")
            }
        };
        if let Some(sentence) = problem {
            problems.add("value", sentence);
        }
        if self.key.trim().is_empty() {
            problems.add("key", "Give the trait a name, such as plan.");
        }
        patch
    }
}

/// What the service refuses, beside the field it is about.
#[expect(
    clippy::result_large_err,
    reason = "an answer is as large as it is, and there is one for a request"
)]
fn beside(error: ServiceError) -> Result<FieldProblems, axum::response::Response> {
    let is_taken = matches!(error, ServiceError::Conflict { .. });
    let mut problems = FieldProblems::default();
    for (field, sentence) in FieldProblems::from_refusal(error)?.all() {
        match field.as_str() {
            _ if is_taken => problems.add("key", "The identity has a trait of this name already."),
            "trait_key" | "key" => problems.add("key", sentence.as_str()),
            "trait_value" => problems.add("value", sentence.as_str()),
            other => problems.add(other, sentence.as_str()),
        }
    }
    Ok(problems)
}

fn page(
    (shell, identity): (&Shell, &Identity),
    client_key: &str,
    id: Option<TraitId>,
    typed: &Typed,
    problems: &FieldProblems,
) -> PageResult {
    let identity_path = path(client_key, identity.id);
    let template = TraitPage {
        shell,
        identity,
        path: match id {
            Some(id) => trait_path(client_key, identity.id, id),
            None => format!("{identity_path}/traits/new"),
        },
        identity_path,
        is_new: id.is_none(),
        typed,
        problems,
    };
    let status = if problems.is_empty() {
        StatusCode::OK
    } else {
        StatusCode::UNPROCESSABLE_ENTITY
    };
    Ok(shell.page(status, &template))
}

/// `GET …/identities/{identity_id}/traits/new`
pub(crate) async fn new(
    State(dashboard): State<Dashboard>,
    Path((client_key, id)): Path<(String, i64)>,
    signed_in: SignedIn,
) -> PageResult {
    let (shell, identity) = find(&dashboard, &signed_in, &client_key, id).await?;
    let typed = Typed {
        key: String::new(),
        kind: TraitKind::Text,
        value: String::new(),
    };
    let place = (&shell, &identity);
    page(place, &client_key, None, &typed, &FieldProblems::default())
}

/// `POST …/identities/{identity_id}/traits/new`
pub(crate) async fn create(
    State(dashboard): State<Dashboard>,
    Path((client_key, id)): Path<(String, i64)>,
    signed_in: SignedIn,
    fields: Fields,
) -> PageResult {
    let (shell, identity) = find(&dashboard, &signed_in, &client_key, id).await?;
    let place = (&shell, &identity);
    let typed = Typed::of(&fields);
    let mut problems = FieldProblems::default();
    let patch = typed.patch(&mut problems);
    if !problems.is_empty() {
        return page(place, &client_key, None, &typed, &problems);
    }
    let (service, caller) = (&dashboard.service, &signed_in.caller);
    match service
        .create_identity_trait(caller, &client_key, identity.id, patch)
        .await
    {
        Ok(made) => {
            let notice = Notice::done(format!("Trait {} is added.", made.key));
            Ok(notice.on(&path(&client_key, identity.id), &dashboard, &signed_in))
        }
        Err(error) => page(place, &client_key, None, &typed, &beside(error)?),
    }
}

fn trait_path(client_key: &str, identity: IdentityId, id: TraitId) -> String {
    format!("{}/traits/{}", path(client_key, identity), id.get())
}

/// Whether a trait is to go.
fn removal<'a>(
    (shell, identity): (&'a Shell, &'a Identity),
    from: &'a str,
    action: &'a str,
    key: &'a str,
) -> Question<'a> {
    Question {
        shell,
        from: (from, &identity.identifier),
        heading: format!("Take the trait {key} away"),
        text: "Segments that look at it no longer find it, until a program sends it again.",
        name: key,
        button: "Take the trait away",
        action,
        fields: vec![("action", "delete".to_owned())],
    }
}

/// `GET …/identities/{identity_id}/traits/{trait_id}`; `?ask=delete` asks whether that is meant.
pub(crate) async fn show(
    State(dashboard): State<Dashboard>,
    Path((client_key, id, trait_id)): Path<(String, i64, i64)>,
    Query(sent): Query<Vec<(String, String)>>,
    signed_in: SignedIn,
) -> PageResult {
    let (shell, identity) = find(&dashboard, &signed_in, &client_key, id).await?;
    let id = TraitId::new(trait_id);
    let stored = dashboard
        .service
        .identity_trait(&signed_in.caller, &client_key, identity.id, id)
        .await?;
    if sent.iter().any(|(name, _)| name == "ask") {
        let from = path(&client_key, identity.id);
        let action = trait_path(&client_key, identity.id, id);
        return Ok(removal((&shell, &identity), &from, &action, &stored.key).asked());
    }
    let typed = Typed {
        key: stored.key.to_string(),
        kind: TraitKind::of(&stored.value),
        value: value_text(&stored.value).unwrap_or_default(),
    };
    let place = (&shell, &identity);
    page(
        place,
        &client_key,
        Some(id),
        &typed,
        &FieldProblems::default(),
    )
}

/// `POST …/identities/{identity_id}/traits/{trait_id}`
pub(crate) async fn change(
    State(dashboard): State<Dashboard>,
    Path((client_key, id, trait_id)): Path<(String, i64, i64)>,
    signed_in: SignedIn,
    fields: Fields,
) -> PageResult {
    let (shell, identity) = find(&dashboard, &signed_in, &client_key, id).await?;
    let (service, caller) = (&dashboard.service, &signed_in.caller);
    let (id, back) = (TraitId::new(trait_id), path(&client_key, identity.id));
    if fields.text("action") == "delete" {
        let stored = service
            .identity_trait(caller, &client_key, identity.id, id)
            .await?;
        let action = trait_path(&client_key, identity.id, id);
        removal((&shell, &identity), &back, &action, &stored.key).answered(&fields)?;
        service
            .delete_identity_trait(caller, &client_key, identity.id, id, false)
            .await?;
        let notice = Notice::done("The trait is taken away.");
        return Ok(notice.on(&back, &dashboard, &signed_in));
    }
    let place = (&shell, &identity);
    let typed = Typed::of(&fields);
    let mut problems = FieldProblems::default();
    let patch = typed.patch(&mut problems);
    if !problems.is_empty() {
        return page(place, &client_key, Some(id), &typed, &problems);
    }
    match service
        .update_identity_trait(caller, &client_key, identity.id, id, patch)
        .await
    {
        Ok(changed) => {
            let notice = Notice::done(format!("Trait {} is saved.", changed.key));
            Ok(notice.on(&back, &dashboard, &signed_in))
        }
        Err(error) => page(place, &client_key, Some(id), &typed, &beside(error)?),
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[track_caller]
    fn check(kind: TraitKind, value: &str, expected: Option<TraitPatch>) {
        let typed = Typed {
            key: "k".to_owned(),
            kind,
            value: value.to_owned(),
        };
        let mut problems = FieldProblems::default();

        let patch = typed.patch(&mut problems);

        assert_eq!(problems.is_empty(), expected.is_some(), "{value}");
        if let Some(expected) = expected {
            let expected = TraitPatch {
                key: Some("k".to_owned()),
                kind: Some(kind),
                ..expected
            };
            assert_eq!(patch, expected);
        }
    }

    #[test]
    fn a_value_has_to_be_of_the_chosen_type() {
        let default = TraitPatch::default;
        let text = Some(" pro ".to_owned());
        check(
            TraitKind::Text,
            " pro ",
            Some(TraitPatch { text, ..default() }),
        );
        let integer = Some(-42);
        check(
            TraitKind::Integer,
            " -42 ",
            Some(TraitPatch {
                integer,
                ..default()
            }),
        );
        let boolean = Some(true);
        check(
            TraitKind::Boolean,
            "True",
            Some(TraitPatch {
                boolean,
                ..default()
            }),
        );
        let float = Some(1.5);
        check(
            TraitKind::Float,
            "1.5",
            Some(TraitPatch { float, ..default() }),
        );
        check(TraitKind::Integer, "4.2", None);
        check(TraitKind::Float, "inf", None);
        check(TraitKind::Boolean, "yes", None);
    }
}
