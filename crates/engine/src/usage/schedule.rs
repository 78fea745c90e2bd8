//! When an account is asked about next: a pure function of what is known of it (design §5).

use std::time::Duration;

use jiff::{SignedDuration, Timestamp};

use super::{Budget, Reading, Source, Window, policy};

/// How long after its reset a used-up account is asked again: the server lags.
const GRACE: SignedDuration = SignedDuration::from_secs(15);

/// After a failure that names no time.
const AGAIN: Duration = Duration::from_secs(2 * 60);

/// For so long it is asked again sooner than usual.
const SOON: SignedDuration = SignedDuration::from_mins(10);

/// What is known.
#[derive(Clone, Copy, Debug)]
pub(crate) struct Facts<'a> {
    pub(crate) reading: Option<&'a Reading>,
    pub(crate) how: policy::Use,
    /// The last request, whoever made it.
    pub(crate) last: Option<Timestamp>,
    pub(crate) budget: Budget,
    /// When the hour has room for it in the ordinary plan.
    pub(crate) planned: Option<Timestamp>,
    /// From -1 to 1: so that not all ask at once.
    pub(crate) jitter: f64,
}

/// When the next request is due; now, or before, where it is.
pub(crate) fn due(facts: &Facts<'_>, now: Timestamp) -> Timestamp {
    let held = policy::standing(facts.reading.and_then(|reading| reading.retry_at), now);
    let not_before = [held, facts.budget.next_at].into_iter().flatten().max();
    let regular = facts.last.map_or(now, |last| regular(facts, last, now));
    not_before.map_or(regular, |at| at.max(regular))
}

/// By the interval, from the last request on. A clock that was put back makes nobody wait for longer than one.
fn regular(facts: &Facts<'_>, last: Timestamp, now: Timestamp) -> Timestamp {
    let later = |from: Timestamp, time: SignedDuration| from.checked_add(time).unwrap_or(Timestamp::MAX);
    let last = last.min(now);
    let usual = policy::interval(facts.reading, &facts.how, now);
    // Whoever asked was killed before anything was stored.
    let Some(reading) = facts.reading else { return later(last, jittered(AGAIN.min(usual), facts.jitter)) };
    if reading.error.is_some() && reading.error_at >= reading.as_of {
        let wait = if lasts(reading, usual) { usual } else { AGAIN.min(usual) };
        return later(last, jittered(wait, facts.jitter));
    }
    if let Some(reset) = reading.spent_until(now) {
        return later(reset, GRACE);
    }
    // One that began anew since it was read has no value until somebody asks.
    if let Some(reset) = reading.windows.iter().filter_map(|window| window.resets_at).filter(|at| *at <= now).max() {
        let asked_since = last > later(reset, GRACE);
        return if asked_since { later(last, jittered(usual, facts.jitter)) } else { later(reset, GRACE) };
    }
    let handed = |at: &Timestamp| later(*at, jittered(usual, facts.jitter));
    let statusline = reading.windows.iter().filter(|window| window.source == Source::Statusline);
    match statusline.filter_map(|window| window.as_of).max() {
        // All that there is comes without a request.
        Some(at) if reading.windows.iter().all(|window| window.source == Source::Statusline) => handed(&at.max(last)),
        Some(at) if now.duration_since(at) < SignedDuration::try_from(usual).unwrap_or(SignedDuration::MAX) => {
            let handed = |window: &Window| window.source == Source::Statusline;
            let beside = policy::interval_beside(reading, &handed, &facts.how, now);
            later(last, jittered(beside, facts.jitter))
        }
        _ => {
            let next = later(last, jittered(usual, facts.jitter));
            // By what the jitter takes away and the look at the plan adds, an hour would have more than its twelve.
            facts.planned.filter(|_| usual >= policy::ACTIVE).map_or(next, |planned| planned.max(next))
        }
    }
}

/// Whether nothing came for so long that asking more often than usual does not help: requests that fail count too, and
/// there must be some left when the trouble is over.
fn lasts(reading: &Reading, usual: Duration) -> bool {
    let long = SignedDuration::try_from(usual).unwrap_or(SignedDuration::MAX).saturating_add(SOON);
    let (Some(error_at), Some(as_of)) = (reading.error_at, reading.as_of) else { return true };
    error_at.duration_since(as_of) > long
}

