use crate::{assert_conflict, assert_not_found};
use flagstaff_core::{MemberId, Membership, Role};
use flagstaff_store::{Noun, Touched};
use flagstaff_testkit::{NOW, Shop, change, contract, later, new_member};

contract! {
    async fn a_member_is_found_by_address_without_regard_to_case(store: Store) {
        let shop = Shop::open(&store).await;
        let mut new = new_member("Ädä@Example.com");
        new.password_hash = Some("$argon2id$x".to_owned());
        new.is_superuser = true;
        new.sign_up_type = Some("NO_INVITE".to_owned());
        let mut write = shop.write().await;
        let member = write.insert_member(&new, NOW).await.unwrap();
        shop.commit(write).await;

        let found = store.member_for_sign_in("äDÄ@example.COM").await.unwrap();

        assert_eq!(found, Some((member.clone(), Some("$argon2id$x".to_owned()))));
        assert_eq!(member.email, "Ädä@Example.com", "kept as it was written");
        assert!(member.is_superuser && member.is_active);
        assert_eq!(store.member_for_sign_in("nobody@example.com").await.unwrap(), None);
        assert_eq!(store.member_for_sign_in("a\0@example.com").await.unwrap(), None);
    }

    async fn an_address_is_unique_without_regard_to_case(store: Store) {
        let shop = Shop::open(&store).await;
        let mut write = shop.write().await;
        write.insert_member(&new_member("ada@example.com"), NOW).await.unwrap();

        let again = write.insert_member(&new_member("ADA@example.com"), NOW).await;

        assert_conflict(again, Noun::Member);
    }

    async fn there_are_members_after_the_first(store: Store) {
        assert!(!store.has_members().await.unwrap());
        assert!(store.is_empty().await.unwrap());

        let mut write = store.write().await.unwrap();
        write.insert_member(&new_member("ada@example.com"), NOW).await.unwrap();
        write.commit(change(Touched::default())).await.unwrap();

        assert!(store.has_members().await.unwrap());
        assert!(!store.is_empty().await.unwrap());
    }

    async fn a_password_can_be_changed(store: Store) {
        let shop = Shop::open(&store).await;
        let mut write = shop.write().await;
        let ada = write.insert_member(&new_member("ada@example.com"), NOW).await.unwrap();
        write.update_password(ada.id, "new hash").await.unwrap();
        assert_not_found(
            write.update_password(MemberId::new(999), "x").await,
            Noun::Member,
        );
        shop.commit(write).await;

        let (_, hash) = store.member_for_sign_in("ada@example.com").await.unwrap().unwrap();

        assert_eq!(hash.as_deref(), Some("new hash"));
    }

    async fn a_place_can_be_given_and_changed(store: Store) {
        let shop = Shop::open(&store).await;
        let organisation_id = shop.organisation.id;
        let mut write = shop.write().await;
        let ada = write.insert_member(&new_member("ada@example.com"), NOW).await.unwrap();
        write.insert_membership(organisation_id, ada.id, Role::User, NOW).await.unwrap();
        shop.commit(write).await;
        let before = store.memberships(ada.id).await.unwrap();
        assert_eq!(before, [Membership { organisation_id, role: Role::User }]);

        let mut write = shop.write().await;
        write.insert_membership(organisation_id, ada.id, Role::Admin, NOW).await.unwrap();
        shop.commit(write).await;

        let after = store.memberships(ada.id).await.unwrap();
        assert_eq!(after, [Membership { organisation_id, role: Role::Admin }]);
        assert_eq!(store.count_members(organisation_id).await.unwrap(), 1);
    }

    async fn a_deleted_organisation_is_no_place(store: Store) {
        let shop = Shop::open(&store).await;
        let mut write = shop.write().await;
        let ada = write.insert_member(&new_member("ada@example.com"), NOW).await.unwrap();
        write.insert_membership(shop.organisation.id, ada.id, Role::Admin, NOW).await.unwrap();
        write.delete_organisation(shop.organisation.id, later(1)).await.unwrap();
        shop.commit(write).await;

        assert!(store.memberships(ada.id).await.unwrap().is_empty());
        assert!(store.organisations_of(ada.id).await.unwrap().is_empty());
    }

    async fn the_last_sign_in_is_noted(store: Store) {
        let shop = Shop::open(&store).await;
        let mut write = shop.write().await;
        let ada = write.insert_member(&new_member("ada@example.com"), NOW).await.unwrap();
        shop.commit(write).await;

        store.touch_last_login(ada.id, later(9)).await.unwrap();

        let (ada, _) = store.member_for_sign_in("ada@example.com").await.unwrap().unwrap();
        assert_eq!(ada.last_login, Some(later(9)));
    }
}
