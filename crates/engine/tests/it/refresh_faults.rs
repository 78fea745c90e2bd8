//! A renewal with a fault, or a kill, at every effect that it has on the disk: no pair is lost, and no token is presented
//! twice but for the one retry (R4–R6).

use std::io;
use std::path::{Path, PathBuf};
use std::sync::atomic::{AtomicBool, Ordering};
use std::sync::{Arc, Mutex};
use std::time::Duration;

use clauth_durable::vfs::{Errno, Fault, FaultyVfs, Handle, RealVfs, Stat, Vfs};
use clauth_engine::{Engine, Need, State};
use clauth_host::{Clock, Time};
use clauth_sandbox::server::Gate;
use clauth_sandbox::world::holders;
use clauth_sandbox::{Account, Login, Pair, Reply, Route, Server, swept};
use jiff::Timestamp;

use crate::custody::assert_one_holder;
use crate::house::{House, Unsynced, counting, restore};

/// Which login is renewed: the parked one, or the one in the live home.
#[derive(Clone, Copy, Debug)]
enum Case {
    Parked,
    Live,
}

impl Case {
    fn name(self) -> &'static str {
        if matches!(self, Self::Parked) { "a" } else { "b" }
    }

    fn family(self) -> &'static str {
        if matches!(self, Self::Parked) { "A" } else { "B" }
    }
}

const CASES: [Case; 2] = [Case::Parked, Case::Live];

/// Time that passes when somebody waits.
#[derive(Clone, Default)]
struct Patient(Arc<Mutex<Duration>>);

impl Time for Patient {
    fn now(&self) -> Timestamp {
        Clock::system().now()
    }
    fn file_now(&self) -> Timestamp {
        Clock::system().file_now()
    }
    fn monotonic(&self) -> Duration {
        *self.0.lock().expect("not poisoned")
    }
    fn sleep(&self, time: Duration) {
        *self.0.lock().expect("not poisoned") += time;
    }
}

fn house() -> House {
    let house = House::new("rf");
    for (account, family, name) in [(Account::a(), "A", "a"), (Account::b(), "B", "b")] {
        let ended = clauth_sandbox::now_ms() - 1000;
        house.world.store_login(&Login::new(&account, Pair::new(family, 1)).expiring_at(ended));
        house.capture(name);
    }
    house
}

/// A server that has seen nothing yet: each step of a sweep has one of its own.
fn served(house: &mut House) {
    house.server = Some(Server::start());
}

fn engine(house: &House, vfs: Arc<dyn Vfs>) -> Engine {
    let mut engine = house.engine_on(vfs);
    let clock = Clock::new(Patient::default());
    (engine.host.clock, engine.disk.clock) = (clock.clone(), clock);
    engine
}

fn plain(house: &House) -> Engine {
    engine(house, Arc::new(Unsynced(RealVfs)))
}

/// The least acting command.
fn next_command(house: &House, told: &str) {
    plain(house).order("a", 1).map(drop).expect(told);
}

fn effects(house: &mut House, case: Case) -> Vec<&'static str> {
    let picture = house.world.snapshot();
    served(house);
    let vfs = counting();
    engine(house, Arc::new(vfs.clone())).refresh(case.name(), &Need::default()).expect("works without faults");
    restore(house.world.home(), &picture);
    vfs.effects().iter().map(|effect| effect.name).collect()
}

fn is_on_disk(house: &House, token: &str) -> bool {
    !holders(&house.world.snapshot(), &format!("sk-ant-ort01-FAKE-{token}")).is_empty()
}

/// The login is whole, in its place, and works; whatever the server has rotated, the newest is what is there.
fn assert_settled(house: &House, case: Case, generation: u32, told: &str) {
    let newest = format!("{}{generation}", case.family());
    match case {
        Case::Parked => assert_eq!((house.slot("a"), house.world.live()), (newest, "B1".into()), "{told}"),
        Case::Live => {
            assert_eq!((house.world.live(), house.loan("b")), (newest.clone(), newest.clone()), "{told}");
            assert_eq!(house.slot("b"), format!("{newest} bearer"), "{told}");
        }
    }
    assert_one_holder(house);
    assert_eq!(house.vault(), Vec::<String>::new(), "{told}");
}

