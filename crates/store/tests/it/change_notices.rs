use flagstaff_core::EnvironmentId;
use flagstaff_store::{ChangeListener, ChangeNotice, Store, Touched, TouchedIdentities};
use flagstaff_testkit::{Shop, change, contract};
use std::sync::Arc;
use std::time::Duration;

/// `None` on SQLite, where nobody else is to be heard.
async fn listener(store: &Store) -> Option<ChangeListener> {
    let listener = store.listen().await.unwrap();
    assert_eq!(listener.is_some(), store.is_shared());
    listener
}

async fn heard(listener: &mut ChangeListener) -> ChangeNotice {
    let notice = tokio::time::timeout(Duration::from_secs(10), listener.next()).await;
    notice.unwrap().unwrap()
}

contract! {
    async fn a_node_hears_what_another_changed(one: Store, two: Store) {
        let Some(mut listener) = listener(&two).await else { return };
        let shop = Shop::open(&one).await;
        // Notices of making the shop come first, and the very last one is this.
        let identities = TouchedIdentities::These(vec![Arc::from("ada\nlovelace")]);
        let touched = Touched { identities, keys_changed: true, ..shop.touched() };

        let committed = shop.write().await.commit(change(touched.clone())).await.unwrap();

        loop {
            let notice = heard(&mut listener).await;
            if notice.environments.as_ref() == Some(&committed.environments) {
                assert_eq!(notice.identities, touched.identities);
                assert!(notice.keys_changed);
                break;
            }
        }
    }

    async fn a_change_that_is_not_committed_is_not_heard(one: Store, two: Store) {
        let shop = Shop::open(&one).await;
        let Some(mut listener) = listener(&two).await else { return };

        drop(shop.write().await);
        shop.write().await.commit(change(Touched::default())).await.unwrap();
        let committed = shop.commit(shop.write().await).await;

        let first = heard(&mut listener).await;
        assert_eq!(first.environments, Some(committed.environments), "neither dropped nor unseen changes");
    }

    async fn what_is_gone_is_to_be_looked_for(one: Store, two: Store) {
        let shop = Shop::open(&one).await;
        let Some(mut listener) = listener(&two).await else { return };
        let gone = Touched { environments: vec![EnvironmentId::new(i64::MAX)], ..shop.touched() };
        let gone = Touched { environments: [gone.environments, vec![shop.id()]].concat(), ..gone };

        shop.write().await.commit(change(gone)).await.unwrap();

        assert_eq!(heard(&mut listener).await.environments, None);
    }

    async fn a_silent_connection_answers_and_loses_nothing_by_it(one: Store, two: Store) {
        let shop = Shop::open(&one).await;
        let Some(mut listener) = listener(&two).await else { return };
        assert!(tokio::time::timeout(Duration::from_millis(50), listener.next()).await.is_err());
        let committed = shop.commit(shop.write().await).await;

        listener.ping().await.unwrap();

        assert_eq!(heard(&mut listener).await.environments, Some(committed.environments));
    }

    async fn a_database_can_be_reached(store: Store) {
        store.reach().await.unwrap();
    }
}
