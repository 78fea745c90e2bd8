//! What the tests of this crate share: a marked throw-away home, and a host and disk in it.

use std::path::{Path, PathBuf};

use clauth_durable::{Disk, Mode};
use clauth_host::{Clock, Env, Host, Random};
use clauth_sandbox::World;

/// A home with nothing of a login in it.
pub(crate) struct Place {
    world: World,
    pub(crate) disk: Disk,
}

impl Place {
    pub(crate) fn new(name: &str) -> Self {
        Self { world: World::new(name), disk: Disk::new(Clock::system(), Random::system()) }
    }

    /// A path below the home.
    pub(crate) fn path(&self, relative: &str) -> PathBuf {
        self.world.home().join(relative)
    }

    /// The host of a process with `extra` in its environment.
    pub(crate) fn host(&self, extra: &[(&str, &str)]) -> Host {
        let mut env = self.world.env(None);
        env.extend(extra.iter().map(|(name, value)| (name.into(), value.into())));
        Host::from_env(env.into_iter().collect::<Env>()).expect("a sandbox host")
    }

    /// Writes a file, and the directories above it.
    pub(crate) fn put(&self, relative: &str, text: impl AsRef<[u8]>) -> PathBuf {
        let path = self.path(relative);
        self.disk.ensure_dir(path.parent().expect("below the home")).expect("a directory");
        self.disk.replace(&path, text.as_ref(), Mode::Private).expect("a file");
        path
    }

    #[cfg(unix)]
    pub(crate) fn link(&self, relative: &str, target: impl AsRef<Path>) -> PathBuf {
        let path = self.path(relative);
        self.disk.ensure_dir(path.parent().expect("below the home")).expect("a directory");
        self.disk.vfs.symlink(target.as_ref(), &path).expect("a link");
        path
    }
}

/// A path as an environment variable carries it.
pub(crate) fn text(path: &Path) -> &str {
    path.to_str().expect("sandbox homes are plain text")
}
