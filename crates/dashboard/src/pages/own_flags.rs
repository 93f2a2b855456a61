//! What the dashboard shows: its own flags, switched by superusers.

use crate::Dashboard;
use crate::answer::PageResult;
use crate::fields::Fields;
use crate::fragments::Moment;
use crate::navigation::Section;
use crate::notices::Notice;
use crate::shell::{Place, Shell};
use crate::visitor::SignedIn;
use askama::Template;
use axum::extract::State;
use axum::http::StatusCode;
use flagstaff_core::Timestamp;
use flagstaff_service::OwnFlagSwitch;

/// Changes that are shown.
const CHANGES: u32 = 20;

const PATH: &str = "/own-flags";

/// What each flag does, when it is off or, at the end, when it is on.
const MEANINGS: [(&str, &str); 12] = [
    (
        "oauth_google",
        "Off: no button to sign in with Google, and the way behind it is closed.",
    ),
    (
        "oauth_github",
        "Off: no button to sign in with GitHub, and the way behind it is closed.",
    ),
    (
        "oauth_microsoft",
        "Off: no button to sign in with Microsoft, and the way behind it is closed.",
    ),
    (
        "segment_operators",
        "With a value, a list of operators, rules of segments offer these alone.",
    ),
    (
        "integration_data",
        "Off: no page of the integration with flagd.",
    ),
    (
        "tags",
        "Off: no tags of features; those that features have stay.",
    ),
    ("usage_chart", "Off: no page of usage."),
    (
        "identity_segments",
        "Off: an identity's page does not list its segments.",
    ),
    (
        "improved_identity_overrides",
        "Off: a feature's page has no values for single identities.",
    ),
    (
        "try_it",
        "Off: no command to try an environment out on the start page.",
    ),
    (
        "plan_based_access",
        "Does nothing here: there are no plans. Flagsmith's own dashboard asks for it.",
    ),
    (
        "segment_any_rule_type",
        "Does nothing here: rules of every kind are offered. Flagsmith's own dashboard asks for it.",
    ),
];

#[derive(Template)]
#[template(path = "own_flags.html")]
struct OwnFlagsPage<'a> {
    shell: &'a Shell,
    /// True where the operator named another environment, which decides instead.
    is_elsewhere: bool,
    flags: Vec<FlagRow>,
    changes: Vec<ChangeRow>,
}

struct FlagRow {
    name: String,
    meaning: &'static str,
    is_enabled: bool,
    changed: Moment,
}

struct ChangeRow {
    at: Moment,
    summary: String,
    by: String,
}

/// `GET /own-flags`
pub(crate) async fn show(State(dashboard): State<Dashboard>, signed_in: SignedIn) -> PageResult {
    let shell = dashboard
        .shell(&signed_in, Place::Server, Section::About)
        .await?;
    let (service, caller) = (&dashboard.service, &shell.caller);
    let flags = service.own_flag_switches(caller).await?;
    let changes = service.own_flag_changes(caller, CHANGES).await?;
    let template = OwnFlagsPage {
        is_elsewhere: !service.switches_own_flags(),
        flags: flags.into_iter().map(|flag| row(&shell, flag)).collect(),
        changes: changes
            .into_iter()
            .map(|change| ChangeRow {
                at: Moment::new(Timestamp::from_micros(change.entry.at), shell.now),
                summary: change.entry.summary,
                by: change
                    .author
                    .map_or_else(|| "the server".to_owned(), |member| member.email),
            })
            .collect(),
        shell: &shell,
    };
    Ok(shell.page(StatusCode::OK, &template))
}

fn row(shell: &Shell, flag: OwnFlagSwitch) -> FlagRow {
    let mut meanings = MEANINGS.iter();
    let meaning = meanings.find(|(name, _)| *name == flag.name);
    FlagRow {
        meaning: meaning.map_or("", |(_, meaning)| meaning),
        is_enabled: flag.is_enabled,
        changed: Moment::new(flag.changed_at, shell.now),
        name: flag.name,
    }
}

/// `POST /own-flags`: switches one.
pub(crate) async fn switch(
    State(dashboard): State<Dashboard>,
    signed_in: SignedIn,
    fields: Fields,
) -> PageResult {
    let (name, is_enabled) = (fields.text("flag"), fields.is_on("enabled"));
    dashboard
        .service
        .switch_own_flag(&signed_in.caller, name, is_enabled)
        .await?;
    let (word, back) = if is_enabled {
        ("on", "false")
    } else {
        ("off", "true")
    };
    let undo = [("flag", name), ("enabled", back)];
    let notice = Notice::done(format!("{name} is {word}.")).with_undo(PATH, &undo);
    Ok(notice.on(PATH, &dashboard, &signed_in))
}
