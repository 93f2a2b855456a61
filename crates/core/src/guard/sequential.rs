//! A test of two shares that may be looked at as often as one likes.
//!
//! **Question.** Do the treated fail more often than the others? In odds: is the odds ratio above the tolerated one?
//!
//! **Method.** A one-sided mixture sequential probability ratio test, made of exact conditional likelihoods.
//! - Counts come in blocks, one for each look. Given how many failed in a block in all, how they are spread over both arms
//!   depends on nothing but the odds ratio (see [`super::odds`]); so the test needs no guess of the usual failure rate, and
//!   neither that rate nor the share of the treated has to stay the same from block to block. A. Wald tested pairs that
//!   way ("Sequential Analysis", 1947, chapter 6: double dichotomies).
//! - The evidence for a harmful odds ratio is the product of the blocks' likelihood ratios against the tolerated one. The
//!   likelihood ratio grows with the failures of the treated, so against every *smaller* odds ratio its expectation is at
//!   most 1 as well: the product is a supermartingale as long as there is no harm.
//! - How large the harm is, nobody knows: the evidence is averaged over several odds ratios (H. Robbins, "Statistical
//!   methods related to the law of the iterated logarithm", 1970; R. Johari, P. Koomen, L. Pekelis, D. Walsh, "Always valid
//!   inference: continuous monitoring of A/B tests", 2022).
//! - Harm may begin late, and an hour of health must not hide it: the evidence is averaged over beginnings too, the
//!   n-th with the weight 1/(n (n + 1)). The averages are supermartingales as well.
//! - By Ville's inequality (J. Ville, 1939), without harm the evidence reaches 1/alpha at any look, however many there
//!   are, with a probability of at most alpha.
//!
//! One over the largest evidence so far is an always valid p-value. Health is judged the same way the other way round: by
//! the evidence for the tolerated odds ratio against the smallest one that counts as harm, as in Wald's test.
//!
//! It supposes that tries are independent of each other, and that within a block both arms would fail alike.

use super::{Arms, Verdict};

/// Odds ratios, as multiples of the tolerated one, that evidence is gathered for.
const HARMS: [f64; 8] = [1.1, 1.25, 1.5, 2.0, 3.0, 5.0, 10.0, 30.0];
/// After so many blocks the evidence begins once more, beside what there is.
const BLOCKS: u32 = 100;

/// How the treated are compared with the others.
#[derive(Debug, Clone, Copy, PartialEq)]
pub struct SequentialTest {
    /// How probable it may be that a rollout without harm is taken for harmful, ever; between 0 and 1.
    pub alpha: f64,
    /// How many times the control's odds of failing are no harm yet; at least 1 where nothing worse is accepted.
    pub tolerated: f64,
    /// The smallest odds ratio that has to be ruled out before the rollout counts as healthy; above the tolerated one.
    pub harmful: f64,
}

impl Default for SequentialTest {
    fn default() -> Self {
        Self {
            alpha: 0.05,
            tolerated: 1.0,
            harmful: 2.0,
        }
    }
}

/// What was found out so far.
#[derive(Debug, Clone, PartialEq)]
pub struct Evidence {
    /// Logarithm of the evidence for each odds ratio, over all beginnings so far.
    harms: [f64; HARMS.len()],
    /// Logarithm of the largest evidence of harm so far.
    peak: f64,
    /// Logarithm of the evidence of health.
    health: f64,
    /// How often gathering evidence has begun.
    beginnings: u32,
    /// Blocks since it last began.
    blocks: u32,
}

impl Default for Evidence {
    fn default() -> Self {
        Self {
            harms: [f64::NEG_INFINITY; HARMS.len()],
            peak: 0.0,
            health: 0.0,
            beginnings: 0,
            blocks: 0,
        }
    }
}

impl Evidence {
    /// Begins once more, beside what there is: the rollout took a step, and harm may begin here.
    pub fn begin(&mut self) {
        self.beginnings = self.beginnings.saturating_add(1);
        self.blocks = 0;
        let number = f64::from(self.beginnings);
        let weight = -(number * (number + 1.0)).ln();
        for harm in &mut self.harms {
            *harm = log_sum(*harm, weight);
        }
        // Health is of the step that is being taken, not of the ones before.
        self.health = 0.0;
    }

