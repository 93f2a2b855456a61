//! The methods that are answered, by their paths.

/// Which of the two protocols is spoken. The package it had before, `schema.v1`, has the messages of version 1.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(super) enum Version {
    V1,
    V2,
}

/// What is asked.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(super) enum Method {
    All,
    Boolean,
    String,
    Int,
    Float,
    Object,
    Events,
}

macro_rules! methods {
    ($($package:literal $version:ident: $($name:literal $method:ident),+;)+) => {
        /// Every path that is answered.
        pub(super) const PATHS: &[&str] = &[$($(concat!("/", $package, ".Service/", $name)),+),+];

        const METHODS: &[(Version, Method)] = &[$($((Version::$version, Method::$method)),+),+];
    };
}

methods! {
    "flagd.evaluation.v1" V1: "ResolveAll" All, "ResolveBoolean" Boolean, "ResolveString" String, "ResolveInt" Int,
        "ResolveFloat" Float, "ResolveObject" Object, "EventStream" Events;
    "flagd.evaluation.v2" V2: "ResolveBoolean" Boolean, "ResolveString" String, "ResolveInt" Int,
        "ResolveFloat" Float, "ResolveObject" Object, "EventStream" Events;
    "schema.v1" V1: "ResolveAll" All, "ResolveBoolean" Boolean, "ResolveString" String, "ResolveInt" Int,
        "ResolveFloat" Float, "ResolveObject" Object, "EventStream" Events;
}

/// The method of a path.
pub(super) fn method(path: &str) -> Option<(Version, Method)> {
    let index = PATHS.iter().position(|known| *known == path)?;
    METHODS.get(index).copied()
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn every_path_has_its_method_and_no_other_has_one() {
        assert!(PATHS.iter().all(|path| method(path).is_some()));
        assert_eq!(
            method("/flagd.evaluation.v2.Service/ResolveInt"),
            Some((Version::V2, Method::Int))
        );
        assert_eq!(
            method("/schema.v1.Service/ResolveAll"),
            Some((Version::V1, Method::All))
        );
        assert_eq!(method("/flagd.evaluation.v2.Service/ResolveAll"), None);
    }
}
