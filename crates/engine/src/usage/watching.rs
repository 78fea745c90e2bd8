//! Telling when a reading was stored, by whichever process: whoever shows readings waits for that instead of asking.

use notify::{RecommendedWatcher, RecursiveMode, Watcher as _};

use crate::Engine;
use crate::profile::Roster;

/// As long as this lives somebody is told.
pub struct Watching(#[expect(dead_code, reason = "held for its drop, which ends the watch")] RecommendedWatcher);

impl Engine {
    /// Calls `tell` whenever something that readings are made of changes; `None` where the system has no such events.
    #[must_use]
    pub fn watch_readings(&self, tell: impl Fn() + Send + 'static) -> Option<Watching> {
        let names = Roster::read(&self.disk, &self.root).ok()?.names;
        let mut watcher = notify::recommended_watcher(move |event: notify::Result<notify::Event>| {
            let of_readings = |event: &notify::Event| {
                let name = |path: &std::path::PathBuf| path.file_name().map(|name| name.to_string_lossy().into_owned());
                let ours = |name: String| name.starts_with("usage_") || name == "profiles.toml" || name == "loan.json";
                !event.kind.is_access() && event.paths.iter().filter_map(name).any(ours)
            };
            if event.as_ref().map_or(true, of_readings) {
                tell();
            }
        })
        .ok()?;
        watcher.watch(self.root.path(), RecursiveMode::NonRecursive).ok()?;
        for name in names {
            // One that is gone by now has no readings either.
            let _ = watcher.watch(&self.root.profile(&name), RecursiveMode::NonRecursive);
        }
        Some(Watching(watcher))
    }
}
