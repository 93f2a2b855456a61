//! Hashes: what decides where an identity falls among variants and percentages.

/// The hash that places identities: one for the variants of a feature, one for the percentages of a segment.
///
/// The same identity falls into another place with another hash, so changing one moves people.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Hash, Default)]
pub enum Hash {
    /// MD5 as Flagsmith's engines have it.
    #[default]
    Flagsmith,
    /// `MurmurHash3` over text: flagd's Go and JavaScript evaluators.
    FlagdV2,
    /// `MurmurHash3` over CBOR: flagd's Python and Rust evaluators.
    FlagdV3,
    /// CRC-32 as Flipt has it.
    Flipt,
    /// FNV-1a of 32 bits: files of flags with a `rollout_percent`.
    Fnv1a32,
}

impl Hash {
    /// Every hash, in the order in which they are offered.
    pub const ALL: [Self; 5] = [
        Self::Flagsmith,
        Self::FlagdV2,
        Self::FlagdV3,
        Self::Flipt,
        Self::Fnv1a32,
    ];

    /// The word it goes by in the API and in the database.
    #[must_use]
    pub const fn name(self) -> &'static str {
        match self {
            Self::Flagsmith => "flagsmith",
            Self::FlagdV2 => "flagd-v2",
            Self::FlagdV3 => "flagd-v3",
            Self::Flipt => "flipt",
            Self::Fnv1a32 => "fnv1a32",
        }
    }

    /// The hash of a word; `None` for any other text.
    #[must_use]
    pub fn parse(name: &str) -> Option<Self> {
        Self::ALL.into_iter().find(|hash| hash.name() == name)
    }
}

#[cfg(test)]
mod tests {
    use super::Hash;

    #[test]
    fn every_hash_is_found_by_its_name_and_no_other_text_is_one() {
        for hash in Hash::ALL {
            assert_eq!(Hash::parse(hash.name()), Some(hash));
        }
        for text in ["", "Flagsmith", "flagd", "md5"] {
            assert_eq!(Hash::parse(text), None, "{text}");
        }
        assert_eq!(Hash::default(), Hash::Flagsmith);
    }
}
