//! What Claude Code and its user do.

use std::path::PathBuf;
use std::sync::{Arc, Mutex, PoisonError};
use std::time::{Duration, SystemTime};

use clauth_sandbox::{Account, Claude, Pair, Refreshed};

use crate::ledger::Ledger;
use crate::stage::Stage;
use crate::step::{Other, Seat};

/// A `claude` that acts in the middle of something of clauth's.
pub(crate) struct Acting {
    pub(crate) seat: Seat,
    pub(crate) ran: bool,
    pub(crate) claude: Arc<Mutex<Option<Claude>>>,
    /// The lock of its state file.
    lock: PathBuf,
    /// No login tells its own end.
    endless: bool,
}

/// Where no login tells its own end, nobody can tell a new sign-in of an account from a renewal of its earlier one.
fn forgive_earlier(ledger: &mut Ledger, endless: bool, other: &Other) {
    if let (true, Other::SignIn(_, code)) = (endless, other) {
        ledger.forgive_account(*code, "its user signed in as it again");
    }
}

/// Does what somebody else does, now.
pub(crate) fn act(stage: &mut Stage, ledger: &mut Ledger, other: &Other) {
    let (seat, home) = (seat(other), stage.home().to_owned());
    if !stage.is_taken(seat) || (!stage.reaches() && needs_network(other)) {
        return;
    }
    match other {
        Other::Run if stage.running.is_none() => {
            let mut claude = stage.claude(None);
            begin(&mut claude);
            stage.board.run(HOME, &home, None);
            stage.running = Some(claude);
            return;
        }
        Other::Stop => {
            stage.board.stop(HOME);
            stage.running = None;
            return;
        }
        _ => {}
    }
    // Claude Code waits for its files for longer than their locks stay fresh.
    if claude_waits(stage, seat).is_some() || state_lock(stage, seat).exists() {
        clauth_sandbox::let_pass(clauth_sandbox::claude::STORAGE_STALE);
    }
    let ran = stage.running.is_some();
    let mut claude = stage.take_claude(seat);
    forgive_earlier(ledger, stage.endless, other);
    // Before whose lock no time passes: one of a killed process that was dated by a clock which was set back since.
    let stuck = claude_waits(stage, seat).filter(|at| *at > now()).and_then(|_| family_of(&mut claude));
    stuck.iter().for_each(|family| ledger.forgive(family, "the store was locked by a clock that was ahead"));
    let mut given_up = Vec::new();
    ledger.watch(&home, || given_up = by(&mut claude, other));
    given_up.iter().for_each(|(family, why)| ledger.forgive(family, why));
    stage.put_claude(seat, claude, ran);
}

fn family_of(claude: &mut Claude) -> Option<String> {
    Pair::of(&format!("FAKE-{}", claude.login().replace(" bearer", ""))).map(|pair| pair.family)
}

/// When somebody who was killed locked the store, where that is so.
fn claude_waits(stage: &Stage, seat: Seat) -> Option<SystemTime> {
    let config = stage.config(seat).unwrap_or_else(|| stage.world.claude_dir());
    std::fs::metadata(config.join(".storage-write.lock")).ok()?.modified().ok()
}

fn state_lock(stage: &Stage, seat: Seat) -> PathBuf {
    stage.config(seat).unwrap_or_else(|| stage.home().to_owned()).join(".claude.json.lock")
}

fn now() -> SystemTime {
    SystemTime::UNIX_EPOCH + Duration::from_millis(clauth_sandbox::now_ms())
}

/// The made-up process that runs in the home.
const HOME: u32 = 4_194_304;

/// A `claude` begins. Its registration names a process that is not its own, so it does not stay.
pub(crate) fn begin(claude: &mut Claude) {
    let _ = claude.start();
    claude.stop();
}

/// Readies somebody to act in the middle of something else.
pub(crate) fn ready(stage: &mut Stage, other: &Other) -> Option<Acting> {
    let seat = seat(other);
    let able = stage.is_taken(seat) && (stage.reaches() || !needs_network(other));
    if !able || matches!(other, Other::Run | Other::Stop) {
        return None;
    }
    let ran = stage.running.is_some();
    let lock = state_lock(stage, seat);
    let claude = stage.take_claude(seat);
    Some(Acting { seat, ran, claude: Arc::new(Mutex::new(Some(claude))), lock, endless: stage.endless })
}

/// What they do, as something that another thread may run.
pub(crate) fn later(
    acting: &Acting,
    ledger: &Arc<Mutex<Ledger>>,
    home: PathBuf,
    other: Other,
) -> Box<dyn FnOnce() + Send> {
    let (claude, ledger, lock) = (Arc::clone(&acting.claude), Arc::clone(ledger), acting.lock.clone());
    let endless = acting.endless;
    Box::new(move || {
        // Claude Code waits for the lock between its two files; whoever has it stands still here until this is over.
        if matches!(other, Other::SignIn(..) | Other::SignOut(_)) && lock.exists() {
            return;
        }
        let mut claude = claude.lock().unwrap_or_else(PoisonError::into_inner);
        let mut ledger = ledger.lock().unwrap_or_else(PoisonError::into_inner);
        let Some(claude) = claude.as_mut() else { return };
        forgive_earlier(&mut ledger, endless, &other);
        let mut given_up = Vec::new();
        ledger.watch(&home, || given_up = by(claude, &other));
        given_up.iter().for_each(|(family, why)| ledger.forgive(family, why));
    })
}

/// Gives the `claude` back.
pub(crate) fn done(stage: &mut Stage, acting: &Acting) {
    let claude = acting.claude.lock().unwrap_or_else(PoisonError::into_inner).take();
    if let Some(claude) = claude {
        stage.put_claude(acting.seat, claude, acting.ran);
    }
}

fn seat(other: &Other) -> Seat {
    match other {
        Other::SignIn(seat, _)
        | Other::SignOut(seat)
        | Other::Turn(seat)
        | Other::Renew(seat)
        | Other::Rewrite(seat) => *seat,
        Other::Run | Other::Stop => Seat::Home,
    }
}

fn needs_network(other: &Other) -> bool {
    !matches!(other, Other::Rewrite(_) | Other::Run | Other::Stop)
}

/// Does it, and answers which families Claude Code itself gave up.
fn by(claude: &mut Claude, other: &Other) -> Vec<(String, &'static str)> {
    match other {
        Other::SignIn(_, code) => {
            // What it writes when a lock stays held is its own affair.
            let _ = claude.sign_in(&Account::new(*code));
        }
        Other::SignOut(_) => {
            let family = family_of(claude);
            let _ = claude.sign_out();
            return family.into_iter().map(|family| (family, "its user signed out")).collect();
        }
        Other::Turn(_) => drop(claude.turn("hello")),
        Other::Renew(_) => {
            let sent = claude.login();
            if claude.refresh_now() == Refreshed::Dropped {
                let family = Pair::of(&format!("FAKE-{sent}")).map(|pair| pair.family);
                return family.into_iter().map(|family| (family, "Claude Code dropped it")).collect();
            }
        }
        Other::Rewrite(_) => drop(claude.rewrite_state()),
        Other::Run | Other::Stop => {}
    }
    Vec::new()
}
