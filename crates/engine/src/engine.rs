//! The engine as a value: a machine, a disk, a root, and somebody to ask.

use std::sync::{Arc, Mutex};
use std::time::Duration;

use clauth_anthropic::{Client, Wire};
use clauth_claude::{Keychain, Reading};
use clauth_durable::{Disk, Items};
use clauth_host::Host;

use crate::error::Kind;
use crate::items::Remembered;
use crate::{Error, Root};

/// Shows how far long work has come: what it is, how much is done, and of how much.
pub type Progress = Arc<dyn Fn(&str, u64, u64) + Send + Sync>;

/// How long an answer is waited for, by what is asked. Tests are less patient.
#[derive(Clone, Copy, Debug)]
pub struct Patience {
    /// One request for a reading, or for what is verified.
    pub reading: Duration,
    /// A whole renewal (R5).
    pub renewal: Duration,
}

impl Default for Patience {
    fn default() -> Self {
        Self { reading: Duration::from_secs(8), renewal: Duration::from_secs(20) }
    }
}

/// Everything that a command acts on.
#[derive(Clone)]
pub struct Engine {
    /// The machine.
    pub host: Host,
    /// Its files.
    pub disk: Disk,
    /// clauth's own root.
    pub root: Root,
    /// How long the server is waited for.
    pub patience: Patience,
    /// The way to the network, which all of this process's requests share.
    pub(crate) wire: Wire,
    /// Tells the user something while work goes on; one line, no line end.
    pub say: Arc<dyn Fn(&str) + Send + Sync>,
    /// Shows how far long work has come.
    pub progress: Progress,
    /// The working directory, whose settings a `claude` started there would follow.
    pub here: Option<std::path::PathBuf>,
    /// This program, as others are to call it.
    pub program: std::path::PathBuf,
    /// The live login that was read again for long enough and is torn: nobody is writing it (protocols §2).
    pub(crate) torn: Arc<Mutex<Option<Reading>>>,
    /// It is a looking command's.
    pub(crate) looks: bool,
    /// Sessions are looked after by whoever began them, through [`crate::SessionHandle::look`], and by no thread: for who
    /// must repeat what happened step by step.
    pub by_hand: bool,
}

impl Engine {
    /// What outranks the login of `home` for a `claude` that is started here, but for what we set there ourselves.
    pub(crate) fn overrides(&self, home: &clauth_claude::ClaudeHome) -> Vec<clauth_claude::Override> {
        let mut all = clauth_claude::overrides(&self.host, &self.disk, home, self.here.as_deref());
        let set_there = |over: &clauth_claude::Override| matches!(over, clauth_claude::Override::Setting { .. });
        if all.iter().any(set_there)
            && let (Ok(Some(applied)), Ok(Some(document))) = (self.set_in(home), self.settings_of(home))
        {
            all.retain(|over| !crate::overlay::ours_in(&document, &applied, over));
        }
        all
    }

    /// The engine of a machine, on its real disk.
    #[must_use]
    pub fn new(host: Host, say: Arc<dyn Fn(&str) + Send + Sync>) -> Self {
        let mut disk = Disk::new(host.clock.clone(), host.random.clone());
        disk.items = Keychain::of(&host).map(|keychain| Arc::new(keychain) as Arc<dyn Items>);
        let (env, files) = (host.env.clone(), disk.clone());
        let wire = Wire::new(move || crate::trust::of_environment(&env, &files));
        let root = Root::new(host.root.clone()).with_items(disk.items.is_some());
        Self {
            host,
            disk,
            root,
            patience: Patience::default(),
            wire,
            say,
            progress: Arc::new(|_, _, _| {}),
            here: None,
            program: "clauth".into(),
            torn: Arc::default(),
            looks: false,
            by_hand: false,
        }
    }

    /// Somebody who asks servers; with `network` off everything is refused.
    pub(crate) fn client(&self, network: bool) -> Client<'_> {
        Client::new(&self.host.endpoints, &self.host.env, &self.wire, network)
    }

    /// The engine of a looking command: each item is read once at most, and none is written.
    pub(crate) fn looking(&self) -> Self {
        let mut engine = self.clone();
        engine.disk.items = self.disk.items.clone().map(|items| Arc::new(Remembered::new(items)) as Arc<dyn Items>);
        engine.looks = true;
        engine
    }

    /// Makes the root ready for writing: the directories that locks and the journal need, with tight modes.
    ///
    /// # Errors
    /// The disk refuses, or the user's home is not there: what is made in its place would be lost when it comes back.
    pub(crate) fn prepare(&self) -> Result<(), Error> {
        let home = &self.host.home;
        if self.root.path().starts_with(home) && self.disk.stat(home)?.is_none() {
            let what = format!("the home directory {} is not there", home.display());
            let next = ["mount it, or set HOME right", "a root elsewhere: CLAUTH_HOME=/path"];
            return Err(Error::refused(Kind::Io, what, home.display().to_string(), &next));
        }
        for directory in [self.root.locks(), self.root.profiles(), self.root.path().join("journal")] {
            self.disk.ensure_dir(&directory)?;
        }
        crate::root::tighten(&self.disk, &self.root);
        Ok(())
    }
}
