//! What a test program said, test by test.

use std::fmt;
use std::time::Duration;

/// What came of one program.
pub(super) struct Report {
    name: String,
    passed: usize,
    failed: Vec<String>,
    ignored: usize,
    /// Which tests left something out, and what they said that it was.
    skipped: Vec<String>,
    /// The test that was running when the program ended or was ended, if it did not end by itself.
    cut: Option<String>,
    /// The program's own words about what failed.
    words: String,
    took: Duration,
}

impl Report {
    /// Reads what a program of Rust's test harness printed with `--test-threads=1 --show-output`. `success` is absent where
    /// it had to be ended.
    pub(super) fn read(name: &str, text: &str, success: Option<bool>, took: Duration) -> Self {
        let (mut passed, mut ignored, mut failed, mut cut) = (0, 0, Vec::new(), None);
        for (test, result) in text.lines().filter_map(|line| line.strip_prefix("test ")?.split_once(" ... ")) {
            match result.trim() {
                "ok" => passed += 1,
                "FAILED" => failed.push(test.to_owned()),
                result if result.starts_with("ignored") => ignored += 1,
                _ => cut = Some(test.to_owned()),
            }
        }
        let complete = text.lines().any(|line| line.starts_with("test result: "));
        if success.is_some() && complete && (success == Some(true)) == failed.is_empty() {
            cut = None;
        } else {
            cut = cut.or_else(|| Some("what was not begun".into()));
        }
        let skipped = skips(text);
        let words = text.split_once("\nfailures:\n").map_or("", |(_, words)| words);
        let words = if cut.is_some() { text } else { words }.to_owned();
        Self { name: name.to_owned(), passed, failed, ignored, skipped, cut, words, took }
    }

    /// Whether every test was run and passed.
    pub(super) fn is_well(&self) -> bool {
        self.failed.is_empty() && self.cut.is_none()
    }

    /// All of it in one line.
    pub(super) fn line(&self) -> String {
        let seconds = self.took.as_secs();
        let cut = self.cut.as_ref().map_or_else(String::new, |test| format!(", cut off in {test}"));
        let (failed, skipped) = (self.failed.len(), self.skipped.len());
        let ignored = if self.ignored == 0 { String::new() } else { format!(", {} ignored", self.ignored) };
        format!("{}: {} passed, {failed} failed, {skipped} skipped{ignored}, {seconds} s{cut}", self.name, self.passed)
    }
}

impl fmt::Display for Report {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        if !self.is_well() {
            writeln!(f, "{}", self.words)?;
        }
        for reason in &self.skipped {
            writeln!(f, "  skipped: in {reason}")?;
        }
        for test in &self.failed {
            writeln!(f, "  FAILED: {test}")?;
        }
        writeln!(f, "  {}", self.line())
    }
}

/// What tests said that they left out, each reason once, behind the name of the test.
fn skips(text: &str) -> Vec<String> {
    let (mut test, mut skips) = ("", Vec::new());
    for line in text.lines() {
        if let Some(name) = line.strip_prefix("---- ").and_then(|line| line.strip_suffix(" stdout ----")) {
            test = name;
        } else if let Some(reason) = line.strip_prefix("skipped: ") {
            skips.push(format!("{test}: {reason}"));
        }
    }
    skips.dedup();
    skips
}

#[cfg(test)]
mod tests {
    use super::*;

    const ALL: &str = "\nrunning 3 tests\ntest one ... ok\ntest two - should panic ... ok\ntest three ... ignored\n\nsuccesses:\n\n\
        ---- one stdout ----\nskipped: Wine has none\nskipped: Wine has none\n\ntest result: ok. 2 passed; 0 failed; 1 ignored\n";
    const SOME: &str = "\nrunning 2 tests\ntest one ... ok\ntest two ... FAILED\n\nfailures:\n\n---- two stdout ----\nno\n\n\
        test result: FAILED. 1 passed; 1 failed\n";
    const CUT: &str = "\nrunning 3 tests\ntest one ... ok\ntest two ... ";

    #[test]
    fn a_program_is_well_only_if_every_test_was_run_and_passed() {
        let took = Duration::from_secs(7);
        for (name, text, success, expected) in [
            ("all", ALL, Some(true), "p: 2 passed, 0 failed, 1 skipped, 1 ignored, 7 s"),
            ("some", SOME, Some(false), "p: 1 passed, 1 failed, 0 skipped, 7 s"),
            ("hangs", CUT, None, "p: 1 passed, 0 failed, 0 skipped, 7 s, cut off in two"),
            ("crashes", CUT, Some(false), "p: 1 passed, 0 failed, 0 skipped, 7 s, cut off in two"),
            ("ends early", CUT, Some(true), "p: 1 passed, 0 failed, 0 skipped, 7 s, cut off in two"),
            ("never begins", "", Some(false), "p: 0 passed, 0 failed, 0 skipped, 7 s, cut off in what was not begun"),
        ] {
            let report = Report::read("p", text, success, took);
            assert_eq!(report.line(), expected, "{name}");
            assert_eq!(report.is_well(), name == "all", "{name}");
        }
        let report = Report::read("p", ALL, Some(true), took);
        assert!(report.to_string().starts_with("  skipped: in one: Wine has none\n  p: "), "{report}");
        let report = Report::read("p", SOME, Some(false), took);
        assert!(report.to_string().contains("---- two stdout ----"), "{report}");
    }
}
