//! A status line's reading: whose it is, and where it is kept. No socket, no child, no lock, no temporary file: what is stored
//! is one line appended to a file, so that a kill leaves it or does not (contract, `statusline`).

use std::path::{Component, Path, PathBuf};

use clauth_claude::{ClaudeHome, real_path};
use jiff::{SignedDuration, Timestamp};

use super::line::{self, Line};
use super::look::{self, Shelf};
use super::{Handed, Reading, Source, ask, carried};
use crate::Engine;
use crate::profile::{ProfileKind, Record, Roster};

/// Figures that did not change are written again after so long, so that they do not grow stale while they hold.
const AGAIN: SignedDuration = SignedDuration::from_mins(2);

/// Figures that changed by less than a point wait so long.
const SOON: SignedDuration = SignedDuration::from_secs(15);

/// After so long a switch can no longer be seen in a status line: every window has begun anew.
const FORGOTTEN: SignedDuration = SignedDuration::from_hours(8 * 24);

/// A history longer than this is put aside where nobody compacts it.
const LONGEST: u64 = 2 << 20;

/// The account of a status line, and what is known of its use.
pub struct Status {
    /// The profile; `None` where it is no profile's, or cannot be told.
    pub profile: Option<String>,
    /// Its plan.
    pub plan: Option<String>,
    /// Its e-mail.
    pub email: Option<String>,
    /// What is known.
    pub reading: Option<Reading>,
    /// What was handed over was of the account before a switch, and is not kept.
    pub dropped: bool,
}

/// Whose a session is.
struct Session {
    record: Record,
    /// When its login was put live, for a session of the live home.
    lent: Option<Timestamp>,
}

impl Engine {
    /// The account of the session that handed this over, and what is known of its use; what is new is kept.
    #[must_use]
    pub fn statusline(&self, handed: &Handed) -> Status {
        let now = self.host.clock.now();
        let mut fresh = handed.windows.clone();
        fresh.retain(|(_, _, reset)| reset.is_none_or(|at| at > now));
        let Some(Session { record, lent }) = self.session_of(handed) else {
            let line = Line { at: now, source: Source::Statusline, account: None, windows: fresh };
            let reading = look::merged(None, &[line]).filter(|reading| !reading.windows.is_empty());
            return Status { profile: None, plan: None, email: None, reading, dropped: false };
        };
        let shelf = Shelf::of(&self.disk, &self.root, &record);
        let lines = line::tail(&self.disk, &self.root.usage_history(&record.name));
        let own = lines.iter().rev().find(|line| line.account.as_ref() == Some(&shelf.account));
        let written =
            handed.transcript.as_ref().and_then(|path| self.disk.vfs.stat(path).ok()).map(|stat| stat.modified);
        let dropped = !fresh.is_empty() && self.is_of_before(written, &fresh, (&record.name, lent), own);
        let (cache, mut last) = (shelf.cache(), shelf.statusline());
        if let Some(known) = look::merged(cache.as_ref(), &last) {
            fresh.retain(|(id, percent, reset)| {
                let known = known.window(id);
                !known.is_some_and(|known| carried::is_older((*percent, *reset), known, written, now))
            });
        }
        let new = Line { at: now, source: Source::Statusline, account: Some(shelf.account.clone()), windows: fresh };
        if !dropped && !new.windows.is_empty() {
            if is_worth_it(&new, last.first()) {
                self.append_handed(&record.name, &new);
            }
            last.iter_mut().for_each(|line| line.windows.retain(|(id, ..)| !new.has(id)));
            last.insert(0, new);
        }
        let reading = look::merged(cache.as_ref(), &last);
        let known = record.identity.as_ref();
        // As `list` says it: by the server, else by what the login itself says.
        let by_login = || {
            let login = record.login()?;
            clauth_anthropic::plan_of_login(login.subscription.as_deref(), login.tier.as_deref())
        };
        let plan = reading.as_ref().and_then(|reading| reading.plan.clone());
        let plan = plan.or_else(|| known.and_then(|known| known.plan.clone())).or_else(by_login);
        Status {
            plan,
            email: known.and_then(|known| known.email.clone()),
            profile: Some(record.name),
            reading,
            dropped,
        }
    }

