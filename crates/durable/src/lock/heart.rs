//! Signs of life for whatever this process holds: one thread for all locks, made with the first of them. A command takes and
//! releases several locks within milliseconds, and a thread for each would cost more than the locks do.

use std::sync::{Arc, Condvar, Mutex, MutexGuard, PoisonError, Weak};
use std::time::Duration;

use super::dir;
use super::held::{Guard, Guards, lock};
use crate::Disk;

/// How often a held lock gives a sign of life (facts §2.3).
const BEAT: Duration = Duration::from_secs(5);

/// What the thread is called.
pub(crate) const HEART: &str = "clauth-locks";

/// Whether this is the thread that gives them.
pub(crate) fn is_heart() -> bool {
    std::thread::current().name() == Some(HEART)
}

/// Everything that is held at the moment, or was until a moment ago.
#[derive(Default)]
struct Chest {
    held: Vec<(Disk, Weak<Guards>)>,
    /// There is a thread.
    begun: bool,
    /// It sleeps until something is held.
    rests: bool,
}

static CHEST: Mutex<Chest> = Mutex::new(Chest { held: Vec::new(), begun: false, rests: false });
static WOKEN: Condvar = Condvar::new();

fn chest() -> MutexGuard<'static, Chest> {
    CHEST.lock().unwrap_or_else(PoisonError::into_inner)
}

/// Gives signs of life for these locks until they are released. The first one comes within the time between two.
pub(super) fn beat_for(disk: &Disk, guards: &Arc<Guards>) {
    let mut chest = chest();
    chest.held.retain(|(_, guards)| guards.strong_count() > 0);
    chest.held.push((disk.clone(), Arc::downgrade(guards)));
    if !chest.begun {
        // Without a thread locks are short of signs of life, and are checked before each write all the same (K4).
        chest.begun = std::thread::Builder::new().name(HEART.into()).spawn(run).is_ok();
    } else if std::mem::take(&mut chest.rests) {
        WOKEN.notify_one();
    }
}

fn run() {
    let mut here = chest();
    loop {
        here.rests = here.held.is_empty();
        if here.rests {
            here = WOKEN.wait_while(here, |chest| chest.rests).unwrap_or_else(PoisonError::into_inner);
        }
        (here, _) = WOKEN.wait_timeout_while(here, BEAT, |_| true).unwrap_or_else(PoisonError::into_inner);
        drop(here);
        beat();
        here = chest();
    }
}

/// One sign of life for everything that is held. Nobody waits for it who only takes or releases a lock.
fn beat() {
    let held: Vec<(Disk, Arc<Guards>)> = {
        let mut chest = chest();
        chest.held.retain(|(_, guards)| guards.strong_count() > 0);
        chest.held.iter().filter_map(|(disk, guards)| Some((disk.clone(), guards.upgrade()?))).collect()
    };
    held.iter().for_each(|(disk, guards)| sign(disk, guards));
}

/// One sign of life for one operation's locks.
pub(super) fn sign(disk: &Disk, guards: &Guards) {
    lock(guards).iter_mut().for_each(|guard| restamp(disk, guard));
}

/// A sign of life, unless the lock was taken from us.
fn restamp(disk: &Disk, guard: &mut Guard) {
    if !guard.is_ours(disk) {
        return;
    }
    let stamped = disk.vfs.set_modified(&guard.path, dir::stamp(disk.clock.file_now()));
    if let Ok(stat) = stamped.and_then(|()| disk.vfs.lstat(&guard.path)) {
        guard.stamp = stat.modified;
    }
}
