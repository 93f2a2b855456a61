//! What a guard thinks.

/// What a guard thinks of a rollout.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Hash)]
pub enum Verdict {
    /// Measured, and well.
    Healthy,
    /// Measured, and bad: the guard acts.
    Harmful,
    /// Measured, but not yet enough to tell.
    Undecided,
    /// Not measured.
    NoData,
}

impl Verdict {
    /// The word that is stored and shown.
    #[must_use]
    pub const fn as_str(self) -> &'static str {
        match self {
            Self::Healthy => "healthy",
            Self::Harmful => "harmful",
            Self::Undecided => "undecided",
            Self::NoData => "no_data",
        }
    }

    /// The meaning of that word.
    #[must_use]
    pub fn parse(text: &str) -> Option<Self> {
        match text {
            "healthy" => Some(Self::Healthy),
            "harmful" => Some(Self::Harmful),
            "undecided" => Some(Self::Undecided),
            "no_data" => Some(Self::NoData),
            _ => None,
        }
    }

    /// The opinion of several guards: one that is bad outweighs all, and health needs all of them.
    #[must_use]
    pub fn of_all(verdicts: impl IntoIterator<Item = Self>) -> Option<Self> {
        verdicts.into_iter().reduce(|all, each| {
            if each.weight() > all.weight() {
                each
            } else {
                all
            }
        })
    }

    const fn weight(self) -> u8 {
        match self {
            Self::Healthy => 0,
            Self::Undecided => 1,
            Self::NoData => 2,
            Self::Harmful => 3,
        }
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    const ALL: [Verdict; 4] = [
        Verdict::Healthy,
        Verdict::Harmful,
        Verdict::Undecided,
        Verdict::NoData,
    ];

    #[test]
    fn every_verdict_has_a_word_of_its_own() {
        for verdict in ALL {
            assert_eq!(Verdict::parse(verdict.as_str()), Some(verdict));
        }
        assert_eq!(Verdict::parse("fine"), None);
    }

    #[test]
    fn one_bad_guard_outweighs_all_and_health_needs_every_one() {
        assert_eq!(Verdict::of_all(ALL), Some(Verdict::Harmful));
        assert_eq!(
            Verdict::of_all([Verdict::Healthy, Verdict::NoData, Verdict::Undecided]),
            Some(Verdict::NoData)
        );
        assert_eq!(
            Verdict::of_all([Verdict::Healthy, Verdict::Healthy]),
            Some(Verdict::Healthy)
        );
        assert_eq!(Verdict::of_all([]), None);
    }
}
