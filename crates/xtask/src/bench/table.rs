//! The result, as a table for `docs/reference/performance.md`.

/// One scenario; rates are requests per second of CPU time.
pub(super) struct Row {
    pub(super) scenario: String,
    /// Length of an answer's body.
    pub(super) bytes: usize,
    pub(super) ours: f64,
    pub(super) bare: f64,
}

/// The table of all scenarios.
pub(super) fn text(rows: &[Row]) -> String {
    let mut lines = vec![
        "| request | answer | flagstaff, per CPU-second | bare axum, per CPU-second | ratio |"
            .to_owned(),
        "|---|--:|--:|--:|--:|".to_owned(),
    ];
    for row in rows {
        lines.push(format!(
            "| {} | {} bytes | {:.0} | {:.0} | {:.2} |",
            row.scenario,
            row.bytes,
            row.ours,
            row.bare,
            row.ours / row.bare,
        ));
    }
    lines.join("\n")
}
