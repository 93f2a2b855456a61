//! What pages load: each under a path that holds the hash of its bytes, so that browsers may keep it for ever.

use axum::extract::Path;
use axum::http::{StatusCode, header};
use axum::response::{IntoResponse, Response};
use sha2::{Digest, Sha256};
use std::sync::LazyLock;

const STYLE: &str = include_str!("../static/style.css");
const SCRIPT: &str = include_str!("../static/script.js");
const ICON: &str = include_str!("../static/icon.svg");

static STYLE_NAME: LazyLock<String> = LazyLock::new(|| format!("style-{}.css", digest(STYLE)));
static SCRIPT_NAME: LazyLock<String> = LazyLock::new(|| format!("script-{}.js", digest(SCRIPT)));
static ICON_NAME: LazyLock<String> = LazyLock::new(|| format!("icon-{}.svg", digest(ICON)));

fn digest(text: &str) -> String {
    let digest = Sha256::digest(text.as_bytes());
    digest
        .iter()
        .take(8)
        .map(|byte| format!("{byte:02x}"))
        .collect()
}

/// Where the style sheet is.
#[must_use]
pub fn style_path() -> String {
    format!("/assets/{}", *STYLE_NAME)
}

/// Where the script is.
#[must_use]
pub fn script_path() -> String {
    format!("/assets/{}", *SCRIPT_NAME)
}

/// Where the icon is.
#[must_use]
pub fn icon_path() -> String {
    format!("/assets/{}", *ICON_NAME)
}

/// `GET /assets/{name}`
pub(crate) async fn serve(Path(name): Path<String>) -> Response {
    let (kind, body) = if name == *STYLE_NAME {
        ("text/css; charset=utf-8", STYLE)
    } else if name == *SCRIPT_NAME {
        ("text/javascript; charset=utf-8", SCRIPT)
    } else if name == *ICON_NAME {
        ("image/svg+xml", ICON)
    } else {
        return StatusCode::NOT_FOUND.into_response();
    };
    let headers = [
        (header::CONTENT_TYPE, kind),
        (header::CACHE_CONTROL, "public, max-age=31536000, immutable"),
        (header::X_CONTENT_TYPE_OPTIONS, "nosniff"),
    ];
    (headers, body).into_response()
}
