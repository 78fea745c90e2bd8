//! What a session's watchdog has to tell: the log hears it at once, the user when the child no longer has the terminal.

use std::collections::BTreeMap;
use std::sync::{Arc, Mutex, MutexGuard, PoisonError};

use crate::Engine;

/// So many sentences are told after a session; the rest is in the log.
const MOST: usize = 20;

/// Whoever watches a session tells it here; clones tell the same one.
#[derive(Clone)]
pub(super) struct Teller {
    engine: Engine,
    profile: String,
    told: Arc<Mutex<Told>>,
}

#[derive(Default)]
struct Told {
    /// For the user, each thing once.
    notices: Vec<String>,
    /// What is wrong at present, by whose trouble it is.
    standing: BTreeMap<&'static str, String>,
}

impl Teller {
    pub(super) fn new(engine: &Engine, profile: &str) -> Self {
        Self { engine: engine.clone(), profile: profile.to_owned(), told: Arc::default() }
    }

    /// The engine for work in the background: what it says comes here.
    pub(super) fn engine(&self) -> Engine {
        let teller = self.clone();
        let say = Arc::new(move |line: &str| teller.tell(line));
        Engine { say, progress: Arc::new(|_, _, _| {}), ..self.engine.clone() }
    }

    /// Something that happened.
    pub(super) fn tell(&self, line: &str) {
        self.engine.log(&self.profile, line);
        let mut told = self.told();
        if !told.notices.iter().any(|known| known == line) {
            told.notices.push(line.to_owned());
        }
    }

    /// How something stands: told once when it begins to be wrong in this way, however often it is looked at.
    pub(super) fn stands(&self, whose: &'static str, trouble: Option<String>) {
        let before = self.told().standing.get(whose).cloned();
        match (before, trouble) {
            (None, None) => {}
            (Some(_), None) => {
                self.told().standing.remove(whose);
                self.engine.log(&self.profile, &format!("{whose}: in order again"));
            }
            (Some(before), Some(trouble)) if before == trouble => {}
            (_, Some(trouble)) => {
                self.tell(&trouble);
                self.told().standing.insert(whose, trouble);
            }
        }
    }

    /// What the user should know, now that the terminal is ours again.
    pub(super) fn notices(&self) -> Vec<String> {
        let mut notices = std::mem::take(&mut self.told().notices);
        if notices.len() > MOST {
            let more = notices.split_off(MOST).len();
            notices.push(format!("{more} more: {}", self.engine.log_path().display()));
        }
        notices
    }

    fn told(&self) -> MutexGuard<'_, Told> {
        self.told.lock().unwrap_or_else(PoisonError::into_inner)
    }
}

#[cfg(test)]
mod tests {
    use std::path::Path;

    use clauth_host::{Env, Host};
    use clauth_sandbox::World;

    use super::*;

    fn teller(world: &World) -> (Teller, Arc<Mutex<Vec<String>>>) {
        let env: Env = world.env(None).into_iter().collect();
        let said = Arc::new(Mutex::new(Vec::new()));
        let into = Arc::clone(&said);
        let say = Arc::new(move |line: &str| into.lock().expect("no panic").push(line.to_owned()));
        (Teller::new(&Engine::new(Host::from_env(env).expect("a sandbox host"), say), "work"), said)
    }

    fn world(name: &str) -> World {
        World::create_in(Path::new("/dev/shm"), name).unwrap_or_else(|_| World::new(name))
    }

    fn logged(teller: &Teller) -> Vec<String> {
        let bytes = teller.engine.disk.read(&teller.engine.log_path()).expect("readable").unwrap_or_default();
        let text = String::from_utf8(bytes).expect("text");
        text.lines().filter_map(|line| line.split_once("work: ").map(|(_, entry)| entry.to_owned())).collect()
    }

    /// Point 9: errors once per state, to the log while the child owns the terminal.
    #[test]
    fn a_trouble_is_logged_once_for_as_long_as_it_stands_and_nothing_is_said_meanwhile() {
        let world = world("teller");
        let (teller, said) = teller(&world);
        for trouble in [None, Some("full"), Some("full"), Some("denied"), None, None, Some("full")] {
            teller.stands("settings", trouble.map(str::to_owned));
        }
        (teller.engine().say)("waiting");
        (teller.engine().say)("waiting");
        let expected = ["full", "denied", "settings: in order again", "full", "waiting", "waiting"];
        assert_eq!(logged(&teller), expected);
        assert!(said.lock().expect("no panic").is_empty(), "the terminal is the child's");
        assert_eq!(teller.notices(), ["full", "denied", "waiting"], "each thing once");
        assert!(teller.notices().is_empty());
    }

    #[test]
    fn a_flood_is_cut_and_says_where_the_rest_is() {
        let world = world("teller-flood");
        let (teller, _) = teller(&world);
        (0..MOST + 5).for_each(|number| teller.tell(&format!("trouble {number}")));
        let notices = teller.notices();
        assert_eq!(notices.len(), MOST + 1);
        assert_eq!(notices[MOST], format!("5 more: {}", teller.engine.log_path().display()));
        assert_eq!(logged(&teller).len(), MOST + 5);
    }
}
