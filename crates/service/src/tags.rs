//! Tags of features.

use crate::change::{Subject, Told};
use crate::error::{Noun, Problem, ServiceError, ServiceResult};
use crate::text_rules::{VALUE_LIMIT, check_name, check_optional};
use crate::{Caller, Service};
use flagstaff_core::{Project, ProjectId, ProjectPermission, Tag, TagId};
use flagstaff_store::{NewTag, Page, PageRequest};
use uuid::Uuid;

/// Tags a project may hold.
pub const TAG_LIMIT: i64 = 1000;
/// Characters of a label.
const LABEL_LIMIT: usize = 100;
/// Characters of a colour.
const COLOUR_LIMIT: usize = 10;
/// The colour of a tag that was given none.
const COLOUR: &str = "#6837FC";

/// What of a tag a person may set; `None` leaves a field as it is.
#[derive(Debug, Clone, Default, PartialEq, Eq)]
pub struct TagPatch {
    /// 1 to 100 characters; need not be unique.
    pub label: Option<String>,
    /// Up to 10 characters, as style sheets write colours.
    pub colour: Option<String>,
    /// Free text; `Some(None)` takes it away.
    pub description: Option<Option<String>>,
    /// Whether features that carry it are meant to stay.
    pub is_permanent: Option<bool>,
}

impl Service {
    /// The tags of a project, in the order they were made.
    ///
    /// # Errors
    /// As [`Service::project`].
    pub async fn tags(
        &self,
        caller: &Caller,
        project: ProjectId,
        page: PageRequest,
    ) -> ServiceResult<Page<Tag>> {
        let project = self.visible_project(caller, project).await?;
        Ok(self.store().tags(project.id, page).await?)
    }

    /// One tag.
    ///
    /// # Errors
    /// As [`Service::project`], and [`ServiceError::NotFound`] when the project has no such tag.
    pub async fn tag(&self, caller: &Caller, project: ProjectId, id: TagId) -> ServiceResult<Tag> {
        let project = self.visible_project(caller, project).await?;
        tag_of(&project, self.store().tag(id).await?)
    }

    /// One tag, by its stable id.
    ///
    /// # Errors
    /// As [`Service::tag`].
    pub async fn tag_by_uuid(
        &self,
        caller: &Caller,
        project: ProjectId,
        uuid: Uuid,
    ) -> ServiceResult<Tag> {
        let project = self.visible_project(caller, project).await?;
        tag_of(&project, self.store().tag_by_uuid(uuid).await?)
    }

    /// Makes a tag.
    ///
    /// # Errors
    /// As [`Service::project`], and invalid fields.
    pub async fn create_tag(
        &self,
        caller: &Caller,
        project: ProjectId,
        patch: TagPatch,
    ) -> ServiceResult<Tag> {
        let project = self
            .project_for(caller, project, ProjectPermission::ManageTags)
            .await?;
        check(&patch)?;
        let mut write = self.store().write().await?;
        if self.store().count_tags(project.id).await? >= TAG_LIMIT {
            let problem = Problem::OutOfRange {
                min: 0,
                max: TAG_LIMIT,
            };
            return Err(ServiceError::invalid("tags", problem));
        }
        let new = NewTag {
            uuid: Uuid::new_v4(),
            project_id: project.id,
            label: patch.label.unwrap_or_default(),
            colour: patch.colour.unwrap_or_else(|| COLOUR.to_owned()),
            description: patch.description.flatten(),
            is_permanent: patch.is_permanent.unwrap_or_default(),
        };
        let tag = write.insert_tag(&new, self.clock().now()).await?;
        let told = Told::created(Noun::Tag, tag.id.get(), tag.uuid)
            .saying(format!("New Tag created: {}", tag.label));
        self.finish(write, Some(caller), subject(&project), told)
            .await?;
        Ok(tag)
    }

    /// Changes a tag.
    ///
    /// # Errors
    /// As [`Service::tag`], and invalid fields.
    pub async fn update_tag(
        &self,
        caller: &Caller,
        project: ProjectId,
        id: TagId,
        patch: TagPatch,
    ) -> ServiceResult<Tag> {
        let project = self
            .project_for(caller, project, ProjectPermission::ManageTags)
            .await?;
        check(&patch)?;
        // In turn from here: what is read now is what the change is made to.
        let mut write = self.store().write().await?;
        let mut tag = tag_of(&project, self.store().tag(id).await?)?;
        tag.label = patch.label.unwrap_or(tag.label);
        tag.colour = patch.colour.unwrap_or(tag.colour);
        tag.description = patch.description.unwrap_or(tag.description);
        tag.is_permanent = patch.is_permanent.unwrap_or(tag.is_permanent);
        write.update_tag(&tag).await?;
        let told = Told::updated(Noun::Tag, id.get(), tag.uuid)
            .saying(format!("Tag updated: {}", tag.label));
        self.finish(write, Some(caller), subject(&project), told)
            .await?;
        Ok(tag)
    }

    /// Deletes a tag and takes it from every feature.
    ///
    /// # Errors
    /// As [`Service::tag`].
    pub async fn delete_tag(
        &self,
        caller: &Caller,
        project: ProjectId,
        id: TagId,
    ) -> ServiceResult<()> {
        let project = self
            .project_for(caller, project, ProjectPermission::ManageTags)
            .await?;
        let tag = tag_of(&project, self.store().tag(id).await?)?;
        let mut write = self.store().write().await?;
        write.delete_tag(id, self.clock().now()).await?;
        let told = Told::deleted(Noun::Tag, id.get(), tag.uuid)
            .saying(format!("Tag deleted: {}", tag.label));
        self.finish(write, Some(caller), subject(&project), told)
            .await
    }

    /// Checks that tags may be given to features of a project.
    pub(crate) async fn check_tags(
        &self,
        field: &'static str,
        project: &Project,
        tags: &[TagId],
    ) -> ServiceResult<()> {
        if i64::try_from(tags.len()).unwrap_or(i64::MAX) > TAG_LIMIT {
            let problem = Problem::OutOfRange {
                min: 0,
                max: TAG_LIMIT,
            };
            return Err(ServiceError::invalid(field, problem));
        }
        for id in tags {
            // Tags of other projects are nobody's business here: they are as good as absent.
            let tag = self.store().tag(*id).await?;
            if tag.is_none_or(|tag| tag.project_id != project.id) {
                return Err(ServiceError::invalid(field, Problem::UnknownId(id.get())));
            }
        }
        Ok(())
    }
}

/// No snapshot shows tags.
fn subject(project: &Project) -> Subject {
    Subject::project(project.organisation_id, project.id).not_shown()
}

fn tag_of(project: &Project, tag: Option<Tag>) -> ServiceResult<Tag> {
    let tag = tag.filter(|tag| tag.project_id == project.id);
    tag.ok_or(ServiceError::NotFound { noun: Noun::Tag })
}

fn check(patch: &TagPatch) -> ServiceResult<()> {
    if let Some(label) = &patch.label {
        check_name("label", label, LABEL_LIMIT)?;
    }
    check_optional("color", patch.colour.as_deref(), COLOUR_LIMIT)?;
    let description = patch.description.as_ref().and_then(Option::as_deref);
    check_optional("description", description, VALUE_LIMIT)
}