    /// An always valid p-value for "no harm": it only ever falls, and may be read at any time.
    #[must_use]
    pub fn p_value(&self) -> f64 {
        (-self.peak).exp().min(1.0)
    }

    /// Logarithm of the evidence of harm: the average over odds ratios and beginnings, those to come included.
    fn harm(&self) -> f64 {
        let sum = self.harms.iter().copied().fold(f64::NEG_INFINITY, log_sum);
        let average = sum - (HARMS.len() as f64).ln();
        log_sum(average, -(f64::from(self.beginnings) + 1.0).ln())
    }

    /// A text to keep it as.
    #[must_use]
    pub fn to_text(&self) -> String {
        let mut text = format!("1 {} {}", self.beginnings, self.blocks);
        for number in [self.peak, self.health].iter().chain(&self.harms) {
            text.push(' ');
            text.push_str(&number.to_string());
        }
        text
    }

    /// Reads such a text; `None` where it is none.
    #[must_use]
    pub fn parse(text: &str) -> Option<Self> {
        let mut words = text.strip_prefix("1 ")?.split(' ');
        let beginnings = words.next()?.parse().ok()?;
        let blocks = words.next()?.parse().ok()?;
        let mut number = || words.next()?.parse::<f64>().ok().filter(|it| !it.is_nan());
        let (peak, health) = (number()?, number()?);
        let mut harms = [0.0; HARMS.len()];
        for harm in &mut harms {
            *harm = number()?;
        }
        words.next().is_none().then_some(Self {
            harms,
            peak,
            health,
            beginnings,
            blocks,
        })
    }
}

impl SequentialTest {
    /// Takes in what was counted since the last look. A block that compares nothing changes nothing.
    pub fn weigh(&self, evidence: &mut Evidence, block: Arms) {
        if !block.are_comparable() {
            return;
        }
        if evidence.beginnings == 0 || evidence.blocks >= BLOCKS {
            let health = evidence.health;
            evidence.begin();
            evidence.health = health;
        }
        evidence.blocks += 1;
        let tolerated = block.log_likelihood(self.tolerated);
        for (harm, times) in evidence.harms.iter_mut().zip(HARMS) {
            *harm += block.log_likelihood(self.tolerated * times) - tolerated;
        }
        evidence.health += tolerated - block.log_likelihood(self.harmful);
        evidence.peak = evidence.peak.max(evidence.harm());
    }

    /// What the evidence says. Harm that was found once stays found.
    #[must_use]
    pub fn verdict(&self, evidence: &Evidence) -> Verdict {
        let enough = -self.alpha.ln();
        if evidence.beginnings == 0 {
            Verdict::NoData
        } else if evidence.peak >= enough {
            Verdict::Harmful
        } else if evidence.health >= enough {
            Verdict::Healthy
        } else {
            Verdict::Undecided
        }
    }
}

