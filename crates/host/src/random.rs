//! Randomness for names and jitter; nothing here is a key.

use std::sync::{Arc, Mutex, PoisonError};

/// A shared source of random bits.
#[derive(Clone)]
pub struct Random(Source);

#[derive(Clone)]
enum Source {
    System,
    Seeded(Arc<Mutex<u64>>),
}

impl Random {
    /// The operating system's source.
    #[must_use]
    pub fn system() -> Self {
        Self(Source::System)
    }

    /// A repeatable sequence, for tests.
    #[must_use]
    pub fn seeded(seed: u64) -> Self {
        Self(Source::Seeded(Arc::new(Mutex::new(seed))))
    }

    /// The next 64 bits. Should the system's source fail, the process id and a counter stand in:
    /// names must differ, they need not be secret.
    #[must_use]
    pub fn bits(&self) -> u64 {
        match &self.0 {
            Source::System => getrandom::u64().unwrap_or_else(|_| stand_in()),
            Source::Seeded(state) => {
                let mut state = state.lock().unwrap_or_else(PoisonError::into_inner);
                *state = state.wrapping_add(0x9E37_79B9_7F4A_7C15);
                mix(*state)
            }
        }
    }

    /// Twelve hex digits for a file name.
    #[must_use]
    pub fn name(&self) -> String {
        format!("{:012x}", self.bits() >> 16)
    }

    /// A number in `low..high`; `low` when the range is empty.
    #[must_use]
    pub fn between(&self, low: u64, high: u64) -> u64 {
        low + self.bits().checked_rem(high.saturating_sub(low)).unwrap_or(0)
    }
}

/// SplitMix64's finalizer: spreads a counter over all bits.
fn mix(mut z: u64) -> u64 {
    z = (z ^ (z >> 30)).wrapping_mul(0xBF58_476D_1CE4_E5B9);
    z = (z ^ (z >> 27)).wrapping_mul(0x94D0_49BB_1331_11EB);
    z ^ (z >> 31)
}

fn stand_in() -> u64 {
    use std::sync::atomic::{AtomicU64, Ordering};
    static COUNT: AtomicU64 = AtomicU64::new(0);
    mix(u64::from(std::process::id()) << 32 | COUNT.fetch_add(1, Ordering::Relaxed))
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_seed_repeats_and_the_system_does_not() {
        let (a, b) = (Random::seeded(7), Random::seeded(7));
        assert_eq!([a.bits(), a.bits()], [b.bits(), b.bits()]);
        assert_ne!(Random::system().name(), Random::system().name());
        assert!((0..100).map(|_| a.between(3, 6)).all(|n| (3..6).contains(&n)));
        assert_eq!(a.between(3, 3), 3);
    }
}
