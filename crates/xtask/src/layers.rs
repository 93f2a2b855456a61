//! Which crate may use which: the map of `docs/architecture.md`, enforced.

use anyhow::Result;

use crate::command::output;
use crate::metadata::{Metadata, Package};
use crate::source_files;
use crate::workspace::Workspace;

/// One crate of the map.
struct Layer {
    name: &'static str,
    /// Crates of ours that it may use.
    uses: &'static [&'static str],
    /// Foreign crates that its own manifest may not name, outside tests.
    forbids: &'static [&'static str],
}

const HTTP: &[&str] = &[
    "axum",
    "http",
    "hyper",
    "hyper-util",
    "reqwest",
    "tower",
    "tower-http",
];

/// Everything of ours. A crate that is not listed here is refused: the map comes first.
const MAP: &[Layer] = &[
    Layer {
        name: "flagstaff",
        uses: &[
            "flagstaff-api",
            "flagstaff-dashboard",
            "flagstaff-service",
            "flagstaff-store",
            "flagstaff-wire",
            "flagstaff-core",
            // Its tests ask the built binary by the generated clients.
            "flagstaff-proto",
        ],
        forbids: &["sqlx"],
    },
    Layer {
        name: "flagstaff-api",
        uses: &[
            "flagstaff-service",
            "flagstaff-wire",
            "flagstaff-proto",
            "flagstaff-core",
        ],
        forbids: &["sqlx", "reqwest"],
    },
    Layer {
        name: "flagstaff-proto",
        uses: &[],
        forbids: &["axum", "sqlx", "reqwest"],
    },
    Layer {
        name: "flagstaff-dashboard",
        uses: &["flagstaff-service", "flagstaff-core"],
        forbids: &["sqlx", "reqwest"],
    },
    Layer {
        name: "flagstaff-service",
        uses: &["flagstaff-store", "flagstaff-wire", "flagstaff-core"],
        forbids: &["axum", "hyper", "tower-http", "sqlx"],
    },
    Layer {
        name: "flagstaff-store",
        uses: &["flagstaff-core"],
        forbids: HTTP,
    },
    Layer {
        name: "flagstaff-wire",
        uses: &["flagstaff-core"],
        forbids: &[
            "axum", "http", "hyper", "reqwest", "sqlx", "tokio", "futures", "tower",
        ],
    },
    Layer {
        name: "flagstaff-core",
        uses: &[],
        forbids: &[
            "axum",
            "futures",
            "getrandom",
            "http",
            "rand",
            "reqwest",
            "serde",
            "serde_json",
            "sqlx",
            "time",
            "tokio",
        ],
    },
    Layer {
        name: "flagstaff-rollops-plugin",
        uses: &["flagstaff-proto"],
        forbids: &["axum", "hyper", "sqlx"],
    },
    Layer {
        name: "flagstaff-testkit",
        uses: &["flagstaff-store", "flagstaff-core"],
        forbids: &["axum"],
    },
    Layer {
        name: "xtask",
        uses: &[],
        forbids: &["sqlx", "axum", "tokio"],
    },
];

/// The kit is for tests of every crate but `core`, which it would compile a second time.
const TESTKIT: &str = "flagstaff-testkit";

/// Looks at the whole repository; each line names one thing that has to change.
pub(crate) fn check(workspace: &Workspace) -> Result<Vec<String>> {
    let text = output(&mut workspace.cargo(&["metadata", "--no-deps", "--format-version=1"]))?;
    let metadata = Metadata::parse(&text)?;
    let mut violations = edges(&metadata.packages);
    match workspace.read("docs/architecture.md") {
        Ok(map) => violations.extend(missing_from_the_map(&metadata.packages, &map)),
        Err(error) => violations.push(format!("{error:#}")),
    }
    violations.extend(source_files::too_long(workspace)?);
    Ok(violations)
}

