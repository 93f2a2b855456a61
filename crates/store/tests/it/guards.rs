use crate::{assert_conflict, assert_not_found};
use flagstaff_core::guard::{
    Arms, Counts, Guard, GuardAction, Harm, HealthReport, RateLimit, SequentialTest, Sight,
    Threshold, Verdict, Watch,
};
use flagstaff_core::{Rollout, RolloutId, Timestamp};
use flagstaff_store::{NewGuard, NewRollout, Noun, Recorded, ReportKey, RolloutHook, Store};
use flagstaff_testkit::{NOW, Shop, contract, later};
use uuid::Uuid;

async fn rollout(shop: &Shop, feature: &str) -> Rollout {
    let feature = shop.feature(feature).await;
    let new = NewRollout {
        uuid: Uuid::new_v4(),
        project_id: shop.project.id,
        environment_id: shop.environment.id,
        feature_id: feature.id,
        option_id: None,
        segment_id: None,
        description: None,
        driver: None,
        steps: Vec::new(),
        due_at: None,
        created_by: "ada".to_owned(),
    };
    let mut write = shop.write().await;
    let made = write.insert_rollout(new, NOW).await.unwrap();
    shop.commit(write).await;
    made
}

fn new_guard(rollout: RolloutId, name: &str, watch: Watch) -> NewGuard {
    NewGuard {
        uuid: Uuid::new_v4(),
        rollout_id: rollout,
        name: name.to_owned(),
        folded_name: name.to_lowercase(),
        watch,
        on_harm: GuardAction::RollBack,
        on_silence: GuardAction::Hold,
        grace_seconds: 300,
        every_seconds: 15,
        looks: 2,
        created_by: "ada".to_owned(),
    }
}

async fn insert(shop: &Shop, new: &NewGuard, at: Timestamp) -> Guard {
    let mut write = shop.write().await;
    let made = write.insert_guard(new, at).await.unwrap();
    shop.commit(write).await;
    made
}

fn watches() -> [Watch; 4] {
    [
        Watch::Metric {
            source: "main".to_owned(),
            query: "up".to_owned(),
            threshold: Threshold {
                harm: Harm::Below,
                limit: -0.5,
            },
        },
        Watch::FailureRate(RateLimit {
            limit: 0.05,
            minimum: 200,
        }),
        Watch::Comparison(SequentialTest {
            alpha: 0.01,
            tolerated: 1.5,
            harmful: 2.5,
        }),
        Watch::Health,
    ]
}

fn arms(treated: (u64, u64), control: (u64, u64)) -> Arms {
    let counts = |(successes, failures)| Counts {
        successes,
        failures,
    };
    Arms {
        treated: counts(treated),
        control: counts(control),
    }
}

/// What a guard may have seen after some looks.
fn seen() -> Sight {
    let block = arms((90, 10), (980, 20));
    let mut sight = Sight {
        verdict: Verdict::Undecided,
        detail: "10 of 100".to_owned(),
        measured: Some(f64::INFINITY),
        looked_at: Some(later(5)),
        quiet_since: Some(later(4)),
        harmful_looks: 1,
        step: Some(3),
        base: block,
        counted: arms((u64::from(u32::MAX), 11), (981, 1 << 53)),
        ..Sight::default()
    };
    SequentialTest::default().weigh(&mut sight.evidence, block);
    sight
}

async fn claim(store: &Store, worker: &str, now: Timestamp) -> Vec<Guard> {
    let until = now.plus_micros(60);
    store.claim_guards(worker, now, until, 10).await.unwrap()
}

