//! Features as bodies say and answers show them.

use super::super::field_errors::FieldErrors;
use super::super::fields::{Fields, Need, Text};
use super::super::words;
use super::option_body;
use super::state_bodies;
use super::state_values::TEXT;
use super::{times, words_of_ours};
use flagstaff_core::{FeatureKind, Hash, Member, MemberId, TagId};
use flagstaff_service::{FeaturePatch, FeatureRequest, FeatureView};
use flagstaff_wire::python;
use serde_json::{Map, Value as Json, json};

const NAME: Text = Text::up_to(2000);
const DESCRIPTION: Text = Text::up_to(20_000).or_blank();
/// Options in one body.
const OPTION_LIMIT: usize = 1000;
/// Tags in one body.
const TAG_LIMIT: usize = 1000;
/// Owners in one body.
const OWNER_LIMIT: usize = 100;
/// The words of the kinds of features.
pub(super) const KINDS_OF_FEATURE: [(&str, FeatureKind); 2] = [
    ("STANDARD", FeatureKind::Standard),
    ("MULTIVARIATE", FeatureKind::Multivariate),
];

/// Which members an answer has: the original's differ by request, as recorded.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(super) enum Shown {
    Created,
    Patched,
    /// Found by its stable id.
    Found,
    Whole,
}

/// Reads a feature to be made.
pub(super) fn read_request(fields: &mut Fields<'_>) -> FeatureRequest {
    let (tags, owners) = (read_tags(fields), read_owners(fields));
    let description = fields.text("description", Need::OptionalOrNull, DESCRIPTION);
    let kind = fields.choice("type", Need::Optional, &KINDS_OF_FEATURE);
    let options = fields.list(
        "multivariate_options",
        Need::Optional,
        OPTION_LIMIT,
        option_body::read_request,
    );
    let mut boolean = |name| fields.boolean(name, Need::Optional).or_default();
    FeatureRequest {
        default_enabled: boolean("default_enabled"),
        is_archived: boolean("is_archived"),
        is_server_key_only: boolean("is_server_key_only"),
        hash: words_of_ours::read_hash(fields, Need::OptionalOrNull).value(),
        value_type: words_of_ours::read_value_type(fields).unwrap_or_default(),
        expected_removal: words_of_ours::read_expected_removal(fields).value(),
        name: fields.text("name", Need::Required, NAME).or_default(),
        initial_value: read_initial_value(fields),
        description: description.value(),
        options: options.or_default(),
        kind: kind.value().unwrap_or_default(),
        tags: tags.unwrap_or_default(),
        owners,
    }
}

/// Reads what of a feature may change; name, type and initial value are passed over, as recorded.
pub(super) fn read_patch(fields: &mut Fields<'_>) -> FeaturePatch {
    let tags = read_tags(fields);
    let description = fields.text("description", Need::OptionalOrNull, DESCRIPTION);
    FeaturePatch {
        description: description.change(),
        is_archived: fields.boolean("is_archived", Need::Optional).value(),
        is_server_key_only: fields.boolean("is_server_key_only", Need::Optional).value(),
        hash: words_of_ours::read_hash(fields, Need::OptionalOrNull).change(),
        value_type: words_of_ours::read_value_type(fields),
        expected_removal: words_of_ours::read_expected_removal(fields).change(),
        tags,
    }
}

/// Whatever is sent becomes text, as Python prints it.
fn read_initial_value(fields: &mut Fields<'_>) -> Option<String> {
    let json = fields.json("initial_value")?;
    if json.is_null() {
        return None;
    }
    // The limits are those of every value.
    let text = json!({ "initial_value": python::text(json) });
    let read = Fields::read_nested(&text, |inner| {
        inner.text("initial_value", Need::Optional, TEXT).value()
    });
    match read {
        Ok(text) => text,
        Err(FieldErrors::Fields(errors)) => {
            for (_, errors) in errors {
                fields.fail_with("initial_value", errors);
            }
            None
        }
        Err(_) => None,
    }
}

/// Reads the tags of a feature.
fn read_tags(fields: &mut Fields<'_>) -> Option<Vec<TagId>> {
    let ids = fields.row_ids("tags", Need::Optional, TAG_LIMIT).value()?;
    Some(ids.into_iter().map(TagId::new).collect())
}

