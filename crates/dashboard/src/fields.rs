//! What a form sent: fields, repeated fields, and lists within lists.
//!
//! A list's fields are named `variants.0.value`, `variants.1.value`; the number tells which belong together and
//! nothing else: the order is the one in which the page sent them, so that moving a row on the page moves it here. A
//! list within a list goes on in the same way: `rules.0.conditions.2.property`.

use crate::Dashboard;
use crate::answer::{Notice, page, refusal};
use crate::pages::sign_in::STALE;
use crate::visitor::SignedIn;
use axum::Form;
use axum::extract::{FromRequest, Request};
use axum::http::StatusCode;
use axum::response::{IntoResponse, Response};
use flagstaff_service::ServiceError;
use std::collections::BTreeMap;
use std::str::FromStr;

/// The fields of a form that one of our pages sent. Taken as the last argument; a form from elsewhere is refused.
#[derive(Debug, Clone, Default, PartialEq, Eq)]
pub(crate) struct Fields(Vec<(String, String)>);

impl Fields {
    /// A field as it was sent; empty where it was not.
    pub(crate) fn text(&self, name: &str) -> &str {
        self.raw(name).unwrap_or_default()
    }

    /// A field without white space around it; `None` where nothing is left.
    pub(crate) fn filled(&self, name: &str) -> Option<&str> {
        let text = self.text(name).trim();
        (!text.is_empty()).then_some(text)
    }

    /// The field where it was sent, though it be empty.
    pub(crate) fn raw(&self, name: &str) -> Option<&str> {
        let mut fields = self.0.iter();
        let found = fields.find(|(key, _)| key == name);
        found.map(|(_, value)| value.as_str())
    }

    /// True for a ticked box, and for a field that says `true`.
    pub(crate) fn is_on(&self, name: &str) -> bool {
        matches!(self.text(name), "on" | "true")
    }

    /// True where the field was sent: the button that was pressed, say.
    pub(crate) fn has(&self, name: &str) -> bool {
        self.raw(name).is_some()
    }

    /// A field as a number or something else that is read from text; `None` where it is missing or no such thing.
    pub(crate) fn parsed<T: FromStr>(&self, name: &str) -> Option<T> {
        self.filled(name)?.parse().ok()
    }

    /// Every field of this name, in the order of the page.
    pub(crate) fn all<'a>(&'a self, name: &'a str) -> impl Iterator<Item = &'a str> {
        let fields = self.0.iter();
        fields
            .filter(move |(key, _)| key == name)
            .map(|(_, value)| value.as_str())
    }

    /// The parts of a list, in the order of the page.
    pub(crate) fn rows(&self, list: &str) -> Vec<Fields> {
        let mut rows: Vec<Self> = Vec::new();
        let mut positions = BTreeMap::new();
        for (name, value) in &self.0 {
            let rest = name
                .strip_prefix(list)
                .and_then(|rest| rest.strip_prefix('.'));
            let Some((number, field)) = rest.and_then(|rest| rest.split_once('.')) else {
                continue;
            };
            let position = *positions.entry(number).or_insert(rows.len());
            if position == rows.len() {
                rows.push(Self::default());
            }
            rows[position].0.push((field.to_owned(), value.clone()));
        }
        rows
    }
}

impl FromIterator<(String, String)> for Fields {
    fn from_iter<I: IntoIterator<Item = (String, String)>>(fields: I) -> Self {
        Self(fields.into_iter().collect())
    }
}

impl FromRequest<Dashboard> for Fields {
    type Rejection = Response;

    async fn from_request(request: Request, dashboard: &Dashboard) -> Result<Self, Response> {
        let headers = request.headers().clone();
        let signed_in = request.extensions().get::<SignedIn>().cloned();
        let sent = Form::<Vec<(String, String)>>::from_request(request, dashboard).await;
        let fields = match sent {
            Ok(Form(fields)) => Self(fields),
            Err(rejected) => return Err(rejected.into_response()),
        };
        let cookie = match &signed_in {
            Some(signed_in) => Some(&*signed_in.session),
            None => dashboard.visitor(&headers),
        };
        if dashboard.is_own_form(&headers, cookie, fields.text("form_token")) {
            return Ok(fields);
        }
        let notice = Notice {
            heading: "Nothing was changed",
            text: STALE,
        };
        Err(page(StatusCode::FORBIDDEN, &notice))
    }
}

/// What is wrong with the fields of a form, to be said beside each.
#[derive(Debug, Clone, Default, PartialEq, Eq)]
pub(crate) struct FieldProblems(Vec<(String, String)>);

impl FieldProblems {
    /// Adds what is wrong with a field.
    pub(crate) fn add(&mut self, field: impl Into<String>, sentence: impl Into<String>) {
        self.0.push((field.into(), sentence.into()));
    }

