//! `identities/`: the flags of one identity.

use super::super::answer::Answer;
use super::super::call::Call;
use super::super::error::{Failure, detail};
use super::super::fields::{Fields, Need, Text};
use super::flags::no_feature_answer;
use super::forms::Flags;
use super::sent_identification;
use super::traits::{read_trait_key, read_trait_value};
use axum::http::StatusCode;
use flagstaff_core::{Evaluator, Flag, Identifier, Value};
use flagstaff_service::{
    Identification, Identified, OpenEnvironment, RequestKind, SentTrait, ShownTrait,
};
use flagstaff_wire::flagsmith::flag::FlagForm;
use flagstaff_wire::flagsmith::identity::{IdentityAnswer, TraitAnswer};

/// `GET /api/v1/identities/?identifier=…`
pub(super) async fn identity(call: Call<OpenEnvironment>) -> Result<Answer, Failure> {
    let open = &call.subject;
    let kind = RequestKind::Identities;
    call.service().count_request(open, kind, &call.sdk_labels());
    let query = call.query();
    let Some(identifier) = query.last("identifier").filter(|text| !text.is_empty()) else {
        // Recorded with this status; clients rely on it.
        return Ok(detail(StatusCode::OK, "Missing identifier"));
    };
    let identification = Identification {
        identifier: Some(identifier.to_owned()),
        traits: Vec::new(),
        // Any text counts, even `false`, as recorded.
        transient: query.last("transient").is_some_and(|text| !text.is_empty()),
    };
    let identified = call.service().identify(open, identification).await?;
    let feature = query.last("feature").filter(|name| !name.is_empty());
    let rendered = open.published.form_off_thread::<Flags>().await;
    let answer = match feature {
        Some(name) => one_flag(open, &rendered, &identified, name),
        None => all_flags(open, &rendered, &identified),
    };
    Ok(rendered.age.add_to(answer))
}

/// `POST /api/v1/identities/`
pub(super) async fn identify(mut call: Call<OpenEnvironment>) -> Result<Answer, Failure> {
    let body = call.body_bytes().await?;
    let received = call.received(&body);
    let (config, limit) = (call.config(), call.config().traits);
    let quick = received.json_text(config);
    let identification = match quick.and_then(|text| sent_identification::read(text, limit)) {
        Some(identification) => identification,
        None => {
            let body = received.json(config)?;
            Fields::read(&body, |fields| read_identification(fields, limit))?
        }
    };
    let open = &call.subject;
    let kind = RequestKind::Identities;
    call.service().count_request(open, kind, &call.sdk_labels());
    let identified = call.service().identify(open, identification).await?;
    let rendered = open.published.form_off_thread::<Flags>().await;
    let answer = all_flags(open, &rendered, &identified);
    Ok(rendered.age.add_to(answer))
}

pub(super) fn read_identification(fields: &mut Fields<'_>, limit: usize) -> Identification {
    let identifier = Text::up_to(Identifier::LIMIT).or_blank();
    Identification {
        identifier: fields
            .text("identifier", Need::OptionalOrNull, identifier)
            .value(),
        traits: fields
            .list("traits", Need::Optional, limit, read_sent_trait)
            .or_default(),
        transient: fields.boolean("transient", Need::Optional).or_default(),
    }
}

fn read_sent_trait(fields: &mut Fields<'_>) -> SentTrait {
    SentTrait {
        key: read_trait_key(fields),
        value: read_trait_value(fields, Need::RequiredOrNull).unwrap_or(Value::Null),
        transient: fields.boolean("transient", Need::Optional).or_default(),
    }
}

fn all_flags(open: &OpenEnvironment, rendered: &Flags, identified: &Identified) -> Answer {
    let context = identified.context();
    let mut evaluator = open.snapshot().rules.evaluator(&context);
    let flags = shown_flags(open, &mut evaluator);
    let traits = trait_answers(&identified.traits);
    let answer = IdentityAnswer {
        identifier: &identified.identifier,
        traits: &traits,
    };
    Answer::json(answer.to_bytes(rendered.fragments(), flags))
}

/// One flag by its exact name.
fn one_flag(
    open: &OpenEnvironment,
    rendered: &Flags,
    identified: &Identified,
    name: &str,
) -> Answer {
    let snapshot = open.snapshot();
    let audience = open.audience();
    let index = snapshot
        .rules
        .feature_index(name)
        .filter(|index| audience.may_know(&snapshot.features[*index].feature));
    let Some(index) = index else {
        return no_feature_answer();
    };
    let context = identified.context();
    let flag = snapshot.rules.evaluator(&context).flag(index);
    if !audience.sees(flag.enabled) {
        return no_feature_answer();
    }
    let mut out = Vec::new();
    rendered
        .fragments()
        .write(&flag, FlagForm::WithVariant, &mut out);
    Answer::json(out)
}

/// The flags that the caller may see, in the order of the features.
pub(super) fn shown_flags<'e, 's>(
    open: &'s OpenEnvironment,
    evaluator: &'e mut Evaluator<'s>,
) -> impl Iterator<Item = Flag<'s>> + use<'e, 's> {
    let audience = open.audience();
    let features = open.snapshot().features.iter().enumerate();
    features
        .filter(move |(_, part)| audience.may_know(&part.feature))
        .map(|(index, _)| evaluator.flag(index))
        .filter(move |flag| audience.sees(flag.enabled))
}

pub(super) fn trait_answers(traits: &[ShownTrait]) -> Vec<TraitAnswer<'_>> {
    traits
        .iter()
        .map(|shown| TraitAnswer {
            id: shown.id,
            key: &shown.key,
            value: &shown.value,
            transient: shown.transient,
        })
        .collect()
}
