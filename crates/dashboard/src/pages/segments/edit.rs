//! One segment: read, edited, tried, stored.

use super::form::SegmentForm;
use super::trial::{Tried, tried};
use super::uses::{Uses, uses};
use super::{list_path, path};
use crate::Dashboard;
use crate::answer::{PageResult, Refused};
use crate::fields::{FieldProblems, Fields};
use crate::fragments::Moment;
use crate::navigation::Section;
use crate::notices::Notice;
use crate::rules::edit::{Action, Outcome, rule_number};
use crate::rules::editor::RuleEditor;
use crate::rules::fields::TooManyParts;
use crate::rules::tree::RuleTree;
use crate::shell::{Place, Shell};
use crate::visitor::SignedIn;
use askama::Template;
use axum::extract::{Path, Query, State};
use axum::http::StatusCode;
use flagstaff_core::{
    EnvironmentPermission, Hash, ProjectPermission, Segment, SegmentId, Snapshot,
};
use serde::Deserialize;
use std::collections::BTreeSet;
use std::sync::Arc;

/// Properties offered while one types.
const OFFERED: usize = 200;

/// The page.
#[derive(Template)]
#[template(path = "segments/edit.html")]
struct SegmentPage<'a> {
    shell: &'a Shell,
    list_path: String,
    /// Where the form is sent.
    path: String,
    stored: Option<StoredPart<'a>>,
    form: &'a SegmentForm,
    hashes: Vec<(&'static str, String, bool)>,
    editor: RuleEditor<'a>,
    problems: &'a FieldProblems,
    outcome: &'a Outcome,
    /// The form holds what is not stored.
    is_draft: bool,
    tried: &'a Tried,
    may_see_identities: bool,
}

impl SegmentPage<'_> {
    /// What people call a field.
    fn field_title(&self, field: &str) -> String {
        field_title(field)
    }
}

/// What is shown of the stored segment.
struct StoredPart<'a> {
    segment: &'a Segment,
    changed: Moment,
    uses: &'a Uses,
}

/// The page for who may not change it.
#[derive(Template)]
#[template(path = "segments/read.html")]
struct ReadPage<'a> {
    shell: &'a Shell,
    list_path: String,
    segment: &'a Segment,
    changed: Moment,
    tree: RuleTree,
    uses: &'a Uses,
}

/// What is known before the form is looked at.
struct Desk {
    shell: Shell,
    client_key: String,
    stored: Option<Segment>,
    snapshot: Arc<Snapshot>,
}

/// Which feature a new segment is for.
#[derive(Deserialize)]
pub(crate) struct AskedFor {
    feature: Option<i64>,
}

/// `GET /environments/{client_key}/segments/new`
pub(crate) async fn new(
    State(dashboard): State<Dashboard>,
    Path(client_key): Path<String>,
    Query(asked): Query<AskedFor>,
    signed_in: SignedIn,
) -> PageResult {
    let desk = desk(&dashboard, &signed_in, client_key, None).await?;
    let mut shown = Shown::new(SegmentForm::new(asked.feature));
    shown.outcome.focus = "name".to_owned();
    shown.answer(&dashboard, &desk).await
}

/// `GET /environments/{client_key}/segments/{segment_id}`
pub(crate) async fn show(
    State(dashboard): State<Dashboard>,
    Path((client_key, id)): Path<(String, i64)>,
    signed_in: SignedIn,
) -> PageResult {
    let id = SegmentId::new(id);
    let desk = desk(&dashboard, &signed_in, client_key, Some(id)).await?;
    let Some(segment) = &desk.stored else {
        return Err(not_found());
    };
    if desk.shell.may_in_project(ProjectPermission::ManageSegments) {
        return Shown::new(SegmentForm::of(segment))
            .answer(&dashboard, &desk)
            .await;
    }
    let uses = uses(&dashboard, &signed_in.caller, segment, &desk.snapshot).await?;
    let template = ReadPage {
        shell: &desk.shell,
        list_path: list_path(&desk.client_key),
        segment,
        changed: Moment::new(segment.updated_at, desk.shell.now),
        tree: RuleTree::of(&segment.rules),
        uses: &uses,
    };
    Ok(desk.shell.page(StatusCode::OK, &template))
}

/// `POST /environments/{client_key}/segments/new`
pub(crate) async fn create(
    State(dashboard): State<Dashboard>,
    Path(client_key): Path<String>,
    signed_in: SignedIn,
    fields: Fields,
) -> PageResult {
    let desk = desk(&dashboard, &signed_in, client_key, None).await?;
    obey(&dashboard, &signed_in, &desk, &fields).await
}

