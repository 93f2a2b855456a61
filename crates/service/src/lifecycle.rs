//! Features that nobody seems to need any more, and who looks after them.

use crate::error::ServiceResult;
use crate::{Caller, Service};
use flagstaff_core::{Feature, FeatureId, Member, MemberId, ProjectId, Timestamp};
use flagstaff_store::{Page, PageRequest, UnusedFilter};
use std::collections::{BTreeMap, HashMap};

/// A day, in microseconds.
const DAY: i64 = 24 * 3_600_000_000;
/// Days that can be asked for.
const DAY_LIMIT: u32 = 3_650;
/// Features that are told to be due at once, at most.
pub const DUE_LIMIT: usize = 200;

/// Which features are asked for.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub struct UnusedQuery {
    /// Days without an evaluation, taken as 1 to 3,650; a younger feature is not asked for.
    pub days: u32,
    /// Archived ones instead of the others.
    pub is_archived: bool,
    /// Those with a permanent tag too.
    pub with_permanent: bool,
    /// `Some(None)`: those that nobody looks after.
    pub owner: Option<Option<MemberId>>,
}

/// A feature that nobody evaluated for long.
#[derive(Debug, Clone, PartialEq)]
pub struct UnusedFeature {
    /// The feature.
    pub feature: Feature,
    /// When it was last evaluated, in any environment; `None` for never.
    pub last_evaluated: Option<Timestamp>,
    /// When anything it serves was last changed.
    pub last_changed: Option<Timestamp>,
    /// Who looks after it.
    pub owners: Vec<Member>,
}

/// A page of them.
#[derive(Debug, Clone, Default, PartialEq)]
pub struct UnusedFeatures {
    /// The features, the oldest first.
    pub page: Page<UnusedFeature>,
    /// How many each member looks after, most first; those of nobody under `None`.
    pub by_owner: Vec<(Option<Member>, usize)>,
}

/// A feature that is expected to be gone soon, or should be gone.
#[derive(Debug, Clone, PartialEq)]
pub struct DueFeature {
    /// The feature.
    pub feature: Feature,
    /// The first microsecond (UTC) of the day by which it is expected to be gone.
    pub day: Timestamp,
    /// True where that day is over.
    pub is_overdue: bool,
    /// Who looks after it.
    pub owners: Vec<Member>,
}

/// Features that are due.
#[derive(Debug, Clone, Default, PartialEq)]
pub struct DueFeatures {
    /// The earliest day first; [`DUE_LIMIT`] at most.
    pub items: Vec<DueFeature>,
    /// How many there are.
    pub total: usize,
}

impl Service {
    /// Features of a project whose expected removal is at most some days away, and those that should be gone.
    ///
    /// # Errors
    /// As [`Service::project`].
    pub async fn due_features(
        &self,
        caller: &Caller,
        project: ProjectId,
        days: u32,
    ) -> ServiceResult<DueFeatures> {
        let project = self.visible_project(caller, project).await?;
        let store = self.store();
        let today = self.clock().now().start_of_day();
        let until = today.plus_micros(i64::from(days.min(DAY_LIMIT)) * DAY);
        let due = store.features_due(project.id, until).await?;
        let total = due.len();
        let shown: Vec<FeatureId> = due.into_iter().take(DUE_LIMIT).collect();
        let features = store.features_by_id(&shown).await?;
        let mut looked_after = self.looked_after(&shown).await?;
        let mut items: Vec<DueFeature> = features
            .into_iter()
            .filter_map(|feature| {
                // None where it was put off since.
                let day = feature.expected_removal?;
                Some(DueFeature {
                    is_overdue: day < today,
                    owners: looked_after.remove(&feature.id).unwrap_or_default(),
                    feature,
                    day,
                })
            })
            .collect();
        items.sort_by_key(|due| (due.day, due.feature.id));
        Ok(DueFeatures { items, total })
    }

