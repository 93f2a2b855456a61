use crate::assert_not_found;
use flagstaff_core::TagId;
use flagstaff_store::{FeatureFilter, NewTag, Noun, PageRequest, TagFilter};
use flagstaff_testkit::{NOW, Shop, contract, later, new_feature, new_member};
use uuid::Uuid;

fn new_tag(shop: &Shop, label: &str) -> NewTag {
    NewTag {
        uuid: Uuid::new_v4(),
        project_id: shop.project.id,
        label: label.to_owned(),
        colour: "#fff".to_owned(),
        description: None,
        is_permanent: false,
    }
}

async fn tag(shop: &Shop, label: &str) -> TagId {
    let mut write = shop.write().await;
    let tag = write.insert_tag(&new_tag(shop, label), NOW).await.unwrap();
    shop.commit(write).await;
    tag.id
}

async fn found(shop: &Shop, filter: FeatureFilter) -> Vec<String> {
    let all = PageRequest::first();
    let page = shop.store.features(shop.project.id, &filter, all).await;
    let page = page.unwrap();
    assert_eq!(page.total, i64::try_from(page.items.len()).unwrap());
    page.items
        .iter()
        .map(|feature| feature.name.to_string())
        .collect()
}

contract! {
    async fn a_tag_is_stored_changed_and_deleted(store: Store) {
        let shop = Shop::open(&store).await;
        let mut new = new_tag(&shop, "beta");
        new.description = Some("für später".to_owned());
        new.is_permanent = true;
        let mut write = shop.write().await;
        let mut tag = write.insert_tag(&new, NOW).await.unwrap();
        shop.commit(write).await;

        assert_eq!(store.tag(tag.id).await.unwrap().as_ref(), Some(&tag));
        assert_eq!(store.tag_by_uuid(new.uuid).await.unwrap().as_ref(), Some(&tag));
        assert_eq!((&tag.label, &tag.description), (&new.label, &new.description));
        (tag.label, tag.colour) = ("gamma".to_owned(), "#000".to_owned());
        (tag.description, tag.is_permanent) = (None, false);
        let mut write = shop.write().await;
        write.update_tag(&tag).await.unwrap();
        shop.commit(write).await;
        assert_eq!(store.tag(tag.id).await.unwrap().as_ref(), Some(&tag));

        let mut write = shop.write().await;
        write.delete_tag(tag.id, later(1)).await.unwrap();
        shop.commit(write).await;

        assert_eq!(store.tag(tag.id).await.unwrap(), None);
        assert_eq!(store.tag_by_uuid(new.uuid).await.unwrap(), None);
        assert_eq!(store.count_tags(shop.project.id).await.unwrap(), 0);
        assert_not_found(shop.write().await.update_tag(&tag).await, Noun::Tag);
        assert_not_found(shop.write().await.delete_tag(tag.id, later(2)).await, Noun::Tag);
    }

    async fn labels_need_not_be_unique_and_lists_are_paged(store: Store) {
        let shop = Shop::open(&store).await;
        let mut ids = Vec::new();
        for _ in 0..3 {
            ids.push(tag(&shop, "beta").await);
        }

        let page = store.tags(shop.project.id, PageRequest { page: 2, size: 2 }).await.unwrap();

        assert_eq!((page.total, page.items.len()), (3, 1));
        assert_eq!(page.items[0].id, ids[2]);
    }

    async fn a_feature_carries_what_it_was_given_until_the_tag_is_gone(store: Store) {
        let shop = Shop::open(&store).await;
        let (beta, team) = (tag(&shop, "beta").await, tag(&shop, "team").await);
        let mut new = new_feature(shop.project.id, "checkout");
        new.tags = vec![team, beta, team];
        let feature = shop.insert_feature(&new).await;
        assert_eq!(store.tags_of_features(&[feature.id]).await.unwrap(), [(feature.id, beta), (feature.id, team)]);

        let mut write = shop.write().await;
        write.set_feature_tags(feature.id, &[team]).await.unwrap();
        shop.commit(write).await;
        assert_eq!(store.tags_of_features(&[feature.id]).await.unwrap(), [(feature.id, team)]);

        let mut write = shop.write().await;
        write.delete_tag(team, later(1)).await.unwrap();
        shop.commit(write).await;
        assert!(store.tags_of_features(&[feature.id]).await.unwrap().is_empty());
    }

    async fn tags_and_owners_of_many_features_are_one_question_each(store: Store) {
        let shop = Shop::open(&store).await;
        let (beta, forever) = (tag(&shop, "beta").await, tag(&shop, "forever").await);
        let mut write = shop.write().await;
        let ada = write.insert_member(&new_member("ada@example.com"), NOW).await.unwrap().id;
        let mut permanent = store.tag(forever).await.unwrap().unwrap();
        permanent.is_permanent = true;
        write.update_tag(&permanent).await.unwrap();
        shop.commit(write).await;
        let mut new = new_feature(shop.project.id, "one");
        (new.tags, new.owners) = (vec![beta, forever], vec![ada]);
        let one = shop.insert_feature(&new).await.id;
        new = new_feature(shop.project.id, "two");
        new.tags = vec![beta];
        let two = shop.insert_feature(&new).await.id;
        let project = shop.project.id;

        let tags = store.tags_of_features(&[two, one]).await.unwrap();
        let owners = store.owners_of_features(&[two, one]).await.unwrap();

        assert_eq!(tags, [(one, beta), (one, forever), (two, beta)]);
        assert_eq!(owners, [(one, ada)]);
        assert_eq!(store.tags_of_features(&[]).await.unwrap(), []);
        assert_eq!(store.features_with_tag(project, beta).await.unwrap(), [one, two]);
        assert_eq!(store.features_with_owner(project, ada).await.unwrap(), [one]);
        assert_eq!(store.permanent_features(project).await.unwrap(), [one]);
        let mut write = shop.write().await;
        write.delete_tag(forever, later(1)).await.unwrap();
        shop.commit(write).await;
        assert_eq!(store.permanent_features(project).await.unwrap(), []);
        assert_eq!(store.tags_of_features(&[one]).await.unwrap(), [(one, beta)]);
    }

    async fn features_are_found_by_tags_and_owners(store: Store) {
        let shop = Shop::open(&store).await;
        let (beta, team) = (tag(&shop, "beta").await, tag(&shop, "team").await);
        let mut write = shop.write().await;
        let ada = write.insert_member(&new_member("ada@example.com"), NOW).await.unwrap().id;
        let bob = write.insert_member(&new_member("bob@example.com"), NOW).await.unwrap().id;
        shop.commit(write).await;
        for (name, tags, owners) in [
            ("both", vec![beta, team], vec![ada]),
            ("one", vec![beta], vec![ada, bob]),
            ("none", vec![], vec![]),
        ] {
            let mut new = new_feature(shop.project.id, name);
            (new.tags, new.owners) = (tags, owners);
            shop.insert_feature(&new).await;
        }
        let by = |tags| FeatureFilter { tags: Some(tags), ..FeatureFilter::default() };
        let of = |owners: &[_]| FeatureFilter {
            owners: Some(owners.to_vec()),
            ..FeatureFilter::default()
        };

        assert_eq!(found(&shop, by(TagFilter::All(vec![beta, team]))).await, ["both"]);
        assert_eq!(found(&shop, by(TagFilter::Any(vec![team, beta]))).await, ["both", "one"]);
        assert_eq!(found(&shop, by(TagFilter::Untagged)).await, ["none"]);
        assert!(found(&shop, by(TagFilter::Any(vec![]))).await.is_empty());
        assert_eq!(found(&shop, of(&[ada])).await, ["both", "one"]);
        assert_eq!(found(&shop, of(&[bob])).await, ["one"]);
        assert!(found(&shop, of(&[])).await.is_empty());
        let mut combined = of(&[ada, bob]);
        combined.tags = Some(TagFilter::All(vec![team]));
        assert_eq!(found(&shop, combined).await, ["both"]);
    }

    async fn an_owner_comes_and_goes(store: Store) {
        let shop = Shop::open(&store).await;
        let mut write = shop.write().await;
        let ada = write.insert_member(&new_member("ada@example.com"), NOW).await.unwrap();
        shop.commit(write).await;
        let feature = shop.feature("checkout").await;
        let mut write = shop.write().await;
        write.insert_feature_owner(feature.id, ada.id).await.unwrap();
        write.insert_feature_owner(feature.id, ada.id).await.unwrap();
        shop.commit(write).await;
        assert_eq!(store.feature_owners(&[feature.id]).await.unwrap().len(), 1);
        assert!(!store.is_member_of(ada.id, shop.organisation.id).await.unwrap());

        let mut write = shop.write().await;
        write.delete_feature_owner(feature.id, ada.id).await.unwrap();
        write.delete_feature_owner(feature.id, ada.id).await.unwrap();
        let role = flagstaff_core::Role::User;
        write.insert_membership(shop.organisation.id, ada.id, role, NOW).await.unwrap();
        shop.commit(write).await;

        assert!(store.feature_owners(&[feature.id]).await.unwrap().is_empty());
        assert!(store.is_member_of(ada.id, shop.organisation.id).await.unwrap());
    }
}
