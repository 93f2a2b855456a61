//! A guard: what it watches, what it does, and what it saw so far.

use super::{Arms, Counts, Evidence, Harm, RateLimit, SequentialTest, Threshold, Verdict};
use crate::{GuardId, RolloutId, Timestamp};
use uuid::Uuid;

/// What a guard watches.
#[derive(Debug, Clone, PartialEq)]
pub enum Watch {
    /// A measurement of a metrics server.
    Metric {
        /// A name from the settings, or an address.
        source: String,
        /// A query in PromQL that answers one number.
        query: String,
        /// What it has to keep.
        threshold: Threshold,
    },
    /// The share of failures among the treated since the present step began, by signals.
    FailureRate(RateLimit),
    /// The treated beside the others, by signals.
    Comparison(SequentialTest),
    /// Reports of others on the feature's health.
    Health,
}

impl Watch {
    /// The word that is stored and shown.
    #[must_use]
    pub const fn kind(&self) -> &'static str {
        match self {
            Self::Metric { .. } => "metric",
            Self::FailureRate(_) => "failure_rate",
            Self::Comparison(_) => "comparison",
            Self::Health => "health",
        }
    }

    /// True for what is judged by counts that are sent here.
    #[must_use]
    pub const fn is_by_signals(&self) -> bool {
        matches!(self, Self::FailureRate(_) | Self::Comparison(_))
    }
}

/// What a guard does with the rollout.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Hash)]
pub enum GuardAction {
    /// It is held where it is.
    Hold,
    /// What was before is served again.
    RollBack,
    /// It is only shown.
    Nothing,
}

impl GuardAction {
    /// Every action.
    pub const ALL: [Self; 3] = [Self::Hold, Self::RollBack, Self::Nothing];

    /// The word that is stored and shown.
    #[must_use]
    pub const fn as_str(self) -> &'static str {
        match self {
            Self::Hold => "hold",
            Self::RollBack => "roll_back",
            Self::Nothing => "nothing",
        }
    }

    /// The meaning of that word.
    #[must_use]
    pub fn parse(text: &str) -> Option<Self> {
        Self::ALL.into_iter().find(|each| each.as_str() == text)
    }
}

/// A guard of a rollout.
#[derive(Debug, Clone, PartialEq)]
pub struct Guard {
    /// Row id.
    pub id: GuardId,
    /// Stable id across installations.
    pub uuid: Uuid,
    /// Whose.
    pub rollout_id: RolloutId,
    /// What people call it; unique within the rollout.
    pub name: String,
    /// What it watches.
    pub watch: Watch,
    /// What it does about harm.
    pub on_harm: GuardAction,
    /// What it does when nothing was measured for longer than the grace time.
    pub on_silence: GuardAction,
    /// How long nothing may be measured.
    pub grace_seconds: u32,
    /// Seconds between two looks.
    pub every_seconds: u32,
    /// How many harmful looks in a row it takes; a comparison, which weighs all of them, takes one.
    pub looks: u32,
    /// What it saw so far.
    pub sight: Sight,
    /// Who made it, as people know them.
    pub created_by: String,
    /// When it was made.
    pub created_at: Timestamp,
}

/// What a guard saw so far.
#[derive(Debug, Clone, PartialEq)]
pub struct Sight {
    /// What it thinks.
    pub verdict: Verdict,
    /// Why, in a sentence; empty before the first look.
    pub detail: String,
    /// The last number that was measured: of a metric, or the share of failures among the treated.
    pub measured: Option<f64>,
    /// When it last looked.
    pub looked_at: Option<Timestamp>,
    /// Since when nothing was measured: the last time that something was, or when it began to watch.
    pub quiet_since: Option<Timestamp>,
    /// Harmful looks in a row.
    pub harmful_looks: u32,
    /// Position of the step that the rollout was at.
    pub step: Option<usize>,
    /// Counts up to which everything is judged.
    pub base: Arms,
    /// Counts at the last look.
    pub counted: Arms,
    /// What the counts prove.
    pub evidence: Evidence,
}

impl Default for Sight {
    fn default() -> Self {
        Self {
            verdict: Verdict::NoData,
            detail: String::new(),
            measured: None,
            looked_at: None,
            quiet_since: None,
            harmful_looks: 0,
            step: None,
            base: Arms::default(),
            counted: Arms::default(),
            evidence: Evidence::default(),
        }
    }
}

