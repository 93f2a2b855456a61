use crate::{assert_conflict, assert_not_found};
use flagstaff_core::{Identifier, IdentityTrait, Value};
use flagstaff_store::{Noun, PageRequest, TRAIT_LIMIT, TraitChange, TraitOutcome, TraitWrite};
use flagstaff_testkit::{NOW, Shop, contract, later};

fn who(text: &str) -> Identifier {
    Identifier::parse(text).unwrap()
}

fn set(key: &str, value: Value) -> (std::sync::Arc<str>, TraitWrite) {
    (key.into(), TraitWrite::Set(value))
}

fn delete(key: &str) -> (std::sync::Arc<str>, TraitWrite) {
    (key.into(), TraitWrite::Delete)
}

fn increment(key: &str, by: i64) -> (std::sync::Arc<str>, TraitWrite) {
    (key.into(), TraitWrite::Increment(by))
}

fn of(
    shop: &Shop,
    identifier: &str,
    traits: Vec<(std::sync::Arc<str>, TraitWrite)>,
) -> TraitChange {
    TraitChange {
        environment_id: shop.id(),
        identifier: who(identifier),
        traits,
    }
}

async fn record(shop: &Shop, changes: &[TraitChange]) -> Vec<TraitOutcome> {
    shop.store.record_traits(changes, NOW).await.unwrap()
}

fn shown(traits: &[IdentityTrait]) -> Vec<(&str, Value)> {
    traits
        .iter()
        .map(|each| (&*each.key, each.value.clone()))
        .collect()
}

async fn keys_of(store: &flagstaff_store::Store, shop: &Shop) -> Vec<String> {
    store.trait_keys(shop.id()).await.unwrap()
}

