//! S1: who lives in a tree.

use std::path::PathBuf;

use clauth_claude::RunningClaude;

use super::stage::{Stage, alone, mkdir, put};
use crate::session::holder::Live;
use crate::session::{Holder, live, prune};

fn running(pid: u32, config_dir: PathBuf) -> RunningClaude {
    RunningClaude { pid, config_dir, status: None, kind: None, cwd: None, started_at: None, overrides: Vec::new() }
}

fn count(stage: &Stage) -> usize {
    live(&stage.disk, &stage.place, &[]).len()
}

#[test]
fn a_session_is_alive_from_its_taking_to_its_release() {
    let _alone = alone();
    let stage = Stage::new("h-life");
    assert_eq!(live(&stage.disk, &stage.place, &[]), []);
    let mut holder = Holder::take(&stage.disk, &stage.place).expect("a holder");
    let seen = live(&stage.disk, &stage.place, &[]);
    assert_eq!((seen.len(), seen[0].holder, seen[0].claude), (1, Some(std::process::id()), None));
    assert_eq!(seen[0].config_dir, stage.place.tree);
    drop(holder.inherit().expect("a descriptor to pass on"));
    // This process itself: it lives, and yet it is not the child any more once that was waited for.
    holder.started(&stage.disk, std::process::id()).expect("a record");
    assert_eq!(live(&stage.disk, &stage.place, &[])[0].claude, Some(std::process::id()));
    holder.ended();
    assert!(holder.release(&stage.disk).expect("a release"));
    assert_eq!(stage.disk.list(&stage.place.holders).expect("a directory"), Vec::<std::ffi::OsString>::new());
}

#[test]
fn two_takers_at_once_are_two_sessions() {
    let _alone = alone();
    let stage = Stage::new("h-two");
    let takers: Vec<_> = (0..8)
        .map(|_| {
            let (disk, place) = (stage.disk.clone(), stage.place.clone());
            std::thread::spawn(move || Holder::take(&disk, &place).expect("a holder"))
        })
        .collect();
    let mut holders: Vec<Holder> = takers.into_iter().map(|taker| taker.join().expect("a taker")).collect();
    for left in (0..holders.len()).rev() {
        assert_eq!(count(&stage), left + 1);
        assert!(holders.pop().expect("a holder").release(&stage.disk).expect("a release"));
    }
    assert_eq!(count(&stage), 0);
}

#[test]
fn looking_creates_nothing_and_keeps_nobody_from_taking() {
    let _alone = alone();
    let stage = Stage::new("h-look");
    assert_eq!(count(&stage), 0);
    assert!(!stage.place.holders.exists());
    let (disk, place) = (stage.disk.clone(), stage.place.clone());
    let looking = std::thread::spawn(move || (0..2000).map(|_| live(&disk, &place, &[]).len()).max());
    for _ in 0..100 {
        let holder = Holder::take(&stage.disk, &stage.place).expect("a holder");
        assert_eq!(count(&stage), 1);
        drop(holder);
    }
    looking.join().expect("somebody who looks");
}

#[test]
fn two_who_look_at_once_do_not_take_each_other_for_a_session() {
    let _alone = alone();
    let stage = Stage::new("h-lookers");
    put(&stage.place.holders.join("17"), "");
    let looking = stage.disk.vfs.open(&stage.place.holders.join("17")).expect("a file");
    looking.try_lock_shared().expect("a look");
    assert_eq!(count(&stage), 0);
}

