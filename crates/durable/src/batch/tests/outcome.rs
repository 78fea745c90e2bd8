//! What a batch comes to when nothing is in the way.

use jiff::{SignedDuration, Timestamp};

use super::super::{Batch, Change, CommitError, Manner};
use super::set::{SET, SYSTEMS, all_after, changes, contents, home, on, plan};
use crate::Error;
use crate::testing::{Poor, Scratch, disk};
use crate::vfs::{RealVfs, Vfs as _};

#[test]
fn everything_is_changed_and_nothing_is_left_beside() {
    for system in SYSTEMS {
        let home = home();
        let before = home.picture();
        let mut batch = plan(&on(system), &home);
        assert_eq!(home.picture(), before, "a plan has no effect");
        batch.stage().expect("staged contents");
        for (name, seen) in &before {
            assert_eq!(home.picture().get(name), Some(seen), "staging changes no target");
        }
        let mut steps = 0;
        let mut guard = || {
            steps += 1;
            Ok(())
        };
        batch.commit(&mut guard).expect("a committed batch");
        assert!(batch.finish());
        assert_eq!(contents(&home.picture()), all_after(), "{}", system.exchanges);
        assert_eq!(steps, SET.len(), "the guard looks before each step");
    }
}

#[test]
fn a_batch_that_is_not_finished_is_taken_back() {
    for system in SYSTEMS {
        let home = home();
        let before = home.picture();

        let mut staged = plan(&on(system), &home);
        staged.stage().expect("staged contents");
        drop(staged);
        assert_eq!(home.picture(), before, "dropped when staged");

        let mut committed = plan(&on(system), &home);
        committed.stage().expect("staged contents");
        committed.commit(&mut || Ok(())).expect("a committed batch");
        drop(committed);
        assert_eq!(home.picture(), before, "dropped when committed");

        let mut regretted = plan(&on(system), &home);
        regretted.stage().expect("staged contents");
        regretted.commit(&mut || Ok(())).expect("a committed batch");
        let end = regretted.take_back(Error::Lost { path: home.path("lock") });
        assert!(matches!(&end, CommitError::Failed(Error::Lost { path }) if *path == home.path("lock")), "{end:?}");
        assert_eq!(home.picture(), before, "taken back");
    }
}

#[test]
fn a_guard_that_fails_before_any_step_takes_everything_back() {
    for system in SYSTEMS {
        for lost in 1..=SET.len() {
            let home = home();
            let before = home.picture();
            let mut batch = plan(&on(system), &home);
            batch.stage().expect("staged contents");
            let mut asked = 0;
            let mut guard = || {
                asked += 1;
                if asked == lost { Err(Error::Lost { path: "lock".into() }) } else { Ok(()) }
            };
            let end = batch.commit(&mut guard).expect_err("a lost lock");
            assert!(matches!(end, CommitError::Failed(Error::Lost { .. })), "step {lost}: {end:?}");
            assert_eq!(home.picture(), before, "step {lost}");
        }
    }
}

#[test]
fn what_leads_to_no_file_is_no_plan() {
    let home = home();
    home.dir("directory");
    let mut changes = changes(&home);
    changes.push(Change { path: home.path("directory"), before: None, after: Some(vec![]), manner: Manner::Own });
    let before = home.picture();
    let error = Batch::plan(&on(Poor::RICH), &home.path("root"), "7", changes).map(drop).expect_err("a directory");
    assert!(matches!(error, Error::NotRegular { .. }), "{error:?}");
    assert_eq!(home.picture(), before);
}

/// A batch of one change.
fn change(home: &Scratch, system: Poor, name: &str, manner: Manner, texts: [Option<&str>; 2]) {
    let [before, after] = texts.map(|text| text.map(|text| text.as_bytes().to_vec()));
    let change = Change { path: home.path(name), before, after, manner };
    let mut batch = Batch::plan(&on(system), &home.path("root"), "7", vec![change]).expect("a plan");
    batch.stage().expect("staged contents");
    batch.commit(&mut || Ok(())).expect("a committed batch");
    assert!(batch.finish());
}

