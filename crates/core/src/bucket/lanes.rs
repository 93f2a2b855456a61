//! MD5 of several texts at once, four of them in each vector of the processor.
//!
//! One hash is a chain in which every step waits for the one before it; hashes of different texts wait for nothing of each
//! other. Written over arrays of four words, in the order in which they lie in memory, each step becomes a dozen vector
//! instructions of whatever the processor has. Twelve texts take about twice the time of one. Source: RFC 1321.

/// Texts in one vector.
const LANES: usize = 4;
/// Vectors that are worked on together.
const GROUPS: usize = 4;
/// Texts that can be hashed at once.
pub(super) const TEXTS: usize = LANES * GROUPS;
/// Bytes of a block.
const BLOCK: usize = 64;
/// Blocks of the longest text that is hashed here.
const BLOCKS: usize = 2;
/// Bytes of the longest text: behind it stand a mark and eight bytes for its length.
pub(super) const LENGTH_LIMIT: usize = BLOCKS * BLOCK - 9;

/// The same word of four hashes.
type Lanes = [u32; LANES];

/// Four hashes under way, and the block that comes next of each.
#[derive(Clone, Copy)]
struct Group {
    state: [Lanes; 4],
    words: [Lanes; BLOCK / 4],
}

const START: [Lanes; 4] = [
    [0x6745_2301; LANES],
    [0xefcd_ab89; LANES],
    [0x98ba_dcfe; LANES],
    [0x1032_5476; LANES],
];

/// For step `n`, counted from 1: the first 32 bits behind the point of `|sin(n)|`.
const SINES: [u32; 64] = [
    0xd76a_a478,
    0xe8c7_b756,
    0x2420_70db,
    0xc1bd_ceee,
    0xf57c_0faf,
    0x4787_c62a,
    0xa830_4613,
    0xfd46_9501,
    0x6980_98d8,
    0x8b44_f7af,
    0xffff_5bb1,
    0x895c_d7be,
    0x6b90_1122,
    0xfd98_7193,
    0xa679_438e,
    0x49b4_0821,
    0xf61e_2562,
    0xc040_b340,
    0x265e_5a51,
    0xe9b6_c7aa,
    0xd62f_105d,
    0x0244_1453,
    0xd8a1_e681,
    0xe7d3_fbc8,
    0x21e1_cde6,
    0xc337_07d6,
    0xf4d5_0d87,
    0x455a_14ed,
    0xa9e3_e905,
    0xfcef_a3f8,
    0x676f_02d9,
    0x8d2a_4c8a,
    0xfffa_3942,
    0x8771_f681,
    0x6d9d_6122,
    0xfde5_380c,
    0xa4be_ea44,
    0x4bde_cfa9,
    0xf6bb_4b60,
    0xbebf_bc70,
    0x289b_7ec6,
    0xeaa1_27fa,
    0xd4ef_3085,
    0x0488_1d05,
    0xd9d4_d039,
    0xe6db_99e5,
    0x1fa2_7cf8,
    0xc4ac_5665,
    0xf429_2244,
    0x432a_ff97,
    0xab94_23a7,
    0xfc93_a039,
    0x655b_59c3,
    0x8f0c_cc92,
    0xffef_f47d,
    0x8584_5dd1,
    0x6fa8_7e4f,
    0xfe2c_e6e0,
    0xa301_4314,
    0x4e08_11a1,
    0xf753_7e82,
    0xbd3a_f235,
    0x2ad7_d2bb,
    0xeb86_d391,
];

/// The hashes of `prefix,suffix` for up to [`TEXTS`] prefixes, as numbers, the first byte being the highest.
///
/// `None` where one of the texts is longer than [`LENGTH_LIMIT`], or where there are more of them.
pub(super) fn hashes(prefixes: &[&str], suffix: &str) -> Option<[u128; TEXTS]> {
    let longest = prefixes.iter().map(|prefix| prefix.len()).max()?;
    let length = longest + 1 + suffix.len();
    if length > LENGTH_LIMIT || prefixes.len() > TEXTS {
        return None;
    }
    let mut padded = [[0; BLOCKS * BLOCK]; TEXTS];
    let mut ends = [0; TEXTS];
    for ((prefix, padded), end) in prefixes.iter().zip(&mut padded).zip(&mut ends) {
        *end = pad(prefix, suffix, padded);
    }
    let groups = prefixes.len().div_ceil(LANES);
    let mut hashing = [Group {
        state: START,
        words: [[0; LANES]; BLOCK / 4],
    }; GROUPS];
    let hashing = &mut hashing[..groups];
    let mut hashes = [0; TEXTS];
    for block in 0..blocks(length) {
        for (group, texts) in hashing.iter_mut().zip(padded.chunks_exact(LANES)) {
            group.words = words(texts, block);
        }
        let before: [_; GROUPS] =
            std::array::from_fn(|group| hashing.get(group).map(|group| group.state));
        compress(hashing);
        for (group, before) in hashing.iter_mut().zip(before.iter().flatten()) {
            add(&mut group.state, before);
        }
        for (text, hash) in hashes.iter_mut().enumerate().take(prefixes.len()) {
            if ends[text] == block + 1 {
                *hash = hash_of(&hashing[text / LANES].state, text % LANES);
            }
        }
    }
    Some(hashes)
}

/// Blocks of a text of so many bytes, with what stands behind it.
const fn blocks(length: usize) -> usize {
    (length + 9).div_ceil(BLOCK)
}