/// No renewal, and nothing of one, is left behind.
fn assert_tidy(house: &House, told: &str) {
    for path in house.world.snapshot().keys() {
        let leftover = path.contains(".clauth-") || path.ends_with("journal/open.json") || path.contains("renewed-");
        assert!(!leftover && !path.ends_with("stage.json"), "{told}: {path} is left behind");
    }
}

#[test]
fn a_kill_anywhere_is_landed_by_the_next_command() {
    for case in CASES {
        let mut house = house();
        let before = house.world.snapshot();
        let count = effects(&mut house, case).len();
        let (mut landed, mut lost) = (0, 0);
        for at in 1..=count {
            served(&mut house);
            let vfs = FaultyVfs::failing(Arc::new(Unsynced(RealVfs)), at, Fault::Kill);
            let _ = engine(&house, Arc::new(vfs.clone())).refresh(case.name(), &Need::default());
            let told = format!("{case:?}: killed at {at} of {count}: {:?}", vfs.effects().get(at - 1));
            let rotated = house.fake().generation(case.family()) == 2;
            let kept = is_on_disk(&house, &format!("{}2", case.family()));
            house.let_it_go_stale(&told);
            next_command(&house, &told);
            assert_tidy(&house, &told);
            assert_eq!(house.fake().reused(), 0, "{told}");
            match (rotated, kept) {
                (false, _) => {
                    assert_settled(&house, case, 1, &told);
                    let again = plain(&house).refresh(case.name(), &Need::default());
                    assert!(again.unwrap_or_else(|error| panic!("{told}: {error}")).renewed, "{told}");
                    assert_settled(&house, case, 2, &told);
                }
                (true, true) => {
                    landed += 1;
                    assert_settled(&house, case, 2, &told);
                    let again = plain(&house).refresh(case.name(), &Need::default());
                    assert!(!again.unwrap_or_else(|error| panic!("{told}: {error}")).renewed, "{told}");
                    house.fake().assert_clean();
                }
                // Killed between the server's answer and the first byte of it on the disk: the one retry, and no other.
                (true, false) => {
                    lost += 1;
                    let accounts = plain(&house).list().expect("a list").accounts;
                    let state = accounts.iter().find(|account| account.name == case.name()).map(|one| one.state);
                    assert_eq!(state, Some(State::Unknown), "{told}: the mark tells of it");
                    for _ in 0..3 {
                        let again = plain(&house).refresh(case.name(), &Need::default());
                        assert!(again.is_err(), "{told}");
                    }
                    assert_eq!(house.fake().reused(), 1, "{told}: the one retry");
                }
            }
            restore(house.world.home(), &before);
        }
        assert!(landed > 5, "{case:?}: {landed} kills left a staged pair");
        assert_eq!(lost, 1, "{case:?}: the answer has one moment to be lost in");
    }
}

/// The next command is killed, too, at each of its effects; and the one after that lands the pair.
#[test]
fn a_kill_while_a_pair_is_landed_is_landed_by_the_next_command() {
    for case in CASES {
        let mut house = house();
        let before = house.world.snapshot();
        let count = effects(&mut house, case).len();
        // The first kill with the answer on the disk, and one with the pair half in its place.
        let mut moments = Vec::new();
        for at in 1..=count {
            served(&mut house);
            let vfs = FaultyVfs::failing(Arc::new(Unsynced(RealVfs)), at, Fault::Kill);
            let _ = engine(&house, Arc::new(vfs)).refresh(case.name(), &Need::default());
            if is_on_disk(&house, &format!("{}2", case.family())) {
                house.unlock();
                moments.push(house.world.snapshot());
            }
            restore(house.world.home(), &before);
        }
        for moment in [&moments[0], &moments[moments.len() / 2]] {
            restore(house.world.home(), moment);
            let vfs = counting();
            engine(&house, Arc::new(vfs.clone())).order("a", 1).expect("lands");
            for at in 1..=vfs.effects().len() {
                restore(house.world.home(), moment);
                let vfs = FaultyVfs::failing(Arc::new(Unsynced(RealVfs)), at, Fault::Kill);
                let _ = engine(&house, Arc::new(vfs.clone())).order("a", 1);
                let told = format!("{case:?}: killed again at {at}: {:?}", vfs.effects().get(at - 1));
                house.let_it_go_stale(&told);
                next_command(&house, &told);
                assert_settled(&house, case, 2, &told);
                assert_tidy(&house, &told);
            }
        }
        restore(house.world.home(), &before);
    }
}

