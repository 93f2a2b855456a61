//! Segments.

use crate::change::{Subject, Told};
use crate::error::{Noun, Problem, ServiceError, ServiceResult};
use crate::segment_rules::{check_changed_rules, check_rules};
use crate::text_rules::{NAME_LIMIT, check_name, check_optional};
use crate::{Caller, Service};
use flagstaff_core::{
    FeatureId, Hash, IdentityId, Project, ProjectId, ProjectPermission, Rule, Segment, SegmentId,
};
use flagstaff_store::{NewSegment, Page, PageRequest, SegmentFilter, Write};
use uuid::Uuid;

/// Segments a project may hold.
pub const SEGMENT_LIMIT: i64 = 5_000;

/// A segment to be made.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct SegmentRequest {
    /// 1 to 2,000 characters; need not be unique.
    pub name: String,
    /// Free text.
    pub description: Option<String>,
    /// The one feature it may override.
    pub feature_id: Option<FeatureId>,
    /// What places identities in its percentages; `None`: as the environment has it.
    pub hash: Option<Hash>,
    /// At least one.
    pub rules: Vec<Rule>,
}

/// What of a segment a person may change; `None` leaves a field as it is.
#[derive(Debug, Clone, Default, PartialEq, Eq)]
pub struct SegmentPatch {
    /// 1 to 2,000 characters.
    pub name: Option<String>,
    /// Free text; `Some(None)` takes it away.
    pub description: Option<Option<String>>,
    /// What places identities in its percentages; `Some(None)`: as the environment has it.
    pub hash: Option<Option<Hash>>,
    /// All rules. Those with ids stay, as do their conditions; those without are new; the others go.
    pub rules: Option<Vec<Rule>>,
}

/// Which segments are asked for.
#[derive(Debug, Clone, Default)]
pub struct SegmentQuery {
    /// Part of a name, without regard to case.
    pub search: Option<String>,
    /// False: leave out those that belong to one feature.
    pub include_feature_specific: bool,
    /// Only those this identity is in; those of one feature only where they override it.
    pub identity: Option<IdentityId>,
}

impl Service {
    /// Segments of a project.
    ///
    /// # Errors
    /// As [`Service::project`], and [`ServiceError::NotFound`] for an identity that the project does not know.
    pub async fn segments(
        &self,
        caller: &Caller,
        project: ProjectId,
        query: SegmentQuery,
        page: PageRequest,
    ) -> ServiceResult<Page<Segment>> {
        self.visible_project(caller, project).await?;
        if let Some(identity) = query.identity {
            return self
                .segments_of_identity(caller, project, identity, &query, page)
                .await;
        }
        let filter = SegmentFilter {
            search: query.search,
            include_feature_specific: query.include_feature_specific,
        };
        Ok(self.store().segments(project, &filter, page).await?)
    }

    /// One segment.
    ///
    /// # Errors
    /// As [`Service::project`], and [`ServiceError::NotFound`] when the project has no such segment.
    pub async fn segment(
        &self,
        caller: &Caller,
        project: ProjectId,
        id: SegmentId,
    ) -> ServiceResult<Segment> {
        let project = self.visible_project(caller, project).await?;
        self.segment_in(&project, id).await
    }

    /// Makes a segment.
    ///
    /// # Errors
    /// As [`Service::project`], invalid fields and rules.
    pub async fn create_segment(
        &self,
        caller: &Caller,
        project: ProjectId,
        request: SegmentRequest,
    ) -> ServiceResult<Segment> {
        let project = self.segments_manager(caller, project).await?;
        self.insert_segment(Some(caller), &project, request).await
    }

    pub(crate) async fn insert_segment(
        &self,
        caller: Option<&Caller>,
        project: &Project,
        request: SegmentRequest,
    ) -> ServiceResult<Segment> {
        check_name("name", &request.name, NAME_LIMIT)?;
        check_optional("description", request.description.as_deref(), 20_000)?;
        check_rules(&request.rules)?;
        if let Some(feature) = request.feature_id {
            let unknown = Problem::UnknownId(feature.get());
            self.feature_in(project, feature)
                .await
                .map_err(|_| ServiceError::invalid("feature", unknown))?;
        }
        let write = self.store().write().await?;
        self.store_segment(write, caller, project, request).await
    }

