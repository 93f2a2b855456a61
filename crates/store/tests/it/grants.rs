use crate::{assert_conflict, assert_not_found};
use flagstaff_core::{GrantPlace, MemberId};
use flagstaff_store::{NewGrant, Noun};
use flagstaff_testkit::{NOW, Shop, contract, new_member};

async fn member(shop: &Shop, email: &str) -> MemberId {
    let mut write = shop.write().await;
    let member = write.insert_member(&new_member(email), NOW).await.unwrap();
    shop.commit(write).await;
    member.id
}

fn places(shop: &Shop) -> [GrantPlace; 3] {
    let (organisation, project) = (shop.organisation.id, shop.project.id);
    [
        GrantPlace::Organisation(organisation),
        GrantPlace::Project(organisation, project),
        GrantPlace::Environment(organisation, project, shop.id()),
    ]
}

fn new_grant(member_id: MemberId, place: GrantPlace) -> NewGrant {
    NewGrant {
        member_id,
        place,
        is_admin: false,
        permissions: vec!["VIEW_PROJECT".to_owned(), "MANAGE_TAGS".to_owned()],
    }
}

contract! {
    async fn grants_are_found_by_member_and_by_place(store: Store) {
        let shop = Shop::open(&store).await;
        let (ada, eve) = (member(&shop, "ada@example.com").await, member(&shop, "eve@example.com").await);
        let mut write = shop.write().await;
        let mut grants = Vec::new();
        for place in places(&shop) {
            grants.push(write.insert_grant(&new_grant(ada, place), NOW).await.unwrap());
        }
        let hers = write.insert_grant(&new_grant(eve, places(&shop)[1]), NOW).await.unwrap();
        shop.commit(write).await;

        assert_eq!(grants[1].permissions, ["VIEW_PROJECT", "MANAGE_TAGS"]);
        assert_eq!(grants.iter().map(|grant| grant.place).collect::<Vec<_>>(), places(&shop));
        assert_eq!(store.grants_at(places(&shop)[0]).await.unwrap(), [grants[0].clone()]);
        assert_eq!(store.grants_at(places(&shop)[1]).await.unwrap(), [grants[1].clone(), hers.clone()]);
        assert_eq!(store.grants_at(places(&shop)[2]).await.unwrap(), [grants[2].clone()]);
        assert_eq!(store.grants_of(ada).await.unwrap(), grants);
        assert_eq!(store.grants_of(eve).await.unwrap(), [hers]);
    }

    async fn a_member_has_one_grant_in_a_place(store: Store) {
        let shop = Shop::open(&store).await;
        let ada = member(&shop, "ada@example.com").await;
        for place in places(&shop) {
            let mut write = shop.write().await;
            write.insert_grant(&new_grant(ada, place), NOW).await.unwrap();

            assert_conflict(write.insert_grant(&new_grant(ada, place), NOW).await, Noun::Grant);
        }
    }

    async fn a_grant_can_be_changed_and_taken_away(store: Store) {
        let shop = Shop::open(&store).await;
        let ada = member(&shop, "ada@example.com").await;
        let mut write = shop.write().await;
        let mut grant = write.insert_grant(&new_grant(ada, places(&shop)[2]), NOW).await.unwrap();
        (grant.is_admin, grant.permissions) = (true, Vec::new());
        write.update_grant(&grant).await.unwrap();
        shop.commit(write).await;
        assert_eq!(store.grants_of(ada).await.unwrap(), [grant.clone()]);

        let mut write = shop.write().await;
        write.delete_grant(grant.id).await.unwrap();
        assert_not_found(write.delete_grant(grant.id).await, Noun::Grant);
        assert_not_found(write.update_grant(&grant).await, Noun::Grant);
        shop.commit(write).await;

        assert!(store.grants_of(ada).await.unwrap().is_empty());
    }
}
