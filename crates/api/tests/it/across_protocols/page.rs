//! The page about differences names every kind that a run needs.

use super::excuses::Kind;
use std::collections::BTreeSet;

const PAGE: &str = "../../docs/reference/where-answers-differ.md";

/// Reason and class of each row of the page's table.
fn told() -> BTreeSet<(String, String)> {
    let path = std::path::Path::new(env!("CARGO_MANIFEST_DIR")).join(PAGE);
    let text = std::fs::read_to_string(path).unwrap();
    // What the words of the table mean stands in another one.
    let (_, rest) = text.split_once("<!-- table -->").unwrap();
    let (table, _) = rest.split_once("<!-- end of the table -->").unwrap();
    let rows = table.lines().filter_map(|line| {
        let mut cells = line.strip_prefix("| `")?.split(" | ");
        let reason = cells.next()?.trim_end_matches('`').to_owned();
        let class = cells.next()?.trim_matches('`').to_owned();
        Some((reason, class))
    });
    rows.collect()
}

/// `needed` by the environments that are the same in every run; `named` by diagnostics of all, which in a long run leave
/// out nothing.
pub fn check(needed: &BTreeSet<Kind>, named: &BTreeSet<Kind>, is_long: bool) {
    let told = told();
    let spelt = |kinds: &BTreeSet<Kind>| -> BTreeSet<(String, String)> {
        let kinds = kinds.iter();
        kinds
            .map(|(reason, class)| (reason.clone(), class.as_str().to_owned()))
            .collect()
    };
    let (needed, named) = (spelt(needed), spelt(named));
    let how =
        "the page is stale: `cargo xtask test --full --lane agreement`, then `cargo xtask docs`";
    let missing: Vec<_> = needed.difference(&told).collect();
    assert!(missing.is_empty(), "{missing:?} are not told; {how}");
    let surplus: Vec<_> = told.difference(&named).collect();
    assert!(
        !is_long || surplus.is_empty(),
        "{surplus:?} do not differ; {how}"
    );
}
