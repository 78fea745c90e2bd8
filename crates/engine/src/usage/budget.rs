//! How many requests were made for an account, and whether one more may be: a pure ledger, and its file (design §5).
//!
//! A request is written down before it is made, so that a process killed in between has made one too few and never one too
//! many. The ledger is counted across processes, and profile requests count too.

use std::path::Path;

use clauth_durable::{Disk, Mode};
use jiff::{SignedDuration, Timestamp};
use serde_json::{Value, json};

use super::Budget;

/// In any 60 minutes.
pub(crate) const LIMIT: usize = 20;

/// So many of them does the ordinary plan use: the rest is for an account near its line, and for who asks by hand.
const PLAN: usize = 12;

/// What is counted: an hour, and a minute more for what was a while on its way to the server.
const SPAN: SignedDuration = SignedDuration::from_mins(61);

/// The process that polls an account, and until when it is taken at its word.
#[derive(Clone, Debug, PartialEq, Eq)]
pub(crate) struct Lease {
    pub(crate) pid: u32,
    /// Tells it from a later process of the same number.
    pub(crate) start: Option<String>,
    pub(crate) until: Timestamp,
}

/// The requests of an account.
#[derive(Clone, Debug, Default, PartialEq, Eq)]
pub(crate) struct Ledger {
    /// Those for readings.
    requests: Vec<Timestamp>,
    /// Those for identities, which say nothing of when a reading is due.
    look_ups: Vec<Timestamp>,
    pub(crate) lease: Option<Lease>,
}

impl Ledger {
    pub(crate) fn read(disk: &Disk, path: &Path) -> Result<Self, clauth_durable::Error> {
        Ok(disk.read(path)?.map_or_else(Self::default, |bytes| Self::parse(&bytes)))
    }

    /// A file that cannot be understood may hide requests; it is only written whole, so it holds none of ours.
    fn parse(bytes: &[u8]) -> Self {
        let file: Value = serde_json::from_slice(bytes).unwrap_or_default();
        let time = |value: &Value| value.as_str()?.parse().ok();
        let lease = file.get("lease").and_then(|lease| {
            Some(Lease {
                pid: lease.get("pid")?.as_u64()?.try_into().ok()?,
                start: lease.get("start").and_then(Value::as_str).map(str::to_owned),
                until: time(lease.get("until")?)?,
            })
        });
        let times =
            |key: &str| file.get(key).and_then(Value::as_array).into_iter().flatten().filter_map(time).collect();
        Self { requests: times("requests"), look_ups: times("look_ups"), lease }
    }

    pub(crate) fn write(&self, disk: &Disk, path: &Path) -> Result<(), clauth_durable::Error> {
        let texts = |times: &[Timestamp]| times.iter().map(Timestamp::to_string).collect::<Vec<_>>();
        let lease = self
            .lease
            .as_ref()
            .map(|lease| json!({"pid": lease.pid, "start": lease.start, "until": lease.until.to_string()}));
        let file = json!({
            "schema": 1, "requests": texts(&self.requests), "look_ups": texts(&self.look_ups), "lease": lease,
        });
        disk.replace(path, &crate::json::bytes(&file), Mode::Private)
    }

    /// Those that count at `now`, oldest first. A clock that was put back left stamps ahead of it; they count from now on.
    fn counted(&self, now: Timestamp) -> Vec<Timestamp> {
        let mut counted = recent(&self.requests, now);
        counted.extend(recent(&self.look_ups, now));
        counted.sort_unstable();
        counted
    }

    /// Whether a clock that was put back left stamps ahead of it.
    pub(crate) fn is_ahead(&self, now: Timestamp) -> bool {
        self.requests.iter().chain(&self.look_ups).any(|at| *at > now)
    }

    /// Lets stamps that are ahead of the clock be of this moment, so that they grow old from now on; whether there were any.
    pub(crate) fn settle(&mut self, now: Timestamp) -> bool {
        let ahead = self.is_ahead(now);
        if ahead {
            (self.requests, self.look_ups) = (recent(&self.requests, now), recent(&self.look_ups, now));
        }
        ahead
    }

    /// The last request for a reading.
    pub(crate) fn last(&self, now: Timestamp) -> Option<Timestamp> {
        recent(&self.requests, now).into_iter().max()
    }

