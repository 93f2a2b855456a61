//! The question before something goes for good: its name is typed. A page of its own, which the script shows as a dialog.

use crate::fields::{FieldProblems, Fields};
use crate::shell::Shell;
use askama::Template;
use axum::http::StatusCode;
use axum::response::Response;

/// What is asked.
pub(crate) struct Question<'a> {
    pub(crate) shell: &'a Shell,
    /// The page one comes from: its path and what it is called.
    pub(crate) from: (&'a str, &'a str),
    pub(crate) heading: String,
    /// What it means.
    pub(crate) text: &'a str,
    /// What is to be typed.
    pub(crate) name: &'a str,
    /// What the button says.
    pub(crate) button: &'a str,
    /// Where the answer is sent, and with what.
    pub(crate) action: &'a str,
    pub(crate) fields: Vec<(&'a str, String)>,
}

#[derive(Template)]
#[template(path = "question.html")]
struct QuestionPage<'a> {
    shell: &'a Shell,
    question: &'a Question<'a>,
    problems: FieldProblems,
}

impl Question<'_> {
    /// The page that asks.
    pub(crate) fn asked(&self) -> Response {
        self.page(StatusCode::OK, FieldProblems::default())
    }

    /// Nothing where the name was typed as it is; else the page that asks again.
    #[expect(
        clippy::result_large_err,
        reason = "an answer is as large as it is, and there is one for a request"
    )]
    pub(crate) fn answered(&self, fields: &Fields) -> Result<(), Response> {
        if is_name(self.name, fields.text("confirmed_name")) {
            return Ok(());
        }
        let mut problems = FieldProblems::default();
        problems.add("confirmed_name", "This is not its name.");
        Err(self.page(StatusCode::UNPROCESSABLE_ENTITY, problems))
    }

    fn page(&self, status: StatusCode, problems: FieldProblems) -> Response {
        let template = QuestionPage {
            shell: self.shell,
            question: self,
            problems,
        };
        self.shell.page(status, &template)
    }
}

/// True where this was typed for the name: browsers send a line of text without the newlines a name may hold.
pub(crate) fn is_name(name: &str, typed: &str) -> bool {
    typed.trim() == name.replace(['\r', '\n'], "").trim()
}

#[cfg(test)]
mod tests {
    use super::is_name;

    #[test]
    fn a_name_is_typed_as_a_line_of_text_can_hold_it() {
        for (name, typed, expected) in [
            ("checkout", "checkout", true),
            ("two\r\nlines", " twolines ", true),
            ("checkout", "Checkout", false),
            ("checkout", "", false),
        ] {
            assert_eq!(is_name(name, typed), expected, "{name:?} {typed:?}");
        }
    }
}
