//! One path, one directory with everything in it, or all of it.

use std::collections::BTreeMap;
use std::ffi::OsString;
use std::path::{Path, PathBuf};

use super::super::Trouble;
use super::super::index::Known;
use super::super::name;
use super::super::side::{Side, Two};
use super::decide::{Step, decide};
use super::look::Seen;
use super::{Mirror, Outcome, Report, keep, refused, trouble};

impl Mirror {
    /// Brings one path in step; a directory that was not known with everything in it.
    pub(crate) fn sync_path(&mut self, relative: &Path) -> Report {
        let known = self.index.get(relative) == Some(&Two { home: Known::Dir, tree: Known::Dir });
        self.sync(relative, !known)
    }

    /// The same with everything below.
    pub(crate) fn sync_tree(&mut self, relative: &Path) -> Report {
        self.sync(relative, true)
    }

    fn sync(&mut self, relative: &Path, deep: bool) -> Report {
        let mut report = Report::default();
        match self.is_within(relative) {
            Ok(true) => {}
            Ok(false) => return report,
            Err(outcome) => {
                report.add(relative, outcome);
                return report;
            }
        }
        if self.take(relative, None, &mut report) && deep {
            self.walk_below(relative, &mut report);
        }
        report
    }

    /// Brings everything in step. Costs a look at each entry of both sides; takes no lock.
    pub(crate) fn walk(&mut self) -> Report {
        let mut report = Report::default();
        self.walk_below(Path::new(""), &mut report);
        report
    }

    /// The last walk before the tree goes, when nobody writes in it any more: what is not to be had in the home, because it
    /// looks half-written or is a line without its end, is kept as it is.
    pub(crate) fn finish(&mut self) -> Report {
        let mut report = self.walk();
        let unsettled: Vec<PathBuf> =
            report.waiting.drain(..).map(|(path, _)| path).chain(report.torn.drain(..)).collect();
        for relative in unsettled {
            let path = self.pair.path(Side::Tree, &relative);
            let kept = self.disk.lstat(&path).and_then(|stat| match stat {
                Some(stat) => keep::keep(&self.disk, &self.pair.conflicts, (&relative, &path), &stat),
                None => Ok(()),
            });
            match kept {
                Ok(()) => report.changed += 1,
                Err(error) => report.add(&relative, refused(error)),
            }
        }
        report
    }

    fn walk_below(&mut self, directory: &Path, report: &mut Report) {
        let mut left = vec![directory.to_owned()];
        while let Some(directory) = left.pop() {
            let names = match self.names(&directory) {
                Ok(names) => names,
                Err(outcome) => {
                    report.add(&directory, outcome);
                    continue;
                }
            };
            for (name, listed) in names {
                let relative = directory.join(&name);
                if name::is_leftover(&name, &self.tag) {
                    self.sweep(&relative, listed, report);
                } else if self.take(&relative, Some(listed), report) {
                    left.push(relative);
                }
            }
        }
    }

    /// The names of a directory, and which side lists them.
    fn names(&self, directory: &Path) -> Result<BTreeMap<OsString, Two<bool>>, Outcome> {
        let mut names: BTreeMap<OsString, Two<bool>> = BTreeMap::new();
        for side in Side::BOTH {
            // Through no link, also at this moment.
            if directory.as_os_str().is_empty() || matches!(self.see(side, directory)?, Seen::Dir(_)) {
                for name in self.disk.list(&self.pair.path(side, directory)).map_err(refused)? {
                    *names.entry(name).or_default().at_mut(side) = true;
                }
            }
        }
        if directory.as_os_str().is_empty() {
            names.retain(|name, _| (self.shared)(name) || name::is_leftover(name, &self.tag));
        }
        Ok(names)
    }

    /// Settles one path; answers whether there is a directory to walk.
    fn take(&mut self, relative: &Path, listed: Option<Two<bool>>, report: &mut Report) -> bool {
        let seen = match self.look(relative, listed) {
            Ok(seen) => seen,
            Err(outcome) => {
                report.add(relative, outcome);
                return false;
            }
        };
        let outcome = self.settle(relative, &seen).unwrap_or_else(|outcome| outcome);
        if self.is_torn(relative, &seen) {
            report.torn.push(relative.to_owned());
        }
        let walk = match (&seen.home, &seen.tree) {
            (Seen::Dir(_), Seen::Dir(_) | Seen::Nothing) | (Seen::Nothing, Seen::Dir(_)) => {
                !matches!(outcome, Outcome::Trouble(_))
            }
            _ => false,
        };
        report.add(relative, outcome);
        walk
    }

    fn settle(&mut self, relative: &Path, seen: &Two<Seen>) -> Result<Outcome, Outcome> {
        let known = self.index.get(relative).copied();
        match decide(seen, known.as_ref()) {
            Step::Rest | Step::Ignore => Ok(Outcome::Same),
            Step::Forget => {
                self.forget(relative);
                Ok(Outcome::Same)
            }
            Step::Agree => {
                let known = seen.home.link().map_or(Known::Dir, Known::Link);
                self.learn(relative, Two { home: known, tree: known });
                Ok(Outcome::Same)
            }
            Step::Deleted(side) => {
                if let Some(mut known) = known {
                    *known.at_mut(side) = Known::Gone;
                    self.learn(relative, known);
                }
                Ok(Outcome::Same)
            }
            Step::Bring(to) => self.bring(relative, to, seen),
            Step::Compare if name::is_lines(relative) => self.merge_lines(relative, seen),
            Step::Compare => self.compare(relative, seen),
            Step::Differ => Err(trouble(self.pair.path(Side::Home, relative), Trouble::Kinds)),
        }
    }

    /// Brings what one side has to the other, which has nothing there.
    fn bring(&mut self, relative: &Path, to: Side, seen: &Two<Seen>) -> Result<Outcome, Outcome> {
        self.make_parents(relative, to)?;
        match seen.at(to.other()) {
            Seen::Dir(stat) => self.make_dir(relative, to, stat.mode)?,
            Seen::Link(_) => {
                self.bring_link(relative, to)?;
                let known = seen.at(to.other()).link().map_or(Known::Gone, Known::Link);
                self.learn(relative, Two { home: known, tree: known });
            }
            _ => {
                let marks = self.bring_file(relative, to, seen, false)?;
                self.learn(relative, Two { home: Known::File(marks.home), tree: Known::File(marks.tree) });
            }
        }
        Ok(Outcome::Changed)
    }

    /// What an interrupted mirroring left beside its target: a half copy, or what it had just displaced. Only the bytes
    /// could tell, so they are kept.
    fn sweep(&self, relative: &Path, listed: Two<bool>, report: &mut Report) {
        for side in Side::BOTH.into_iter().filter(|side| *listed.at(*side)) {
            let path: PathBuf = self.pair.path(side, relative);
            let swept = self.disk.lstat(&path).and_then(|stat| {
                if let Some(stat) = stat.filter(|stat| stat.kind == clauth_durable::Kind::File && stat.len > 0) {
                    keep::keep(&self.disk, &self.pair.conflicts, (relative, &path), &stat)?;
                }
                self.disk.remove_file(&path)
            });
            if let Err(error) = swept {
                report.add(relative, refused(error));
            }
        }
    }
}
