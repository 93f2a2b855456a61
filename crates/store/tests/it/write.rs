use flagstaff_store::{Change, OutboxEvent, Touched};
use flagstaff_testkit::{
    NOW, Shop, change, contract, later, new_environment, new_feature, new_organisation, new_project,
};

contract! {
    async fn a_dropped_write_leaves_nothing(store: Store) {
        let shop = Shop::open(&store).await;
        let mut write = shop.write().await;
        write.insert_feature(&new_feature(shop.project.id, "checkout"), NOW).await.unwrap();

        drop(write);

        assert_eq!(store.count_features(shop.project.id).await.unwrap(), 0);
        assert_eq!(store.audit_entries(None, 0, 100).await.unwrap().len(), 1);
    }

    async fn a_commit_raises_the_revision_by_one(store: Store) {
        let shop = Shop::open(&store).await;
        let before = store.revisions(&[shop.id()]).await.unwrap();

        let committed = shop.commit(shop.write().await).await;

        assert_eq!(committed.environments.len(), 1);
        assert_eq!(committed.environments[0].revision, before[0].revision + 1);
        assert_eq!(store.revisions(&[shop.id()]).await.unwrap(), committed.environments);
    }

    async fn the_time_of_a_change_is_later_than_the_one_before(store: Store) {
        let shop = Shop::open(&store).await;
        shop.commit(shop.write().await).await;
        let first = store.environment(shop.id()).await.unwrap().unwrap().updated_at;

        shop.commit(shop.write().await).await;

        let second = store.environment(shop.id()).await.unwrap().unwrap().updated_at;
        assert_eq!(second, first.plus_micros(1), "both were made at one time");
    }

    async fn the_time_of_a_change_is_when_it_was_made(store: Store) {
        let shop = Shop::open(&store).await;
        let change = Change { at: later(5_000_000), ..change(shop.touched()) };

        shop.write().await.commit(change).await.unwrap();

        let environment = store.environment(shop.id()).await.unwrap().unwrap();
        assert_eq!(environment.updated_at, later(5_000_000));
    }

    async fn a_change_of_a_project_shows_in_all_its_environments(store: Store) {
        let shop = Shop::open(&store).await;
        let other = shop.environment("production").await;
        let ids = [shop.id(), other.id];
        let before = store.revisions(&ids).await.unwrap();
        let time = store.environment(other.id).await.unwrap().unwrap().updated_at;
        let touched = Touched { projects: vec![shop.project.id], ..Touched::default() };

        let committed = shop.write().await.commit(change(touched)).await.unwrap();

        assert_eq!(committed.environments.len(), 2);
        for (after, before) in committed.environments.iter().zip(&before) {
            assert_eq!((after.id, after.revision), (before.id, before.revision + 1));
        }
        assert!(store.environment(other.id).await.unwrap().unwrap().updated_at > time);
        let project = store.project(shop.project.id).await.unwrap().unwrap();
        assert_eq!(project.revision, shop.project.revision + 1);
    }

    async fn a_change_of_an_organisation_shows_in_all_its_projects(store: Store) {
        let shop = Shop::open(&store).await;
        let mut write = shop.write().await;
        let blog = write
            .insert_project(&new_project(shop.organisation.id, "blog"), NOW).await.unwrap();
        let posts = write.insert_environment(&new_environment(blog.id, "posts"), NOW).await.unwrap();
        let strangers = write.insert_organisation(&new_organisation("Others"), NOW).await.unwrap();
        let foreign = write.insert_project(&new_project(strangers.id, "shop"), NOW).await.unwrap();
        write.insert_environment(&new_environment(foreign.id, "development"), NOW).await.unwrap();
        shop.commit(write).await;
        let touched = Touched { organisations: vec![shop.organisation.id], ..Touched::default() };

        let committed = shop.write().await.commit(change(touched)).await.unwrap();

        let ids: Vec<_> = committed.environments.iter().map(|revision| revision.id).collect();
        assert_eq!(ids, [shop.id(), posts.id]);
    }

    async fn an_environment_named_twice_is_told_of_once_with_its_last_revision(store: Store) {
        let shop = Shop::open(&store).await;
        let touched = Touched { projects: vec![shop.project.id], ..shop.touched() };

        let committed = shop.write().await.commit(change(touched)).await.unwrap();

        assert_eq!(committed.environments, store.revisions(&[shop.id()]).await.unwrap());
    }

    async fn a_deleted_environment_has_no_new_revision(store: Store) {
        let shop = Shop::open(&store).await;
        let mut write = shop.write().await;
        write.delete_environment(shop.id(), NOW).await.unwrap();

        let committed = shop.commit(write).await;

        assert!(committed.environments.is_empty());
        assert!(store.revisions(&[shop.id()]).await.unwrap().is_empty());
    }

    async fn audit_and_outbox_come_with_the_change_or_not_at_all(store: Store) {
        let shop = Shop::open(&store).await;
        let event = OutboxEvent {
            kind: "webhook".to_owned(),
            organisation_id: Some(shop.organisation.id),
            environment_id: Some(shop.id()),
            payload: "{}".to_owned(),
        };
        // A project that does not exist cannot have a feature: the transaction fails before its end.
        let mut write = shop.write().await;
        let orphan = new_feature(flagstaff_core::ProjectId::new(999_999), "orphan");
        assert!(write.insert_feature(&orphan, NOW).await.is_err());
        drop(write);
        assert!(store.claim_outbox("webhook", "w", later(1), later(2), 10).await.unwrap().is_empty());

        let change = Change { outbox: vec![event.clone()], ..change(shop.touched()) };
        shop.write().await.commit(change).await.unwrap();

        let claimed = store.claim_outbox("webhook", "w", later(1), later(2), 10).await.unwrap();
        assert_eq!(claimed.len(), 1);
        assert_eq!(claimed[0].event, event);
    }

    async fn more_environments_than_one_statement_takes_are_asked_for_in_parts(store: Store) {
        let shop = Shop::open(&store).await;
        let ids: Vec<_> = (0..1200).map(flagstaff_core::EnvironmentId::new).collect();

        let revisions = store.revisions(&ids).await.unwrap();

        assert_eq!(revisions.len(), 1);
        assert_eq!(revisions[0].id, shop.id());
    }
}