/// `POST /environments/{client_key}/segments/{segment_id}`
pub(crate) async fn change(
    State(dashboard): State<Dashboard>,
    Path((client_key, id)): Path<(String, i64)>,
    signed_in: SignedIn,
    fields: Fields,
) -> PageResult {
    let id = SegmentId::new(id);
    let desk = desk(&dashboard, &signed_in, client_key, Some(id)).await?;
    obey(&dashboard, &signed_in, &desk, &fields).await
}

async fn desk(
    dashboard: &Dashboard,
    signed_in: &SignedIn,
    client_key: String,
    id: Option<SegmentId>,
) -> Result<Desk, Refused> {
    let place = Place::Environment(&client_key);
    let shell = dashboard.shell(signed_in, place, Section::Segments).await?;
    let (service, caller) = (&dashboard.service, &signed_in.caller);
    let stored = match id {
        Some(id) => Some(service.segment(caller, shell.project()?.id, id).await?),
        None => None,
    };
    let published = service.environment_document(caller, &client_key).await?;
    Ok(Desk {
        snapshot: Arc::clone(&published.snapshot),
        shell,
        client_key,
        stored,
    })
}

/// Does what the pressed button says: with the draft, or with what is stored.
async fn obey(
    dashboard: &Dashboard,
    signed_in: &SignedIn,
    desk: &Desk,
    fields: &Fields,
) -> PageResult {
    let form = match SegmentForm::sent(fields) {
        Ok(form) => form,
        Err(TooManyParts) => {
            let text = "The form had more rules than a segment may have. Nothing was changed.";
            let back = list_path(&desk.client_key);
            return Ok(Notice::problem(text).on(&back, dashboard, signed_in));
        }
    };
    let mut shown = Shown::new(form);
    shown.is_draft = true;
    let action = Action::parse(fields.text("action"));
    if action == Action::Save {
        return save(dashboard, signed_in, desk, shown).await;
    }
    shown.outcome = action.apply(&mut shown.form.rules);
    shown.tried = tried(
        dashboard,
        (&signed_in.caller, &desk.client_key),
        (&shown.form, desk.stored.as_ref()),
        &action,
        &mut shown.problems,
    )
    .await?;
    shown.answer(dashboard, desk).await
}

async fn save(
    dashboard: &Dashboard,
    signed_in: &SignedIn,
    desk: &Desk,
    mut shown: Shown,
) -> PageResult {
    let (service, caller) = (&dashboard.service, &signed_in.caller);
    let project = desk.shell.project()?.id;
    let rules = desk.stored.as_ref().map(|segment| segment.rules.as_slice());
    shown.problems = shown.form.problems(rules.unwrap_or_default());
    shown.notice_changes(desk.stored.as_ref());
    if !shown.problems.is_empty() {
        return shown.answer(dashboard, desk).await;
    }
    let saved = match &desk.stored {
        None => {
            let request = shown.form.request();
            service.create_segment(caller, project, request).await
        }
        Some(stored) => {
            let patch = shown.form.patch(stored);
            service
                .update_segment(caller, project, stored.id, patch)
                .await
        }
    };
    match saved {
        Ok(segment) => {
            let notice = Notice::done(format!("Segment {} is saved.", segment.name));
            let path = path(&desk.client_key, segment.id);
            Ok(notice.on(&path, dashboard, signed_in))
        }
        Err(error) => {
            shown.problems = FieldProblems::from_refusal(error)?;
            shown.answer(dashboard, desk).await
        }
    }
}

/// The form as it is to be shown.
struct Shown {
    form: SegmentForm,
    problems: FieldProblems,
    outcome: Outcome,
    tried: Tried,
    is_draft: bool,
}

impl Shown {
    fn new(form: SegmentForm) -> Self {
        Self {
            form,
            problems: FieldProblems::default(),
            outcome: Outcome::default(),
            tried: Tried::default(),
            is_draft: false,
        }
    }

    /// Somebody else's change is not overwritten in silence: whoever sends the form once more has read that.
    fn notice_changes(&mut self, stored: Option<&Segment>) {
        let Some(stored) = stored else {
            return;
        };
        let version = stored.updated_at.micros().to_string();
        if self.form.version != version {
            self.form.version = version;
            let sentence = "Somebody else changed this segment meanwhile. Save once more to put yours in its place, \
                            or throw your changes away to see theirs.";
            self.problems.add("", sentence);
        }
    }

