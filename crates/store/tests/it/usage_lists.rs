use flagstaff_core::{FeatureId, Timestamp};
use flagstaff_store::{
    EvaluationCountRow, RequestCountRow, RequestKind, UsageLabels, UsageRows, UsageStep,
    VariantCountRow,
};
use flagstaff_testkit::{NOW, Shop, contract};
use uuid::Uuid;

const HOUR: i64 = 3_600_000_000;
const DAY: i64 = 24 * HOUR;

/// The beginning of the day of the tests, and so many hours later.
fn at(hours: i64) -> Timestamp {
    Timestamp::from_micros(NOW.micros().div_euclid(DAY) * DAY + hours * HOUR)
}

fn python() -> UsageLabels {
    UsageLabels {
        user_agent: Some("flagsmith-python-sdk/6.3.0".to_owned()),
        ..UsageLabels::default()
    }
}

fn evaluation(shop: &Shop, feature: FeatureId, hours: i64, count: i64) -> EvaluationCountRow {
    EvaluationCountRow {
        environment_id: shop.id(),
        feature_id: feature,
        enabled: Some(true),
        bucket: at(hours),
        labels: python(),
        count,
    }
}

async fn record(shop: &Shop, rows: UsageRows) {
    shop.store
        .record_counts(Uuid::new_v4(), &rows, NOW)
        .await
        .unwrap();
}

contract! {
    async fn requests_add_up_by_hour_and_by_day(store: Store) {
        let shop = Shop::open(&store).await;
        let other = shop.environment("other").await;
        let request = |environment_id, kind, hours, labels| RequestCountRow {
            environment_id,
            kind,
            bucket: at(hours),
            labels,
            count: 10,
        };
        for _ in 0..2 {
            let requests = vec![
                request(shop.id(), RequestKind::Flags, 1, python()),
                request(shop.id(), RequestKind::Flags, 5, python()),
                request(shop.id(), RequestKind::Flags, 25, UsageLabels::default()),
                request(other.id, RequestKind::Flags, 1, python()),
                request(other.id, RequestKind::EnvironmentDocument, 1, python()),
            ];
            record(&shop, UsageRows { requests, ..UsageRows::default() }).await;
        }
        let sums = async |environments: &[_], step, range| {
            let sums = store.request_sums(environments, step, range).await.unwrap();
            let sums = sums.into_iter();
            sums.map(|sum| (sum.start, sum.kind, sum.labels, sum.count)).collect::<Vec<_>>()
        };
        let both = [shop.id(), other.id];

        let days = sums(&both, UsageStep::Day, (at(0), at(48))).await;
        let hours = sums(&[shop.id()], UsageStep::Hour, (at(0), at(24))).await;
        let none = sums(&[], UsageStep::Day, (at(0), at(48))).await;

        assert_eq!(days, [
            (at(0), RequestKind::EnvironmentDocument, python(), 20),
            (at(0), RequestKind::Flags, python(), 60),
            (at(24), RequestKind::Flags, UsageLabels::default(), 20),
        ]);
        assert_eq!(hours, [
            (at(1), RequestKind::Flags, python(), 20),
            (at(5), RequestKind::Flags, python(), 20),
        ]);
        assert_eq!(none, []);
    }

    async fn evaluations_of_a_feature_are_told_by_state_and_client(store: Store) {
        let shop = Shop::open(&store).await;
        let feature = shop.feature("checkout").await.id;
        let off = EvaluationCountRow { enabled: Some(false), ..evaluation(&shop, feature, 2, 3) };
        let unknown = EvaluationCountRow {
            enabled: None,
            labels: UsageLabels::default(),
            ..evaluation(&shop, feature, 2, 4)
        };
        let evaluations = vec![evaluation(&shop, feature, 1, 1), evaluation(&shop, feature, 30, 2), off, unknown];
        record(&shop, UsageRows { evaluations, ..UsageRows::default() }).await;

        let range = (at(0), at(24));
        let days = store.evaluation_sums(shop.id(), feature, UsageStep::Day, range).await.unwrap();

        let days: Vec<_> = days.into_iter().map(|sum| (sum.start, sum.enabled, sum.labels, sum.count)).collect();
        assert_eq!(days, [
            (at(0), Some(false), python(), 3),
            (at(0), Some(true), python(), 1),
            (at(0), None, UsageLabels::default(), 4),
        ]);
    }

    async fn variants_of_a_feature_add_up_by_days_the_most_frequent_first(store: Store) {
        let shop = Shop::open(&store).await;
        let (feature, another) = (shop.feature("checkout").await.id, shop.feature("search").await.id);
        let given = |feature_id, hours, variant: &str, count| VariantCountRow {
            environment_id: shop.id(),
            feature_id,
            at: at(hours),
            variant: variant.to_owned(),
            count,
        };
        let variants = vec![
            given(feature, 1, "control", 2),
            given(feature, 23, "control", 3),
            given(feature, 25, "blue", 9),
            given(feature, 49, "blue", 100),
            given(another, 1, "control", 50),
        ];
        for _ in 0..2 {
            record(&shop, UsageRows { variants: variants.clone(), ..UsageRows::default() }).await;
        }

        let sums = store.variant_sums(shop.id(), feature, (at(5), at(48))).await.unwrap();

        assert_eq!(sums, [("blue".to_owned(), 18), ("control".to_owned(), 10)]);
    }

    async fn many_features_are_counted_by_day_in_one_question(store: Store) {
        let shop = Shop::open(&store).await;
        let (one, two) = (shop.feature("one").await.id, shop.feature("two").await.id);
        let never = shop.feature("never").await.id;
        let off = EvaluationCountRow { enabled: Some(false), ..evaluation(&shop, one, 1, 5) };
        let evaluations = vec![
            evaluation(&shop, one, 1, 1),
            off,
            evaluation(&shop, one, 26, 2),
            evaluation(&shop, two, 49, 100),
        ];
        record(&shop, UsageRows { evaluations, ..UsageRows::default() }).await;
        let days = [at(0), at(24)];

        let counts = store.evaluation_days(shop.id(), &[one, two, never], &days).await.unwrap();
        let busiest = store.busiest_features(shop.id(), at(24), 10).await.unwrap();
        let last = store.last_evaluations(&[shop.id()], &[one, two, never]).await.unwrap();

        assert_eq!(counts.len(), 2);
        assert_eq!((counts[&(one, at(0))], counts[&(one, at(24))]), (6, 2));
        assert_eq!(busiest, [(two, 100), (one, 2)]);
        assert_eq!((last[&one], last[&two], last.get(&never)), (at(26), at(49), None));
        let nothing = store.evaluation_days(shop.id(), &[one], &[]).await.unwrap();
        assert!(nothing.is_empty());
    }
}
