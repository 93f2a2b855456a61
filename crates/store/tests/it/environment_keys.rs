use flagstaff_store::{KeyCursor, KeyRow};
use flagstaff_testkit::{NOW, Shop, contract, later, new_server_key};

fn texts(rows: &[KeyRow]) -> Vec<&str> {
    let mut texts: Vec<_> = rows.iter().map(|row| row.key.as_str()).collect();
    texts.sort_unstable();
    texts
}

contract! {
    async fn only_keys_made_or_changed_since_are_read(store: Store) {
        let shop = Shop::open(&store).await;
        let (first, cursor) = store.keys_after(KeyCursor::default()).await.unwrap();
        assert_eq!(texts(&first), [&*shop.environment.api_key]);

        let mut write = shop.write().await;
        let backend = new_server_key(shop.id(), "backend");
        let mut key = write.insert_server_key(&backend, NOW).await.unwrap();
        shop.commit(write).await;
        let (second, next) = store.keys_after(cursor).await.unwrap();
        assert_eq!(texts(&second), [&*backend.key]);
        assert!(second[0].active && second[0].environment_id == shop.id());

        key.active = false;
        key.expires_at = Some(later(9));
        let mut write = shop.write().await;
        write.update_server_key(&key).await.unwrap();
        shop.commit(write).await;
        let (third, last) = store.keys_after(next).await.unwrap();
        assert_eq!(texts(&third), [&*backend.key]);
        assert_eq!((third[0].active, third[0].expires_at), (false, Some(later(9))));
        let (rest, end) = store.keys_after(last).await.unwrap();
        assert!(rest.is_empty() && end == last);
    }

    async fn the_keys_of_an_environment_end_with_it(store: Store) {
        let shop = Shop::open(&store).await;
        let mut write = shop.write().await;
        let backend = new_server_key(shop.id(), "backend");
        write.insert_server_key(&backend, NOW).await.unwrap();
        shop.commit(write).await;
        assert_eq!(store.keys_of(shop.id()).await.unwrap().len(), 2);

        let mut write = shop.write().await;
        write.delete_environment(shop.id(), later(1)).await.unwrap();
        shop.commit(write).await;

        assert!(store.keys_of(shop.id()).await.unwrap().is_empty());
        let (all, _) = store.keys_after(KeyCursor::default()).await.unwrap();
        assert!(all.is_empty());
    }
}