    async fn answer(&self, dashboard: &Dashboard, desk: &Desk) -> PageResult {
        let shell = &desk.shell;
        let uses = match &desk.stored {
            Some(segment) => uses(dashboard, &shell.caller, segment, &desk.snapshot).await?,
            None => Uses::default(),
        };
        let properties = properties(&desk.snapshot);
        let template = SegmentPage {
            shell,
            list_path: list_path(&desk.client_key),
            path: match &desk.stored {
                Some(segment) => path(&desk.client_key, segment.id),
                None => format!("{}/new", list_path(&desk.client_key)),
            },
            stored: desk.stored.as_ref().map(|segment| StoredPart {
                segment,
                changed: Moment::new(segment.updated_at, shell.now),
                uses: &uses,
            }),
            form: &self.form,
            hashes: hashes(&self.form.hash, shell.environment()?.hash),
            editor: RuleEditor {
                rules: &self.form.rules,
                problems: &self.problems,
                outcome: &self.outcome,
                properties: &properties,
                offered: shell.flags.segment_operators.as_deref().unwrap_or_default(),
            },
            problems: &self.problems,
            outcome: &self.outcome,
            is_draft: self.is_draft,
            tried: &self.tried,
            may_see_identities: shell.may_in_environment(EnvironmentPermission::ViewIdentities),
        };
        let status = if self.problems.is_empty() {
            StatusCode::OK
        } else {
            StatusCode::UNPROCESSABLE_ENTITY
        };
        Ok(shell.page(status, &template))
    }
}

/// What can place identities in percentages: the word, how it reads, whether it is chosen.
fn hashes(chosen: &str, environment: Hash) -> Vec<(&'static str, String, bool)> {
    let inherited = format!("As the environment has it ({})", environment.name());
    let mut list = vec![("", inherited, chosen.is_empty())];
    let own = Hash::ALL.iter().map(|hash| hash.name());
    list.extend(own.map(|name| (name, name.to_owned(), name == chosen)));
    list
}

/// What conditions of the project compare, and paths that can be read.
fn properties(snapshot: &Snapshot) -> Vec<String> {
    let mut found = BTreeSet::new();
    let mut waiting: Vec<&flagstaff_core::Rule> = Vec::new();
    for part in &snapshot.segments {
        waiting.extend(&part.segment.rules);
        while let Some(rule) = waiting.pop() {
            waiting.extend(&rule.rules);
            let properties = rule.conditions.iter();
            found.extend(properties.filter_map(|condition| condition.property.clone()));
        }
        if found.len() >= OFFERED {
            break;
        }
    }
    found.retain(|property| !property.is_empty());
    let paths = [
        "$.identity.identifier",
        "$.identity.key",
        "$.environment.name",
    ];
    found.extend(paths.map(str::to_owned));
    found.into_iter().collect()
}

/// What people call a field: `rules.0.rules.1.conditions.2.value` is condition 3 of rule 1.2.
fn field_title(field: &str) -> String {
    let mut parts = field.split('.');
    let (mut rule, mut condition) = (Vec::new(), None);
    while let (Some(list), Some(index)) = (parts.next(), parts.next()) {
        let Ok(index) = index.parse::<usize>() else {
            break;
        };
        match list {
            "rules" => rule.push(index),
            _ => condition = Some(index + 1),
        }
    }
    match (rule.is_empty(), condition) {
        (true, _) => match field {
            "rules" => "Rules".to_owned(),
            "name" => "Name".to_owned(),
            "description" => "Description".to_owned(),
            _ => "Context".to_owned(),
        },
        (false, None) => format!("Rule {}", rule_number(&rule)),
        (false, Some(condition)) => format!("Condition {condition} of rule {}", rule_number(&rule)),
    }
}

fn not_found() -> Refused {
    let noun = flagstaff_service::Noun::Segment;
    flagstaff_service::ServiceError::NotFound { noun }.into()
}

#[cfg(test)]
mod tests {
    use super::field_title;

    #[test]
    fn fields_have_names_for_people() {
        for (field, title) in [
            ("rules", "Rules"),
            ("rules.1", "Rule 2"),
            (
                "rules.0.rules.1.conditions.2.value",
                "Condition 3 of rule 1.2",
            ),
            ("name", "Name"),
        ] {
            assert_eq!(field_title(field), title);
        }
    }
}
