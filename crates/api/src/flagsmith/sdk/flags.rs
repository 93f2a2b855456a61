//! `flags/`: the environment's defaults.

use super::super::answer::Answer;
use super::super::call::Call;
use super::super::error::{Failure, detail};
use super::super::words;
use super::forms::{Flags, VARY, shown_defaults};
use axum::http::StatusCode;
use flagstaff_core::{FeatureId, fold};
use flagstaff_service::{Noun, OpenEnvironment, RequestKind};
use flagstaff_wire::flagsmith::flag::{FlagForm, write_multivariate_options};

/// `GET /api/v1/flags/`
pub(super) async fn flags(call: Call<OpenEnvironment>) -> Result<Answer, Failure> {
    let open = &call.subject;
    call.service()
        .count_request(open, RequestKind::Flags, &call.sdk_labels());
    let rendered = open.published.form_off_thread::<Flags>().await;
    if let Some(name) = call.query().last("feature") {
        return flag(open, &rendered, name);
    }
    let list = rendered.list(open);
    let answer = list.answer(call.headers(), call.config().compress_bytes, VARY);
    Ok(rendered.age.add_to(answer))
}

/// One flag by its name in any case; an empty name means the first flag, as recorded.
fn flag(open: &OpenEnvironment, rendered: &Flags, name: &str) -> Result<Answer, Failure> {
    let snapshot = open.snapshot();
    let mut shown = shown_defaults(snapshot, open.audience());
    let wanted = match snapshot.rules.feature_index(name) {
        Some(exact) => shown.find(|index| *index == exact),
        None if name.is_empty() => shown.next(),
        None => {
            let folded = fold(name);
            shown.find(|index| fold(snapshot.features[*index].feature.name.as_str()) == folded)
        }
    };
    let index = wanted.ok_or_else(no_feature)?;
    let mut out = Vec::new();
    let fragments = rendered.fragments();
    fragments.write_default(index, FlagForm::WithoutVariant, &mut out);
    Ok(Answer::json(out))
}

/// `GET /api/v1/flags/{feature_id}/multivariate-options/`
pub(super) async fn multivariate_options(call: Call<OpenEnvironment>) -> Result<Answer, Failure> {
    let id = FeatureId::new(call.path_id("feature_id")?);
    let open = &call.subject;
    let index = open.snapshot().feature_index_by_id(id);
    let part = index
        .map(|index| &open.snapshot().features[index])
        .filter(|part| open.audience().may_know(&part.feature))
        .ok_or_else(|| Failure::no_match(Noun::Feature))?;
    let mut out = Vec::new();
    write_multivariate_options(part, &mut out);
    Ok(Answer::json(out))
}

pub(super) fn no_feature() -> Failure {
    Failure::Missing(words::NO_FEATURE.into())
}

/// The same failure as an answer, for the routes that add headers to it.
pub(super) fn no_feature_answer() -> Answer {
    detail(StatusCode::NOT_FOUND, words::NO_FEATURE)
}
