//! How large the measured project is, and what its segments ask.

use serde_json::{Value, json};

/// Features and segments of a generated project.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(super) struct Size {
    pub(super) features: u32,
    pub(super) segments: u32,
    /// True: every fourth segment has a condition with a regular expression.
    pub(super) has_patterns: bool,
}

impl Size {
    pub(super) const SMALL: Self = Self {
        features: 50,
        segments: 10,
        has_patterns: false,
    };
    pub(super) const MANY_SEGMENTS: Self = Self {
        features: 50,
        segments: 100,
        has_patterns: true,
    };
    pub(super) const LARGE: Self = Self {
        features: 500,
        segments: 100,
        has_patterns: true,
    };

    /// Such as `50/100, a quarter REGEX`.
    pub(super) fn name(self) -> String {
        let Self {
            features, segments, ..
        } = self;
        let patterns = if self.has_patterns {
            ", a quarter REGEX"
        } else {
            ""
        };
        format!("{features}/{segments}{patterns}")
    }

    /// True where a feature has two variants of 30 % each: every fifth has.
    pub(super) const fn has_variants(feature: u32) -> bool {
        feature.is_multiple_of(5)
    }

    /// The feature that a segment overrides.
    pub(super) const fn overridden_feature(self, segment: u32) -> u32 {
        (segment - 1) % self.features + 1
    }

    /// The rules of a segment: one of two conditions, and a version that about half of the segments ask too much of.
    ///
    /// `property` is what the format calls a condition's property.
    pub(super) fn rules(self, segment: u32, property: &str) -> Value {
        let condition = |operator: &str, name: &str, value: &str| json!({ "operator": operator, property: name, "value": value });
        let pattern = format!(r"^[a-z0-9.]+@customer{segment}\.example\.(com|org)$");
        let either = if self.has_patterns && segment.is_multiple_of(4) {
            [
                condition("EQUAL", "plan", "basic"),
                condition("REGEX", "email", &pattern),
            ]
        } else {
            [
                condition("EQUAL", "plan", "pro"),
                condition("CONTAINS", "email", "@example.com"),
            ]
        };
        let version = format!("{}.0.0:semver", segment % 10);
        let both = [condition("GREATER_THAN_INCLUSIVE", "version", &version)];
        json!([{
            "type": "ALL",
            "conditions": [],
            "rules": [
                { "type": "ANY", "rules": [], "conditions": either },
                { "type": "ALL", "rules": [], "conditions": both },
            ],
        }])
    }
}

/// The traits of whoever is evaluated, as many as are asked for up to twelve. The first three are what segments ask for.
pub(super) fn traits(count: usize) -> Vec<(&'static str, Value)> {
    let all = [
        ("plan", json!("pro")),
        ("email", json!("someone@example.com")),
        ("version", json!("5.1.0")),
        ("age", json!(42)),
        ("score", json!(17.5)),
        ("is_admin", json!(false)),
        ("country", json!("de")),
        ("language", json!("de-DE")),
        ("team", json!("platform")),
        ("seats", json!(250)),
        ("trial", json!(true)),
        ("signed_up", json!("2025-03-14")),
    ];
    all.into_iter().take(count).collect()
}