    /// What is wrong with a field.
    pub(crate) fn of(&self, field: &str) -> Option<&str> {
        let found = self.0.iter().find(|(name, _)| name == field);
        found.map(|(_, sentence)| sentence.as_str())
    }

    /// What is wrong with none of the fields that the page shows: said above the form.
    pub(crate) fn elsewhere<'a>(&self, shown: impl AsRef<[&'a str]>) -> Vec<&str> {
        let shown = shown.as_ref();
        let others = self.0.iter();
        others
            .filter(|(name, _)| !shown.contains(&name.as_str()))
            .map(|(_, sentence)| sentence.as_str())
            .collect()
    }

    /// The same, where the form has another name for a field.
    pub(crate) fn renamed(mut self, from: &str, to: &str) -> Self {
        for (field, _) in &mut self.0 {
            if field == from {
                to.clone_into(field);
            }
        }
        self
    }

    /// The same under the names that a form gives its fields.
    pub(crate) fn under(mut self, names: &[(&str, &str)]) -> Self {
        for (field, _) in &mut self.0 {
            if let Some((_, name)) = names.iter().find(|(before, _)| before == field) {
                *field = (*name).to_owned();
            }
        }
        self
    }

    /// True where nothing is wrong.
    pub(crate) fn is_empty(&self) -> bool {
        self.0.is_empty()
    }

    /// Everything that is wrong: field and sentence, in the order in which it was found.
    pub(crate) fn all(&self) -> &[(String, String)] {
        &self.0
    }

    /// What a refusal of the service says about a form; one that no form can help is an answer of its own.
    #[expect(
        clippy::result_large_err,
        reason = "an answer is as large as it is, and there is one for a request"
    )]
    pub(crate) fn from_refusal(error: ServiceError) -> Result<Self, Response> {
        let sentence = crate::texts::sentence(&error);
        let field = match &error {
            ServiceError::Invalid { field, .. } | ServiceError::InvalidPart { field, .. } => *field,
            ServiceError::Conflict { .. } => "name",
            ServiceError::Versioning(_)
            | ServiceError::Rollout(_)
            | ServiceError::External(_)
            | ServiceError::ChangeRequestNeeded
            | ServiceError::Outdated { .. }
            | ServiceError::WrongCredentials
            | ServiceError::TooManyAttempts { .. } => "",
            ServiceError::KeyMissing
            | ServiceError::KeyUnknown
            | ServiceError::OrganisationStopped
            | ServiceError::Unauthenticated(_)
            | ServiceError::Forbidden
            | ServiceError::NotFound { .. }
            | ServiceError::Unavailable(_)
            | ServiceError::Internal(_) => return Err(refusal(&error)),
        };
        let mut problems = Self::default();
        problems.add(field, sentence);
        Ok(problems)
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    fn fields(list: &[(&str, &str)]) -> Fields {
        let owned = |(name, value): &(&str, &str)| ((*name).to_owned(), (*value).to_owned());
        list.iter().map(owned).collect()
    }

    #[test]
    fn fields_are_read_as_text_numbers_boxes_and_repetitions() {
        let sent = fields(&[
            ("a", " 7 "),
            ("b", "on"),
            ("tag", "1"),
            ("tag", "2"),
            ("c", ""),
        ]);

        assert_eq!((sent.text("a"), sent.filled("a")), (" 7 ", Some("7")));
        assert_eq!((sent.parsed("a"), sent.parsed::<i64>("b")), (Some(7), None));
        assert!(sent.is_on("b") && !sent.is_on("a") && sent.has("c") && !sent.has("d"));
        assert_eq!(sent.filled("c"), None);
        assert_eq!(sent.all("tag").collect::<Vec<_>>(), ["1", "2"]);
    }

    #[test]
    fn rows_come_in_the_order_of_the_page_and_hold_lists_of_their_own() {
        let sent = fields(&[
            ("rules.5.kind", "ALL"),
            ("rules.5.conditions.1.value", "first"),
            ("rules.5.conditions.0.value", "second"),
            ("rules.2.kind", "ANY"),
            ("ruleset.2.kind", "none of it"),
        ]);

        let rules = sent.rows("rules");
        let conditions = rules[0].rows("conditions");

        let kinds: Vec<&str> = rules.iter().map(|rule| rule.text("kind")).collect();
        assert_eq!(kinds, ["ALL", "ANY"]);
        let values: Vec<&str> = conditions.iter().map(|each| each.text("value")).collect();
        assert_eq!(values, ["first", "second"]);
        assert!(rules[1].rows("conditions").is_empty());
    }

    #[test]
    fn a_problem_stands_beside_its_field_or_above_the_form() {
        let mut problems = FieldProblems::default();
        problems.add("name", "A name is needed.");
        problems.add("", "Not now.");

        assert_eq!(problems.of("name"), Some("A name is needed."));
        assert_eq!(problems.of("value"), None);
        assert_eq!(problems.elsewhere(["name"]), ["Not now."]);
    }
}
