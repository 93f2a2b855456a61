//! The pages of an organisation: its projects, its members, its API keys.

pub(crate) mod api_keys;
pub(crate) mod members;
pub(crate) mod overview;

use crate::navigation::Link;
use flagstaff_core::OrganisationId;

/// The tabs of these pages.
pub(crate) fn tabs(id: OrganisationId, here: &str) -> Vec<Link> {
    let tab = |(last, label): (&str, &str)| Link {
        path: if last.is_empty() {
            format!("/organisations/{}", id.get())
        } else {
            format!("/organisations/{}/{last}", id.get())
        },
        label: label.to_owned(),
        is_here: last == here,
        shortcut: "",
    };
    let tabs = [
        ("", "Projects"),
        ("members", "Members"),
        ("permissions", "Permissions"),
        ("api-keys", "API keys"),
        ("audit", "Audit log"),
    ];
    tabs.into_iter().map(tab).collect()
}
