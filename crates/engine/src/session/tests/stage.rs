//! A throw-away home with a profile's place in it.
#![expect(clippy::disallowed_methods, reason = "a test's own hands must not be the code that is tested")]

use std::fs;
use std::path::{Path, PathBuf};
use std::sync::{Arc, Mutex, MutexGuard, PoisonError};

use clauth_claude::ClaudeHome;
use clauth_durable::vfs::Vfs;
use clauth_durable::{Disk, Kind};
use clauth_host::{Clock, Env, Host, Random};
use clauth_sandbox::World;

use crate::Root;
use crate::session::LinkMode;
use crate::session::Place;
#[cfg(unix)]
use crate::session::{build, tree::Built};

/// Started processes have every descriptor of this one for a moment, and some for good: tests that ask who holds a lock,
/// and tests that start processes, run one after the other.
static PROCESSES: Mutex<()> = Mutex::new(());

pub(super) fn alone() -> MutexGuard<'static, ()> {
    PROCESSES.lock().unwrap_or_else(PoisonError::into_inner)
}

pub(super) struct Stage {
    pub(super) world: World,
    pub(super) disk: Disk,
    pub(super) place: Place,
}

impl Stage {
    pub(super) fn new(name: &str) -> Self {
        let world = World::create_in(Path::new("/dev/shm"), name).unwrap_or_else(|_| World::new(name));
        let disk = Disk::new(Clock::system(), Random::system());
        let place = Place::of(&Root::new(world.root()), "a");
        Self { world, disk, place }
    }

    pub(super) fn disk_on(&self, vfs: impl Vfs + 'static) -> Disk {
        self.disk.clone().with_vfs(Arc::new(vfs))
    }

    pub(super) fn home(&self) -> ClaudeHome {
        let env: Env = self.world.env(None).into_iter().collect();
        ClaudeHome::default_of(&Host::from_env(env).expect("a sandbox host"), &self.disk)
    }

    /// The tree, as links, of which nobody makes use.
    #[cfg(unix)]
    pub(super) fn build(&self) -> Built {
        build(&self.disk, &self.home(), &self.place, LinkMode::Real, true).expect("a tree")
    }

    /// A path in the home.
    pub(super) fn at_home(&self, name: &str) -> PathBuf {
        self.world.claude_dir().join(name)
    }

    /// A path in the tree.
    pub(super) fn in_tree(&self, name: &str) -> PathBuf {
        self.place.tree.join(name)
    }

    /// What stands at a path, in words.
    pub(super) fn seen(&self, path: &Path) -> String {
        match self.disk.vfs.lstat(path).map(|stat| stat.kind) {
            Err(_) => "nothing".to_owned(),
            Ok(Kind::Link) => format!("link {}", fs::read_link(path).expect("a link").display()),
            Ok(Kind::Dir) => "dir".to_owned(),
            Ok(Kind::File) => format!("file {}", fs::read_to_string(path).expect("a readable file")),
            Ok(Kind::Other) => "other".to_owned(),
        }
    }
}

/// Writes a file, and the directories above it.
pub(super) fn put(path: &Path, text: &str) {
    fs::create_dir_all(path.parent().expect("a parent")).expect("directories");
    fs::write(path, text).expect("a file");
}

/// The modes that a tree can have here: links are a privilege on Windows, and Wine 8 says yes and makes none.
pub(super) fn modes() -> &'static [LinkMode] {
    let stage = Stage::new("links");
    let link = stage.at_home("link");
    let made = stage.disk.vfs.symlink(Path::new("settings.json"), &link);
    if cfg!(unix) || stage.disk.vfs.lstat(&link).is_ok_and(|stat| stat.kind == Kind::Link) {
        return &[LinkMode::Real, LinkMode::Copy];
    }
    println!("skipped: under Wine: trees made of links, since CreateSymbolicLinkW makes none: {made:?}");
    &[LinkMode::Copy]
}

/// What most trees are made of: links, where there are any.
pub(super) fn usual() -> LinkMode {
    modes()[0]
}

pub(super) fn mkdir(path: &Path) {
    fs::create_dir_all(path).expect("a directory");
}

#[cfg(unix)]
pub(super) fn remove(path: &Path) {
    fs::remove_file(path).expect("something to remove");
}

#[cfg(unix)]
pub(super) fn link(target: impl AsRef<Path>, path: &Path) {
    std::os::unix::fs::symlink(target, path).expect("a link");
}
