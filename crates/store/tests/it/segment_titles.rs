use flagstaff_core::SegmentId;
use flagstaff_store::SegmentTitle;
use flagstaff_testkit::{Shop, contract, later, new_segment};

contract! {
    async fn titles_of_segments_that_are_there_are_found(store: Store) {
        let shop = Shop::open(&store).await;
        let feature = shop.feature("checkout").await;
        let (pro, gone) = (shop.segment("pro").await, shop.segment("gone").await);
        let mut own = new_segment(shop.project.id, "own");
        own.feature_id = Some(feature.id);
        let mut write = shop.write().await;
        let own = write.insert_segment(&own, later(1)).await.unwrap();
        write.delete_segment(gone.id, later(1)).await.unwrap();
        shop.commit(write).await;
        // More than fit into one statement.
        let mut ids: Vec<SegmentId> = (1_000..1_700).map(SegmentId::new).collect();
        ids.extend([own.id, gone.id, pro.id, pro.id]);

        let titles = store.segment_titles(&ids).await.unwrap();

        let title = |name: &str, feature_id| SegmentTitle { name: name.to_owned(), feature_id };
        assert_eq!(titles.len(), 2);
        assert_eq!(titles.get(&pro.id), Some(&title("pro", None)));
        assert_eq!(titles.get(&own.id), Some(&title("own", Some(feature.id))));
        assert!(store.segment_titles(&[]).await.unwrap().is_empty());
    }
}
