//! The features of an environment as a dashboard lists them: searched, filtered and sorted in the snapshot, which holds
//! them all anyway; the database is asked a few questions for a page, however many features there are.

use crate::environments::EnvironmentPlace;
use crate::error::ServiceResult;
use crate::published::Form;
use crate::{Caller, Service};
use flagstaff_core::text::python_text;
use flagstaff_core::{
    EnvironmentPermission, FeatureId, FeatureKind, MemberId, Project, Snapshot, SnapshotFeature,
    StateOwner, TagId, Timestamp, fold,
};
use flagstaff_store::PageRequest;
use std::cmp::Reverse;
use std::collections::{HashMap, HashSet};
use std::sync::Arc;

/// Days for which evaluations are shown, today included.
pub const EVALUATION_DAYS: usize = 14;
const DAY: i64 = 86_400_000_000;

/// Which features of an environment are listed.
#[derive(Debug, Clone, Default, PartialEq, Eq)]
pub struct OverviewQuery {
    /// Part of a name or a description, without regard to case.
    pub search: Option<String>,
    /// Archived ones instead of the others.
    pub is_archived: bool,
    /// Only those with variants, or only those without.
    pub kind: Option<FeatureKind>,
    /// Only those with this tag.
    pub tag: Option<TagId>,
    /// Only those that this member looks after.
    pub owner: Option<MemberId>,
    /// Only those whose default is on, or off.
    pub is_enabled: Option<bool>,
    /// Part of the default's value, as text.
    pub value: Option<String>,
    /// Only those that nobody has changed for long.
    pub is_stale: bool,
    /// Order.
    pub sort: OverviewSort,
}

/// The order of a list.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Default)]
pub enum OverviewSort {
    /// By name, without regard to case.
    #[default]
    Name,
    /// By name, from the end.
    NameDescending,
    /// Newest first.
    Newest,
    /// Changed last first.
    Changed,
}

/// A feature in the list.
#[derive(Debug, Clone)]
pub struct OverviewRow {
    /// The feature with its default.
    pub part: Arc<SnapshotFeature>,
    /// Segments with a value of their own.
    pub segment_overrides: u32,
    /// Identities with a value of their own.
    pub identity_overrides: u32,
    /// When its default or an override of a segment changed last.
    pub changed_at: Timestamp,
    /// True where nobody has changed it for long, and it is not meant to stay.
    pub is_stale: bool,
    /// What it is sorted by.
    pub tags: Vec<TagId>,
    /// Who looks after it.
    pub owners: Vec<MemberId>,
    /// Evaluations on each of the last days, the oldest first; empty where there were none.
    pub evaluations: Vec<i64>,
}

/// A page of the list.
#[derive(Debug, Clone)]
pub struct Overview {
    /// The rows of the page.
    pub rows: Vec<OverviewRow>,
    /// Features that are as asked for, on all pages.
    pub total: usize,
    /// Features of the environment, archived ones too.
    pub all: usize,
}

/// What the list needs to know of every feature of a snapshot; in the order of its features.
struct Marks {
    folded: Vec<Box<str>>,
    by_name: Vec<usize>,
    segment_overrides: Vec<u32>,
    identity_overrides: Vec<u32>,
    changed_at: Vec<Timestamp>,
}

impl Form for Marks {
    fn render(snapshot: &Snapshot) -> Self {
        let features = &snapshot.features;
        let folded: Vec<Box<str>> = features
            .iter()
            .map(|part| fold(part.feature.name.as_str()).into())
            .collect();
        let mut by_name: Vec<usize> = (0..features.len()).collect();
        by_name.sort_by(|a, b| folded[*a].cmp(&folded[*b]));
        let mut marks = Self {
            folded,
            by_name,
            segment_overrides: vec![0; features.len()],
            identity_overrides: vec![0; features.len()],
            changed_at: features.iter().map(|part| part.state.updated_at).collect(),
        };
        let segments = snapshot.segments.iter();
        let overrides = segments.flat_map(|segment| &segment.overrides);
        let identities = snapshot.identities.iter();
        for state in overrides.chain(identities.flat_map(|identity| &identity.states)) {
            let Some(index) = snapshot.feature_index_by_id(state.feature_id) else {
                continue;
            };
            match &state.owner {
                StateOwner::Identity { .. } => marks.identity_overrides[index] += 1,
                StateOwner::Segment(_) | StateOwner::Environment => {
                    marks.segment_overrides[index] += 1;
                    let changed = &mut marks.changed_at[index];
                    *changed = (*changed).max(state.updated_at);
                }
            }
        }
        marks
    }
}

/// What of a query has to be asked of the database.
struct Chosen {
    tagged: Option<HashSet<FeatureId>>,
    owned: Option<HashSet<FeatureId>>,
    permanent: HashSet<FeatureId>,
    stale_before: Timestamp,
}

impl Chosen {
    fn is_stale(&self, part: &SnapshotFeature, changed: Timestamp) -> bool {
        let changed = changed.max(part.feature.created_at);
        !part.feature.is_archived
            && changed < self.stale_before
            && !self.permanent.contains(&part.feature.id)
    }

    fn accepts(&self, id: FeatureId) -> bool {
        let is_in = |set: &Option<HashSet<FeatureId>>| {
            set.as_ref().is_none_or(|chosen| chosen.contains(&id))
        };
        is_in(&self.tagged) && is_in(&self.owned)
    }
}

