//! Where hashes other than Flagsmith's place somebody: among variants, and in or out of a percentage.
//!
//! `flagd-v2` and `flagd-v3` are flagd's `fractional`: `MurmurHash3` scaled to the total of whole weights. `flipt` is
//! CRC-32 modulo 1000 with the rounding of Flipt's client engine, and modulo 100 for percentages. `fnv1a32` is FNV-1a
//! modulo 100.

use super::checksum::{crc32, fnv1a32};
use super::murmur3::Murmur3;
use super::weights::WholeWeights;
use crate::{Hash, Variant};

/// flagd's percentages have three decimals.
const PERCENTAGE_TOTAL: u32 = 100_000;
/// Flipt splits into so many parts.
const FLIPT_TOTAL: u32 = 1000;
/// All other hashes have so many.
const PERCENT: u32 = 100;

/// A place among the variants of a state.
#[derive(Debug, Clone, Copy, PartialEq)]
pub(crate) struct Place<'v> {
    hash: Hash,
    variants: &'v [Variant],
    /// From 0 up to but not including the total.
    pub(crate) bucket: u32,
    pub(crate) total: u32,
}

impl<'v> Place<'v> {
    /// Where an identifier falls for a feature. Flagsmith's own hash is not for here.
    pub(crate) fn of(hash: Hash, feature: &str, identifier: &str, variants: &'v [Variant]) -> Self {
        let (bucket, total) = match hash {
            Hash::Flagsmith | Hash::FlagdV2 => scaled(
                hash_of_text(&[feature, identifier]),
                WholeWeights::of(variants).total(),
            ),
            Hash::FlagdV3 => scaled(
                hash_of_pair(feature, identifier),
                WholeWeights::of(variants).total(),
            ),
            Hash::Flipt => (crc32(&[feature, identifier]) % FLIPT_TOTAL, FLIPT_TOTAL),
            Hash::Fnv1a32 => (file_bucket(feature, identifier), PERCENT),
        };
        Self {
            hash,
            variants,
            bucket,
            total,
        }
    }

    /// The variant there, if the place is not control's.
    pub(crate) fn variant(&self) -> Option<&'v Variant> {
        let bucket = f64::from(self.bucket);
        self.find(|_, end| bucket < end)
    }

    /// Finds a variant by the lowest bucket that no longer belongs to it or to one before.
    pub(crate) fn find(&self, mut is_it: impl FnMut(&Variant, f64) -> bool) -> Option<&'v Variant> {
        let mut variants = self.variants.iter();
        match self.hash {
            Hash::Flagsmith | Hash::FlagdV2 | Hash::FlagdV3 => {
                let mut weights = WholeWeights::of(self.variants).weights();
                let mut sum = 0;
                variants.find(|variant| {
                    sum += weights.next().unwrap_or_default();
                    is_it(variant, f64::from(sum))
                })
            }
            Hash::Flipt => {
                let mut ends = flipt_ends(self.variants);
                variants.find(|variant| is_it(variant, ends.next().unwrap_or_default()))
            }
            Hash::Fnv1a32 => {
                let mut sum = 0.0;
                variants.find(|variant| {
                    sum += variant.weight.max(0.0);
                    is_it(variant, sum)
                })
            }
        }
    }
}

/// Shares of the sum, rounded where they end; the last one that has any ends at the total. What the options leave of
/// 100 is control's and comes last.
fn flipt_ends(variants: &[Variant]) -> impl Iterator<Item = f64> + use<'_> {
    let weight = |variant: &Variant| (variant.weight as f32).max(0.0);
    let options: f32 = variants.iter().map(weight).sum();
    let control = (PERCENT as f32 - options).max(0.0);
    let total = options + control;
    let last = variants.iter().rposition(|variant| weight(variant) > 0.0);
    let mut sum = 0.0_f32;
    variants.iter().enumerate().map(move |(place, variant)| {
        sum += weight(variant) / total * 100.0;
        let is_last = control == 0.0 && last.is_some_and(|last| place >= last);
        if is_last {
            f64::from(FLIPT_TOTAL)
        } else {
            f64::from((sum * 10.0).round())
        }
    })
}