#[test]
fn one_failing_effect_loses_no_pair() {
    for case in CASES {
        let mut house = house();
        let before = house.world.snapshot();
        let effects = effects(&mut house, case);
        let count = effects.len();
        for at in swept(1..=count) {
            // No code asks which of the two it is.
            let refusal = if at % 2 == 0 { Errno::NoSpace } else { Errno::ReadOnly };
            for fault in [Fault::Error(refusal), Fault::ShortWrite] {
                if fault == Fault::ShortWrite && effects[at - 1] != "write" {
                    continue;
                }
                served(&mut house);
                let vfs = FaultyVfs::failing(Arc::new(Unsynced(RealVfs)), at, fault);
                let result = engine(&house, Arc::new(vfs.clone())).refresh(case.name(), &Need::default());
                let told = format!("{case:?}: {fault:?} at {at} of {count}: {:?}", vfs.effects().get(at - 1));
                let rotated = house.fake().generation(case.family()) == 2;
                assert_eq!(result.is_ok(), rotated, "{told}: {:?}", result.err().map(|error| error.to_string()));
                assert_settled(&house, case, if rotated { 2 } else { 1 }, &told);
                next_command(&house, &told);
                assert_settled(&house, case, if rotated { 2 } else { 1 }, &told);
                assert_tidy(&house, &told);
                assert!(plain(&house).refresh(case.name(), &Need::default()).is_ok(), "{told}");
                assert_settled(&house, case, 2, &told);
                house.fake().assert_clean();
                restore(house.world.home(), &before);
            }
        }
    }
}

/// What a disk no longer does.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
enum Broken {
    /// No new file finds room; what has its room already can still be written.
    Full,
    /// Nothing in the home can be changed; other file systems can.
    ReadOnly,
}

/// A disk that breaks when it is told to.
#[derive(Clone)]
struct Breaking {
    inner: Unsynced<RealVfs>,
    how: Broken,
    spared: PathBuf,
    broken: Arc<AtomicBool>,
}

impl Breaking {
    fn refuse(&self, path: &Path, makes_room: bool) -> io::Result<()> {
        let refused = self.how == Broken::ReadOnly || makes_room;
        if self.broken.load(Ordering::SeqCst) && refused && !path.starts_with(&self.spared) {
            return Err(io::ErrorKind::StorageFull.into());
        }
        Ok(())
    }
}

struct BreakingHandle(Box<dyn Handle>, Breaking, PathBuf);

impl Handle for BreakingHandle {
    fn write(&mut self, bytes: &[u8]) -> io::Result<usize> {
        self.1.refuse(&self.2, false)?;
        self.0.write(bytes)
    }
    fn sync(&mut self) -> io::Result<()> {
        self.0.sync()
    }
    fn rewind(&mut self) -> io::Result<()> {
        self.0.rewind()
    }
    fn set_modified(&mut self, at: Timestamp) -> io::Result<()> {
        self.0.set_modified(at)
    }
    fn truncate(&mut self, len: u64) -> io::Result<()> {
        self.0.truncate(len)
    }
    fn clone_from(&mut self, source: &std::fs::File) -> io::Result<()> {
        self.1.refuse(&self.2, false)?;
        self.0.clone_from(source)
    }
    fn copy_from(&mut self, source: &std::fs::File, most: u64) -> io::Result<u64> {
        self.1.refuse(&self.2, false)?;
        self.0.copy_from(source, most)
    }
    fn set_mode(&mut self, mode: u32) -> io::Result<()> {
        self.0.set_mode(mode)
    }
    fn stat(&self) -> io::Result<Stat> {
        self.0.stat()
    }
    fn len(&self) -> io::Result<u64> {
        self.0.len()
    }
}

