//! A sandbox with an engine in it.

use std::io;
use std::path::{Path, PathBuf};
use std::sync::{Arc, Mutex};

use clauth_durable::vfs::{FaultyVfs, Handle, RealVfs, Stat, Vfs};
use clauth_engine::{Captured, Engine, Error, Options, Report, Target};
use clauth_host::{Env, Host};
use clauth_sandbox::world::{Entry, Snapshot};
use clauth_sandbox::{Account, Server, World};
use jiff::Timestamp;

/// A throw-away home, whoever answers for Anthropic, and what the engine said.
pub(crate) struct House {
    pub(crate) world: World,
    pub(crate) server: Option<Server>,
    pub(crate) said: Arc<Mutex<Vec<String>>>,
}

impl House {
    pub(crate) fn new(name: &str) -> Self {
        Self { world: world(name), server: None, said: Arc::default() }
    }

    /// A home on a machine where credentials are Keychain items.
    pub(crate) fn with_keychain(name: &str) -> Self {
        let house = Self::new(name);
        house.world.with_keychain();
        house
    }

    pub(crate) fn with_server(name: &str) -> Self {
        Self { server: Some(Server::start()), ..Self::new(name) }
    }

    pub(crate) fn host(&self) -> Host {
        let env: Env = self.world.env(self.server.as_ref()).into_iter().collect();
        Host::from_env(env).expect("a sandbox host")
    }

    pub(crate) fn engine(&self) -> Engine {
        self.engine_on(Arc::new(Unsynced(RealVfs)))
    }

    /// An engine in so many seconds.
    pub(crate) fn later(&self, seconds: i64) -> Engine {
        let mut engine = self.engine();
        engine.host.clock = crate::clock::in_seconds(seconds);
        engine
    }

    /// Frees what a killed command left locked.
    pub(crate) fn unlock(&self) {
        let records = self.world.root().join("locks").join("held");
        clauth_durable::lock::release_debris(&self.engine().disk, &records, &|_| clauth_durable::LockOwner::Dead)
            .expect("locks that can be freed");
    }

    /// What time does where not every process is seen: a lock that a killed command made and did not stamp may be a living
    /// claude's there, and goes when it is stale (K5).
    pub(crate) fn let_it_go_stale(&self, killed_at: &str) {
        let unstamped = killed_at.contains("set_modified") && killed_at.contains(".lock\"");
        if cfg!(not(target_os = "linux")) && unstamped {
            self.unlock();
        }
    }

    /// An engine whose disk does what `vfs` does.
    pub(crate) fn engine_on(&self, vfs: Arc<dyn Vfs>) -> Engine {
        let said = Arc::clone(&self.said);
        let say = move |line: &str| said.lock().expect("not poisoned").push(line.to_owned());
        let mut engine = Engine::new(self.host(), Arc::new(say));
        if engine.disk.items.is_some() {
            let items = self.world.home().join("Library/Keychains");
            engine.disk.items = Some(Arc::new(crate::keychain::Folder::new(Arc::clone(&vfs), items)));
        }
        engine.disk = engine.disk.with_vfs(vfs);
        engine
    }

    pub(crate) fn sign_in(&self, account: &Account) {
        let login = self.world.sign_in(account);
        if let Some(server) = &self.server {
            server.know(&login);
        }
    }

    pub(crate) fn capture(&self, name: &str) -> Captured {
        self.engine().capture(Some(name), false).expect("a capture")
    }

    pub(crate) fn switch(&self, name: &str) -> Report {
        self.try_switch(name).expect("a switch")
    }

    pub(crate) fn try_switch(&self, name: &str) -> Result<Report, Error> {
        self.engine().switch(Target::Named(name), Options::default())
    }

    /// a and b captured, b's login live.
    pub(crate) fn two(name: &str) -> Self {
        Self::new(name).populated()
    }

    /// a and b captured, and the fake Anthropic knows both.
    pub(crate) fn two_with_server(name: &str) -> Self {
        Self::with_server(name).populated()
    }

    /// The same with no request so far.
    pub(crate) fn unasked(name: &str) -> Self {
        let house = Self::two_with_server(name);
        house.fake().forget_requests();
        std::fs::remove_dir_all(house.world.root().join("poll")).expect("the look-ups of the captures");
        house
    }

