//! The table, on the terminal and in `docs/measurements.md`.

use std::fs;
use std::path::Path;
use std::process::Command;

use anyhow::Context as _;

use super::stats::Spread;
use crate::process;

/// Where the table is kept.
const PAGE: &str = "docs/measurements.md";

/// Where people read the results first, between two marks.
const README: &str = "README.md";
const MARKS: [&str; 2] = ["<!-- measured: begin -->\n", "<!-- measured: end -->"];

/// The largest release program, in MiB.
const SIZE: f64 = 6.0;

/// What a measurement may be, against its baseline.
#[derive(Debug, Clone, Copy)]
pub(super) enum Budget {
    /// So many milliseconds more.
    Over(f64),
    /// So many times as much.
    Times(f64),
}

/// One line of the table.
#[derive(Debug, Clone)]
pub(super) struct Row {
    what: String,
    measured: String,
    baseline: String,
    result: String,
    budget: String,
    /// Nothing is said where there is no budget.
    within: Option<bool>,
}

impl Row {
    /// A time against a baseline's.
    pub(super) fn timed(
        what: impl Into<String>,
        time: Spread,
        (name, least): (String, Spread),
        budget: Budget,
    ) -> Self {
        let (result, budget, within) = match budget {
            Budget::Over(most) => {
                let over = time.median - least.median;
                (format!("+{over:.2} ms"), format!("+{most} ms"), over <= most)
            }
            Budget::Times(most) => {
                let times = time.median / least.median;
                (format!("× {times:.2}"), format!("× {most}"), times <= most)
            }
        };
        Self {
            what: what.into(),
            measured: time.to_string(),
            baseline: format!("{name}: {least}"),
            result,
            budget,
            within: Some(within),
        }
    }

    /// The same without a budget: so many milliseconds more.
    pub(super) fn told(what: impl Into<String>, time: Spread, least: (String, Spread)) -> Self {
        let row = Self::timed(what, time, least, Budget::Over(f64::INFINITY));
        Self { budget: "–".into(), within: None, ..row }
    }

    /// The slow end of many times against that of a baseline in the same crowd: so many milliseconds more.
    pub(super) fn tail(what: &str, time: f64, (name, least): (String, f64), most: f64) -> Self {
        let over = time - least;
        Self {
            what: what.into(),
            measured: format!("{time:.2} ms"),
            baseline: format!("{name}: {least:.2} ms"),
            result: format!("{over:+.2} ms"),
            budget: format!("+{most} ms"),
            within: Some(over <= most),
        }
    }

    /// A figure without a baseline.
    pub(super) fn plain(what: &str, figure: f64, unit: &str, most: f64) -> Self {
        Self {
            what: what.into(),
            measured: format!("{figure:.2} {unit}"),
            baseline: "–".into(),
            result: format!("{figure:.2} {unit}"),
            budget: format!("{most} {unit}"),
            within: Some(figure <= most),
        }
    }
}

/// Everything measured, and on what.
#[derive(Default)]
pub(super) struct Report {
    rows: Vec<Row>,
}

impl Report {
    /// Adds a line.
    pub(super) fn push(&mut self, row: Row) {
        self.rows.push(row);
    }

    /// Adds lines.
    pub(super) fn extend(&mut self, rows: Vec<Row>) {
        self.rows.extend(rows);
    }

    /// Whether every figure is within its budget.
    pub(super) fn is_within(&self) -> bool {
        self.rows.iter().all(|row| row.within != Some(false))
    }

    /// The lines as a Markdown table.
    pub(super) fn table(&self) -> String {
        let head = "| What | Median (quartiles) | Baseline | Result | Budget | |\n|---|---|---|---|---|---|\n";
        let lines = self.rows.iter().map(|row| {
            let verdict = row.within.map_or("", |within| if within { "kept" } else { "**missed**" });
            format!(
                "| {} | {} | {} | {} | {} | {verdict} |\n",
                row.what, row.measured, row.baseline, row.result, row.budget
            )
        });
        std::iter::once(head.to_owned()).chain(lines).collect()
    }