contract! {
    async fn two_nodes_that_make_the_same_identities_crosswise_wait_for_each_other(one: Store, two: Store) {
        let shop = Shop::open(&one).await;
        let mut tasks = Vec::new();
        for (node, store) in [(0, one), (1, two)] {
            for task in 0..4 {
                let (store, shop) = (store.clone(), shop.clone());
                tasks.push(tokio::spawn(async move {
                    for round in 0..40 {
                        // Some are there already, some are made by several at once, in groups that overlap.
                        let names = (0..12).map(|step| (round * 5 + step * (3 + node * 2 + task)) % 90);
                        let changes: Vec<_> = names
                            .map(|name| of(&shop, &format!("user-{name}"), vec![increment("n", 1)]))
                            .collect();
                        let written = store.record_traits(&changes, NOW).await;
                        written.unwrap_or_else(|error| panic!("round {round}: {error:?}"));
                    }
                }));
            }
        }

        for task in tasks {
            task.await.unwrap();
        }

        let mut sum = 0;
        for name in 0..90 {
            let name = who(&format!("user-{name}"));
            let stored = shop.store.stored_identity(shop.id(), &name).await.unwrap();
            for each in stored.into_iter().flat_map(|stored| stored.traits) {
                if let Value::Integer(count) = each.value {
                    sum += count;
                }
            }
        }
        assert_eq!(sum, 2 * 4 * 40 * 12);
    }

    async fn an_identity_gathers_no_more_traits_than_the_limit(store: Store) {
        let shop = Shop::open(&store).await;
        let some = |from: usize, to: usize| {
            let traits = (from..to).map(|number| set(&format!("t{number}"), Value::Integer(1)));
            of(&shop, "bob", traits.collect())
        };
        let filled = record(&shop, &[some(0, TRAIT_LIMIT)]).await;

        let one_more = some(TRAIT_LIMIT, TRAIT_LIMIT + 1);
        let changed = of(&shop, "bob", vec![set("t0", Value::Integer(2))]);
        let swapped = of(&shop, "bob", vec![delete("t1"), set("new", Value::Integer(3))]);
        let outcomes = record(&shop, &[one_more, changed, swapped]).await;

        assert!(!filled[0].is_over_limit);
        let refused: Vec<bool> = outcomes.iter().map(|each| each.is_over_limit).collect();
        assert_eq!(refused, [true, false, false]);
        assert_eq!(outcomes[0].stored, filled[0].stored);
        let known = store.stored_identity(shop.id(), &who("bob")).await.unwrap().unwrap();
        assert_eq!(known.traits.len(), TRAIT_LIMIT);
        assert_eq!((&*known.traits[0].key, &known.traits[0].value), ("t0", &Value::Integer(2)));
        assert_eq!(&*known.traits[TRAIT_LIMIT - 1].key, "new");
    }

    async fn a_trait_is_made_changed_and_taken_away_alone(store: Store) {
        let shop = Shop::open(&store).await;
        let bob = shop.identity("bob").await;
        let mut write = shop.write().await;
        assert_eq!(write.lock_traits(bob.id).await.unwrap(), 0);
        let plan = write.insert_trait(bob.id, "plan", Value::text("pro"), NOW).await.unwrap();
        let age = write.insert_trait(bob.id, "age", Value::Integer(31), later(1)).await.unwrap();
        assert_eq!(write.lock_traits(bob.id).await.unwrap(), 2);
        shop.commit(write).await;

        let page = store.identity_traits(bob.id, PageRequest { page: 2, size: 1 }).await.unwrap();
        assert_eq!((page.total, page.items), (2, vec![age.clone()]));
        let renamed = IdentityTrait { key: "tier".into(), value: Value::Boolean(true), ..plan.clone() };
        let mut write = shop.write().await;
        write.update_trait(&renamed, later(2)).await.unwrap();
        write.delete_trait(age.id).await.unwrap();
        assert_not_found(write.delete_trait(age.id).await, Noun::Trait);
        shop.commit(write).await;

        assert_eq!(store.identity_trait(bob.id, plan.id).await.unwrap(), Some(renamed));
        assert_eq!(store.identity_trait(bob.id, age.id).await.unwrap(), None);
        let other = shop.identity("eve").await;
        assert_eq!(store.identity_trait(other.id, plan.id).await.unwrap(), None);
    }

    async fn a_trait_of_one_name_is_there_once(store: Store) {
        let shop = Shop::open(&store).await;
        record(&shop, &[of(&shop, "bob", vec![set("plan", Value::text("pro")), set("age", Value::Integer(1))])]).await;
        let bob = store.stored_identity(shop.id(), &who("bob")).await.unwrap().unwrap();

        let mut write = shop.write().await;
        let again = write.insert_trait(bob.identity.id, "plan", Value::Null, NOW).await;
        assert_conflict(again, Noun::Trait);
        drop(write);
        let mut write = shop.write().await;
        let same = IdentityTrait { key: "plan".into(), ..bob.traits[1].clone() };
        assert_conflict(write.update_trait(&same, NOW).await, Noun::Trait);
    }

    async fn traits_of_one_name_go_from_a_whole_environment(store: Store) {
        let shop = Shop::open(&store).await;
        let elsewhere = Shop { environment: shop.environment("production").await, ..shop.clone() };
        let traits = || vec![set("plan", Value::text("pro")), set("age", Value::Integer(1))];
        record(&shop, &[of(&shop, "bob", traits()), of(&shop, "eve", traits()), of(&elsewhere, "bob", traits())]).await;
        record(&shop, &[of(&shop, "zoe", vec![set("zone", Value::Integer(1))])]).await;
        assert_eq!(keys_of(&store, &shop).await, ["age", "plan", "zone"]);

        let mut write = shop.write().await;
        let mut touched = write.delete_traits_of_key(shop.id(), "plan").await.unwrap();
        let none = write.delete_traits_of_key(shop.id(), "unknown").await.unwrap();
        shop.commit(write).await;

        touched.sort();
        assert_eq!(touched, ["bob".into(), "eve".into()]);
        assert!(none.is_empty());
        assert_eq!(keys_of(&store, &shop).await, ["age", "zone"]);
        assert_eq!(keys_of(&store, &elsewhere).await, ["age", "plan"]);
    }

    async fn an_unknown_identity_is_made_even_without_traits(store: Store) {
        let shop = Shop::open(&store).await;

        let outcomes = record(&shop, &[of(&shop, "bob", Vec::new())]).await;

        let known = store.stored_identity(shop.id(), &who("bob")).await.unwrap().unwrap();
        assert_eq!(*outcomes[0].stored, known);
        assert_eq!(known.identity.created_at, NOW);
        let again = record(&shop, &[of(&shop, "bob", Vec::new())]).await;
        assert_eq!(again[0].stored.identity.id, known.identity.id);
    }

    async fn values_of_every_type_are_kept(store: Store) {
        let shop = Shop::open(&store).await;
        let values = [
            ("text", Value::text("größe")),
            ("empty", Value::text("")),
            ("least", Value::Integer(i64::MIN)),
            ("most", Value::Integer(i64::MAX)),
            ("float", Value::Float(0.1)),
            ("whole", Value::Float(3.0)),
            ("small", Value::Float(5e-324)),
            ("no", Value::Boolean(false)),
            ("ключ", Value::Boolean(true)),
        ];
        let traits = values.iter().map(|(key, value)| set(key, value.clone())).collect();

        let outcomes = record(&shop, &[of(&shop, "bob", traits)]).await;

        let known = store.stored_identity(shop.id(), &who("bob")).await.unwrap().unwrap();
        assert_eq!(shown(&known.traits), values);
        assert_eq!(*outcomes[0].stored, known);
        assert!(known.traits.is_sorted_by_key(|each| each.id));
    }

    async fn what_no_column_can_hold_is_kept_as_text(store: Store) {
        let shop = Shop::open(&store).await;
        let digits = "123456789012345678901234567890";

        record(&shop, &[of(&shop, "bob", vec![
            set("big", Value::BigInteger(digits.into())),
            set("infinite", Value::Float(f64::INFINITY)),
            set("none", Value::Float(f64::NAN)),
        ])]).await;

        let known = store.stored_identity(shop.id(), &who("bob")).await.unwrap().unwrap();
        let expected = [
            ("big", Value::text(digits)),
            ("infinite", Value::text("inf")),
            ("none", Value::text("NaN")),
        ];
        assert_eq!(shown(&known.traits), expected);
    }

    async fn a_change_keeps_the_row_and_other_traits(store: Store) {
        let shop = Shop::open(&store).await;
        let first = record(&shop, &[of(&shop, "bob", vec![
            set("plan", Value::text("pro")),
            set("age", Value::Integer(31)),
        ])]).await;

        let second = record(&shop, &[of(&shop, "bob", vec![set("plan", Value::Integer(5))])]).await;

        let (before, after) = (&first[0].stored.traits, &second[0].stored.traits);
        assert_eq!(shown(after), [("plan", Value::Integer(5)), ("age", Value::Integer(31))]);
        assert_eq!((before[0].id, before[1].id), (after[0].id, after[1].id));
        let known = store.stored_identity(shop.id(), &who("bob")).await.unwrap().unwrap();
        assert_eq!(*second[0].stored, known);
    }

    async fn a_deleted_trait_is_gone_and_a_new_one_comes_last(store: Store) {
        let shop = Shop::open(&store).await;
        let first = record(&shop, &[of(&shop, "bob", vec![
            set("plan", Value::text("pro")),
            set("age", Value::Integer(31)),
        ])]).await;

        record(&shop, &[of(&shop, "bob", vec![delete("plan"), delete("missing")])]).await;
        let last = record(&shop, &[of(&shop, "bob", vec![set("plan", Value::text("x"))])]).await;

        assert_eq!(
            shown(&last[0].stored.traits),
            [("age", Value::Integer(31)), ("plan", Value::text("x"))],
        );
        assert!(last[0].stored.traits[1].id > first[0].stored.traits[1].id);
    }

    async fn the_last_of_one_key_wins(store: Store) {
        let shop = Shop::open(&store).await;

        let outcomes = record(&shop, &[of(&shop, "bob", vec![
            set("plan", Value::text("a")),
            set("plan", Value::text("b")),
            set("gone", Value::Integer(1)),
            delete("gone"),
        ])]).await;

        assert_eq!(shown(&outcomes[0].stored.traits), [("plan", Value::text("b"))]);
        let known = store.stored_identity(shop.id(), &who("bob")).await.unwrap().unwrap();
        assert_eq!(*outcomes[0].stored, known);
    }

    async fn increments_start_at_zero_and_add_up(store: Store) {
        let shop = Shop::open(&store).await;
        let outcomes = record(&shop, &[
            of(&shop, "bob", vec![increment("n", 2)]),
            of(&shop, "bob", vec![increment("n", -5)]),
        ]).await;

        assert_eq!(shown(&outcomes[0].stored.traits), [("n", Value::Integer(2))]);
        assert_eq!(shown(&outcomes[1].stored.traits), [("n", Value::Integer(-3))]);
        let known = store.stored_identity(shop.id(), &who("bob")).await.unwrap().unwrap();
        assert_eq!(*outcomes[1].stored, known);
    }

    async fn an_increment_of_what_is_no_integer_is_refused_alone(store: Store) {
        let shop = Shop::open(&store).await;
        record(&shop, &[of(&shop, "bob", vec![
            set("text", Value::text("a")),
            set("full", Value::Integer(i64::MAX)),
        ])]).await;

        let outcomes = record(&shop, &[
            of(&shop, "bob", vec![increment("text", 1), increment("full", 1)]),
            of(&shop, "eve", vec![increment("n", 1)]),
        ]).await;

        assert_eq!(outcomes[0].refused, ["text".into(), "full".into()]);
        assert!(outcomes[1].refused.is_empty());
        let bob = store.stored_identity(shop.id(), &who("bob")).await.unwrap().unwrap();
        assert_eq!(
            shown(&bob.traits),
            [("text", Value::text("a")), ("full", Value::Integer(i64::MAX))],
        );
        let eve = store.stored_identity(shop.id(), &who("eve")).await.unwrap().unwrap();
        assert_eq!(shown(&eve.traits), [("n", Value::Integer(1))]);
    }

    async fn answers_come_in_the_order_of_the_calls(store: Store) {
        let shop = Shop::open(&store).await;
        let other = shop.environment("production").await;
        let mut elsewhere = of(&shop, "bob", vec![set("where", Value::text("there"))]);
        elsewhere.environment_id = other.id;
        let calls = [
            of(&shop, "zoe", vec![set("n", Value::Integer(1))]),
            elsewhere,
            of(&shop, "bob", vec![set("n", Value::Integer(2))]),
            of(&shop, "zoe", vec![set("m", Value::Integer(3))]),
        ];

        let outcomes = record(&shop, &calls).await;

        let seen: Vec<_> = outcomes.iter()
            .map(|outcome| (&*outcome.stored.identity.identifier, outcome.stored.traits.len()))
            .collect();
        assert_eq!(seen, [("zoe", 1), ("bob", 1), ("bob", 1), ("zoe", 2)]);
        assert_eq!(outcomes[1].stored.identity.environment_id, other.id);
        assert_eq!(outcomes[0].stored.identity.id, outcomes[3].stored.identity.id);
    }

    async fn a_failed_group_leaves_nothing(store: Store) {
        let shop = Shop::open(&store).await;
        let mut nowhere = of(&shop, "eve", Vec::new());
        nowhere.environment_id = flagstaff_core::EnvironmentId::new(999_999);

        let failed = store.record_traits(&[of(&shop, "bob", Vec::new()), nowhere], NOW).await;

        assert!(failed.is_err());
        assert_eq!(store.stored_identity(shop.id(), &who("bob")).await.unwrap(), None);
    }

    async fn two_nodes_lose_no_increment_and_no_trait(one: Store, two: Store) {
        let shop = Shop::open(&one).await;
        let mut tasks = Vec::new();
        for number in 0..20_i64 {
            let store = if number % 2 == 0 { one.clone() } else { two.clone() };
            let own = format!("own-{number}");
            let mut calls = vec![
                of(&shop, "bob", vec![increment("n", 1), set(&own, Value::Integer(number))]),
                of(&shop, "eve", vec![increment("n", 1)]),
            ];
            if number % 3 == 0 {
                calls.reverse();
            }
            tasks.push(tokio::spawn(async move {
                store.record_traits(&calls, later(number)).await.unwrap();
            }));
        }
        for task in tasks {
            task.await.unwrap();
        }

        let bob = two.stored_identity(shop.id(), &who("bob")).await.unwrap().unwrap();
        let eve = two.stored_identity(shop.id(), &who("eve")).await.unwrap().unwrap();

        assert_eq!(bob.traits.len(), 21);
        let count = bob.traits.iter().find(|each| &*each.key == "n").unwrap();
        assert_eq!(count.value, Value::Integer(20));
        assert_eq!(shown(&eve.traits), [("n", Value::Integer(20))]);
    }

    async fn a_large_group_is_stored_whole(store: Store) {
        let shop = Shop::open(&store).await;
        let many: Vec<_> = (0..700)
            .map(|number| set(&format!("key-{number}"), Value::Integer(number))).collect();
        let mut calls = vec![of(&shop, "many", many)];
        calls.extend((0..600).map(|number| {
            of(&shop, &format!("user-{number}"), vec![set("n", Value::Integer(number))])
        }));

        let outcomes = record(&shop, &calls).await;

        assert_eq!(outcomes.len(), 601);
        assert_eq!(outcomes[0].stored.traits.len(), 700);
        let many = store.stored_identity(shop.id(), &who("many")).await.unwrap().unwrap();
        assert_eq!(*outcomes[0].stored, many);
        let last = store.stored_identity(shop.id(), &who("user-599")).await.unwrap().unwrap();
        assert_eq!(*outcomes[600].stored, last);
    }

    async fn within_a_group_later_calls_see_what_earlier_ones_did(store: Store) {
        let shop = Shop::open(&store).await;
        record(&shop, &[of(&shop, "bob", vec![set("old", Value::Integer(1))])]).await;

        let outcomes = record(&shop, &[
            of(&shop, "bob", vec![set("new", Value::Integer(2)), delete("old")]),
            of(&shop, "bob", vec![delete("new"), set("old", Value::Integer(3))]),
            of(&shop, "bob", vec![set("last", Value::Integer(4))]),
        ]).await;

        let seen = |index: usize| shown(&outcomes[index].stored.traits);
        assert_eq!(seen(0), [("new", Value::Integer(2))]);
        assert_eq!(seen(1), [("old", Value::Integer(3))]);
        assert_eq!(seen(2), [("old", Value::Integer(3)), ("last", Value::Integer(4))]);
        let ids = outcomes.iter().flat_map(|outcome| &outcome.stored.traits);
        assert!(ids.clone().all(|each| each.id.get() > 0));
        let known = store.stored_identity(shop.id(), &who("bob")).await.unwrap().unwrap();
        assert_eq!(*outcomes[2].stored, known);
    }

    async fn updates_use_up_no_ids(store: Store) {
        let shop = Shop::open(&store).await;
        let first = record(&shop, &[of(&shop, "bob", vec![set("a", Value::Integer(0))])]).await;
        for number in 1..50 {
            record(&shop, &[of(&shop, "bob", vec![set("a", Value::Integer(number))])]).await;
        }

        let last = record(&shop, &[of(&shop, "bob", vec![set("b", Value::Integer(0))])]).await;

        let (first, last) = (&first[0].stored.traits[0], &last[0].stored.traits[1]);
        assert_eq!(last.id.get(), first.id.get() + 1);
    }
}
