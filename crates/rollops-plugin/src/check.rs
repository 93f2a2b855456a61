//! What people ask on the command line: whether everything is in order, and what a change would write.

use crate::apply::{apply, place};
use crate::budget::Budget;
use crate::change::{Change, shortened};
use crate::command::Asked;
use crate::failure::Failure;
use crate::flagsmith::Api;
use crate::log::Log;
use crate::plan::state_to_json;
use crate::settings::Settings;
use crate::{FAILED, complain, say};
use std::process::ExitCode;

/// Looks at everything in turn, and says what it finds; the first problem ends it.
pub(crate) async fn check(settings: Settings, asked: Asked) -> ExitCode {
    ended(look(&settings, &asked).await)
}

async fn look(settings: &Settings, asked: &Asked) -> Result<(), Failure> {
    let api = Api::new(settings, Budget::begin(None))?;
    say(&format!(
        "settings     {}, project {}, a token for `{}`",
        settings.api_url,
        settings.project_id,
        settings.token.scheme.word()
    ));
    if !settings.api_url.ends_with("/api/v1") {
        say("             the address does not end in /api/v1, as Flagsmith's does");
    }
    api.project(settings.project_id).await?;
    say("project      found");
    let Some(environment) = &asked.environment else {
        return Ok(());
    };
    let found = api.environment(environment).await?;
    let versions = match found.use_v2_feature_versioning {
        Some(true) => "features change by versions",
        _ => "features change directly",
    };
    let name = found.name.unwrap_or_else(|| shortened(environment));
    say(&format!("environment  {name}: {versions}"));
    let Some(flag) = &asked.flag else {
        return Ok(());
    };
    // Percentage and rest are of no account: nothing is written.
    let change = Change::checked(flag.clone(), environment.clone(), 0, false)?;
    let place = place(&api, settings, &change).await?;
    let state = state_to_json(&api.state(&place).await?);
    let mode = settings.modes.of(flag).word();
    say(&format!(
        "flag         {}: {state}, mode {mode}",
        place.feature.name
    ));
    Ok(())
}

/// Says what a change would write.
pub(crate) async fn dry_run(mut settings: Settings, change: Change) -> ExitCode {
    settings.dry_run = true;
    let outcome = apply(&settings, &change, Budget::begin(None), &Log::silent()).await;
    ended(outcome.map(|outcome| {
        say(&format!(
            "{}: from {} to {}",
            outcome.what.word(),
            outcome.from,
            outcome.to
        ));
    }))
}

fn ended(result: Result<(), Failure>) -> ExitCode {
    match result {
        Ok(()) => ExitCode::SUCCESS,
        Err(failure) => {
            complain(&failure.to_string());
            ExitCode::from(FAILED)
        }
    }
}
