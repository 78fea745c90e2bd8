//! The machine that a program runs on: a home, a fake Anthropic, an engine and two sessions.

use std::collections::BTreeMap;
use std::fs::{File, FileTimes};
use std::path::{Path, PathBuf};
use std::sync::{Arc, Mutex};
use std::time::{Duration, SystemTime};

use clauth_engine::{Engine, SessionHandle};
use clauth_host::{Clock, Env, Host, Random};
use clauth_sandbox::claude::Patience;
use clauth_sandbox::{Claude, Server, World};

use crate::clock::ModelTime;
use crate::disk::Board;
use crate::step::Seat;

/// Process ids that no process has.
const PIDS: u32 = 4_194_305;

/// A session: the `clauth start` and its `claude`.
pub(crate) struct Session {
    /// `None` once the `clauth start` was killed.
    pub(crate) handle: Option<SessionHandle>,
    /// What the child inherited (S1).
    pub(crate) heir: Option<File>,
    pub(crate) claude: Claude,
    pub(crate) tree: PathBuf,
    pub(crate) pid: u32,
}

pub(crate) struct Stage {
    pub(crate) world: World,
    pub(crate) server: Server,
    pub(crate) board: Board,
    pub(crate) network: bool,
    pub(crate) sessions: [Option<Session>; 2],
    /// The `claude` that runs in the home.
    pub(crate) running: Option<Claude>,
    pub(crate) said: Arc<Mutex<Vec<String>>>,
    /// The built program, where its processes play.
    pub(crate) program: Option<PathBuf>,
    clock: Clock,
    random: Random,
    copies: bool,
    /// Without a network it is clauth alone that asks nobody.
    alone: bool,
    /// No login tells its own end.
    pub(crate) endless: bool,
    begun: u32,
}

impl Stage {
    pub(crate) fn new(seed: u64) -> Self {
        clauth_sandbox::set_right();
        let world = World::create_in(Path::new("/dev/shm"), "model").unwrap_or_else(|_| World::new("model"));
        std::fs::create_dir(world.home().join("run")).expect("a directory");
        let board = Board::default();
        let server = Server::start();
        // As older versions of Claude Code do, which store no login's own end: nothing but a name tells whose a renewal is.
        let endless = seed / 4 % 2 == 1;
        server.set(|options| options.omit_login_end = endless);
        Self {
            world,
            server,
            network: true,
            sessions: [None, None],
            running: None,
            said: Arc::default(),
            // One in twenty; where there is no program, all are played in this process.
            program: std::env::var_os("MODEL_CLAUTH").filter(|_| seed.is_multiple_of(20)).map(PathBuf::from),
            clock: Clock::new(ModelTime::new(board.clone())),
            board,
            random: Random::seeded(seed),
            copies: seed % 4 == 3,
            alone: seed % 3 == 2,
            endless,
            begun: 0,
        }
    }

    pub(crate) fn home(&self) -> &Path {
        self.world.home()
    }

    /// A new process of clauth.
    pub(crate) fn engine(&self) -> Engine {
        let mut env = self.world.env(self.network.then_some(&self.server));
        env.push(("XDG_RUNTIME_DIR".into(), self.home().join("run").into()));
        if self.copies {
            env.push(("CLAUTH_LINKS".into(), "copy".into()));
        }
        let mut host = Host::from_env(env.into_iter().collect::<Env>()).expect("a sandbox host");
        (host.clock, host.random) = (self.clock.clone(), self.random.clone());
        let said = Arc::clone(&self.said);
        let say = move |line: &str| said.lock().expect("not poisoned").push(line.to_owned());
        let mut engine = Engine::new(host, Arc::new(say));
        engine.disk = engine.disk.with_vfs(Arc::new(self.board.clone()));
        engine.by_hand = true;
        engine
    }

    /// A `claude` that has just been started.
    pub(crate) fn claude(&self, config: Option<&Path>) -> Claude {
        let claude = config.map_or_else(|| self.world.claude(), |dir| self.world.claude_in(dir));
        let claude = claude.patient(Patience::NONE);
        if self.reaches() { claude.on(&self.server) } else { claude }
    }

    /// Whether Claude Code reaches its server.
    pub(crate) fn reaches(&self) -> bool {
        self.network || self.alone
    }

    /// Whether somebody lives there to act.
    pub(crate) fn is_taken(&self, seat: Seat) -> bool {
        match seat {
            Seat::Home => true,
            Seat::In(at) => self.sessions[at].is_some(),
        }
    }

    /// The config directory of a seat; `None` for the home's own.
    pub(crate) fn config(&self, seat: Seat) -> Option<PathBuf> {
        match seat {
            Seat::Home => None,
            Seat::In(at) => self.sessions[at].as_ref().map(|session| session.tree.clone()),
        }
    }

    /// Takes the `claude` of a seat, or a new one, to act with.
    pub(crate) fn take_claude(&mut self, seat: Seat) -> Claude {
        let config = self.config(seat);
        let fresh = self.claude(config.as_deref());
        match seat {
            Seat::Home => self.running.take().unwrap_or(fresh),
            Seat::In(at) => match &mut self.sessions[at] {
                Some(session) => std::mem::replace(&mut session.claude, fresh),
                None => fresh,
            },
        }
    }

    pub(crate) fn put_claude(&mut self, seat: Seat, claude: Claude, ran: bool) {
        match seat {
            Seat::Home => self.running = Some(claude).filter(|_| ran),
            Seat::In(at) => {
                if let Some(session) = &mut self.sessions[at] {
                    session.claude = claude;
                }
            }
        }
    }

    /// The number of a process that begins now.
    pub(crate) fn pid(&mut self) -> u32 {
        self.begun += 1;
        PIDS + self.begun
    }

    /// When each file was written, by the file system.
    pub(crate) fn times(&self) -> Times {
        let mut times = Times::new();
        note_times(self.home(), &mut times);
        times
    }

    /// What was written since `before` was stamped by the machine's clock: puts that right. What a process dated itself, it
    /// dated by the sandbox's.
    pub(crate) fn stamp(&self, since: SystemTime, before: &Times) {
        let ahead = clauth_sandbox::ahead_ms();
        if ahead == 0 {
            return;
        }
        let by = Duration::from_millis(ahead.unsigned_abs());
        // The file system's clock lags by up to a tick.
        let step = since - Duration::from_millis(5)..=SystemTime::now();
        for (path, modified) in self.times() {
            if before.get(&path) != Some(&modified) && step.contains(&modified) {
                let right = if ahead > 0 { modified + by } else { modified - by };
                let file = File::options().read(true).open(&path);
                let _ = file.and_then(|file| file.set_times(FileTimes::new().set_modified(right)));
            }
        }
    }
}

/// The times of files and locks.
pub(crate) type Times = BTreeMap<PathBuf, SystemTime>;

fn note_times(dir: &Path, times: &mut Times) {
    for path in crate::witness::list(dir) {
        let Ok(stat) = std::fs::symlink_metadata(&path) else { continue };
        // A lock that was made and not yet stamped is known by its time; other directories are not.
        let ours = path.parent().is_some_and(|parent| parent.ends_with(".clauth/locks")) && !path.ends_with("held");
        let lock = stat.is_dir() && (ours || path.extension().is_some_and(|extension| extension == "lock"));
        if stat.is_dir() && !lock {
            note_times(&path, times);
        } else if let (true, Ok(modified)) = (lock || stat.is_file(), stat.modified()) {
            times.insert(path, modified);
        }
    }
}
