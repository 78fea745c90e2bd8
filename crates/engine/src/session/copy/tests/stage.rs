//! A pair in a throw-away home, and a clock that a test moves.

use std::collections::BTreeMap;
use std::ffi::OsStr;
use std::fs;
use std::path::{Path, PathBuf};
use std::sync::atomic::AtomicBool;
use std::sync::{Arc, Mutex, PoisonError};
use std::time::Duration;

use clauth_durable::vfs::RealVfs;
use clauth_durable::{Disk, Vfs};
use clauth_host::{Clock, Random, Time};
use clauth_sandbox::World;
use jiff::{SignedDuration, Timestamp};

use crate::session::copy::{Filled, Mirror, Pair, Plan, Report, Shared, populate};

/// Real time with what a test adds to it.
#[derive(Clone, Default)]
pub(super) struct Moved(Arc<Mutex<(SignedDuration, Duration)>>);

impl Moved {
    fn told<T>(&self, look: impl FnOnce(&mut (SignedDuration, Duration)) -> T) -> T {
        look(&mut self.0.lock().unwrap_or_else(PoisonError::into_inner))
    }

    /// Lets time pass.
    pub(super) fn pass(&self, time: Duration) {
        self.told(|moved| {
            moved.0 += SignedDuration::try_from(time).expect("a short time");
            moved.1 += time;
        });
    }

    /// Sets the clock that stamps files, and no other.
    pub(super) fn step(&self, by: SignedDuration) {
        self.told(|moved| moved.0 += by);
    }
}

impl Time for Moved {
    fn now(&self) -> Timestamp {
        self.file_now()
    }
    fn file_now(&self) -> Timestamp {
        Clock::system().file_now() + self.told(|moved| moved.0)
    }
    fn monotonic(&self) -> Duration {
        self.told(|moved| moved.1)
    }
    fn sleep(&self, time: Duration) {
        self.pass(time);
    }
}

/// A home and a tree.
pub(super) struct Stage {
    _world: World,
    pub(super) disk: Disk,
    pub(super) pair: Pair,
    pub(super) time: Moved,
}

impl Stage {
    pub(super) fn new(name: &str) -> Self {
        Self::in_world(World::create_in(Path::new("/dev/shm"), name).unwrap_or_else(|_| World::new(name)))
    }

    /// On the disk where temporary files are, not in memory.
    #[cfg(target_os = "linux")]
    pub(super) fn on_disk(name: &str) -> Self {
        Self::in_world(World::new(name))
    }

    fn in_world(world: World) -> Self {
        let home = world.home().to_owned();
        let time = Moved::default();
        let disk = Disk::new(Clock::new(time.clone()), Random::system());
        let at = |name: &str| home.join(name);
        let pair = Pair { home: at("H"), tree: at("T"), base: at("base"), conflicts: at("conflicts") };
        for side in [&pair.home, &pair.tree, &pair.base] {
            fs::create_dir(side).expect("a new directory");
        }
        Self { _world: world, disk, pair, time }
    }

    pub(super) fn shared() -> Shared {
        Arc::new(|name: &OsStr| !name.to_string_lossy().starts_with(".credentials") && name != "settings.json")
    }

    pub(super) fn mirror(&self) -> Mirror {
        Mirror::open(self.disk.clone(), self.pair.clone(), Self::shared())
    }

    pub(super) fn mirror_on(&self, vfs: Arc<dyn Vfs>) -> Mirror {
        Mirror::open(self.disk.clone().with_vfs(vfs), self.pair.clone(), Self::shared())
    }

    /// Walks until nothing waits, letting time pass.
    pub(super) fn settle(&self, mirror: &mut Mirror) -> Report {
        let mut changed = 0;
        for _ in 0..20 {
            let mut report = mirror.walk();
            changed += report.changed;
            if report.waiting.is_empty() {
                report.changed = changed;
                return report;
            }
            self.time.pass(Duration::from_secs(3));
        }
        panic!("it never comes to rest");
    }

    pub(super) fn populate(&self) -> Filled {
        self.populate_by(&self.disk, 2).expect("a copy").expect("not cancelled")
    }

    pub(super) fn populate_by(&self, disk: &Disk, workers: usize) -> Result<Option<Filled>, crate::Error> {
        let shared = Self::shared();
        populate(&Plan {
            disk,
            home: &self.pair.home,
            tree: &self.pair.tree,
            base: &self.pair.base,
            shared: &|name| shared(name),
            progress: &|_| {},
            cancel: &AtomicBool::new(false),
            workers,
        })
    }

    /// Writes through a temporary name, `age` seconds ago.
    pub(super) fn put(&self, name: &str, bytes: impl AsRef<[u8]>, age: i64) {
        let path = self.at(name);
        fs::create_dir_all(path.parent().expect("a parent")).expect("directories");
        let temp = path.with_file_name("put.tmp");
        fs::write(&temp, bytes).expect("a written file");
        fs::rename(&temp, &path).expect("a renamed file");
        self.age(name, age);
    }

    /// Adds at the end, in place.
    pub(super) fn add(&self, name: &str, text: &str) {
        use std::io::Write as _;
        let mut file = fs::OpenOptions::new().append(true).create(true).open(self.at(name)).expect("a file");
        file.write_all(text.as_bytes()).expect("a written file");
    }

    /// Makes a file so many seconds old.
    pub(super) fn age(&self, name: &str, age: i64) {
        let at = Clock::new(self.time.clone()).file_now() - SignedDuration::from_secs(age);
        RealVfs.set_modified(&self.at(name), at).expect("a stamped file");
    }

    /// `H/…` or `T/…`.
    pub(super) fn at(&self, name: &str) -> PathBuf {
        self.pair.home.parent().expect("a parent").join(name)
    }

    pub(super) fn text(&self, name: &str) -> Option<String> {
        fs::read(self.at(name)).ok().map(|bytes| String::from_utf8_lossy(&bytes).into_owned())
    }

    /// What was kept, whatever it is called.
    pub(super) fn kept(&self) -> Vec<String> {
        let mut kept: Vec<String> = everything(&self.pair.conflicts)
            .into_values()
            .map(|bytes| String::from_utf8_lossy(&bytes).into_owned())
            .collect();
        kept.sort();
        kept
    }
}

/// Every file below a directory.
pub(super) fn everything(root: &Path) -> BTreeMap<PathBuf, Vec<u8>> {
    let mut found = BTreeMap::new();
    let mut left = vec![root.to_owned()];
    while let Some(directory) = left.pop() {
        let Ok(entries) = fs::read_dir(&directory) else { continue };
        for entry in entries {
            let path = entry.expect("an entry").path();
            let kind = fs::symlink_metadata(&path).expect("something there").file_type();
            if kind.is_dir() {
                left.push(path);
            } else if kind.is_file() {
                let relative = path.strip_prefix(root).expect("below").to_owned();
                found.insert(relative, fs::read(&path).expect("a readable file"));
            }
        }
    }
    found
}