    /// The fake Anthropic of a house that has one.
    pub(crate) fn fake(&self) -> &Server {
        self.server.as_ref().expect("a server")
    }

    pub(crate) fn populated(self) -> Self {
        for (account, name) in [(Account::a(), "a"), (Account::b(), "b")] {
            self.sign_in(&account);
            self.capture(name);
        }
        self
    }

    /// The login in a profile's slot, in words.
    pub(crate) fn slot(&self, name: &str) -> String {
        self.world.login_at(&self.world.root().join("profiles").join(name).join("credentials.json"))
    }

    /// The login that a profile has lent, in words; `none` without a loan.
    pub(crate) fn loan(&self, name: &str) -> String {
        let loan = self.world.read_json(&self.world.root().join("profiles").join(name).join("loan.json"));
        if loan.is_null() { "none".into() } else { clauth_sandbox::describe(&loan["login"]) }
    }

    /// The kept logins, in words, in order.
    pub(crate) fn vault(&self) -> Vec<String> {
        let dir = self.world.root().join("vault");
        let mut names: Vec<PathBuf> =
            std::fs::read_dir(&dir).into_iter().flatten().flatten().map(|entry| entry.path()).collect();
        names.retain(|path| path.extension().is_some_and(|extension| extension == "json"));
        let mut all: Vec<String> =
            names.iter().map(|path| clauth_sandbox::describe(&self.world.read_json(path)["login"])).collect();
        all.sort();
        all
    }

    /// What is bound to accounts, wherever it is: files (S4), and keys of the state file.
    pub(crate) fn bound(&self) -> Vec<String> {
        let state = self.world.read_json(&self.world.state_path());
        let keys = ["primaryApiKey", "modelAccessCache"].map(|key| format!("{key} {}", state[key]));
        let picture = self.world.snapshot();
        let files = picture.iter().filter_map(|(path, entry)| {
            let (dir, name) = path.rsplit_once('/')?;
            let place = match dir.strip_prefix(".clauth/vault/") {
                Some(_) => "vault",
                None => dir,
            };
            let is_bound = path == ".claude/policy-limits.json" || dir.ends_with("bound");
            let Entry::File(_, bytes) = entry else { return None };
            // What a batch left beside is named by its journal.
            (is_bound && !name.starts_with('.')).then(|| format!("{place} {name} {}", String::from_utf8_lossy(bytes)))
        });
        keys.into_iter().chain(files).collect()
    }

    /// What stands, without what differs from run to run.
    pub(crate) fn picture(&self) -> Vec<String> {
        let roster = std::fs::read_to_string(self.world.root().join("profiles.toml")).unwrap_or_default();
        let mut picture = vec![
            format!("live {}", self.world.live()),
            format!("identity {}", self.world.identity()),
            format!("roster {}", roster.split_whitespace().collect::<String>()),
            format!("vault {:?}", self.vault()),
            format!("settings {}", self.world.read_json(&self.world.claude_dir().join("settings.json"))),
            format!("applied {}", self.world.read_json(&self.world.root().join("applied.json"))),
        ];
        picture.extend(self.bound());
        for name in ["a", "b", "c"] {
            picture.push(format!("{name}: slot {}, loan {}", self.slot(name), self.loan(name)));
        }
        picture
    }
}

/// A world in memory where the system has such a directory: these tests ask for thousands of writes, and not for their
/// being durable.
fn world(name: &str) -> World {
    World::create_in(Path::new("/dev/shm"), name).unwrap_or_else(|_| World::new(name))
}

/// The real disk without its waits: what is synced makes no difference to a process that is only killed.
#[derive(Clone, Copy)]
pub(crate) struct Unsynced<V>(pub(crate) V);

struct UnsyncedHandle(Box<dyn Handle>);

