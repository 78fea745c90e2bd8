//! One process polls, all others read what it stores. Who polls holds a lease, which is written anew with each poll, so that
//! nothing is written between two. It is one for all accounts: two processes that polled an account each would ask one host
//! at the same moment.

use std::sync::mpsc::{Receiver, RecvTimeoutError};
use std::time::Duration;

use clauth_durable::lock::{process_lives, process_start};
use jiff::{SignedDuration, Timestamp};

use super::ask::{Asked, Manner};
use super::budget::{Lease, Ledger};
use super::schedule::{self, Facts};
use super::target::Target;
use crate::{Engine, Error};

/// Between two requests to one host.
const APART: Duration = Duration::from_secs(5);

/// Where the lease stands, beside the counts of requests: no account is called so.
const POLLER: &str = "poller";

/// After so long everything is looked at anew: profiles come and go, others poll, readings come from status lines.
const LOOK: Duration = Duration::from_secs(30);

/// A lease is good for so long beyond the next poll.
const BEYOND: SignedDuration = SignedDuration::from_mins(1);

/// So much more time on the wall than by our own count means that the machine slept.
const SLEPT: SignedDuration = SignedDuration::from_secs(30);

/// After a sleep there is at most one request an account for so long: the network comes back, and so does everybody else.
const AWAKE: SignedDuration = SignedDuration::from_mins(1);

/// Time on the wall beside our own, to notice a sleep.
struct Watch {
    wall: Timestamp,
    own: Duration,
    woke: Option<Timestamp>,
}

impl Watch {
    /// Whether the machine woke less than a minute ago.
    fn is_just_awake(&mut self, wall: Timestamp, own: Duration) -> bool {
        let counted = SignedDuration::try_from(own.saturating_sub(self.own)).unwrap_or(SignedDuration::ZERO);
        if wall.duration_since(self.wall) > counted + SLEPT {
            self.woke = Some(wall);
        }
        (self.wall, self.own) = (wall, own);
        self.woke.is_some_and(|woke| wall.duration_since(woke).abs() < AWAKE)
    }
}

/// Whether somebody else polls: a process that lives, and whose time is not over.
pub(super) fn is_leased(ledger: &Ledger, now: Timestamp, own: u32, lives: impl Fn(&Lease) -> bool) -> bool {
    ledger.lease.as_ref().is_some_and(|lease| lease.pid != own && lease.until > now && lives(lease))
}

impl Engine {
    /// Polls every account when it is due, until told to stop, or until whoever tells is gone. Nothing is written while
    /// nothing is due.
    ///
    /// # Errors
    /// Our own files, or the home, cannot be read.
    pub fn poll(&self, stop: &Receiver<()>) -> Result<(), Error> {
        let mut watch = Watch { wall: self.host.clock.now(), own: self.host.clock.monotonic(), woke: None };
        loop {
            let awake = watch.is_just_awake(self.host.clock.now(), self.host.clock.monotonic());
            let wait = self.poll_once(awake)?;
            match stop.recv_timeout(wait) {
                Err(RecvTimeoutError::Timeout) => {}
                Ok(()) | Err(RecvTimeoutError::Disconnected) => return Ok(()),
            }
        }
    }

    /// Asks about the one account that has been due for longest, if any; answers how long to wait. `just_awake` after a
    /// sleep, when an account may be asked about once and no more.
    ///
    /// # Errors
    /// Our own files, or the home, cannot be read.
    pub fn poll_once(&self, just_awake: bool) -> Result<Duration, Error> {
        let snapshot = self.snapshot_to_show()?;
        let now = self.host.clock.now();
        if !snapshot.settings.network || self.is_polled(&self.poll_ledger(POLLER, now)?, now) {
            return Ok(LOOK);
        }
        let (mut targets, mut last) = (Vec::new(), None);
        for target in self.targets(&snapshot)?.into_iter().filter(|target| target.means().is_ok()) {
            let ledger = self.poll_ledger(&target.account, now)?;
            last = last.max(ledger.last_of_all(now));
            targets.push((self.poll_due(&target, &ledger, (now, just_awake)), target));
        }
        targets.sort_by_key(|(due, _)| *due);
        let mut targets = targets.into_iter();
        let Some((due, target)) = targets.next() else { return Ok(LOOK) };
        let second = targets.next().map(|(due, _)| due);
        // Whoever made the last request, and about whichever account: it went to the same host.
        let due = last.and_then(|last| last.checked_add(APART).ok()).map_or(due, |apart| due.max(apart));
        if due > now {
            return Ok(Duration::try_from(due.duration_since(now)).unwrap_or(LOOK).min(LOOK));
        }
        if !self.take_lease(now)? {
            return Ok(LOOK);
        }
        let manner = Manner { network: true, plan: !just_awake, once: just_awake, apart: Some(APART) };
        let tried = self.ask_all(std::slice::from_ref(&target), manner);
        self.take_lease(self.next_poll(&target, second, just_awake)?)?;
        let held = tried.iter().any(|tried| matches!(tried.asked, Asked::Held(_) | Asked::Off));
        Ok(if held { LOOK } else { APART })
    }