    /// Best effort: a status line that cannot store still shows.
    fn append_handed(&self, name: &str, line: &Line) {
        let path = self.root.usage_history(name);
        if self.disk.vfs.lstat(&path).is_ok_and(|stat| stat.len > LONGEST) {
            let _ = self.disk.vfs.rename(&path, &self.root.usage_history_before(name));
        }
        let _ = ask::append(&self.disk, &path, line);
    }

    /// Whether the figures are of the account that was live before: nothing was answered since the switch, or they give
    /// themselves away.
    fn is_of_before(
        &self,
        written: Option<Timestamp>,
        fresh: &carried::Windows,
        (name, lent): (&str, Option<Timestamp>),
        own: Option<&Line>,
    ) -> bool {
        let now = self.host.clock.now();
        let Some(lent) = lent.filter(|at| now.duration_since(*at) < FORGOTTEN) else { return false };
        if written.is_some_and(|at| at <= lent) {
            return true;
        }
        let names = Roster::read(&self.disk, &self.root).map(|roster| roster.names).unwrap_or_default();
        let last = |other: &String| line::last(&self.disk, &self.root.usage_history(other), |_| true);
        let others: Vec<Line> = names.iter().filter(|other| *other != name).filter_map(last).collect();
        carried::is_anothers(fresh, own, &others)
    }

    /// Whose the session is, by the config home that its environment and its transcript name; nobody's where these two
    /// disagree, or where something outranks the login.
    fn session_of(&self, handed: &Handed) -> Option<Session> {
        let home = ClaudeHome::of(&self.host, &self.disk).ok()?;
        let profiles = self.root.profiles();
        let by_transcript = handed.transcript.as_deref().and_then(|path| profile_of(path, &profiles));
        let by_home = profile_of(&home.dir, &profiles);
        let outranked = clauth_claude::outranking(&self.host.env);
        if by_transcript.as_ref().zip(by_home.as_ref()).is_some_and(|((one, _), (other, _))| one != other) {
            return None;
        }
        if let Some((name, dir)) = by_transcript.or_else(|| {
            by_home.filter(|(_, dir)| handed.transcript.as_deref().is_none_or(|path| self.is_in(path, dir)))
        }) {
            let record = self.listed(&name)?;
            let own_token = record.kind == ProfileKind::Token && outranked == ["CLAUDE_CODE_OAUTH_TOKEN"];
            if !(outranked.is_empty() || own_token) {
                return None;
            }
            return self.is_own(&record, &dir).then_some(Session { record, lent: None });
        }
        if !outranked.is_empty() || profile_of(&home.dir, &profiles).is_some() {
            return None;
        }
        if handed.transcript.as_deref().is_some_and(|path| !self.is_in(path, &home.dir)) {
            return None;
        }
        let roster = Roster::read(&self.disk, &self.root).ok()?;
        let record = match home.item {
            None => {
                // What a profile set in the settings may make another one the live profile.
                let over_here = self.disk.vfs.lstat(&self.root.applied()).is_ok();
                self.live_record(&home, &roster, over_here).ok()?.0?
            }
            Some(_) => self.lent_record(&home, &roster)?,
        };
        let lent = record.loan.get().and_then(|loan| loan.at);
        Some(Session { record, lent })
    }

    /// The profile whose login is live where that lies in a Keychain, which a status line does not open: the one that is lent
    /// there, where the state file names its account too.
    fn lent_record(&self, home: &ClaudeHome, roster: &Roster) -> Option<Record> {
        let record = Record::read(&self.disk, &self.root, roster.active.as_ref()?);
        let lent = record.lent_to(&home.real(&self.disk));
        (lent && self.is_named(&record, &home.state)).then_some(record)
    }

    /// Whether a state file names the account of a profile.
    fn is_named(&self, record: &Record, state: &Path) -> bool {
        let state = self.disk.read(state).ok().flatten();
        let named =
            state.and_then(|bytes| clauth_claude::StateFile::parse(bytes).ok()).and_then(|state| state.identity());
        let known = record.identity.as_ref().map(|known| &known.key);
        matches!((named, known), (Some(named), Some(known)) if known.agrees(&crate::AccountKey::of(&named)))
    }

    fn listed(&self, name: &str) -> Option<Record> {
        let roster = Roster::read(&self.disk, &self.root).ok()?;
        roster.names.iter().any(|known| known == name).then(|| Record::read(&self.disk, &self.root, name))
    }

