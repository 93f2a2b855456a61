//! Overrides of one identity, copied to another.

use crate::change::Told;
use crate::error::{Noun, ServiceResult};
use crate::{Caller, Service};
use flagstaff_core::{EnvironmentPermission, FeatureState, IdentityId, Timestamp};
use flagstaff_store::{NewFeatureState, NewStateOwner, NewWeight, Write};
use std::sync::Arc;
use uuid::Uuid;

impl Service {
    /// Gives an identity the overrides of another one of the same environment. Those that it has of other features
    /// stay; those of the same features become as the other one's.
    ///
    /// # Errors
    /// As [`Service::identity`], also for the identity that is copied from.
    pub async fn copy_identity_overrides(
        &self,
        caller: &Caller,
        api_key: &str,
        to: IdentityId,
        from: IdentityId,
    ) -> ServiceResult<()> {
        let mut write = self.store().write().await?;
        let permission = EnvironmentPermission::UpdateFeatureState;
        let place = self.environment_for(caller, api_key, permission).await?;
        let to = self.identity_in(&place, to).await?;
        let from = self.identity_in(&place, from).await?;
        let (environment, now) = (place.environment.id, self.clock().now());
        let copied = self.store().identity_states(environment, from.id, now);
        let copied = copied.await?;
        if to.id == from.id || copied.is_empty() {
            return Ok(());
        }
        let present = self
            .store()
            .identity_states(environment, to.id, now)
            .await?;
        for source in &copied {
            let mut present = present.iter();
            match present.find(|state| state.feature_id == source.feature_id) {
                Some(target) => copy_onto(&mut write, source, target, now).await?,
                None => {
                    let new = copy_for(source, to.id, now);
                    write.insert_feature_state(&new, now).await?;
                }
            }
        }
        // Identifiers are personal data: the log keeps the numbers only.
        let told = Told::updated(Noun::Identity, to.id.get(), None).saying(format!(
            "Flag state / Remote config values of {} features copied from identity {} to identity {}",
            copied.len(),
            from.id,
            to.id
        ));
        let subject = place.subject().with_identity(Arc::clone(&to.identifier));
        self.finish(write, Some(caller), subject, told).await
    }
}

/// A new override like another one. Like every new override it has a seed of its own.
fn copy_for(source: &FeatureState, to: IdentityId, now: Timestamp) -> NewFeatureState {
    let weights = source.weights.iter();
    NewFeatureState {
        uuid: Uuid::new_v4(),
        feature_id: source.feature_id,
        environment_id: source.environment_id,
        owner: NewStateOwner::Identity(to),
        version: 1,
        enabled: source.enabled,
        value: source.value.clone(),
        hash_seed: None,
        weights: weights
            .map(|weight| NewWeight::from((weight.option_id, weight.percentage_allocation)))
            .collect(),
        live_from: now,
    }
}

/// Makes an override like another one; the row stays.
async fn copy_onto(
    write: &mut Write,
    source: &FeatureState,
    target: &FeatureState,
    now: Timestamp,
) -> ServiceResult<()> {
    let changed = FeatureState {
        enabled: source.enabled,
        value: source.value.clone(),
        updated_at: now.after(target.updated_at),
        ..target.clone()
    };
    write.update_feature_state(&changed).await?;
    for weight in &target.weights {
        // An option without a share in the other one loses its share.
        write.set_weight(target.id, weight.option_id, 0.0).await?;
    }
    for weight in &source.weights {
        let percentage = weight.percentage_allocation;
        write
            .set_weight(target.id, weight.option_id, percentage)
            .await?;
    }
    Ok(())
}
