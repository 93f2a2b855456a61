//! Forms for people who are not signed in: what all of them have in common.

use super::sign_in::with_visitor;
use crate::Dashboard;
use crate::answer::page;
use crate::fields::FieldProblems;
use crate::visitor::SignedIn;
use askama::Template;
use axum::http::{HeaderMap, StatusCode};
use axum::response::Response;
use flagstaff_service::SignInProvider;

/// A page with one form.
#[derive(Template)]
#[template(path = "visitor_form.html")]
struct FormPage<'a> {
    form: &'a VisitorForm<'a>,
    problems: &'a FieldProblems,
    form_token: &'a str,
}

/// One form.
#[derive(Default)]
pub(crate) struct VisitorForm<'a> {
    /// What the page is about.
    pub(crate) heading: &'a str,
    /// What to know first.
    pub(crate) lead: &'a str,
    /// Where the form is sent.
    pub(crate) action: &'a str,
    /// What is asked for.
    pub(crate) inputs: Vec<Input<'a>>,
    /// What the button says.
    pub(crate) button: &'a str,
    /// Services that do the same, with what follows the path of each.
    pub(crate) providers: Vec<SignInProvider>,
    /// What follows the paths of the services.
    pub(crate) provider_query: &'a str,
}

/// A line of a form.
pub(crate) struct Input<'a> {
    pub(crate) name: &'a str,
    pub(crate) label: &'a str,
    /// `email`, `password` or `text`.
    pub(crate) kind: &'a str,
    pub(crate) value: &'a str,
    /// What browsers may fill in.
    pub(crate) autocomplete: &'a str,
    pub(crate) hint: &'a str,
}

impl<'a> Input<'a> {
    pub(crate) const fn email(value: &'a str) -> Self {
        Self {
            name: "email",
            label: "E-mail address",
            kind: "email",
            value,
            autocomplete: "username",
            hint: "",
        }
    }

    pub(crate) const fn new_password(name: &'a str, label: &'a str) -> Self {
        Self {
            name,
            label,
            kind: "password",
            value: "",
            autocomplete: "new-password",
            hint: "At least 8 characters, not only digits.",
        }
    }

    pub(crate) const fn name(name: &'a str, label: &'a str, value: &'a str, fill: &'a str) -> Self {
        Self {
            name,
            label,
            kind: "text",
            value,
            autocomplete: fill,
            hint: "",
        }
    }
}

impl VisitorForm<'_> {
    fn shown(&self) -> Vec<&str> {
        self.inputs.iter().map(|input| input.name).collect()
    }

    /// The page, tied to the visitor's cookie.
    pub(crate) fn answer(
        &self,
        dashboard: &Dashboard,
        headers: &HeaderMap,
        problems: &FieldProblems,
    ) -> Response {
        let status = if problems.is_empty() {
            StatusCode::OK
        } else {
            StatusCode::UNPROCESSABLE_ENTITY
        };
        with_visitor(dashboard, headers, |form_token| {
            self.page(status, problems, form_token)
        })
    }

    /// The page, tied to a member's session.
    pub(crate) fn answer_to(&self, signed_in: &SignedIn) -> Response {
        let token = signed_in.form_token();
        self.page(StatusCode::OK, &FieldProblems::default(), &token)
    }

    fn page(&self, status: StatusCode, problems: &FieldProblems, form_token: &str) -> Response {
        let template = FormPage {
            form: self,
            problems,
            form_token,
        };
        page(status, &template)
    }
}
