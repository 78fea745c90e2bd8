//! Whether a login is ours to renew, and whether its token may be sent: pure functions (R2, R6).

use std::time::Duration;

use clauth_host::Fingerprint;
use jiff::{SignedDuration, Timestamp};

use super::Mark;
use super::mark::Came;
use crate::Custodian;

/// So little time is left when a running `claude` may be spared its own renewal (R2).
const LITTLE: SignedDuration = SignedDuration::from_mins(15);

/// The first pause after a refusal; each further one doubles it (facts §3.3).
const PAUSE: SignedDuration = SignedDuration::from_mins(5);

/// The longest pause.
const LONGEST: SignedDuration = SignedDuration::from_hours(6);

/// Why a login is to be renewed, and what the caller knows of its sessions.
#[derive(Clone, Debug, Default, PartialEq, Eq)]
pub struct Need {
    /// Nothing is done while the access token works longer than this; `None` renews whatever time is left.
    pub unless_left: Option<Duration>,
    /// Sessions of the profile run: Claude Code renews in their tree.
    pub sessions_running: bool,
    /// A bearer copy depends on this login.
    pub bearer_dependents: bool,
    /// The access token that the server no longer takes, whatever its end says. Where the login has another one by now there is
    /// no need.
    pub refused: Option<Fingerprint>,
}

/// R2: whether this family is ours to renew. `left` is how long its access token still works.
pub(super) fn is_ours(custodian: Custodian, running: bool, bearer_dependents: bool, left: SignedDuration) -> bool {
    match custodian {
        Custodian::Store => true,
        Custodian::Live | Custodian::Session => !running || (bearer_dependents && left < LITTLE),
    }
}

/// Why a token may not be sent now.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(super) enum Hold {
    /// Not before this moment.
    Until(Timestamp),
    /// It may be used up: again when the access token has ended, at this moment where that is known, and not before.
    UntilEnd(Option<Timestamp>),
    /// It was sent twice and no answer came.
    ForGood,
}

/// How often a token is sent without any answer: a lost reply allows one retry (R6).
const SENDS: u32 = 2;

/// R6: whether the token that `mark` is about may be sent (again). `end` is when its access token stops working; nothing
/// where it has.
pub(super) fn may_send(mark: Option<&Mark>, end: Option<Timestamp>, now: Timestamp) -> Result<(), Hold> {
    let Some(mark) = mark else { return Ok(()) };
    if mark.lost >= SENDS {
        return Err(Hold::ForGood);
    }
    // A longer pause is none of ours: it was dated by a clock that was ahead.
    match mark.retry_at.filter(|at| *at > now && at.duration_since(now) <= MOST) {
        _ if mark.sends > 0 && end.is_some() => Err(Hold::UntilEnd(end.max(mark.retry_at))),
        Some(at) => Err(Hold::Until(at)),
        None => Ok(()),
    }
}

/// When the token that `mark` is about may be sent again; `None` when never.
pub(super) fn due(mark: &Mark, end: Option<Timestamp>) -> Option<Timestamp> {
    let end = end.filter(|_| mark.sends > 0);
    (mark.lost < SENDS).then_some(end.max(mark.retry_at)).flatten()
}

/// The record of a send that left it open what became of the token. An answer says that somebody is there: it is asked again,
/// ever more rarely. That no answer came is what happens when the pair was made and lost, and counts towards the one retry.
pub(super) fn doubted(
    before: &Mark,
    raised: &Mark,
    came: Option<Came>,
    (asked, now): (Option<Duration>, Timestamp),
) -> Mark {
    let failures = before.failures + 1;
    let lost = if came.is_some() { before.lost } else { raised.lost };
    Mark { lost, came, failures, retry_at: Some(now + pause(failures, asked)), ..raised.clone() }
}

/// The longest that a server is obeyed which asks for a pause.
const MOST: SignedDuration = SignedDuration::from_hours(24);

