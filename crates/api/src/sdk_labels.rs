//! What a client says of itself, for usage counts.

use axum::http::{HeaderMap, HeaderName, header};
use flagstaff_service::SdkLabels;

static SDK_USER_AGENT: HeaderName = HeaderName::from_static("flagsmith-sdk-user-agent");
static APPLICATION_NAME: HeaderName = HeaderName::from_static("flagsmith-application-name");
static APPLICATION_VERSION: HeaderName = HeaderName::from_static("flagsmith-application-version");

/// Reads the labels of a request.
pub(crate) fn of(headers: &HeaderMap) -> SdkLabels {
    let label = |name: &HeaderName| {
        let text = headers.get(name)?.to_str().ok()?;
        (!text.is_empty()).then(|| text.to_owned())
    };
    SdkLabels {
        // Browsers do not let a script set `User-Agent`.
        user_agent: label(&SDK_USER_AGENT).or_else(|| label(&header::USER_AGENT)),
        application_name: label(&APPLICATION_NAME),
        application_version: label(&APPLICATION_VERSION),
    }
}
