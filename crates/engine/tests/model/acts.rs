//! What each step does.

use std::sync::{Arc, PoisonError};
use std::time::Duration;

use clauth_engine::{Engine, Error, Need, Options, Target};
use clauth_sandbox::{Account, Pair, Reply, Route};

use crate::disk::Plan;
use crate::others;
use crate::play::Game;
use crate::real;
use crate::stage::Session;
use crate::step::{Act, Other, Step};
use crate::witness::{Copy, Place};

impl Game {
    /// Runs a step; answers whether its fault came true.
    pub(crate) fn perform(&mut self, step: &Step, known: &[Copy]) -> bool {
        if let Some(program) = self.stage.program.clone() {
            match self.perform_really(step, known, &program) {
                Some(fired) => return fired,
                None if !self.takes_no_time(step) => return false,
                None => {}
            }
        }
        self.take_time(step);
        match step {
            Step::Do(act) => self.act(act, Plan::Works, known),
            Step::Killed(at, act) => self.act(act, Plan::Kill(*at), known),
            Step::Full(at, act) => self.act(act, Plan::Full(*at), known),
            Step::ReadOnly(at, act) => self.act(act, Plan::ReadOnly(*at), known),
            Step::Fails(at, act) => self.act(act, Plan::Once(*at), known),
            Step::During(at, act, other) => {
                let Some(acting) = others::ready(&mut self.stage, other) else {
                    return self.act(act, Plan::Works, known);
                };
                let home = self.stage.home().to_owned();
                let later = others::later(&acting, &self.ledger, home, other.clone());
                let fired = self.act(act, Plan::Call(*at, Some(later)), known);
                others::done(&mut self.stage, &acting);
                fired
            }
            Step::By(other) => {
                let ledger = Arc::clone(&self.ledger);
                let mut ledger = ledger.lock().unwrap_or_else(PoisonError::into_inner);
                others::act(&mut self.stage, &mut ledger, other);
                false
            }
            Step::Crash(at, with_child) => {
                self.crash(*at, *with_child);
                false
            }
            Step::Idle(minutes) => {
                clauth_sandbox::let_pass(Duration::from_secs(u64::from(*minutes) * 60));
                false
            }
            Step::Jump(minutes) => {
                clauth_sandbox::set_wrong(i64::from(*minutes) * 60_000);
                self.wrong += *minutes;
                self.jumped = true;
                self.ahead = self.ahead.max(self.wrong);
                false
            }
            Step::Network(on) => {
                self.stage.network = *on;
                false
            }
            Step::Lose => {
                if !self.losing && self.scripted == 0 {
                    self.stage.server.script(Route::Token, vec![Reply::Drop]);
                    (self.losing, self.scripted) = (true, 1);
                }
                false
            }
            Step::Trouble(status) => {
                if self.scripted == 0 {
                    let reply = if *status == 403 { Reply::Html } else { Reply::status(*status) };
                    self.stage.server.script(Route::Token, vec![reply]);
                    self.scripted = 1;
                }
                false
            }
        }
    }

    /// Runs a command as a process; `None` where the step is none of clauth's.
    fn perform_really(&mut self, step: &Step, known: &[Copy], program: &std::path::Path) -> Option<bool> {
        let act = step.act()?;
        let entry = match act {
            Act::Restore(at) | Act::RestoreAs(at, _) => vaulted(&self.stage.engine(), known, *at),
            _ => None,
        };
        let Some(words) = real::words(act, entry) else { return Some(false) };
        if let Act::CaptureOver(name) = act {
            self.ledger().accounts.remove(*name);
        }
        let kill = match step {
            Step::Killed(at, _) => Some(Duration::from_micros(100 * u64::try_from(*at).unwrap_or(0))),
            _ => None,
        };
        let ended = real::run(&self.stage, program, &words, kill);
        self.panicked |= ended.panicked;
        self.outcome = ended.outcome;
        Some(ended.killed)
    }

    /// Whether a step can be played while processes live by the machine's own clock.
    fn takes_no_time(&self, step: &Step) -> bool {
        match step {
            Step::Idle(_) | Step::Jump(_) => false,
            Step::By(Other::SignIn(_, code)) => !self.signed_in.contains_key(code),
            _ => true,
        }
    }

    /// Nobody signs in twice as one account within two minutes: such logins end at once, and pass for one (O1).
    fn take_time(&mut self, step: &Step) {
        let other = match step {
            Step::By(Other::SignIn(_, code)) | Step::During(_, _, Other::SignIn(_, code)) => Some(*code),
            _ => None,
        };
        let own = match step.act() {
            Some(Act::Login(_, code)) => Some(*code),
            _ => None,
        };
        // A sign-in that the server refuses is none.
        if other.is_some() || own.is_some() {
            self.stage.server.unscript(Route::Token);
            (self.scripted, self.losing) = (0, false);
        }
        for code in other.into_iter().chain(own) {
            let last = self.signed_in.get(&code).copied().unwrap_or(0);
            if clauth_sandbox::true_ms() < last + 180_000 {
                clauth_sandbox::let_pass(Duration::from_secs(180));
            }
            self.signed_in.insert(code, clauth_sandbox::true_ms());
        }
    }

