//! Lists of features: searched, sorted, in pages.

use crate::error::{Problem, ServiceError, ServiceResult};
use crate::feature_views::FeatureView;
use crate::{Caller, Service};
use flagstaff_core::text::python_text;
use flagstaff_core::{
    EnvironmentId, Feature, FeatureKind, FeatureState, IdentityId, MemberId, ProjectId, SegmentId,
    Snapshot, fold,
};
use flagstaff_store::{FeatureFilter, FeatureSort, Page, PageRequest, TagFilter};
use std::collections::HashSet;

/// Which features are asked for.
#[derive(Debug, Clone, Default)]
pub struct FeatureQuery {
    /// The environment whose state is shown.
    pub environment: Option<EnvironmentId>,
    /// The segment whose override in the environment is shown.
    pub segment: Option<SegmentId>,
    /// The identity whose overrides in the environment come first.
    pub identity: Option<IdentityId>,
    /// Part of a name.
    pub search: Option<String>,
    /// Only archived ones, or only others.
    pub is_archived: Option<bool>,
    /// Only those with variants, or only those without.
    pub kind: Option<FeatureKind>,
    /// By their tags.
    pub tags: Option<TagFilter>,
    /// Only those that one of these looks after.
    pub owners: Option<Vec<MemberId>>,
    /// Only those whose default is on, or only those where it is off; asks for an environment.
    pub is_enabled: Option<bool>,
    /// Part of the default's value, as text; asks for an environment.
    pub value: Option<String>,
    /// Order.
    pub sort: FeatureSort,
}

impl FeatureQuery {
    fn asks_for_state(&self) -> bool {
        self.is_enabled.is_some() || self.value.is_some()
    }

    /// True where the page can only be cut when all features are known.
    fn asks_for_all(&self) -> bool {
        self.asks_for_state() || self.identity.is_some()
    }

    fn accepts(&self, state: &FeatureState) -> bool {
        let holds = |part: &String| {
            let value = state.value.effective();
            fold(&python_text(&value)).contains(&fold(part))
        };
        self.is_enabled
            .is_none_or(|enabled| enabled == state.enabled)
            && self.value.as_ref().is_none_or(holds)
    }
}

impl Service {
    /// Features of a project.
    ///
    /// # Errors
    /// As [`Service::project`], [`ServiceError::NotFound`] for an environment of another project, and
    /// [`Problem::Required`] where a search needs an environment and none is named.
    pub async fn features(
        &self,
        caller: &Caller,
        project: ProjectId,
        query: FeatureQuery,
        page: PageRequest,
    ) -> ServiceResult<Page<FeatureView>> {
        let project = self.visible_project(caller, project).await?;
        let published = match query.environment {
            Some(id) => {
                let environment = self.environment_in(&project, id).await?;
                Some(self.published(environment.id).await?)
            }
            None => None,
        };
        let environment = published.as_ref().map(|published| &*published.snapshot);
        let filter = FeatureFilter {
            search: query.search.clone(),
            is_archived: query.is_archived,
            kind: query.kind,
            tags: query.tags.clone(),
            owners: query.owners.clone(),
            sort: query.sort,
        };
        let found = match environment {
            Some(snapshot) if query.asks_for_all() => {
                self.features_by_state(snapshot, &filter, &query, page)
                    .await?
            }
            None if query.asks_for_state() => {
                return Err(ServiceError::invalid("environment", Problem::Required));
            }
            Some(_) | None => self.store().features(project.id, &filter, page).await?,
        };
        let items = self.feature_views(found.items, environment, query.segment);
        Ok(Page {
            items: items.await?,
            total: found.total,
        })
    }

    /// Features whose default in an environment is as asked for, looked up in the environment's snapshot.
    async fn features_by_state(
        &self,
        snapshot: &Snapshot,
        filter: &FeatureFilter,
        query: &FeatureQuery,
        page: PageRequest,
    ) -> ServiceResult<Page<Feature>> {
        let environment = &snapshot.environment;
        let is_asked_for = |feature: &Feature| {
            let index = snapshot.feature_index_by_id(feature.id);
            index.is_some_and(|index| query.accepts(&snapshot.features[index].state))
        };
        let mut accepted = Vec::new();
        for number in 1.. {
            let all = PageRequest {
                page: number,
                size: PageRequest::LIMIT,
            };
            let store = self.store();
            let part = store.features(environment.project_id, filter, all).await?;
            let is_last = part.items.len() < PageRequest::LIMIT as usize;
            accepted.extend(part.items.into_iter().filter(is_asked_for));
            if is_last {
                break;
            }
        }
        if let Some(identity) = query.identity {
            let now = self.clock().now();
            let store = self.store();
            let states = store.identity_states(environment.id, identity, now).await?;
            let first: HashSet<_> = states.iter().map(|state| state.feature_id).collect();
            accepted.sort_by_key(|feature| !first.contains(&feature.id));
        }
        let total = i64::try_from(accepted.len()).unwrap_or(i64::MAX);
        let before = (page.page.max(1) - 1) as usize * page.size as usize;
        let items = accepted.into_iter().skip(before);
        Ok(Page {
            items: items.take(page.size as usize).collect(),
            total,
        })
    }
}
