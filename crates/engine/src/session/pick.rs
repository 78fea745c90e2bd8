//! `start --auto`: the account with the most room, by the readings that are there. Nobody is asked (design §5).

use jiff::Timestamp;

use crate::error::Kind;
use crate::profile::{ProfileKind, State};
use crate::view::Account;
use crate::{Engine, Error};

/// The account that was picked, and by what.
#[derive(Clone, Debug, PartialEq)]
pub struct Roomiest {
    /// The profile.
    pub name: String,
    /// How much of its fullest window is used, in percent.
    pub percent: f64,
    /// That window, for people.
    pub window: String,
    /// When that was so, where it is known.
    pub as_of: Option<Timestamp>,
    /// Whether the reading is to be believed: neither too old nor frozen by a throttle.
    pub fresh: bool,
}

impl Engine {
    /// The enabled account with the most room by cached readings.
    ///
    /// # Errors
    /// No account is known to have room, or our own files, or the home, cannot be read.
    pub fn roomiest(&self) -> Result<Roomiest, Error> {
        let now = self.host.clock.now();
        let accounts = self.list()?.accounts;
        let known: Vec<Roomiest> = accounts.iter().filter_map(|account| candidate(account, now)).collect();
        pick(known).ok_or_else(|| {
            let what = "no enabled account is known to have room";
            Error::refused(Kind::Nothing, what, "the cached readings", &["clauth usage --refresh", "clauth start NAME"])
        })
    }
}

/// What an account brings to the choice; `None` for one that a session cannot use, or of which no figure holds: nothing
/// reported is not 0 %.
fn candidate(account: &Account, now: Timestamp) -> Option<Roomiest> {
    let usable =
        account.enabled && account.kind == ProfileKind::Claude && matches!(account.state, State::Ok | State::Expired);
    let reading = account.usage.as_ref().filter(|_| usable)?;
    let worst = reading.worst(now)?;
    Some(Roomiest {
        name: account.name.clone(),
        percent: worst.percent,
        window: worst.label.clone(),
        as_of: worst.as_of.or(reading.as_of),
        fresh: reading.is_fresh(now),
    })
}

/// The fullest window is what stops the work first, so the one whose fullest has the most left; those to be believed before
/// the others, none that is used up. Of equals the first in the user's order.
fn pick(mut known: Vec<Roomiest>) -> Option<Roomiest> {
    known.retain(|one| one.percent < 100.0);
    known.into_iter().min_by(|a, b| b.fresh.cmp(&a.fresh).then(a.percent.total_cmp(&b.percent)))
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn the_most_room_is_picked() {
        type Row<'a> = (&'a str, &'a [(&'a str, f64, bool)], Option<&'a str>);
        let rows: [Row<'_>; 9] = [
            ("nobody", &[], None),
            ("one", &[("a", 99.9, true)], Some("a")),
            ("the emptier", &[("a", 50.0, true), ("b", 49.0, true)], Some("b")),
            ("equals: the first", &[("a", 5.0, true), ("b", 5.0, true)], Some("a")),
            ("spent", &[("a", 100.0, true), ("b", 99.0, true)], Some("b")),
            ("all spent", &[("a", 100.0, true), ("b", 130.0, false)], None),
            ("stale ranks below", &[("a", 1.0, false), ("b", 90.0, true)], Some("b")),
            ("stale is better than spent", &[("a", 80.0, false), ("b", 100.0, true)], Some("a")),
            ("no number", &[("a", f64::NAN, true), ("b", 99.0, false)], Some("b")),
        ];
        for (name, given, expected) in rows {
            let known = given.iter().map(|(name, percent, fresh)| Roomiest {
                name: (*name).to_owned(),
                percent: *percent,
                window: "5h".to_owned(),
                as_of: None,
                fresh: *fresh,
            });
            assert_eq!(pick(known.collect()).map(|one| one.name).as_deref(), expected, "{name}");
        }
    }
}