    /// The last request of either kind.
    pub(crate) fn last_of_all(&self, now: Timestamp) -> Option<Timestamp> {
        self.counted(now).last().copied()
    }

    /// How many were made, and when the next may be.
    pub(crate) fn budget(&self, now: Timestamp) -> Budget {
        let counted = self.counted(now);
        Budget { used: counted.len(), limit: LIMIT, next_at: below(&counted, LIMIT) }
    }

    /// When the ordinary plan has the next; `None` where that is now.
    pub(crate) fn planned(&self, now: Timestamp) -> Option<Timestamp> {
        below(&self.counted(now), PLAN)
    }

    /// Writes one more down, if it may be made.
    ///
    /// # Errors
    /// It may not; when the next may be.
    pub(crate) fn take(&mut self, now: Timestamp) -> Result<(), Timestamp> {
        self.free(now)?;
        self.requests.push(now);
        Ok(())
    }

    /// The same for a look-up of an identity.
    ///
    /// # Errors
    /// As there.
    pub(crate) fn take_look_up(&mut self, now: Timestamp) -> Result<(), Timestamp> {
        self.free(now)?;
        self.look_ups.push(now);
        Ok(())
    }

    /// Forgets what no longer counts, and fails while no more may be made.
    fn free(&mut self, now: Timestamp) -> Result<(), Timestamp> {
        (self.requests, self.look_ups) = (recent(&self.requests, now), recent(&self.look_ups, now));
        self.budget(now).next_at.map_or(Ok(()), Err)
    }

    /// A ledger of these look-ups.
    pub(crate) fn of(look_ups: impl IntoIterator<Item = Timestamp>) -> Self {
        Self { look_ups: look_ups.into_iter().collect(), ..Self::default() }
    }

    /// Takes over the requests of another ledger that turned out to be of the same account; those that it took over before are
    /// not counted twice.
    pub(crate) fn absorb(&mut self, other: &Self, now: Timestamp) {
        let mut left = self.counted(now);
        for at in other.counted(now) {
            match left.iter().position(|known| *known == at) {
                Some(place) => drop(left.swap_remove(place)),
                None => self.look_ups.push(at),
            }
        }
        self.look_ups = recent(&self.look_ups, now);
    }
}

/// When fewer than `limit` of these will count; `None` where that is so now.
fn below(counted: &[Timestamp], limit: usize) -> Option<Timestamp> {
    let oldest = counted.len().checked_sub(limit).and_then(|at| counted.get(at))?;
    oldest.checked_add(SPAN + SignedDuration::from_secs(1)).ok()
}

/// Those that count at `now`, oldest first.
fn recent(times: &[Timestamp], now: Timestamp) -> Vec<Timestamp> {
    let mut recent: Vec<Timestamp> = times.iter().map(|at| (*at).min(now)).collect();
    recent.retain(|at| now.duration_since(*at) <= SPAN);
    recent.sort_unstable();
    recent
}

#[cfg(test)]
mod tests {
    use proptest::prelude::*;

    use super::*;

    fn at(seconds: i64) -> Timestamp {
        Timestamp::from_second(1_795_190_400 + seconds).expect("a time")
    }

    fn place() -> (Disk, clauth_sandbox::World) {
        let disk = Disk::new(clauth_host::Clock::system(), clauth_host::Random::system());
        (disk, clauth_sandbox::World::new("budget"))
    }

    /// A process comes, reads the file, asks and goes: everything that is known is on disk.
    fn one_process(disk: &Disk, path: &Path, now: Timestamp) -> bool {
        let mut ledger = Ledger::read(disk, path).expect("read");
        let taken = ledger.take(now).is_ok();
        ledger.write(disk, path).expect("written");
        taken
    }

    #[test]
    fn the_twenty_first_waits_for_the_first_to_be_an_hour_old() {
        let mut ledger = Ledger::default();
        for second in 0..20 {
            assert_eq!(ledger.budget(at(second)).next_at, None);
            assert_eq!(ledger.take(at(second)), Ok(()), "{second}");
        }
        let next = at(61 * 60 + 1);
        assert_eq!(ledger.take(at(20)), Err(next));
        assert_eq!(ledger.budget(at(20)), Budget { used: 20, limit: 20, next_at: Some(next) });
        assert_eq!(ledger.take(next), Ok(()));
    }

