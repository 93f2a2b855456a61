//! Whether a caller takes JSON, the only thing there is.

use axum::http::{HeaderMap, header};

/// True where no `Accept` header excludes JSON.
pub(crate) fn takes_json(headers: &HeaderMap) -> bool {
    let mut accepted = headers.get_all(header::ACCEPT).iter().peekable();
    if accepted.peek().is_none() {
        return true;
    }
    accepted
        .filter_map(|value| value.to_str().ok())
        .flat_map(|line| line.split(','))
        .any(|range| {
            let media_type = range.split(';').next().unwrap_or_default().trim();
            media_type.is_empty()
                || ["*/*", "application/*", "application/json"]
                    .iter()
                    .any(|known| media_type.eq_ignore_ascii_case(known))
        })
}
