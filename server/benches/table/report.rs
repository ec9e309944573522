//! The table: what was wanted, what was measured, and whether it was reached.

use std::fmt::Write as _;

/// One figure of one work.
pub(crate) struct Row {
    pub(crate) work: String,
    pub(crate) figure: String,
    /// Empty where nothing is wanted.
    pub(crate) wanted: String,
    /// One per column.
    pub(crate) cells: Vec<String>,
    pub(crate) verdict: Verdict,
}

/// Whether Parlor, with everything on, reached what was wanted.
#[derive(Clone, Copy, Eq, PartialEq)]
pub(crate) enum Verdict {
    None,
    Reached,
    Missed,
}

impl Row {
    /// The cells of a figure that only Parlor has: none for the floor, which is left of it.
    pub(crate) fn parlor(cell: String) -> Vec<String> {
        vec![String::new(), cell]
    }
}

impl Verdict {
    pub(crate) fn of(reached: bool) -> Self {
        if reached { Self::Reached } else { Self::Missed }
    }

    fn show(self) -> &'static str {
        match self {
            Self::None => "",
            Self::Reached => "yes",
            Self::Missed => "**no**",
        }
    }
}

/// The rows in Markdown under these columns.
pub(crate) fn table(columns: &[&str], rows: &[Row]) -> String {
    let mut text = String::new();
    // Writing to a string cannot fail.
    writeln!(text, "| work | figure | wanted | {} | reached |", columns.join(" | ")).ok();
    writeln!(text, "|---|---|---|{}---|", "---|".repeat(columns.len())).ok();
    let mut work = "";
    for row in rows {
        // The name of a work stands only in its first line.
        let shown = if row.work == work { "" } else { &row.work };
        work = &row.work;
        let cells: Vec<&str> =
            (0..columns.len()).map(|it| row.cells.get(it).map_or("", String::as_str)).collect();
        writeln!(
            text,
            "| {shown} | {} | {} | {} | {} |",
            row.figure,
            row.wanted,
            cells.join(" | "),
            row.verdict.show()
        )
        .ok();
    }
    text
}

/// The middle one; of two the mean. 0 of none.
pub(crate) fn median(values: impl Iterator<Item = f64>) -> f64 {
    let mut values: Vec<f64> = values.collect();
    values.sort_unstable_by(f64::total_cmp);
    match values.len() {
        0 => 0.0,
        len => f64::midpoint(values[(len - 1) / 2], values[len / 2]),
    }
}

/// A number with three digits that matter.
pub(crate) fn quantity(value: f64) -> String {
    if value >= 1e6 {
        format!("{:.2} M", value / 1e6)
    } else if value >= 1e4 {
        format!("{:.0} k", value / 1e3)
    } else if value >= 1e3 {
        format!("{:.1} k", value / 1e3)
    } else {
        format!("{value:.0}")
    }
}

/// Microseconds with the unit that reads best.
pub(crate) fn micros(value: f64) -> String {
    if value < 1_000.0 { format!("{value:.0} µs") } else { format!("{:.1} ms", value / 1e3) }
}