/// The logarithm of the sum of what both are the logarithms of.
fn log_sum(one: f64, other: f64) -> f64 {
    let (low, high) = if one < other {
        (one, other)
    } else {
        (other, one)
    };
    if low == f64::NEG_INFINITY {
        return high;
    }
    high + (low - high).exp().ln_1p()
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::guard::Counts;
    use proptest::prelude::*;

    fn block(treated: (u64, u64), control: (u64, u64)) -> Arms {
        let counts = |(successes, failures)| Counts {
            successes,
            failures,
        };
        Arms {
            treated: counts(treated),
            control: counts(control),
        }
    }

    fn after(blocks: impl IntoIterator<Item = Arms>) -> (SequentialTest, Evidence) {
        let test = SequentialTest::default();
        let mut evidence = Evidence::default();
        for block in blocks {
            test.weigh(&mut evidence, block);
        }
        (test, evidence)
    }

    #[test]
    fn without_counts_of_both_arms_there_are_no_data() {
        let (test, evidence) = after([block((0, 0), (90, 10)), block((90, 10), (0, 0))]);

        assert_eq!(evidence, Evidence::default());
        assert_eq!(test.verdict(&evidence), Verdict::NoData);
    }

    #[test]
    fn few_counts_decide_nothing() {
        let (test, evidence) = after([block((9, 1), (10, 0))]);

        assert_eq!(test.verdict(&evidence), Verdict::Undecided);
        assert!(evidence.p_value() > 0.3, "{}", evidence.p_value());
    }

    #[test]
    fn many_more_failures_of_the_treated_are_harm() {
        let (test, evidence) = after([block((900, 100), (9900, 100))]);

        assert_eq!(test.verdict(&evidence), Verdict::Harmful);
        assert!(evidence.p_value() < 0.001, "{}", evidence.p_value());
    }

    #[test]
    fn many_more_failures_of_the_others_are_none() {
        let (test, evidence) = after([block((9900, 100), (900, 100))]);

        assert_eq!(test.verdict(&evidence), Verdict::Healthy);
        assert!(evidence.p_value() > 0.9, "{}", evidence.p_value());
    }

    #[test]
    fn harm_that_begins_after_an_hour_of_health_is_found_within_a_few_looks() {
        let healthy = block((4950, 50), (4950, 50));
        let harmful = block((4850, 150), (4950, 50));
        let (test, mut evidence) = after(std::iter::repeat_n(healthy, 240));
        assert_eq!(test.verdict(&evidence), Verdict::Healthy);

        evidence.begin();
        test.weigh(&mut evidence, harmful);

        assert_eq!(test.verdict(&evidence), Verdict::Harmful);
    }

    #[test]
    fn harm_in_the_middle_of_a_step_is_found_too() {
        let healthy = block((4950, 50), (4950, 50));
        let harmful = block((4850, 150), (4950, 50));
        let (test, mut evidence) = after(std::iter::repeat_n(healthy, 50));

        let looks = (1..200).find(|_| {
            test.weigh(&mut evidence, harmful);
            test.verdict(&evidence) == Verdict::Harmful
        });

        assert!(looks.is_some_and(|looks| looks < 60), "{looks:?}");
    }

    #[test]
    fn a_new_step_has_to_show_its_health_again() {
        let (test, mut evidence) = after([block((9900, 100), (9900, 100))]);
        assert_eq!(test.verdict(&evidence), Verdict::Healthy);

        evidence.begin();

        assert_eq!(test.verdict(&evidence), Verdict::Undecided);
    }

    #[test]
    fn what_is_tolerated_is_no_harm() {
        let twice = block((9600, 400), (9800, 200));
        let test = SequentialTest {
            tolerated: 2.5,
            harmful: 4.0,
            ..SequentialTest::default()
        };
        let mut evidence = Evidence::default();

        test.weigh(&mut evidence, twice);

        assert_eq!(test.verdict(&evidence), Verdict::Healthy);
        assert_eq!(
            after([twice]).0.verdict(&after([twice]).1),
            Verdict::Harmful
        );
    }

    #[test]
    fn other_texts_are_no_evidence() {
        let text = Evidence::default().to_text();

        assert_eq!(Evidence::parse(&text), Some(Evidence::default()));
        for other in [
            "",
            "1",
            "2 0 0",
            &text[..text.len() - 5],
            &(text.clone() + " 1"),
        ] {
            assert_eq!(Evidence::parse(other), None, "{other}");
        }
        assert_eq!(
            Evidence::parse(&text.replacen(" 0 0 0 0", " 0 0 NaN 0", 1)),
            None
        );
    }

    proptest! {
        /// Nodes hand evidence on as text, and go on from exactly where the other one was.
        #[test]
        fn evidence_survives_being_written_down(
            blocks in prop::collection::vec(((0u64..500, 0u64..50), (0u64..500, 0u64..50)), 0..20),
        ) {
            let (_, evidence) = after(blocks.into_iter().map(|(treated, control)| block(treated, control)));

            prop_assert_eq!(Evidence::parse(&evidence.to_text()), Some(evidence));
        }

        /// One look cannot say more than it may: over all ways in which failures can fall without harm, the
        /// evidence is 1 on average, and less where the treated fail more seldom.
        #[test]
        fn evidence_is_at_most_one_on_average_without_harm(
            treated in 1u64..25,
            control in 1u64..25,
            share in 0.0..1.0f64,
            odds_ratio in 0.2..1.0f64,
        ) {
            let failures = ((treated + control) as f64 * share) as u64;
            let mut average = 0.0;
            for among in failures.saturating_sub(control)..=failures.min(treated) {
                let others = failures - among;
                let table = block((treated - among, among), (control - others, others));
                average += table.log_likelihood(odds_ratio).exp() * after([table]).1.harm().exp();
            }

            prop_assert!(average < 1.0 + 1e-9, "{average}");
        }
    }
}
