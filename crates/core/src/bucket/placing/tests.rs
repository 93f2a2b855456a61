use super::*;
use crate::Value;
use proptest::prelude::*;

fn variants(weights: &[f64]) -> Vec<Variant> {
    let variant = |(option, weight): (usize, &f64)| Variant {
        key: None,
        option,
        value: Value::Null,
        weight: *weight,
        weight_text: "".into(),
    };
    weights.iter().enumerate().map(variant).collect()
}

/// Number of the variant, counted from 0; `None` for control.
fn pick(hash: Hash, feature: &str, identifier: &str, weights: &[f64]) -> Option<usize> {
    let variants = variants(weights);
    let place = Place::of(hash, feature, identifier, &variants);
    assert!(place.bucket < place.total);
    place.variant().map(|variant| variant.option)
}

fn check_suits(seed: &str, rows: [(&str, &str); 5]) {
    for (name, expected) in rows {
        let suits = ["clubs", "diamonds", "hearts", "spades"];
        let picked = pick(Hash::FlagdV2, seed, name, &[25.0; 4]);
        assert_eq!(
            picked.map(|suit| suits[suit]),
            Some(expected),
            "{seed} {name}"
        );
    }
}

/// Rows of `fractional-v2` in flagd's test suite.
#[test]
fn flagd_v2_places_as_flagds_suite_says() {
    check_suits(
        "fractional-flag",
        [
            ("jack", "hearts"),
            ("queen", "spades"),
            ("ten", "clubs"),
            ("nine", "diamonds"),
            ("3", "clubs"),
        ],
    );
    check_suits(
        "shared-seed",
        [
            ("seven", "hearts"),
            ("eight", "diamonds"),
            ("nine", "clubs"),
            ("two", "spades"),
            ("two", "spades"),
        ],
    );
    let shorthand = |who| {
        pick(
            Hash::FlagdV2,
            "fractional-flag-shorthand",
            who,
            &[50.0, 50.0],
        )
    };
    assert_eq!(shorthand("jon@company.com"), Some(0));
    assert_eq!(shorthand("jane@company.com"), Some(1));
    let halves = [
        ("ejOoVL", 0),
        ("bY9fO-", 0),
        ("SI7p-", 0),
        ("6LvT0", 1),
        ("ceQdGm", 1),
    ];
    for (key, expected) in halves {
        let picked = pick(Hash::FlagdV2, "", key, &[50.0, 50.0]);
        assert_eq!(picked, Some(expected), "{key}");
    }
}

/// Rows of `fractional-v3` there: by flag and identifier, and by one text.
#[test]
fn flagd_v3_places_as_flagds_suite_says() {
    for who in ["jon@company.com", "jane@company.com"] {
        let picked = pick(
            Hash::FlagdV3,
            "fractional-flag-shorthand",
            who,
            &[50.0, 50.0],
        );
        assert_eq!(picked, Some(1), "{who}");
    }
    let rows = [
        ("fractional-flag", "jack", "diamonds"),
        ("fractional-flag", "queen", "diamonds"),
        ("fractional-flag", "ten", "clubs"),
        ("fractional-flag", "nine", "clubs"),
        ("fractional-flag", "3", "spades"),
        ("shared-seed", "seven", "hearts"),
        ("shared-seed", "eight", "hearts"),
        ("shared-seed", "nine", "diamonds"),
        ("shared-seed", "two", "diamonds"),
    ];
    for (seed, name, expected) in rows {
        let mut murmur = Murmur3::default();
        write_cbor(&mut murmur, &[seed, name]);
        let (bucket, _) = scaled(murmur.finish(), 100);
        let suit = ["clubs", "diamonds", "hearts", "spades"][bucket as usize / 25];
        assert_eq!(suit, expected, "{seed} {name}");
    }
}

#[test]
fn flagd_v3_hashes_what_is_encoded() {
    assert_eq!(hash_of_pair("f", "u1"), 865_603_005);
    let mut murmur = Murmur3::default();
    write_cbor(&mut murmur, &["u", "1"]);
    assert_eq!(murmur.finish(), 1_978_848_823);
}

#[test]
fn encoded_texts_tell_their_length_in_as_few_bytes_as_it_takes() {
    let heads: [(usize, &[u8]); 6] = [
        (0, &[0x60]),
        (23, &[0x77]),
        (24, &[0x78, 24]),
        (255, &[0x78, 255]),
        (256, &[0x79, 1, 0]),
        (65_536, &[0x7a, 0, 1, 0, 0]),
    ];
    for (length, head) in heads {
        let text = "x".repeat(length);
        let (mut encoded, mut expected) = (Murmur3::default(), Murmur3::default());
        write_cbor(&mut encoded, &[&text]);
        expected.write(head);
        expected.write(text.as_bytes());
        assert_eq!(encoded.finish(), expected.finish(), "{length}");
    }
}

#[test]
fn flipt_places_by_its_checksum() {
    let checks = [
        ("user-1", 69, 118),
        ("user-2", 88, 356),
        ("user-42", 93, 491),
    ];
    for (who, of_percentage, of_variants) in checks {
        assert_eq!(
            in_percentage(Hash::Flipt, "checkout", who),
            (of_percentage, 100)
        );
        let place = Place::of(Hash::Flipt, "checkout", who, &[]);
        assert_eq!((place.bucket, place.total), (of_variants, 1000));
    }
    assert!(is_in_percentage(Hash::Flipt, "checkout", "user-1", 69.5));
    assert!(!is_in_percentage(Hash::Flipt, "checkout", "user-1", 69.0));
}

