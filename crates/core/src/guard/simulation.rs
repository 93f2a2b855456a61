//! Simulated rollouts: how often the sequential test cries wolf, and how often it finds the wolf.
//!
//! 1,000 rollouts for each line normally, 20,000 with `FLAGSTAFF_FULL=1`. Seeds are fixed: a run is always the same.

use super::{Arms, Counts, Evidence, SequentialTest, Verdict};

/// A small generator of even quality: SplitMix64 (Steele, Lea, Flood, 2014).
struct Chance(u64);

impl Chance {
    fn drawn(&mut self) -> f64 {
        self.0 = self.0.wrapping_add(0x9e37_79b9_7f4a_7c15);
        let mut mixed = self.0;
        mixed = (mixed ^ (mixed >> 30)).wrapping_mul(0xbf58_476d_1ce4_e5b9);
        mixed = (mixed ^ (mixed >> 27)).wrapping_mul(0x94d0_49bb_1331_11eb);
        ((mixed ^ (mixed >> 31)) >> 11) as f64 / (1u64 << 53) as f64
    }
}

/// How a rollout goes: three steps, looked at 20 times each.
#[derive(Clone, Copy)]
struct Traffic {
    /// Requests between two looks, of both arms together.
    requests: u32,
    /// How often requests fail anyway.
    failing: f64,
    /// By how much the usual rate swings up and down from look to look.
    swing: f64,
    /// By how much more the treated fail.
    rise: f64,
}

const STEPS: [f64; 3] = [0.1, 0.25, 0.5];
const LOOKS: u32 = 20;

impl Traffic {
    fn block(self, share: f64, chance: &mut Chance) -> Arms {
        let mut arms = Arms::default();
        let failing = self.failing * (1.0 + self.swing * (2.0 * chance.drawn() - 1.0));
        for _ in 0..self.requests {
            let is_treated = chance.drawn() < share;
            let fails = chance.drawn() < failing + if is_treated { self.rise } else { 0.0 };
            let counts = if is_treated {
                &mut arms.treated
            } else {
                &mut arms.control
            };
            add(counts, fails);
        }
        arms
    }

    /// The number of the look at which the rollout is taken for harmful.
    fn caught(self, test: SequentialTest, chance: &mut Chance) -> Option<u32> {
        let mut evidence = Evidence::default();
        for (step, share) in (0..).zip(STEPS) {
            evidence.begin();
            for look in 1..=LOOKS {
                test.weigh(&mut evidence, self.block(share, chance));
                if test.verdict(&evidence) == Verdict::Harmful {
                    return Some(step * LOOKS + look);
                }
            }
        }
        None
    }

    /// The looks at which rollouts were caught, sorted, and how many there were in all.
    fn simulated(self, seed: u64) -> (Vec<u32>, usize) {
        let is_long = std::env::var("FLAGSTAFF_FULL").is_ok_and(|value| value == "1");
        let rollouts = if is_long { 20_000 } else { 1_000 };
        let mut chance = Chance(seed);
        let mut caught: Vec<u32> = (0..rollouts)
            .filter_map(|_| self.caught(SequentialTest::default(), &mut chance))
            .collect();
        caught.sort_unstable();
        (caught, rollouts)
    }
}

fn add(counts: &mut Counts, fails: bool) {
    if fails {
        counts.failures += 1;
    } else {
        counts.successes += 1;
    }
}

fn without_harm(requests: u32, failing: f64, swing: f64, seed: u64) {
    let alpha = SequentialTest::default().alpha;
    let traffic = Traffic {
        requests,
        failing,
        swing,
        rise: 0.0,
    };

    let (caught, rollouts) = traffic.simulated(seed);

    let share = caught.len() as f64 / rollouts as f64;
    assert!(share <= alpha, "{share} of {rollouts} at {failing}");
}

#[test]
fn rollouts_without_harm_are_rolled_back_at_most_as_often_as_alpha_says() {
    without_harm(200, 0.01, 0.0, 1);
    without_harm(200, 0.2, 0.0, 2);
}

#[test]
fn rollouts_without_harm_are_left_alone_while_the_usual_rate_swings() {
    without_harm(200, 0.05, 0.9, 3);
}

#[test]
fn rollouts_with_hardly_any_traffic_are_left_alone_without_harm() {
    without_harm(12, 0.1, 0.5, 4);
}

/// The claim of `docs/reference/guards.md`: 1 in 100 requests fails, 3 in 100 of the treated; 500 requests between two looks.
#[test]
fn a_rise_of_two_points_is_caught_while_one_in_ten_has_the_new() {
    let traffic = Traffic {
        requests: 500,
        failing: 0.01,
        swing: 0.0,
        rise: 0.02,
    };

    let (caught, rollouts) = traffic.simulated(5);

    let in_first_step = caught.iter().filter(|look| **look <= LOOKS).count();
    assert!(caught.len() * 1000 >= rollouts * 999, "{}", caught.len());
    assert!(in_first_step * 100 >= rollouts * 80, "{in_first_step}");
}

/// Two points are harder to see where five in 100 fail anyway.
#[test]
fn a_rise_of_two_points_over_five_is_caught_before_the_last_step_ends() {
    let traffic = Traffic {
        requests: 500,
        failing: 0.05,
        swing: 0.3,
        rise: 0.02,
    };

    let (caught, rollouts) = traffic.simulated(6);

    assert!(caught.len() * 100 >= rollouts * 99, "{}", caught.len());
}
