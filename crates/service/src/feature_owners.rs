//! Who looks after features.

use crate::change::{Subject, Told};
use crate::error::{Noun, Problem, ServiceError, ServiceResult};
use crate::feature_views::FeatureView;
use crate::{Caller, Service};
use flagstaff_core::{FeatureId, MemberId, Project, ProjectId, ProjectPermission};

/// Owners in one request.
const OWNER_LIMIT: usize = 100;

/// What happens to owners.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
enum Owning {
    Begins,
    Ends,
}

impl Service {
    /// Gives a feature into the hands of members of the organisation, beside those who look after it already.
    ///
    /// # Errors
    /// As [`Service::feature`], and [`Problem::UnknownId`] for somebody who is no member of the organisation.
    pub async fn add_feature_owners(
        &self,
        caller: &Caller,
        project: ProjectId,
        feature: FeatureId,
        members: &[MemberId],
    ) -> ServiceResult<FeatureView> {
        self.change_owners(caller, project, feature, members, Owning::Begins)
            .await
    }

    /// Takes a feature out of the hands of members.
    ///
    /// # Errors
    /// As [`Service::add_feature_owners`].
    pub async fn remove_feature_owners(
        &self,
        caller: &Caller,
        project: ProjectId,
        feature: FeatureId,
        members: &[MemberId],
    ) -> ServiceResult<FeatureView> {
        self.change_owners(caller, project, feature, members, Owning::Ends)
            .await
    }

    async fn change_owners(
        &self,
        caller: &Caller,
        project: ProjectId,
        feature: FeatureId,
        members: &[MemberId],
        owning: Owning,
    ) -> ServiceResult<FeatureView> {
        let project = self
            .project_for(caller, project, ProjectPermission::CreateFeature)
            .await?;
        // In turn from here: what is read now is what the change is made to.
        let mut write = self.store().write().await?;
        let feature = self.feature_in(&project, feature).await?;
        self.check_owners("user_ids", &project, members).await?;
        for member in members {
            match owning {
                Owning::Begins => write.insert_feature_owner(feature.id, *member).await?,
                Owning::Ends => write.delete_feature_owner(feature.id, *member).await?,
            }
        }
        // No snapshot shows owners.
        let subject = Subject::project(project.organisation_id, project.id).not_shown();
        let told = Told::updated(Noun::Feature, feature.id.get(), feature.uuid).saying(format!(
            "Owners of Flag / Remote Config updated: {}",
            feature.name
        ));
        self.finish(write, Some(caller), subject, told).await?;
        self.feature_view(feature).await
    }

    /// Who looks after a new feature: those named, else whoever makes it, unless the project wants names.
    pub(crate) async fn first_owners(
        &self,
        caller: Option<&Caller>,
        project: &Project,
        named: Option<Vec<MemberId>>,
    ) -> ServiceResult<Vec<MemberId>> {
        const FIELD: &str = "owners";
        let named = named.unwrap_or_default();
        if !named.is_empty() {
            self.check_owners(FIELD, project, &named).await?;
            return Ok(named);
        }
        // What the product makes by itself needs no owner.
        let Some(caller) = caller else {
            return Ok(Vec::new());
        };
        if project.enforce_feature_owners {
            return Err(ServiceError::invalid(FIELD, Problem::OwnerNeeded));
        }
        let maker = caller.member().map(|member| member.id);
        Ok(maker.into_iter().collect())
    }

    async fn check_owners(
        &self,
        field: &'static str,
        project: &Project,
        members: &[MemberId],
    ) -> ServiceResult<()> {
        if members.len() > OWNER_LIMIT {
            let max = i64::try_from(OWNER_LIMIT).unwrap_or(i64::MAX);
            let problem = Problem::OutOfRange { min: 0, max };
            return Err(ServiceError::invalid(field, problem));
        }
        for member in members {
            let store = self.store();
            if !store.is_member_of(*member, project.organisation_id).await? {
                let problem = Problem::UnknownId(member.get());
                return Err(ServiceError::invalid(field, problem));
            }
        }
        Ok(())
    }
}
