use crate::{assert_conflict, assert_not_found};
use flagstaff_store::Noun;
use flagstaff_testkit::{NOW, Shop, contract, later, new_environment, new_server_key};

contract! {
    async fn keys_are_listed_in_the_order_they_were_made(store: Store) {
        let shop = Shop::open(&store).await;
        let mut expired = new_server_key(shop.id(), "old");
        (expired.active, expired.expires_at) = (false, Some(later(-5)));
        let mut write = shop.write().await;
        let first = write
            .insert_server_key(&new_server_key(shop.id(), "backend"), NOW).await.unwrap();
        let second = write.insert_server_key(&expired, NOW).await.unwrap();
        shop.commit(write).await;

        let keys = store.server_keys(shop.id()).await.unwrap();

        assert_eq!(keys, [first, second]);
        assert_eq!((keys[1].active, keys[1].expires_at), (false, Some(later(-5))));
    }

    async fn a_key_is_nobody_elses(store: Store) {
        let shop = Shop::open(&store).await;
        let key = new_server_key(shop.id(), "backend");
        let mut write = shop.write().await;
        write.insert_server_key(&key, NOW).await.unwrap();
        shop.commit(write).await;

        let again = shop.write().await.insert_server_key(&key, NOW).await;
        let mut client = new_environment(shop.project.id, "other");
        client.api_key = key.key.clone();
        let client = shop.write().await.insert_environment(&client, NOW).await;
        let mut server = key.clone();
        server.key = shop.environment.api_key.clone();
        let server = shop.write().await.insert_server_key(&server, NOW).await;

        assert_conflict(again, Noun::ServerKey);
        assert_conflict(client, Noun::ClientKey);
        assert_conflict(server, Noun::ServerKey);
    }

    async fn a_deleted_key_is_nowhere(store: Store) {
        let shop = Shop::open(&store).await;
        let new = new_server_key(shop.id(), "backend");
        let mut write = shop.write().await;
        let key = write.insert_server_key(&new, NOW).await.unwrap();
        shop.commit(write).await;

        let mut write = shop.write().await;
        write.delete_server_key(key.id).await.unwrap();
        let next = write.insert_server_key(&new, NOW).await.unwrap();
        shop.commit(write).await;

        assert!(next.id > key.id, "ids are not given again");
        assert_eq!(store.server_keys(shop.id()).await.unwrap(), [next]);
        assert_not_found(shop.write().await.delete_server_key(key.id).await, Noun::ServerKey);
        assert_not_found(shop.write().await.update_server_key(&key).await, Noun::ServerKey);
    }

    async fn a_deleted_environment_frees_its_server_keys(store: Store) {
        let shop = Shop::open(&store).await;
        let other = shop.environment("production").await;
        let mut new = new_server_key(shop.id(), "backend");
        let mut write = shop.write().await;
        write.insert_server_key(&new, NOW).await.unwrap();
        write.delete_environment(shop.id(), later(1)).await.unwrap();

        new.environment_id = other.id;
        write.insert_server_key(&new, NOW).await.unwrap();
        shop.commit(write).await;

        assert_eq!(store.server_keys(other.id).await.unwrap().len(), 1);
    }
}
