use flagstaff_core::{FeatureId, Timestamp};
use flagstaff_store::{EvaluationCountRow, RequestCountRow, RequestKind, UsageLabels, UsageRows};
use flagstaff_testkit::{NOW, Shop, contract, later};
use uuid::Uuid;

const QUARTER: i64 = 15 * 60 * 1_000_000;

fn python() -> UsageLabels {
    UsageLabels {
        user_agent: Some("flagsmith-python-sdk/6.3.0".to_owned()),
        application_name: Some("größe".to_owned()),
        application_version: None,
    }
}

fn rows(shop: &Shop, feature_id: FeatureId, bucket: Timestamp, count: i64) -> UsageRows {
    let environment_id = shop.id();
    let evaluation = |enabled, labels| EvaluationCountRow {
        environment_id,
        feature_id,
        enabled,
        bucket,
        labels,
        count,
    };
    UsageRows {
        evaluations: vec![
            evaluation(Some(true), python()),
            evaluation(Some(false), python()),
            evaluation(None, UsageLabels::default()),
        ],
        requests: vec![
            RequestCountRow {
                environment_id,
                kind: RequestKind::Flags,
                bucket,
                labels: python(),
                count,
            },
            RequestCountRow {
                environment_id,
                kind: RequestKind::Identities,
                bucket,
                labels: python(),
                count,
            },
        ],
        variants: Vec::new(),
    }
}

contract! {
    async fn evaluations_of_many_features_are_added_up_by_days(store: Store) {
        const DAY: i64 = 96 * QUARTER;
        let shop = Shop::open(&store).await;
        let (one, two) = (shop.feature("one").await.id, shop.feature("two").await.id);
        for (feature, after, count) in [(one, 0, 1), (one, QUARTER, 2), (one, DAY, 5), (two, DAY, 7)] {
            let rows = rows(&shop, feature, later(after), count);
            store.record_counts(Uuid::new_v4(), &rows, NOW).await.unwrap();
        }

        let both = store.evaluations_by_day(shop.id(), &[two, one], NOW).await.unwrap();
        let since = store.evaluations_by_day(shop.id(), &[one], later(DAY)).await.unwrap();

        // Each row counts three times: for who saw it on, off, and did not say.
        assert_eq!(both, [(one, 0, 9), (one, 1, 15), (two, 1, 21)]);
        assert_eq!(since, [(one, 0, 15)]);
        assert_eq!(store.evaluations_by_day(shop.id(), &[], NOW).await.unwrap(), []);
    }

    async fn counts_add_up(store: Store) {
        let shop = Shop::open(&store).await;
        let feature = shop.feature("checkout").await.id;
        let first = rows(&shop, feature, NOW, 3);
        let second = rows(&shop, feature, NOW, 4);
        let later_on = rows(&shop, feature, later(QUARTER), 100);

        for rows in [first, second, later_on] {
            store.record_counts(Uuid::new_v4(), &rows, NOW).await.unwrap();
        }

        let evaluations = store.count_evaluations(shop.id(), feature, NOW).await.unwrap();
        assert_eq!(evaluations, 3 * 107, "three states or labels");
        let since = later(QUARTER);
        assert_eq!(store.count_evaluations(shop.id(), feature, since).await.unwrap(), 300);
        let flags = store.count_requests(shop.id(), RequestKind::Flags, NOW).await.unwrap();
        assert_eq!(flags, 107);
        let traits = store.count_requests(shop.id(), RequestKind::Traits, NOW).await.unwrap();
        assert_eq!(traits, 0);
    }

    async fn a_flush_sent_twice_counts_once(one: Store, two: Store) {
        let shop = Shop::open(&one).await;
        let feature = shop.feature("checkout").await.id;
        let flush = Uuid::new_v4();
        let mut tasks = Vec::new();
        for number in 0..6 {
            let store = if number % 2 == 0 { one.clone() } else { two.clone() };
            let rows = rows(&shop, feature, NOW, 5);
            tasks.push(tokio::spawn(async move {
                store.record_counts(flush, &rows, NOW).await.unwrap();
            }));
        }
        for task in tasks {
            task.await.unwrap();
        }

        let count = one.count_requests(shop.id(), RequestKind::Flags, NOW).await.unwrap();

        assert_eq!(count, 5);
    }

    async fn a_failed_flush_adds_nothing_and_can_be_sent_again(store: Store) {
        let shop = Shop::open(&store).await;
        let feature = shop.feature("checkout").await.id;
        let flush = Uuid::new_v4();
        let mut broken = rows(&shop, feature, NOW, 5);
        broken.evaluations[2].feature_id = FeatureId::new(999_999);
        store.record_counts(flush, &broken, NOW).await.unwrap_err();
        let none = store.count_requests(shop.id(), RequestKind::Flags, NOW).await.unwrap();
        assert_eq!(none, 0);

        store.record_counts(flush, &rows(&shop, feature, NOW, 5), NOW).await.unwrap();

        let count = store.count_requests(shop.id(), RequestKind::Flags, NOW).await.unwrap();
        assert_eq!(count, 5);
    }

    async fn flushes_of_two_nodes_do_not_lock_each_other_out(one: Store, two: Store) {
        let shop = Shop::open(&one).await;
        let (first, second) = (shop.feature("one").await.id, shop.feature("two").await.id);
        let mut tasks = Vec::new();
        for number in 0..20 {
            let store = if number % 2 == 0 { one.clone() } else { two.clone() };
            let mut both = rows(&shop, first, NOW, 1);
            both.evaluations.extend(rows(&shop, second, NOW, 1).evaluations);
            if number % 2 == 0 {
                both.evaluations.reverse();
                both.requests.reverse();
            }
            tasks.push(tokio::spawn(async move {
                store.record_counts(Uuid::new_v4(), &both, NOW).await.unwrap();
            }));
        }
        for task in tasks {
            task.await.unwrap();
        }

        let count = one.count_evaluations(shop.id(), second, NOW).await.unwrap();

        assert_eq!(count, 60);
    }

    async fn the_first_request_is_known_with_what_asked(store: Store) {
        let shop = Shop::open(&store).await;
        assert_eq!(store.first_request(shop.id()).await.unwrap(), None);
        let request = |kind, bucket, labels| RequestCountRow {
            environment_id: shop.id(),
            kind,
            bucket,
            labels,
            count: 1,
        };
        let rows = UsageRows {
            evaluations: Vec::new(),
            requests: vec![
                request(RequestKind::Traits, NOW, UsageLabels::default()),
                request(RequestKind::Flags, later(2 * QUARTER), UsageLabels::default()),
                request(RequestKind::Identities, later(QUARTER), python()),
                request(RequestKind::Flags, later(QUARTER), UsageLabels::default()),
            ],
            variants: Vec::new(),
        };
        store.record_counts(Uuid::new_v4(), &rows, NOW).await.unwrap();

        let first = store.first_request(shop.id()).await.unwrap();

        assert_eq!(first, Some((later(QUARTER), python())));
    }
}
