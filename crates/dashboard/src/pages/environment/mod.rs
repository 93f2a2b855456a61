//! The pages of an environment itself: its settings, its keys, who may do what in it.

pub(crate) mod keys;
pub(crate) mod settings;

use crate::answer::encoded;
use crate::navigation::Link;

/// The tabs of these pages.
pub(crate) fn tabs(client_key: &str, here: &str) -> Vec<Link> {
    let key = encoded(client_key);
    let tab = |(last, label): (&str, &str)| Link {
        path: format!("/environments/{key}/{last}"),
        label: label.to_owned(),
        is_here: last == here,
        shortcut: "",
    };
    let tabs = [
        ("settings", "Settings"),
        ("keys", "Keys"),
        ("permissions", "Permissions"),
    ];
    tabs.into_iter().map(tab).collect()
}
