use super::*;

const RUNNING: Stage = Stage {
    step: Some(0),
    is_whole: false,
    is_held: false,
};
const HELD: Stage = Stage {
    is_held: true,
    ..RUNNING
};

fn at(seconds: i64) -> Timestamp {
    Timestamp::from_micros(seconds * 1_000_000)
}

fn guard(watch: Watch) -> Guard {
    Guard {
        id: GuardId::new(1),
        uuid: Uuid::nil(),
        rollout_id: RolloutId::new(1),
        name: "errors".to_owned(),
        watch,
        on_harm: GuardAction::RollBack,
        on_silence: GuardAction::Hold,
        grace_seconds: 60,
        every_seconds: 15,
        looks: 1,
        sight: Sight::default(),
        created_by: "ada".to_owned(),
        created_at: at(0),
    }
}

fn metric() -> Guard {
    guard(Watch::Metric {
        source: "main".to_owned(),
        query: "up".to_owned(),
        threshold: Threshold {
            harm: Harm::Above,
            limit: 0.05,
        },
    })
}

fn comparison() -> Guard {
    guard(Watch::Comparison(SequentialTest::default()))
}

fn counted(treated: (u64, u64), control: (u64, u64)) -> Observation {
    let counts = |(successes, failures)| Counts {
        successes,
        failures,
    };
    Observation::Counted(Arms {
        treated: counts(treated),
        control: counts(control),
    })
}

fn measured(number: f64) -> Observation {
    Observation::Measured(Ok(number))
}

fn nothing() -> Observation {
    Observation::Measured(Err("no series matches".to_owned()))
}

/// Looks, and remembers what was seen.
fn look(guard: &mut Guard, stage: Stage, seen: &Observation, seconds: i64) -> Look {
    let look = guard.look(stage, seen, at(seconds));
    guard.sight = look.sight.clone();
    look
}

#[test]
fn a_measurement_beyond_its_limit_rolls_back_with_the_reason() {
    let mut guard = metric();

    let well = look(&mut guard, RUNNING, &measured(0.05), 0);
    let bad = look(&mut guard, RUNNING, &measured(0.08), 15);

    assert_eq!(
        (well.sight.verdict, well.reaction),
        (Verdict::Healthy, None)
    );
    let reason = "guard `errors`: 0.08 is above 0.05".to_owned();
    assert_eq!(bad.reaction, Some((GuardAction::RollBack, reason)));
    assert_eq!(bad.sight.measured, Some(0.08));
}

#[test]
fn several_harmful_looks_can_be_asked_for_and_one_good_one_starts_over() {
    let mut guard = Guard {
        looks: 2,
        ..metric()
    };

    let reactions = [0.08, 0.04, 0.08, 0.09].map(|number| {
        let seconds = guard
            .sight
            .looked_at
            .map_or(0, |at| at.micros() / 1_000_000 + 15);
        look(&mut guard, RUNNING, &measured(number), seconds)
            .reaction
            .is_some()
    });

    assert_eq!(reactions, [false, false, false, true]);
}

#[test]
fn what_is_not_measured_is_no_health_and_holds_after_the_grace_time() {
    let mut guard = metric();
    look(&mut guard, RUNNING, &measured(0.01), 0);

    let early = look(&mut guard, RUNNING, &nothing(), 59);
    let late = look(&mut guard, RUNNING, &nothing(), 60);

    assert_eq!(
        (early.sight.verdict, early.reaction),
        (Verdict::NoData, None)
    );
    let reason = "guard `errors`: nothing measured for 60 s (no series matches)".to_owned();
    assert_eq!(late.reaction, Some((GuardAction::Hold, reason)));
}

#[test]
fn silence_counts_from_the_first_look_where_nothing_was_ever_measured() {
    let mut guard = metric();

    let reactions = [1000, 1059, 1060].map(|seconds| {
        look(&mut guard, RUNNING, &nothing(), seconds)
            .reaction
            .is_some()
    });

    assert_eq!(reactions, [false, false, true]);
}

#[test]
fn a_rollout_that_is_held_is_not_held_again_but_rolled_back_all_the_same() {
    let mut holding = Guard {
        on_harm: GuardAction::Hold,
        ..metric()
    };
    let mut rolling_back = metric();

    let held = look(&mut holding, HELD, &measured(1.0), 0);
    let rolled_back = look(&mut rolling_back, HELD, &measured(1.0), 0);

    assert_eq!(
        (held.sight.verdict, held.reaction),
        (Verdict::Harmful, None)
    );
    assert!(rolled_back.reaction.is_some());
}

#[test]
fn a_guard_that_does_nothing_only_shows() {
    let mut guard = Guard {
        on_harm: GuardAction::Nothing,
        on_silence: GuardAction::Nothing,
        ..metric()
    };

    let bad = look(&mut guard, RUNNING, &measured(1.0), 0);
    let silent = look(&mut guard, RUNNING, &nothing(), 600);

    assert_eq!((bad.sight.verdict, bad.reaction), (Verdict::Harmful, None));
    assert_eq!(
        (silent.sight.verdict, silent.reaction),
        (Verdict::NoData, None)
    );
}