/// From -1 to 1: the same for everybody who asks about this account after this request, so that looking again changes nothing.
pub(crate) fn jitter(last: Option<Timestamp>, account: &str) -> f64 {
    let seed = last.map_or(0, Timestamp::as_second).unsigned_abs() ^ u64::from_str_radix(account, 16).unwrap_or(0);
    f64::from(u8::try_from(seed.wrapping_mul(0x9E37_79B9_7F4A_7C15) >> 56).unwrap_or(0)) / 127.5 - 1.0
}

/// Within a tenth.
fn jittered(time: Duration, jitter: f64) -> SignedDuration {
    let share = 1.0 + 0.1 * jitter.clamp(-1.0, 1.0);
    SignedDuration::try_from(time.mul_f64(share)).unwrap_or(SignedDuration::MAX)
}

#[cfg(test)]
mod tests {
    use proptest::prelude::*;

    use super::super::Trouble;
    use super::super::budget::{LIMIT, Ledger};
    use super::*;

    fn at(seconds: i64) -> Timestamp {
        Timestamp::from_second(1_795_190_400 + seconds).expect("a time")
    }

    fn window(id: &str, percent: f64, reset: i64, (source, as_of): (Source, i64)) -> Window {
        Window {
            id: id.into(),
            label: id.into(),
            percent,
            resets_at: Some(at(reset)),
            binding: false,
            as_of: Some(at(as_of)),
            every: policy::ACTIVE,
            source,
        }
    }

    fn reading(windows: Vec<Window>) -> Reading {
        Reading { error: None, windows, as_of: Some(at(-60)), every: policy::ACTIVE, ..Reading::without_scope() }
    }

    const FREE: Budget = Budget { used: 1, limit: LIMIT, next_at: None };