    /// Stores a segment whose rules are known to be good.
    async fn store_segment(
        &self,
        mut write: Write,
        caller: Option<&Caller>,
        project: &Project,
        request: SegmentRequest,
    ) -> ServiceResult<Segment> {
        if self.store().count_segments(project.id).await? >= SEGMENT_LIMIT {
            let problem = Problem::OutOfRange {
                min: 0,
                max: SEGMENT_LIMIT,
            };
            return Err(ServiceError::invalid("segments", problem));
        }
        let new_segment = NewSegment {
            uuid: Uuid::new_v4(),
            project_id: project.id,
            feature_id: request.feature_id,
            name: request.name,
            description: request.description,
            hash_key: None,
            hash: request.hash,
            rules: request.rules,
        };
        let segment = write
            .insert_segment(&new_segment, self.clock().now())
            .await?;
        let told = Told::created(Noun::Segment, segment.id.get(), segment.uuid)
            .saying(format!("New Segment created: {}", segment.name));
        let subject = Subject::project(project.organisation_id, project.id);
        self.finish(write, caller, subject, told).await?;
        Ok(segment)
    }

    /// Copies a segment under another name, without its overrides. The copy is hashed by a key of its own: who falls
    /// into a percentage of one says nothing about the other.
    ///
    /// # Errors
    /// As [`Service::segment`], and an invalid name.
    pub async fn copy_segment(
        &self,
        caller: &Caller,
        project: ProjectId,
        id: SegmentId,
        name: String,
    ) -> ServiceResult<Segment> {
        check_name("name", &name, NAME_LIMIT)?;
        let project = self.segments_manager(caller, project).await?;
        let write = self.store().write().await?;
        let segment = self.segment_in(&project, id).await?;
        let request = SegmentRequest {
            name,
            description: segment.description,
            feature_id: segment.feature_id,
            hash: segment.hash,
            rules: segment.rules,
        };
        self.store_segment(write, Some(caller), &project, request)
            .await
    }

    /// Changes a segment.
    ///
    /// # Errors
    /// As [`Service::segment`], invalid fields and rules.
    pub async fn update_segment(
        &self,
        caller: &Caller,
        project: ProjectId,
        id: SegmentId,
        patch: SegmentPatch,
    ) -> ServiceResult<Segment> {
        let project = self.segments_manager(caller, project).await?;
        // In turn from here: what is read now is what the change is made to.
        let mut write = self.store().write().await?;
        let mut segment = self.segment_in(&project, id).await?;
        self.require_free_segment(id, patch.rules.as_deref())
            .await?;
        if let Some(name) = patch.name {
            check_name("name", &name, NAME_LIMIT)?;
            segment.name = name;
        }
        if let Some(description) = patch.description {
            check_optional("description", description.as_deref(), 20_000)?;
            segment.description = description;
        }
        segment.hash = patch.hash.unwrap_or(segment.hash);
        segment.updated_at = self.clock().now().after(segment.updated_at);
        write.update_segment(&segment).await?;
        if let Some(rules) = patch.rules {
            check_changed_rules(&rules, &segment.rules)?;
            segment.rules = write.replace_rules(id, &rules).await?;
        }
        let told = Told::updated(Noun::Segment, id.get(), segment.uuid)
            .saying(format!("Segment updated: {}", segment.name));
        let subject = Subject::project(project.organisation_id, project.id);
        self.finish(write, Some(caller), subject, told).await?;
        Ok(segment)
    }

    /// Deletes a segment with its overrides.
    ///
    /// # Errors
    /// As [`Service::segment`].
    pub async fn delete_segment(
        &self,
        caller: &Caller,
        project: ProjectId,
        id: SegmentId,
    ) -> ServiceResult<()> {
        let project = self.segments_manager(caller, project).await?;
        let segment = self.segment_in(&project, id).await?;
        let mut write = self.store().write().await?;
        self.require_unused_segment(id).await?;
        write.delete_segment(id, self.clock().now()).await?;
        let told = Told::deleted(Noun::Segment, id.get(), segment.uuid)
            .saying(format!("Segment deleted: {}", segment.name));
        let subject = Subject::project(project.organisation_id, project.id);
        self.finish(write, Some(caller), subject, told).await
    }

    async fn segments_manager(&self, caller: &Caller, id: ProjectId) -> ServiceResult<Project> {
        self.project_for(caller, id, ProjectPermission::ManageSegments)
            .await
    }

    pub(crate) async fn segment_in(
        &self,
        project: &Project,
        id: SegmentId,
    ) -> ServiceResult<Segment> {
        let segment = self.store().segment(id).await?;
        let segment = segment.filter(|segment| segment.project_id == project.id);
        segment.ok_or(ServiceError::NotFound {
            noun: Noun::Segment,
        })
    }
}
