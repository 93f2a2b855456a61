use crate::{assert_conflict, assert_not_found};
use flagstaff_core::{DisabledAs, FeatureKind, Hash, StateValue};
use flagstaff_store::{Noun, PageRequest, StateFilter};
use flagstaff_testkit::{
    NOW, Shop, contract, later, new_environment, new_feature, new_option, new_project,
};

contract! {
    async fn an_environment_is_found_by_its_uuid(store: Store) {
        let shop = Shop::open(&store).await;

        let found = store.environment_by_uuid(shop.environment.uuid).await.unwrap();
        let unknown = store.environment_by_uuid(uuid::Uuid::new_v4()).await.unwrap();

        assert_eq!(found.map(|found| found.id), Some(shop.id()));
        assert_eq!(unknown, None);
    }

    async fn an_environment_starts_with_the_usual_settings(store: Store) {
        let shop = Shop::open(&store).await;

        let stored = store.environment(shop.id()).await.unwrap().unwrap();

        assert!(stored.allow_client_traits && stored.use_identity_composite_key_for_hashing);
        assert!(stored.use_identity_overrides_in_local_eval && !stored.hide_sensitive_data);
        assert_eq!((stored.hash, stored.disabled_as), (Hash::Flagsmith, DisabledAs::Auto));
        assert_eq!((stored.hide_disabled_flags, stored.next_change_at), (None, None));
        assert_eq!(stored.revision, 1, "its making was a change");
    }

    async fn changed_fields_are_stored(store: Store) {
        let shop = Shop::open(&store).await;
        let mut changed = shop.environment.clone();
        changed.name = "Entwicklung".to_owned();
        changed.description = Some("für alle".to_owned());
        changed.minimum_change_request_approvals = Some(0);
        changed.allow_client_traits = false;
        changed.banner_text = Some("careful".to_owned());
        changed.banner_colour = Some("#ff0000".to_owned());
        changed.hide_disabled_flags = Some(true);
        changed.use_identity_composite_key_for_hashing = false;
        changed.hide_sensitive_data = true;
        changed.use_v2_feature_versioning = true;
        changed.use_identity_overrides_in_local_eval = false;
        changed.hash = Hash::FlagdV2;
        changed.disabled_as = DisabledAs::State;

        let mut write = shop.write().await;
        write.update_environment(&changed).await.unwrap();
        shop.commit(write).await;

        let mut stored = store.environment(shop.id()).await.unwrap().unwrap();
        (stored.revision, stored.updated_at) = (changed.revision, changed.updated_at);
        assert_eq!(stored, changed);
    }

    async fn an_environment_is_found_by_its_key(store: Store) {
        let shop = Shop::open(&store).await;

        let found = store.environment_by_key(&shop.environment.api_key).await.unwrap();

        assert_eq!(found.unwrap().id, shop.id());
        assert!(store.environment_by_key("nobody's").await.unwrap().is_none());
        assert!(store.environment_by_key("a\0b").await.unwrap().is_none());
    }

    async fn a_name_is_unique_within_its_project_without_regard_to_case(store: Store) {
        let shop = Shop::open(&store).await;
        let mut write = shop.write().await;
        let blog = write
            .insert_project(&new_project(shop.organisation.id, "blog"), NOW).await.unwrap();
        write.insert_environment(&new_environment(blog.id, "development"), NOW).await.unwrap();
        write.insert_environment(&new_environment(shop.project.id, "größe"), NOW).await.unwrap();

        let again = write.insert_environment(&new_environment(shop.project.id, "GRÖSSE"), NOW).await;

        assert_conflict(again, Noun::Environment);
    }

    async fn a_slug_is_unique_within_its_project(store: Store) {
        let shop = Shop::open(&store).await;
        let mut again = new_environment(shop.project.id, "other");
        again.slug = "development".to_owned();

        let again = shop.write().await.insert_environment(&again, NOW).await;

        assert_conflict(again, Noun::Environment);
    }

    async fn a_key_in_use_is_refused_and_a_deleted_one_is_free(store: Store) {
        let shop = Shop::open(&store).await;
        let mut again = new_environment(shop.project.id, "other");
        again.api_key = shop.environment.api_key.clone();
        assert_conflict(
            shop.write().await.insert_environment(&again, NOW).await,
            Noun::ClientKey,
        );

        let mut write = shop.write().await;
        write.delete_environment(shop.id(), later(1)).await.unwrap();
        let next = write.insert_environment(&again, NOW).await.unwrap();
        shop.commit(write).await;

        let found = store.environment_by_key(&again.api_key).await.unwrap().unwrap();
        assert_eq!(found.id, next.id);
        assert!(next.id > shop.id(), "ids are not given again");
        assert_not_found(
            shop.write().await.delete_environment(shop.id(), later(2)).await,
            Noun::Environment,
        );
    }

    async fn a_renamed_environment_may_not_take_a_name(store: Store) {
        let shop = Shop::open(&store).await;
        let mut other = shop.environment("production").await;
        other.name = "DEVELOPMENT".to_owned();

        let renamed = shop.write().await.update_environment(&other).await;

        assert_conflict(renamed, Noun::Environment);
    }

    async fn a_new_environment_starts_with_every_feature_as_it_starts(store: Store) {
        let shop = Shop::open(&store).await;
        let mut limit = new_feature(shop.project.id, "limit");
        (limit.default_enabled, limit.initial_value) = (true, Some("12".to_owned()));
        shop.insert_feature(&limit).await;
        let mut colour = new_feature(shop.project.id, "colour");
        colour.kind = FeatureKind::Multivariate;
        colour.options = vec![new_option("blue", 30.0), new_option("green", 20.5)];
        let colour = shop.insert_feature(&colour).await;

        let mut write = shop.write().await;
        let fresh = new_environment(shop.project.id, "production");
        let fresh = write.insert_environment(&fresh, NOW).await.unwrap();
        write.start_environment(&fresh, NOW).await.unwrap();
        shop.commit(write).await;

        let page = PageRequest::first();
        let states = store
            .feature_states(fresh.id, &StateFilter::default(), NOW, page).await.unwrap().items;
        assert_eq!(states.len(), 2);
        assert!(states[0].enabled);
        assert_eq!(states[0].value, StateValue::of_integer(12));
        assert_eq!((states[1].feature_id, states[1].enabled), (colour.id, false));
        let weights: Vec<_> = states[1].weights.iter().map(|w| w.percentage_allocation).collect();
        assert_eq!(weights, [30.0, 20.5]);
    }

    async fn a_project_that_prevents_defaults_starts_features_off(store: Store) {
        let shop = Shop::open(&store).await;
        let mut limit = new_feature(shop.project.id, "limit");
        (limit.default_enabled, limit.initial_value) = (true, Some("12".to_owned()));
        let limit = shop.insert_feature(&limit).await;
        let mut project = shop.project.clone();
        project.prevent_flag_defaults = true;

        let mut write = shop.write().await;
        write.update_project(&project).await.unwrap();
        let fresh = new_environment(shop.project.id, "production");
        let fresh = write.insert_environment(&fresh, NOW).await.unwrap();
        write.start_environment(&fresh, NOW).await.unwrap();
        shop.commit(write).await;

        let state = store.default_state(fresh.id, limit.id, NOW).await.unwrap().unwrap();
        assert_eq!((state.enabled, state.value), (false, StateValue::default()));
    }
}