/// Where the rollout is when a guard looks.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub struct Stage {
    /// Position of its step; `None` where a program outside says each percentage.
    pub step: Option<usize>,
    /// True where everybody has it: nobody is left to compare with.
    pub is_whole: bool,
    /// True where it is held already.
    pub is_held: bool,
}

/// What somebody reports of the feature's health.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct HealthReport {
    /// Who reports.
    pub source: String,
    /// What.
    pub is_healthy: bool,
    /// Why.
    pub reason: Option<String>,
    /// When.
    pub at: Timestamp,
}

/// What is there to see at a look.
#[derive(Debug, Clone, PartialEq)]
pub enum Observation {
    /// A number, or why there is none.
    Measured(Result<f64, String>),
    /// All that was counted since the rollout began.
    Counted(Arms),
    /// The last report of each who reports.
    Reported(Vec<HealthReport>),
}

/// What comes of a look.
#[derive(Debug, Clone, PartialEq)]
pub struct Look {
    /// What the guard knows now.
    pub sight: Sight,
    /// What it does, and why.
    pub reaction: Option<(GuardAction, String)>,
}

/// An opinion, the number behind it and a sentence about it; whether something was measured.
struct Opinion {
    verdict: Verdict,
    measured: Option<f64>,
    detail: String,
    is_heard: bool,
}

impl Guard {
    /// Looks: what was seen before and what is there to see now make an opinion, and perhaps a reaction.
    #[must_use]
    pub fn look(&self, stage: Stage, observation: &Observation, now: Timestamp) -> Look {
        let mut sight = self.sight.clone();
        let began = *sight.quiet_since.get_or_insert(now);
        let mut opinion = self.opinion(&mut sight, stage, observation);
        if opinion.is_heard {
            sight.quiet_since = Some(now);
        }
        let quiet = now.micros().saturating_sub(began.micros());
        let is_silent = !opinion.is_heard && quiet >= i64::from(self.grace_seconds) * 1_000_000;
        // What was measured long ago is no measurement.
        if is_silent && opinion.verdict != Verdict::Harmful {
            opinion.verdict = Verdict::NoData;
        }
        sight.harmful_looks = match opinion.verdict {
            Verdict::Harmful => sight.harmful_looks.saturating_add(1),
            Verdict::Healthy | Verdict::Undecided | Verdict::NoData => 0,
        };
        sight.looked_at = Some(now);
        sight.verdict = opinion.verdict;
        sight.measured = opinion.measured;
        let reaction = self.reaction(&sight, &opinion, is_silent.then_some(quiet));
        sight.detail = opinion.detail;
        let reaction = reaction.filter(|(action, _)| match action {
            GuardAction::Nothing => false,
            GuardAction::Hold => !stage.is_held,
            GuardAction::RollBack => true,
        });
        if reaction.is_some() {
            // Whoever lets the rollout go on knows what was found: the guard begins anew.
            sight.harmful_looks = 0;
            sight.quiet_since = Some(now);
            sight.base = sight.counted;
            sight.evidence = Evidence::default();
        }
        Look { sight, reaction }
    }

    fn reaction(
        &self,
        sight: &Sight,
        opinion: &Opinion,
        silence: Option<i64>,
    ) -> Option<(GuardAction, String)> {
        let needed = match self.watch {
            Watch::Comparison(_) => 1,
            Watch::Metric { .. } | Watch::FailureRate(_) | Watch::Health => self.looks,
        };
        if opinion.verdict == Verdict::Harmful && sight.harmful_looks >= needed {
            let reason = format!("guard `{}`: {}", self.name, opinion.detail);
            return Some((self.on_harm, reason));
        }
        let seconds = silence.filter(|_| opinion.verdict == Verdict::NoData)? / 1_000_000;
        let (name, detail) = (&self.name, &opinion.detail);
        let reason = format!("guard `{name}`: nothing measured for {seconds} s ({detail})");
        Some((self.on_silence, reason))
    }

