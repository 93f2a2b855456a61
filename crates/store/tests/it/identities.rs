use crate::{assert_conflict, assert_not_found};
use flagstaff_core::{Identifier, Identity, Value};
use flagstaff_store::{IdentitySearch, Noun, PageRequest, TraitChange, TraitWrite};
use flagstaff_testkit::{NOW, Shop, contract, later, new_identity};

fn identifiers(identities: &[Identity]) -> Vec<&str> {
    identities
        .iter()
        .map(|identity| &*identity.identifier)
        .collect()
}

contract! {
    async fn an_identity_gets_another_identifier(store: Store) {
        let shop = Shop::open(&store).await;
        let bob = shop.identity("bob").await;
        shop.identity("eve").await;
        let rob = Identifier::parse("rob").unwrap();

        let mut write = shop.write().await;
        write.rename_identity(bob.id, &rob).await.unwrap();
        shop.commit(write).await;

        let found = store.stored_identity(shop.id(), &rob).await.unwrap().unwrap();
        assert_eq!(found.identity.id, bob.id);
        assert_eq!(&*found.identity.identifier, "rob");
        let mut write = shop.write().await;
        let eve = Identifier::parse("eve").unwrap();
        assert_conflict(write.rename_identity(bob.id, &eve).await, Noun::Identity);
        drop(write);
        let mut write = shop.write().await;
        write.delete_identity(bob.id, NOW).await.unwrap();
        assert_not_found(write.rename_identity(bob.id, &rob).await, Noun::Identity);
    }

    async fn an_identifier_is_unique_within_its_environment_and_compared_exactly(store: Store) {
        let shop = Shop::open(&store).await;
        let other = shop.environment("production").await;
        shop.identity("bob").await;
        shop.identity("BOB").await;
        let mut write = shop.write().await;
        write.insert_identity(&new_identity(other.id, "bob")).await.unwrap();

        let again = write.insert_identity(&new_identity(shop.id(), "bob")).await;

        assert_conflict(again, Noun::Identity);
    }

    async fn long_identifiers_are_told_apart(store: Store) {
        let shop = Shop::open(&store).await;
        let long = |last: &str| {
            let letters: String = (0..1999_u32)
                .map(|number| char::from_u32(0x1_0000 + number.wrapping_mul(7919) % 3000).unwrap())
                .collect();
            letters + last
        };
        let first = shop.identity(&long("a")).await;

        let second = shop.identity(&long("b")).await;

        assert_ne!(first.id, second.id);
        let stored = store.identity(first.id).await.unwrap().unwrap();
        assert_eq!(*stored.identifier, *long("a"));
        let wanted = Identifier::parse(&long("b")).unwrap();
        let found = store.stored_identity(shop.id(), &wanted).await.unwrap().unwrap();
        assert_eq!(found.identity, second);
    }

    async fn identities_are_found_by_their_beginning_a_page_at_a_time(store: Store) {
        let shop = Shop::open(&store).await;
        let other = shop.environment("production").await;
        let long = format!("b{}", "x".repeat(1500));
        for identifier in ["bob", "Bo", "bo", "bo\u{e9}", "alice", &long, "b%"] {
            shop.identity(identifier).await;
        }
        let mut write = shop.write().await;
        write.insert_identity(&new_identity(other.id, "bobby")).await.unwrap();
        shop.commit(write).await;
        let find = |beginning: &str, last: Option<&str>, limit| {
            let (store, id) = (store.clone(), shop.id());
            let (beginning, last) = (beginning.to_owned(), last.map(str::to_owned));
            async move {
                let found = store.identities_beginning(id, &beginning, last.as_deref(), limit);
                let names = found.await.unwrap().into_iter();
                names.map(|found| found.identifier.to_string()).collect::<Vec<_>>()
            }
        };

        assert_eq!(find("bo", None, 9).await, ["bo", "bob", "bo\u{e9}"]);
        assert_eq!(find("bo", Some("bo"), 1).await, ["bob"]);
        assert_eq!(find("b%", None, 9).await, ["b%"]);
        assert_eq!(find("c", None, 9).await, Vec::<String>::new());
        assert_eq!(find(&long, None, 9).await, [long.as_str()]);
        assert_eq!(find(&format!("{long}y"), None, 9).await, Vec::<String>::new());
        assert_eq!(find("\0", None, 9).await, Vec::<String>::new());
        let all = ["Bo", "alice", "b%", "bo", "bob", "bo\u{e9}", long.as_str()];
        assert_eq!(find("", None, 9).await, all);
    }

    async fn identities_are_found_by_what_they_hold_a_page_at_a_time(store: Store) {
        let shop = Shop::open(&store).await;
        for identifier in ["ada@EXAMPLE.com", "bob@example.com", "100%", "eve@example.com"] {
            shop.identity(identifier).await;
        }
        let find = |part: &str, last, limit| {
            let (store, id, part) = (store.clone(), shop.id(), part.to_owned());
            async move {
                let found = store.identities_holding(id, &part, last, limit);
                found.await.unwrap()
            }
        };

        let first = find("@example", None, 2).await;
        let rest = find("@example", first.last().map(|found| found.id), 2).await;

        assert_eq!((&*first[0].identifier, &*first[1].identifier), ("ada@EXAMPLE.com", "bob@example.com"));
        assert_eq!((rest.len(), &*rest[0].identifier), (1, "eve@example.com"));
        assert_eq!(find("%", None, 9).await.len(), 1);
        assert_eq!(find("\0", None, 9).await.len(), 0);
    }

    async fn identities_come_with_their_traits_in_batches(store: Store) {
        let shop = Shop::open(&store).await;
        let (ada, bob, eve) = (shop.identity("ada").await, shop.identity("bob").await, shop.identity("eve").await);
        let mut write = shop.write().await;
        for (identity, plan) in [(&ada, "pro"), (&eve, "free")] {
            write.insert_trait(identity.id, "plan", Value::text(plan), NOW).await.unwrap();
        }
        write.delete_identity(bob.id, NOW).await.unwrap();
        shop.commit(write).await;

        let first = store.stored_identities(shop.id(), None, 1).await.unwrap();
        let rest = store.stored_identities(shop.id(), Some(ada.id), 9).await.unwrap();

        assert_eq!((first.len(), &first[0].identity), (1, &ada));
        assert_eq!(first[0].traits[0].value, Value::text("pro"));
        assert_eq!((rest.len(), &rest[0].identity), (1, &eve));
        assert_eq!(rest[0].traits.len(), 1);
    }

    async fn identities_are_searched(store: Store) {
        let shop = Shop::open(&store).await;
        for identifier in ["alice@example.com", "Bob", "100%", "under_score"] {
            shop.identity(identifier).await;
        }
        let find = |search: IdentitySearch, page| {
            let (store, id) = (store.clone(), shop.id());
            async move { store.identities(id, &search, page).await.unwrap() }
        };
        let like = |text: &str| IdentitySearch::Containing(text.to_owned());
        let exactly = |text: &str| IdentitySearch::Exactly(text.to_owned());
        let all = PageRequest::first();

        let everybody = ["alice@example.com", "Bob", "100%", "under_score"];
        assert_eq!(identifiers(&find(IdentitySearch::All, all).await.items), everybody);
        assert_eq!(identifiers(&find(like("BO"), all).await.items), ["Bob"]);
        assert_eq!(identifiers(&find(like("%"), all).await.items), ["100%"]);
        assert_eq!(identifiers(&find(like("_"), all).await.items), ["under_score"]);
        assert_eq!(identifiers(&find(exactly("Bob"), all).await.items), ["Bob"]);
        assert_eq!(find(exactly("bob"), all).await.total, 0);
        assert_eq!(find(exactly("b\0"), all).await.total, 0);
        assert_eq!(find(like("b\0"), all).await.total, 0);
        assert_eq!(find(like(&"x".repeat(60_000)), all).await.total, 0);
        let second = find(IdentitySearch::All, PageRequest { page: 2, size: 3 }).await;
        assert_eq!((second.total, identifiers(&second.items)), (4, vec!["under_score"]));
    }

    async fn a_deleted_identity_leaves_nothing_but_its_id(store: Store) {
        let shop = Shop::open(&store).await;
        let feature = shop.feature("checkout").await;
        let bob = shop.identity("bob").await;
        let over = shop.override_for_identity(&feature, &bob).await;
        let wanted = Identifier::parse("bob").unwrap();
        let change = TraitChange {
            environment_id: shop.id(),
            identifier: wanted.clone(),
            traits: vec![("age".into(), TraitWrite::Increment(1))],
        };
        store.record_traits(&[change], NOW).await.unwrap();
        let mut write = shop.write().await;
        write.delete_identity(bob.id, later(1)).await.unwrap();
        shop.commit(write).await;

        assert_eq!(store.identity(bob.id).await.unwrap(), None);
        assert_eq!(store.stored_identity(shop.id(), &wanted).await.unwrap(), None);
        assert_eq!(store.feature_state(over.id).await.unwrap(), None);
        let again = shop.identity("bob").await;
        assert!(again.id > bob.id, "ids are not given again");
        let known = store.stored_identity(shop.id(), &wanted).await.unwrap().unwrap();
        assert!(known.traits.is_empty());
        assert_not_found(
            shop.write().await.delete_identity(bob.id, later(2)).await,
            Noun::Identity,
        );
    }

    async fn many_identities_can_be_deleted(store: Store) {
        let shop = Shop::open(&store).await;
        for identifier in ["a", "b", "c"] {
            let identity = shop.identity(identifier).await;
            let mut write = shop.write().await;
            write.delete_identity(identity.id, later(1)).await.unwrap();
            shop.commit(write).await;
        }

        let all = store
            .identities(shop.id(), &IdentitySearch::All, PageRequest::first()).await.unwrap();

        assert_eq!(all.total, 0);
    }
}
