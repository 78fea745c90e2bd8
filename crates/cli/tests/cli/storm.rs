//! Eight sessions of two accounts, random switches, forced renewals, idle hours and kills, against a server that revokes a
//! family at the first reuse, and may end an access token with the renewal of its pair: nothing is reused, nothing revoked, and
//! every session has a working login, at the latest when its watchdog has seen what happened.
#![cfg(unix)]

use std::path::Path;
use std::process::Command;

use clauth_sandbox::world::holders;
use clauth_sandbox::{Account, Login, Pair, Running};

use crate::stage::{Stage, finish};

/// A repeatable sequence: the steps must differ from seed to seed, and be the same for one.
struct Dice(u64);

impl Dice {
    fn roll(&mut self, sides: u64) -> u64 {
        self.0 = self.0.wrapping_mul(6_364_136_223_846_793_005).wrapping_add(1_442_695_040_888_963_407);
        (self.0 >> 33) % sides
    }
}

fn start_command(stage: &Stage, mode: &str, name: &str) -> Command {
    let mut command = stage.command(&["start", name, "session"]);
    command.env("CLAUTH_LINKS", mode);
    command
}

/// A switch that may meet a lock: as a person would, it is tried again.
fn switch(stage: &Stage, name: &str) {
    let mut ended = None;
    for _ in 0..5 {
        ended = finish(stage.command(&["switch", name])).code;
        if ended != Some(4) {
            break;
        }
    }
    assert_eq!(ended, Some(0), "switch {name}");
}

/// Hours pass in which nobody does anything: no access token works any more. Every process has the machine's clock, so it
/// is the logins that grow old. The slots come last, since it is by them that the watchdogs see it.
fn idle(stage: &Stage) {
    const PAST: u64 = 1_700_000_000_000;
    let server = stage.server.as_ref().expect("a server");
    // What was renewed a moment ago has come home long since; its end is what tells it from an older one.
    crate::start::soon("the renewed logins", || {
        let at_rest = |(name, family): (&str, &str)| {
            let newest = format!("{family}{}", server.generation(family).max(1));
            let tree = stage.tree(name).join(".credentials.json");
            let slot = stage.slot(name);
            (slot == newest || (slot == format!("{newest} bearer") && stage.world.live() == newest))
                && (tree.is_symlink() || stage.in_tree(name) == slot)
        };
        [("a", "A"), ("b", "B")].into_iter().all(at_rest)
    });
    for (account, family) in [(Account::a(), "A"), (Account::b(), "B")] {
        let pair = Pair::new(family, server.generation(family).max(1));
        server.know(&Login::new(&account, pair).expiring_at(PAST));
    }
    let profiles = stage.world.root().join("profiles");
    let of = |name: &str, file: &str| profiles.join(name).join(file);
    let mut files = vec![stage.world.credentials_path(), of("a", "loan.json"), of("b", "loan.json")];
    files.extend(
        ["a", "b"].map(|name| of(name, "runtime/.credentials.json")).into_iter().filter(|path| !path.is_symlink()),
    );
    files.extend([of("a", "credentials.json"), of("b", "credentials.json")]);
    for file in files.iter().filter(|file| file.exists()) {
        stage.world.edit_json(file, |object| {
            // A loan has the login in a place of its own.
            let login = if object.contains_key("login") {
                &mut object["login"]["claudeAiOauth"]
            } else {
                &mut object["claudeAiOauth"]
            };
            login["expiresAt"] = PAST.into();
        });
    }
}

/// A turn of a session, which may have to wait until its watchdog has seen what happened elsewhere.
fn turn(session: &mut Running, told: &str) {
    let mut answer = serde_json::Value::Null;
    for _ in 0..200 {
        answer = session.send("turn");
        if answer["ok"] == true {
            break;
        }
        std::thread::sleep(std::time::Duration::from_millis(50));
    }
    assert_eq!(answer["ok"], true, "{told}: no working login: {answer}");
}

fn storm((seed, mode, ends_access): (u64, &str, bool)) {
    let stage = Stage::two_with_server("storm");
    let _ = stage.world.install_claude(Path::new(crate::stage::PROGRAM)).expect("a claude");
    let server = stage.server.as_ref().expect("a server");
    server.set(|options| options.refresh_kills_access = ends_access);
    let mut dice = Dice(seed);
    let names = ["a", "b"];
    let mut sessions: Vec<Running> =
        (0..8).map(|at| Running::start(start_command(&stage, mode, names[at % 2]))).collect();
    for step in 0..40 {
        let told = format!("seed {seed}, {mode}, {ends_access}, step {step}");
        match dice.roll(9) {
            0 | 1 => switch(&stage, names[usize::from(dice.roll(2) == 1)]),
            2..=4 => {
                let at = usize::try_from(dice.roll(8)).expect("small");
                // Refused where the session has a bearer copy or another one renews; never a reuse.
                let _ = sessions[at].send("refresh");
            }
            5 => {
                let at = usize::try_from(dice.roll(8)).expect("small");
                let name = names[at % 2];
                let parent = i32::try_from(sessions[at].parent()).expect("a pid");
                let parent = rustix::process::Pid::from_raw(parent).expect("a pid");
                rustix::process::kill_process(parent, rustix::process::Signal::KILL).expect("killed");
                let fresh = Running::start(start_command(&stage, mode, name));
                drop(std::mem::replace(&mut sessions[at], fresh));
            }
            6 => drop(stage.world.claude().on(server).refresh_now()),
            7 => idle(&stage),
            _ => {
                let at = usize::try_from(dice.roll(8)).expect("small");
                turn(&mut sessions[at], &told);
            }
        }
        assert_eq!((server.reused(), server.revoked()), (0, Vec::new()), "{told}");
    }
    for (at, session) in sessions.iter_mut().enumerate() {
        turn(session, &format!("seed {seed}, {mode}: session {at} in the end"));
    }
    for session in sessions {
        let _ = session.finish();
    }
    switch(&stage, "a");
    switch(&stage, "b");
    let picture = stage.world.snapshot();
    for family in ["A", "B"] {
        let newest = server.generation(family).max(1);
        let token = format!("sk-ant-ort01-FAKE-{family}{newest}");
        assert!(!holders(&picture, &token).is_empty(), "seed {seed}: {family}{newest} is lost");
    }
    server.assert_clean();
}

#[test]
fn a_storm_of_sessions_reuses_and_loses_nothing() {
    // One after the other: eight sessions are enough for a small machine.
    [(1, "real", false), (7, "real", true), (3, "copy", true)].into_iter().for_each(storm);
}
