//! What copy mode costs, beside `cp -r` of the same tree in the same run. It measures and does not judge:
//!
//! `cargo test --release -p clauth-engine --lib copy::tests::cost -- --ignored --nocapture`

use std::fs;
use std::path::Path;
use std::process::Command;
use std::time::Duration;

use clauth_host::{Clock, Random};

use super::Stage;
use crate::session::copy::Watcher;

const FILES: usize = 20_000;
const ROUNDS: usize = 5;

/// 20,000 files of 12 KB in the mean, a few of them large.
fn home(stage: &Stage) {
    let text = "a line of a transcript that is about as long as they are\n".repeat(2000);
    for file in 0..FILES {
        let len = match file % 2000 {
            0 => 1900 * 57,
            _ => 1 + (file * 7919) % 410,
        } * 57;
        let path = stage.pair.home.join(format!("projects/p{}/d{}/s{file}.jsonl", file % 40, file % 13));
        fs::create_dir_all(path.parent().expect("a parent")).expect("directories");
        fs::write(&path, &text.repeat(len / text.len() + 1).as_bytes()[..len]).expect("a file");
        if file % 10 == 0 {
            stage.age(&format!("H/projects/p{}/d{}/s{file}.jsonl", file % 40, file % 13), 600);
        }
    }
}

fn took(clock: &Clock, work: impl FnOnce()) -> Duration {
    let began = clock.monotonic();
    work();
    clock.monotonic().saturating_sub(began)
}

/// Clock ticks of this process so far, and voluntary switches of all its threads.
fn spent() -> (u64, u64) {
    let stat = fs::read_to_string("/proc/self/stat").expect("a process");
    let fields: Vec<u64> = stat
        .rsplit(')')
        .next()
        .unwrap_or("")
        .split_whitespace()
        .skip(11)
        .take(2)
        .filter_map(|field| field.parse().ok())
        .collect();
    let switches = fs::read_dir("/proc/self/task").expect("threads").flatten().map(|thread| {
        let status = fs::read_to_string(thread.path().join("status")).unwrap_or_default();
        let line = status.lines().find_map(|line| line.strip_prefix("voluntary_ctxt_switches:"));
        line.and_then(|count| count.trim().parse::<u64>().ok()).unwrap_or(0)
    });
    (fields.iter().sum(), switches.sum())
}

#[test]
#[ignore = "measures for a minute and asserts nothing about time"]
fn copy_mode_beside_cp() {
    let clock = Clock::system();
    let stage = Stage::on_disk("cost");
    home(&stage);
    let (mut ours, mut theirs) = (Vec::new(), Vec::new());
    for _ in 0..ROUNDS {
        let to = stage.at("cp");
        theirs.push(took(&clock, || {
            let done = Command::new("cp").arg("-r").arg(&stage.pair.home).arg(&to).status().expect("cp");
            assert!(done.success());
        }));
        fs::remove_dir_all(&to).expect("removed");
        ours.push(took(&clock, || {
            let filled = stage.populate();
            assert_eq!(filled.progress.files as usize, FILES);
        }));
        fs::remove_dir_all(&stage.pair.tree).expect("removed");
        fs::create_dir(&stage.pair.tree).expect("a directory");
    }
    ours.sort();
    theirs.sort();
    let ratio = ours[ROUNDS / 2].as_secs_f64() / theirs[ROUNDS / 2].as_secs_f64();
    println!("populate {:?}, cp -r {:?}: x {ratio:.2}", ours[ROUNDS / 2], theirs[ROUNDS / 2]);

    stage.populate();
    let mut mirror = stage.mirror();
    println!("first walk {:?}", took(&clock, || drop(mirror.walk())));
    println!("second walk {:?}", took(&clock, || drop(mirror.walk())));
    println!("save {:?}", took(&clock, || mirror.save().expect("an index")));
    println!("open {:?}", took(&clock, || drop(stage.mirror())));

    let disk = clauth_durable::Disk::new(clock.clone(), Random::system());
    let say = std::sync::Arc::new(|text: &str| println!("said: {text}"));
    let began = clock.monotonic();
    let watcher = Watcher::start(disk, stage.pair.clone(), Stage::shared(), say).expect("a thread");
    std::thread::sleep(Duration::from_secs(3));
    let before = spent();
    std::thread::sleep(Duration::from_secs(10));
    let after = spent();
    println!("idle for 10 s: {} ticks, {} switches", after.0 - before.0, after.1 - before.1);
    let file = Path::new("projects/p1/d1/s1.jsonl");
    stage.add("T/projects/p1/d1/s1.jsonl", "one more\n");
    let wanted = fs::metadata(stage.pair.tree.join(file)).expect("a file").len();
    let arrived = took(&clock, || {
        while fs::metadata(stage.pair.home.join(file)).expect("a file").len() != wanted {
            std::thread::sleep(Duration::from_millis(1));
        }
    });
    println!("one line arrived after {arrived:?}, {} ticks", spent().0 - after.0);
    println!("stop {:?}, {:?} in all", took(&clock, || drop(watcher.stop())), clock.monotonic().saturating_sub(began));
}