    /// What came of each line, without how, as a Markdown table.
    fn results(&self) -> String {
        let head = "| What | Result | Budget |\n|---|---|---|\n".to_owned();
        let lines = self.rows.iter().map(|row| format!("| {} | {} | {} |\n", row.what, row.result, row.budget));
        std::iter::once(head).chain(lines).collect()
    }

    /// Writes the page below `root`, and the results into the README.
    pub(super) fn write(&self, root: &Path) -> anyhow::Result<()> {
        let text = format!(
            "# Measurements\n\nMade by `cargo xtask bench --write`; do not edit. All subjects take turns in one loop, so \
             that whatever else the\nmachine does falls on each alike.\n\nOn {}, {}.\n\n{}",
            process::output(Command::new("date").args(["-u", "+%F"]))?,
            machine(),
            self.table()
        );
        fs::write(root.join(PAGE), text).with_context(|| format!("cannot write {PAGE}"))?;
        let readme = fs::read_to_string(root.join(README)).with_context(|| format!("cannot read {README}"))?;
        let readme = put_between(&readme, &self.results()).with_context(|| format!("no marks in {README}"))?;
        fs::write(root.join(README), readme).with_context(|| format!("cannot write {README}"))
    }
}

/// `text` with `table` between the marks; nothing without them.
fn put_between(text: &str, table: &str) -> Option<String> {
    let [begin, end] = MARKS;
    let (before, rest) = text.split_once(begin)?;
    let (_, after) = rest.split_once(end)?;
    Some([before, begin, table, end, after].concat())
}

/// How large `program` is.
pub(super) fn size(program: &Path) -> anyhow::Result<Row> {
    let bytes = fs::metadata(program).with_context(|| format!("no {}", program.display()))?.len();
    Ok(Row::plain("release program", f64::from(u32::try_from(bytes)?) / f64::from(1 << 20), "MiB", SIZE))
}

/// The machine in a few words, as far as it tells.
fn machine() -> String {
    let cores = std::thread::available_parallelism().map_or(1, usize::from);
    let text = fs::read_to_string("/proc/cpuinfo").unwrap_or_default();
    let model = text.lines().find_map(|line| line.strip_prefix("model name")?.split_once(':'));
    let model = model.map_or("a processor that does not tell its name", |(_, name)| name.trim());
    let system = process::output(Command::new("uname").args(["-s", "-r", "-m"])).unwrap_or_default();
    format!("{cores} cores of {model}, {system}")
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_table_takes_the_place_of_the_one_between_the_marks() {
        let [begin, end] = MARKS;
        let text = |table: &str| format!("before\n{begin}{table}{end}\nafter\n");
        assert_eq!(put_between(&text("old\n"), "new\n"), Some(text("new\n")));
        assert_eq!(put_between("no marks", "new\n"), None);
    }

    #[test]
    fn a_row_knows_its_budget() {
        let spread = |median| Spread { lower: median, median, upper: median };
        let least = || ("`true`".to_owned(), spread(1.0));
        let rows = [
            ("within", Row::timed("a", spread(2.4), least(), Budget::Over(1.5)), true),
            ("over", Row::timed("a", spread(2.6), least(), Budget::Over(1.5)), false),
            ("times within", Row::timed("a", spread(1.5), least(), Budget::Times(1.5)), true),
            ("times over", Row::timed("a", spread(1.6), least(), Budget::Times(1.5)), false),
            ("not measured", Row::timed("a", spread(f64::NAN), least(), Budget::Times(1.5)), false),
            ("plain over", Row::plain("a", 6.1, "MiB", 6.0), false),
            ("tail within", Row::tail("a", 60.0, ("`true`".to_owned(), 50.0), 15.0), true),
            ("tail over", Row::tail("a", 66.0, ("`true`".to_owned(), 50.0), 15.0), false),
        ];
        for (name, row, within) in rows {
            assert_eq!(row.within, Some(within), "{name}: {row:?}");
        }
    }
}
