//! The choice between light and dark.

use crate::Dashboard;
use crate::answer::{is_own_path, see_other};
use crate::cookies::Cookie;
use crate::fields::Fields;
use crate::visitor::Theme;
use axum::extract::State;
use axum::http::header;
use axum::response::Response;

/// A year: browsers keep no cookie much longer.
const SECONDS: u64 = 365 * 24 * 60 * 60;

/// `POST /theme`: `light`, `dark`, or anything else for what the device says; leads back to the page it came from.
pub(crate) async fn choose(State(dashboard): State<Dashboard>, fields: Fields) -> Response {
    let back = Some(fields.text("back")).filter(|path| is_own_path(path));
    let mut response = see_other(back.unwrap_or("/"));
    let cookie = match Theme::parse(fields.text("theme")) {
        Some(theme) => Cookie::Theme.set(theme.word(), Some(SECONDS), dashboard.is_secure()),
        None => Cookie::Theme.set("", Some(0), dashboard.is_secure()),
    };
    if let Some(cookie) = cookie {
        response.headers_mut().append(header::SET_COOKIE, cookie);
    }
    response
}
