//! The feature itself: what it is for, who looks after it, what kind of values it has, its variants, and its end.

use super::frame::{Frame, Tab};
use super::state_form::{self, variant_label};
use crate::Dashboard;
use crate::answer::PageResult;
use crate::fields::{FieldProblems, Fields};
use crate::fragments::dates::{day, parse_day};
use crate::notices::Notice;
use crate::pages::question::Question;
use crate::shell::Shell;
use crate::values::{text_of, type_label, typed};
use crate::visitor::SignedIn;
use askama::Template;
use axum::extract::{Path, Query, State};
use axum::http::StatusCode;
use axum::response::Response;
use flagstaff_core::{Hash, MemberId, OptionId, ProjectPermission, TagId, ValueType};
use flagstaff_service::{
    FeaturePatch, Noun, OptionPatch, OptionRequest, PageRequest, ServiceError, ServiceResult,
    TagPatch, ValueChange,
};

/// The page.
#[derive(Template)]
#[template(path = "features/settings.html")]
struct SettingsPage<'a> {
    shell: &'a Shell,
    frame: &'a Frame,
    problems: &'a FieldProblems,
    description: String,
    /// `2026-12-31`, or empty.
    expected_removal: String,
    types: Vec<Choice>,
    hashes: Vec<Choice>,
    tags: Vec<TagChoice>,
    owners: Vec<OwnerChoice>,
    variants: Vec<VariantRow>,
    may_delete: bool,
    may_tag: bool,
}

struct Choice {
    word: &'static str,
    label: String,
    is_chosen: bool,
}

struct TagChoice {
    id: i64,
    label: String,
    colour: String,
    is_chosen: bool,
}

struct OwnerChoice {
    id: i64,
    email: String,
    is_chosen: bool,
}

struct VariantRow {
    id: i64,
    label: String,
    key: String,
    value: String,
    weight: String,
}

type Place = Path<(String, i64)>;

/// `GET /environments/{client_key}/features/{feature_id}/settings`; `?remove_variant=3` asks whether that is meant.
pub(crate) async fn show(
    State(dashboard): State<Dashboard>,
    Path((client_key, feature_id)): Place,
    Query(sent): Query<Vec<(String, String)>>,
    signed_in: SignedIn,
) -> PageResult {
    let frame = dashboard
        .feature_frame(&signed_in, &client_key, feature_id, Tab::Settings)
        .await?;
    let sent: Fields = sent.into_iter().collect();
    if let Some(option) = sent.parsed("remove_variant").map(OptionId::new) {
        let (path, label) = (
            format!("{}/settings", frame.path),
            label_of(&frame, option)?,
        );
        return Ok(removal(&frame, &path, option, &label).asked());
    }
    let problems = FieldProblems::default();
    Ok(page(&dashboard, &signed_in, &frame, &problems, StatusCode::OK).await?)
}

/// `POST /environments/{client_key}/features/{feature_id}/settings`
pub(crate) async fn submit(
    State(dashboard): State<Dashboard>,
    Path((client_key, feature_id)): Place,
    signed_in: SignedIn,
    fields: Fields,
) -> PageResult {
    let frame = dashboard
        .feature_frame(&signed_in, &client_key, feature_id, Tab::Settings)
        .await?;
    let status = StatusCode::UNPROCESSABLE_ENTITY;
    let day = fields.filled("expected_removal");
    if day.is_some_and(|day| parse_day(day).is_none()) {
        let mut problems = FieldProblems::default();
        problems.add("expected_removal", "Give a day, as in 2026-12-31.");
        return Ok(page(&dashboard, &signed_in, &frame, &problems, status).await?);
    }
    if let Some(option) = fields.parsed("remove_variant").map(OptionId::new) {
        let (path, label) = (
            format!("{}/settings", frame.path),
            label_of(&frame, option)?,
        );
        removal(&frame, &path, option, &label).answered(&fields)?;
    }
    match change(&dashboard, &signed_in, &frame, &fields).await {
        Ok(said) => {
            let path = format!("{}/settings", frame.path);
            Ok(Notice::done(said).on(&path, &dashboard, &signed_in))
        }
        Err(error) => {
            let problems = state_form::problems(error)?.under(&[
                ("value", "variant"),
                ("weights", "variant"),
                ("key", "variant"),
                ("default_percentage_allocation", "variant"),
                ("label", "new_tag"),
            ]);
            Ok(page(&dashboard, &signed_in, &frame, &problems, status).await?)
        }
    }
}

