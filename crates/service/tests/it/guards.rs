//! Guards act once, however many nodes look, and by what they measured.

use crate::fixture::{Fixture, clock};
use flagstaff_core::guard::{
    Counts, Guard, GuardAction, Harm, SequentialTest, Threshold, Verdict, Watch,
};
use flagstaff_core::{Percentage, RolloutEventKind, RolloutId, RolloutState, RolloutStep};
use flagstaff_service::config::PrometheusConfig;
use flagstaff_service::{
    FeatureReference, GuardRequest, Reporter, RolloutRequest, Service, ServiceConfig, SignalCounts,
    SignalRequest,
};
use std::collections::BTreeMap;
use std::sync::{Arc, Mutex};
use tokio::io::{AsyncReadExt as _, AsyncWriteExt as _};
use tokio::net::TcpListener;

/// A rollout of a switched-off feature at 10 %.
async fn rollout(fixture: &Fixture) -> RolloutId {
    fixture.feature("checkout", None).await;
    let step = |percent| RolloutStep {
        percentage: Percentage::from_percent(percent).unwrap(),
        hold_seconds: 3600,
        ..RolloutStep::default()
    };
    let request = RolloutRequest {
        feature: FeatureReference::Name("checkout".to_owned()),
        variant: None,
        segment_id: None,
        description: None,
        steps: vec![step(10.0), step(50.0)],
    };
    let key = &fixture.environment.api_key;
    let made = fixture
        .service
        .create_rollout(&fixture.caller, key, request)
        .await;
    made.unwrap().rollout.id
}

fn request(watch: Watch) -> GuardRequest {
    GuardRequest {
        name: "errors".to_owned(),
        watch,
        on_harm: None,
        on_silence: None,
        grace_seconds: None,
        every_seconds: None,
        looks: None,
    }
}

fn error_rate() -> GuardRequest {
    request(Watch::Metric {
        source: "main".to_owned(),
        query: "errors / all".to_owned(),
        threshold: Threshold {
            harm: Harm::Above,
            limit: 0.05,
        },
    })
}

async fn count(fixture: &Fixture, id: RolloutId, treated: (u64, u64), control: (u64, u64)) {
    let entry = |variant: &str, (successes, failures)| SignalCounts {
        variant: variant.to_owned(),
        counts: Counts {
            successes,
            failures,
        },
    };
    let report = SignalRequest {
        signals: vec![entry("treated", treated), entry("control", control)],
        idempotency_key: None,
    };
    let reporter = Reporter::Caller(&fixture.caller);
    let counted = fixture.service.record_signals(reporter, id, &report).await;
    assert!(counted.unwrap().is_counted);
}

/// State, reason, and what happened by itself.
async fn ended(fixture: &Fixture, id: RolloutId) -> (RolloutState, String, Vec<RolloutEventKind>) {
    let service = &fixture.service;
    let view = service.rollout(&fixture.caller, id).await.unwrap();
    let events = service.rollout_events(&fixture.caller, id).await.unwrap();
    let by_guards = events.iter().filter(|event| event.actor == "guard");
    let kinds = by_guards.map(|event| event.kind).collect();
    (
        view.rollout.state,
        view.rollout.reason.unwrap_or_default(),
        kinds,
    )
}

async fn guard(fixture: &Fixture, id: RolloutId) -> Guard {
    let guards = fixture.service.guards(&fixture.caller, id).await.unwrap();
    guards.into_iter().next().unwrap()
}

/// A Prometheus that answers whatever it is told to.
struct FakePrometheus {
    url: String,
    says: Arc<Mutex<String>>,
}

impl FakePrometheus {
    async fn start() -> Self {
        let listener = TcpListener::bind("127.0.0.1:0").await.unwrap();
        let url = format!("http://{}", listener.local_addr().unwrap());
        let says = Arc::new(Mutex::new(String::new()));
        let told = Arc::clone(&says);
        tokio::spawn(async move {
            while let Ok((mut stream, _)) = listener.accept().await {
                let mut request = vec![0; 8000];
                let mut length = 0;
                while !request[..length].ends_with(b"timeout=8s") {
                    match stream.read(&mut request[length..]).await {
                        Ok(read) if read > 0 => length += read,
                        _ => break,
                    }
                }
                let body = told.lock().unwrap().clone();
                let answer = format!(
                    "HTTP/1.1 200 OK\r\ncontent-length: {}\r\nconnection: close\r\n\r\n{body}",
                    body.len()
                );
                let _ = stream.write_all(answer.as_bytes()).await;
            }
        });
        Self { url, says }
    }

    fn say(&self, number: &str, warnings: &str) {
        *self.says.lock().unwrap() = format!(
            r#"{{"status":"success","data":{{"resultType":"scalar","result":[1,"{number}"]}},"warnings":[{warnings}]}}"#
        );
    }

    /// A node whose settings name it.
    fn node(&self, fixture: &Fixture) -> Service {
        let source = PrometheusConfig {
            url: self.url.clone(),
            ..PrometheusConfig::default()
        };
        let config = ServiceConfig {
            prometheus: BTreeMap::from([("main".to_owned(), source)]),
            ..ServiceConfig::default()
        };
        Service::new(fixture.store.clone(), clock(&fixture.time), config)
    }
}

