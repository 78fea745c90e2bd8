//! What is to be looked at, and when: a function of what was told and of monotonic time.

use std::collections::{BTreeMap, BTreeSet};
use std::path::{Path, PathBuf};
use std::time::Duration;

use super::super::mirror::Report;
use super::events::Change;

/// How long a path gathers events before it is looked at: not from the last event but from the first, so that a file that
/// is written without end is mirrored too.
const GATHER: Duration = Duration::from_millis(100);
/// With so many paths at once a walk costs less.
const MANY: usize = 2000;
/// When a path that was refused is tried again, at first and at last.
const RETRY: (Duration, Duration) = (Duration::from_secs(5), Duration::from_secs(300));
/// The part of a core that walks may take where nothing is told: one in so many (S6).
const SHARE: u32 = 50;
/// The shortest time between two walks.
const PAUSE: Duration = Duration::from_secs(1);

/// What to do now.
#[derive(Debug, PartialEq, Eq)]
pub(super) enum Due {
    Walk,
    /// These, and whether with everything below.
    Paths(Vec<(PathBuf, bool)>),
    /// Nothing before this moment; `None` for nothing at all.
    Later(Option<Duration>),
}

/// Everything that waits.
#[derive(Debug, Default)]
pub(super) struct Queue {
    paths: BTreeMap<PathBuf, (Duration, bool)>,
    walk: Option<Duration>,
    /// Paths that were refused, and how long they were last left alone.
    refused: BTreeMap<PathBuf, Duration>,
    blind: bool,
}

impl Queue {
    /// Something happened.
    pub(super) fn changed(&mut self, change: Change, now: Duration) {
        self.add(change.relative, now + GATHER, change.deep);
        if self.paths.len() > MANY {
            self.paths.clear();
            self.walk_at(now + GATHER);
        }
    }

    /// Something happened that was not told.
    pub(super) fn lost(&mut self, now: Duration) {
        self.walk_at(now + GATHER);
    }

    /// From now on walks must find out.
    pub(super) fn go_blind(&mut self, now: Duration) {
        self.blind = true;
        self.walk_at(now + PAUSE);
    }

    /// A look is over: what is to be looked at again.
    pub(super) fn looked(&mut self, paths: &[(PathBuf, bool)], report: &Report, now: Duration) {
        for (path, time) in &report.waiting {
            self.add(path.clone(), now + *time, false);
        }
        let still: BTreeSet<&PathBuf> = report.refused.iter().collect();
        self.refused.retain(|path, _| still.contains(path) || !paths.iter().any(|(looked, _)| looked == path));
        for path in &report.refused {
            let pause = self.refused.get(path).map_or(RETRY.0, |last| (*last * 2).min(RETRY.1));
            self.refused.insert(path.clone(), pause);
            self.add(path.clone(), now + pause, true);
        }
    }

    /// A walk is over, which took `cost`.
    pub(super) fn walked(&mut self, report: &Report, cost: Duration, now: Duration) {
        self.walk = None;
        self.refused.retain(|path, _| report.refused.contains(path));
        self.looked(&[], report, now);
        if self.blind {
            self.walk_at(now + (cost * SHARE).max(PAUSE));
        }
    }

    /// What to do at `now`; it is then no longer waited for.
    pub(super) fn due(&mut self, now: Duration) -> Due {
        if self.walk.is_some_and(|at| at <= now) {
            self.paths.clear();
            return Due::Walk;
        }
        let due: Vec<(PathBuf, bool)> = self
            .paths
            .iter()
            .filter(|(_, (at, _))| *at <= now)
            .map(|(path, (_, deep))| (path.clone(), *deep))
            .collect();
        if due.is_empty() {
            return Due::Later(self.paths.values().map(|(at, _)| *at).chain(self.walk).min());
        }
        self.paths.retain(|_, (at, _)| *at > now);
        Due::Paths(due)
    }

    /// The earlier moment counts.
    fn add(&mut self, path: PathBuf, at: Duration, deep: bool) {
        let waiting = self.paths.entry(path).or_insert((at, deep));
        *waiting = (waiting.0.min(at), waiting.1 || deep);
    }

    fn walk_at(&mut self, at: Duration) {
        self.walk = Some(self.walk.map_or(at, |walk| walk.min(at)));
    }
}

/// What was said already, as long as it lasts.
#[derive(Debug, Default)]
pub(super) struct Said(BTreeMap<PathBuf, String>);

impl Said {
    /// What is new among the problems of a walk.
    pub(super) fn of_walk(&mut self, report: &Report) -> Vec<String> {
        let now: BTreeMap<PathBuf, String> =
            report.problems.iter().map(|problem| (problem.path.clone(), problem.to_string())).collect();
        let new = now.iter().filter(|(path, text)| self.0.get(*path) != Some(text)).map(|(_, text)| text.clone());
        let new = new.collect();
        self.0 = now;
        new
    }

    /// What is new after a look at single paths.
    pub(super) fn of_look(&mut self, report: &Report, looked: &[&Path]) -> Vec<String> {
        let mut new = Vec::new();
        self.0.retain(|path, _| {
            report.problems.iter().any(|problem| problem.path == *path) || !looked.iter().any(|end| path.ends_with(end))
        });
        for problem in &report.problems {
            let text = problem.to_string();
            if self.0.insert(problem.path.clone(), text.clone()).as_ref() != Some(&text) {
                new.push(text);
            }
        }
        new
    }
}

#[cfg(test)]
mod tests;
