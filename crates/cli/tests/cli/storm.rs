//! Eight sessions of two accounts, random switches, forced renewals and kills, against a server that revokes a family at
//! the first reuse: nothing is reused, nothing revoked, and every session has a working login in the end.
#![cfg(unix)]

use std::path::Path;
use std::process::Command;

use clauth_sandbox::Running;
use clauth_sandbox::world::holders;

use crate::stage::{Stage, finish};

/// A repeatable sequence: the steps must differ from seed to seed, and be the same for one.
struct Dice(u64);

impl Dice {
    fn roll(&mut self, sides: u64) -> u64 {
        self.0 = self.0.wrapping_mul(6_364_136_223_846_793_005).wrapping_add(1_442_695_040_888_963_407);
        (self.0 >> 33) % sides
    }
}

fn start_command(stage: &Stage, name: &str) -> Command {
    let mut command = stage.command(&["start", name, "session"]);
    command.env("CLAUTH_LINKS", "real");
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

fn storm(seed: u64) {
    let stage = Stage::two_with_server("storm");
    let _ = stage.world.install_claude(Path::new(crate::stage::PROGRAM)).expect("a claude");
    let server = stage.server.as_ref().expect("a server");
    let mut dice = Dice(seed);
    let names = ["a", "b"];
    let mut sessions: Vec<Running> = (0..8).map(|at| Running::start(start_command(&stage, names[at % 2]))).collect();
    for step in 0..40 {
        let told = format!("seed {seed}, step {step}");
        match dice.roll(8) {
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
                let fresh = Running::start(start_command(&stage, name));
                drop(std::mem::replace(&mut sessions[at], fresh));
            }
            6 => drop(stage.world.claude().on(server).refresh_now()),
            _ => {
                let at = usize::try_from(dice.roll(8)).expect("small");
                let answer = sessions[at].send("turn");
                assert_eq!(answer["ok"], true, "{told}: {answer}");
            }
        }
        assert_eq!((server.reused(), server.revoked()), (0, Vec::new()), "{told}");
    }
    for (at, session) in sessions.iter_mut().enumerate() {
        let answer = session.send("turn");
        assert_eq!(answer["ok"], true, "seed {seed}: session {at} has no working login: {answer}");
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
    [1, 7].into_iter().for_each(storm);
}