    /// Whether a transcript lies below a config home's `projects`, which in a session's tree is a link.
    fn is_in(&self, transcript: &Path, home: &Path) -> bool {
        let projects = home.join("projects");
        transcript.starts_with(&projects)
            || real_path(&self.disk, transcript).starts_with(real_path(&self.disk, &projects))
    }

    /// Whether the login in a session's directory is still the profile's: another account may have been signed in there.
    fn is_own(&self, record: &Record, dir: &Path) -> bool {
        if record.kind != ProfileKind::Claude {
            return true;
        }
        // All sessions of a profile share the tree's credential, an isolated one included.
        let credential = self.root.profile(&record.name).join("runtime").join(".credentials.json");
        let slot = self.root.slot(&record.name);
        if self.disk.vfs.read_link(&credential).is_ok_and(|target| target == slot) {
            return true;
        }
        let found =
            self.disk.read(&credential).ok().flatten().and_then(|bytes| clauth_claude::AccountPart::parse(bytes).ok());
        let there = match found.map(|part| part.login()) {
            Some(clauth_claude::Found::Login(login)) => Some(login.access_print()),
            _ => None,
        };
        if there.is_some() && there == record.login().map(|login| login.access_print()) {
            return true;
        }
        self.is_named(record, &dir.join(".claude.json"))
    }
}

/// The profile in whose directory a path lies, and the session's directory there.
fn profile_of(path: &Path, profiles: &Path) -> Option<(String, PathBuf)> {
    let mut parts = path.strip_prefix(profiles).ok()?.components();
    let (Component::Normal(name), Component::Normal(dir)) = (parts.next()?, parts.next()?) else { return None };
    let mut session = profiles.join(name).join(dir);
    match dir.to_str()? {
        "runtime" => {}
        "isolated" => session.push(parts.next()?),
        _ => return None,
    }
    Some((name.to_str()?.to_owned(), session))
}

/// Whether a reading says anything that the last one does not.
fn is_worth_it(new: &Line, last: Option<&Line>) -> bool {
    let Some(last) = last else { return true };
    let age = new.at.duration_since(last.at);
    if age < SignedDuration::ZERO {
        return true;
    }
    // A window that is missing now keeps its last figure.
    let before = |id: &String| last.windows.iter().find(|window| window.0 == *id);
    let is_far = |window: &(String, f64, Option<Timestamp>)| {
        before(&window.0).is_none_or(|known| known.2 != window.2 || (known.1 - window.1).abs() >= 1.0)
    };
    let has_moved = || new.windows.iter().any(|window| before(&window.0) != Some(window));
    new.windows.iter().any(is_far) || age >= AGAIN || (age >= SOON && has_moved())
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn what_is_worth_a_line_row_by_row() {
        let at = |seconds: i64| Timestamp::from_second(1_795_190_400 + seconds).expect("a time");
        let line = |seconds, percent, reset| Line {
            at: at(seconds),
            source: Source::Statusline,
            account: None,
            windows: vec![("5h".into(), percent, Some(at(reset)))],
        };
        let last = line(0, 20.0, 900);
        for (name, new, worth) in [
            ("the same at once", line(1, 20.0, 900), false),
            ("the same a while later", line(119, 20.0, 900), false),
            ("the same long after", line(120, 20.0, 900), true),
            ("a little more at once", line(1, 20.4, 900), false),
            ("a little more soon after", line(15, 20.4, 900), true),
            ("a point more at once", line(1, 21.0, 900), true),
            ("begun anew", line(1, 20.0, 1_800), true),
            ("a clock put back", line(-60, 20.0, 900), true),
        ] {
            assert_eq!(is_worth_it(&new, Some(&last)), worth, "{name}");
        }
        assert!(is_worth_it(&last, None), "the first");
    }

    #[test]
    fn a_path_names_the_profile_it_lies_in() {
        let profiles = Path::new("/r/profiles");
        for (path, expected) in [
            ("/r/profiles/work/runtime/projects/p/s.jsonl", Some("work")),
            ("/r/profiles/work/runtime", Some("work")),
            ("/r/profiles/work/isolated/7/projects/p/s.jsonl", Some("work")),
            ("/r/profiles/work/isolated", None),
            ("/r/profiles/work/vault", None),
            ("/r/profiles/work", None),
            ("/r/profiles/../x/runtime", None),
            ("/h/.claude/projects/p/s.jsonl", None),
        ] {
            assert_eq!(profile_of(Path::new(path), profiles).map(|(name, _)| name).as_deref(), expected, "{path}");
        }
    }
}
