use flagstaff_store::{Change, OutboxEvent, Store};
use flagstaff_testkit::{Shop, change, contract, later};

async fn write_events(store: &Store, payloads: &[&str]) {
    let shop = Shop::open(store).await;
    let event = |payload: &&str| OutboxEvent {
        kind: "webhook".to_owned(),
        organisation_id: Some(shop.organisation.id),
        environment_id: None,
        payload: (*payload).to_owned(),
    };
    let change = Change {
        outbox: payloads.iter().map(event).collect(),
        ..change(shop.touched())
    };
    shop.write().await.commit(change).await.unwrap();
}

contract! {
    async fn events_are_claimed_in_order_and_not_by_two(store: Store) {
        write_events(&store, &["1", "2", "3"]).await;

        let first = store.claim_outbox("webhook", "a", later(1), later(100), 2).await.unwrap();
        let second = store.claim_outbox("webhook", "b", later(1), later(100), 2).await.unwrap();
        let third = store.claim_outbox("webhook", "c", later(1), later(100), 2).await.unwrap();

        let payloads = |events: &[flagstaff_store::ClaimedEvent]| -> Vec<String> {
            events.iter().map(|event| event.event.payload.clone()).collect()
        };
        assert_eq!(payloads(&first), ["1", "2"]);
        assert_eq!(payloads(&second), ["3"]);
        assert!(third.is_empty());
        assert_eq!(first[0].attempts, 1);
    }

    async fn a_claim_that_is_over_passes_to_another(store: Store) {
        write_events(&store, &["1"]).await;
        let first = store.claim_outbox("webhook", "a", later(1), later(100), 9).await.unwrap();

        let second = store.claim_outbox("webhook", "b", later(100), later(200), 9).await.unwrap();

        assert_eq!((second[0].id, second[0].attempts), (first[0].id, 2));
        assert!(!store.finish_outbox(first[0].id, "a").await.unwrap());
        assert!(!store.retry_outbox(first[0].id, "a", later(1), "late").await.unwrap());
        assert!(store.finish_outbox(first[0].id, "b").await.unwrap());
        assert!(store.claim_outbox("webhook", "c", later(900), later(999), 9).await.unwrap().is_empty());
    }

    async fn an_event_that_failed_comes_again_later(store: Store) {
        write_events(&store, &["1"]).await;
        let claimed = store.claim_outbox("webhook", "a", later(1), later(100), 9).await.unwrap();

        assert!(store.retry_outbox(claimed[0].id, "a", later(50), "no answer\0").await.unwrap());

        assert!(store.claim_outbox("webhook", "b", later(49), later(99), 9).await.unwrap().is_empty());
        let again = store.claim_outbox("webhook", "b", later(50), later(99), 9).await.unwrap();
        assert_eq!(again[0].attempts, 2);
    }

    async fn two_nodes_claim_every_event_once(one: Store, two: Store) {
        let payloads: Vec<String> = (0..60).map(|number| number.to_string()).collect();
        let payloads: Vec<&str> = payloads.iter().map(String::as_str).collect();
        write_events(&one, &payloads).await;
        let mut tasks = Vec::new();
        for number in 0..12 {
            let store = if number % 2 == 0 { one.clone() } else { two.clone() };
            tasks.push(tokio::spawn(async move {
                let worker = format!("worker-{number}");
                store.claim_outbox("webhook", &worker, later(1), later(100), 5).await.unwrap()
            }));
        }

        let mut ids = Vec::new();
        for task in tasks {
            ids.extend(task.await.unwrap().into_iter().map(|event| event.id));
        }
        while let [first, ..] = &*one.claim_outbox("webhook", "rest", later(1), later(100), 1).await.unwrap() {
            ids.push(first.id);
        }

        ids.sort_unstable();
        let claimed = ids.len();
        ids.dedup();
        assert_eq!((ids.len(), claimed), (60, 60));
    }
}
