//! The pages of an organisation: its projects, its members, its API keys.

pub(crate) mod api_keys;
pub(crate) mod members;
pub(crate) mod overview;

use crate::navigation::Link;
use crate::pages::around;
use crate::shell::Shell;
use flagstaff_core::OrganisationId;

/// The tabs of these pages.
pub(crate) fn tabs(shell: &Shell, id: OrganisationId, here: &str) -> Vec<Link> {
    let tab = |(last, label): (&str, &str)| Link {
        path: around(
            shell,
            format!("/organisations/{}/{last}", id.get()).trim_end_matches('/'),
        ),
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
