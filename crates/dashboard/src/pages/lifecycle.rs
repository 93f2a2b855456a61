//! Flags that nobody seems to need any more, by who looks after them.

use crate::Dashboard;
use crate::answer::{PageResult, encoded};
use crate::fields::{FieldProblems, Fields};
use crate::fragments::dates::day;
use crate::fragments::{Moment, Pages};
use crate::navigation::Section;
use crate::notices::Notice;
use crate::shell::{Place, Shell};
use crate::visitor::SignedIn;
use askama::Template;
use axum::extract::{Path, Query, State};
use axum::http::StatusCode;
use flagstaff_core::{FeatureId, Member, MemberId, ProjectPermission};
use flagstaff_service::{DueFeature, FeaturePatch, PageRequest, UnusedFeature, UnusedQuery};

const SHOWN: u32 = 50;
/// Flags that are archived at once, at most: those of a page.
const CHOSEN: usize = SHOWN as usize;

/// How many days before its expected removal a flag is shown.
const SOON: u32 = 30;

/// The page.
#[derive(Template)]
#[template(path = "lifecycle.html")]
struct LifecyclePage<'a> {
    shell: &'a Shell,
    path: String,
    /// The same with the question, for forms that lead back here.
    here: String,
    asked: &'a Asked,
    owners: Vec<OwnerChoice>,
    features: Vec<FeatureRow>,
    due: Vec<DueRow>,
    /// Further ones that are due and not shown.
    more_due: usize,
    pages: Pages,
    may_archive: bool,
}

struct OwnerChoice {
    value: String,
    label: String,
    is_chosen: bool,
}

struct FeatureRow {
    id: i64,
    name: String,
    link: Option<String>,
    created: Moment,
    last_evaluated: Option<Moment>,
    last_changed: Option<Moment>,
    owners: String,
}

/// A feature that is to go soon, or should be gone.
struct DueRow {
    id: i64,
    name: String,
    link: Option<String>,
    day: String,
    is_overdue: bool,
    owners: String,
}

/// What is asked for.
struct Asked {
    days: u32,
    is_archived: bool,
    with_permanent: bool,
    owner: String,
    page: u32,
}

impl Asked {
    fn read(fields: &Fields, usual_days: i64) -> Self {
        let usual = u32::try_from(usual_days).unwrap_or(30).max(1);
        Self {
            days: fields.parsed("days").unwrap_or(usual).clamp(1, 3_650),
            is_archived: fields.is_on("archived"),
            with_permanent: fields.is_on("permanent"),
            owner: fields.text("owner").to_owned(),
            page: fields.parsed("page").unwrap_or(1).max(1),
        }
    }

    fn query(&self) -> UnusedQuery {
        UnusedQuery {
            days: self.days,
            is_archived: self.is_archived,
            with_permanent: self.with_permanent,
            owner: match self.owner.as_str() {
                "nobody" => Some(None),
                id => id.parse().ok().map(|id| Some(MemberId::new(id))),
            },
        }
    }

    fn address(&self, path: &str, page: u32) -> String {
        let mut address = format!("{path}?days={}", self.days);
        if self.is_archived {
            address.push_str("&archived=on");
        }
        if self.with_permanent {
            address.push_str("&permanent=on");
        }
        if !self.owner.is_empty() {
            address.push_str(&format!("&owner={}", encoded(&self.owner)));
        }
        if page > 1 {
            address.push_str(&format!("&page={page}"));
        }
        address
    }
}