/// What a variant is called.
fn label_of(frame: &Frame, id: OptionId) -> ServiceResult<String> {
    let mut options = frame.options().iter().enumerate();
    let found = options.find(|(_, option)| option.id == id);
    let noun = Noun::MultivariateOption;
    let (position, option) = found.ok_or(ServiceError::NotFound { noun })?;
    Ok(variant_label(position, option))
}

/// Whether a variant is to go.
fn removal<'a>(frame: &'a Frame, path: &'a str, option: OptionId, label: &'a str) -> Question<'a> {
    Question {
        shell: &frame.shell,
        from: (path, frame.feature().name.as_str()),
        heading: format!("Remove the variant {label}"),
        text: "It goes from every environment: whoever gets it now gets another value at once.",
        name: label,
        button: "Remove the variant",
        action: path,
        fields: vec![("remove_variant", option.get().to_string())],
    }
}

/// Does what the pressed button says, and tells what was done.
async fn change(
    dashboard: &Dashboard,
    signed_in: &SignedIn,
    frame: &Frame,
    fields: &Fields,
) -> ServiceResult<String> {
    let (service, caller) = (&dashboard.service, &signed_in.caller);
    let feature = frame.feature();
    let (project, id) = (feature.project_id, feature.id);
    let option = |name: &str| fields.parsed(name).map(OptionId::new);
    if let Some(option) = option("save_variant") {
        let row = option.get();
        let value = typed(
            fields.text(&format!("variant.{row}.value")),
            feature.value_type,
        );
        let patch = OptionPatch {
            key: Some(
                fields
                    .filled(&format!("variant.{row}.key"))
                    .map(str::to_owned),
            ),
            value: Some(ValueChange::exactly(&value)),
            default_percentage_allocation: fields.parsed(&format!("variant.{row}.weight")),
        };
        service
            .update_option(caller, project, id, option, patch)
            .await?;
        return Ok("The variant was saved.".to_owned());
    }
    if let Some(option) = option("remove_variant") {
        service.delete_option(caller, project, id, option).await?;
        return Ok("The variant was taken away.".to_owned());
    }
    if fields.has("add_variant") {
        let request = OptionRequest {
            key: fields.filled("new_key").map(str::to_owned),
            value: typed(fields.text("new_value"), feature.value_type),
            default_percentage_allocation: fields.parsed("new_weight").unwrap_or(0.0),
        };
        service.create_option(caller, project, id, request).await?;
        return Ok("The variant was added.".to_owned());
    }
    if let Some(archive) = fields.filled("archive") {
        let is_archived = archive == "true";
        let patch = FeaturePatch {
            is_archived: Some(is_archived),
            ..FeaturePatch::default()
        };
        service.update_feature(caller, project, id, patch).await?;
        let done = if is_archived {
            "archived"
        } else {
            "brought back"
        };
        return Ok(format!("{} was {done}.", feature.name));
    }
    save(dashboard, signed_in, frame, fields).await?;
    Ok(format!("The settings of {} were saved.", feature.name))
}

