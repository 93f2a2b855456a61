//! The result, as a table for `docs/reference/performance.md`.

/// One scenario; rates are requests per second of CPU time.
pub(super) struct Row {
    pub(super) scenario: &'static str,
    /// Length of an answer's body.
    pub(super) bytes: usize,
    pub(super) ours: f64,
    pub(super) bare: f64,
}

/// The table, with the peak memory of the server below it.
pub(super) fn text(rows: &[Row], mebibytes: u64) -> String {
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
    lines.push(format!("\nPeak memory of the server: {mebibytes} MiB."));
    lines.join("\n")
}
