//! An organisation, a project and an environment to test in.

use crate::{
    NOW, change, new_environment, new_feature, new_identity, new_organisation, new_project,
    new_segment, new_state,
};
use flagstaff_core::{
    Environment, EnvironmentId, Feature, FeatureState, Identity, Organisation, Project, Segment,
    StateValue,
};
use flagstaff_store::{
    Committed, NewFeature, NewFeatureSegment, NewFeatureState, NewStateOwner, Store, Touched, Write,
};
use uuid::Uuid;

/// A stored organisation `Acme` with a project `shop` and its environment `development`.
#[derive(Debug, Clone)]
pub struct Shop {
    /// Where it is stored.
    pub store: Store,
    /// `Acme`.
    pub organisation: Organisation,
    /// `shop`.
    pub project: Project,
    /// `development`.
    pub environment: Environment,
}

impl Shop {
    /// Stores all three.
    pub async fn open(store: &Store) -> Self {
        let mut write = store.write().await.expect("a write begins");
        let organisation = write
            .insert_organisation(&new_organisation("Acme"), NOW)
            .await
            .expect("an organisation");
        let project = write
            .insert_project(&new_project(organisation.id, "shop"), NOW)
            .await
            .expect("a project");
        let environment = write
            .insert_environment(&new_environment(project.id, "development"), NOW)
            .await
            .expect("an environment");
        let shop = Self {
            store: store.clone(),
            organisation,
            project,
            environment,
        };
        shop.commit(write).await;
        shop
    }

    /// Begins a write.
    pub async fn write(&self) -> Write {
        self.store.write().await.expect("a write begins")
    }

    /// Commits a write that touches the environment.
    pub async fn commit(&self, write: Write) -> Committed {
        write
            .commit(change(self.touched()))
            .await
            .expect("a write is committed")
    }

    /// The environment as what a change touches.
    #[must_use]
    pub fn touched(&self) -> Touched {
        Touched {
            environments: vec![self.environment.id],
            ..Touched::default()
        }
    }

    /// Stores a second environment, without states.
    pub async fn environment(&self, name: &str) -> Environment {
        let mut write = self.write().await;
        let environment = write
            .insert_environment(&new_environment(self.project.id, name), NOW)
            .await
            .expect("an environment");
        self.commit(write).await;
        environment
    }

    /// Stores a feature with its default states.
    pub async fn feature(&self, name: &str) -> Feature {
        self.insert_feature(&new_feature(self.project.id, name))
            .await
    }

    /// Stores a feature with options and its default states.
    pub async fn insert_feature(&self, new: &NewFeature) -> Feature {
        let mut write = self.write().await;
        let feature = write.insert_feature(new, NOW).await.expect("a feature");
        write
            .start_feature(&feature, new.default_enabled, &StateValue::default(), NOW)
            .await
            .expect("default states");
        self.commit(write).await;
        feature
    }

    /// Stores a segment.
    pub async fn segment(&self, name: &str) -> Segment {
        let mut write = self.write().await;
        let segment = write
            .insert_segment(&new_segment(self.project.id, name), NOW)
            .await
            .expect("a segment");
        self.commit(write).await;
        segment
    }

    /// Stores an identity.
    pub async fn identity(&self, identifier: &str) -> Identity {
        let mut write = self.write().await;
        let identity = write
            .insert_identity(&new_identity(self.environment.id, identifier))
            .await
            .expect("an identity");
        self.commit(write).await;
        identity
    }

    /// Stores a state.
    pub async fn state(&self, new: &NewFeatureState) -> FeatureState {
        let mut write = self.write().await;
        let state = write.insert_feature_state(new, NOW).await.expect("a state");
        self.commit(write).await;
        state
    }

    /// Stores an override of a feature for a segment, with a priority.
    pub async fn override_for_segment(
        &self,
        feature: &Feature,
        segment: &Segment,
        priority: i64,
    ) -> FeatureState {
        let mut write = self.write().await;
        let link = NewFeatureSegment {
            uuid: Uuid::new_v4(),
            feature_id: feature.id,
            segment_id: segment.id,
            environment_id: self.environment.id,
            priority: Some(priority),
        };
        let link = write
            .insert_feature_segment(&link, NOW)
            .await
            .expect("a link");
        let owner = NewStateOwner::Segment(link.id);
        let new = new_state(self.environment.id, feature.id, owner);
        let state = write
            .insert_feature_state(&new, NOW)
            .await
            .expect("an override");
        self.commit(write).await;
        state
    }

    /// Stores an override of a feature for an identity.
    pub async fn override_for_identity(
        &self,
        feature: &Feature,
        identity: &Identity,
    ) -> FeatureState {
        let owner = NewStateOwner::Identity(identity.id);
        self.state(&new_state(self.environment.id, feature.id, owner))
            .await
    }

    /// The environment's id.
    #[must_use]
    pub const fn id(&self) -> EnvironmentId {
        self.environment.id
    }
}
