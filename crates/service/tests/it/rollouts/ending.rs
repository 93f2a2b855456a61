//! However a rollout ends, nothing of it is left; and before it began nothing was there.

use super::crowd::{Raised, create, holders, plan, share};
use super::places::{Place, with_versions, without_versions};
use crate::fixture::Fixture;
use flagstaff_core::{RolloutState, Snapshot};
use flagstaff_service::{
    FeatureReference, RolloutProblem, RolloutRequest, StatePatch, VariantReference,
};

const BANNER: Raised<'static> = Raised {
    feature: "banner",
    value: None,
};

/// What an environment serves: everything but times and revisions.
fn served(snapshot: &Snapshot) -> String {
    format!(
        "{:?} {:?}",
        snapshot.rules.features(),
        snapshot.rules.segments()
    )
}

async fn served_by(fixture: &Fixture) -> String {
    served(&fixture.open().await.published.snapshot)
}

/// Runs a body in an environment without versions of features, and in one with them.
macro_rules! in_both {
    ($(async fn $name:ident($place:ident: &Place) $body:block)+) => {$(
        mod $name {
            use super::*;

            async fn body($place: &Place) $body

            #[tokio::test]
            async fn without_versions_of_features() {
                body(&without_versions().await).await;
            }

            #[tokio::test]
            async fn with_versions_of_features() {
                body(&with_versions().await).await;
            }
        }
    )+};
}

in_both! {
    async fn an_aborted_rollout_leaves_what_was_before(place: &Place) {
        let fixture = &place.fixture;
        let (service, caller) = (&fixture.service, &fixture.caller);
        let before = served_by(fixture).await;
        let id = create(fixture, plan(place.banner, &[25.0, 50.0])).await.unwrap().rollout.id;
        assert!((share(&holders(fixture, &BANNER, 10_000).await) - 25.0).abs() < 1.5);
        assert_ne!(served_by(fixture).await, before);

        let reason = Some("not now".to_owned());
        let ended = service.abort_rollout(caller, id, reason.clone()).await.unwrap().rollout;

        assert_eq!((ended.state, ended.reason), (RolloutState::Aborted, reason));
        assert_eq!(served_by(fixture).await, before);
        let again = service.abort_rollout(caller, id, None).await.unwrap_err();
        assert_eq!(again.to_string(), format!("rollout {id} is aborted and cannot be aborted"));
    }

    async fn a_rollout_of_an_option_that_is_rolled_back_leaves_what_was_before(place: &Place) {
        let fixture = &place.fixture;
        let (service, caller) = (&fixture.service, &fixture.caller);
        let before = served_by(fixture).await;
        let request = RolloutRequest {
            variant: Some(VariantReference::Key("green".to_owned())),
            ..plan(place.colour, &[50.0, 70.0])
        };
        let id = create(fixture, request).await.unwrap().rollout.id;
        fixture.advance(60);
        service.advance_rollouts().await.unwrap();
        assert_ne!(served_by(fixture).await, before);

        let reason = Some("errors".to_owned());
        let ended = service.roll_back_rollout(caller, id, reason).await.unwrap().rollout;

        assert_eq!(ended.state, RolloutState::RolledBack);
        assert_eq!(served_by(fixture).await, before);
    }

    async fn a_promoted_rollout_can_be_rolled_back_until_somebody_changes_the_state(place: &Place) {
        let fixture = &place.fixture;
        let (service, caller) = (&fixture.service, &fixture.caller);
        let weights = async || place.weights(place.colour).await;
        let before = weights().await;
        let request = || RolloutRequest {
            variant: Some(VariantReference::Key("green".to_owned())),
            ..plan(place.colour, &[50.0, 70.0])
        };
        let id = create(fixture, request()).await.unwrap().rollout.id;
        let promoted = service.promote_rollout(caller, id).await.unwrap().rollout;
        assert_eq!(promoted.state, RolloutState::Promoted);
        assert_eq!(weights().await, [0.0, 100.0]);

        service.roll_back_rollout(caller, id, None).await.unwrap();

        assert_eq!(weights().await, before);
        let id = create(fixture, request()).await.unwrap().rollout.id;
        service.promote_rollout(caller, id).await.unwrap();
        let patch = StatePatch { enabled: Some(false), ..StatePatch::default() };
        place.change_default(place.colour, patch).await.unwrap();
        let refused = service.roll_back_rollout(caller, id, None).await.unwrap_err();
        let said = RolloutProblem::ChangedSince(id).to_string();
        assert_eq!(refused.to_string(), said);
    }

    async fn a_first_step_of_nobody_serves_nothing(place: &Place) {
        let fixture = &place.fixture;
        let before = served_by(fixture).await;

        let made = create(fixture, plan(place.banner, &[0.0, 100.0])).await.unwrap().rollout;

        assert_eq!((made.state, made.step), (RolloutState::Running, Some(0)));
        assert_eq!(served_by(fixture).await, before);
    }

    async fn what_was_promoted_is_served_to_everybody(place: &Place) {
        let fixture = &place.fixture;
        let id = create(fixture, plan(place.banner, &[25.0])).await.unwrap().rollout.id;

        fixture.service.promote_rollout(&fixture.caller, id).await.unwrap();

        assert!(holders(fixture, &BANNER, 100).await.iter().all(|has| *has));
        assert!(fixture.open().await.published.snapshot.segments.is_empty());
        let request = RolloutRequest {
            feature: FeatureReference::Name("banner".to_owned()),
            ..plan(place.banner, &[25.0])
        };
        let again = create(fixture, request).await.unwrap_err();
        assert_eq!(again.to_string(), "invalid feature: is on for everybody there already");
    }
}
