//! A clock that stands still but for what is waited: who sleeps for long goes on at once, and that time has passed.

use std::sync::atomic::{AtomicU64, Ordering};
use std::time::Duration;

use clauth_host::{Clock, Time};
use jiff::{SignedDuration, Timestamp};

/// Shorter waits are real: they are for another thread.
const LONG: Duration = Duration::from_secs(1);

struct Skipping {
    start: Timestamp,
    real: Clock,
    slept_ms: AtomicU64,
}

/// One that shows this moment in so many seconds.
pub(crate) fn in_seconds(seconds: i64) -> Clock {
    let real = Clock::system();
    let start = real.now() + SignedDuration::from_secs(seconds);
    Clock::new(Skipping { start, real, slept_ms: AtomicU64::new(0) })
}

impl Skipping {
    fn slept(&self) -> Duration {
        Duration::from_millis(self.slept_ms.load(Ordering::SeqCst))
    }
}

impl Time for Skipping {
    fn now(&self) -> Timestamp {
        self.start + self.slept()
    }

    fn file_now(&self) -> Timestamp {
        self.real.file_now()
    }

    fn monotonic(&self) -> Duration {
        self.real.monotonic() + self.slept()
    }

    fn sleep(&self, time: Duration) {
        if time < LONG {
            self.real.sleep(time);
        } else {
            self.slept_ms.fetch_add(u64::try_from(time.as_millis()).expect("not for ever"), Ordering::SeqCst);
        }
    }
}