/// Writes a text with what RFC 1321 wants behind it, and says how many blocks that makes.
fn pad(prefix: &str, suffix: &str, out: &mut [u8; BLOCKS * BLOCK]) -> usize {
    let length = prefix.len() + 1 + suffix.len();
    out[..prefix.len()].copy_from_slice(prefix.as_bytes());
    out[prefix.len()] = b',';
    out[prefix.len() + 1..length].copy_from_slice(suffix.as_bytes());
    out[length] = 0x80;
    let blocks = blocks(length);
    let bits = (length as u64 * 8).to_le_bytes();
    out[blocks * BLOCK - bits.len()..blocks * BLOCK].copy_from_slice(&bits);
    blocks
}

/// The words of one block of four texts, side by side.
fn words(texts: &[[u8; BLOCKS * BLOCK]], block: usize) -> [Lanes; BLOCK / 4] {
    let mut words = [[0; LANES]; BLOCK / 4];
    for (lane, text) in texts.iter().enumerate().take(LANES) {
        let bytes = text[block * BLOCK..(block + 1) * BLOCK].chunks_exact(4);
        for (word, bytes) in words.iter_mut().zip(bytes) {
            word[lane] = u32::from_le_bytes([bytes[0], bytes[1], bytes[2], bytes[3]]);
        }
    }
    words
}

fn add(state: &mut [Lanes; 4], other: &[Lanes; 4]) {
    for (lanes, others) in state.iter_mut().zip(other) {
        for (lane, other) in lanes.iter_mut().zip(others) {
            *lane = lane.wrapping_add(*other);
        }
    }
}

fn hash_of(state: &[Lanes; 4], lane: usize) -> u128 {
    let words = state.iter().map(|lanes| lanes[lane].swap_bytes());
    words.fold(0, |hash, word| hash << 32 | u128::from(word))
}

/// Works one block of each text into its state. Not inlined: where the compiler knows how many groups there are, it
/// keeps single words in registers and makes no vectors of them.
#[inline(never)]
fn compress(groups: &mut [Group]) {
    round(groups, 0, (1, 0), [7, 12, 17, 22], |x, y, z| {
        z ^ (x & (y ^ z))
    });
    round(groups, 1, (5, 1), [5, 9, 14, 20], |x, y, z| {
        y ^ (z & (x ^ y))
    });
    round(groups, 2, (3, 5), [4, 11, 16, 23], |x, y, z| x ^ y ^ z);
    round(groups, 3, (7, 0), [6, 10, 15, 21], |x, y, z| y ^ (x | !z));
}

/// Sixteen steps. `(times, plus)` says in which order they take the words.
#[inline(always)]
fn round(
    groups: &mut [Group],
    round: usize,
    (times, plus): (usize, usize),
    shifts: [u32; 4],
    mix: impl Fn(u32, u32, u32) -> u32 + Copy,
) {
    for first in [0, 4, 8, 12] {
        for (turn, shift) in shifts.into_iter().enumerate() {
            let number = first + turn;
            let sine = SINES[round * 16 + number];
            let word = (number * times + plus) % 16;
            step(groups, 4 - turn, word, sine, shift, mix);
        }
    }
}

/// One step of all hashes: changes the word of the state at `place`, which moves down by one with each step.
#[inline(always)]
fn step(
    groups: &mut [Group],
    place: usize,
    word: usize,
    sine: u32,
    shift: u32,
    mix: impl Fn(u32, u32, u32) -> u32,
) {
    for group in groups {
        let [a, b, c, d] = [0, 1, 2, 3].map(|after| group.state[(place + after) % 4]);
        let words = group.words[word];
        group.state[place % 4] = std::array::from_fn(|lane| {
            let sum = a[lane]
                .wrapping_add(mix(b[lane], c[lane], d[lane]))
                .wrapping_add(words[lane])
                .wrapping_add(sine);
            sum.rotate_left(shift).wrapping_add(b[lane])
        });
    }
}

#[cfg(test)]
mod tests {
    use super::{LENGTH_LIMIT, TEXTS, hashes};
    use md5::{Digest, Md5};
    use proptest::prelude::*;

    fn one_by_one(prefix: &str, suffix: &str) -> u128 {
        u128::from_be_bytes(Md5::digest(format!("{prefix},{suffix}")).into())
    }

    #[test]
    fn the_hash_is_md5() {
        let hashes = hashes(&["1"], "test_env_foobar").unwrap();

        assert_eq!(hashes[0], one_by_one("1", "test_env_foobar"));
    }

    #[test]
    fn every_length_up_to_the_limit_is_hashed_and_none_beyond_it() {
        for length in 0..=LENGTH_LIMIT {
            let suffix = "x".repeat(length);
            let found = hashes(&["", "abc"], &suffix);

            let expected = (length + 4 <= LENGTH_LIMIT)
                .then(|| [one_by_one("", &suffix), one_by_one("abc", &suffix)]);
            assert_eq!(
                found.map(|found| [found[0], found[1]]),
                expected,
                "{length}"
            );
        }
    }

    #[test]
    fn there_is_a_limit_to_how_many() {
        assert!(hashes(&["a"; TEXTS], "b").is_some());
        assert!(hashes(&["a"; TEXTS + 1], "b").is_none());
        assert!(hashes(&[], "b").is_none());
    }

    proptest! {
        /// Texts of one and of two blocks beside each other, in every number that fits.
        #[test]
        fn all_texts_are_hashed_as_by_themselves(
            prefixes in prop::collection::vec("[ -~é]{0,24}", 1..=TEXTS),
            suffix in "[ -~é]{0,40}",
        ) {
            let prefixes: Vec<&str> = prefixes.iter().map(String::as_str).collect();
            let found = hashes(&prefixes, &suffix).unwrap();

            for (prefix, found) in prefixes.iter().zip(found) {
                prop_assert_eq!(found, one_by_one(prefix, &suffix), "{}", prefix);
            }
        }
    }
}
