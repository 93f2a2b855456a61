//! Environments with and without versions of features.

use crate::fixture::Fixture;
use flagstaff_core::FeatureId;
use flagstaff_service::{FeatureReference, ServiceResult, StatePatch};

/// A fixture with a feature that is off, and one with two options.
pub(super) struct Place {
    pub(super) fixture: Fixture,
    pub(super) banner: FeatureId,
    pub(super) colour: FeatureId,
}

pub(super) async fn without_versions() -> Place {
    let fixture = Fixture::new().await;
    let banner = fixture.feature("banner", Some("hello")).await;
    let options = [("red", 30.0), ("green", 20.0)];
    let colour = fixture.multivariate("colour", &options).await;
    Place {
        fixture,
        banner,
        colour,
    }
}

pub(super) async fn with_versions() -> Place {
    let place = without_versions().await;
    let fixture = &place.fixture;
    let key = &fixture.environment.api_key;
    fixture
        .service
        .enable_versions(&fixture.caller, key)
        .await
        .unwrap();
    place
}

impl Place {
    pub(super) async fn weights(&self, feature: FeatureId) -> Vec<f64> {
        let published = self.fixture.open().await.published;
        let mut features = published.snapshot.features.iter();
        let found = features.find(|part| part.feature.id == feature).unwrap();
        let weights = found.state.weights.iter();
        weights.map(|weight| weight.percentage_allocation).collect()
    }

    /// What a person does who knows of no rollout.
    pub(super) async fn change_default(
        &self,
        feature: FeatureId,
        patch: StatePatch,
    ) -> ServiceResult<()> {
        let fixture = &self.fixture;
        let key = &fixture.environment.api_key;
        let feature = FeatureReference::Id(feature);
        let service = &fixture.service;
        service
            .update_flag(&fixture.caller, key, &feature, Some(patch), Vec::new())
            .await
    }
}
