//! A file that both sides have and that is not one of lines: newer content wins (S6).

use std::path::Path;

use clauth_durable::Stat;

use super::super::index::{Known, Mark};
use super::super::name;
use super::super::side::{Side, Two};
use super::content::{Digest, digest, is_broken};
use super::look::{Seen, same};
use super::{Mirror, Outcome, refused};

/// Which side's content stands.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(super) struct Verdict {
    pub(super) winner: Side,
    /// The other's is nowhere else.
    pub(super) keeps: bool,
}

impl Mirror {
    /// Brings two files in step of which at least one is not as it was.
    pub(super) fn compare(&mut self, relative: &Path, seen: &Two<Seen>) -> Result<Outcome, Outcome> {
        let (Some(home), Some(tree)) = (seen.home.file(), seen.tree.file()) else { return Ok(Outcome::Same) };
        let stats = Two { home, tree };
        let marks = self.marks(relative);
        let rests = |side: Side| marks.at(side).is_some_and(|mark| same(stats.at(side), &mark) && mark.sure);
        if rests(Side::Home) && rests(Side::Tree) {
            return self.settle_modes(relative, &stats, &marks);
        }
        // Different lengths are different contents: then the one that rests needs no reading.
        let digests = if home.len != tree.len && (rests(Side::Home) || rests(Side::Tree)) {
            None
        } else {
            Some(Two::each(|side| digest(&self.disk, &self.pair.path(side, relative))).map_err(refused)?)
        };
        if let Some(digests) = digests.as_ref().filter(|digests| digests.home.hash == digests.tree.hash) {
            return self.agree(relative, digests, &marks);
        }
        let verdict = judge(&stats, &marks, digests.as_ref());
        if let Some(time) = self.looks_half_written(relative, verdict.winner, &stats)? {
            return Err(Outcome::Wait(time));
        }
        let loser = verdict.winner.other();
        let keeps = verdict.keeps && stats.at(loser).len > 0;
        let marks = self.bring_file(relative, loser, seen, keeps)?;
        self.learn(relative, Two { home: Known::File(marks.home), tree: Known::File(marks.tree) });
        Ok(Outcome::Changed)
    }

    pub(super) fn marks(&self, relative: &Path) -> Two<Option<Mark>> {
        let mark = |known: Known| if let Known::File(mark) = known { Some(mark) } else { None };
        self.index
            .get(relative)
            .map_or(Two { home: None, tree: None }, |entry| Two { home: mark(entry.home), tree: mark(entry.tree) })
    }

    /// Equal bytes are never rewritten.
    fn agree(&mut self, relative: &Path, digests: &Two<Digest>, known: &Two<Option<Mark>>) -> Result<Outcome, Outcome> {
        let now = self.disk.clock.file_now();
        let mark = |side: Side| {
            let Digest { hash, stat } = digests.at(side);
            let mode = known.at(side).map_or(stat.mode, |mark| mark.mode);
            Mark { mode, ..Mark::new(stat, now).hashed(*hash) }
        };
        let marks = Two { home: mark(Side::Home), tree: mark(Side::Tree) };
        self.learn(relative, Two { home: Known::File(marks.home), tree: Known::File(marks.tree) });
        let stats = Two { home: &digests.home.stat, tree: &digests.tree.stat };
        self.settle_modes(relative, &stats, &Two { home: Some(marks.home), tree: Some(marks.tree) })
    }

    /// How long to wait before a file that became empty, or JSON that stopped parsing, is believed (S6).
    fn looks_half_written(
        &mut self,
        relative: &Path,
        winner: Side,
        stats: &Two<&Stat>,
    ) -> Result<Option<std::time::Duration>, Outcome> {
        let stat = *stats.at(winner);
        let broken = |side| is_broken(&self.disk, &self.pair.path(side, relative)).map_err(refused);
        let emptied = stat.len == 0 && stats.at(winner.other()).len > 0;
        let half = emptied || (name::is_json(relative) && broken(winner)? && !broken(winner.other())?);
        Ok(if half { self.must_rest(relative, super::Stamp::of(stat)) } else { None })
    }
}

/// The one that changed wins, whatever the clock said. Where both did, the newer one; a tie keeps the home's.
pub(super) fn judge(stats: &Two<&Stat>, marks: &Two<Option<Mark>>, digests: Option<&Two<Digest>>) -> Verdict {
    let changed = |side: Side| {
        let Some(mark) = marks.at(side) else { return true };
        let rests = same(stats.at(side), mark) && mark.sure;
        match (digests, mark.hash) {
            _ if rests => false,
            (Some(digests), Some(hash)) => digests.at(side).hash != hash,
            _ => true,
        }
    };
    // Nobody writes without moving the time. What differs all the same was cut short by a crash, or made to look old.
    let doubtful =
        |side: Side| marks.at(side).is_some_and(|mark| mark.sure && mark.stamp.modified == stats.at(side).modified);
    match (changed(Side::Home), changed(Side::Tree)) {
        (true, false) if !doubtful(Side::Home) => Verdict { winner: Side::Home, keeps: false },
        (false, true) if !doubtful(Side::Tree) => Verdict { winner: Side::Tree, keeps: false },
        _ => {
            let winner = if stats.tree.modified > stats.home.modified { Side::Tree } else { Side::Home };
            Verdict { winner, keeps: true }
        }
    }
}
