//! CRC-32 and FNV-1a, over parts that are given one after another.

/// CRC-32 of IEEE 802.3, as zlib has it: what Flipt hashes by.
pub(crate) fn crc32(parts: &[&str]) -> u32 {
    let mut crc = u32::MAX;
    for byte in parts.iter().flat_map(|part| part.bytes()) {
        crc = TABLE[usize::from(crc as u8 ^ byte)] ^ (crc >> 8);
    }
    !crc
}

/// FNV-1a of 32 bits: what files of flags hash by.
pub(crate) fn fnv1a32(parts: &[&str]) -> u32 {
    let bytes = parts.iter().flat_map(|part| part.bytes());
    bytes.fold(0x811c_9dc5, |hash, byte| {
        (hash ^ u32::from(byte)).wrapping_mul(0x0100_0193)
    })
}

/// What each byte does to the checksum, by the reversed polynomial.
const TABLE: [u32; 256] = {
    let mut table = [0; 256];
    let mut byte = 0;
    while byte < 256 {
        let mut crc = byte as u32;
        let mut bit = 0;
        while bit < 8 {
            crc = (crc >> 1) ^ (0xedb8_8320 & 0_u32.wrapping_sub(crc & 1));
            bit += 1;
        }
        table[byte] = crc;
        byte += 1;
    }
    table
};

#[cfg(test)]
mod tests {
    use super::{crc32, fnv1a32};

    #[test]
    fn published_vectors_come_out() {
        assert_eq!(crc32(&[]), 0);
        assert_eq!(crc32(&["123456789"]), 0xcbf4_3926);
        assert_eq!(crc32(&["1234", "", "56789"]), 0xcbf4_3926);
        assert_eq!(fnv1a32(&[]), 0x811c_9dc5);
        assert_eq!(fnv1a32(&["a"]), 0xe40c_292c);
        assert_eq!(fnv1a32(&["foo", "bar"]), 0xbf9c_f968);
    }
}