#[test]
fn flipts_ranges_are_rounded_and_the_last_one_ends_at_the_total() {
    let check = |weights: &[f64], expected: &[f64]| {
        let ends: Vec<f64> = flipt_ends(&variants(weights)).collect();
        assert_eq!(ends, expected, "{weights:?}");
    };
    check(&[33.33, 33.33, 33.34], &[333.0, 667.0, 1000.0]);
    check(&[10.0, 20.0], &[100.0, 300.0]);
    check(&[50.0, 50.0, 0.0], &[500.0, 1000.0, 1000.0]);
    check(&[0.0, 12.55], &[0.0, 126.0]);
}

#[test]
fn files_of_flags_place_by_fnv() {
    let failover = "llm_gateway.model_routing.provider_failover";
    let checks = [
        (failover, "org-alpha", 16),
        (failover, "org-bravo", 84),
        ("checkout", "org-1", 51),
        ("checkout", "org-2", 70),
        (" checkout ", " org-3 ", 89),
    ];
    for (key, subject, bucket) in checks {
        assert_eq!(file_bucket(key, subject), bucket, "{key} {subject}");
    }
    let within = (0..10_000)
        .filter(|number| {
            is_in_percentage(Hash::Fnv1a32, "checkout", &format!("org-{number}"), 30.0)
        })
        .count();
    assert_eq!(within, 3012);
    assert!(!is_in_percentage(Hash::Fnv1a32, "checkout", "  ", 99.0));
}

#[test]
fn nobody_is_in_no_percent_and_everybody_in_all() {
    for hash in [Hash::FlagdV2, Hash::FlagdV3, Hash::Flipt, Hash::Fnv1a32] {
        let is_in = |percent| is_in_percentage(hash, "key", "bob", percent);
        assert!(
            is_in(100.0) && is_in(1e9) && is_in(f64::INFINITY),
            "{hash:?}"
        );
        assert!(!is_in(0.0) && !is_in(-1.0) && !is_in(f64::NAN), "{hash:?}");
    }
}

#[test]
fn a_percentage_of_flagd_is_hashed_with_the_key_of_its_segment() {
    let bucket = |hash, text: &[u8]| {
        let mut murmur = Murmur3::default();
        murmur.write(text);
        let (bucket, total) = scaled(murmur.finish(), 100_000);
        assert_eq!(in_percentage(hash, "12", "bob"), (bucket, total));
        f64::from(bucket) / 1000.0
    };
    let second = bucket(Hash::FlagdV2, b"12:bob");
    let third = bucket(Hash::FlagdV3, b"\x6612:bob");
    for (hash, percent) in [(Hash::FlagdV2, second), (Hash::FlagdV3, third)] {
        assert_eq!(percentage_bucket(hash, "12", "bob"), percent);
        assert!(!is_in_percentage(hash, "12", "bob", percent));
        assert!(is_in_percentage(hash, "12", "bob", percent + 0.001));
    }
}

fn any_hash() -> impl Strategy<Value = Hash> {
    prop::sample::select(&[Hash::FlagdV2, Hash::FlagdV3, Hash::Flipt, Hash::Fnv1a32][..])
}

proptest! {
    /// Raising the weight of the first option never takes it from anyone.
    #[test]
    fn a_growing_weight_keeps_everyone_in(
        hash in any_hash(),
        who: String,
        weight in 0..1000_u32,
        raise in 0..1000_u32,
    ) {
        let is_in = |tenths: u32| {
            let weight = f64::from(tenths.min(1000)) / 10.0;
            pick(hash, "f", &who, &[weight]) == Some(0)
        };
        prop_assert!(!is_in(weight) || is_in(weight + raise));
        let is_in = |tenths: u32| is_in_percentage(hash, "s", &who, f64::from(tenths) / 10.0);
        prop_assert!(!is_in(weight) || is_in(weight + raise));
    }

    /// Weights that add up to 100 leave nobody to control, and each has its share.
    #[test]
    fn all_weights_together_leave_nobody_out(hash in any_hash(), who: String, first in 1..1000_u32) {
        let weights = [f64::from(first) / 10.0, f64::from(1000 - first) / 10.0];
        let total: f64 = weights.iter().sum();
        // Sums of floats may fall short by less than buckets are apart.
        prop_assume!(hash != Hash::Fnv1a32 || total >= 100.0);
        prop_assert!(pick(hash, "f", &who, &weights).is_some());
    }
}

#[test]
fn shares_are_near_their_weights() {
    for hash in [Hash::FlagdV2, Hash::FlagdV3, Hash::Flipt, Hash::Fnv1a32] {
        let mut counts = [0_u32; 3];
        for number in 0..20_000 {
            let picked = pick(hash, "feature", &format!("user-{number}"), &[20.0, 30.0]);
            counts[picked.unwrap_or(2)] += 1;
        }
        for (count, expected) in counts.into_iter().zip([4000_u32, 6000, 10_000]) {
            assert!(count.abs_diff(expected) < 400, "{hash:?} {counts:?}");
        }
    }
}
