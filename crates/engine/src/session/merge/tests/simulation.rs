//! Three sessions and the home under a model of Claude Code: each writer re-reads and rewrites the whole file, prints
//! numbers anew, and now and then writes over what we have written since it read (a lost update).

use clauth_host::Random;
use jiff::{SignedDuration, Timestamp};
use serde_json::{Map, Value, json};

use super::bench::Bench;
use crate::session::merge::subject::Subject;

const MEMBERS: usize = 3;
const STEPS: usize = 200;

/// What stands in a file before the first step.
const START: &str = r#"{"userID":"u","numStartups":1,"theme":"dark","cost":1.10,"verbose":true,"tips":{"a":1},"autoUpdates":true,
 "editorMode":"vim","projects":{"/a":{"n":0},"/b":{"n":0}},"mcpServers":{"s":{"command":"x"}},"oauthAccount":{"of":"SIDE"}}"#;

/// A small generator of its own: a run is told again by its seed.
struct Dice(u64);

impl Dice {
    fn roll(&mut self, sides: usize) -> usize {
        // The SplitMix64 generator.
        self.0 = self.0.wrapping_add(0x9e37_79b9_7f4a_7c15);
        let mixed = (self.0 ^ (self.0 >> 30)).wrapping_mul(0xbf58_476d_1ce4_e5b9);
        let mixed = (mixed ^ (mixed >> 27)).wrapping_mul(0x94d0_49bb_1331_11eb);
        usize::try_from((mixed ^ (mixed >> 31)) % sides as u64).unwrap_or(0)
    }
}

struct World {
    bench: Bench,
    /// What each file was before our writes that came after its own last one: a lost update writes over this.
    stale: Vec<Option<(String, Timestamp)>>,
    dice: Dice,
    /// What must be there in the end: uncontended, since each step has a key of its own.
    wanted: Vec<(String, Value)>,
}

impl World {
    fn new(seed: u64) -> Self {
        let texts: Vec<String> = (0..MEMBERS).map(|at| START.replace("SIDE", &format!("m{at}"))).collect();
        let texts: Vec<&str> = texts.iter().map(String::as_str).collect();
        let mut bench = Bench::new(Subject::State, &START.replace("SIDE", "hub"), &texts);
        bench.rest();
        Self { bench, stale: vec![None; MEMBERS + 1], dice: Dice(seed), wanted: Vec::new() }
    }

    fn file(&mut self, who: usize) -> &mut String {
        if who == MEMBERS { &mut self.bench.hub } else { &mut self.bench.members[who] }
    }

    fn pass(&mut self) {
        let before: Vec<String> = self.bench.members.iter().chain([&self.bench.hub]).cloned().collect();
        self.bench.pass();
        let now = self.bench.now;
        for (who, before) in before.into_iter().enumerate() {
            if *self.file(who) != before {
                self.stale[who].get_or_insert((before, now));
            }
        }
    }

    /// A read, an edit and a write; the read of a `stale` one was before our last writes.
    fn write(&mut self, who: usize, stale: bool, edit: impl FnOnce(&mut Map<String, Value>)) {
        // Nobody holds what was read for longer than the lock lasts without a sign of life.
        let latest = self.bench.now - SignedDuration::from_secs(10);
        let read = self.stale[who].take().filter(|(_, at)| stale && *at >= latest);
        let text = read.map_or_else(|| self.file(who).clone(), |(text, _)| text);
        let mut state: Map<String, Value> = serde_json::from_str(&text).expect("a document");
        let count = state.get("numStartups").and_then(Value::as_u64).unwrap_or(0);
        state.insert("numStartups".into(), json!(count + 1));
        edit(&mut state);
        *self.file(who) = format!("{:#}", Value::Object(state));
    }

    fn step(&mut self, step: usize) {
        let who = self.dice.roll(MEMBERS + 1);
        match self.dice.roll(14) {
            // A value of its own: it must be there in the end.
            0..=3 => {
                let key = format!("k{step}");
                self.write(who, false, |state| drop(state.insert(key.clone(), json!(step))));
                self.wanted.push((key, json!(step)));
            }
            4..=5 => {
                let key = format!("/p{step}");
                self.write(who, false, |state| {
                    if let Some(map) = state.get_mut("projects").and_then(Value::as_object_mut) {
                        map.insert(key.clone(), json!({"n": step}));
                    }
                });
                self.wanted.push((key, json!({"n": step})));
            }
            // Contended: anybody may win, but all must come to agree.
            6 => self.write(who, false, |state| drop(state.insert("theme".into(), json!(step % 3)))),
            7 => self.write(who, false, |state| drop(state.remove("verbose"))),
            8 => self.write(who, true, |_| {}),
            9 => {
                // Torn for one pass.
                let whole = self.file(who).clone();
                let half = whole.len() / 2;
                let half = (0..=half).rev().find(|at| whole.is_char_boundary(*at)).unwrap_or(0);
                self.file(who).truncate(half);
                self.pass();
                *self.file(who) = whole;
            }
            10 => self.bench.wait(1),
            _ => self.pass(),
        }
    }
}

fn run(seed: u64) {
    let mut world = World::new(seed);
    for step in 0..STEPS {
        world.step(step);
    }
    // Writes that were undone wait a minute at most.
    while world.bench.pass() || world.bench.waits {
        world.bench.wait(5);
        assert!(world.bench.now < "2026-11-23T14:00:00Z".parse().expect("a time"), "seed {seed}: it never rests");
    }
    assert!(!world.bench.pass(), "seed {seed}: it rests");
    let plain = |mut state: Value| {
        let object = state.as_object_mut().expect("an object");
        (object.remove("oauthAccount"), state)
    };
    let (account, hub) = plain(world.bench.hub_value());
    assert_eq!(account, Some(json!({"of": "hub"})), "seed {seed}");
    for at in 0..MEMBERS {
        let (account, member) = plain(world.bench.member_value(at));
        assert_eq!(account, Some(json!({"of": format!("m{at}")})), "seed {seed}");
        assert_eq!(member, hub, "seed {seed}: member {at} agrees");
    }
    for (key, wanted) in &world.wanted {
        let found = hub.get(key).or_else(|| hub["projects"].get(key));
        assert_eq!(found, Some(wanted), "seed {seed}: {key}");
    }
}

#[test]
fn three_sessions_and_the_home_agree_in_the_end_and_no_uncontended_edit_is_lost() {
    for seed in 0..if cfg!(debug_assertions) { 8 } else { 200 } {
        run(seed);
    }
    // And one that no run before had; a failure names it.
    let fresh = Random::system().between(1_000, 1 << 40);
    run(fresh);
}