/// Reads who looks after a new feature; no group can, because there are none.
fn read_owners(fields: &mut Fields<'_>) -> Option<Vec<MemberId>> {
    let groups = fields.row_ids("group_owners", Need::Optional, OWNER_LIMIT);
    if let Some(group) = groups.or_default().first() {
        fields.fail("group_owners", words::no_such_row(group));
    }
    let ids = fields
        .row_ids("owners", Need::Optional, OWNER_LIMIT)
        .value()?;
    Some(ids.into_iter().map(MemberId::new).collect())
}

/// A feature as an answer shows it.
pub(super) fn shape(view: &FeatureView, shown: Shown) -> Json {
    let mut members = definition(view);
    let mut insert = |name: &str, value: Json| {
        members.insert(name.to_owned(), value);
    };
    let state = view.state.as_ref().map(state_bodies::beside_feature);
    insert("environment_feature_state", state.into());
    let state = view.segment_state.as_ref();
    let state = state.map(state_bodies::beside_feature);
    insert("segment_feature_state", state.into());
    insert("num_segment_overrides", view.segment_overrides.into());
    // Recorded: none is not a number.
    let identity_overrides = view.identity_overrides.filter(|count| *count > 0);
    insert("num_identity_overrides", identity_overrides.into());
    if shown != Shown::Patched {
        insert("is_num_identity_overrides_complete", true.into());
    }
    insert("is_server_key_only", view.feature.is_server_key_only.into());
    let time = times::shown_optional(view.last_modified);
    insert("last_modified_in_any_environment", time.into());
    let time = times::shown_optional(view.last_modified_here);
    insert("last_modified_in_current_environment", time.into());
    if shown != Shown::Found {
        insert("metadata", json!([]));
    }
    if matches!(shown, Shown::Patched | Shown::Whole) {
        insert("code_references_counts", json!([]));
    }
    insert("hash", view.feature.hash.map(Hash::name).into());
    insert("value_type", view.feature.value_type.name().into());
    let removal = view.feature.expected_removal;
    insert(
        "expected_removal_date",
        removal.map(times::shown_day).into(),
    );
    Json::Object(members)
}

/// A feature as an answer about its owners shows it.
pub(super) fn shape_with_owners(view: &FeatureView) -> Json {
    let feature = &view.feature;
    json!({
        "id": feature.id.get(),
        "name": feature.name.as_str(),
        "created_date": times::shown(feature.created_at),
        "description": feature.description,
        "initial_value": feature.initial_value,
        "default_enabled": feature.default_enabled,
        "type": feature_kind_text(feature.kind),
        "owners": view.owners.iter().map(owner).collect::<Json>(),
        "group_owners": [],
        "is_server_key_only": feature.is_server_key_only,
    })
}

fn definition(view: &FeatureView) -> Map<String, Json> {
    let feature = &view.feature;
    let definition = json!({
        "id": feature.id.get(),
        "name": feature.name.as_str(),
        "type": feature_kind_text(feature.kind),
        "default_enabled": feature.default_enabled,
        "initial_value": feature.initial_value,
        "created_date": times::shown(feature.created_at),
        "description": feature.description,
        "tags": view.tags.iter().map(|tag| Json::from(tag.get())).collect::<Json>(),
        "multivariate_options": view.options.iter().map(option_body::shape).collect::<Json>(),
        "is_archived": feature.is_archived,
        "owners": view.owners.iter().map(owner).collect::<Json>(),
        "group_owners": [],
        "uuid": feature.uuid.to_string(),
        "project": feature.project_id.get(),
    });
    match definition {
        Json::Object(members) => members,
        _ => Map::new(),
    }
}

/// The word of a kind of feature.
pub(super) const fn feature_kind_text(kind: FeatureKind) -> &'static str {
    match kind {
        FeatureKind::Standard => "STANDARD",
        FeatureKind::Multivariate => "MULTIVARIATE",
    }
}

fn owner(member: &Member) -> Json {
    json!({
        "id": member.id.get(),
        "email": member.email,
        "first_name": member.first_name,
        "last_name": member.last_name,
        "last_login": times::shown_optional(member.last_login),
        "uuid": member.uuid.to_string(),
    })
}