/// How long to wait after the `failures`-th refusal in a row, or for longer where the server says so.
pub(super) fn pause(failures: u32, asked: Option<Duration>) -> SignedDuration {
    let doubled = PAUSE.checked_mul(1 << failures.saturating_sub(1).min(10)).unwrap_or(LONGEST).min(LONGEST);
    let asked = asked.and_then(|time| SignedDuration::try_from(time).ok()).unwrap_or_default();
    doubled.max(asked.min(MOST))
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn whose_it_is_to_renew_row_by_row() {
        use Custodian::{Live, Session, Store};
        for (name, custodian, running, bearer, minutes, ours) in [
            ("parked", Store, false, false, 300, true),
            ("parked, whatever else runs", Store, true, true, 300, true),
            ("live, nobody runs", Live, false, false, 300, true),
            ("live, nobody runs, long ended", Live, false, false, -900, true),
            ("live and running", Live, true, false, 300, false),
            ("live and running, nearly ended", Live, true, false, 1, false),
            ("live and running, ended", Live, true, false, -1, false),
            ("live and running, a bearer copy, time left", Live, true, true, 15, false),
            ("live and running, a bearer copy, little left", Live, true, true, 14, true),
            ("live and running, a bearer copy, ended", Live, true, true, -1, true),
            ("session, none runs", Session, false, false, 300, true),
            ("session running", Session, true, false, 1, false),
            ("session running, a bearer copy, time left", Session, true, true, 15, false),
            ("session running, a bearer copy, little left", Session, true, true, 14, true),
        ] {
            assert_eq!(is_ours(custodian, running, bearer, SignedDuration::from_mins(minutes)), ours, "{name}");
        }
    }

    fn at(seconds: i64) -> Timestamp {
        Timestamp::UNIX_EPOCH + SignedDuration::from_secs(seconds)
    }

    fn mark(sends: u32, lost: u32, retry_in: Option<i64>) -> Mark {
        let none = Mark::of(Fingerprint::of(b"x"), Timestamp::UNIX_EPOCH);
        Mark { sends, lost, retry_at: retry_in.map(at), ..none }
    }

    #[test]
    fn a_token_is_sent_again_only_when_nothing_is_lost_by_it() {
        let until = |seconds| Err(Hold::Until(at(seconds)));
        let works = Some(at(9));
        for (name, mark, end, expected) in [
            ("never sent", None, works, Ok(())),
            ("declined and long ago", Some(mark(0, 0, Some(0))), works, Ok(())),
            ("declined just now", Some(mark(0, 0, Some(9))), None, until(9)),
            ("paused for longer than anybody asks", Some(mark(0, 0, Some(25 * 3600))), None, Ok(())),
            ("lost, still works", Some(mark(1, 1, None)), works, Err(Hold::UntilEnd(works))),
            (
                "lost, still works, and paused for longer",
                Some(mark(1, 1, Some(20))),
                works,
                Err(Hold::UntilEnd(Some(at(20)))),
            ),
            ("lost, ended", Some(mark(1, 1, None)), None, Ok(())),
            ("lost, ended, later", Some(mark(1, 1, Some(9))), None, until(9)),
            ("lost twice", Some(mark(2, 2, None)), None, Err(Hold::ForGood)),
            ("lost twice, later", Some(mark(2, 2, Some(9))), None, Err(Hold::ForGood)),
            ("answered with trouble, still works", Some(mark(3, 0, Some(0))), works, Err(Hold::UntilEnd(works))),
            ("answered with trouble, ended", Some(mark(3, 0, Some(0))), None, Ok(())),
            ("answered with trouble, ended just now", Some(mark(3, 0, Some(9))), None, until(9)),
            ("lost, then answered with trouble", Some(mark(2, 1, Some(0))), None, Ok(())),
        ] {
            assert_eq!(may_send(mark.as_ref(), end, Timestamp::UNIX_EPOCH), expected, "{name}");
        }
    }

    #[test]
    fn when_a_token_is_due_again_row_by_row() {
        for (name, mark, end, expected) in [
            ("declined: the end is no matter", mark(0, 0, Some(9)), Some(at(20)), Some(at(9))),
            ("in doubt: at the end", mark(1, 1, Some(9)), Some(at(20)), Some(at(20))),
            ("in doubt: at the pause's end", mark(1, 0, Some(9)), Some(at(2)), Some(at(9))),
            ("lost twice: never", mark(2, 2, Some(9)), Some(at(2)), None),
        ] {
            assert_eq!(due(&mark, end), expected, "{name}");
        }
    }

    /// An hour of a server that answers with 500 must not end a login; a line that swallows answers gets one retry.
    #[test]
    fn trouble_in_answers_is_waited_out_and_silence_is_not() {
        let status = Some(Came::Status(500));
        for (name, came, lost) in [
            ("answers", vec![status; 5], 0),
            ("silence once", vec![None, status, status], 1),
            ("silence twice", vec![status, None, status, None], 2),
        ] {
            let mut mark = mark(0, 0, None);
            for came in &came {
                mark = doubted(&mark, &mark.raise(at(0)), *came, (None, at(0)));
            }
            let (sends, pauses) = (u32::try_from(came.len()).expect("few"), pause(mark.failures, None));
            assert_eq!((mark.sends, mark.lost, mark.failures), (sends, lost, sends), "{name}");
            assert_eq!(mark.retry_at, Some(at(0) + pauses), "{name}");
            assert_eq!(may_send(Some(&mark), None, at(24 * 3600)) == Err(Hold::ForGood), lost == 2, "{name}");
        }
    }

    #[test]
    fn pauses_double_and_end() {
        for (failures, asked, minutes) in
            [(1, None, 5), (2, None, 10), (3, None, 20), (9, None, 360), (99, None, 360), (1, Some(720), 12)]
        {
            let pause = pause(failures, asked.map(Duration::from_secs));
            assert_eq!(pause, SignedDuration::from_mins(minutes), "{failures}");
        }
    }
}