impl Handle for UnsyncedHandle {
    fn write(&mut self, bytes: &[u8]) -> io::Result<usize> {
        self.0.write(bytes)
    }
    fn sync(&mut self) -> io::Result<()> {
        Ok(())
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
        self.0.clone_from(source)
    }
    fn copy_from(&mut self, source: &std::fs::File, most: u64) -> io::Result<u64> {
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

macro_rules! forward {
    ($($name:ident($($arg:ident: $type:ty),*) -> $result:ty;)*) => {
        $(fn $name(&self, $($arg: $type),*) -> io::Result<$result> { self.0.$name($($arg),*) })*
    };
}

impl<V: Vfs> Vfs for Unsynced<V> {
    forward! {
        read(path: &Path, limit: u64) -> Vec<u8>;
        stat(path: &Path) -> Stat;
        read_only(path: &Path) -> bool;
        lstat(path: &Path) -> Stat;
        read_link(path: &Path) -> PathBuf;
        read_dir(path: &Path) -> Vec<std::ffi::OsString>;
        open(path: &Path) -> std::fs::File;
        rename(from: &Path, to: &Path) -> ();
        rename_new(from: &Path, to: &Path) -> ();
        exchange(a: &Path, b: &Path) -> ();
        remove_file(path: &Path) -> ();
        create_dir(path: &Path, mode: u32) -> ();
        remove_dir(path: &Path) -> ();
        set_mode(path: &Path, mode: u32) -> ();
        symlink(target: &Path, link: &Path) -> ();
        open_lock(path: &Path) -> std::fs::File;
    }

    fn set_modified(&self, path: &Path, at: Timestamp) -> io::Result<()> {
        // Signs of life are for what takes long. Where commands are slow, those of the thousand that this process runs would
        // fall into many; and of a lock with one, nobody could tell that it was left by the kill that comes next.
        let sign = std::thread::current().name() == Some("clauth-locks");
        if sign && cfg!(not(target_os = "linux")) {
            return Err(io::ErrorKind::Unsupported.into());
        }
        self.0.set_modified(path, at)
    }

    fn create(&self, path: &Path, mode: u32) -> io::Result<Box<dyn Handle>> {
        Ok(Box::new(UnsyncedHandle(self.0.create(path, mode)?)))
    }

    fn append(&self, path: &Path, mode: u32) -> io::Result<Box<dyn Handle>> {
        Ok(Box::new(UnsyncedHandle(self.0.append(path, mode)?)))
    }

    fn sync_dir(&self, _: &Path) -> io::Result<()> {
        Ok(())
    }
}

/// A disk that counts effects.
pub(crate) fn counting() -> FaultyVfs {
    FaultyVfs::counting(Arc::new(Unsynced(RealVfs)))
}

/// Puts a home back to what a picture of it shows.
pub(crate) fn restore(home: &Path, picture: &Snapshot) {
    let now = clauth_sandbox::world::snapshot(home).expect("a readable home");
    for (name, entry) in now.iter().rev() {
        if picture.get(name) != Some(entry) {
            let path = home.join(name);
            match entry {
                Entry::Dir(_) => {
                    let _ = std::fs::remove_dir(&path);
                }
                _ => std::fs::remove_file(&path).expect("a removable file"),
            }
        }
    }
    for (name, entry) in picture {
        if now.get(name) != Some(entry) {
            put_back(&home.join(name), entry);
        }
    }
}

fn put_back(path: &Path, entry: &Entry) {
    match entry {
        Entry::Dir(_) => {
            let _ = std::fs::create_dir(path);
            if let Entry::Dir(mode) = entry {
                set_mode(path, *mode);
            }
        }
        Entry::File(mode, bytes) => {
            std::fs::write(path, bytes).expect("a writable file");
            set_mode(path, *mode);
        }
        Entry::Link(target) => link(target.as_ref(), path),
        Entry::Other => {}
    }
}

#[cfg(unix)]
fn link(target: &Path, path: &Path) {
    std::os::unix::fs::symlink(target, path).expect("a link");
}

#[cfg(not(unix))]
fn link(_: &Path, _: &Path) {}

#[cfg(unix)]
fn set_mode(path: &Path, mode: u32) {
    use std::os::unix::fs::PermissionsExt as _;
    std::fs::set_permissions(path, std::fs::Permissions::from_mode(mode)).expect("own file");
}

#[cfg(not(unix))]
fn set_mode(_: &Path, _: u32) {}