    /// Features of a project that were evaluated in no environment for some days, as far as SDKs told.
    ///
    /// # Errors
    /// As [`Service::project`].
    pub async fn unused_features(
        &self,
        caller: &Caller,
        project: ProjectId,
        query: UnusedQuery,
        page: PageRequest,
    ) -> ServiceResult<UnusedFeatures> {
        let project = self.visible_project(caller, project).await?;
        let store = self.store();
        // All of them: a feature that is used where the caller cannot look is used.
        let environments = store.environments(project.id).await?;
        let environments: Vec<_> = environments.iter().map(|found| found.id).collect();
        let now = self.clock().now().micros();
        let filter = UnusedFilter {
            since: Timestamp::from_micros(now - i64::from(query.days.clamp(1, DAY_LIMIT)) * DAY),
            environments: environments.clone(),
            is_archived: query.is_archived,
            with_permanent: query.with_permanent,
        };
        let unused = store.unused_features(project.id, &filter).await?;
        let mut owners: HashMap<FeatureId, Vec<MemberId>> = HashMap::new();
        for (feature, member) in store.owners_in_project(project.id).await? {
            owners.entry(feature).or_default().push(member);
        }
        let by_owner = self.counted_by_owner(&unused, &owners).await?;
        let is_asked_for = |id: &FeatureId| match query.owner {
            None => true,
            Some(None) => !owners.contains_key(id),
            Some(Some(owner)) => owners.get(id).is_some_and(|list| list.contains(&owner)),
        };
        let wanted: Vec<FeatureId> = unused.into_iter().filter(is_asked_for).collect();
        let before = (page.page.max(1) - 1) as usize * page.size as usize;
        let shown: Vec<_> = wanted
            .iter()
            .skip(before)
            .take(page.size as usize)
            .collect();
        let shown: Vec<FeatureId> = shown.into_iter().copied().collect();
        let evaluated = store.last_evaluations(&environments, &shown).await?;
        let changed = store.last_state_changes(&shown).await?;
        let mut looked_after = self.looked_after(&shown).await?;
        // The list is in order of ids, as they are.
        let features = store.features_by_id(&shown).await?.into_iter();
        let items = features.map(|feature| UnusedFeature {
            last_evaluated: evaluated.get(&feature.id).copied(),
            last_changed: changed.get(&feature.id).copied(),
            owners: looked_after.remove(&feature.id).unwrap_or_default(),
            feature,
        });
        let total = i64::try_from(wanted.len()).unwrap_or(i64::MAX);
        Ok(UnusedFeatures {
            page: Page {
                items: items.collect(),
                total,
            },
            by_owner,
        })
    }

    /// Who looks after each of some features.
    async fn looked_after(
        &self,
        features: &[FeatureId],
    ) -> ServiceResult<HashMap<FeatureId, Vec<Member>>> {
        let mut owners: HashMap<FeatureId, Vec<Member>> = HashMap::new();
        for (feature, owner) in self.store().feature_owners(features).await? {
            owners.entry(feature).or_default().push(owner);
        }
        Ok(owners)
    }

    async fn counted_by_owner(
        &self,
        features: &[FeatureId],
        owners: &HashMap<FeatureId, Vec<MemberId>>,
    ) -> ServiceResult<Vec<(Option<Member>, usize)>> {
        let mut counts: BTreeMap<Option<MemberId>, usize> = BTreeMap::new();
        for feature in features {
            match owners.get(feature) {
                Some(list) => {
                    for owner in list {
                        *counts.entry(Some(*owner)).or_insert(0) += 1;
                    }
                }
                None => *counts.entry(None).or_insert(0) += 1,
            }
        }
        let mut by_owner = Vec::with_capacity(counts.len());
        for (owner, count) in counts {
            let member = match owner {
                Some(id) => self.store().member(id).await?,
                None => None,
            };
            if member.is_some() || owner.is_none() {
                by_owner.push((member, count));
            }
        }
        by_owner.sort_by_key(|(_, count)| std::cmp::Reverse(*count));
        Ok(by_owner)
    }
}
