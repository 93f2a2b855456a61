use crate::{assert_conflict, assert_not_found};
use flagstaff_core::{MemberId, Role};
use flagstaff_store::{Noun, Touched};
use flagstaff_testkit::{NOW, Shop, change, contract, digest, later, new_member};

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

    async fn the_last_sign_in_is_noted(store: Store) {
        let shop = Shop::open(&store).await;
        let mut write = shop.write().await;
        let ada = write.insert_member(&new_member("ada@example.com"), NOW).await.unwrap();
        shop.commit(write).await;

        store.touch_last_login(ada.id, later(9)).await.unwrap();

        let (ada, _) = store.member_for_sign_in("ada@example.com").await.unwrap().unwrap();
        assert_eq!(ada.last_login, Some(later(9)));
    }

    async fn somebody_deleted_was_there_once(store: Store) {
        assert!(!store.ever_had_members().await.unwrap());
        let shop = Shop::open(&store).await;
        let mut write = shop.write().await;
        let ada = write.insert_member(&new_member("ada@example.com"), NOW).await.unwrap();
        write.insert_membership(shop.organisation.id, ada.id, Role::Admin, NOW).await.unwrap();
        shop.commit(write).await;
        store.insert_token(ada.id, &digest("token"), NOW).await.unwrap();
        assert_eq!(store.member(ada.id).await.unwrap(), Some(ada.clone()));

        let mut write = shop.write().await;
        write.delete_member(ada.id, later(1)).await.unwrap();
        assert_not_found(write.delete_member(ada.id, later(1)).await, Noun::Member);
        assert_not_found(write.update_member(&ada).await, Noun::Member);
        shop.commit(write).await;

        assert_eq!(store.member(ada.id).await.unwrap(), None);
        assert_eq!(store.member_by_token(&digest("token"), NOW).await.unwrap(), None);
        assert!(store.memberships(ada.id).await.unwrap().is_empty());
        assert!(store.ever_had_members().await.unwrap());
        assert!(!store.has_members().await.unwrap());
        // The address is free again.
        let mut write = shop.write().await;
        write.insert_member(&new_member("ada@example.com"), NOW).await.unwrap();
    }

    async fn names_and_address_can_be_changed(store: Store) {
        let shop = Shop::open(&store).await;
        let mut write = shop.write().await;
        let mut ada = write.insert_member(&new_member("ada@example.com"), NOW).await.unwrap();
        write.insert_member(&new_member("eve@example.com"), NOW).await.unwrap();
        shop.commit(write).await;
        (ada.first_name, ada.last_name) = ("Ada".to_owned(), "Lovelace".to_owned());
        ada.email = "Countess@example.com".to_owned();

        let mut write = shop.write().await;
        write.update_member(&ada).await.unwrap();
        shop.commit(write).await;
        let mut taken = ada.clone();
        taken.email = "EVE@example.com".to_owned();
        let conflict = shop.write().await.update_member(&taken).await;

        assert_conflict(conflict, Noun::Member);
        let (found, _) = store.member_for_sign_in("countess@EXAMPLE.com").await.unwrap().unwrap();
        assert_eq!(found, ada);
    }

    async fn first_steps_are_kept(store: Store) {
        let shop = Shop::open(&store).await;
        let mut write = shop.write().await;
        let ada = write.insert_member(&new_member("ada@example.com"), NOW).await.unwrap();
        write.update_onboarding(ada.id, "{}").await.unwrap();
        let nobody = MemberId::new(999);
        assert_not_found(write.update_onboarding(nobody, "{}").await, Noun::Member);
        shop.commit(write).await;

        assert_eq!(store.onboarding(ada.id).await.unwrap().as_deref(), Some("{}"));
        assert_eq!(store.onboarding(nobody).await.unwrap(), None);
    }

    async fn sign_ins_end_but_for_one(store: Store) {
        let shop = Shop::open(&store).await;
        let mut write = shop.write().await;
        let ada = write.insert_member(&new_member("ada@example.com"), NOW).await.unwrap();
        shop.commit(write).await;
        let (kept, other, session) = (digest("kept"), digest("other"), digest("session"));
        store.insert_token(ada.id, &kept, NOW).await.unwrap();
        store.insert_token(ada.id, &other, NOW).await.unwrap();
        store.insert_session(ada.id, &session, NOW, later(99)).await.unwrap();

        let mut write = shop.write().await;
        write.end_sign_ins(ada.id, Some(&kept)).await.unwrap();
        shop.commit(write).await;

        assert_eq!(store.member_by_token(&kept, NOW).await.unwrap(), Some(ada.clone()));
        assert_eq!(store.member_by_token(&other, NOW).await.unwrap(), None);
        assert_eq!(store.member_by_session(&session, NOW).await.unwrap(), None);
        let mut write = shop.write().await;
        write.end_sign_ins(ada.id, None).await.unwrap();
        shop.commit(write).await;
        assert_eq!(store.member_by_token(&kept, NOW).await.unwrap(), None);
    }
}
