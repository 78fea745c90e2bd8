//! Permission bits that one side changed and the other did not.

use std::path::Path;

use clauth_durable::Stat;

use super::super::index::{Known, Mark};
use super::super::side::{Side, Two};
use super::{Mirror, Outcome, refused};

impl Mirror {
    /// Brings a change of mode to the other side. Where both changed theirs, each keeps its own.
    pub(super) fn settle_modes(
        &mut self,
        relative: &Path,
        stats: &Two<&Stat>,
        marks: &Two<Option<Mark>>,
    ) -> Result<Outcome, Outcome> {
        let (Some(home), Some(tree)) = (marks.home, marks.tree) else { return Ok(Outcome::Same) };
        let moved = Two { home: stats.home.mode != home.mode, tree: stats.tree.mode != tree.mode };
        let mut modes = Two { home: stats.home.mode, tree: stats.tree.mode };
        let from = match (moved.home, moved.tree) {
            (false, false) => return Ok(Outcome::Same),
            (true, false) => Some(Side::Home),
            (false, true) => Some(Side::Tree),
            (true, true) => None,
        };
        let from = from.filter(|from| modes.at(*from) != modes.at(from.other()));
        if let Some(from) = from {
            let (mode, path) = (*modes.at(from), self.pair.path(from.other(), relative));
            let io = |source| clauth_durable::Error::Io { doing: "set the mode of", path: path.clone(), source };
            self.disk.vfs.set_mode(&path, mode).map_err(io).map_err(refused)?;
            *modes.at_mut(from.other()) = mode;
        }
        let known = |mark: Mark, mode| Known::File(Mark { mode, ..mark });
        self.learn(relative, Two { home: known(home, modes.home), tree: known(tree, modes.tree) });
        Ok(if from.is_some() { Outcome::Changed } else { Outcome::Same })
    }
}
