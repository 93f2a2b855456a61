//! Evaluation contexts: what Flagsmith's engines take, translated to a ruleset and a context of the core.

use super::context_read;
use crate::malformed::Malformed;
use flagstaff_core::{Attributes, CompileWarning, Context, IdentityContext, Ruleset};
use serde_json::Value as Json;
use std::sync::Arc;

/// An evaluation context as an SDK builds it (`sdk/evaluation-context.json`), ready to be evaluated.
///
/// Features and segments keep the order of the document: flags and matching segments come out in it.
#[derive(Debug)]
pub struct EvaluationContext {
    pub(super) rules: Ruleset,
    pub(super) identity: Option<Caller>,
    /// In the order of the rules' features.
    pub(super) features: Vec<Untouched>,
    /// In the order of the rules' segments.
    pub(super) segments: Vec<UntouchedSegment>,
    pub(super) warnings: Vec<CompileWarning>,
}

/// Who asks.
#[derive(Debug)]
pub(super) struct Caller {
    pub(super) identifier: Arc<str>,
    pub(super) key: Option<Arc<str>>,
    pub(super) attributes: Attributes,
}

/// What a result repeats but evaluation never looks at.
#[derive(Debug, Default)]
pub(super) struct Untouched {
    pub(super) metadata: Option<Json>,
    /// The value, where it is one that no flag of ours can have: a list or an object.
    pub(super) value: Option<Json>,
    /// The same for each variant, in the order of the state's variants.
    pub(super) variants: Vec<Option<Json>>,
}

/// The same for a segment.
#[derive(Debug, Default)]
pub(super) struct UntouchedSegment {
    pub(super) metadata: Option<Json>,
    /// In the order of the segment's overrides.
    pub(super) overrides: Vec<Untouched>,
}

impl EvaluationContext {
    /// Reads a context from JSON text.
    ///
    /// # Errors
    /// Where the text is not JSON, is nested more than 128 levels deep, or has another shape.
    pub fn parse(text: &[u8]) -> Result<Self, Malformed> {
        let json = serde_json::from_slice(text).map_err(|error| Malformed::not_json(&error))?;
        Self::read(&json)
    }

    /// Reads a context from JSON that is parsed already.
    ///
    /// # Errors
    /// Where the document has another shape.
    pub fn read(json: &Json) -> Result<Self, Malformed> {
        context_read::evaluation_context(json)
    }

    /// The compiled features and segments.
    #[must_use]
    pub const fn rules(&self) -> &Ruleset {
        &self.rules
    }

    /// Who asks, with their traits.
    #[must_use]
    pub fn context(&self) -> Context<'_> {
        Context {
            identity: self.identity.as_ref().map(|caller| IdentityContext {
                identifier: &caller.identifier,
                key: caller.key.as_deref(),
                attributes: &caller.attributes,
                overrides: None,
            }),
        }
    }

    /// What compiling the segments found: conditions that are never true, and why.
    #[must_use]
    pub fn warnings(&self) -> &[CompileWarning] {
        &self.warnings
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::malformed::Problem;
    use serde_json::json;

    fn problem(json: &Json) -> String {
        EvaluationContext::read(json).unwrap_err().to_string()
    }

    fn context(members: &Json) -> Json {
        let mut json = json!({"environment": {"key": "e", "name": "E"}});
        for (name, member) in members.as_object().unwrap() {
            json[name] = member.clone();
        }
        json
    }

    #[test]
    fn a_mistake_is_told_with_its_place() {
        let segment = |rule: Json| {
            context(
                &json!({"segments": {"s": {"key": "1", "name": "s", "rules": [{"type": "ALL"}, rule]}}}),
            )
        };

        assert_eq!(
            problem(&json!([])),
            "the document must be an object, not a list"
        );
        assert_eq!(problem(&json!({})), "environment is missing");
        assert_eq!(
            problem(&segment(json!({"type": "SOME"}))),
            "segments.s.rules[1].type must be one of ALL, ANY, NONE, not `SOME`"
        );
        assert_eq!(
            problem(&segment(
                json!({"type": "ALL", "conditions": [{"operator": "EQUAL", "property": "a", "value": 1}]})
            )),
            "segments.s.rules[1].conditions[0].value must be text, not a number"
        );
        assert_eq!(
            problem(&context(
                &json!({"features": {"a": {"key": "1", "name": "b", "enabled": true, "value": 1}}})
            )),
            "features.a.name is `b` but is filed under `a`"
        );
        assert_eq!(
            problem(&context(
                &json!({"features": {"a": {"key": "1", "name": "a", "enabled": 1, "value": 1}}})
            )),
            "features.a.enabled must be true or false, not a number"
        );
    }

    #[test]
    fn text_that_is_not_json_and_deep_nesting_are_refused() {
        let not_json = EvaluationContext::parse(b"{").unwrap_err();
        let deep = EvaluationContext::parse("[".repeat(300).as_bytes()).unwrap_err();

        assert!(matches!(not_json.problem, Problem::NotJson(_)));
        assert!(matches!(deep.problem, Problem::NotJson(_)));
    }

    #[test]
    fn an_empty_identity_is_no_identity() {
        for identity in [json!({}), Json::Null] {
            let read = EvaluationContext::read(&context(&json!({ "identity": identity }))).unwrap();

            assert!(read.context().identity.is_none());
        }
    }

    #[test]
    fn variants_are_laid_out_by_priority_and_missing_comes_last() {
        let variant = |value: &str, priority: Json| {
            let mut json = json!({"value": value, "weight": 10});
            if !priority.is_null() {
                json["priority"] = priority;
            }
            json
        };
        let huge: Json = serde_json::from_str("340282366920938463463374607431768211455").unwrap();
        let less: Json = serde_json::from_str("340282366920938463463374607431768211454").unwrap();
        let variants = json!([
            variant("last", Json::Null),
            variant("huge", huge),
            variant("less", less),
            variant("first", json!(1)),
        ]);

        let read = EvaluationContext::read(&context(&json!({"features": {"f":
            {"key": "1", "name": "f", "enabled": true, "value": "control", "variants": variants}}})))
        .unwrap();

        let state = &read.rules().features()[0].state;
        let order: Vec<String> = state
            .variants
            .iter()
            .map(|variant| flagstaff_core::text::python_text(&variant.value).into_owned())
            .collect();
        assert_eq!(order, ["first", "less", "huge", "last"]);
        assert_eq!(&*state.variants[0].weight_text, "10");
    }
}
