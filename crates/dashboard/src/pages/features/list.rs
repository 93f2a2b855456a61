//! The list of features: searched, filtered, sorted, and changed several at a time.

use super::{feature_path, list_path};
use crate::Dashboard;
use crate::answer::{PageResult, encoded, is_own_path};
use crate::fields::Fields;
use crate::fragments::{Moment, Pages, Sparkline};
use crate::navigation::Section;
use crate::notices::Notice;
use crate::shell::{Place, Shell};
use crate::values::{glance_of, type_word};
use crate::visitor::SignedIn;
use askama::Template;
use axum::extract::{Path, Query, State};
use axum::http::StatusCode;
use flagstaff_core::{
    EnvironmentPermission, FeatureId, FeatureKind, Member, MemberId, ProjectPermission, Tag, TagId,
};
use flagstaff_service::{
    FeaturePatch, OverviewQuery, OverviewRow, OverviewSort, PageRequest, ServedChanges,
    ServiceError, ServiceResult, StatePatch, WriteMode,
};
use serde::Deserialize;

/// Features on a page.
const PAGE: u32 = 50;
/// The most features that are changed at a time: those of a page.
const AT_ONCE: usize = 200;

/// The page.
#[derive(Template)]
#[template(path = "features/list.html")]
struct ListPage<'a> {
    shell: &'a Shell,
    wish: &'a Wish,
    environment: &'a str,
    list_path: String,
    rows: Vec<Row>,
    pages: Pages,
    all: usize,
    version: i64,
    sorts: Vec<SortLink>,
    tags: &'a [Tag],
    members: &'a [Member],
    may_change: bool,
    may_create: bool,
    may_archive: bool,
}

/// What the address says; everything is optional.
#[derive(Debug, Default, Clone, Deserialize)]
pub(crate) struct Wish {
    #[serde(default)]
    q: String,
    #[serde(default)]
    tag: String,
    #[serde(default)]
    owner: String,
    #[serde(default)]
    state: String,
    #[serde(default)]
    value: String,
    #[serde(default)]
    kind: String,
    #[serde(default)]
    sort: String,
    #[serde(default)]
    page: String,
}

struct Row {
    id: i64,
    name: String,
    description: String,
    path: String,
    is_enabled: bool,
    value: String,
    kind: &'static str,
    variants: usize,
    segment_overrides: u32,
    identity_overrides: u32,
    changed: Moment,
    is_stale: bool,
    is_server_key_only: bool,
    tags: Vec<(String, String)>,
    owners: Vec<String>,
    sparkline: Option<Sparkline>,
}

struct SortLink {
    word: &'static str,
    label: &'static str,
    is_here: bool,
}

impl Wish {
    fn query(&self) -> OverviewQuery {
        let filled = |text: &str| (!text.trim().is_empty()).then(|| text.trim().to_owned());
        OverviewQuery {
            search: filled(&self.q),
            is_archived: self.state == "archived",
            kind: match self.kind.as_str() {
                "standard" => Some(FeatureKind::Standard),
                "multivariate" => Some(FeatureKind::Multivariate),
                _ => None,
            },
            tag: self.tag.parse().ok().map(TagId::new),
            owner: self.owner.parse().ok().map(MemberId::new),
            is_enabled: match self.state.as_str() {
                "on" => Some(true),
                "off" => Some(false),
                _ => None,
            },
            value: filled(&self.value),
            is_stale: self.state == "stale",
            sort: self.order(),
        }
    }

    fn order(&self) -> OverviewSort {
        match self.sort.as_str() {
            "-name" => OverviewSort::NameDescending,
            "new" => OverviewSort::Newest,
            "changed" => OverviewSort::Changed,
            _ => OverviewSort::Name,
        }
    }

    /// True where something is left out of the list.
    fn is_narrowed(&self) -> bool {
        let filters = [
            &self.q,
            &self.tag,
            &self.owner,
            &self.state,
            &self.value,
            &self.kind,
        ];
        filters.iter().any(|filter| !filter.is_empty())
    }

