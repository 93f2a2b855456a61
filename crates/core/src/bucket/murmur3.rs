//! `MurmurHash3` of 32 bits (`x86_32`), seed 0: what flagd hashes by.

/// A hash over parts that are given one after another.
///
/// Source of the algorithm: Austin Appleby's `MurmurHash3_x86_32`, which is in the public domain.
#[derive(Debug, Default)]
pub(crate) struct Murmur3 {
    state: u32,
    length: u32,
    /// Bytes that do not fill a word yet, the first in the lowest place.
    pending: u32,
}

impl Murmur3 {
    pub(crate) fn write(&mut self, bytes: &[u8]) {
        for byte in bytes {
            let place = self.length % 4;
            self.pending |= u32::from(*byte) << (8 * place);
            self.length = self.length.wrapping_add(1);
            if place == 3 {
                self.state ^= scrambled(self.pending);
                self.state = self.state.rotate_left(13);
                self.state = self.state.wrapping_mul(5).wrapping_add(0xe654_6b64);
                self.pending = 0;
            }
        }
    }

    pub(crate) const fn finish(self) -> u32 {
        let mut hash = self.state ^ scrambled(self.pending) ^ self.length;
        hash ^= hash >> 16;
        hash = hash.wrapping_mul(0x85eb_ca6b);
        hash ^= hash >> 13;
        hash = hash.wrapping_mul(0xc2b2_ae35);
        hash ^ (hash >> 16)
    }
}

const fn scrambled(word: u32) -> u32 {
    word.wrapping_mul(0xcc9e_2d51)
        .rotate_left(15)
        .wrapping_mul(0x1b87_3593)
}

#[cfg(test)]
mod tests {
    use super::Murmur3;
    use proptest::prelude::*;

    #[track_caller]
    fn check(bytes: &[u8], expected: u32) {
        let mut hash = Murmur3::default();
        hash.write(bytes);
        assert_eq!(hash.finish(), expected, "{bytes:?}");
    }

    #[test]
    fn published_vectors_come_out() {
        check(b"", 0);
        check(&[0, 0, 0, 0], 0x2362_f9de);
        check(&[0x21, 0x43, 0x65, 0x87], 0xf55b_516b);
        check(&[0x21, 0x43, 0x65], 0x7e4a_8634);
        check(&[0x21, 0x43], 0xa0f7_b07a);
        check(&[0x21], 0x7266_1cf4);
        check(&[0xff, 0xff, 0xff, 0xff], 0x7629_3b50);
    }

    #[test]
    fn the_hashes_that_flagd_gives_come_out() {
        check(b"u1", 2_022_293_920);
        check(b"fu1", 1_684_405_688);
        check(b"jon@company.com", 1_557_731_397);
        check(b"ejOoVL", 0);
        check(b"bY9fO-", 1);
        check(b"SI7p-", 2_147_483_647);
        check(b"6LvT0", 2_147_483_648);
        check(b"ceQdGm", 4_294_967_295);
    }

    proptest! {
        #[test]
        fn parts_hash_like_the_whole(first: Vec<u8>, second: Vec<u8>) {
            let mut parts = Murmur3::default();
            parts.write(&first);
            parts.write(&second);
            let mut whole = Murmur3::default();
            whole.write(&[first, second].concat());
            prop_assert_eq!(parts.finish(), whole.finish());
        }
    }
}
