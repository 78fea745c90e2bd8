//! Whether a login is ours to renew, and whether its token may be sent: pure functions (R2, R6).

use std::time::Duration;

use jiff::{SignedDuration, Timestamp};

use super::Mark;
use crate::Custodian;

/// So little time is left when a running `claude` may be spared its own renewal (R2).
const LITTLE: SignedDuration = SignedDuration::from_mins(15);

/// The first pause after a refusal; each further one doubles it (facts §3.3).
const PAUSE: SignedDuration = SignedDuration::from_mins(5);

/// The longest pause.
const LONGEST: SignedDuration = SignedDuration::from_hours(6);

/// Why a login is to be renewed, and what the caller knows of its sessions.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq)]
pub struct Need {
    /// Nothing is done while the access token works longer than this; `None` renews whatever time is left.
    pub unless_left: Option<Duration>,
    /// Sessions of the profile run: Claude Code renews in their tree.
    pub sessions_running: bool,
    /// A bearer copy depends on this login.
    pub bearer_dependents: bool,
    /// The server no longer takes the access token, whatever its end says.
    pub refused: bool,
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
    /// It was sent and no answer came: once more when the access token has ended, and not before.
    UntilEnd,
    /// It was sent twice and no answer came.
    ForGood,
}

/// R6: whether the token that `mark` is about may be sent (again); `ended` once its access token no longer works.
pub(super) fn may_send(mark: Option<&Mark>, ended: bool, now: Timestamp) -> Result<(), Hold> {
    let Some(mark) = mark else { return Ok(()) };
    match mark.sends {
        0 | 1 if mark.retry_at.is_some_and(|at| at > now) => Err(Hold::Until(mark.retry_at.unwrap_or(now))),
        0 => Ok(()),
        1 if ended => Ok(()),
        1 => Err(Hold::UntilEnd),
        _ => Err(Hold::ForGood),
    }
}

/// How long to wait after the `failures`-th refusal in a row, or for longer where the server says so.
pub(super) fn pause(failures: u32, asked: Option<Duration>) -> SignedDuration {
    let doubled = PAUSE.checked_mul(1 << failures.saturating_sub(1).min(10)).unwrap_or(LONGEST).min(LONGEST);
    let asked = asked.and_then(|time| SignedDuration::try_from(time).ok()).unwrap_or_default();
    doubled.max(asked.min(SignedDuration::from_hours(24)))
}

#[cfg(test)]
mod tests {
    use clauth_host::Fingerprint;

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

    fn mark(sends: u32, retry_in: Option<i64>) -> Mark {
        let retry_at = retry_in.map(|seconds| Timestamp::UNIX_EPOCH + SignedDuration::from_secs(seconds));
        Mark { token: Fingerprint::of(b"x"), at: Timestamp::UNIX_EPOCH, sends, failures: 0, retry_at }
    }

    #[test]
    fn a_token_is_sent_again_once_and_only_when_nothing_else_works() {
        let until = |seconds| Hold::Until(Timestamp::UNIX_EPOCH + SignedDuration::from_secs(seconds));
        for (name, mark, ended, expected) in [
            ("never sent", None, false, Ok(())),
            ("refused and long ago", Some(mark(0, Some(0))), false, Ok(())),
            ("refused just now", Some(mark(0, Some(9))), true, Err(until(9))),
            ("lost, still works", Some(mark(1, None)), false, Err(Hold::UntilEnd)),
            ("lost, ended", Some(mark(1, None)), true, Ok(())),
            ("lost, ended, later", Some(mark(1, Some(9))), true, Err(until(9))),
            ("lost twice", Some(mark(2, None)), true, Err(Hold::ForGood)),
            ("lost twice, later", Some(mark(2, Some(9))), true, Err(Hold::ForGood)),
        ] {
            assert_eq!(may_send(mark.as_ref(), ended, Timestamp::UNIX_EPOCH), expected, "{name}");
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
