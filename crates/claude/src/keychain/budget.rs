//! How long calls may take together (K3): who holds Claude Code's locks may not wait for a keychain for ever.

use std::sync::{Mutex, PoisonError};
use std::time::Duration;

/// What calls may take together, within a while.
const TOGETHER: Duration = Duration::from_secs(20);

/// Calls so far apart are not of one hold.
const WHILE: Duration = Duration::from_secs(30);

/// When the first call of a hold began, and what was spent since.
#[derive(Default)]
pub(super) struct Budget(Mutex<Option<(Duration, Duration)>>);

impl Budget {
    /// How long a call may take that begins now; `None` when all is spent.
    pub(super) fn left(&self, now: Duration, most: Duration) -> Option<Duration> {
        let spent = self.current(now).map_or(Duration::ZERO, |(_, spent)| spent);
        let left = TOGETHER.saturating_sub(spent);
        (left > Duration::ZERO).then(|| left.min(most))
    }

    /// A call took from `began` to `ended`.
    pub(super) fn spend(&self, began: Duration, ended: Duration) {
        let (first, spent) = self.current(began).unwrap_or((began, Duration::ZERO));
        let spent = spent + ended.saturating_sub(began);
        *self.0.lock().unwrap_or_else(PoisonError::into_inner) = Some((first, spent));
    }

    fn current(&self, now: Duration) -> Option<(Duration, Duration)> {
        let stored = *self.0.lock().unwrap_or_else(PoisonError::into_inner);
        stored.filter(|(first, _)| now.saturating_sub(*first) < WHILE)
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn calls_share_twenty_seconds() {
        let (s, budget) = (Duration::from_secs, Budget::default());
        assert_eq!(budget.left(s(0), s(5)), Some(s(5)), "nothing was spent");
        for at in 0..3 {
            budget.spend(s(at * 5), s(at * 5 + 5));
        }
        budget.spend(s(15), s(18));
        assert_eq!(budget.left(s(18), s(5)), Some(s(2)), "the rest is less than a call");
        budget.spend(s(18), s(20));
        assert_eq!(budget.left(s(20), s(5)), None, "all is spent");
        assert_eq!(budget.left(s(30), s(5)), Some(s(5)), "another hold");
        budget.spend(s(60), s(61));
        assert_eq!(budget.left(s(61), s(5)), Some(s(5)), "what was spent long ago is forgotten");
    }
}
