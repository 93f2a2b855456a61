use crate::assert_not_found;
use flagstaff_core::{GrantPlace, Membership, OrganisationId, Role};
use flagstaff_store::{NewGrant, Noun};
use flagstaff_testkit::{NOW, Shop, contract, later, new_member};

contract! {
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

    async fn everybody_of_an_organisation_is_listed_with_their_role(store: Store) {
        let shop = Shop::open(&store).await;
        let id = shop.organisation.id;
        let mut write = shop.write().await;
        let ada = write.insert_member(&new_member("ada@example.com"), NOW).await.unwrap();
        let eve = write.insert_member(&new_member("eve@example.com"), NOW).await.unwrap();
        write.insert_member(&new_member("bob@example.com"), NOW).await.unwrap();
        write.insert_membership(id, eve.id, Role::User, NOW).await.unwrap();
        write.insert_membership(id, ada.id, Role::Admin, NOW).await.unwrap();
        shop.commit(write).await;

        let members = store.members_of(id).await.unwrap();

        assert_eq!(members, [(ada, Role::Admin), (eve, Role::User)]);
        assert!(store.members_of(OrganisationId::new(999)).await.unwrap().is_empty());
    }

    async fn whoever_leaves_leaves_their_grants(store: Store) {
        let shop = Shop::open(&store).await;
        let id = shop.organisation.id;
        let mut write = shop.write().await;
        let ada = write.insert_member(&new_member("ada@example.com"), NOW).await.unwrap();
        write.insert_membership(id, ada.id, Role::User, NOW).await.unwrap();
        let grant = NewGrant {
            member_id: ada.id,
            place: GrantPlace::Project(id, shop.project.id),
            is_admin: true,
            permissions: Vec::new(),
        };
        write.insert_grant(&grant, NOW).await.unwrap();
        shop.commit(write).await;

        let mut write = shop.write().await;
        write.delete_membership(id, ada.id).await.unwrap();
        assert_not_found(write.delete_membership(id, ada.id).await, Noun::Member);
        shop.commit(write).await;

        assert!(store.memberships(ada.id).await.unwrap().is_empty());
        assert!(store.grants_of(ada.id).await.unwrap().is_empty());
        assert!(store.member(ada.id).await.unwrap().is_some());
    }
}