/// Point 10: holders, by S1.
#[test]
fn what_dead_sessions_left_is_pruned_and_nothing_else() {
    let _alone = alone();
    let stage = Stage::new("h-prune");
    let at = |name: &str| stage.place.holders.join(name);
    // As 0.4.0 leaves it; a session that was killed; a record whose holder 0.4.0 has pruned; strangers.
    put(&at("101"), "");
    put(&at("102"), "");
    let dead = r#"{"parent":{"pid":2000000000,"start":"1"},"child":{"pid":2000000001,"start":"1"},"config_dir":"/x","since":"2026-11-20T10:00:00Z"}"#;
    let dead = if cfg!(unix) { dead.to_owned() } else { dead.replace(r#"{"pid":2000000001,"start":"1"}"#, "null") };
    put(&at("102.json"), &dead);
    put(&at("103.json"), &dead);
    put(&at("104"), "");
    put(&at("104.json"), "{ torn");
    put(&at("README"), "mine");
    let holder = Holder::take(&stage.disk, &stage.place).expect("a holder");
    let seen = prune(&stage.disk, &stage.place, &[]).expect("a pruning");
    assert_eq!(seen.len(), 1);
    let own = std::process::id().to_string();
    let mut left = vec![own.clone().into(), format!("{own}.json").into(), "README".into()];
    left.sort();
    assert_eq!(stage.disk.list(&stage.place.holders).expect("a directory"), left as Vec<std::ffi::OsString>);
    drop(holder);
}

#[test]
fn a_plain_locked_file_of_0_4_0_is_alive() {
    let _alone = alone();
    let stage = Stage::new("h-old");
    put(&stage.place.holders.join("4711"), "");
    assert_eq!(count(&stage), 0);
    let file = stage.disk.vfs.open_lock(&stage.place.holders.join("4711")).expect("a file");
    file.try_lock().expect("a lock");
    let expected = Live { holder: Some(4711), claude: None, config_dir: stage.place.tree.clone(), since: None };
    for seen in [live(&stage.disk, &stage.place, &[]), prune(&stage.disk, &stage.place, &[]).expect("a pruning")] {
        assert_eq!(seen, std::slice::from_ref(&expected));
    }
}

#[test]
fn a_running_claude_in_the_tree_is_alive_without_a_holder() {
    let _alone = alone();
    let stage = Stage::new("h-run");
    mkdir(&stage.place.tree);
    let claudes = [running(7, stage.place.tree.clone()), running(8, stage.world.claude_dir())];
    let seen = live(&stage.disk, &stage.place, &claudes);
    assert_eq!(seen.iter().map(|live| (live.holder, live.claude)).collect::<Vec<_>>(), [(None, Some(7))]);
    let mut holder = Holder::take(&stage.disk, &stage.place).expect("a holder");
    holder.started(&stage.disk, 7).expect("a record");
    assert_eq!(live(&stage.disk, &stage.place, &claudes).len(), 1, "one session is told once");
}

#[cfg(unix)]
mod unix {
    use std::process::{Child, Command, Stdio};

    use super::super::stage::{link, remove};
    use super::*;

    /// A child that lives until its stdin is closed.
    fn child() -> Child {
        Command::new("cat").stdin(Stdio::piped()).stdout(Stdio::null()).spawn().expect("cat")
    }

    fn end(mut child: Child) {
        drop(child.stdin.take());
        child.wait().expect("its end");
    }

    #[test]
    fn the_lock_lives_as_long_as_the_child_that_inherited_it() {
        let _alone = alone();
        let stage = Stage::new("h-inherit");
        let holder = Holder::take(&stage.disk, &stage.place).expect("a holder");
        let stranger = child();
        let inherited = holder.inherit().expect("a passed descriptor");
        let heir = child();
        drop(inherited);
        let later = child();
        // As a killed parent leaves it: its own descriptor closed, no record of the child.
        drop(holder);
        assert_eq!(count(&stage), 1);
        end(heir);
        assert_eq!(count(&stage), 0, "a child that was not to inherit holds the lock");
        end(stranger);
        end(later);
    }

    #[test]
    fn a_recorded_child_is_alive_without_the_lock() {
        let _alone = alone();
        let stage = Stage::new("h-child");
        let child = child();
        let mut holder = Holder::take(&stage.disk, &stage.place).expect("a holder");
        holder.started(&stage.disk, child.id()).expect("a record");
        drop(holder);
        assert_eq!(prune(&stage.disk, &stage.place, &[]).expect("a pruning")[0].claude, Some(child.id()));
        end(child);
        assert_eq!(prune(&stage.disk, &stage.place, &[]).expect("a pruning"), []);
    }

    #[test]
    fn a_release_leaves_what_tells_of_a_living_child() {
        let _alone = alone();
        let stage = Stage::new("h-early");
        for (name, inherits, recorded) in
            [("both", true, true), ("only inherited", true, false), ("only recorded", false, true)]
        {
            let mut holder = Holder::take(&stage.disk, &stage.place).expect("a holder");
            let inherited = inherits.then(|| holder.inherit().expect("a passed descriptor"));
            let child = child();
            drop(inherited);
            if recorded {
                holder.started(&stage.disk, child.id()).expect("a record");
            }
            assert!(!holder.release(&stage.disk).expect("a release"), "{name}");
            assert_eq!(count(&stage), 1, "{name}");
            end(child);
            assert_eq!(prune(&stage.disk, &stage.place, &[]).expect("a pruning"), []);
        }
    }

    /// Only proc(5) tells when a process began.
    #[cfg(target_os = "linux")]
    #[test]
    fn another_process_with_the_id_of_the_child_is_not_the_child() {
        let _alone = alone();
        let stage = Stage::new("h-reuse");
        let child = child();
        let mut holder = Holder::take(&stage.disk, &stage.place).expect("a holder");
        holder.started(&stage.disk, child.id()).expect("a record");
        let own = std::process::id();
        let record = stage.place.holders.join(format!("{own}.json"));
        drop(holder);
        assert_eq!(count(&stage), 1);
        let text = String::from_utf8(stage.disk.read(&record).expect("readable").expect("a record")).expect("text");
        let start = clauth_durable::lock::process_start(&stage.disk, child.id()).expect("a start");
        put(&record, &text.replace(&format!("\"{start}\""), "\"17\""));
        assert_eq!(count(&stage), 0);
        end(child);
    }

    /// An ended child that nobody waited for is no session.
    #[cfg(target_os = "linux")]
    #[test]
    fn a_zombie_is_dead() {
        let _alone = alone();
        let stage = Stage::new("h-zombie");
        let mut child = child();
        let mut holder = Holder::take(&stage.disk, &stage.place).expect("a holder");
        holder.started(&stage.disk, child.id()).expect("a record");
        drop(holder);
        let stdout = child.stdin.take();
        drop(stdout);
        let path = PathBuf::from(format!("/proc/{}/stat", child.id()));
        while !stage.disk.vfs.read(&path, 4096).is_ok_and(|stat| String::from_utf8_lossy(&stat).contains(") Z ")) {
            std::thread::yield_now();
        }
        assert_eq!(count(&stage), 0);
        child.wait().expect("its end");
    }

    #[test]
    fn what_cannot_be_looked_at_is_alive() {
        let _alone = alone();
        let stage = Stage::new("h-error");
        mkdir(&stage.place.holders);
        // A link is not followed, so it cannot be opened.
        link("/nowhere", &stage.place.holders.join("17"));
        assert_eq!(count(&stage), 1);
        assert_eq!(prune(&stage.disk, &stage.place, &[]).expect("a pruning").len(), 1);

        let stage = Stage::new("h-record");
        put(&stage.place.holders.join("17"), "");
        mkdir(&stage.place.holders.join("17.json"));
        assert_eq!(count(&stage), 1);

        let stage = Stage::new("h-list");
        mkdir(stage.place.holders.parent().expect("a parent"));
        link("sessions", &stage.place.holders);
        assert_eq!(count(&stage), 1);
    }

    /// The whole of it, with a process that is really killed: this test's own program, which takes a holder, starts a
    /// child that inherits it, and waits to be killed.
    #[test]
    fn a_parent_killed_hard_leaves_its_child_s_session_alive() {
        let _alone = alone();
        let stage = Stage::new("h-kill");
        let own = std::env::current_exe().expect("this program");
        let mut parent = Command::new(own)
            .args(["--exact", "session::tests::holder::unix::a_parent_to_be_killed", "--ignored", "--nocapture"])
            .env("HOLDER_ROOT", stage.world.root())
            .stdin(Stdio::piped())
            .stdout(Stdio::piped())
            .spawn()
            .expect("a parent");
        let child: u32 = {
            use std::io::BufRead as _;
            let lines = std::io::BufReader::new(parent.stdout.take().expect("its stdout")).lines();
            let line =
                lines.map_while(Result::ok).find_map(|line| line.split_once("CHILD ").map(|(_, pid)| pid.to_owned()));
            line.expect("a child").trim().parse().expect("an id")
        };
        let pid = parent.id();
        let seen = live(&stage.disk, &stage.place, &[]);
        assert_eq!((seen.len(), seen[0].holder, seen[0].claude), (1, Some(pid), Some(child)));
        parent.kill().expect("a kill");
        parent.wait().expect("its end");

        let seen = prune(&stage.disk, &stage.place, &[]).expect("a pruning");
        assert_eq!((seen.len(), seen[0].holder, seen[0].claude), (1, Some(pid), Some(child)));
        // By the lock alone, too: the child inherited it.
        remove(&stage.place.holders.join(format!("{pid}.json")));
        assert_eq!(count(&stage), 1);

        Command::new("kill").args(["-9", &child.to_string()]).status().expect("kill");
        while count(&stage) > 0 {
            std::thread::yield_now();
        }
        assert_eq!(prune(&stage.disk, &stage.place, &[]).expect("a pruning"), []);
    }

    #[test]
    #[ignore = "run by the test before it, in a process of its own"]
    #[expect(clippy::disallowed_methods, reason = "what the test before it hands over")]
    fn a_parent_to_be_killed() {
        let Some(root) = std::env::var_os("HOLDER_ROOT") else { return };
        let stage_root = crate::Root::new(root.into());
        let disk = clauth_durable::Disk::new(clauth_host::Clock::system(), clauth_host::Random::system());
        let place = crate::session::Place::of(&stage_root, "a");
        let mut holder = Holder::take(&disk, &place).expect("a holder");
        let inherited = holder.inherit().expect("a passed descriptor");
        let mut child =
            Command::new("sleep").arg("600").stdout(Stdio::null()).stderr(Stdio::null()).spawn().expect("sleep");
        drop(inherited);
        holder.started(&disk, child.id()).expect("a record");
        println!("CHILD {}", child.id());
        let _ = child.wait();
    }
}
