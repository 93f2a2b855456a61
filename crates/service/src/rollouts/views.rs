//! Rollouts as people see them.

use crate::environments::EnvironmentPlace;
use crate::error::{Noun, ServiceError, ServiceResult};
use crate::{Caller, Service};
use flagstaff_core::{
    EnvironmentPermission, FeatureId, FeatureName, MultivariateOption, OptionId, ProjectId,
    Rollout, RolloutEvent, RolloutId, RolloutState,
};
use flagstaff_store::{Page, PageRequest, RolloutFilter};

/// An option, as a body names it.
#[derive(Debug, Clone, PartialEq, Eq)]
pub enum VariantReference {
    /// By its row id.
    Id(OptionId),
    /// By its key, or `variant_<n>` for the n-th option where it has none.
    Key(String),
}

/// A rollout with the names of what it is about.
#[derive(Debug, Clone, PartialEq)]
pub struct RolloutView {
    /// The rollout.
    pub rollout: Rollout,
    /// The feature's name.
    pub feature: FeatureName,
    /// The environment's name.
    pub environment: String,
    /// The environment's client key.
    pub client_key: String,
    /// The name of the option that is raised; `None`: the feature is switched on.
    pub variant: Option<String>,
    /// The name of the segment it is inside of.
    pub segment: Option<String>,
}

/// Which rollouts are asked for.
#[derive(Debug, Clone, Default, PartialEq, Eq)]
pub struct RolloutQuery {
    /// Those of the environment with this client key.
    pub client_key: Option<String>,
    /// Those of all environments of a project that the caller may see; counts where no environment is named.
    pub project: Option<ProjectId>,
    /// Those of one feature.
    pub feature: Option<FeatureId>,
    /// Those in this state.
    pub state: Option<RolloutState>,
    /// Only live ones.
    pub live_only: bool,
}

impl Service {
    /// Rollouts of an environment or a project, the newest first.
    ///
    /// # Errors
    /// [`ServiceError::NotFound`] for an environment or a project that the caller may not see, and where none is named.
    pub async fn rollouts(
        &self,
        caller: &Caller,
        query: RolloutQuery,
        page: PageRequest,
    ) -> ServiceResult<Page<RolloutView>> {
        let mut filter = RolloutFilter {
            feature: query.feature,
            state: query.state,
            live_only: query.live_only,
            ..RolloutFilter::default()
        };
        match (&query.client_key, query.project) {
            (Some(client_key), _) => {
                let place = self.visible_environment(caller, client_key).await?;
                filter.environments = vec![place.environment.id];
            }
            (None, Some(project)) => {
                let visible = self.environments_of(caller, project).await?;
                filter.environments = visible.iter().map(|each| each.id).collect();
            }
            (None, None) => {
                return Err(ServiceError::NotFound {
                    noun: Noun::Environment,
                });
            }
        }
        let found = self.store().rollouts(&filter, page).await?;
        let mut items = Vec::with_capacity(found.items.len());
        for rollout in found.items {
            items.push(self.rollout_view(rollout).await?);
        }
        Ok(Page {
            items,
            total: found.total,
        })
    }

    /// One rollout.
    ///
    /// # Errors
    /// [`ServiceError::NotFound`] where there is none, or the caller may not see its environment.
    pub async fn rollout(&self, caller: &Caller, id: RolloutId) -> ServiceResult<RolloutView> {
        let viewing = EnvironmentPermission::ViewEnvironment;
        let (_, rollout) = self.rollout_place(caller, id, viewing).await?;
        self.rollout_view(rollout).await
    }

    /// The timeline of a rollout, the first entry first.
    ///
    /// # Errors
    /// As [`Service::rollout`].
    pub async fn rollout_events(
        &self,
        caller: &Caller,
        id: RolloutId,
    ) -> ServiceResult<Vec<RolloutEvent>> {
        let viewing = EnvironmentPermission::ViewEnvironment;
        self.rollout_place(caller, id, viewing).await?;
        Ok(self.store().rollout_events(id).await?)
    }

    /// A rollout and where it is.
    pub(crate) async fn rollout_place(
        &self,
        caller: &Caller,
        id: RolloutId,
        permission: EnvironmentPermission,
    ) -> ServiceResult<(EnvironmentPlace, Rollout)> {
        let noun = Noun::Rollout;
        let rollout = self.store().rollout(id).await?;
        let rollout = rollout.ok_or(ServiceError::NotFound { noun })?;
        let place = self
            .environment_by_id(caller, rollout.environment_id, permission)
            .await
            .map_err(|error| error.about(noun))?;
        Ok((place, rollout))
    }

    pub(crate) async fn rollout_view(&self, rollout: Rollout) -> ServiceResult<RolloutView> {
        let missing = |noun| ServiceError::NotFound { noun };
        let store = self.store();
        let feature = store.feature(rollout.feature_id).await?;
        let environment = store.environment(rollout.environment_id).await?;
        let environment = environment.ok_or_else(|| missing(Noun::Rollout))?;
        let variant = match rollout.option_id {
            Some(id) => {
                let options = store.options(rollout.feature_id).await?;
                variant_name(&options, id)
            }
            None => None,
        };
        let segment = match rollout.segment_id {
            Some(id) => store.segment(id).await?.map(|segment| segment.name),
            None => None,
        };
        Ok(RolloutView {
            feature: feature.ok_or_else(|| missing(Noun::Rollout))?.name,
            environment: environment.name,
            client_key: environment.api_key.to_string(),
            variant,
            segment,
            rollout,
        })
    }
}

/// The name of an option: its key, or where it stands among the feature's options.
pub(crate) fn variant_name(options: &[MultivariateOption], id: OptionId) -> Option<String> {
    let position = options.iter().position(|option| option.id == id)?;
    let key = options[position].key.clone();
    Some(key.unwrap_or_else(|| format!("variant_{}", position + 1)))
}

/// The option that a body names.
pub(crate) fn named_option<'o>(
    options: &'o [MultivariateOption],
    named: &VariantReference,
) -> Option<&'o MultivariateOption> {
    options.iter().find(|option| match named {
        VariantReference::Id(id) => option.id == *id,
        VariantReference::Key(key) => variant_name(options, option.id).as_deref() == Some(key),
    })
}