    #[test]
    fn when_it_is_due_row_by_row() {
        let api = (Source::Api, -60);
        let far = || reading(vec![window("5h", 10.0, 9_000, api)]);
        let failed = |error, retry| Reading { error: Some(error), error_at: Some(at(-60)), retry_at: retry, ..far() };
        let active = policy::Use { active: true, ..policy::Use::default() };
        let parked = policy::Use::default();
        type Row = (&'static str, Option<Reading>, policy::Use, Option<i64>, i64);
        let rows: Vec<Row> = vec![
            ("never asked", None, active, None, 0),
            ("asked, and nothing was stored", None, parked, Some(-60), 60),
            ("in use", Some(far()), active, Some(-60), 240),
            ("in use, near a line", Some(reading(vec![window("5h", 90.0, 9_000, api)])), active, Some(-60), 120),
            ("parked and resting", Some(far()), parked, Some(-60), 1140),
            ("parked and moving", Some(far()), policy::Use { moving: true, ..parked }, Some(-60), 540),
            ("used up", Some(reading(vec![window("5h", 100.0, 900, api)])), active, Some(-60), 915),
            ("begun anew, not asked since", Some(reading(vec![window("5h", 80.0, -5, api)])), parked, Some(-60), 10),
            ("begun anew and asked since", Some(reading(vec![window("5h", 80.0, -50, api)])), active, Some(-20), 280),
            ("throttled", Some(failed(Trouble::Throttled, Some(at(700)))), active, Some(-60), 700),
            ("no scope", Some(failed(Trouble::Scope, Some(at(86_000)))), active, Some(-60), 86_000),
            ("nobody there", Some(failed(Trouble::Offline, None)), active, Some(-60), 60),
            (
                "nobody there for long",
                Some(Reading { as_of: Some(at(-1_200)), ..failed(Trouble::Offline, None) }),
                active,
                Some(-60),
                240,
            ),
            (
                "nobody there, and never was",
                Some(Reading { as_of: None, ..failed(Trouble::Offline, None) }),
                active,
                Some(-60),
                240,
            ),
            ("a clock put back", Some(far()), active, Some(90_000), 300),
        ];
        for (name, reading, how, last, expected) in rows {
            let facts =
                Facts { reading: reading.as_ref(), how, last: last.map(at), budget: FREE, planned: None, jitter: 0.0 };
            assert_eq!(due(&facts, at(0)), at(expected), "{name}");
        }
        let spent = Facts {
            reading: None,
            how: active,
            last: None,
            budget: Budget { next_at: Some(at(77)), ..FREE },
            planned: None,
            jitter: 0.0,
        };
        assert_eq!(due(&spent, at(0)), at(77), "the budget is used up");
        for (jitter, expected) in [(-1.0, 210), (1.0, 270), (9.0, 270)] {
            let reading = far();
            let facts = Facts {
                reading: Some(&reading),
                how: active,
                last: Some(at(-60)),
                budget: FREE,
                planned: None,
                jitter,
            };
            assert_eq!(due(&facts, at(0)), at(expected), "{jitter}");
        }
    }

    /// Accounts that were asked about in one moment are not asked about in one moment again, and no account always early.
    #[test]
    fn jitter_differs_by_account_and_by_request() {
        let spread = |jitters: Vec<f64>| {
            assert!(jitters.iter().all(|jitter| (-1.0..=1.0).contains(jitter)), "{jitters:?}");
            let (least, most) =
                jitters.iter().fold((1.0_f64, -1.0_f64), |(a, b), jitter| (a.min(*jitter), b.max(*jitter)));
            let mean = jitters.iter().sum::<f64>() / 200.0;
            assert!(least < -0.9 && most > 0.9 && mean.abs() < 0.2, "{least} to {most}, {mean} in the middle");
        };
        spread(
            (0..200_u64)
                .map(|account| jitter(Some(at(0)), &format!("{:016x}", account.wrapping_mul(0x1234_5678_9abc))))
                .collect(),
        );
        spread((0..200).map(|request| jitter(Some(at(request * 300)), "0123456789abcdef")).collect());
        assert!(
            (jitter(Some(at(7)), "ab") - jitter(Some(at(7)), "ab")).abs() < f64::EPSILON,
            "looking changes nothing"
        );
    }

    /// One window of many says nothing of the others: neither one that a status line hands over, nor one that is used up.
    #[test]
    fn what_several_windows_make_due_row_by_row() {
        let (api, line) = ((Source::Api, -60), (Source::Statusline, -10));
        let of = |five: (f64, (Source, i64)), (id, percent): (&str, f64)| {
            reading(vec![window("5h", five.0, 9_000, five.1), window(id, percent, 400_000, api)])
        };
        let fable = |percent| ("7d:fable", percent);
        for (name, reading, last, expected) in [
            ("a status line has it all", reading(vec![window("5h", 10.0, 9_000, line)]), -900, 290),
            ("a status line has some of it", of((10.0, line), fable(5.0)), -60, 840),
            ("a status line has some of it, and is near a line", of((90.0, line), fable(5.0)), -60, 840),
            ("what a status line has not is near a line", of((10.0, line), fable(90.0)), -60, 120),
            ("a model's week is used up, which stops nothing else", of((40.0, api), fable(100.0)), -60, 240),
            ("a limit that is not known is used up", of((40.0, api), ("monthly_pooled", 100.0)), -60, 240),
            ("the week is used up", of((40.0, api), ("7d", 100.0)), -60, 400_015),
        ] {
            let how = policy::Use { active: true, ..policy::Use::default() };
            let facts =
                Facts { reading: Some(&reading), how, last: Some(at(last)), budget: FREE, planned: None, jitter: 0.0 };
            assert_eq!(due(&facts, at(0)), at(expected), "{name}");
        }
    }

    proptest! {
        /// However many processes poll by this plan, and whenever they begin anew, an account in use far from its lines is
        /// asked about at most twelve times an hour, the look-up of its plan included.
        #[test]
        fn the_ordinary_plan_stays_far_below_the_budget(
            wakes in prop::collection::vec((1_i64..240, -1.0_f64..1.0), 1..400),
        ) {
            let how = policy::Use { active: true, ..policy::Use::default() };
            let (mut ledger, mut now, mut asked, mut plan) = (Ledger::default(), 0, Vec::new(), -3600);
            for (pause, jitter) in wakes {
                now += pause;
                let reading = reading(vec![window("5h", 10.0, 900_000, (Source::Api, now))]);
                let last = ledger.last(at(now));
                let (budget, planned) = (ledger.budget(at(now)), ledger.planned(at(now)));
                let facts = Facts { reading: Some(&reading), how, last, budget, planned, jitter };
                if due(&facts, at(now)) <= at(now) && ledger.take(at(now)).is_ok() {
                    asked.push(now);
                    if now - plan >= 3600 && ledger.take(at(now)).is_ok() {
                        plan = now;
                        asked.push(now);
                    }
                }
            }
            for first in &asked {
                let within = asked.iter().filter(|at| (0..3600).contains(&(**at - first))).count();
                prop_assert!(within <= 12, "{within}");
            }
        }
    }
}
