//! Temporary files that a killed command left, swept by age (W1). What a journal names is recovery's own affair, and what
//! lies in a session's tree comes home with it.

use std::path::{Path, PathBuf};

use jiff::SignedDuration;

use super::below::is_temp;
use crate::Engine;
use crate::profile::Roster;

/// No write of ours takes so long.
const OLD: SignedDuration = SignedDuration::from_mins(10);

/// In the name of what a merge left beside Claude Code's files; of other changes there the journal tells.
const MERGE: &str = ".clauth-merge-";

impl Engine {
    /// Removes what nobody will come back for. Best effort: the next command tries again.
    pub(crate) fn sweep_leftovers(&self) {
        if self.is_interrupted().unwrap_or(true) {
            return;
        }
        let names = Roster::read(&self.disk, &self.root).map(|roster| roster.names).unwrap_or_default();
        let mut ours = vec![self.root.path().to_owned(), self.root.vault(), self.root.polls()];
        for name in names {
            let profile = self.root.profile(&name);
            ours.extend(["", "base", "sessions"].map(|below| profile.join(below)));
        }
        ours.iter().for_each(|dir| self.sweep_old(dir, &|path| is_temp(path)));
        let Ok(home) = self.home() else { return };
        let merged = |path: &Path| is_temp(path) && path.to_string_lossy().contains(MERGE);
        let beside = [Some(home.dir.as_path()), home.state.parent()].into_iter().flatten().map(Path::to_owned);
        beside.collect::<std::collections::BTreeSet<PathBuf>>().iter().for_each(|dir| self.sweep_old(dir, &merged));
    }

    fn sweep_old(&self, dir: &Path, ours: &dyn Fn(&Path) -> bool) {
        let now = self.disk.clock.file_now();
        for name in self.disk.list(dir).unwrap_or_default() {
            let path = dir.join(name);
            // Dated ahead by so much it is a leftover, too, of before the clock was set.
            let old = || {
                self.disk.lstat(&path).is_ok_and(|stat| {
                    stat.is_some_and(|stat| {
                        stat.kind == clauth_durable::Kind::File && now.duration_since(stat.modified).abs() > OLD
                    })
                })
            };
            if ours(&path) && old() {
                let _ = self.disk.remove_file(&path);
            }
        }
    }
}