#[tokio::test]
async fn harm_that_signals_prove_rolls_back_once_although_several_nodes_look() {
    let fixture = Fixture::new().await;
    let id = rollout(&fixture).await;
    let watch = Watch::Comparison(SequentialTest::default());
    let made = fixture
        .service
        .create_guard(&fixture.caller, id, request(watch));
    made.await.unwrap();
    count(&fixture, id, (80, 20), (980, 20)).await;
    let nodes: Vec<_> = (0..4).map(|_| fixture.node()).collect();

    let looked = look_together(&nodes).await;
    fixture.advance(3600);
    look_together(&nodes).await;

    assert_eq!(looked, 1);
    let (state, reason, kinds) = ended(&fixture, id).await;
    assert_eq!(state, RolloutState::RolledBack);
    assert_eq!(kinds, [RolloutEventKind::RolledBack]);
    assert!(
        reason.starts_with("guard `errors`: 20 of 100 of the treated failed"),
        "{reason}"
    );
}

/// All of them look at once; how many guards did.
async fn look_together(nodes: &[Service]) -> usize {
    let looks = nodes.iter().map(Service::look_after_rollouts);
    let looked = futures::future::join_all(looks).await;
    looked.into_iter().map(Result::unwrap).sum()
}

#[tokio::test]
async fn a_measurement_beyond_its_limit_takes_the_feature_back() {
    let fixture = Fixture::new().await;
    let prometheus = FakePrometheus::start().await;
    let node = prometheus.node(&fixture);
    let id = rollout(&fixture).await;
    node.create_guard(&fixture.caller, id, error_rate())
        .await
        .unwrap();

    prometheus.say("0.05", "");
    node.look_after_rollouts().await.unwrap();
    let before = guard(&fixture, id).await.sight;
    let early = node.look_after_rollouts().await.unwrap();
    fixture.advance(15);
    prometheus.say("0.25", "");
    node.look_after_rollouts().await.unwrap();

    assert_eq!(
        (before.verdict, before.measured),
        (Verdict::Healthy, Some(0.05))
    );
    assert_eq!(early, 0, "each at its beat");
    let (state, reason, _) = ended(&fixture, id).await;
    assert_eq!(
        (state, &*reason),
        (
            RolloutState::RolledBack,
            "guard `errors`: 0.25 is above 0.05"
        )
    );
}

#[tokio::test]
async fn a_source_that_says_nothing_holds_the_rollout_after_the_grace_time() {
    let fixture = Fixture::new().await;
    let prometheus = FakePrometheus::start().await;
    let node = prometheus.node(&fixture);
    let id = rollout(&fixture).await;
    let request = GuardRequest {
        grace_seconds: Some(60),
        ..error_rate()
    };
    node.create_guard(&fixture.caller, id, request)
        .await
        .unwrap();

    prometheus.say("NaN", "");
    for _ in 0..4 {
        node.look_after_rollouts().await.unwrap();
        assert_eq!(ended(&fixture, id).await.0, RolloutState::Running);
        fixture.advance(15);
    }
    node.look_after_rollouts().await.unwrap();

    let (state, reason, kinds) = ended(&fixture, id).await;
    assert_eq!(
        (state, kinds),
        (RolloutState::Held, vec![RolloutEventKind::Held])
    );
    assert_eq!(
        reason,
        "guard `errors`: nothing measured for 60 s (the query answers no number)"
    );
    assert_eq!(guard(&fixture, id).await.sight.verdict, Verdict::NoData);
}

#[tokio::test]
async fn a_good_number_that_may_not_be_whole_is_none_and_a_bad_one_is_bad() {
    let fixture = Fixture::new().await;
    let prometheus = FakePrometheus::start().await;
    let node = prometheus.node(&fixture);
    let id = rollout(&fixture).await;
    let request = GuardRequest {
        on_harm: Some(GuardAction::Hold),
        ..error_rate()
    };
    node.create_guard(&fixture.caller, id, request)
        .await
        .unwrap();

    prometheus.say("0.01", "\"a store is away\"");
    node.look_after_rollouts().await.unwrap();
    let good = guard(&fixture, id).await.sight;
    fixture.advance(15);
    prometheus.say("0.25", "\"a store is away\"");
    node.look_after_rollouts().await.unwrap();

    assert_eq!(good.verdict, Verdict::NoData);
    assert!(
        good.detail.ends_with("may not be whole: a store is away"),
        "{}",
        good.detail
    );
    assert_eq!(ended(&fixture, id).await.0, RolloutState::Held);
}

#[tokio::test]
async fn guards_look_no_more_once_their_rollout_has_ended() {
    let fixture = Fixture::new().await;
    let id = rollout(&fixture).await;
    let service = &fixture.service;
    service
        .create_guard(&fixture.caller, id, request(Watch::Health))
        .await
        .unwrap();
    service
        .abort_rollout(&fixture.caller, id, None)
        .await
        .unwrap();

    let last = service.look_after_rollouts().await.unwrap();
    fixture.advance(86_400);
    let later = service.look_after_rollouts().await.unwrap();

    assert_eq!((last, later), (1, 0));
    assert_eq!(ended(&fixture, id).await.0, RolloutState::Aborted);
}

#[tokio::test]
async fn a_guard_of_a_node_that_died_looks_when_the_claim_has_run_out() {
    let fixture = Fixture::new().await;
    let prometheus = FakePrometheus::start().await;
    let node = prometheus.node(&fixture);
    let id = rollout(&fixture).await;
    node.create_guard(&fixture.caller, id, error_rate())
        .await
        .unwrap();
    prometheus.say("0.25", "");
    // Another node has claimed it, and is still at work.
    let now = fixture.now();
    let claimed = fixture
        .store
        .claim_guards("another", now, now.plus_micros(60_000_000), 10);
    assert_eq!(claimed.await.unwrap().len(), 1);

    let looked = node.look_after_rollouts().await.unwrap();
    fixture.advance(60);
    let after = node.look_after_rollouts().await.unwrap();

    assert_eq!((looked, after), (0, 1), "its claim ran out");
    assert_eq!(ended(&fixture, id).await.0, RolloutState::RolledBack);
}