/// Where a text falls in percent for a segment, from 0 up to but not including 100.
pub(crate) fn percentage_bucket(hash: Hash, segment_key: &str, text: &str) -> f64 {
    let (bucket, total) = in_percentage(hash, segment_key, text);
    f64::from(bucket) * 100.0 / f64::from(total)
}

/// True where a text is among so many percent for a segment. Flagsmith's own hash is not for here.
pub(crate) fn is_in_percentage(hash: Hash, segment_key: &str, text: &str, percent: f64) -> bool {
    if percent >= 100.0 {
        return true;
    }
    let bucket = || in_percentage(hash, segment_key, text).0;
    match hash {
        Hash::Flagsmith | Hash::FlagdV2 | Hash::FlagdV3 => {
            // None at all for a number below zero, or for none.
            let weight = (percent * f64::from(PERCENTAGE_TOTAL / PERCENT)).round() as u32;
            bucket() < weight
        }
        Hash::Flipt => (bucket() as f32) < percent as f32,
        Hash::Fnv1a32 => !text.trim().is_empty() && f64::from(bucket()) < percent,
    }
}

fn in_percentage(hash: Hash, segment_key: &str, text: &str) -> (u32, u32) {
    let parts = [segment_key, ":", text];
    match hash {
        Hash::Flagsmith | Hash::FlagdV2 => scaled(hash_of_text(&parts), PERCENTAGE_TOTAL),
        Hash::FlagdV3 => {
            let mut murmur = Murmur3::default();
            write_cbor(&mut murmur, &parts);
            scaled(murmur.finish(), PERCENTAGE_TOTAL)
        }
        Hash::Flipt => (crc32(&[text, segment_key]) % PERCENT, PERCENT),
        Hash::Fnv1a32 => (file_bucket(segment_key, text), PERCENT),
    }
}

fn scaled(hash: u32, total: u32) -> (u32, u32) {
    let bucket = (u64::from(hash) * u64::from(total)) >> 32;
    (bucket as u32, total)
}

/// What flagd's second generation hashes: texts, one after another.
fn hash_of_text(parts: &[&str]) -> u32 {
    let mut murmur = Murmur3::default();
    for part in parts {
        murmur.write(part.as_bytes());
    }
    murmur.finish()
}

/// What flagd's third generation hashes: a list of two texts.
fn hash_of_pair(first: &str, second: &str) -> u32 {
    /// A list of two, as RFC 8949 encodes it.
    const PAIR: u8 = 0x82;
    let mut murmur = Murmur3::default();
    murmur.write(&[PAIR]);
    write_cbor(&mut murmur, &[first]);
    write_cbor(&mut murmur, &[second]);
    murmur.finish()
}

fn file_bucket(key: &str, subject: &str) -> u32 {
    fnv1a32(&[key.trim(), ":", subject.trim()]) % PERCENT
}

/// Writes one text, given in parts, as RFC 8949 encodes it.
fn write_cbor(murmur: &mut Murmur3, parts: &[&str]) {
    /// The kind of an item that is text, in the upper three bits.
    const TEXT: u8 = 0x60;
    let length: usize = parts.iter().map(|part| part.len()).sum();
    match length {
        0..24 => murmur.write(&[TEXT | length as u8]),
        24..0x100 => murmur.write(&[TEXT | 24, length as u8]),
        0x100..0x1_0000 => {
            murmur.write(&[TEXT | 25]);
            murmur.write(&(length as u16).to_be_bytes());
        }
        _ => {
            murmur.write(&[TEXT | 26]);
            murmur.write(&(length as u32).to_be_bytes());
        }
    }
    for part in parts {
        murmur.write(part.as_bytes());
    }
}

#[cfg(test)]
mod tests;
