use flagstaff_store::NewFeatureSegment;
use flagstaff_testkit::{NOW, Shop, contract};
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

        let listed = store.feature_segments(shop.id(), feature.id).await.unwrap();

        let [none, five, zero, zero_again] = <[_; 4]>::try_from(links).unwrap();
        assert_eq!(listed, [zero, zero_again, five, none]);
    }
}