    #[test]
    fn the_file_says_the_same_to_every_process() {
        let (disk, world) = place();
        let path = world.root().join("a.json");
        let taken = (0..30).filter(|second| one_process(&disk, &path, at(*second))).count();
        assert_eq!(taken, LIMIT);
        for (name, bytes) in
            [("nothing", &b""[..]), ("a list", b"[]"), ("odd entries", b"{\"requests\":[1,\"x\",null]}")]
        {
            assert_eq!(Ledger::parse(bytes), Ledger::default(), "{name}");
        }
        let lease = Lease { pid: 7, start: Some("9".into()), until: at(5) };
        let ledger = Ledger { requests: vec![at(0)], look_ups: vec![at(1)], lease: Some(lease) };
        ledger.write(&disk, &path).expect("written");
        assert_eq!(Ledger::read(&disk, &path).expect("read"), ledger);
    }

    #[test]
    fn a_clock_that_is_put_back_blocks_nobody_for_longer_than_an_hour() {
        let mut ledger = Ledger::default();
        for second in 0..20 {
            ledger.take(at(400 * 24 * 3600 + second)).expect("free");
        }
        assert_eq!(ledger.clone().take(at(0)), Err(at(61 * 60 + 1)), "they still count");
        assert_eq!(ledger.counted(at(0)).len(), 20);
        assert_eq!(ledger.clone().take(at(40 * 60)), Err(at(101 * 60 + 1)), "unsettled, they never grow old");
        assert!(ledger.settle(at(0)) && !ledger.settle(at(0)), "once is enough");
        assert_eq!(ledger.take(at(40 * 60)), Err(at(61 * 60 + 1)));
        assert_eq!(ledger.take(at(61 * 60 + 2)), Ok(()));
    }

    #[test]
    fn what_is_taken_over_counts_once() {
        type Row<'r> = (&'r str, &'r [i64], &'r [i64], &'r [i64]);
        let rows: [Row<'_>; 6] = [
            ("nothing", &[], &[], &[]),
            ("from nothing", &[1], &[], &[1]),
            ("into nothing", &[], &[1, 2], &[1, 2]),
            ("between", &[1, 3], &[2], &[1, 2, 3]),
            ("again", &[1, 2, 3], &[2, 3], &[1, 2, 3]),
            ("two at one moment", &[5], &[5, 5], &[5, 5]),
        ];
        for (name, own, other, expected) in rows {
            let of = |seconds: &[i64]| Ledger::of(seconds.iter().map(|second| at(*second)));
            let mut ledger = of(own);
            ledger.absorb(&of(other), at(10));
            assert_eq!(ledger.counted(at(10)), of(expected).counted(at(10)), "{name}");
        }
        let mut ledger = Ledger::default();
        ledger.absorb(&Ledger::of([at(-4000)]), at(0));
        assert_eq!(ledger.counted(at(0)), [], "an hour is over");
    }

    proptest! {
        /// Whoever asks, how often and with whatever pauses, in any mix of processes that end and begin anew: in no 60
        /// minutes are there more than twenty.
        #[test]
        fn no_hour_has_more_than_twenty(
            steps in prop::collection::vec((0_i64..1200, 1_usize..12, any::<bool>()), 1..80),
        ) {
            let mut ledger = Ledger::default();
            let (mut now, mut made) = (0, Vec::new());
            for (index, (pause, tries, restart)) in steps.into_iter().enumerate() {
                now += pause;
                if restart {
                    ledger = Ledger::parse(&crate::json::bytes(&json!({
                        "requests": ledger.requests.iter().map(Timestamp::to_string).collect::<Vec<_>>(),
                        "look_ups": ledger.look_ups.iter().map(Timestamp::to_string).collect::<Vec<_>>(),
                    })));
                }
                for _ in 0..tries {
                    let taken = if index % 3 == 0 { ledger.take_look_up(at(now)) } else { ledger.take(at(now)) };
                    if taken.is_ok() {
                        made.push(now);
                    }
                }
            }
            for (index, first) in made.iter().enumerate() {
                let within = made[index..].iter().filter(|at| **at - first <= 3600).count();
                prop_assert!(within <= LIMIT, "{within} from {first} on: {made:?}");
            }
        }
    }
}
