use crate::assert_conflict;
use flagstaff_core::{
    Percentage, Rollout, RolloutEventKind, RolloutState, RolloutStep, StateValue,
};
use flagstaff_store::{
    NewFeatureSegment, NewFeatureState, NewRollout, NewRolloutEvent, NewStateOwner, Noun,
    PageRequest, RolloutFilter,
};
use flagstaff_testkit::{NOW, Shop, contract, later, new_segment};
use uuid::Uuid;

fn percent(percent: f64) -> Percentage {
    Percentage::from_percent(percent).unwrap()
}

fn steps() -> Vec<RolloutStep> {
    vec![
        RolloutStep {
            percentage: percent(12.5),
            starts_at: Some(later(5)),
            hold_seconds: 60,
            needs_approval: true,
        },
        RolloutStep {
            percentage: Percentage::WHOLE,
            ..RolloutStep::default()
        },
    ]
}

fn new_rollout(shop: &Shop, feature: flagstaff_core::FeatureId) -> NewRollout {
    NewRollout {
        uuid: Uuid::new_v4(),
        project_id: shop.project.id,
        environment_id: shop.environment.id,
        feature_id: feature,
        option_id: None,
        segment_id: None,
        description: Some("carefully".to_owned()),
        driver: None,
        steps: steps(),
        due_at: Some(later(5)),
        created_by: "ada@example.com".to_owned(),
    }
}

async fn insert(shop: &Shop, new: NewRollout) -> Rollout {
    let mut write = shop.write().await;
    let rollout = write.insert_rollout(new, NOW).await.unwrap();
    shop.commit(write).await;
    rollout
}

fn one_environment(shop: &Shop) -> RolloutFilter {
    RolloutFilter {
        environments: vec![shop.environment.id],
        ..RolloutFilter::default()
    }
}

