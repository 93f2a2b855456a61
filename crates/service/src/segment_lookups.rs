//! Segments by what they have to do with: an identity, features, a stable id.

use crate::error::{Noun, ServiceError, ServiceResult};
use crate::segments::SegmentQuery;
use crate::{Caller, Identification, OpenEnvironment, Service};
use flagstaff_core::{
    EnvironmentId, FeatureState, IdentityId, ProjectId, Segment, SegmentId, fold,
};
use flagstaff_store::{Page, PageRequest};
use uuid::Uuid;

impl Service {
    /// A segment by its stable id.
    ///
    /// # Errors
    /// [`ServiceError::NotFound`] when there is none, or it is somebody else's.
    pub async fn segment_by_uuid(&self, caller: &Caller, uuid: Uuid) -> ServiceResult<Segment> {
        let missing = || ServiceError::NotFound {
            noun: Noun::Segment,
        };
        let segment = self.store().segment_by_uuid(uuid).await?;
        let segment = segment.ok_or_else(missing)?;
        match self.visible_project(caller, segment.project_id).await {
            Ok(_) => Ok(segment),
            Err(ServiceError::NotFound { .. }) => Err(missing()),
            Err(error) => Err(error),
        }
    }

    /// The live overrides for a segment, in one environment of its project or in all of them.
    ///
    /// # Errors
    /// As [`Service::segment`].
    pub async fn segment_features(
        &self,
        caller: &Caller,
        project: ProjectId,
        id: SegmentId,
        environment: Option<EnvironmentId>,
    ) -> ServiceResult<Vec<FeatureState>> {
        let segment = self.segment(caller, project, id).await?;
        let now = self.clock().now();
        let mut states = Vec::new();
        for each in self.store().environments(project).await? {
            if environment.is_none_or(|environment| environment == each.id) {
                let found = self.store().states_of_segment(each.id, segment.id, now);
                states.extend(found.await?);
            }
        }
        states.sort_unstable_by_key(|state| state.id);
        Ok(states)
    }

    /// The segments that an identity is in by its stored traits.
    pub(crate) async fn segments_of_identity(
        &self,
        caller: &Caller,
        project: ProjectId,
        identity: IdentityId,
        query: &SegmentQuery,
        page: PageRequest,
    ) -> ServiceResult<Page<Segment>> {
        let missing = || ServiceError::NotFound {
            noun: Noun::Identity,
        };
        let identity = self.store().identity(identity).await?;
        let identity = identity.ok_or_else(missing)?;
        let environment = self.store().environment(identity.environment_id).await?;
        let environment = environment.filter(|found| found.project_id == project);
        let environment = environment.ok_or_else(missing)?;
        let api_key = environment.api_key;
        let (place, _) = self.seen_identity(caller, &api_key, identity.id).await?;
        let open = OpenEnvironment {
            published: self.published(place.environment.id).await?,
            server_side: true,
        };
        let identification = Identification {
            identifier: Some(identity.identifier.to_string()),
            traits: Vec::new(),
            // Looking stores nothing.
            transient: true,
        };
        let identified = self.identify(&open, identification).await?;
        let snapshot = open.snapshot();
        let context = identified.context();
        let matching = snapshot.rules.evaluator(&context).matching_segments();
        let found = matching
            .into_iter()
            .filter_map(|index| snapshot.segments.get(index));
        let found = found.map(|part| &*part.segment);
        let mut segments: Vec<Segment> = found
            .filter(|segment| is_asked_for(segment, query))
            .cloned()
            .collect();
        segments.sort_unstable_by_key(|segment| segment.id);
        Ok(cut(segments, page))
    }
}

fn is_asked_for(segment: &Segment, query: &SegmentQuery) -> bool {
    let search = query.search.as_deref().map(fold);
    let is_found = search.is_none_or(|search| fold(&segment.name).contains(&*search));
    is_found && (query.include_feature_specific || segment.feature_id.is_none())
}

/// One page of a list that is known as a whole.
fn cut(segments: Vec<Segment>, page: PageRequest) -> Page<Segment> {
    let total = i64::try_from(segments.len()).unwrap_or(i64::MAX);
    let size = usize::try_from(page.size).unwrap_or(usize::MAX);
    let pages_before = usize::try_from(page.page.saturating_sub(1)).unwrap_or(usize::MAX);
    let before = pages_before.saturating_mul(size);
    Page {
        items: segments.into_iter().skip(before).take(size).collect(),
        total,
    }
}
