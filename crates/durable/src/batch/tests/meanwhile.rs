//! Others write while a batch is under way: what they wrote stands (W2).

use std::path::Path;
use std::sync::Arc;

use super::super::{Batch, Change, Manner};
use super::set::{End, SET, SYSTEMS, content, home, on, plan, run, run_guarded};
use crate::testing::{Poor, Scratch, disk};
use crate::vfs::FaultyVfs;
use crate::{Error, Mode};

/// What somebody else writes.
const THEIRS: &str = r#"{"written by":"somebody else"}"#;

/// What somebody else does to a file.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
enum Deed {
    /// A new file in its place, as Claude Code does it.
    Replace,
    /// New bytes in the old file.
    InPlace,
    Remove,
}

/// Whether a file was there for the deed.
fn does(deed: Deed, home: &Scratch, name: &str) -> bool {
    let path = home.path(name);
    let there = disk().lstat(&path).expect("a look").is_some();
    match deed {
        Deed::Replace => disk().replace(&path, THEIRS.as_bytes(), Mode::Private).expect("their write"),
        Deed::InPlace => drop(home.write(name, THEIRS)),
        Deed::Remove => drop(disk().remove_file(&path).expect("their removal")),
    }
    there
}

#[test]
fn a_file_that_was_written_since_it_was_read_stops_the_batch() {
    for system in SYSTEMS {
        for deed in [Deed::Replace, Deed::InPlace, Deed::Remove] {
            for (name, manner, before, _) in SET {
                let fresh = before.is_none();
                if matches!(manner, Manner::Own | Manner::Log) || (fresh && deed == Deed::Remove) {
                    continue;
                }
                let home = home();
                let batch = plan(&on(system), &home);
                does(deed, &home, name);
                let expected = home.picture();
                let end = run(batch);
                let label = format!("{name} {deed:?}, exchanges: {}: {end:?}", system.exchanges);
                assert!(matches!(&end, End::Moved(path) if *path == home.path(name)), "{label}");
                assert_eq!(home.picture(), expected, "{label}");
            }
        }
    }
}

#[test]
fn a_document_that_is_already_another_is_not_even_touched() {
    let home = home();
    let vfs = FaultyVfs::counting(Arc::new(Poor::RICH));
    let batch = plan(&on(vfs.clone()), &home);
    does(Deed::Replace, &home, "theirs.json");
    assert!(matches!(run(batch), End::Moved(_)));
    // Exchanged back, it would be as before; but for a moment its readers would have seen ours.
    let moved = |name: &str| matches!(name, "exchange" | "rename" | "rename_new");
    let theirs = |path: &Path| path.to_string_lossy().contains("theirs.json");
    assert!(!vfs.effects().iter().any(|effect| moved(effect.name) && theirs(&effect.path)));
}

/// Runs a batch while somebody replaces the login right before the `at`-th effect. False when it has no such effect.
fn interrupted(system: Poor, at: usize, judge: impl FnOnce(&Scratch, &End, &str)) -> bool {
    let home = Arc::new(home());
    let theirs = Arc::clone(&home);
    let vfs = FaultyVfs::with_callback(Arc::new(system), at, move || {
        does(Deed::Replace, &theirs, "login.json");
    });
    let end = run(plan(&on(vfs.clone()), &home));
    let effect = vfs.effects().get(at - 1).map(|effect| format!("before {} at {at}: {end:?}", effect.name));
    if let Some(label) = effect {
        judge(&home, &end, &label);
    }
    vfs.fired()
}