#[test]
fn failures_of_the_treated_are_those_of_the_present_step() {
    let mut guard = guard(Watch::FailureRate(RateLimit {
        limit: 0.1,
        minimum: 20,
    }));
    let next = Stage {
        step: Some(1),
        ..RUNNING
    };
    // The rollout began before the guard: what was counted until then belongs to no step.
    look(&mut guard, RUNNING, &counted((0, 0), (0, 0)), 0);
    let first = look(&mut guard, RUNNING, &counted((95, 5), (0, 0)), 15);
    let second = look(&mut guard, next, &counted((99, 11), (0, 0)), 30);
    let third = look(&mut guard, next, &counted((109, 15), (0, 0)), 45);

    assert_eq!(first.sight.verdict, Verdict::Healthy);
    assert_eq!(second.sight.verdict, Verdict::Undecided);
    assert_eq!(third.sight.verdict, Verdict::Harmful);
    let (action, reason) = third.reaction.unwrap();
    assert_eq!(action, GuardAction::RollBack);
    assert_eq!(
        reason,
        "guard `errors`: 10 of 24 of the treated failed, the limit is 10 %"
    );
}

#[test]
fn a_comparison_rolls_back_once_chance_is_ruled_out() {
    let mut guard = comparison();

    let early = look(&mut guard, RUNNING, &counted((9, 1), (98, 2)), 0);
    let late = look(&mut guard, RUNNING, &counted((90, 30), (980, 20)), 15);

    assert_eq!(
        (early.sight.verdict, early.reaction),
        (Verdict::Undecided, None)
    );
    let (action, reason) = late.reaction.unwrap();
    assert_eq!(action, GuardAction::RollBack);
    assert!(
        reason.starts_with(
            "guard `errors`: 30 of 120 of the treated failed and 20 of 1000 of the others (p = 0.0"
        ),
        "{reason}"
    );
}

#[test]
fn counts_of_one_arm_wait_for_those_of_the_other() {
    let mut guard = comparison();

    look(&mut guard, RUNNING, &counted((90, 30), (0, 0)), 0);
    let waiting = look(&mut guard, RUNNING, &counted((90, 30), (0, 0)), 15);
    let both = look(&mut guard, RUNNING, &counted((90, 30), (980, 20)), 30);

    assert_eq!(waiting.sight.verdict, Verdict::NoData);
    assert_eq!(both.sight.verdict, Verdict::Harmful);
}

#[test]
fn signals_that_stop_coming_are_no_health_after_the_grace_time() {
    let mut guard = comparison();
    let healthy = counted((9900, 100), (9900, 100));

    let fresh = look(&mut guard, RUNNING, &healthy, 0);
    let a_while_later = look(&mut guard, RUNNING, &healthy, 59);
    let silent = look(&mut guard, RUNNING, &healthy, 60);

    assert_eq!(fresh.sight.verdict, Verdict::Healthy);
    assert_eq!(a_while_later.sight.verdict, Verdict::Healthy);
    assert_eq!(silent.sight.verdict, Verdict::NoData);
    assert!(matches!(silent.reaction, Some((GuardAction::Hold, _))));
}

#[test]
fn where_everybody_has_it_nobody_else_needs_to_be_heard() {
    let mut guard = comparison();
    let whole = Stage {
        step: Some(1),
        is_whole: true,
        ..RUNNING
    };
    look(&mut guard, RUNNING, &counted((990, 10), (990, 10)), 0);

    let look = look(&mut guard, whole, &counted((1990, 20), (990, 10)), 90);

    assert_eq!(
        (look.sight.verdict, look.reaction),
        (Verdict::Undecided, None)
    );
    assert_eq!(look.sight.quiet_since, Some(at(90)));
}

#[test]
fn whoever_resumes_after_harm_gets_a_new_hearing() {
    let mut guard = Guard {
        on_harm: GuardAction::Hold,
        ..comparison()
    };
    let held = look(&mut guard, RUNNING, &counted((90, 30), (980, 20)), 0);
    assert!(held.reaction.is_some());

    let resumed = look(&mut guard, RUNNING, &counted((190, 31), (1880, 38)), 15);

    assert_eq!(
        (resumed.sight.verdict, resumed.reaction),
        (Verdict::Undecided, None)
    );
}

#[test]
fn one_bad_report_outweighs_good_ones_and_none_at_all_is_silence() {
    let report = |source: &str, is_healthy| HealthReport {
        source: source.to_owned(),
        is_healthy,
        reason: (!is_healthy).then(|| "latency".to_owned()),
        at: at(0),
    };
    let mut guard = guard(Watch::Health);

    let none = look(&mut guard, RUNNING, &Observation::Reported(Vec::new()), 0);
    let good = vec![report("grafana", true)];
    let well = look(
        &mut guard,
        RUNNING,
        &Observation::Reported(good.clone()),
        15,
    );
    let bad = vec![report("grafana", true), report("sentry", false)];
    let bad = look(&mut guard, RUNNING, &Observation::Reported(bad), 30);

    assert_eq!(none.sight.verdict, Verdict::NoData);
    assert_eq!(
        (well.sight.verdict, well.reaction),
        (Verdict::Healthy, None)
    );
    let reason = "guard `errors`: `sentry` reports it unhealthy: latency".to_owned();
    assert_eq!(bad.reaction, Some((GuardAction::RollBack, reason)));
}

#[test]
fn every_action_has_a_word_of_its_own() {
    for action in GuardAction::ALL {
        assert_eq!(GuardAction::parse(action.as_str()), Some(action));
    }
    assert_eq!(GuardAction::parse("panic"), None);
}
