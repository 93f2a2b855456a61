//! `PUT rollouts/flagd/{environment}/{flag}`: a percentage as a document of flagd, which the plugin for OpenFeature that
//! Rollops comes with sends to whatever keeps such documents. Here a rollout gives the feature to so many people.
//!
//! Only what that plugin writes is read: `on` and `off`, a split of the two, enabled or not. Any other document would be
//! understood in part, and is refused.

use super::apply::{DRIVER, shape};
use crate::auth::BearerMember;
use crate::flagsmith::answer::Answer;
use crate::flagsmith::call::Call;
use crate::flagsmith::error::Failure;
use crate::flagsmith::view::View;
use crate::routes::Routes;
use flagstaff_service::{ApplyMode, ApplyRequest, Caller, FeatureReference};
use serde_json::{Value as Json, json};

/// Adds the route. The plugin puts flag and environment behind the address it was given, without a slash at the end.
pub(super) fn routes(routes: Routes) -> Routes {
    routes.view(
        "/api/v1/rollouts/flagd/{environment}/{flag}",
        View::new("Flagd Sync").put(BearerMember, put),
    )
}

async fn put(mut call: Call<Caller>) -> Result<Answer, Failure> {
    let body = call.body().await?;
    let environment = call.path_text("environment")?.to_owned();
    let flag = call.path_text("flag")?.to_owned();
    let (percentage, is_disabled) =
        read(&body, &flag).map_err(|problem| Failure::Refused(problem.into()))?;
    let request = ApplyRequest {
        feature: FeatureReference::Name(flag),
        percentage,
        is_disabled,
        mode: ApplyMode::Rollout(None),
        driver: DRIVER.to_owned(),
    };
    let service = call.service();
    let applied = service.apply_percentage(&call.subject, &environment, request);
    let shown = (percentage, is_disabled);
    Ok(Answer::of(&shape(&applied.await?, shown)))
}

/// The percentage of `on`, and whether the flag is disabled.
fn read(body: &Json, flag: &str) -> Result<(u8, bool), &'static str> {
    let flags = body.get("flags").and_then(Json::as_object);
    let flags = flags.ok_or("the document has no flags")?;
    let only = flags.get(flag).filter(|_| flags.len() == 1);
    let document = only.ok_or("the document has to hold the flag of the path, and no other")?;
    if document.get("variants") != Some(&json!({ "on": true, "off": false })) {
        return Err("the variants have to be on: true and off: false");
    }
    let is_disabled = match document.get("state").and_then(Json::as_str) {
        Some("ENABLED") => false,
        Some("DISABLED") => true,
        _ => return Err("the state has to be ENABLED or DISABLED"),
    };
    let split = document.pointer("/targeting/fractional");
    let share = |position: usize, name: &str| {
        let part = split?.get(position)?.as_array()?;
        let share = part.get(1)?.as_u64()?;
        (part.len() == 2 && part[0] == name).then_some(share)
    };
    let parts = split.and_then(Json::as_array).map(Vec::len);
    match (parts, share(0, "on"), share(1, "off")) {
        (Some(2), Some(on), Some(off)) if on + off == 100 => {
            let percentage = u8::try_from(on).map_err(|_| "the split has to come to 100")?;
            Ok((percentage, is_disabled))
        }
        _ => Err("the targeting has to be a fractional of on and off that comes to 100"),
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    fn document(state: &str, on: i64) -> Json {
        let split = json!({ "fractional": [["on", on], ["off", 100 - on]] });
        json!({ "flags": { "checkout": {
            "state": state, "defaultVariant": "off", "variants": { "on": true, "off": false }, "targeting": split,
        } } })
    }

    #[test]
    fn rol_13_what_the_plugin_for_openfeature_writes_is_read() {
        assert_eq!(read(&document("ENABLED", 25), "checkout"), Ok((25, false)));
        assert_eq!(read(&document("DISABLED", 0), "checkout"), Ok((0, true)));
        assert_eq!(
            read(&document("ENABLED", 100), "checkout"),
            Ok((100, false))
        );
    }

    #[test]
    fn any_other_document_is_refused_with_what_it_lacks() {
        for (pointer, value, problem) in [
            ("/flags/checkout/state", json!("OFF"), "the state"),
            ("/flags/checkout/variants/on", json!("yes"), "the variants"),
            (
                "/flags/checkout/targeting/fractional/0/1",
                json!(30),
                "the targeting",
            ),
            (
                "/flags/checkout/targeting/fractional/0/1",
                json!(25.5),
                "the targeting",
            ),
            (
                "/flags/checkout/targeting/fractional/0/0",
                json!("blue"),
                "the targeting",
            ),
            (
                "/flags/checkout/targeting",
                json!({ "if": [] }),
                "the targeting",
            ),
            ("/flags", json!({}), "the flag of the path"),
            ("/flags", json!([]), "no flags"),
        ] {
            let mut body = document("ENABLED", 25);
            *body.pointer_mut(pointer).unwrap() = value;
            let said = read(&body, "checkout").unwrap_err();
            assert!(said.contains(problem), "{pointer}: {said}");
        }
        assert!(read(&document("ENABLED", 25), "other").is_err());
        assert!(read(&document("ENABLED", 130), "checkout").is_err());
        assert!(read(&document("ENABLED", -1), "checkout").is_err());
    }
}
