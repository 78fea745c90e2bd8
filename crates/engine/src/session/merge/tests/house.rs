//! A sandbox home with an engine, and trees in its root.
#![expect(clippy::disallowed_methods, reason = "a test's own hands must not be the code that is tested")]

use std::path::{Path, PathBuf};
use std::sync::Arc;

use clauth_claude::ClaudeHome;
use clauth_durable::{LockOwner, Vfs};
use clauth_host::{Env, Host};
use clauth_sandbox::World;
use serde_json::Value;

use crate::session::Place;
use crate::session::merge::converge::Passed;
use crate::session::merge::{Converger, Own};
use crate::{Engine, Error};

pub(super) struct House {
    pub(super) world: World,
    pub(super) engine: Engine,
}

impl House {
    /// A home with these two files; an empty text is no file.
    pub(super) fn new(state: &str, settings: &str) -> Self {
        let made = World::create_in(Path::new("/dev/shm"), "merge").unwrap_or_else(|_| World::new("merge"));
        let env: Env = made.env(None).into_iter().collect();
        let host = Host::from_env(env).expect("a sandbox host");
        let house = Self { world: made, engine: Engine::new(host, Arc::new(|_: &str| {})) };
        house.put(&house.world.state_path(), state);
        house.put(&house.settings(), settings);
        house
    }

    pub(super) fn on(&self, vfs: impl Vfs + 'static) -> Engine {
        let mut engine = self.engine.clone();
        engine.disk = engine.disk.with_vfs(Arc::new(vfs));
        engine
    }

    pub(super) fn home(&self) -> ClaudeHome {
        ClaudeHome::default_of(&self.engine.host, &self.engine.disk)
    }

    pub(super) fn settings(&self) -> PathBuf {
        self.world.claude_dir().join("settings.json")
    }

    /// A profile with an empty tree.
    pub(super) fn place(&self, name: &str) -> Place {
        let place = Place::of(&self.engine.root, name);
        std::fs::create_dir_all(&place.tree).expect("a tree");
        place
    }

    /// Profiles whose trees have copies of the home's files, and have been merged.
    pub(super) fn seeded(&self, names: &[&str]) -> Vec<Place> {
        let seed = |name: &&str| {
            let place = self.place(name);
            crate::session::merge::seed(&self.engine, &self.home(), &place, &[]).expect("a seed");
            place
        };
        names.iter().map(seed).collect()
    }

    pub(super) fn converger(&self, places: &[Place]) -> Converger {
        self.converger_on(&self.engine, places)
    }

    pub(super) fn converger_on(&self, engine: &Engine, places: &[Place]) -> Converger {
        let mut converger = Converger::new(engine, self.home());
        converger.set_members(places.iter().map(|place| (place.clone(), Own::default())).collect());
        converger
    }

    /// Frees what a killed process left locked.
    pub(super) fn unlock(&self) {
        let records = self.engine.root.locks().join("held");
        clauth_durable::lock::release_debris(&self.engine.disk, &records, &|_| LockOwner::Dead).expect("freed locks");
    }

    /// Writes in place, as a careless program would; an empty text removes.
    pub(super) fn put(&self, path: &Path, text: &str) {
        if text.is_empty() {
            let _ = std::fs::remove_file(path);
        } else {
            std::fs::write(path, text).expect("a written file");
        }
    }

    pub(super) fn text(&self, path: &Path) -> String {
        std::fs::read_to_string(path).expect("a readable file")
    }

    pub(super) fn value(&self, path: &Path) -> Value {
        serde_json::from_str(&self.text(path)).expect("a document")
    }

    /// Sets a key as Claude Code does: by reading and rewriting everything.
    pub(super) fn set(&self, path: &Path, key: &str, value: &Value) {
        let mut all = self.value(path);
        all[key] = value.clone();
        self.put(path, &format!("{all:#}"));
    }
}

pub(super) fn state_of(place: &Place) -> PathBuf {
    place.tree.join(".claude.json")
}

pub(super) fn settings_of(place: &Place) -> PathBuf {
    place.tree.join("settings.json")
}

/// Passes until nothing is written.
pub(super) fn rest(converger: &mut Converger) -> Result<Vec<Passed>, Error> {
    let mut all = Vec::new();
    for _ in 0..20 {
        let passed = converger.pass()?;
        let rests = passed.wrote.is_empty() && passed.skipped.is_empty() && !passed.elsewhere;
        all.push(passed);
        if rests {
            return Ok(all);
        }
    }
    panic!("it never rests: {all:?}");
}
