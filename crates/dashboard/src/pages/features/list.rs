//! The list of features: searched, filtered and sorted.

use super::{feature_path, list_path};
use crate::Dashboard;
use crate::answer::{PageResult, encoded};
use crate::fragments::{Moment, Pages, Sparkline};
use crate::navigation::Section;
use crate::shell::{Place, Shell};
use crate::values::{glance_of, type_word};
use crate::visitor::SignedIn;
use askama::Template;
use axum::extract::{Path, Query, State};
use axum::http::StatusCode;
use flagstaff_core::{
    EnvironmentPermission, FeatureKind, Member, MemberId, ProjectPermission, Tag, TagId,
};
use flagstaff_service::{OverviewQuery, OverviewRow, OverviewSort, PageRequest};
use serde::Deserialize;

/// Features on a page.
const PAGE: u32 = 50;

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
    // Asked before the rows: a change in between makes the page older than it is, and the next look brings it up to date.
    let version = service
        .environment_document(caller, &client_key)
        .await?
        .snapshot
        .revision;
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
        version,
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