    fn opinion(&self, sight: &mut Sight, stage: Stage, observation: &Observation) -> Opinion {
        match (&self.watch, observation) {
            (Watch::Metric { threshold, .. }, Observation::Measured(measured)) => {
                of_measurement(threshold, measured)
            }
            (Watch::FailureRate(limit), Observation::Counted(counted)) => {
                let is_heard = counted.treated.since(sight.counted.treated).total() > 0;
                if sight.step != stage.step {
                    sight.base = sight.counted;
                }
                (sight.step, sight.counted) = (stage.step, *counted);
                of_rate(limit, counted.treated.since(sight.base.treated), is_heard)
            }
            (Watch::Comparison(test), Observation::Counted(counted)) => {
                of_comparison(test, sight, stage, *counted)
            }
            (Watch::Health, Observation::Reported(reports)) => of_reports(reports),
            // Whoever looks sees what the guard watches.
            (_, _) => Opinion {
                verdict: Verdict::NoData,
                measured: None,
                detail: "nothing to be seen".to_owned(),
                is_heard: false,
            },
        }
    }
}

fn of_measurement(threshold: &Threshold, measured: &Result<f64, String>) -> Opinion {
    let verdict = threshold.verdict(measured.as_ref().ok().copied());
    let detail = match measured {
        Ok(number) => {
            let limit = threshold.limit;
            match (verdict, threshold.harm) {
                (Verdict::Harmful, Harm::Above) => format!("{number} is above {limit}"),
                (Verdict::Harmful, Harm::Below) => format!("{number} is below {limit}"),
                (_, Harm::Above) => format!("{number} is not above {limit}"),
                (_, Harm::Below) => format!("{number} is not below {limit}"),
            }
        }
        Err(problem) => problem.clone(),
    };
    Opinion {
        verdict,
        measured: measured.as_ref().ok().copied(),
        detail,
        is_heard: verdict != Verdict::NoData,
    }
}

fn of_rate(limit: &RateLimit, treated: Counts, is_heard: bool) -> Opinion {
    let (failures, total) = (treated.failures, treated.total());
    let percent = limit.limit * 100.0;
    let mut detail =
        format!("{failures} of {total} of the treated failed, the limit is {percent} %");
    if total < limit.minimum {
        detail = format!("{detail} of at least {}", limit.minimum);
    }
    Opinion {
        verdict: limit.verdict(treated),
        measured: treated.failure_rate(),
        detail,
        is_heard,
    }
}

fn of_comparison(test: &SequentialTest, sight: &mut Sight, stage: Stage, counted: Arms) -> Opinion {
    let fresh = counted.since(sight.counted);
    // With nobody left to compare with, the treated alone are heard.
    let is_heard = fresh.treated.total() > 0 && (fresh.control.total() > 0 || stage.is_whole);
    let block = counted.since(sight.base);
    if block.are_comparable() {
        test.weigh(&mut sight.evidence, block);
        sight.base = counted;
    }
    if sight.step != stage.step && sight.looked_at.is_some() {
        sight.evidence.begin();
        sight.base = counted;
    }
    (sight.step, sight.counted) = (stage.step, counted);
    let (treated, control) = (counted.treated, counted.control);
    let detail = format!(
        "{} of {} of the treated failed and {} of {} of the others (p = {:.4})",
        treated.failures,
        treated.total(),
        control.failures,
        control.total(),
        sight.evidence.p_value(),
    );
    let has_counts = treated.total() > 0 && (control.total() > 0 || stage.is_whole);
    let verdict = match test.verdict(&sight.evidence) {
        Verdict::Harmful => Verdict::Harmful,
        _ if !has_counts => Verdict::NoData,
        // Everybody has it, and nothing was found until there was nobody left to compare with.
        Verdict::NoData => Verdict::Undecided,
        other => other,
    };
    Opinion {
        verdict,
        measured: treated.failure_rate(),
        detail,
        is_heard,
    }
}

fn of_reports(reports: &[HealthReport]) -> Opinion {
    let opinion = |verdict, detail, is_heard| Opinion {
        verdict,
        measured: None,
        detail,
        is_heard,
    };
    if reports.is_empty() {
        return opinion(Verdict::NoData, "nobody has reported".to_owned(), false);
    }
    let Some(bad) = reports.iter().find(|report| !report.is_healthy) else {
        return opinion(Verdict::Healthy, "reported healthy".to_owned(), true);
    };
    let mut detail = format!("`{}` reports it unhealthy", bad.source);
    if let Some(reason) = &bad.reason {
        detail = format!("{detail}: {reason}");
    }
    opinion(Verdict::Harmful, detail, true)
}

#[cfg(test)]
mod tests;
