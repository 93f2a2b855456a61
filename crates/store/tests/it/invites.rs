use crate::{assert_conflict, assert_not_found};
use flagstaff_core::{OrganisationId, Role};
use flagstaff_store::{NewInvite, NewInviteLink, Noun};
use flagstaff_testkit::{NOW, Shop, contract, digest, later};

fn new_invite(organisation_id: OrganisationId, email: &str) -> NewInvite {
    NewInvite {
        organisation_id,
        email: email.to_owned(),
        role: Role::User,
        digest: digest(email),
        invited_by: None,
        expires_at: later(1000),
    }
}

fn new_link(organisation_id: OrganisationId, token: &str) -> NewInviteLink {
    NewInviteLink {
        organisation_id,
        token: token.into(),
        role: Role::Admin,
        expires_at: Some(later(10)),
    }
}

contract! {
    async fn an_invite_is_found_by_its_link_alone(store: Store) {
        let shop = Shop::open(&store).await;
        let id = shop.organisation.id;
        let mut write = shop.write().await;
        let ada = write.insert_invite(&new_invite(id, "ada@example.com"), NOW).await.unwrap();
        let eve = write.insert_invite(&new_invite(id, "eve@example.com"), NOW).await.unwrap();
        shop.commit(write).await;

        assert_eq!(store.invites(id).await.unwrap(), [ada.clone(), eve]);
        assert_eq!(ada.role, Role::User);
        let found = store.invite_by_digest(&digest("ada@example.com"), NOW).await.unwrap();
        assert_eq!(found, Some(ada));
        assert_eq!(store.invite_by_digest(&digest("bob@example.com"), NOW).await.unwrap(), None);
        assert!(store.invites(OrganisationId::new(999)).await.unwrap().is_empty());
    }

    async fn an_address_is_invited_once(store: Store) {
        let shop = Shop::open(&store).await;
        let mut write = shop.write().await;
        let mut new = new_invite(shop.organisation.id, "ada@example.com");
        write.insert_invite(&new, NOW).await.unwrap();
        (new.email, new.digest) = ("ADA@example.com".to_owned(), digest("other"));

        assert_conflict(write.insert_invite(&new, NOW).await, Noun::Invite);
    }

    async fn a_renewed_invite_has_another_link(store: Store) {
        let shop = Shop::open(&store).await;
        let mut write = shop.write().await;
        let new = new_invite(shop.organisation.id, "ada@example.com");
        let invite = write.insert_invite(&new, NOW).await.unwrap();
        write.renew_invite(invite.id, &digest("new"), later(2000)).await.unwrap();
        shop.commit(write).await;

        assert_eq!(store.invite_by_digest(&new.digest, NOW).await.unwrap(), None);
        assert_eq!(store.invite_by_digest(&digest("new"), NOW).await.unwrap(), Some(invite.clone()));
        let mut write = shop.write().await;
        write.delete_invite(invite.id).await.unwrap();
        assert_not_found(write.delete_invite(invite.id).await, Noun::Invite);
        assert_not_found(write.renew_invite(invite.id, "x", NOW).await, Noun::Invite);
        shop.commit(write).await;
        assert_eq!(store.invite_by_digest(&digest("new"), NOW).await.unwrap(), None);
    }

    async fn a_link_is_found_by_its_token_until_it_is_deleted(store: Store) {
        let shop = Shop::open(&store).await;
        let id = shop.organisation.id;
        let mut write = shop.write().await;
        let link = write.insert_invite_link(&new_link(id, "one"), NOW).await.unwrap();
        let again = new_link(id, "two");
        let other = write.insert_invite_link(&again, NOW).await.unwrap();
        shop.commit(write).await;

        assert_eq!(store.invite_links(id).await.unwrap(), [link.clone(), other]);
        assert!(!link.has_expired(later(9)) && link.has_expired(later(10)));
        assert_eq!(store.invite_link_by_token("one").await.unwrap(), Some(link.clone()));
        assert_eq!(store.invite_link_by_token("o\0ne").await.unwrap(), None);
        let conflict = shop.write().await.insert_invite_link(&again, NOW).await;
        assert_conflict(conflict, Noun::InviteLink);
        let mut write = shop.write().await;
        write.delete_invite_link(link.id).await.unwrap();
        assert_not_found(write.delete_invite_link(link.id).await, Noun::InviteLink);
        shop.commit(write).await;
        assert_eq!(store.invite_link_by_token("one").await.unwrap(), None);
    }

    async fn a_deleted_organisation_invites_nobody(store: Store) {
        let shop = Shop::open(&store).await;
        let id = shop.organisation.id;
        let mut write = shop.write().await;
        write.insert_invite_link(&new_link(id, "one"), NOW).await.unwrap();
        write.insert_invite(&new_invite(id, "ada@example.com"), NOW).await.unwrap();
        write.delete_organisation(id, later(1)).await.unwrap();
        shop.commit(write).await;

        assert_eq!(store.invite_link_by_token("one").await.unwrap(), None);
        let digest = digest("ada@example.com");
        assert_eq!(store.invite_by_digest(&digest, NOW).await.unwrap(), None);
    }
}