impl OverviewQuery {
    fn accepts(&self, part: &SnapshotFeature, folded: &str, needles: &Needles) -> bool {
        let holds = |needle: &str| {
            let value = part.state.value.effective();
            fold(&python_text(&value)).contains(needle)
        };
        let is_named = |needle: &str| {
            let description = part.feature.description.as_deref();
            folded.contains(needle) || description.is_some_and(|text| fold(text).contains(needle))
        };
        part.feature.is_archived == self.is_archived
            && self.kind.is_none_or(|kind| kind == part.feature.kind)
            && self
                .is_enabled
                .is_none_or(|enabled| enabled == part.state.enabled)
            && needles.search.as_deref().is_none_or(is_named)
            && needles.value.as_deref().is_none_or(holds)
    }
}

/// What is searched for, folded once.
struct Needles {
    search: Option<String>,
    value: Option<String>,
}

impl Service {
    /// A page of the features of an environment.
    ///
    /// # Errors
    /// As [`Service::environment`].
    pub async fn feature_overview(
        &self,
        caller: &Caller,
        api_key: &str,
        query: &OverviewQuery,
        page: PageRequest,
    ) -> ServiceResult<Overview> {
        let viewing = EnvironmentPermission::ViewEnvironment;
        let place = self.environment_for(caller, api_key, viewing).await?;
        let published = self.published(place.environment.id).await?;
        let marks = published.form_off_thread::<Marks>().await;
        let snapshot = &*published.snapshot;
        let chosen = self.chosen(&place.project, query).await?;
        let needles = Needles {
            search: query.search.as_deref().map(fold),
            value: query.value.as_deref().map(fold),
        };
        let mut found: Vec<usize> = marks
            .by_name
            .iter()
            .copied()
            .filter(|index| {
                let part = &snapshot.features[*index];
                query.accepts(part, &marks.folded[*index], &needles)
                    && chosen.accepts(part.feature.id)
                    && (!query.is_stale || chosen.is_stale(part, marks.changed_at[*index]))
            })
            .collect();
        match query.sort {
            OverviewSort::Name => {}
            OverviewSort::NameDescending => found.reverse(),
            OverviewSort::Newest => {
                let made = |index: &usize| snapshot.features[*index].feature.id;
                found.sort_by_key(|index| Reverse(made(index)));
            }
            OverviewSort::Changed => found.sort_by_key(|index| Reverse(marks.changed_at[*index])),
        }
        let before = (page.page.max(1) - 1) as usize * page.size as usize;
        let shown = found.iter().skip(before).take(page.size as usize);
        let rows = shown
            .map(|index| row(&snapshot.features[*index], *index, &marks, &chosen))
            .collect();
        Ok(Overview {
            rows: self.with_marks(&place, rows).await?,
            total: found.len(),
            all: snapshot.features.len(),
        })
    }

    async fn chosen(&self, project: &Project, query: &OverviewQuery) -> ServiceResult<Chosen> {
        let store = self.store();
        let tagged = match query.tag {
            Some(tag) => Some(store.features_with_tag(project.id, tag).await?),
            None => None,
        };
        let owned = match query.owner {
            Some(owner) => Some(store.features_with_owner(project.id, owner).await?),
            None => None,
        };
        let permanent = store.permanent_features(project.id).await?;
        let limit = project.stale_flags_limit_days.saturating_mul(DAY);
        Ok(Chosen {
            tagged: tagged.map(|ids| ids.into_iter().collect()),
            owned: owned.map(|ids| ids.into_iter().collect()),
            permanent: permanent.into_iter().collect(),
            stale_before: self.clock().now().plus_micros(limit.saturating_neg()),
        })
    }

    /// Adds to a page of rows what only the database knows.
    async fn with_marks(
        &self,
        place: &EnvironmentPlace,
        mut rows: Vec<OverviewRow>,
    ) -> ServiceResult<Vec<OverviewRow>> {
        let ids: Vec<FeatureId> = rows.iter().map(|row| row.part.feature.id).collect();
        let positions: HashMap<FeatureId, usize> = ids.iter().copied().zip(0..).collect();
        let store = self.store();
        for (feature, tag) in store.tags_of_features(&ids).await? {
            rows[positions[&feature]].tags.push(tag);
        }
        for (feature, owner) in store.owners_of_features(&ids).await? {
            rows[positions[&feature]].owners.push(owner);
        }
        let now = self.clock().now().micros();
        let first = (now.div_euclid(DAY) - (EVALUATION_DAYS as i64 - 1)) * DAY;
        let since = Timestamp::from_micros(first);
        let environment = place.environment.id;
        for (feature, day, count) in store.evaluations_by_day(environment, &ids, since).await? {
            let counts = &mut rows[positions[&feature]].evaluations;
            counts.resize(EVALUATION_DAYS, 0);
            let day = usize::try_from(day).unwrap_or(usize::MAX);
            if let Some(shown) = counts.get_mut(day) {
                *shown += count;
            }
        }
        Ok(rows)
    }
}

fn row(part: &Arc<SnapshotFeature>, index: usize, marks: &Marks, chosen: &Chosen) -> OverviewRow {
    let changed_at = marks.changed_at[index];
    OverviewRow {
        is_stale: chosen.is_stale(part, changed_at),
        part: Arc::clone(part),
        segment_overrides: marks.segment_overrides[index],
        identity_overrides: marks.identity_overrides[index],
        changed_at,
        tags: Vec::new(),
        owners: Vec::new(),
        evaluations: Vec::new(),
    }
}
