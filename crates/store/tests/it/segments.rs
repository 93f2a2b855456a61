use crate::{assert_conflict, assert_not_found};
use flagstaff_core::{Hash, RuleKind, Segment, SegmentId};
use flagstaff_store::{Noun, PageRequest, SegmentFilter};
use flagstaff_testkit::{NOW, Shop, all_of, condition, contract, later, new_segment, rule};

fn names(segments: &[Segment]) -> Vec<&str> {
    segments
        .iter()
        .map(|segment| segment.name.as_str())
        .collect()
}

contract! {
    async fn a_segment_is_found_by_its_uuid_until_it_is_deleted(store: Store) {
        let shop = Shop::open(&store).await;
        let segment = shop.segment("beta").await;

        let found = store.segment_by_uuid(segment.uuid).await.unwrap();
        let unknown = store.segment_by_uuid(uuid::Uuid::new_v4()).await.unwrap();
        let mut write = shop.write().await;
        write.delete_segment(segment.id, NOW).await.unwrap();
        shop.commit(write).await;

        assert_eq!((found.as_ref(), unknown), (Some(&segment), None));
        assert_eq!(store.segment_by_uuid(segment.uuid).await.unwrap(), None);
    }

    async fn overrides_for_a_segment_are_listed(store: Store) {
        let shop = Shop::open(&store).await;
        let (banner, limit) = (shop.feature("banner").await, shop.feature("limit").await);
        let (beta, other) = (shop.segment("beta").await, shop.segment("other").await);
        let first = shop.override_for_segment(&banner, &beta, 0).await;
        shop.override_for_segment(&banner, &other, 1).await;
        let second = shop.override_for_segment(&limit, &beta, 0).await;
        let elsewhere = shop.environment("production").await;

        let listed = store.states_of_segment(shop.id(), beta.id, NOW).await.unwrap();
        let none = store.states_of_segment(elsewhere.id, beta.id, NOW).await.unwrap();

        assert_eq!((listed, none), (vec![first, second], Vec::new()));
    }

    async fn a_segment_is_stored_with_its_tree_of_rules(store: Store) {
        let shop = Shop::open(&store).await;
        let mut new = new_segment(shop.project.id, "größe");
        new.description = Some("alle".to_owned());
        let mut blank = condition("", "PERCENTAGE_SPLIT", "25.5");
        (blank.property, blank.description) = (None, Some("ein Viertel".to_owned()));
        let mut no_value = condition("plan", "IS_SET", "");
        no_value.value = None;
        new.rules = vec![
            rule(
                RuleKind::All,
                vec![
                    rule(RuleKind::Any, Vec::new(), vec![condition("age", "EQUAL", "1"), blank]),
                    rule(RuleKind::None, vec![all_of(vec![no_value])], Vec::new()),
                ],
                vec![condition("plan", "EQUAL", "größe")],
            ),
            all_of(Vec::new()),
        ];
        let mut write = shop.write().await;

        let segment = write.insert_segment(&new, NOW).await.unwrap();
        shop.commit(write).await;

        let stored = store.segment(segment.id).await.unwrap().unwrap();
        assert_eq!(stored, segment);
        assert_eq!(stored.uuid, new.uuid);
        assert_eq!(stored.rules.len(), 2);
        let top = &stored.rules[0];
        assert!(top.id.is_some() && top.conditions[0].id.is_some());
        let kinds: Vec<_> = top.rules.iter().map(|rule| rule.kind).collect();
        assert_eq!(kinds, [RuleKind::Any, RuleKind::None]);
        assert_eq!(top.rules[0].conditions[1].property, None);
        assert_eq!(top.rules[1].rules[0].conditions[0].value, None);
    }

    async fn replaced_rules_keep_the_ids_they_bring(store: Store) {
        let shop = Shop::open(&store).await;
        let mut new = new_segment(shop.project.id, "pro");
        new.rules = vec![all_of(vec![
            condition("a", "EQUAL", "1"),
            condition("b", "EQUAL", "2"),
            condition("c", "EQUAL", "3"),
        ])];
        let mut write = shop.write().await;
        let segment = write.insert_segment(&new, NOW).await.unwrap();
        shop.commit(write).await;
        let mut rules = segment.rules.clone();
        rules[0].kind = RuleKind::Any;
        rules[0].conditions.remove(0);
        rules[0].conditions.reverse();
        rules[0].conditions[0].value = Some("changed".to_owned());
        rules[0].conditions.push(condition("d", "EQUAL", "4"));

        let mut write = shop.write().await;
        let replaced = write.replace_rules(segment.id, &rules).await.unwrap();
        shop.commit(write).await;

        assert_eq!(store.segment(segment.id).await.unwrap().unwrap().rules, replaced);
        assert_eq!(replaced[0].id, segment.rules[0].id);
        let old = &segment.rules[0].conditions;
        let now = &replaced[0].conditions;
        assert_eq!((now[0].id, now[1].id), (old[2].id, old[1].id));
        assert_eq!(now[0].value.as_deref(), Some("changed"));
        assert!(now[2].id > old[2].id, "ids are not given again");
    }

    async fn ids_of_another_segment_are_not_taken_over(store: Store) {
        let shop = Shop::open(&store).await;
        let (mine, other) = (shop.segment("mine").await, shop.segment("other").await);

        let mut write = shop.write().await;
        let replaced = write.replace_rules(mine.id, &other.rules).await.unwrap();
        shop.commit(write).await;

        assert_ne!(replaced[0].id, other.rules[0].id);
        assert_eq!(store.segment(other.id).await.unwrap(), Some(other));
        let twice = vec![replaced[0].clone(), replaced[0].clone()];
        let mut write = shop.write().await;
        let doubled = write.replace_rules(mine.id, &twice).await.unwrap();
        assert_eq!(doubled[0].id, replaced[0].id);
        assert_ne!(doubled[1].id, replaced[0].id, "an id is kept once");
    }

    async fn rules_can_be_taken_away(store: Store) {
        let shop = Shop::open(&store).await;
        let segment = shop.segment("pro").await;

        let mut write = shop.write().await;
        write.replace_rules(segment.id, &[]).await.unwrap();
        shop.commit(write).await;

        assert!(store.segment(segment.id).await.unwrap().unwrap().rules.is_empty());
    }

    async fn a_segment_is_hashed_by_its_id_unless_a_key_is_given(store: Store) {
        let shop = Shop::open(&store).await;
        let own = shop.segment("own").await;
        let mut write = shop.write().await;
        let mut imported = new_segment(shop.project.id, "imported");
        imported.hash_key = Some((own.id.get() + 2).to_string().into());
        let imported = write.insert_segment(&imported, NOW).await.unwrap();

        // The next row would have the imported one's key.
        let next = write.insert_segment(&new_segment(shop.project.id, "next"), NOW).await.unwrap();
        let mut again = new_segment(shop.project.id, "again");
        again.hash_key = Some(imported.hash_key.clone());
        let again = write.insert_segment(&again, NOW).await;

        assert_eq!(*own.hash_key, *own.id.to_string());
        assert_eq!(next.id.get(), own.id.get() + 2);
        assert_ne!(next.hash_key, imported.hash_key);
        assert!(next.hash_key.parse::<i64>().is_ok(), "documents show a number");
        assert_conflict(again, Noun::Segment);
    }

    async fn two_segments_may_have_one_name(store: Store) {
        let shop = Shop::open(&store).await;
        shop.segment("pro").await;
        shop.segment("pro").await;

        assert_eq!(store.count_segments(shop.project.id).await.unwrap(), 2);
    }

    async fn changed_fields_are_stored(store: Store) {
        let shop = Shop::open(&store).await;
        let mut segment = shop.segment("pro").await;
        segment.name = "Größe".to_owned();
        segment.description = Some("neu".to_owned());
        segment.updated_at = later(7);
        segment.hash = Some(Hash::FlagdV3);

        let mut write = shop.write().await;
        write.update_segment(&segment).await.unwrap();
        shop.commit(write).await;

        assert_eq!(store.segment(segment.id).await.unwrap(), Some(segment));
    }

    async fn lists_are_filtered_and_paged(store: Store) {
        let shop = Shop::open(&store).await;
        let feature = shop.feature("checkout").await;
        for name in ["Größe", "100%", "beta"] {
            shop.segment(name).await;
        }
        let mut own = new_segment(shop.project.id, "own");
        own.feature_id = Some(feature.id);
        let mut write = shop.write().await;
        write.insert_segment(&own, NOW).await.unwrap();
        shop.commit(write).await;
        let list = |search: Option<&str>, include_feature_specific, page| {
            let (store, project) = (store.clone(), shop.project.id);
            let search = search.map(str::to_owned);
            async move {
                let filter = SegmentFilter { search, include_feature_specific };
                store.segments(project, &filter, page).await.unwrap()
            }
        };
        let all = PageRequest::first();

        assert_eq!(names(&list(None, false, all).await.items), ["Größe", "100%", "beta"]);
        assert_eq!(list(None, true, all).await.total, 4);
        assert_eq!(names(&list(Some("GRÖSSE"), true, all).await.items), ["Größe"]);
        assert_eq!(names(&list(Some("%"), true, all).await.items), ["100%"]);
        assert_eq!(list(Some("\0"), true, all).await.total, 0);
        let second = list(None, true, PageRequest { page: 2, size: 3 }).await;
        assert_eq!((second.total, names(&second.items)), (4, vec!["own"]));
        assert!(!second.items[0].rules.is_empty());
    }

    async fn deleting_takes_overrides_along(store: Store) {
        let shop = Shop::open(&store).await;
        let feature = shop.feature("checkout").await;
        let segment = shop.segment("pro").await;
        let over = shop.override_for_segment(&feature, &segment, 0).await;
        let mut write = shop.write().await;
        write.delete_segment(segment.id, later(1)).await.unwrap();
        shop.commit(write).await;

        assert_eq!(store.segment(segment.id).await.unwrap(), None);
        assert_eq!(store.feature_state(over.id).await.unwrap(), None);
        assert!(store.feature_segments(shop.id(), feature.id, later(0)).await.unwrap().is_empty());
        assert_not_found(
            shop.write().await.delete_segment(segment.id, later(2)).await,
            Noun::Segment,
        );
        let mut missing = segment;
        missing.id = SegmentId::new(4711);
        assert_not_found(shop.write().await.update_segment(&missing).await, Noun::Segment);
    }

    async fn more_segments_than_one_statement_takes_are_read_in_parts(store: Store) {
        let shop = Shop::open(&store).await;
        let mut write = shop.write().await;
        for number in 0..620 {
            let new = new_segment(shop.project.id, &number.to_string());
            write.insert_segment(&new, NOW).await.unwrap();
        }
        shop.commit(write).await;

        let filter = SegmentFilter::default();
        let page = store
            .segments(shop.project.id, &filter, PageRequest::first()).await.unwrap();

        assert_eq!((page.total, page.items.len()), (620, 620));
        assert!(page.items.iter().all(|segment| segment.rules[0].rules[0].conditions.len() == 1));
    }
}
