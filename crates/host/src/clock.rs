//! The one source of time.

use std::sync::Arc;
use std::time::Duration;

use jiff::Timestamp;

/// What a clock must be able to tell.
///
/// Three kinds of time are kept apart: the wall clock that tokens and history are judged by (a sandbox may
/// freeze it), the clock that file systems stamp files with (never frozen), and monotonic time for waiting.
pub trait Time: Send + Sync {
    /// The wall clock: what "now" means for expiry, history and display.
    fn now(&self) -> Timestamp;
    /// The clock that the file system stamps files with.
    fn file_now(&self) -> Timestamp;
    /// Time since some fixed moment of this process; does not jump.
    fn monotonic(&self) -> Duration;
    /// Waits.
    fn sleep(&self, time: Duration);
}

/// A shared handle on a source of time.
#[derive(Clone)]
pub struct Clock(Arc<dyn Time>);

impl Clock {
    /// The machine's own clock.
    #[must_use]
    pub fn system() -> Self {
        Self(Arc::new(System { frozen: None }))
    }

    /// The machine's clock with [`Clock::now`] standing still; file times and waiting stay real.
    #[must_use]
    pub fn frozen(at: Timestamp) -> Self {
        Self(Arc::new(System { frozen: Some(at) }))
    }

    /// Any other source, for tests.
    pub fn new(time: impl Time + 'static) -> Self {
        Self(Arc::new(time))
    }

    /// See [`Time::now`].
    #[must_use]
    pub fn now(&self) -> Timestamp {
        self.0.now()
    }

    /// See [`Time::file_now`].
    #[must_use]
    pub fn file_now(&self) -> Timestamp {
        self.0.file_now()
    }

    /// See [`Time::monotonic`].
    #[must_use]
    pub fn monotonic(&self) -> Duration {
        self.0.monotonic()
    }

    /// See [`Time::sleep`].
    pub fn sleep(&self, time: Duration) {
        self.0.sleep(time);
    }
}

struct System {
    frozen: Option<Timestamp>,
}

impl Time for System {
    fn now(&self) -> Timestamp {
        self.frozen.unwrap_or_else(|| self.file_now())
    }

    #[expect(clippy::disallowed_methods, reason = "this is the one place that reads the clock")]
    fn file_now(&self) -> Timestamp {
        Timestamp::now()
    }

    #[expect(clippy::disallowed_methods, reason = "this is the one place that reads the clock")]
    fn monotonic(&self) -> Duration {
        static START: std::sync::OnceLock<std::time::Instant> = std::sync::OnceLock::new();
        START.get_or_init(std::time::Instant::now).elapsed()
    }

    fn sleep(&self, time: Duration) {
        std::thread::sleep(time);
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_frozen_clock_stands_still_and_file_time_goes_on() {
        let at: Timestamp = "2026-11-20T10:00:00Z".parse().expect("a timestamp");
        let clock = Clock::frozen(at);
        assert_eq!(clock.now(), at);
        assert_ne!(clock.file_now(), at);
        assert!(clock.monotonic() <= clock.monotonic());
    }
}