/// Names each dependency that the map does not allow.
fn edges(packages: &[Package]) -> Vec<String> {
    let mut violations = Vec::new();
    for package in packages {
        let Some(layer) = MAP.iter().find(|layer| layer.name == package.name) else {
            violations.push(format!(
                "{}: not on the map in crates/xtask/src/layers.rs",
                package.name
            ));
            continue;
        };
        for dependency in &package.dependencies {
            let name = dependency.name.as_str();
            let ours = MAP.iter().any(|layer| layer.name == name);
            let for_tests = dependency.is_for_tests();
            if name == TESTKIT && for_tests && layer.name != "flagstaff-core" {
                continue;
            }
            if ours && !layer.uses.contains(&name) {
                let how = if for_tests { "in its tests" } else { "at all" };
                violations.push(format!("{}: may not use {name} {how}", layer.name));
            }
            if !for_tests && layer.forbids.contains(&name) {
                violations.push(format!("{}: may not use {name} outside tests", layer.name));
            }
        }
    }
    violations
}

/// Names each crate whose folder the map for people does not mention.
fn missing_from_the_map(packages: &[Package], map: &str) -> Vec<String> {
    packages
        .iter()
        .filter_map(|package| {
            let folder = package.manifest_path.parent()?.file_name()?.to_str()?;
            let named =
                map.contains(&format!("`{folder}`")) || map.contains(&format!("crates/{folder}"));
            (!named).then(|| format!("docs/architecture.md: crate `{folder}` is not described"))
        })
        .collect()
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::metadata::Dependency;

    fn package(name: &str, dependencies: &[(&str, Option<&str>)]) -> Package {
        Package {
            name: name.to_owned(),
            manifest_path: format!(
                "/repository/crates/{}/Cargo.toml",
                name.replace("flagstaff-", "")
            )
            .into(),
            dependencies: dependencies
                .iter()
                .map(|(name, kind)| Dependency {
                    name: (*name).to_owned(),
                    kind: kind.map(str::to_owned),
                })
                .collect(),
        }
    }

    fn check(name: &str, dependency: &str, kind: Option<&str>, expected: &[&str]) {
        let violations = edges(&[package(name, &[(dependency, kind)])]);

        assert_eq!(violations, expected);
    }

    #[test]
    fn the_service_may_use_the_store() {
        check("flagstaff-service", "flagstaff-store", None, &[]);
    }

    #[test]
    fn a_face_may_not_reach_past_the_service() {
        check(
            "flagstaff-api",
            "flagstaff-store",
            None,
            &["flagstaff-api: may not use flagstaff-store at all"],
        );
    }

    #[test]
    fn nothing_may_point_upwards_not_even_in_tests() {
        check(
            "flagstaff-core",
            "flagstaff-wire",
            Some("dev"),
            &["flagstaff-core: may not use flagstaff-wire in its tests"],
        );
    }

    #[test]
    fn the_testkit_is_for_tests_only() {
        check("flagstaff-wire", "flagstaff-testkit", Some("dev"), &[]);
        check(
            "flagstaff-wire",
            "flagstaff-testkit",
            None,
            &["flagstaff-wire: may not use flagstaff-testkit at all"],
        );
        check(
            "flagstaff-wire",
            "flagstaff-testkit",
            Some("build"),
            &["flagstaff-wire: may not use flagstaff-testkit at all"],
        );
    }

    #[test]
    fn the_core_does_without_the_testkit() {
        check(
            "flagstaff-core",
            "flagstaff-testkit",
            Some("dev"),
            &["flagstaff-core: may not use flagstaff-testkit in its tests"],
        );
    }

    #[test]
    fn the_core_does_not_serialise_outside_tests() {
        check(
            "flagstaff-core",
            "serde",
            None,
            &["flagstaff-core: may not use serde outside tests"],
        );
        check("flagstaff-core", "serde", Some("dev"), &[]);
    }

    #[test]
    fn a_crate_that_is_not_on_the_map_is_refused() {
        check(
            "flagstaff-helpers",
            "regex",
            None,
            &["flagstaff-helpers: not on the map in crates/xtask/src/layers.rs"],
        );
    }

    #[test]
    fn a_crate_that_the_map_for_people_forgets_is_named() {
        let packages = [
            package("flagstaff-core", &[]),
            package("flagstaff-wire", &[]),
        ];

        let missing = missing_from_the_map(&packages, "The nouns are in `core`.");

        assert_eq!(
            missing,
            ["docs/architecture.md: crate `wire` is not described"]
        );
    }

    #[test]
    fn the_repository_keeps_to_its_own_map() {
        let workspace = Workspace::find().expect("tests run inside the workspace");

        let violations = super::check(&workspace).expect("cargo metadata and the map can be read");

        assert_eq!(violations, Vec::<String>::new());
    }
}