#[test]
fn a_writer_that_takes_no_lock_loses_nothing_at_any_moment() {
    for system in SYSTEMS {
        let mut at = 1;
        while interrupted(system, at, |home, end, label| {
            let picture = home.picture();
            assert_eq!(content(&picture, "login.json").as_deref(), Some(THEIRS), "{label}");
            for (name, manner, before, after) in SET {
                let expected = if matches!(end, End::Done(_)) { after } else { before };
                if manner != Manner::Credential {
                    assert_eq!(content(&picture, name).as_deref(), expected, "{label}: {name}");
                }
            }
            match end {
                End::Done(tidy) => assert!(tidy, "{label}"),
                End::Moved(path) => assert_eq!(*path, home.path("login.json"), "{label}"),
                // Where two files cannot be exchanged, they may write while nothing stands there: the former login is
                // then kept beside and named.
                End::Stuck(left) => {
                    assert!(!system.exchanges, "{label}");
                    assert_eq!(left.len(), 1, "{label}");
                    assert_eq!(
                        disk().read(&left[0]).expect("a former login"),
                        Some(br#"{"login":1}"#.to_vec()),
                        "{label}"
                    );
                }
                End::Failed(error) => panic!("{label}: {error:?}"),
            }
        }) {
            at += 1;
        }
        assert!(at > SET.len());
    }
}

#[test]
fn what_they_write_over_ours_stands_when_ours_is_taken_back() {
    for system in SYSTEMS {
        for deed in [Deed::Replace, Deed::InPlace] {
            for (name, manner, before, after) in SET {
                // Nobody else writes what is ours; and a removed file that they make anew has its own way back.
                if matches!(manner, Manner::Own | Manner::Log) || after.is_none() {
                    continue;
                }
                let home = home();
                let batch = plan(&on(system), &home);
                let mut asked = 0;
                let mut guard = || {
                    asked += 1;
                    if asked < SET.len() {
                        return Ok(());
                    }
                    does(deed, &home, name);
                    Err(Error::Lost { path: "lock".into() })
                };
                let end = run_guarded(batch, &mut guard);
                let picture = home.picture();
                let label = format!("{name} {deed:?}, exchanges: {}: {end:?}", system.exchanges);
                assert_eq!(content(&picture, name).as_deref(), Some(THEIRS), "{label}");
                let former =
                    picture.keys().filter_map(|name| content(&picture, name)).any(|text| Some(&*text) == before);
                assert!(former || before.is_none(), "{label}: the former content is kept beside");
                assert!(matches!(end, End::Stuck(_)) || before.is_none(), "{label}");
            }
        }
    }
}

#[test]
fn a_log_that_something_else_happened_to_is_not_cut() {
    let home = home();
    let batch = plan(&on(Poor::RICH), &home);
    let mut asked = 0;
    let mut guard = || {
        asked += 1;
        if asked < SET.len() {
            return Ok(());
        }
        does(Deed::Replace, &home, "log.jsonl");
        Err(Error::Lost { path: "lock".into() })
    };
    assert!(matches!(run_guarded(batch, &mut guard), End::Failed(_)));
    assert_eq!(content(&home.picture(), "log.jsonl").as_deref(), Some(THEIRS));
}

#[test]
fn what_they_put_where_ours_was_removed_stands_when_ours_is_taken_back() {
    for system in SYSTEMS {
        let home = home();
        let mut changes = super::set::changes(&home);
        changes.truncate(6);
        let removed = changes.pop().expect("a removal");
        let last =
            Change { path: home.path("last.json"), before: None, after: Some(b"{}".to_vec()), manner: Manner::Own };
        let before = removed.before.clone();
        let batch = Batch::plan(&on(system), &home.path("root"), "7", vec![removed, last]).expect("a plan");
        let mut asked = 0;
        let mut guard = || {
            asked += 1;
            if asked == 1 {
                return Ok(());
            }
            assert!(!does(Deed::Replace, &home, "theirs-gone.json"), "it was removed");
            Err(Error::Lost { path: "lock".into() })
        };
        let End::Stuck(left) = run_guarded(batch, &mut guard) else { panic!("it cannot be put back") };
        assert_eq!(home.read("theirs-gone.json"), THEIRS);
        assert_eq!(left.len(), 1);
        assert_eq!(disk().read(&left[0]).expect("the former content"), before);
    }
}
