//! The time of a program: it passes when somebody waits or idles, and the computer's clock may be set wrong.

use std::sync::atomic::{AtomicU64, Ordering};
use std::time::{Duration, Instant};

use clauth_host::Time;
use jiff::Timestamp;

use crate::disk::Board;

pub(crate) struct ModelTime {
    board: Board,
    began: Instant,
    /// What had passed then.
    at: u64,
    /// What nobody waited for, in milliseconds.
    skipped: AtomicU64,
}

impl ModelTime {
    pub(crate) fn new(board: Board) -> Self {
        Self { board, began: Instant::now(), at: clauth_sandbox::true_ms(), skipped: AtomicU64::new(0) }
    }
}

impl Time for ModelTime {
    fn now(&self) -> Timestamp {
        Timestamp::from_millisecond(i64::try_from(clauth_sandbox::now_ms()).unwrap_or(0))
            .unwrap_or(Timestamp::UNIX_EPOCH)
    }
    fn file_now(&self) -> Timestamp {
        self.now()
    }
    fn monotonic(&self) -> Duration {
        // Both, since the true time of the sandbox goes in whole milliseconds.
        let passed = Duration::from_millis(clauth_sandbox::true_ms().saturating_sub(self.at));
        passed.max(self.began.elapsed()) + Duration::from_millis(self.skipped.load(Ordering::Relaxed))
    }
    fn sleep(&self, time: Duration) {
        // Whoever is gone waits for nothing, and gives up whatever it would have waited for.
        if self.board.is_killed() {
            let time = u64::try_from(time.as_millis()).unwrap_or(u64::MAX);
            self.skipped.fetch_add(time, Ordering::Relaxed);
            return;
        }
        clauth_sandbox::let_pass(time);
        std::thread::yield_now();
    }
}
