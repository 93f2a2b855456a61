use crate::assert_not_found;
use flagstaff_core::{FeatureSegment, FeatureSegmentId, FeatureState, StateOwner};
use flagstaff_store::{NewFeatureSegment, Noun};
use flagstaff_testkit::{NOW, Shop, contract, later};
use uuid::Uuid;

contract! {
    async fn links_are_listed_strongest_first_and_those_without_priority_last(store: Store) {
        let shop = Shop::open(&store).await;
        let feature = shop.feature("checkout").await;
        let segment = shop.segment("pro").await;
        let mut write = shop.write().await;
        let mut links = Vec::new();
        for priority in [None, Some(5), Some(0), Some(0)] {
            let link = NewFeatureSegment {
                uuid: Uuid::new_v4(),
                feature_id: feature.id,
                segment_id: segment.id,
                environment_id: shop.id(),
                priority,
            };
            links.push(write.insert_feature_segment(&link, NOW).await.unwrap());
        }
        shop.commit(write).await;

        let listed = store.feature_segments(shop.id(), feature.id, later(0)).await.unwrap();

        let [none, five, zero, zero_again] = <[_; 4]>::try_from(links).unwrap();
        assert_eq!(listed, [zero, zero_again, five, none]);
    }

    async fn a_link_is_found_by_its_id_and_by_its_stable_id(store: Store) {
        let shop = Shop::open(&store).await;
        let feature = shop.feature("checkout").await;
        let segment = shop.segment("pro").await;
        let link = link_of(&shop.override_for_segment(&feature, &segment, 3).await);

        assert_eq!(store.feature_segment(link.id).await.unwrap(), Some(link.clone()));
        assert_eq!(store.feature_segment_by_uuid(link.uuid).await.unwrap(), Some(link));
        let other = FeatureSegmentId::new(9_999);
        assert_eq!(store.feature_segment(other).await.unwrap(), None);
        assert_eq!(store.feature_segment_by_uuid(feature.uuid).await.unwrap(), None);
    }

    async fn a_link_changes_its_segment_and_its_priority(store: Store) {
        let shop = Shop::open(&store).await;
        let feature = shop.feature("checkout").await;
        let (pro, free) = (shop.segment("pro").await, shop.segment("free").await);
        let mut link = link_of(&shop.override_for_segment(&feature, &pro, 3).await);
        let untouched = link_of(&shop.override_for_segment(&feature, &pro, 4).await);
        (link.segment_id, link.priority) = (free.id, None);

        let mut write = shop.write().await;
        write.update_feature_segment(&link).await.unwrap();
        shop.commit(write).await;

        let links = store.feature_segments(shop.id(), feature.id, later(0)).await.unwrap();
        assert_eq!(links, [untouched, link.clone()]);
        link.id = FeatureSegmentId::new(9_999);
        let mut write = shop.write().await;
        assert_not_found(write.update_feature_segment(&link).await, Noun::FeatureSegment);
    }

    async fn a_link_is_deleted_with_its_state_alone(store: Store) {
        let shop = Shop::open(&store).await;
        let feature = shop.feature("checkout").await;
        let (pro, free) = (shop.segment("pro").await, shop.segment("free").await);
        let gone = shop.override_for_segment(&feature, &pro, 0).await;
        let kept = shop.override_for_segment(&feature, &free, 1).await;
        let link = link_of(&gone);

        let mut write = shop.write().await;
        write.delete_feature_segment(link.id, later(1)).await.unwrap();
        shop.commit(write).await;

        let states = store.segment_states(shop.id(), feature.id, later(2)).await.unwrap();
        assert_eq!(states, std::slice::from_ref(&kept));
        let links = store.feature_segments(shop.id(), feature.id, later(0)).await.unwrap();
        assert_eq!(links, [link_of(&kept)]);
        assert_eq!(store.feature_segment(link.id).await.unwrap(), None);
        assert_eq!(store.feature_state(gone.id).await.unwrap(), None);
        let mut write = shop.write().await;
        let again = write.delete_feature_segment(link.id, later(3)).await;
        assert_not_found(again, Noun::FeatureSegment);
    }
}

fn link_of(state: &FeatureState) -> FeatureSegment {
    match &state.owner {
        StateOwner::Segment(link) => link.clone(),
        StateOwner::Environment | StateOwner::Identity { .. } => panic!("not a segment's"),
    }
}
