use flagstaff_core::{Member, Timestamp};
use flagstaff_store::{Change, LinkPurpose, NewAccountLink, Store, Touched};
use flagstaff_testkit::{NOW, change, contract, digest, later, new_member};

async fn member(store: &Store, email: &str) -> Member {
    let mut write = store.write().await.unwrap();
    let member = write.insert_member(&new_member(email), NOW).await.unwrap();
    write.commit(change(Touched::default())).await.unwrap();
    member
}

fn link(member: &Member, digest: Option<String>, expires_at: Timestamp) -> NewAccountLink {
    NewAccountLink {
        member_id: member.id,
        purpose: LinkPurpose::Password,
        digest,
        account_state: "state".to_owned(),
        expires_at,
    }
}

contract! {
    async fn a_link_is_found_by_what_stands_in_it_while_it_lasts(store: Store) {
        let ada = member(&store, "ada@example.com").await;
        let new = link(&ada, Some(digest("a")), later(10));
        let id = store.insert_account_link(&new, NOW).await.unwrap();

        let found = store.account_link(&digest("a"), later(9)).await.unwrap().unwrap();
        assert_eq!((found.id, found.member_id, found.purpose), (id, ada.id, LinkPurpose::Password));
        assert_eq!((found.account_state.as_str(), found.created_at), ("state", NOW));
        assert_eq!(store.account_link(&digest("a"), later(10)).await.unwrap(), None);
        assert_eq!(store.account_link(&digest("b"), NOW).await.unwrap(), None);
        store.delete_account_link(id).await.unwrap();
        assert_eq!(store.account_link(&digest("a"), NOW).await.unwrap(), None);
    }

    async fn a_waiting_link_is_told_once(store: Store) {
        let ada = member(&store, "ada@example.com").await;
        let id = store.insert_account_link(&link(&ada, None, later(10)), NOW).await.unwrap();
        let told = Some(digest("told"));
        store.insert_account_link(&link(&ada, told, later(10)), NOW).await.unwrap();

        let waiting = store.waiting_account_links(NOW).await.unwrap();

        assert_eq!(waiting.iter().map(|link| link.id).collect::<Vec<_>>(), [id]);
        assert!(store.waiting_account_links(later(10)).await.unwrap().is_empty());
        assert!(!store.tell_account_link(id, &digest("x"), later(10)).await.unwrap());
        assert!(store.tell_account_link(id, &digest("x"), NOW).await.unwrap());
        assert!(!store.tell_account_link(id, &digest("y"), NOW).await.unwrap());
        assert!(store.waiting_account_links(NOW).await.unwrap().is_empty());
        assert!(store.account_link(&digest("x"), NOW).await.unwrap().is_some());
    }

    async fn links_end_with_their_account(store: Store) {
        let ada = member(&store, "ada@example.com").await;
        store.insert_account_link(&link(&ada, Some(digest("a")), later(10)), NOW).await.unwrap();
        let mut write = store.write().await.unwrap();
        write.delete_account_links(ada.id).await.unwrap();
        write.commit(change(Touched::default())).await.unwrap();
        assert_eq!(store.account_link(&digest("a"), NOW).await.unwrap(), None);

        store.insert_account_link(&link(&ada, Some(digest("b")), later(10)), NOW).await.unwrap();
        let mut write = store.write().await.unwrap();
        write.delete_member(ada.id, NOW).await.unwrap();
        write.commit(change(Touched::default())).await.unwrap();

        assert_eq!(store.account_link(&digest("b"), NOW).await.unwrap(), None);
    }

    async fn a_state_is_spent_once(store: Store) {
        assert!(store.spend_state(&digest("a"), later(5)).await.unwrap());
        assert!(!store.spend_state(&digest("a"), later(5)).await.unwrap());
        assert!(store.spend_state(&digest("b"), later(5)).await.unwrap());

        store.remove_expired(later(5)).await.unwrap();

        assert!(store.spend_state(&digest("a"), later(9)).await.unwrap());
    }

    async fn a_service_knows_one_member_by_a_name(store: Store) {
        let (ada, eve) = (member(&store, "ada@example.com").await, member(&store, "eve@example.com").await);
        let mut write = store.write().await.unwrap();
        write.insert_external_account(ada.id, "google", "1", NOW).await.unwrap();
        write.insert_external_account(eve.id, "okta", "1", NOW).await.unwrap();
        write.commit(change(Touched::default())).await.unwrap();

        let found = store.member_by_external_account("google", "1").await.unwrap();
        assert_eq!(found.map(|member| member.id), Some(ada.id));
        assert_eq!(store.member_by_external_account("github", "1").await.unwrap(), None);
        assert_eq!(store.member_by_external_account("google", "\0").await.unwrap(), None);
        assert_eq!(store.external_accounts(eve.id).await.unwrap(), ["okta"]);
        let mut write = store.write().await.unwrap();
        let taken = write.insert_external_account(eve.id, "google", "1", NOW).await;
        crate::assert_conflict(taken, flagstaff_store::Noun::Member);
    }

    async fn a_new_address_is_not_verified(store: Store) {
        let mut ada = member(&store, "ada@example.com").await;
        let verified = || store.email_is_verified(ada.id);
        assert!(!verified().await.unwrap());
        let mut write = store.write().await.unwrap();
        write.verify_email(ada.id, NOW).await.unwrap();
        write.commit(change(Touched::default())).await.unwrap();
        assert!(verified().await.unwrap());

        for (email, is_verified) in [("ADA@example.com", true), ("other@example.com", false)] {
            ada.email = email.to_owned();
            let mut write = store.write().await.unwrap();
            write.update_member(&ada).await.unwrap();
            write.update_activity(ada.id, false).await.unwrap();
            write.remove_password(ada.id).await.unwrap();
            let done: Change = change(Touched::default());
            write.commit(done).await.unwrap();
            assert_eq!(store.email_is_verified(ada.id).await.unwrap(), is_verified, "{email}");
        }
        let (found, hash) = store.member_for_sign_in("other@example.com").await.unwrap().unwrap();
        assert!(!found.is_active && hash.is_none());
    }

    async fn a_mailed_invite_has_a_link_beside_the_first(store: Store) {
        let shop = flagstaff_testkit::Shop::open(&store).await;
        let mut write = shop.write().await;
        let new = flagstaff_store::NewInvite {
            organisation_id: shop.organisation.id,
            email: "ada@example.com".to_owned(),
            role: flagstaff_core::Role::User,
            digest: digest("first"),
            invited_by: None,
            expires_at: later(10),
        };
        let invite = write.insert_invite(&new, NOW).await.unwrap();
        shop.commit(write).await;

        store.keep_mailed_invite(invite.id, &digest("mailed")).await.unwrap();

        for each in ["first", "mailed"] {
            let found = store.invite_by_digest(&digest(each), NOW).await.unwrap();
            assert_eq!(found.as_ref(), Some(&invite), "{each}");
            assert_eq!(store.invite_by_digest(&digest(each), later(10)).await.unwrap(), None);
        }
        assert!(store.invite_was_mailed(&digest("mailed")).await.unwrap());
        assert!(!store.invite_was_mailed(&digest("first")).await.unwrap());
        let mut write = shop.write().await;
        write.renew_invite(invite.id, &digest("again"), later(20)).await.unwrap();
        shop.commit(write).await;
        assert_eq!(store.invite_by_digest(&digest("mailed"), NOW).await.unwrap(), None);
        assert!(store.invite_by_digest(&digest("again"), later(15)).await.unwrap().is_some());
    }

    async fn events_of_another_kind_are_left_alone(store: Store) {
        let event = flagstaff_store::OutboxEvent {
            kind: "mail".to_owned(),
            organisation_id: None,
            environment_id: None,
            payload: "{}".to_owned(),
        };
        store.insert_event(&event, NOW).await.unwrap();

        assert!(store.claim_outbox("webhook", "a", NOW, later(9), 5).await.unwrap().is_empty());
        let claimed = store.claim_outbox("mail", "a", NOW, later(9), 5).await.unwrap();
        assert_eq!(claimed[0].event, event);
    }
}
