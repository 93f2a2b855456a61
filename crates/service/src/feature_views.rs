//! Features with what they are shown with.

use crate::Service;
use crate::error::{Noun, ServiceError, ServiceResult};
use flagstaff_core::{
    Feature, FeatureId, FeatureState, Member, MultivariateOption, SegmentId, Snapshot,
    SnapshotSegment, TagId, Timestamp,
};
use std::collections::HashMap;

/// A feature with what is shown beside it.
#[derive(Debug, Clone)]
pub struct FeatureView {
    /// The feature.
    pub feature: Feature,
    /// Its options, in order of their ids.
    pub options: Vec<MultivariateOption>,
    /// Who looks after it.
    pub owners: Vec<Member>,
    /// What it is sorted by, in order of their ids.
    pub tags: Vec<TagId>,
    /// Segment overrides, in the environment asked for or in all.
    pub segment_overrides: i64,
    /// Identity overrides in the environment asked for.
    pub identity_overrides: Option<i64>,
    /// Its default in the environment asked for.
    pub state: Option<FeatureState>,
    /// Its override for the segment asked for, there.
    pub segment_state: Option<FeatureState>,
    /// When it last changed, of all environments where it changes by versions.
    pub last_modified: Option<Timestamp>,
    /// When it last changed in the environment asked for, if it changes by versions there.
    pub last_modified_here: Option<Timestamp>,
}

impl FeatureView {
    /// What the snapshot of an environment knows of a feature.
    fn of(
        feature: Feature,
        environment: Option<&Snapshot>,
        segment: Option<&SnapshotSegment>,
    ) -> Self {
        let state = environment.and_then(|snapshot| {
            let index = snapshot.feature_index_by_id(feature.id)?;
            Some(snapshot.features[index].state.clone())
        });
        let segment_state = segment.and_then(|segment| {
            let mut states = segment.overrides.iter();
            states.find(|state| state.feature_id == feature.id).cloned()
        });
        Self {
            feature,
            options: Vec::new(),
            owners: Vec::new(),
            tags: Vec::new(),
            segment_overrides: 0,
            identity_overrides: None,
            state,
            segment_state,
            last_modified: None,
            last_modified_here: None,
        }
    }
}

impl Service {
    /// One feature with what it is shown with.
    pub(crate) async fn feature_view(&self, feature: Feature) -> ServiceResult<FeatureView> {
        let mut views = self.feature_views(vec![feature], None, None).await?;
        views.pop().ok_or(ServiceError::NotFound {
            noun: Noun::Feature,
        })
    }

    /// Features with what they are shown with, in an environment and for a segment: a few questions to the database,
    /// however many features there are.
    pub(crate) async fn feature_views(
        &self,
        features: Vec<Feature>,
        environment: Option<&Snapshot>,
        segment: Option<SegmentId>,
    ) -> ServiceResult<Vec<FeatureView>> {
        let (store, now) = (self.store(), self.clock().now());
        let ids: Vec<FeatureId> = features.iter().map(|feature| feature.id).collect();
        let here = environment.map(|snapshot| snapshot.environment.id);
        let segments = environment.iter().flat_map(|snapshot| &snapshot.segments);
        let segment = segments
            .into_iter()
            .find(|each| Some(each.segment.id) == segment);
        let overrides = store.count_overrides(&ids, here, now).await?;
        let mut views: Vec<FeatureView> = features
            .into_iter()
            .map(|feature| {
                let counted = overrides.get(&feature.id).copied().unwrap_or_default();
                let mut view = FeatureView::of(feature, environment, segment.map(|found| &**found));
                view.segment_overrides = counted.segments;
                view.identity_overrides = here.map(|_| counted.identities);
                view
            })
            .collect();
        let positions: HashMap<FeatureId, usize> = ids.iter().copied().zip(0..).collect();
        for (id, at_environment, at) in store.last_version_times(&ids, now).await? {
            let view = &mut views[positions[&id]];
            view.last_modified = view.last_modified.max(Some(at));
            if Some(at_environment) == here {
                view.last_modified_here = Some(at);
            }
        }
        for option in store.options_of_features(&ids).await? {
            views[positions[&option.feature_id]].options.push(option);
        }
        for (id, owner) in store.feature_owners(&ids).await? {
            views[positions[&id]].owners.push(owner);
        }
        for (id, tag) in store.tags_of_features(&ids).await? {
            views[positions[&id]].tags.push(tag);
        }
        Ok(views)
    }
}