contract! {
    async fn a_guard_of_every_kind_is_stored_and_deleted(store: Store) {
        let shop = Shop::open(&store).await;
        let rollout = rollout(&shop, "checkout").await;
        let mut made = Vec::new();
        for watch in watches() {
            let name = watch.kind().to_owned();
            made.push(insert(&shop, &new_guard(rollout.id, &name, watch), NOW).await);
        }

        let found = store.guards(rollout.id).await.unwrap();

        assert_eq!(found, made);
        assert_eq!(found.iter().map(|guard| guard.watch.clone()).collect::<Vec<_>>(), watches());
        assert_eq!((found[0].grace_seconds, found[0].every_seconds, found[0].looks), (300, 15, 2));
        assert_eq!((found[0].on_harm, found[0].on_silence), (GuardAction::RollBack, GuardAction::Hold));
        assert_eq!(found[0].sight, Sight::default());
        let mut write = shop.write().await;
        write.delete_guard(found[0].id).await.unwrap();
        shop.commit(write).await;
        assert_eq!(store.guards(rollout.id).await.unwrap(), made[1..]);
        assert_not_found(shop.write().await.delete_guard(found[0].id).await, Noun::Guard);
    }

    async fn names_of_guards_are_unique_within_a_rollout(store: Store) {
        let shop = Shop::open(&store).await;
        let first = rollout(&shop, "checkout").await;
        let second = rollout(&shop, "banner").await;
        insert(&shop, &new_guard(first.id, "Errors", Watch::Health), NOW).await;

        let again = shop.write().await.insert_guard(&new_guard(first.id, "errors", Watch::Health), NOW).await;

        assert_conflict(again, Noun::Guard);
        insert(&shop, &new_guard(second.id, "errors", Watch::Health), NOW).await;
    }

    async fn what_a_guard_saw_is_remembered_as_it_was(store: Store) {
        let shop = Shop::open(&store).await;
        let rollout = rollout(&shop, "checkout").await;
        let guard = insert(&shop, &new_guard(rollout.id, "errors", Watch::Health), NOW).await;
        claim(&store, "a", NOW).await;

        let written = store.record_look(guard.id, "a", &seen(), Some(later(100))).await.unwrap();

        assert!(written);
        assert_eq!(store.guards(rollout.id).await.unwrap()[0].sight, seen());
        assert!(!store.has_due_guards(later(99)).await.unwrap());
        assert!(store.has_due_guards(later(100)).await.unwrap());
    }

    async fn a_claimed_guard_is_one_workers_until_its_claim_is_over(store: Store) {
        let shop = Shop::open(&store).await;
        let rollout = rollout(&shop, "checkout").await;
        let guard = insert(&shop, &new_guard(rollout.id, "errors", Watch::Health), NOW).await;

        let first = claim(&store, "a", NOW).await;
        let second = claim(&store, "b", later(0)).await;

        assert_eq!((first.len(), second.len()), (1, 0));
        assert!(store.has_claim(guard.id, "a", NOW).await.unwrap());
        assert!(!store.has_claim(guard.id, "b", NOW).await.unwrap());
        let over = NOW.plus_micros(60);
        assert!(!store.has_claim(guard.id, "a", over).await.unwrap());
        assert_eq!(claim(&store, "b", over).await.len(), 1);
        let late = store.record_look(guard.id, "a", &seen(), None).await.unwrap();
        assert!(!late, "the claim had passed to another");
        assert!(store.record_look(guard.id, "b", &seen(), None).await.unwrap());
        assert!(!store.has_due_guards(later(1_000_000)).await.unwrap(), "it looks no more");
    }

    async fn of_many_that_claim_each_guard_is_one_workers(one: Store, two: Store) {
        let shop = Shop::open(&one).await;
        let rollout = rollout(&shop, "checkout").await;
        for number in 0..10 {
            insert(&shop, &new_guard(rollout.id, &format!("g{number}"), Watch::Health), NOW).await;
        }
        let mut tasks = Vec::new();
        for number in 0..8 {
            let store = if number % 2 == 0 { one.clone() } else { two.clone() };
            tasks.push(tokio::spawn(async move {
                let worker = format!("node-{number}");
                store.claim_guards(&worker, NOW, later(60), 3).await.unwrap()
            }));
        }
        let mut claimed = Vec::new();
        for task in tasks {
            claimed.extend(task.await.unwrap().into_iter().map(|guard| guard.id));
        }

        let all = claimed.len();
        claimed.sort_unstable();
        claimed.dedup();

        assert_eq!(claimed.len(), all, "none was claimed twice");
        assert!(all >= 3);
    }

    async fn signals_are_added_up_and_stop_at_the_limit(store: Store) {
        let shop = Shop::open(&store).await;
        let rollout = rollout(&shop, "checkout").await;
        assert_eq!(store.signals(rollout.id).await.unwrap(), Arms::default());

        for report in [arms((90, 10), (0, 0)), arms((5, 0), (7, 3)), arms((0, 1 << 53), (0, 0))] {
            let recorded = store.record_signals(rollout.id, report, None, NOW).await.unwrap();
            assert_eq!(recorded, Recorded::Counted);
        }

        let sum = store.signals(rollout.id).await.unwrap();
        assert_eq!(sum, arms((95, 1 << 53), (7, 3)));
    }

    async fn a_report_counts_once_under_its_key_for_a_day(store: Store) {
        let shop = Shop::open(&store).await;
        let first = rollout(&shop, "checkout").await;
        let second = rollout(&shop, "banner").await;
        let report = arms((9, 1), (0, 0));
        let key = |digest| Some(ReportKey { key: "pod-1", digest });
        let day = 24 * 3_600_000_000;

        let recorded = [
            store.record_signals(first.id, report, key("x"), NOW).await.unwrap(),
            store.record_signals(first.id, report, key("x"), NOW).await.unwrap(),
            store.record_signals(first.id, arms((1, 1), (0, 0)), key("y"), NOW).await.unwrap(),
            store.record_signals(second.id, report, key("x"), NOW).await.unwrap(),
            store.record_signals(first.id, report, key("x"), NOW.plus_micros(day + 1)).await.unwrap(),
        ];

        use Recorded::{Counted, Different, Known};
        assert_eq!(recorded, [Counted, Known, Different, Counted, Counted]);
        assert_eq!(store.signals(first.id).await.unwrap(), arms((18, 2), (0, 0)));
        assert_eq!(store.signals(second.id).await.unwrap(), report);
    }

    async fn of_health_the_last_report_of_each_counts_up_to_a_limit(store: Store) {
        let shop = Shop::open(&store).await;
        let rollout = rollout(&shop, "checkout").await;
        let report = |source: &str, is_healthy, seconds| HealthReport {
            source: source.to_owned(),
            is_healthy,
            reason: (!is_healthy).then(|| "slow".to_owned()),
            at: later(seconds),
        };
        let of = |report| { let store = store.clone(); async move {
            store.record_health(rollout.id, &report, 2).await.unwrap()
        }};

        assert!(of(report("sentry", false, 0)).await);
        assert!(of(report("grafana", true, 1)).await);
        assert!(!of(report("third", true, 2)).await);
        assert!(of(report("sentry", true, 3)).await);

        let reports = store.health_reports(rollout.id).await.unwrap();
        assert_eq!(reports, [report("grafana", true, 1), report("sentry", true, 3)]);
    }

    async fn a_rollout_has_one_hook_which_the_next_one_replaces(store: Store) {
        let shop = Shop::open(&store).await;
        let rollout = rollout(&shop, "checkout").await;
        let hook = RolloutHook { rollout_id: rollout.id, created_by: "ada".to_owned(), created_at: NOW };
        let set = |digest: &'static str| { let (shop, hook) = (shop.clone(), hook.clone()); async move {
            let mut write = shop.write().await;
            write.set_rollout_hook(&hook, digest).await.unwrap();
            shop.commit(write).await;
        }};
        assert_eq!(store.rollout_hook(rollout.id).await.unwrap(), None);

        set("first").await;
        set("second").await;

        assert_eq!(store.rollout_hook(rollout.id).await.unwrap(), Some(hook));
        assert_eq!(store.rollout_by_hook("first").await.unwrap(), None);
        assert_eq!(store.rollout_by_hook("second").await.unwrap(), Some(rollout.id));
        let mut write = shop.write().await;
        write.delete_rollout_hook(rollout.id).await.unwrap();
        shop.commit(write).await;
        assert_eq!(store.rollout_by_hook("second").await.unwrap(), None);
        assert_not_found(shop.write().await.delete_rollout_hook(rollout.id).await, Noun::RolloutHook);
    }
}
