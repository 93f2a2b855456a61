//! The oldest routes. Their flags have the control value, whatever the identity's variant, as recorded.

use super::super::answer::Answer;
use super::super::call::Call;
use super::super::error::Failure;
use super::super::field_errors::FieldErrors;
use super::super::fields::Fields;
use super::super::words;
use super::flags::no_feature;
use super::forms::Flags;
use super::identities::{shown_flags, trait_answers};
use super::traits::{check_value, value_failure};
use flagstaff_core::{Flag, FlagVariant, Identifier, InvalidName, fold};
use flagstaff_service::{Identification, Identified, OpenEnvironment, RequestKind, TraitRequest};
use flagstaff_wire::flagsmith::flag::FlagForm;
use flagstaff_wire::flagsmith::identity::{IdentityAnswer, TraitAnswer};
use flagstaff_wire::json::json_to_trait;

/// `GET /api/v1/flags/{identifier}`
pub(super) async fn flags_of_identity(call: Call<OpenEnvironment>) -> Result<Answer, Failure> {
    let identified = identify(&call).await?;
    let open = &call.subject;
    let rendered = open.published.form_off_thread::<Flags>().await;
    let context = identified.context();
    let mut evaluator = open.snapshot().rules.evaluator(&context);
    let flags = shown_flags(open, &mut evaluator).map(control);
    let write = |flag: &Flag<'_>, out: &mut Vec<u8>| {
        rendered
            .fragments()
            .write(flag, FlagForm::WithoutVariant, out);
    };
    let mut out = Vec::new();
    if let Some(name) = call.query().last("feature").filter(|name| !name.is_empty()) {
        let name = fold(name);
        let features = &open.snapshot().features;
        let is_wanted =
            |flag: &Flag<'_>| fold(features[flag.feature].feature.name.as_str()) == name;
        let mut wanted = flags.filter(is_wanted);
        write(&wanted.next().ok_or_else(no_feature)?, &mut out);
        return Ok(Answer::json(out));
    }
    out.push(b'[');
    for (position, flag) in flags.enumerate() {
        if position > 0 {
            out.push(b',');
        }
        write(&flag, &mut out);
    }
    out.push(b']');
    Ok(Answer::json(out))
}

/// `GET /api/v1/identities/{identifier}/`
pub(super) async fn identity(call: Call<OpenEnvironment>) -> Result<Answer, Failure> {
    let identified = identify(&call).await?;
    let open = &call.subject;
    let rendered = open.published.form_off_thread::<Flags>().await;
    let context = identified.context();
    let mut evaluator = open.snapshot().rules.evaluator(&context);
    let flags: Vec<_> = shown_flags(open, &mut evaluator).map(control).collect();
    // A client key never learns of segments.
    let segments = if open.server_side {
        evaluator.matching_segments()
    } else {
        Vec::new()
    };
    let segments = segments
        .into_iter()
        .map(|index| &*open.snapshot().segments[index].segment);
    let traits = trait_answers(&identified.traits);
    let mut out = Vec::new();
    let answer = IdentityAnswer {
        identifier: &identified.identifier,
        traits: &traits,
    };
    answer.write_deprecated(rendered.fragments(), &flags, segments, &mut out);
    Ok(Answer::json(out))
}

/// `POST /api/v1/identities/{identifier}/traits/{trait_key}`
pub(super) async fn set_trait(mut call: Call<OpenEnvironment>) -> Result<Answer, Failure> {
    let body = call.body().await?;
    let sent = Fields::read(&body, |fields| fields.json("trait_value").cloned())?;
    let sent = sent.filter(|json| !json.is_null());
    let sent = sent.ok_or(Failure::Refused("Trait value not provided".into()))?;
    let value = json_to_trait(&sent);
    check_value(&value).map_err(value_failure)?;
    let identifier = Identifier::parse(call.path_text("identifier")?);
    let request = TraitRequest {
        identifier: identifier.map_err(|problem| name_failure("identifier", &problem))?,
        key: call.path_text("trait_key")?.into(),
        value,
    };
    let open = &call.subject;
    let labels = call.sdk_labels();
    call.service()
        .count_request(open, RequestKind::Traits, &labels);
    let stored = call.service().set_traits(open, vec![request]).await?;
    let mut out = Vec::new();
    if let Some(stored) = stored.first().and_then(Option::as_ref) {
        TraitAnswer::stored(stored).write(&mut out);
    }
    Ok(Answer::json(out))
}

async fn identify(call: &Call<OpenEnvironment>) -> Result<Identified, Failure> {
    let open = &call.subject;
    let kind = RequestKind::Identities;
    call.service().count_request(open, kind, &call.sdk_labels());
    let identification = Identification {
        identifier: Some(call.path_text("identifier")?.to_owned()),
        ..Identification::default()
    };
    Ok(call.service().identify(open, identification).await?)
}

/// The flag with the value of somebody in no variant.
fn control(flag: Flag<'_>) -> Flag<'_> {
    Flag {
        value: &flag.state.value,
        variant: FlagVariant::None,
        ..flag
    }
}

fn name_failure(field: &'static str, problem: &InvalidName) -> Failure {
    let text = match problem {
        InvalidName::Empty => words::BLANK.into(),
        InvalidName::TooLong { limit } => words::too_long(*limit).into(),
        InvalidName::Nul => std::borrow::Cow::Borrowed(words::NUL),
    };
    Failure::Invalid(FieldErrors::of_field(field, text))
}