    /// The requests of an account. After a clock was put back their stamps are set right, or nothing would ever be due.
    fn poll_ledger(&self, account: &str, now: Timestamp) -> Result<Ledger, Error> {
        let read = || Ledger::read(&self.disk, &self.root.poll(account)).unwrap_or_default();
        let ledger = read();
        if !ledger.is_ahead(now) {
            return Ok(ledger);
        }
        self.with_ledger(account, |ledger, _| (ledger.clone(), false))
    }

    /// Whether another process polls.
    fn is_polled(&self, ledger: &Ledger, now: Timestamp) -> bool {
        let lives = |lease: &Lease| process_lives(&self.disk, lease.pid, lease.start.as_deref());
        is_leased(ledger, now, std::process::id(), lives)
    }

    /// When an account is due.
    fn poll_due(&self, target: &Target, ledger: &Ledger, (now, just_awake): (Timestamp, bool)) -> Timestamp {
        let shelf = target.shelf(self);
        let reading = shelf.reading();
        let how = super::policy::Use { moving: shelf.cache().is_some_and(|cache| cache.moving), ..target.how };
        let last = ledger.last(now);
        let jitter = schedule::jitter(last, &target.account);
        let (budget, planned) = (ledger.budget(now), ledger.planned(now));
        let facts = Facts { reading: reading.as_ref(), how, last, budget, planned, jitter };
        let due = schedule::due(&facts, now);
        let recently = |at: Timestamp| now.duration_since(at) < AWAKE;
        let waits = last.filter(|at| just_awake && recently(*at)).and_then(|last| last.checked_add(AWAKE).ok());
        waits.map_or(due, |at| at.max(due))
    }

    /// When any account is due next: the one that was just asked about, or the one that is due at `second`.
    fn next_poll(&self, target: &Target, second: Option<Timestamp>, just_awake: bool) -> Result<Timestamp, Error> {
        let now = self.host.clock.now();
        let again = self.poll_due(target, &self.poll_ledger(&target.account, now)?, (now, just_awake));
        // A profile that comes meanwhile does not wait for one that is asked about in days.
        let longest = SignedDuration::try_from(target.how.pace.parked * 2).unwrap_or(BEYOND);
        let next = second.map_or(again, |second| second.min(again));
        Ok(next.clamp(now, now.checked_add(longest).unwrap_or(now).max(now)))
    }

    /// Takes the lease until somebody is due at `next`, and for as long as the requests may take then, unless somebody else was
    /// quicker. A poller that is stopped keeps the others waiting for no longer.
    fn take_lease(&self, next: Timestamp) -> Result<bool, Error> {
        let own = std::process::id();
        self.with_ledger(POLLER, |ledger, now| {
            if self.is_polled(ledger, now) {
                return (false, false);
            }
            let until = next.checked_add(BEYOND).unwrap_or(next);
            ledger.lease = Some(Lease { pid: own, start: process_start(&self.disk, own), until });
            (true, true)
        })
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    fn at(seconds: i64) -> Timestamp {
        Timestamp::from_second(1_795_190_400 + seconds).expect("a time")
    }

    #[test]
    fn whose_turn_it_is_row_by_row() {
        let lease = |pid, until| Some(Lease { pid, start: None, until: at(until) });
        for (name, lease, alive, leased) in [
            ("nobody's", None, true, false),
            ("another's", lease(2, 60), true, true),
            ("our own", lease(1, 60), true, false),
            ("a dead one's", lease(2, 60), false, false),
            ("one that is over", lease(2, -1), true, false),
        ] {
            let mut ledger = Ledger::default();
            ledger.lease = lease;
            assert_eq!(is_leased(&ledger, at(0), 1, |_| alive), leased, "{name}");
        }
    }

    #[test]
    fn a_sleep_is_noticed_for_a_minute() {
        let seconds = Duration::from_secs;
        let mut watch = Watch { wall: at(0), own: seconds(0), woke: None };
        for (name, wall, own, awake) in [
            ("as ever", 30, 30, false),
            ("a little late", 75, 60, false),
            ("slept an hour", 3_700, 85, true),
            ("soon after", 3_730, 115, true),
            ("a minute after", 3_761, 146, false),
            ("a clock put back", 100, 176, false),
        ] {
            assert_eq!(watch.is_just_awake(at(wall), seconds(own)), awake, "{name}");
        }
    }
}
