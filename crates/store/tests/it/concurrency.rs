//! What two nodes on one database may do to each other.

use flagstaff_core::StateValue;
use flagstaff_store::{NewStateOwner, Store, Touched};
use flagstaff_testkit::{
    NOW, Shop, change, contract, later, new_feature, new_organisation, new_project, new_state,
};

contract! {
    async fn changes_of_two_nodes_come_one_at_a_time(one: Store, two: Store) {
        let shop = Shop::open(&one).await;
        let before = one.revisions(&[shop.id()]).await.unwrap()[0].revision;
        let mut tasks = Vec::new();
        for number in 0..20 {
            let store = if number % 2 == 0 { one.clone() } else { two.clone() };
            let (project, touched) = (shop.project.id, shop.touched());
            tasks.push(tokio::spawn(async move {
                let mut write = store.write().await.unwrap();
                let feature = new_feature(project, &format!("feature-{number}"));
                let feature = write.insert_feature(&feature, NOW).await.unwrap();
                write.start_feature(&feature, true, &StateValue::default(), NOW).await.unwrap();
                write.commit(change(touched)).await.unwrap().environments[0].revision
            }));
        }

        let mut revisions = Vec::new();
        for task in tasks {
            revisions.push(task.await.unwrap());
        }

        revisions.sort_unstable();
        let expected: Vec<i64> = (before + 1..=before + 20).collect();
        assert_eq!(revisions, expected, "every change has a revision of its own");
        assert_eq!(two.count_features(shop.project.id).await.unwrap(), 20);
    }

    async fn an_empty_database_is_set_up_by_one_of_two_nodes(one: Store, two: Store) {
        async fn set_up(store: Store) -> bool {
            let mut write = store.write().await.unwrap();
            if !write.is_first().await.unwrap() {
                return false;
            }
            write.insert_organisation(&new_organisation("Demo"), NOW).await.unwrap();
            write.commit(change(Touched::default())).await.unwrap();
            true
        }
        assert!(one.is_empty().await.unwrap());

        let (first, second) = tokio::join!(
            tokio::spawn(set_up(one.clone())),
            tokio::spawn(set_up(two.clone())),
        );

        assert_ne!(first.unwrap(), second.unwrap(), "one of them, not both");
        assert_eq!(one.all_organisations().await.unwrap().len(), 1);
        assert!(!two.is_empty().await.unwrap());
    }

    async fn a_scheduled_change_becomes_true_through_one_of_two_nodes(one: Store, two: Store) {
        let shop = Shop::open(&one).await;
        let feature = shop.feature("checkout").await;
        let mut scheduled = new_state(shop.id(), feature.id, NewStateOwner::Environment);
        scheduled.version = 2;
        scheduled.live_from = later(1_000_000);
        shop.state(&scheduled).await;
        let before = one.revisions(&[shop.id()]).await.unwrap()[0].revision;

        let mut tasks = Vec::new();
        for number in 0..8 {
            let store = if number % 2 == 0 { one.clone() } else { two.clone() };
            tasks.push(tokio::spawn(async move {
                store.apply_due_changes(later(1_000_000)).await.unwrap().len()
            }));
        }
        let mut flips = 0;
        for task in tasks {
            flips += task.await.unwrap();
        }

        assert_eq!(flips, 1);
        assert_eq!(one.revisions(&[shop.id()]).await.unwrap()[0].revision, before + 1);
        let log = one.audit_entries(Some(shop.organisation.id), 0, 10).await.unwrap();
        assert_eq!(log.len(), 1);
        assert_eq!(log[0].actor_kind, "system");
    }

    async fn writers_that_touch_rows_in_opposite_order_do_not_fail(one: Store, two: Store) {
        let shop = Shop::open(&one).await;
        let other = shop.environment("production").await;
        let orders = [vec![shop.id(), other.id], vec![other.id, shop.id()]];
        let mut tasks = Vec::new();
        for number in 0..20 {
            let store = if number % 2 == 0 { one.clone() } else { two.clone() };
            let environments = orders[number % 2].clone();
            tasks.push(tokio::spawn(async move {
                let touched = Touched { environments, ..Touched::default() };
                store.write().await.unwrap().commit(change(touched)).await.unwrap();
            }));
        }

        for task in tasks {
            task.await.unwrap();
        }

        let verdict = one.verify_audit(None).await.unwrap();
        assert_eq!(verdict, flagstaff_store::AuditVerdict::Whole { entries: 22 });
    }

    async fn a_slug_that_two_nodes_take_at_once_is_given_once(one: Store, two: Store) {
        let shop = Shop::open(&one).await;
        let insert = |store: Store| {
            let organisation = shop.organisation.id;
            async move {
                let mut write = store.write().await.unwrap();
                write.insert_project(&new_project(organisation, "blog"), NOW).await?;
                write.commit(change(Touched::default())).await
            }
        };

        let (first, second) = tokio::join!(
            tokio::spawn(insert(one.clone())),
            tokio::spawn(insert(two.clone())),
        );

        let (first, second) = (first.unwrap(), second.unwrap());
        assert!(first.is_ok() != second.is_ok());
        crate::assert_conflict(first.and(second), flagstaff_store::Noun::Project);
    }

    async fn a_change_can_read_beside_itself_while_many_wait(one: Store) {
        let shop = Shop::open(&one).await;
        let mut tasks = Vec::new();
        for _ in 0..60 {
            let (store, id, touched) = (one.clone(), shop.id(), shop.touched());
            tasks.push(tokio::spawn(async move {
                let write = store.write().await.unwrap();
                let before = store.revisions(&[id]).await.unwrap()[0].revision;
                let committed = write.commit(change(touched)).await.unwrap();
                assert_eq!(committed.environments[0].revision, before + 1, "nobody came between");
            }));
        }

        for task in tasks {
            task.await.unwrap();
        }
    }
}