contract! {
    async fn a_rollout_is_stored_with_its_plan_and_its_timeline(store: Store) {
        let shop = Shop::open(&store).await;
        let feature = shop.feature("banner").await;

        let mut made = insert(&shop, new_rollout(&shop, feature.id)).await;

        assert_eq!(store.rollout(made.id).await.unwrap().as_ref(), Some(&made));
        assert_eq!((made.state, made.step, made.percentage), (RolloutState::Scheduled, None, Percentage::NONE));
        assert_eq!(made.steps, steps());
        made.reach(0, later(6));
        made.state_before = Some("{}".to_owned());
        made.updated_at = later(6);
        let event = NewRolloutEvent {
            kind: RolloutEventKind::Stepped,
            actor: "rollout".to_owned(),
            is_system: true,
            reason: None,
        };
        let mut write = shop.write().await;
        write.update_rollout(&mut made).await.unwrap();
        write.insert_rollout_event(&made, &event, later(6)).await.unwrap();
        shop.commit(write).await;
        assert_eq!(store.rollout(made.id).await.unwrap(), Some(made.clone()));
        let live = store.live_rollout(shop.environment.id, feature.id).await.unwrap();
        assert_eq!(live.as_ref(), Some(&made));
        let events = store.rollout_events(made.id).await.unwrap();
        assert_eq!(events.len(), 1);
        assert_eq!((events[0].kind, events[0].at, events[0].step), (RolloutEventKind::Stepped, later(6), Some(0)));
        assert_eq!((events[0].percentage, events[0].is_system), (percent(12.5), true));
        assert_eq!(events[0].actor, "rollout");

        let plan = vec![RolloutStep { percentage: percent(1.0), ..RolloutStep::default() }];
        let mut write = shop.write().await;
        write.replace_rollout_steps(made.id, &plan).await.unwrap();
        shop.commit(write).await;
        assert_eq!(store.rollout(made.id).await.unwrap().unwrap().steps, plan);
    }

    async fn a_feature_has_one_live_rollout_in_an_environment(store: Store) {
        let shop = Shop::open(&store).await;
        let feature = shop.feature("banner").await;
        let mut first = insert(&shop, new_rollout(&shop, feature.id)).await;

        let second = shop.write().await.insert_rollout(new_rollout(&shop, feature.id), NOW).await;

        assert_conflict(second, Noun::Rollout);
        first.end(RolloutState::Aborted, later(1), None);
        let mut write = shop.write().await;
        write.update_rollout(&mut first).await.unwrap();
        shop.commit(write).await;
        assert_eq!(store.live_rollout(shop.environment.id, feature.id).await.unwrap(), None);
        let second = insert(&shop, new_rollout(&shop, feature.id)).await;
        assert!(second.id > first.id);
    }

    async fn a_change_is_made_to_what_was_read_or_not_at_all(store: Store) {
        let shop = Shop::open(&store).await;
        let feature = shop.feature("banner").await;
        let mut read = insert(&shop, new_rollout(&shop, feature.id)).await;
        let mut read_too = read.clone();

        let mut write = shop.write().await;
        read.reach(0, later(6));
        write.update_rollout(&mut read).await.unwrap();
        shop.commit(write).await;
        read_too.reach(0, later(7));
        let late = shop.write().await.update_rollout(&mut read_too).await;

        assert_conflict(late, Noun::Rollout);
        assert_eq!(store.rollout(read.id).await.unwrap(), Some(read));
    }

    async fn rollouts_that_are_due_are_found_unless_their_feature_is_gone(store: Store) {
        let shop = Shop::open(&store).await;
        let (banner, colour) = (shop.feature("banner").await, shop.feature("colour").await);
        let first = insert(&shop, new_rollout(&shop, banner.id)).await;
        let mut second = new_rollout(&shop, colour.id);
        second.due_at = Some(later(3));
        let second = insert(&shop, second).await;

        assert_eq!(store.next_rollout_due().await.unwrap(), Some(later(3)));
        assert_eq!(store.due_rollouts(later(2)).await.unwrap(), []);
        assert_eq!(store.due_rollouts(later(3)).await.unwrap(), [second.id]);
        assert_eq!(store.due_rollouts(later(9)).await.unwrap(), [second.id, first.id]);
        let mut write = shop.write().await;
        write.delete_feature(colour.id, NOW).await.unwrap();
        shop.commit(write).await;
        assert_eq!(store.next_rollout_due().await.unwrap(), Some(later(5)));
        assert_eq!(store.due_rollouts(later(9)).await.unwrap(), [first.id]);
        assert_eq!(store.live_rollouts_in(shop.environment.id).await.unwrap(), [first]);
    }

    async fn rollouts_are_listed_by_environment_feature_and_state(store: Store) {
        let shop = Shop::open(&store).await;
        let (banner, colour) = (shop.feature("banner").await, shop.feature("colour").await);
        let mut ended = insert(&shop, new_rollout(&shop, banner.id)).await;
        ended.end(RolloutState::RolledBack, later(1), Some("errors".to_owned()));
        let mut write = shop.write().await;
        write.update_rollout(&mut ended).await.unwrap();
        shop.commit(write).await;
        let second = insert(&shop, new_rollout(&shop, banner.id)).await;
        let third = insert(&shop, new_rollout(&shop, colour.id)).await;
        let list = async |filter: RolloutFilter| {
            let page = store.rollouts(&filter, PageRequest::first()).await.unwrap();
            assert_eq!(page.total, i64::try_from(page.items.len()).unwrap());
            page.items.iter().map(|rollout| rollout.id).collect::<Vec<_>>()
        };

        assert_eq!(list(one_environment(&shop)).await, [third.id, second.id, ended.id]);
        let of_banner = RolloutFilter { feature: Some(banner.id), ..one_environment(&shop) };
        assert_eq!(list(of_banner).await, [second.id, ended.id]);
        let state = Some(RolloutState::RolledBack);
        assert_eq!(list(RolloutFilter { state, ..one_environment(&shop) }).await, [ended.id]);
        let live = RolloutFilter { live_only: true, ..one_environment(&shop) };
        assert_eq!(list(live).await, [third.id, second.id]);
        assert_eq!(list(RolloutFilter::default()).await, []);
        let page = PageRequest { page: 2, size: 2 };
        let page = store.rollouts(&one_environment(&shop), page).await.unwrap();
        assert_eq!((page.total, page.items.len()), (3, 1));
        assert_eq!(store.live_rollouts_of(banner.id).await.unwrap(), [second]);
    }

    async fn a_copy_of_an_environment_has_nothing_of_its_rollouts(store: Store) {
        let shop = Shop::open(&store).await;
        let feature = shop.feature("banner").await;
        let mut write = shop.write().await;
        let mut rollout = write.insert_rollout(new_rollout(&shop, feature.id), NOW).await.unwrap();
        let managed = write.insert_segment(&new_segment(shop.project.id, "managed"), NOW).await.unwrap();
        let own = write.insert_segment(&new_segment(shop.project.id, "own"), NOW).await.unwrap();
        rollout.managed_segment_id = Some(managed.id);
        write.update_rollout(&mut rollout).await.unwrap();
        for segment in [managed.id, own.id] {
            let link = NewFeatureSegment {
                uuid: Uuid::new_v4(),
                feature_id: feature.id,
                segment_id: segment,
                environment_id: shop.environment.id,
                priority: Some(0),
            };
            let link = write.insert_feature_segment(&link, NOW).await.unwrap();
            let state = NewFeatureState {
                uuid: Uuid::new_v4(),
                feature_id: feature.id,
                environment_id: shop.environment.id,
                owner: NewStateOwner::Segment(link.id),
                version: 1,
                enabled: true,
                value: StateValue::default(),
                hash_seed: None,
                weights: Vec::new(),
                live_from: NOW,
            };
            write.insert_feature_state(&state, NOW).await.unwrap();
        }
        shop.commit(write).await;
        let with_segment = store.live_rollouts_with_segment(managed.id).await.unwrap();
        assert_eq!(with_segment, [rollout]);
        assert_eq!(store.live_rollouts_with_segment(own.id).await.unwrap(), []);
        let copy = shop.environment("copy").await;

        let mut write = shop.write().await;
        write.copy_environment(shop.environment.id, copy.id, NOW).await.unwrap();
        shop.commit(write).await;

        let links = store.feature_segments(copy.id, feature.id, NOW).await.unwrap();
        let segments: Vec<_> = links.iter().map(|link| link.segment_id).collect();
        assert_eq!(segments, [own.id]);
        let states = store.segment_states(copy.id, feature.id, NOW).await.unwrap();
        assert_eq!(states.len(), 1);
    }
}
