use crate::{assert_conflict, assert_not_found};
use flagstaff_core::{Identifier, Identity};
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
