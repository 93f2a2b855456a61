use crate::{assert_conflict, assert_not_found};
use flagstaff_core::{ApiKeyId, OrganisationId};
use flagstaff_store::{NewApiKey, Noun};
use flagstaff_testkit::{NOW, Shop, contract, digest, later};

fn new_key(organisation_id: OrganisationId, prefix: &str) -> NewApiKey {
    NewApiKey {
        organisation_id,
        prefix: prefix.to_owned(),
        digest: digest(prefix),
        name: "ci".to_owned(),
        is_admin: true,
        expires_at: None,
        created_by: None,
    }
}

contract! {
    async fn keys_are_listed_and_found_in_their_organisation_alone(store: Store) {
        let shop = Shop::open(&store).await;
        let id = shop.organisation.id;
        let mut write = shop.write().await;
        let first = write.insert_api_key(&new_key(id, "first"), NOW).await.unwrap();
        let mut other = new_key(id, "second");
        other.expires_at = Some(later(9));
        let second = write.insert_api_key(&other, NOW).await.unwrap();
        shop.commit(write).await;

        assert_eq!(store.api_keys(id).await.unwrap(), [first.clone(), second.clone()]);
        assert_eq!(second.expires_at, Some(later(9)));
        assert_eq!(store.api_key(id, "first").await.unwrap(), Some(first));
        assert_eq!(store.api_key(id, "fir\0st").await.unwrap(), None);
        let elsewhere = OrganisationId::new(999);
        assert_eq!(store.api_key(elsewhere, "first").await.unwrap(), None);
        assert!(store.api_keys(elsewhere).await.unwrap().is_empty());
    }

    async fn a_prefix_is_unique(store: Store) {
        let shop = Shop::open(&store).await;
        let mut write = shop.write().await;
        let new = new_key(shop.organisation.id, "first");
        write.insert_api_key(&new, NOW).await.unwrap();

        assert_conflict(write.insert_api_key(&new, NOW).await, Noun::ApiKey);
    }

    async fn a_key_opens_until_it_is_over_or_revoked(store: Store) {
        let shop = Shop::open(&store).await;
        let mut new = new_key(shop.organisation.id, "first");
        new.expires_at = Some(later(10));
        let mut write = shop.write().await;
        let mut key = write.insert_api_key(&new, NOW).await.unwrap();
        shop.commit(write).await;

        assert_eq!(store.api_key_by_digest(&new.digest, later(9)).await.unwrap(), Some(key.clone()));
        assert_eq!(store.api_key_by_digest(&new.digest, later(10)).await.unwrap(), None);
        assert_eq!(store.api_key_by_digest(&digest("other"), NOW).await.unwrap(), None);
        (key.revoked, key.expires_at, key.name) = (true, None, "old".to_owned());
        let mut write = shop.write().await;
        write.update_api_key(&key).await.unwrap();
        shop.commit(write).await;

        assert_eq!(store.api_keys(shop.organisation.id).await.unwrap(), [key]);
        assert_eq!(store.api_key_by_digest(&new.digest, NOW).await.unwrap(), None);
    }

    async fn keys_of_a_deleted_organisation_open_nothing(store: Store) {
        let shop = Shop::open(&store).await;
        let new = new_key(shop.organisation.id, "first");
        let mut write = shop.write().await;
        write.insert_api_key(&new, NOW).await.unwrap();
        write.delete_organisation(shop.organisation.id, later(1)).await.unwrap();
        shop.commit(write).await;

        assert_eq!(store.api_key_by_digest(&new.digest, NOW).await.unwrap(), None);
    }

    async fn digests_are_read_from_the_newest_known_on(store: Store) {
        let shop = Shop::open(&store).await;
        let id = shop.organisation.id;
        let mut write = shop.write().await;
        let first = write.insert_api_key(&new_key(id, "first"), NOW).await.unwrap();
        let second = write.insert_api_key(&new_key(id, "second"), NOW).await.unwrap();
        shop.commit(write).await;

        let all = store.api_key_digests_after(ApiKeyId::default()).await.unwrap();
        let newer = store.api_key_digests_after(first.id).await.unwrap();

        assert_eq!(all, [(first.id, digest("first")), (second.id, digest("second"))]);
        assert_eq!(newer, [(second.id, digest("second"))]);
    }

    async fn a_deleted_key_is_not_there(store: Store) {
        let shop = Shop::open(&store).await;
        let mut write = shop.write().await;
        let new = new_key(shop.organisation.id, "first");
        let key = write.insert_api_key(&new, NOW).await.unwrap();
        write.delete_api_key(key.id).await.unwrap();
        assert_not_found(write.delete_api_key(key.id).await, Noun::ApiKey);
        assert_not_found(write.update_api_key(&key).await, Noun::ApiKey);
        shop.commit(write).await;

        assert_eq!(store.api_key_by_digest(&new.digest, NOW).await.unwrap(), None);
    }
}
