use flagstaff_core::Member;
use flagstaff_store::{Store, Touched};
use flagstaff_testkit::{NOW, change, contract, digest, later, new_member};

async fn member(store: &Store, email: &str) -> Member {
    let mut write = store.write().await.unwrap();
    let member = write.insert_member(&new_member(email), NOW).await.unwrap();
    write.commit(change(Touched::default())).await.unwrap();
    member
}

contract! {
    async fn a_member_has_many_tokens_and_each_can_be_withdrawn(store: Store) {
        let ada = member(&store, "ada@example.com").await;
        let (one, two) = (digest("one"), digest("two"));
        store.insert_token(ada.id, &one, NOW).await.unwrap();
        store.insert_token(ada.id, &two, NOW).await.unwrap();

        store.delete_token(&one).await.unwrap();

        assert_eq!(store.member_by_token(&one, NOW).await.unwrap(), None);
        assert_eq!(store.member_by_token(&two, NOW).await.unwrap(), Some(ada));
        assert_eq!(store.member_by_token(&digest("three"), NOW).await.unwrap(), None);
    }

    async fn a_session_ends_by_itself_or_by_hand(store: Store) {
        let ada = member(&store, "ada@example.com").await;
        let (short, long) = (digest("short"), digest("long"));
        store.insert_session(ada.id, &short, NOW, later(10)).await.unwrap();
        store.insert_session(ada.id, &long, NOW, later(99)).await.unwrap();

        assert_eq!(store.member_by_session(&short, later(9)).await.unwrap(), Some(ada.clone()));
        assert_eq!(store.member_by_session(&short, later(10)).await.unwrap(), None);
        assert_eq!(store.member_by_session(&long, later(10)).await.unwrap(), Some(ada.clone()));
        store.delete_session(&long).await.unwrap();
        assert_eq!(store.member_by_session(&long, later(10)).await.unwrap(), None);
        // Those that are over make room for others.
        store.insert_session(ada.id, &short, later(9), later(20)).await.unwrap_err();
        store.insert_session(ada.id, &short, later(10), later(20)).await.unwrap();
    }

    async fn a_link_signs_in_once_whoever_comes_first(one: Store, two: Store) {
        let link = digest("link");
        one.insert_sign_in_link(&link, NOW, later(100)).await.unwrap();
        assert!(one.sign_in_link_is_open(&link, later(1)).await.unwrap());

        let mut tasks = Vec::new();
        for number in 0..8 {
            let (store, link) = (if number % 2 == 0 { one.clone() } else { two.clone() }, link.clone());
            tasks.push(tokio::spawn(async move {
                store.use_sign_in_link(&link, later(1)).await.unwrap()
            }));
        }
        let mut uses = 0;
        for task in tasks {
            uses += i32::from(task.await.unwrap());
        }

        assert_eq!(uses, 1);
        assert!(!two.sign_in_link_is_open(&link, later(2)).await.unwrap());
    }

    async fn a_link_expires(store: Store) {
        let link = digest("link");
        store.insert_sign_in_link(&link, NOW, later(100)).await.unwrap();

        assert!(store.sign_in_link_is_open(&link, later(99)).await.unwrap());
        assert!(!store.sign_in_link_is_open(&link, later(100)).await.unwrap());
        assert!(!store.use_sign_in_link(&link, later(100)).await.unwrap());
        assert!(!store.use_sign_in_link(&digest("other"), NOW).await.unwrap());
    }
}
