use crate::{assert_conflict, assert_not_found};
use flagstaff_core::{FlagdEvaluators, FlagdForm, FlagdIntegration};
use flagstaff_store::{NewFlagdIntegration, Noun};
use flagstaff_testkit::{NOW, Shop, contract, later};
use uuid::Uuid;

fn new_integration(shop: &Shop) -> NewFlagdIntegration {
    NewFlagdIntegration {
        uuid: Uuid::new_v4(),
        project_id: shop.project.id,
        enabled: false,
        evaluators: FlagdEvaluators::Inline,
        form: FlagdForm::Lean,
    }
}

async fn insert(shop: &Shop, new: &NewFlagdIntegration) -> FlagdIntegration {
    let mut write = shop.write().await;
    let made = write.insert_flagd_integration(new, NOW).await.unwrap();
    shop.commit(write).await;
    made
}

contract! {
    async fn an_integration_with_flagd_is_stored_changed_and_deleted(store: Store) {
        let shop = Shop::open(&store).await;
        let new = new_integration(&shop);
        assert_eq!(store.flagd_integration(shop.project.id).await.unwrap(), None);

        let mut made = insert(&shop, &new).await;

        assert_eq!((made.uuid, made.project_id, made.enabled), (new.uuid, shop.project.id, false));
        assert_eq!((made.evaluators, made.form), (FlagdEvaluators::Inline, FlagdForm::Lean));
        assert_eq!((made.created_at, made.updated_at), (NOW, NOW));
        assert_eq!(store.flagd_integration(shop.project.id).await.unwrap().as_ref(), Some(&made));

        made.enabled = true;
        (made.evaluators, made.form) = (FlagdEvaluators::Shared, FlagdForm::Typed);
        made.updated_at = later(1);
        let mut write = shop.write().await;
        write.update_flagd_integration(&made).await.unwrap();
        shop.commit(write).await;
        assert_eq!(store.flagd_integration(shop.project.id).await.unwrap().as_ref(), Some(&made));

        let mut write = shop.write().await;
        write.delete_flagd_integration(made.id).await.unwrap();
        shop.commit(write).await;
        assert_eq!(store.flagd_integration(shop.project.id).await.unwrap(), None);
        assert_not_found(
            shop.write().await.update_flagd_integration(&made).await,
            Noun::FlagdIntegration,
        );
        assert_not_found(
            shop.write().await.delete_flagd_integration(made.id).await,
            Noun::FlagdIntegration,
        );
        let again = insert(&shop, &new).await;
        assert_ne!(again.id, made.id, "ids are not used twice");
    }

    async fn a_project_has_one_integration_with_flagd(store: Store) {
        let shop = Shop::open(&store).await;
        insert(&shop, &new_integration(&shop)).await;

        let second = shop.write().await.insert_flagd_integration(&new_integration(&shop), NOW).await;

        assert_conflict(second, Noun::FlagdIntegration);
    }

    async fn a_snapshot_says_how_the_project_is_served_to_flagd(store: Store) {
        let shop = Shop::open(&store).await;
        let (before, _) = store.snapshot(shop.id(), None, NOW).await.unwrap().unwrap();
        let made = insert(&shop, &new_integration(&shop)).await;

        let (after, _) = store.snapshot(shop.id(), None, NOW).await.unwrap().unwrap();

        assert_eq!(before.flagd, None);
        assert_eq!(after.flagd, Some(made));
    }
}
