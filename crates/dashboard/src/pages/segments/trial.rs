//! Who would be in a segment as the form has it: a pasted context, or stored identities.

use super::form::SegmentForm;
use crate::answer::Refused;
use crate::context_text;
use crate::fields::FieldProblems;
use crate::rules::edit::Action;
use crate::rules::tree::RuleTree;
use crate::{Dashboard, pages};
use askama::Template;
use flagstaff_core::Segment;
use flagstaff_service::{Caller, SentContext, TriedContext, TriedIdentities};

/// What came of a trial, as a fragment; empty where nothing was tried.
#[derive(Default, Template)]
#[template(path = "segments/tried.html")]
pub(super) struct Tried {
    context: Option<OnContext>,
    identities: Option<OnIdentities>,
}

struct OnContext {
    who: String,
    matches: bool,
    tree: RuleTree,
}

struct OnIdentities {
    /// Identifier and address of those shown.
    first: Vec<(String, String)>,
    words: String,
}

/// Tries what the button asks for.
pub(super) async fn tried(
    dashboard: &Dashboard,
    (caller, client_key): (&Caller, &str),
    (form, stored): (&SegmentForm, Option<&Segment>),
    action: &Action,
    problems: &mut FieldProblems,
) -> Result<Tried, Refused> {
    let (service, request) = (&dashboard.service, form.trial(stored));
    let refused =
        |error| -> Result<FieldProblems, Refused> { Ok(FieldProblems::from_refusal(error)?) };
    match action {
        Action::TryContext => {
            let sent = match context_text::read(&form.context) {
                Ok(sent) => sent,
                Err(sentence) => {
                    problems.add("context", sentence);
                    return Ok(Tried::default());
                }
            };
            let who = who(&sent, &form.context);
            match service
                .try_on_context(caller, client_key, &request, sent)
                .await
            {
                Ok(tried) => Ok(Tried::context(who, &tried)),
                Err(error) => {
                    *problems = refused(error)?;
                    Ok(Tried::default())
                }
            }
        }
        Action::TryIdentities => {
            match service
                .try_on_identities(caller, client_key, &request)
                .await
            {
                Ok(tried) => Ok(Tried::identities(&tried, client_key)),
                Err(error) => {
                    *problems = refused(error)?;
                    Ok(Tried::default())
                }
            }
        }
        _ => Ok(Tried::default()),
    }
}

fn who(sent: &SentContext, text: &str) -> String {
    match &sent.targeting_key {
        Some(key) => key.to_string(),
        None if text.trim().is_empty() => "Somebody of whom nothing is known".to_owned(),
        None => "Somebody without identifier".to_owned(),
    }
}

impl Tried {
    fn context(who: String, tried: &TriedContext) -> Self {
        let context = OnContext {
            who,
            matches: tried.trace.matches,
            tree: RuleTree::traced(&tried.trace.rules),
        };
        Self {
            context: Some(context),
            identities: None,
        }
    }

    fn identities(tried: &TriedIdentities, client_key: &str) -> Self {
        let first = tried.first.iter().map(|identity| {
            let path = pages::identities::path(client_key, identity.id);
            (identity.identifier.to_string(), path)
        });
        let identities = OnIdentities {
            first: first.collect(),
            words: words(tried),
        };
        Self {
            context: None,
            identities: Some(identities),
        }
    }
}

fn words(tried: &TriedIdentities) -> String {
    let TriedIdentities {
        matching,
        looked_at,
        ..
    } = tried;
    match (*looked_at, tried.is_everybody) {
        (0, _) => "The environment knows no identities yet.".to_owned(),
        (_, true) => format!("{matching} of {looked_at} identities are in it: all were looked at."),
        (_, false) => format!(
            "{matching} of the first {looked_at} identities are in it; the rest were not looked at."
        ),
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn how_far_was_looked_is_said() {
        let tried = |looked_at, is_everybody| TriedIdentities {
            first: Vec::new(),
            matching: 3,
            looked_at,
            is_everybody,
        };
        assert_eq!(
            words(&tried(10_000, false)),
            "3 of the first 10000 identities are in it; the rest were not looked at."
        );
        assert_eq!(
            words(&tried(12, true)),
            "3 of 12 identities are in it: all were looked at."
        );
        assert!(words(&tried(0, true)).contains("no identities"));
    }
}