    /// The address of a page of the same list.
    fn path(&self, list: &str, page: u32) -> String {
        let number = page.to_string();
        let pairs = [
            ("q", &self.q),
            ("tag", &self.tag),
            ("owner", &self.owner),
            ("state", &self.state),
            ("value", &self.value),
            ("kind", &self.kind),
            ("sort", &self.sort),
            ("page", &number),
        ];
        let pairs: Vec<String> = pairs
            .into_iter()
            .filter(|(name, value)| !value.is_empty() && (*name != "page" || page > 1))
            .map(|(name, value)| format!("{name}={}", encoded(value)))
            .collect();
        if pairs.is_empty() {
            return list.to_owned();
        }
        format!("{list}?{}", pairs.join("&"))
    }
}

/// `GET /environments/{client_key}/features`
pub(crate) async fn show(
    State(dashboard): State<Dashboard>,
    Path(client_key): Path<String>,
    Query(wish): Query<Wish>,
    signed_in: SignedIn,
) -> PageResult {
    let (service, caller) = (&dashboard.service, &signed_in.caller);
    let place = Place::Environment(&client_key);
    let shell = dashboard
        .shell(&signed_in, place, Section::Features)
        .await?;
    let here = wish.page.parse().unwrap_or(1).max(1);
    let request = PageRequest {
        page: here,
        size: PAGE,
    };
    let found = service
        .feature_overview(caller, &client_key, &wish.query(), request)
        .await?;
    let project = shell.project()?;
    let tags = service
        .tags(caller, project.id, PageRequest::first())
        .await?
        .items;
    let members = service.members_of(caller, project.organisation_id).await?;
    let members: Vec<Member> = members.into_iter().map(|(member, _)| member).collect();
    let list = list_path(&client_key);
    let total = i64::try_from(found.total).unwrap_or(i64::MAX);
    let rows = found.rows.iter();
    let template = ListPage {
        rows: rows
            .map(|found| row(found, &client_key, &shell, &tags, &members))
            .collect(),
        pages: Pages::new(here, PAGE, total, |page| wish.path(&list, page)),
        all: found.all,
        version: service
            .environment_document(caller, &client_key)
            .await?
            .snapshot
            .revision,
        sorts: sorts(&wish),
        environment: &shell.environment()?.name,
        list_path: list,
        tags: &tags,
        members: &members,
        may_change: shell.may_in_environment(EnvironmentPermission::UpdateFeatureState),
        may_create: shell.may_in_project(ProjectPermission::CreateFeature),
        may_archive: shell.may_in_project(ProjectPermission::CreateFeature),
        wish: &wish,
        shell: &shell,
    };
    Ok(shell.page(StatusCode::OK, &template))
}

fn sorts(wish: &Wish) -> Vec<SortLink> {
    let all = [
        ("", "Name, A to Z", OverviewSort::Name),
        ("-name", "Name, Z to A", OverviewSort::NameDescending),
        ("changed", "Changed last", OverviewSort::Changed),
        ("new", "Newest", OverviewSort::Newest),
    ];
    let link = |(word, label, sort)| SortLink {
        word,
        label,
        is_here: sort == wish.order(),
    };
    all.into_iter().map(link).collect()
}

fn row(
    found: &OverviewRow,
    client_key: &str,
    shell: &Shell,
    tags: &[Tag],
    members: &[Member],
) -> Row {
    let (feature, state) = (&found.part.feature, &found.part.state);
    let tag = |id: &TagId| {
        let tag = tags.iter().find(|tag| tag.id == *id)?;
        Some((tag.label.clone(), tag.colour.clone()))
    };
    let owner = |id: &MemberId| {
        let member = members.iter().find(|member| member.id == *id)?;
        Some(member.email.clone())
    };
    let evaluations = found.evaluations.clone();
    Row {
        id: feature.id.get(),
        name: feature.name.to_string(),
        description: feature.description.clone().unwrap_or_default(),
        path: feature_path(client_key, feature.id),
        is_enabled: state.enabled,
        value: glance_of(&state.value),
        kind: type_word(feature.value_type, &state.value),
        variants: found.part.options.len(),
        segment_overrides: found.segment_overrides,
        identity_overrides: found.identity_overrides,
        changed: Moment::new(found.changed_at, shell.now),
        is_stale: found.is_stale,
        is_server_key_only: feature.is_server_key_only,
        tags: found.tags.iter().filter_map(tag).collect(),
        owners: found.owners.iter().filter_map(owner).collect(),
        sparkline: (!evaluations.is_empty())
            .then(|| Sparkline::new(evaluations, "evaluations in 14 days")),
    }
}

