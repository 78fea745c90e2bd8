//! Our own root: modes, format, what was interrupted, and what nothing lists.

use std::path::{Path, PathBuf};

use clauth_durable::{Disk, Kind};

use super::Finding;
use super::rules::{
    CLOCK_BEHIND, JOURNAL_OPEN, LATER_TREE, OLD_VERSION, PROFILE_UNLISTED, PROFILES_LOST, RENEWAL_OPEN, ROOT_FORMAT,
    ROOT_MODES,
};
use crate::Engine;
use crate::profile::Roster;
use crate::root::{Era, Settings, TREES};

/// A clock that is corrected by less than this was not stepped.
const STEP: jiff::SignedDuration = jiff::SignedDuration::from_mins(5);

pub(super) fn findings(engine: &Engine) -> Vec<Finding> {
    let (disk, root) = (&engine.disk, &engine.root);
    let mut findings = Vec::new();
    if cfg!(unix) {
        findings.extend(of_modes(&loose(disk, root.path(), 0)));
    }
    let settings = Settings::read(disk, root).ok();
    let adopted = settings.as_ref().is_some_and(|settings| settings.era == Era::Ours);
    findings.extend(settings.as_ref().and_then(whose));
    if let Some(lock) = adopted.then(|| engine.daemon_at_work()).flatten() {
        let message = format!("the daemon of a later clauth works on in this tree: it holds {}", lock.display());
        findings.push(Finding::new(
            OLD_VERSION,
            message,
            "end it, and remove that program: until then nothing is changed here",
        ));
    }
    if let Ok(Some(entry)) = engine.interrupted() {
        let at = crate::text::seconds(entry.at);
        findings.push(Finding::mendable(JOURNAL_OPEN, format!("{} was interrupted at {at}", entry.phrase())));
    }
    let Ok(roster) = Roster::read(disk, root) else { return findings };
    for name in roster.names.iter().filter(|name| engine.has_left(name).unwrap_or(false)) {
        findings.push(Finding::mendable(RENEWAL_OPEN, format!("a renewal of '{name}' was interrupted")));
    }
    findings.extend(unlisted(engine, &roster));
    findings.extend(clock(engine));
    findings
}

/// Whether this clauth may write here.
fn whose(settings: &Settings) -> Option<Finding> {
    if let Era::Later(mark) = &settings.era {
        let message = format!("{} is a later clauth's", mark.display());
        return Some(Finding::new(LATER_TREE, message, "see what would be taken over: clauth adopt --dry-run"));
    }
    let error = settings.writable().err()?;
    Some(Finding::new(ROOT_FORMAT, error.to_string(), "use the newer clauth here"))
}

/// What others may read or enter, without what lies in sessions' trees, which is the home's own, and never through a link.
fn loose(disk: &Disk, path: &Path, depth: usize) -> Vec<PathBuf> {
    let Ok(Some(stat)) = disk.lstat(path) else { return Vec::new() };
    let mut found = Vec::new();
    if matches!(stat.kind, Kind::File | Kind::Dir) && stat.mode & 0o077 != 0 {
        found.push(path.to_owned());
    }
    let tree = depth == 3 && path.file_name().is_some_and(|name| TREES.iter().any(|tree| name == *tree));
    if stat.kind == Kind::Dir && !tree && depth < 5 {
        for name in disk.list(path).unwrap_or_default() {
            found.extend(loose(disk, &path.join(name), depth + 1));
        }
    }
    found
}

fn of_modes(loose: &[PathBuf]) -> Option<Finding> {
    let first = loose.first()?;
    let more = match loose.len() - 1 {
        0 => String::new(),
        more => format!(" and {more} more"),
    };
    Some(Finding::mendable(ROOT_MODES, format!("others may read or enter {}{more}", first.display())))
}

/// Directories of profiles that nothing lists. Where the list itself is gone that is one finding, not one for each.
fn unlisted(engine: &Engine, roster: &Roster) -> Vec<Finding> {
    let list = engine.root.roster();
    if let Ok([one, ..]) = engine.lost_names().as_deref() {
        let message = format!("{} is gone, but '{one}' and whatever else it listed is there", list.display());
        return vec![Finding::mendable(PROFILES_LOST, message)];
    }
    let finding = |path: PathBuf| {
        let fix = format!("add its name to `profiles` in {}, or move it away", list.display());
        Finding::new(PROFILE_UNLISTED, format!("{} is in no list", path.display()), fix)
    };
    engine.unlisted(roster).into_iter().map(finding).collect()
}

/// Whether something was written down later than it is now.
fn clock(engine: &Engine) -> Option<Finding> {
    let last = crate::history::read(&engine.disk, &engine.root).ok()?.last()?.at;
    let now = engine.host.clock.now();
    (last.duration_since(now) > STEP).then(|| {
        let (last, now) = (crate::text::seconds(last), crate::text::seconds(now));
        let message = format!("it is {now} by this machine, but something happened at {last}");
        Finding::new(CLOCK_BEHIND, message, "set the clock right; logins seem to end later than they do")
    })
}