#[test]
fn a_new_login_is_later_than_every_earlier_one() {
    // W5. Claude Code reads its credential anew only when the time of modification is another one.
    let rows: &[(&str, Poor, SignedDuration)] = &[
        ("written long ago", Poor::RICH, SignedDuration::from_hours(-400)),
        ("written right now", Poor::RICH, SignedDuration::ZERO),
        ("written in the future", Poor::RICH, SignedDuration::from_hours(4)),
        ("between two milliseconds", Poor::RICH, SignedDuration::new(3600, 999_999)),
        ("stored by the second", Poor { grain: 1, exchanges: true, ..Poor::RICH }, SignedDuration::from_secs(100)),
        (
            "stored by two seconds, as on FAT",
            Poor { grain: 2, exchanges: false, ..Poor::RICH },
            SignedDuration::from_secs(100),
        ),
    ];
    for (name, system, ahead) in rows {
        let home = Scratch::new("stamp");
        let path = home.write("login.json", "{}");
        let now = Timestamp::from_second(disk().clock.file_now().as_second()).expect("a time");
        system.set_modified(&path, now + *ahead).expect("a stamp");
        let mut earlier = vec![RealVfs.lstat(&path).expect("a file").modified];
        let mut text = "{}".to_owned();
        for generation in 1..4 {
            let next = format!("{{\"login\":{generation}}}");
            change(&home, *system, "login.json", Manner::Credential, [Some(&text), Some(&next)]);
            let modified = RealVfs.lstat(&path).expect("a file").modified;
            assert!(earlier.iter().all(|at| modified > *at), "{name}: {modified} after {earlier:?}");
            // Set before the swap and not after it, or else somebody could read new bytes with an old time.
            let step = modified.duration_since(*earlier.last().expect("the former time"));
            assert!(system.grain > 0 || *ahead <= SignedDuration::ZERO || step.as_millis() <= 1, "{name}: {step:?}");
            earlier.push(modified);
            text = next;
        }
    }
}

#[cfg(unix)]
#[test]
fn modes_follow_the_manner() {
    for system in SYSTEMS {
        for (name, manner, before, expected) in [
            ("own, open before", Manner::Own, Some(0o644), 0o600),
            ("own, new", Manner::Own, None, 0o600),
            ("document, open before", Manner::Document, Some(0o644), 0o644),
            ("document, read-only", Manner::Document, Some(0o440), 0o440),
            ("document, new", Manner::Document, None, 0o600),
            ("login, private", Manner::Credential, Some(0o600), 0o600),
            ("login, new", Manner::Credential, None, 0o600),
        ] {
            let home = Scratch::new("mode");
            if let Some(mode) = before {
                home.write("file", "{}");
                home.chmod("file", mode);
            }
            change(&home, system, "file", manner, [before.map(|_| "{}"), Some("[]")]);
            assert_eq!((home.mode("file"), home.read("file").as_str()), (expected, "[]"), "{name}");
        }
    }
}

#[cfg(unix)]
#[test]
fn a_link_of_the_users_stays_and_one_into_our_root_is_replaced() {
    use crate::testing::Seen;
    for system in SYSTEMS {
        let home = Scratch::new("links");
        home.dir("dir");
        home.write("dir/real", "{}");
        home.link("dir/real", "theirs");
        home.write("root/slot", "{}");
        home.link("root/slot", "ours");
        for name in ["theirs", "ours"] {
            change(&home, system, name, Manner::Credential, [Some("{}"), Some("[]")]);
        }
        let picture = home.picture();
        assert_eq!(picture.get("theirs"), Some(&Seen::Link("dir/real".into())));
        assert_eq!(home.read("dir/real"), "[]");
        // L8: never written through, so that a login of another account does not land in a slot.
        assert_eq!(picture.get("ours"), Some(&Seen::File(b"[]".to_vec(), 0o600)));
        assert_eq!(home.read("root/slot"), "{}");
    }
}