    /// Runs a command under a plan; answers whether the plan came true.
    fn act(&mut self, act: &Act, plan: Plan, known: &[Copy]) -> bool {
        let kills = matches!(plan, Plan::Kill(_));
        self.stage.board.begin(plan);
        let engine = self.stage.engine();
        let result = self.run(&engine, act, known);
        drop(engine);
        // A session that was killed while it looked is gone.
        let killed = kills && self.stage.board.fired();
        if let (true, Act::Look(at)) = (killed, act) {
            self.crash(*at, true);
        }
        let (count, fired) = self.stage.board.end();
        self.outcome = match &result {
            Ok(()) => "done".to_owned(),
            Err(error) => format!("{:?}", error.kind()),
        };
        let error = result.err().map_or_else(String::new, |error| format!(": {error}"));
        let said: Vec<String> = std::mem::take(&mut *self.stage.said.lock().unwrap_or_else(PoisonError::into_inner));
        self.log.push(format!("    ({count} effects, fired {fired}){error} {said:?}"));
        fired
    }

    fn run(&mut self, engine: &Engine, act: &Act, known: &[Copy]) -> Result<(), Error> {
        let options = Options::default();
        match act {
            Act::Capture(name) => engine.capture(Some(name), false).map(drop),
            Act::CaptureAgain => engine.capture(None, false).map(drop),
            Act::CaptureOver(name) => {
                self.ledger().accounts.remove(*name);
                engine.capture(Some(name), true).map(drop)
            }
            Act::Switch(name) => engine.switch(Target::Named(name), options).map(drop),
            Act::Force(name) => engine.switch(Target::Named(name), Options { force: true, ..options }).map(drop),
            Act::Back => engine.switch(Target::Previous, options).map(drop),
            Act::Undo => engine.undo(false).map(drop),
            Act::Start(name) => self.start(engine, name),
            Act::Look(at) => {
                if let Some(handle) = self.stage.sessions[*at].as_mut().and_then(|session| session.handle.as_mut()) {
                    handle.look();
                }
                Ok(())
            }
            Act::End(at) => {
                let Some(session) = self.stage.sessions[*at].take() else { return Ok(()) };
                self.stage.board.stop(session.pid);
                drop(session.heir);
                session.handle.into_iter().for_each(|handle| drop(handle.end()));
                Ok(())
            }
            Act::Refresh(name) => engine.refresh(name, &Need::default()).map(drop),
            Act::RefreshAll => engine.refresh_all(&Need::default()).map(drop),
            Act::Login(name, code) => self.login(engine, name, *code),
            Act::Remove(name) => engine.remove(name, false).map(drop),
            Act::RemoveForced(name) => engine.remove(name, true).map(drop),
            Act::Restore(at) => vaulted(engine, known, *at).map_or(Ok(()), |id| engine.restore(&id, None).map(drop)),
            Act::RestoreAs(at, name) => {
                vaulted(engine, known, *at).map_or(Ok(()), |id| engine.restore(&id, Some(name)).map(drop))
            }
            Act::Rename(from, to) => engine.rename(from, to).map(drop),
            Act::Bind(name) => engine.bind(name, self.stage.home()).map(drop),
            Act::Order(name) => engine.order(name, 1).map(drop),
            Act::List => engine.list().map(drop),
        }
    }

    fn start(&mut self, engine: &Engine, name: &str) -> Result<(), Error> {
        let Some(at) = self.stage.sessions.iter().position(Option::is_none) else { return Ok(()) };
        let handle = engine.begin(name)?;
        let tree = handle.config_dir().to_owned();
        let mut claude = self.stage.claude(Some(&tree));
        let (pid, heir) = (self.stage.pid(), handle.inherit().ok());
        others::begin(&mut claude);
        self.stage.board.run(pid, self.stage.home(), Some(&tree));
        self.stage.sessions[at] = Some(Session { handle: Some(handle), heir, claude, tree, pid });
        Ok(())
    }

    fn login(&mut self, engine: &Engine, name: &str, code: char) -> Result<(), Error> {
        if !self.stage.network {
            return Ok(());
        }
        let stage = &self.stage;
        let signed_in = engine.login::<Error>(name, false, |dir| {
            let _ = stage.claude(Some(dir)).sign_in(&Account::new(code));
            Ok(())
        });
        signed_in.map(drop)
    }

    /// The `clauth start` is killed; its `claude` goes too, unless it lives on.
    fn crash(&mut self, at: usize, child_lives: bool) {
        let Some(session) = &mut self.stage.sessions[at] else { return };
        session.handle = None;
        if !child_lives {
            let pid = session.pid;
            self.stage.board.stop(pid);
            self.stage.sessions[at] = None;
        }
    }
}

/// The n-th entry of the vault, by what it holds.
fn vaulted(engine: &Engine, known: &[Copy], at: usize) -> Option<String> {
    let mut kept: Vec<(Pair, String)> = known
        .iter()
        .filter(|copy| copy.place == Place::Vault)
        .filter_map(|copy| Some((copy.pair.clone(), copy.path.file_stem()?.to_str()?.to_owned())))
        .collect();
    kept.sort();
    let id = kept.get(at % kept.len().max(1))?.1.clone();
    engine.vault().ok()?.iter().any(|entry| entry.id == id).then_some(id)
}