macro_rules! look {
    ($($name:ident($($arg:ident: $type:ty),*) -> $result:ty;)*) => {
        $(fn $name(&self, $($arg: $type),*) -> io::Result<$result> { self.inner.$name($($arg),*) })*
    };
}

macro_rules! change {
    ($($name:ident($path:ident: &Path $(, $arg:ident: $type:ty)*) makes room $room:literal;)*) => {
        $(fn $name(&self, $path: &Path $(, $arg: $type)*) -> io::Result<()> {
            self.refuse($path, $room)?;
            self.inner.$name($path $(, $arg)*)
        })*
    };
}

impl Vfs for Breaking {
    look! {
        read(path: &Path, limit: u64) -> Vec<u8>;
        stat(path: &Path) -> Stat;
        open(path: &Path) -> std::fs::File;
        lstat(path: &Path) -> Stat;
        read_link(path: &Path) -> PathBuf;
        read_dir(path: &Path) -> Vec<std::ffi::OsString>;
        open_lock(path: &Path) -> std::fs::File;
        sync_dir(path: &Path) -> ();
    }
    change! {
        rename(path: &Path, to: &Path) makes room false;
        rename_new(path: &Path, to: &Path) makes room false;
        exchange(path: &Path, b: &Path) makes room false;
        remove_file(path: &Path) makes room false;
        create_dir(path: &Path, mode: u32) makes room true;
        remove_dir(path: &Path) makes room false;
        set_mode(path: &Path, mode: u32) makes room false;
        set_modified(path: &Path, at: Timestamp) makes room false;
        symlink(path: &Path, link: &Path) makes room true;
    }

    fn create(&self, path: &Path, mode: u32) -> io::Result<Box<dyn Handle>> {
        self.refuse(path, true)?;
        Ok(Box::new(BreakingHandle(self.inner.create(path, mode)?, self.clone(), path.to_owned())))
    }

    fn append(&self, path: &Path, mode: u32) -> io::Result<Box<dyn Handle>> {
        self.refuse(path, true)?;
        Ok(Box::new(BreakingHandle(self.inner.append(path, mode)?, self.clone(), path.to_owned())))
    }
}

/// R5: the disk breaks after the request has left. The pair is staged, or in the runtime directory, and lands later.
#[test]
fn a_disk_that_breaks_while_the_answer_is_awaited_loses_no_pair() {
    for case in CASES {
        for how in [Broken::Full, Broken::ReadOnly] {
            let mut house = house();
            served(&mut house);
            let told = format!("{case:?}: {how:?}");
            let runtime = house.world.home().join("run");
            std::fs::create_dir(&runtime).expect("a directory");
            let gate = Gate::new();
            house.fake().script(Route::Token, vec![Reply::Wait(gate.clone())]);
            let broken = Arc::<AtomicBool>::default();
            let vfs = Breaking { inner: Unsynced(RealVfs), how, spared: runtime.clone(), broken: Arc::clone(&broken) };
            let env = |engine: &mut Engine| {
                let mut env = house.world.env(house.server.as_ref());
                env.push(("XDG_RUNTIME_DIR".into(), runtime.clone().into()));
                engine.host.env = env.into_iter().collect();
            };
            let mut breaking = engine(&house, Arc::new(vfs));
            env(&mut breaking);
            std::thread::scope(|scope| {
                let run = scope.spawn(|| breaking.refresh(case.name(), &Need::default()));
                assert!(gate.is_reached());
                broken.store(true, Ordering::SeqCst);
                gate.open();
                assert!(run.join().expect("no panic").is_err(), "{told}");
            });
            assert!(is_on_disk(&house, &format!("{}2", case.family())), "{told}");
            let mut mended = plain(&house);
            env(&mut mended);
            // The locks of a process that is gone, on a disk that let it remove none.
            house.unlock();
            mended.order("a", 1).unwrap_or_else(|error| panic!("{told}: {error}"));
            assert_settled(&house, case, 2, &told);
            assert_tidy(&house, &told);
            house.fake().assert_clean();
        }
    }
}