/// `GET /environments/{client_key}/lifecycle`
pub(crate) async fn show(
    State(dashboard): State<Dashboard>,
    Path(client_key): Path<String>,
    Query(sent): Query<Vec<(String, String)>>,
    signed_in: SignedIn,
) -> PageResult {
    let place = Place::Environment(&client_key);
    let shell = dashboard
        .shell(&signed_in, place, Section::Lifecycle)
        .await?;
    let project = shell.project()?;
    let asked = Asked::read(&sent.into_iter().collect(), project.stale_flags_limit_days);
    let page = PageRequest {
        page: asked.page,
        size: SHOWN,
    };
    let found = dashboard
        .service
        .unused_features(&shell.caller, project.id, asked.query(), page)
        .await?;
    let due = dashboard
        .service
        .due_features(&shell.caller, project.id, SOON)
        .await?;
    let path = format!("/environments/{}/lifecycle", encoded(&client_key));
    let owners = found.by_owner.into_iter().map(|(owner, count)| {
        let value = owner
            .as_ref()
            .map_or_else(|| "nobody".to_owned(), |member| member.id.get().to_string());
        let name = owner.map_or_else(|| "Nobody".to_owned(), |member| member.email);
        OwnerChoice {
            is_chosen: value == asked.owner,
            label: format!("{name} ({count})"),
            value,
        }
    });
    let has_page = dashboard.has_page("/environments/{client_key}/features/{feature_id}");
    let template = LifecyclePage {
        more_due: due.total.saturating_sub(due.items.len()),
        due: due
            .items
            .into_iter()
            .map(|item| due_row(&client_key, has_page, item))
            .collect(),
        here: asked.address(&path, asked.page),
        owners: owners.collect(),
        pages: Pages::new(asked.page, SHOWN, found.page.total, |page| {
            asked.address(&path, page)
        }),
        features: found
            .page
            .items
            .into_iter()
            .map(|item| row(&shell, &client_key, has_page, item))
            .collect(),
        may_archive: shell.may_in_project(ProjectPermission::CreateFeature),
        asked: &asked,
        shell: &shell,
        path,
    };
    Ok(shell.page(StatusCode::OK, &template))
}

fn feature_link(client_key: &str, has_page: bool, id: i64) -> Option<String> {
    has_page.then(|| format!("/environments/{}/features/{id}", encoded(client_key)))
}

fn names(owners: Vec<Member>) -> String {
    let owners: Vec<String> = owners.into_iter().map(|owner| owner.email).collect();
    owners.join(", ")
}

fn due_row(client_key: &str, has_page: bool, item: DueFeature) -> DueRow {
    let id = item.feature.id.get();
    DueRow {
        id,
        link: feature_link(client_key, has_page, id),
        name: item.feature.name.as_str().to_owned(),
        day: day(item.day),
        is_overdue: item.is_overdue,
        owners: names(item.owners),
    }
}

fn row(shell: &Shell, client_key: &str, has_page: bool, item: UnusedFeature) -> FeatureRow {
    let id = item.feature.id.get();
    let moment = |at| Moment::new(at, shell.now);
    FeatureRow {
        id,
        link: feature_link(client_key, has_page, id),
        name: item.feature.name.as_str().to_owned(),
        created: moment(item.feature.created_at),
        last_evaluated: item.last_evaluated.map(moment),
        last_changed: item.last_changed.map(moment),
        owners: names(item.owners),
    }
}

/// `POST /environments/{client_key}/lifecycle`: archives the chosen flags, or brings them back.
pub(crate) async fn archive(
    State(dashboard): State<Dashboard>,
    Path(client_key): Path<String>,
    signed_in: SignedIn,
    fields: Fields,
) -> PageResult {
    let shell = dashboard
        .shell(
            &signed_in,
            Place::Environment(&client_key),
            Section::Lifecycle,
        )
        .await?;
    let project = shell.project()?.id;
    let path = format!("/environments/{}/lifecycle", encoded(&client_key));
    let back = Some(fields.text("back")).filter(|back| back.starts_with(&path));
    let is_archived = fields.text("action") != "restore";
    let chosen: Vec<&str> = fields.all("feature").take(CHOSEN).collect();
    let mut count = 0;
    for id in chosen.iter().filter_map(|id| id.parse().ok()) {
        let patch = FeaturePatch {
            is_archived: Some(is_archived),
            ..FeaturePatch::default()
        };
        let changed = dashboard
            .service
            .update_feature(&shell.caller, project, FeatureId::new(id), patch)
            .await;
        if let Err(error) = changed {
            let problems = FieldProblems::from_refusal(error)?;
            let notice = Notice::problem(problems.elsewhere([]).join(" "));
            return Ok(notice.on(back.unwrap_or(&path), &dashboard, &signed_in));
        }
        count += 1;
    }
    let flags = if count == 1 { "flag" } else { "flags" };
    let notice = match (count, is_archived) {
        (0, _) => Notice::problem("No flag was chosen."),
        (_, true) => {
            let mut undo = vec![("action", "restore")];
            undo.extend(chosen.iter().map(|id| ("feature", *id)));
            let done = Notice::done(format!("{count} {flags} archived."));
            // A cookie holds so much and no more.
            if undo.len() <= 21 {
                done.with_undo(path.clone(), &undo)
            } else {
                done
            }
        }
        (_, false) => Notice::done(format!("{count} {flags} brought back.")),
    };
    Ok(notice.on(back.unwrap_or(&path), &dashboard, &signed_in))
}
