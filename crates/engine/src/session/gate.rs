//! Where a watchdog waits while its process is about to be suspended: a lock that it held would be held until the session goes
//! on (K2, decision 0011). Owns nothing but the two words that say so, and never holds its own lock while anybody works.

use std::sync::{Condvar, Mutex, MutexGuard, PoisonError};
use std::time::Duration;

/// So long a process that is to be suspended waits for its watchdog.
const LONGEST: Duration = Duration::from_secs(1);

/// Shut while the process is to stand still.
#[derive(Default)]
pub(super) struct Gate {
    state: Mutex<State>,
    changed: Condvar,
}

#[derive(Default)]
struct State {
    shut: bool,
    within: bool,
}

impl Gate {
    /// Does `work`, once the gate is open.
    pub(super) fn within<T>(&self, work: impl FnOnce() -> T) -> T {
        let state = self.lock();
        let mut state = self.changed.wait_while(state, |state| state.shut).unwrap_or_else(PoisonError::into_inner);
        state.within = true;
        drop(state);
        let done = work();
        self.lock().within = false;
        self.changed.notify_all();
        done
    }

    /// Lets nobody in, and waits for whoever is within.
    pub(super) fn shut(&self) {
        let mut state = self.lock();
        state.shut = true;
        drop(self.changed.wait_timeout_while(state, LONGEST, |state| state.within));
    }

    pub(super) fn open(&self) {
        self.lock().shut = false;
        self.changed.notify_all();
    }

    fn lock(&self) -> MutexGuard<'_, State> {
        self.state.lock().unwrap_or_else(PoisonError::into_inner)
    }
}

#[cfg(test)]
mod tests {
    use std::sync::Arc;
    use std::sync::atomic::{AtomicUsize, Ordering};

    use super::*;

    #[test]
    fn who_is_within_is_waited_for_and_nobody_comes_in_while_it_is_shut() {
        let (gate, done) = (Arc::new(Gate::default()), Arc::new(AtomicUsize::new(0)));
        let (begun, begins) = std::sync::mpsc::channel();
        let thread = std::thread::spawn({
            let (gate, done) = (Arc::clone(&gate), Arc::clone(&done));
            move || {
                gate.within(|| {
                    begun.send(()).expect("somebody waits");
                    std::thread::sleep(Duration::from_millis(50));
                    done.fetch_add(1, Ordering::SeqCst);
                });
                gate.within(|| done.fetch_add(1, Ordering::SeqCst));
            }
        });
        begins.recv().expect("it begins");
        gate.shut();
        assert_eq!(done.load(Ordering::SeqCst), 1, "what was begun is done");
        std::thread::sleep(Duration::from_millis(20));
        assert_eq!(done.load(Ordering::SeqCst), 1, "and nothing else");
        gate.open();
        thread.join().expect("no panic");
        assert_eq!(done.load(Ordering::SeqCst), 2);
    }
}
