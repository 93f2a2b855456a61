//! The Flagsmith face: what its SDKs, dashboard, Terraform provider and scripts speak.
//!
//! A path is a [`view::View`]: its methods with their authentication. Around the handlers stand the shapes of the
//! original's framework (errors by field, `detail`, `Allow`, `OPTIONS`, pages), written once.

pub(crate) mod admin;
pub(crate) mod answer;
pub(crate) mod body;
pub(crate) mod call;
pub(crate) mod error;
pub(crate) mod field_errors;
pub(crate) mod fields;
mod form;
mod id_lists;
pub(crate) mod json_limits;
mod negotiation;
pub(crate) mod pagination;
mod problem_text;
pub(crate) mod query;
pub(crate) mod scalar;
mod sdk;
pub(crate) mod view;
pub(crate) mod words;

use crate::routes::Routes;

/// Adds every route of the face.
pub(crate) fn routes(routes: Routes) -> Routes {
    admin::routes(sdk::routes(routes))
}
