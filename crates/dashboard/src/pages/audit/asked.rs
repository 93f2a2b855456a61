//! What of the log was asked for, as it stands in the address.

use crate::answer::encoded;
use crate::fields::Fields;
use crate::fragments::dates::{day, day_after, parse_day};
use crate::shell::Shell;
use flagstaff_core::{
    ApiKeyId, EnvironmentId, FeatureId, IdentityId, MemberId, ProjectId, SegmentId, Timestamp,
};
use flagstaff_service::{Action, ActorFilter, AuditFilter, Noun, Service, ServiceResult};

/// What may be in the address, but for the place in the log.
const NAMES: [&str; 11] = [
    "search",
    "actor",
    "environment_id",
    "noun",
    "action",
    "since",
    "until",
    "feature",
    "segment",
    "identity",
    "environment",
];
/// The most characters that are searched for.
const SEARCH_LIMIT: usize = 200;

/// One of several things to choose from.
pub(super) struct Choice {
    pub(super) value: String,
    pub(super) label: String,
    pub(super) is_chosen: bool,
}

/// What was asked for; what means nothing is left out.
pub(super) struct Asked {
    fields: Vec<(&'static str, String)>,
    pub(super) before: Option<i64>,
}

impl Asked {
    pub(super) fn read(sent: &Fields) -> Self {
        let field = |name: &'static str| {
            let text = sent.filled(name)?;
            Some((name, text.chars().take(SEARCH_LIMIT).collect()))
        };
        Self {
            fields: NAMES.into_iter().filter_map(field).collect(),
            before: sent.parsed("before"),
        }
    }

    /// A field as it was sent; empty where it was not.
    pub(super) fn text(&self, name: &str) -> &str {
        let found = self.fields.iter().find(|(each, _)| *each == name);
        found.map_or("", |(_, text)| text)
    }

    /// True where anything narrows the log down.
    pub(super) fn is_narrow(&self) -> bool {
        self.fields.iter().any(|(name, _)| *name != "environment")
    }

    /// The same as it stands behind a question mark, at another place in the log.
    pub(super) fn query(&self, before: Option<i64>) -> String {
        let pair = |(name, text): &(&str, String)| format!("{name}={}", encoded(text));
        let mut pairs: Vec<String> = self.fields.iter().map(pair).collect();
        pairs.extend(before.map(|before| format!("before={before}")));
        pairs.join("&")
    }

    fn number(&self, name: &str) -> Option<i64> {
        self.text(name).parse().ok()
    }

    /// What a day field says, as a day.
    pub(super) fn day(&self, name: &str) -> String {
        self.time(name).map(day).unwrap_or_default()
    }

    fn time(&self, name: &str) -> Option<Timestamp> {
        parse_day(self.text(name))
    }

    pub(super) fn filter(&self) -> AuditFilter {
        let search = self.text("search");
        AuditFilter {
            project: None,
            environment: self.number("environment_id").map(EnvironmentId::new),
            feature: self.number("feature").map(FeatureId::new),
            segment: self.number("segment").map(SegmentId::new),
            identity: self.number("identity").map(IdentityId::new),
            actor: actor(self.text("actor")),
            noun: Noun::parse(self.text("noun")),
            action: Action::parse(self.text("action")),
            since: self.time("since"),
            until: self.time("until").map(day_after),
            search: (!search.is_empty()).then(|| search.to_owned()),
        }
    }

    /// Things to choose from, the chosen one marked.
    pub(super) fn choices(&self, name: &str, list: Vec<(String, String)>) -> Vec<Choice> {
        let chosen = self.text(name);
        let choice = |(value, label): (String, String)| Choice {
            is_chosen: value == chosen,
            value,
            label,
        };
        list.into_iter().map(choice).collect()
    }

    pub(super) fn nouns(&self) -> Vec<Choice> {
        // What nobody does anything to has no entries.
        let told = Noun::ALL.iter().filter(|noun| **noun != Noun::AuditEntry);
        let mut nouns: Vec<_> = told.map(|noun| noun.as_str()).collect();
        nouns.sort_unstable_by_key(|noun| noun.to_lowercase());
        let pair = |noun: &str| (noun.to_owned(), noun.to_owned());
        self.choices("noun", nouns.into_iter().map(pair).collect())
    }

    pub(super) fn actions(&self) -> Vec<Choice> {
        let words = [
            ("create", "created"),
            ("update", "changed"),
            ("delete", "deleted"),
        ];
        let pair = |(value, label): (&str, &str)| (value.to_owned(), label.to_owned());
        self.choices("action", words.into_iter().map(pair).collect())
    }

    /// The environments of the project, where the log is one project's.
    pub(super) async fn environments(
        &self,
        service: &Service,
        shell: &Shell,
        is_project: bool,
    ) -> ServiceResult<Vec<Choice>> {
        let Some(project) = shell.project.as_ref().filter(|_| is_project) else {
            return Ok(Vec::new());
        };
        let project: ProjectId = project.id;
        let environments = service.environments_of(&shell.caller, project).await?;
        let pair = |each: flagstaff_core::Environment| (each.id.get().to_string(), each.name);
        Ok(self.choices(
            "environment_id",
            environments.into_iter().map(pair).collect(),
        ))
    }
}

/// `member-3`, `key-4` or `system`.
fn actor(text: &str) -> Option<ActorFilter> {
    if text == "system" {
        return Some(ActorFilter::System);
    }
    let (kind, id) = text.split_once('-')?;
    let id = id.parse().ok()?;
    match kind {
        "member" => Some(ActorFilter::Member(MemberId::new(id))),
        "key" => Some(ActorFilter::ApiKey(ApiKeyId::new(id))),
        _ => None,
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    fn asked(list: &[(&str, &str)]) -> Asked {
        let owned = |(name, value): &(&str, &str)| ((*name).to_owned(), (*value).to_owned());
        Asked::read(&list.iter().map(owned).collect())
    }

    #[test]
    fn an_address_says_what_is_asked_for_and_is_written_again() {
        let asked = asked(&[
            ("search", " a b "),
            ("actor", "member-3"),
            ("noun", "feature state"),
            ("action", "delete"),
            ("until", "2026-11-21"),
            ("feature", "7"),
            ("before", "90"),
            ("other", "x"),
        ]);

        let filter = asked.filter();

        assert_eq!(filter.search.as_deref(), Some("a b"));
        assert_eq!(filter.actor, Some(ActorFilter::Member(MemberId::new(3))));
        assert_eq!(
            (filter.noun, filter.action),
            (Some(Noun::FeatureState), Some(Action::Delete))
        );
        assert_eq!(filter.until, parse_day("2026-11-22"));
        assert_eq!(
            (filter.feature, asked.before),
            (Some(FeatureId::new(7)), Some(90))
        );
        assert_eq!(
            asked.query(Some(5)),
            "search=a%20b&actor=member-3&noun=feature%20state&action=delete&until=2026-11-21&feature=7&before=5"
        );
    }

    #[test]
    fn what_means_nothing_narrows_nothing() {
        let asked = asked(&[
            ("actor", "nobody"),
            ("since", "yesterday"),
            ("noun", "x"),
            ("feature", "y"),
        ]);

        assert_eq!(asked.filter(), AuditFilter::default());
    }
}
