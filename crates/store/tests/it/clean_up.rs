use flagstaff_store::Touched;
use flagstaff_testkit::{NOW, change, contract, digest, later, new_member};

contract! {
    async fn what_expired_is_removed_and_the_rest_stays(store: Store) {
        let mut write = store.write().await.unwrap();
        let member = write.insert_member(&new_member("ada@example.com"), NOW).await.unwrap();
        write.commit(change(Touched::default())).await.unwrap();
        for (name, until) in [("over", later(10)), ("just over", later(20)), ("valid", later(21))] {
            store.insert_session(member.id, &digest(name), NOW, until).await.unwrap();
        }
        store.insert_token(member.id, &digest("token"), NOW).await.unwrap();

        let removed = store.remove_expired(later(20)).await.unwrap();

        assert_eq!(removed, 2);
        assert_eq!(store.remove_expired(later(20)).await.unwrap(), 0);
        let valid = store.member_by_session(&digest("valid"), later(20)).await.unwrap();
        assert_eq!(valid.unwrap().id, member.id);
        let token = store.member_by_token(&digest("token"), later(20)).await.unwrap();
        assert_eq!(token.unwrap().id, member.id);
    }
}