async fn save(
    dashboard: &Dashboard,
    signed_in: &SignedIn,
    frame: &Frame,
    fields: &Fields,
) -> ServiceResult<()> {
    let (service, caller) = (&dashboard.service, &signed_in.caller);
    let feature = frame.feature();
    let (project, id) = (feature.project_id, feature.id);
    let ids = |name| fields.all(name).filter_map(|id| id.parse::<i64>().ok());
    let mut tags: Vec<TagId> = ids("tag").map(TagId::new).collect();
    if let Some(label) = fields.filled("new_tag") {
        let patch = TagPatch {
            label: Some(label.to_owned()),
            ..TagPatch::default()
        };
        tags.push(service.create_tag(caller, project, patch).await?.id);
    }
    let patch = FeaturePatch {
        description: Some(fields.filled("description").map(str::to_owned)),
        is_server_key_only: Some(fields.is_on("is_server_key_only")),
        hash: Some(Hash::parse(fields.text("hash"))),
        expected_removal: Some(fields.filled("expected_removal").and_then(parse_day)),
        value_type: ValueType::parse(fields.text("value_type"))
            .filter(|chosen| *chosen != feature.value_type),
        tags: Some(tags),
        ..FeaturePatch::default()
    };
    service.update_feature(caller, project, id, patch).await?;
    let before: Vec<MemberId> = frame.view.owners.iter().map(|owner| owner.id).collect();
    let after: Vec<MemberId> = ids("owner").map(MemberId::new).collect();
    let missing = |from: &[MemberId], other: &[MemberId]| -> Vec<MemberId> {
        let missing = from.iter().filter(|id| !other.contains(id));
        missing.copied().collect()
    };
    let (added, removed) = (missing(&after, &before), missing(&before, &after));
    if !added.is_empty() {
        service
            .add_feature_owners(caller, project, id, &added)
            .await?;
    }
    if !removed.is_empty() {
        service
            .remove_feature_owners(caller, project, id, &removed)
            .await?;
    }
    Ok(())
}

async fn page(
    dashboard: &Dashboard,
    signed_in: &SignedIn,
    frame: &Frame,
    problems: &FieldProblems,
    status: StatusCode,
) -> ServiceResult<Response> {
    let (service, caller) = (&dashboard.service, &signed_in.caller);
    let feature = frame.feature();
    let project = frame.shell.project()?;
    let all = PageRequest::first();
    let tags = service.tags(caller, project.id, all).await?.items;
    let members = service.members_of(caller, project.organisation_id).await?;
    let template = SettingsPage {
        description: feature.description.clone().unwrap_or_default(),
        expected_removal: feature.expected_removal.map(day).unwrap_or_default(),
        types: types(feature.value_type),
        hashes: hashes(feature.hash),
        tags: tags
            .into_iter()
            .map(|tag| TagChoice {
                is_chosen: frame.view.tags.contains(&tag.id),
                id: tag.id.get(),
                label: tag.label,
                colour: tag.colour,
            })
            .collect(),
        owners: members
            .into_iter()
            .map(|(member, _)| OwnerChoice {
                is_chosen: frame.view.owners.iter().any(|owner| owner.id == member.id),
                id: member.id.get(),
                email: member.email,
            })
            .collect(),
        variants: variants(frame),
        may_delete: frame.shell.may_in_project(ProjectPermission::DeleteFeature),
        may_tag: frame.shell.may_in_project(ProjectPermission::ManageTags),
        shell: &frame.shell,
        problems,
        frame,
    };
    Ok(frame.shell.page(status, &template))
}

fn types(chosen: ValueType) -> Vec<Choice> {
    let choice = |value_type: ValueType| Choice {
        word: value_type.name(),
        label: type_label(value_type).to_owned(),
        is_chosen: value_type == chosen,
    };
    ValueType::ALL.into_iter().map(choice).collect()
}

fn hashes(chosen: Option<Hash>) -> Vec<Choice> {
    let none = Choice {
        word: "",
        label: "As the environment has it".to_owned(),
        is_chosen: chosen.is_none(),
    };
    let choice = |hash: Hash| Choice {
        word: hash.name(),
        label: hash.name().to_owned(),
        is_chosen: chosen == Some(hash),
    };
    let hashes = Hash::ALL.into_iter().map(choice);
    std::iter::once(none).chain(hashes).collect()
}

fn variants(frame: &Frame) -> Vec<VariantRow> {
    let options = frame.options().iter().enumerate();
    let row = |(position, option): (usize, &flagstaff_core::MultivariateOption)| VariantRow {
        id: option.id.get(),
        label: variant_label(position, option),
        key: option.key.clone().unwrap_or_default(),
        value: text_of(&option.value),
        weight: option.default_percentage_allocation.to_string(),
    };
    options.map(row).collect()
}
