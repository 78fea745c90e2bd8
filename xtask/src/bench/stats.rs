//! Medians and quartiles.

use std::time::Duration;

/// The middle of a set of measurements.
#[derive(Debug, Clone, Copy, PartialEq)]
pub(super) struct Spread {
    /// A quarter of the measurements is at most this.
    pub(super) lower: f64,
    /// Half of them.
    pub(super) median: f64,
    /// Three quarters.
    pub(super) upper: f64,
}

impl Spread {
    /// Of times, in milliseconds.
    pub(super) fn of(times: &[Duration]) -> Self {
        let mut times: Vec<f64> = times.iter().map(|time| time.as_secs_f64() * 1000.0).collect();
        times.sort_by(f64::total_cmp);
        let at =
            |numerator: usize| times.get((times.len() * numerator / 4).min(times.len().saturating_sub(1))).copied();
        let at = |numerator| at(numerator).unwrap_or(f64::NAN);
        Self { lower: at(1), median: at(2), upper: at(3) }
    }
}

/// The time within which 95 of 100 are done, in milliseconds.
pub(super) fn tail(times: &[Duration]) -> f64 {
    let mut times: Vec<f64> = times.iter().map(|time| time.as_secs_f64() * 1000.0).collect();
    times.sort_by(f64::total_cmp);
    times.get((times.len() * 95 / 100).min(times.len().saturating_sub(1))).copied().unwrap_or(f64::NAN)
}

impl std::fmt::Display for Spread {
    fn fmt(&self, f: &mut std::fmt::Formatter<'_>) -> std::fmt::Result {
        write!(f, "{:.2} ms ({:.2}–{:.2})", self.median, self.lower, self.upper)
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn the_slow_end_leaves_five_of_a_hundred_out() {
        let times: Vec<Duration> = (0..100).rev().map(Duration::from_millis).collect();
        assert_eq!(tail(&times), 95.0);
        assert!(tail(&[]).is_nan());
    }

    #[test]
    fn quartiles_do_not_depend_on_order() {
        let times = [5, 1, 4, 2, 3].map(Duration::from_millis);
        let spread = Spread::of(&times);
        assert_eq!((spread.lower, spread.median, spread.upper), (2.0, 3.0, 4.0));
        assert_eq!(Spread::of(&times[..1]).median, 5.0);
        assert!(Spread::of(&[]).median.is_nan());
    }
}