/// What is done to the features that were ticked.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
enum Action {
    Switch(bool),
    Archive(bool),
}

impl Action {
    fn parse(word: &str) -> Option<Self> {
        match word {
            "on" => Some(Self::Switch(true)),
            "off" => Some(Self::Switch(false)),
            "archive" => Some(Self::Archive(true)),
            "restore" => Some(Self::Archive(false)),
            _ => None,
        }
    }

    const fn undone_by(self) -> &'static str {
        match self {
            Self::Switch(true) => "off",
            Self::Switch(false) => "on",
            Self::Archive(true) => "restore",
            Self::Archive(false) => "archive",
        }
    }

    fn said(self, count: usize, environment: &str) -> String {
        let (noun, verb) = if count == 1 {
            ("feature", "was")
        } else {
            ("features", "were")
        };
        match self {
            Self::Switch(true) => format!("{count} {noun} {verb} switched on in {environment}."),
            Self::Switch(false) => format!("{count} {noun} {verb} switched off in {environment}."),
            Self::Archive(true) => format!("{count} {noun} {verb} archived."),
            Self::Archive(false) => format!("{count} {noun} {verb} brought back."),
        }
    }
}

/// `POST /environments/{client_key}/features`: does one thing to the features that were ticked.
pub(crate) async fn change_several(
    State(dashboard): State<Dashboard>,
    Path(client_key): Path<String>,
    signed_in: SignedIn,
    fields: Fields,
) -> PageResult {
    let environment = dashboard
        .service
        .environment(&signed_in.caller, &client_key)
        .await?;
    let list = list_path(&client_key);
    let back = Some(fields.text("back")).filter(|path| is_own_path(path));
    let back = back.unwrap_or(&list);
    let ids: Vec<FeatureId> = fields
        .all("feature")
        .filter_map(|id| id.parse().ok().map(FeatureId::new))
        .take(AT_ONCE)
        .collect();
    let Some(action) = Action::parse(fields.text("action")).filter(|_| !ids.is_empty()) else {
        let notice = Notice::problem("Tick the features that are meant first.");
        return Ok(notice.on(back, &dashboard, &signed_in));
    };
    let mut changed = Vec::new();
    for id in ids {
        if act(&dashboard, &signed_in, &client_key, action, id).await? {
            changed.push(id.get().to_string());
        }
    }
    let mut notice = Notice::done(action.said(changed.len(), &environment.name));
    if !changed.is_empty() {
        let mut undo = vec![("action", action.undone_by()), ("back", back)];
        undo.extend(changed.iter().map(|id| ("feature", id.as_str())));
        notice = notice.with_undo(list.clone(), &undo);
    }
    Ok(notice.on(back, &dashboard, &signed_in))
}

/// True where it was not so already.
async fn act(
    dashboard: &Dashboard,
    signed_in: &SignedIn,
    client_key: &str,
    action: Action,
    id: FeatureId,
) -> ServiceResult<bool> {
    let (service, caller) = (&dashboard.service, &signed_in.caller);
    match action {
        Action::Switch(enabled) => {
            let served = service.served_feature(caller, client_key, id).await;
            let served = match served {
                // Deleted meanwhile.
                Err(ServiceError::NotFound { .. }) => return Ok(false),
                other => other?,
            };
            if served.default.enabled == enabled {
                return Ok(false);
            }
            let patch = StatePatch {
                enabled: Some(enabled),
                ..StatePatch::default()
            };
            let changes = ServedChanges {
                default: Some(patch),
                ..ServedChanges::default()
            };
            service
                .change_served_feature(caller, client_key, id, changes, WriteMode::Update)
                .await?;
        }
        Action::Archive(is_archived) => {
            let environment = service.environment(caller, client_key).await?;
            let view = service.feature(caller, environment.project_id, id).await?;
            if view.feature.is_archived == is_archived {
                return Ok(false);
            }
            let patch = FeaturePatch {
                is_archived: Some(is_archived),
                ..FeaturePatch::default()
            };
            service
                .update_feature(caller, environment.project_id, id, patch)
                .await?;
        }
    }
    Ok(true)
}
