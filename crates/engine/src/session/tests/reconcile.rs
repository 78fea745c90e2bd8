//! S7: what a tree leaves behind, and that nothing of it is lost.
#![expect(clippy::disallowed_methods, reason = "a test's own hands must not be the code that is tested")]

use std::cell::Cell;
use std::collections::BTreeSet;
use std::fs;
use std::path::{Path, PathBuf};

use clauth_durable::Disk;
use clauth_host::Clock;
use clauth_sandbox::world::{Entry, snapshot};
use jiff::Timestamp;

use super::odd::Odd;
use super::stage::{Stage, mkdir, put};
use crate::error::Kind;
use crate::session::reconcile::{Reconciled, reconcile};
use crate::session::{Cleared, clear};

/// Writes a file that was last modified at a second.
pub(super) fn put_at(stage: &Stage, path: &Path, text: &str, second: i64) {
    put(path, text);
    let at = Timestamp::from_second(1_795_000_000 + second).expect("a time");
    stage.disk.vfs.set_modified(path, at).expect("a stamp");
}

/// The disks that differ in how a file gets from the tree to the home.
pub(super) fn disks(stage: &Stage) -> [(&'static str, Odd); 4] {
    let other = Some(stage.world.root());
    [
        ("one disk", Odd::default()),
        ("without exchange", Odd { poor: true, ..Odd::default() }),
        ("two disks", Odd { other_disk: other.clone(), ..Odd::default() }),
        ("two disks without exchange", Odd { other_disk: other, poor: true, ..Odd::default() }),
    ]
}

/// The files below a directory, by their path from there.
pub(super) fn files(dir: &Path) -> Vec<(String, String)> {
    let entries = if dir.exists() { snapshot(dir).expect("a directory") } else { Default::default() };
    let text = |(path, entry): (_, Entry)| match entry {
        Entry::File(_, bytes) => Some((named(path), String::from_utf8_lossy(&bytes).into_owned())),
        _ => None,
    };
    entries.into_iter().filter_map(text).collect()
}

fn named(path: impl Into<PathBuf>) -> String {
    path.into().to_string_lossy().replace('\\', "/")
}

/// What is kept, by its path without the time.
fn conflicts(stage: &Stage) -> Vec<(String, String)> {
    let strip = |(path, text): (String, String)| (path.split_once('/').expect("a time").1.to_owned(), text);
    files(&stage.place.conflicts).into_iter().map(strip).collect()
}

pub(super) fn done(stage: &Stage, disk: &Disk) -> Reconciled {
    let done = reconcile(disk, &stage.home(), &stage.place).expect("a reconciling");
    assert!(done.left.is_empty(), "{:?}", done.left);
    done
}

#[test]
fn of_two_that_differ_the_newer_stands_and_the_other_is_kept() {
    let (tree, home) = (Some("tree's"), Some("home's"));
    for (name, ours, theirs, stands, kept) in [
        ("new", (tree, 2), (None, 0), "tree's", None),
        ("newer", (tree, 2), (home, 1), "tree's", Some("home's")),
        ("older", (tree, 1), (home, 2), "home's", Some("tree's")),
        ("as old", (tree, 1), (home, 1), "home's", Some("tree's")),
        ("equal and newer", (home, 2), (home, 1), "home's", None),
        ("equal and older", (home, 1), (home, 2), "home's", None),
        ("empty and newer", (Some(""), 2), (home, 1), "", Some("home's")),
        ("longer by one", (Some("home's!"), 1), (home, 2), "home's", Some("home's!")),
    ] {
        for path in ["notes.md", "agents/deep/er/notes.md"] {
            for at in 0..4 {
                let stage = Stage::new("r-rule");
                for (file, (text, second)) in [(stage.in_tree(path), ours), (stage.at_home(path), theirs)] {
                    if let Some(text) = text {
                        put_at(&stage, &file, text, second);
                    }
                }
                let (on, odd) = disks(&stage)[at].clone();
                done(&stage, &stage.disk_on(odd));
                assert_eq!(stage.seen(&stage.at_home(path)), format!("file {stands}"), "{name}, {path}, {on}");
                let expected: Vec<_> = kept.iter().map(|kept| (path.to_owned(), (*kept).to_owned())).collect();
                assert_eq!(conflicts(&stage), expected, "{name}, {path}, {on}");
                assert_eq!(files(&stage.place.tree), [], "{name}, {path}, {on}");
                let no_temp = files(stage.world.home()).iter().all(|(path, _)| !path.contains(".clauth-"));
                assert!(no_temp, "{name}, {path}, {on}");
            }
        }
    }
}

#[test]
fn what_is_the_profile_s_own_stays() {
    let stage = Stage::new("r-own");
    let own = [
        ".credentials.json",
        ".credentials.json.tmp.0a1b",
        ".claude.json",
        ".claude.json.backup",
        "settings.json",
        ".config.json",
        "policy-limits.json",
        "remote-settings.json",
        "backups/one",
        ".oauth_refresh.lock/x",
        "sessions/17.json",
        "ide/17.lock",
    ];
    for name in own {
        put(&stage.in_tree(name), "the profile's");
    }
    let before = files(&stage.world.claude_dir());
    let done = done(&stage, &stage.disk);
    assert_eq!((done.moved, done.dropped), (0, 0));
    assert_eq!(files(&stage.world.claude_dir()), before);
    assert_eq!(files(&stage.place.tree).len(), own.len());
}

#[test]
fn directories_are_merged_entry_by_entry() {
    for at in 0..4 {
        let stage = Stage::new("r-merge");
        let (on, odd) = disks(&stage)[at].clone();
        put_at(&stage, &stage.in_tree("projects/a/1.jsonl"), "tree's 1", 1);
        put_at(&stage, &stage.in_tree("projects/a/2.jsonl"), "tree's 2", 9);
        put_at(&stage, &stage.in_tree("projects/b/3.jsonl"), "tree's 3", 1);
        mkdir(&stage.in_tree("projects/empty"));
        put_at(&stage, &stage.at_home("projects/a/2.jsonl"), "home's 2", 5);
        put_at(&stage, &stage.at_home("projects/a/4.jsonl"), "home's 4", 5);
        // A directory against a file, both ways.
        put(&stage.in_tree("skills"), "a file");
        put(&stage.at_home("skills/mine"), "home's");
        put(&stage.in_tree("themes/dark"), "tree's");
        put(&stage.at_home("themes"), "a file at home");
        let done = done(&stage, &stage.disk_on(odd));
        let texts = |names: &[&str]| names.iter().map(|name| stage.seen(&stage.at_home(name))).collect::<Vec<_>>();
        assert_eq!(
            texts(&["projects/a/1.jsonl", "projects/a/2.jsonl", "projects/a/4.jsonl", "projects/b/3.jsonl"]),
            ["file tree's 1", "file tree's 2", "file home's 4", "file tree's 3"],
            "{on}"
        );
        assert_eq!(texts(&["projects/empty", "skills/mine", "themes"]), ["dir", "file home's", "file a file at home"]);
        let mut kept = conflicts(&stage);
        kept.sort();
        let expected = [("projects/a/2.jsonl", "home's 2"), ("skills", "a file"), ("themes/dark", "tree's")];
        assert_eq!(kept, expected.map(|(path, text)| (path.to_owned(), text.to_owned())), "{on}");
        assert_eq!(done.conflicts.len(), 3, "{on}");
        assert!(stage.disk.list(&stage.place.tree).expect("a tree").is_empty(), "{on}");
    }
}

#[test]
fn what_is_kept_never_takes_the_place_of_what_was_kept_before() {
    let mut stage = Stage::new("r-twice");
    stage.disk.clock = Clock::frozen("2026-11-20T10:00:00Z".parse().expect("a time"));
    for round in 0..3 {
        put_at(&stage, &stage.at_home("a.md"), "home's", 5);
        put_at(&stage, &stage.in_tree("a.md"), &format!("tree's {round}"), 1);
        done(&stage, &stage.disk);
    }
    // What was a file's path has become a directory's.
    fs::remove_file(stage.at_home("a.md")).expect("a removal");
    put_at(&stage, &stage.at_home("a.md/b.md"), "home's", 5);
    put_at(&stage, &stage.in_tree("a.md/b.md"), "tree's 3", 1);
    let done = done(&stage, &stage.disk);
    assert_eq!(done.conflicts, [stage.place.conflicts.join("20261120T100000Z-4/a.md/b.md")]);
    let mut texts: Vec<String> = conflicts(&stage).into_iter().map(|(_, text)| text).collect();
    texts.sort();
    assert_eq!(texts, ["tree's 0", "tree's 1", "tree's 2", "tree's 3"]);
}

#[test]
fn one_failure_keeps_no_other_entry_from_being_saved() {
    let stage = Stage::new("r-left");
    for name in ["a.md", "b.md", "c.md"] {
        put_at(&stage, &stage.at_home(name), "home's", 1);
        put_at(&stage, &stage.in_tree(name), "tree's", 2);
    }
    // Nothing can be kept, but what wins nothing needs no keeping.
    put(&stage.place.conflicts, "in the way");
    put(&stage.in_tree("new.md"), "new");
    let done = reconcile(&stage.disk, &stage.home(), &stage.place).expect("a reconciling");
    assert_eq!((done.moved, done.left.len()), (1, 3));
    assert_eq!(stage.seen(&stage.at_home("new.md")), "file new");
    let cleared = clear(&stage.disk, &stage.home(), &stage.place, &|| true).expect("a clearing");
    assert!(matches!(&cleared, Cleared::Kept(done) if done.left.len() == 3), "{cleared:?}");
    for name in ["a.md", "b.md", "c.md"] {
        let both = BTreeSet::from([stage.seen(&stage.at_home(name)), stage.seen(&stage.in_tree(name))]);
        assert_eq!(both, BTreeSet::from(["file home's".to_owned(), "file tree's".to_owned()]), "{name}");
    }
}

#[test]
fn without_a_home_the_tree_stands() {
    let stage = Stage::new("r-none");
    put(&stage.in_tree("a.md"), "tree's");
    let home = clauth_claude::ClaudeHome { dir: stage.world.home().join("gone"), ..stage.home() };
    let error = clear(&stage.disk, &home, &stage.place, &|| true).expect_err("no home");
    assert_eq!(error.kind(), Kind::NotInstalled);
    assert_eq!(stage.seen(&stage.in_tree("a.md")), "file tree's");
}

/// Points 3 and 10: never under a live process.
#[test]
fn a_tree_is_cleared_only_while_nobody_lives_in_it() {
    for (name, answers, asked) in [("busy", [false, false], 1), ("busy in between", [true, false], 2)] {
        let stage = Stage::new("r-busy");
        put(&stage.in_tree("settings.json"), "{}");
        put(&stage.in_tree("a.md"), "tree's");
        let count = Cell::new(0);
        let idle = || answers[count.replace(count.get() + 1)];
        let cleared = clear(&stage.disk, &stage.home(), &stage.place, &idle).expect("a clearing");
        assert!(matches!(cleared, Cleared::Busy | Cleared::Kept(_)), "{name}");
        assert_eq!(count.get(), asked, "{name}");
        assert_eq!(stage.seen(&stage.in_tree("settings.json")), "file {}", "{name}");
    }
}

/// At the last look, which is the only one at a tree with nothing to move.
#[test]
fn what_appears_after_the_reconciling_is_not_removed() {
    for (earlier, looks) in [(None, 1), (Some("early.md"), 2)] {
        let stage = Stage::new("r-late");
        put(&stage.in_tree("settings.json"), "{}");
        if let Some(earlier) = earlier {
            put(&stage.in_tree(earlier), "written before");
        }
        let count = Cell::new(0);
        let idle = || {
            if count.replace(count.get() + 1) == looks - 1 {
                put(&stage.in_tree("late/late.md"), "just written");
            }
            true
        };
        let cleared = clear(&stage.disk, &stage.home(), &stage.place, &idle).expect("a clearing");
        assert!(matches!(cleared, Cleared::Kept(_)), "{cleared:?}");
        assert_eq!(count.get(), looks);
        assert_eq!(stage.seen(&stage.in_tree("late/late.md")), "file just written");
        let cleared = clear(&stage.disk, &stage.home(), &stage.place, &|| true).expect("a clearing");
        assert!(matches!(&cleared, Cleared::Gone(done) if done.moved == 1), "{cleared:?}");
        assert_eq!(stage.seen(&stage.at_home("late/late.md")), "file just written");
        assert_eq!(stage.seen(&stage.place.tree), "nothing");
    }
}

/// A tree with nothing to move is looked at once, and stands where somebody lives in it.
#[test]
fn a_tree_of_links_alone_is_cleared_only_while_nobody_lives_in_it() {
    let stage = Stage::new("r-bare");
    put(&stage.in_tree("settings.json"), "{}");
    let cleared = clear(&stage.disk, &stage.home(), &stage.place, &|| false).expect("a clearing");
    assert!(matches!(cleared, Cleared::Busy), "{cleared:?}");
    assert_eq!(stage.seen(&stage.in_tree("settings.json")), "file {}");
}

#[cfg(unix)]
mod unix {
    use std::os::unix::fs::PermissionsExt as _;

    use super::super::stage::{alone, link, remove};
    use super::*;

    #[test]
    fn a_tree_goes_and_nothing_behind_its_links_does() {
        let _alone = alone();
        let stage = Stage::new("r-clear");
        put(&stage.at_home("projects/p/1.jsonl"), "home's");
        put(&stage.world.home().join("outside/file"), "outside");
        stage.build();
        link(stage.world.home().join("outside"), &stage.in_tree("outside"));
        link("loop", &stage.in_tree("loop"));
        link("/nowhere", &stage.in_tree("dangling"));
        link(&stage.place.slot, &stage.in_tree(".credentials.json"));
        put(&stage.place.slot, "the slot");
        put(&stage.in_tree(".claude.json"), "{}");
        put(&stage.in_tree("backups/one"), "a backup");
        let pipe = stage.in_tree("pipe");
        assert!(std::process::Command::new("mkfifo").arg(pipe).status().expect("mkfifo").success());
        mkdir(&stage.place.holders);
        let before = files(&stage.world.claude_dir());

        let cleared = clear(&stage.disk, &stage.home(), &stage.place, &|| true).expect("a clearing");
        assert!(matches!(cleared, Cleared::Gone(_)), "{cleared:?}");
        assert_eq!(stage.seen(&stage.place.tree), "nothing");
        assert_eq!(stage.seen(&stage.place.holders), "nothing");
        assert_eq!(files(&stage.world.claude_dir()), before);
        assert_eq!(stage.seen(&stage.place.slot), "file the slot");
        assert_eq!(stage.seen(&stage.world.home().join("outside/file")), "file outside");
    }

    /// L8: every link that does not lead into our root is the user's; those that a tree is made of are ours.
    #[test]
    fn a_link_that_a_session_made_at_the_top_comes_home_as_it_is() {
        let _alone = alone();
        let stage = Stage::new("r-own-links");
        put(&stage.at_home("agents/a.md"), "agent");
        link("/elsewhere", &stage.at_home("taken"));
        stage.build();
        link("../dotfiles/mine", &stage.in_tree("my-agents"));
        link("/nowhere", &stage.in_tree("dangling"));
        remove(&stage.in_tree("taken"));
        link("/other", &stage.in_tree("taken"));
        link("/a/former/home/skills-before", &stage.in_tree("skills-before"));
        link(stage.place.root.join("profiles.toml"), &stage.in_tree("list"));
        let cleared = clear(&stage.disk, &stage.home(), &stage.place, &|| true).expect("a clearing");
        let Cleared::Gone(done) = cleared else { panic!("{cleared:?}") };
        assert_eq!(stage.seen(&stage.at_home("my-agents")), "link ../dotfiles/mine");
        assert_eq!(stage.seen(&stage.at_home("dangling")), "link /nowhere");
        assert_eq!(stage.seen(&stage.at_home("taken")), "link /elsewhere");
        assert_eq!(done.conflicts.iter().map(|path| stage.seen(path)).collect::<Vec<_>>(), ["link /other"]);
        assert_eq!(stage.seen(&stage.at_home("skills-before")), "nothing");
        assert_eq!(stage.seen(&stage.at_home("list")), "nothing");
        assert_eq!(stage.seen(&stage.at_home("agents/a.md")), "file agent");
    }

    #[test]
    fn links_of_every_kind_are_moved_as_links_and_none_is_followed() {
        for at in 0..4 {
            let stage = Stage::new("r-links");
            let (on, odd) = disks(&stage)[at].clone();
            put(&stage.world.home().join("outside/file"), "outside");
            let outside = stage.world.home().join("outside");
            mkdir(&stage.at_home("skills"));
            for name in ["skills/new", "skills/same", "skills/other", "agents/deep"] {
                mkdir(stage.in_tree(name).parent().expect("a parent"));
                link(&outside, &stage.in_tree(name));
            }
            link(&outside, &stage.at_home("skills/same"));
            link("/elsewhere", &stage.at_home("skills/other"));
            link("loop", &stage.in_tree("skills/loop"));
            let done = done(&stage, &stage.disk_on(odd));
            let to = |target: &Path| format!("link {}", target.display());
            assert_eq!(stage.seen(&stage.at_home("skills/new")), to(&outside), "{on}");
            assert_eq!(stage.seen(&stage.at_home("skills/other")), "link /elsewhere", "{on}");
            assert_eq!(stage.seen(&stage.at_home("skills/loop")), "link loop", "{on}");
            assert_eq!(stage.seen(&stage.at_home("agents/deep")), to(&outside), "{on}");
            assert_eq!((done.dropped, done.conflicts.len()), (1, 1), "{on}");
            assert_eq!(stage.seen(&done.conflicts[0]), to(&outside), "{on}");
            assert_eq!(stage.seen(&outside.join("file")), "file outside", "{on}");
        }
    }

    #[test]
    fn a_link_in_the_home_is_written_through_where_it_is_the_user_s() {
        for at in 0..4 {
            let stage = Stage::new("r-through");
            let (on, odd) = disks(&stage)[at].clone();
            let dotfiles = stage.world.home().join("dotfiles");
            put_at(&stage, &dotfiles.join("CLAUDE.md"), "old", 1);
            mkdir(&dotfiles.join("agents"));
            mkdir(&stage.place.base);
            link(dotfiles.join("CLAUDE.md"), &stage.at_home("CLAUDE.md"));
            link(dotfiles.join("agents"), &stage.at_home("agents"));
            link("/nowhere/keys", &stage.at_home("keybindings.json"));
            link("rules", &stage.at_home("rules"));
            link(&stage.place.base, &stage.at_home("plans"));
            put_at(&stage, &stage.in_tree("CLAUDE.md"), "new", 2);
            put(&stage.in_tree("agents/one.md"), "an agent");
            put(&stage.in_tree("keybindings.json"), "keys");
            put(&stage.in_tree("rules"), "rules");
            put(&stage.in_tree("plans/plan.md"), "a plan");
            put(&stage.place.slot, "a login");
            link(&stage.place.slot, &stage.at_home("key"));
            put(&stage.in_tree("key"), "a key");
            done(&stage, &stage.disk_on(odd));
            assert_eq!(stage.seen(&dotfiles.join("CLAUDE.md")), "file new", "{on}");
            assert!(stage.seen(&stage.at_home("CLAUDE.md")).starts_with("link"), "{on}");
            assert_eq!(stage.seen(&dotfiles.join("agents/one.md")), "file an agent", "{on}");
            assert_eq!(stage.seen(&stage.at_home("keybindings.json")), "link /nowhere/keys", "{on}");
            assert_eq!(files(&stage.place.base), [], "nothing is written into our own root, {on}");
            assert_eq!(stage.seen(&stage.place.slot), "file a login", "{on}");
            let expected = [
                ("CLAUDE.md", "old"),
                ("key", "a key"),
                ("keybindings.json", "keys"),
                ("plans/plan.md", "a plan"),
                ("rules", "rules"),
            ];
            assert_eq!(conflicts(&stage), expected.map(|(path, text)| (path.to_owned(), text.to_owned())), "{on}");
        }
    }

    #[test]
    fn a_tree_that_is_itself_a_link_is_not_followed() {
        let stage = Stage::new("r-tree");
        put(&stage.world.home().join("elsewhere/a.md"), "elsewhere");
        mkdir(stage.place.tree.parent().expect("a profile"));
        link(stage.world.home().join("elsewhere"), &stage.place.tree);
        let cleared = clear(&stage.disk, &stage.home(), &stage.place, &|| true).expect("a clearing");
        assert!(matches!(cleared, Cleared::Gone(_)), "{cleared:?}");
        assert_eq!(stage.seen(&stage.world.home().join("elsewhere/a.md")), "file elsewhere");
        assert_eq!(stage.seen(&stage.at_home("a.md")), "nothing");
    }

    #[test]
    fn modes_and_times_survive_and_the_home_decides_who_may_read() {
        for at in 0..4 {
            let stage = Stage::new("r-modes");
            let (on, odd) = disks(&stage)[at].clone();
            let mode = |path: &Path, mode| fs::set_permissions(path, fs::Permissions::from_mode(mode)).expect("a mode");
            put_at(&stage, &stage.in_tree("hooks/run.sh"), "#!/bin/sh", 7);
            mode(&stage.in_tree("hooks/run.sh"), 0o755);
            mode(&stage.in_tree("hooks"), 0o750);
            put_at(&stage, &stage.in_tree("secret.md"), "tree's", 9);
            mode(&stage.in_tree("secret.md"), 0o644);
            put_at(&stage, &stage.at_home("secret.md"), "home's", 1);
            mode(&stage.at_home("secret.md"), 0o600);
            done(&stage, &stage.disk_on(odd));
            let stat = |name: &str| stage.disk.vfs.lstat(&stage.at_home(name)).expect("something there");
            assert_eq!((stat("hooks").mode, stat("hooks/run.sh").mode), (0o750, 0o755), "{on}");
            assert_eq!(stat("hooks/run.sh").modified.as_second(), 1_795_000_007, "{on}");
            assert_eq!(stat("secret.md").mode, 0o600, "{on}");
        }
    }

    #[test]
    fn names_that_are_long_or_no_text_are_moved() {
        use std::os::unix::ffi::OsStrExt as _;
        for at in 0..4 {
            let stage = Stage::new("r-names");
            let (on, odd) = disks(&stage)[at].clone();
            let long = "n".repeat(255);
            put_at(&stage, &stage.in_tree(&long), "tree's", 2);
            put_at(&stage, &stage.at_home(&long), "home's", 1);
            let odd_name = Path::new(std::ffi::OsStr::from_bytes(b"caf\xe9"));
            put(&stage.place.tree.join(odd_name), "coffee");
            done(&stage, &stage.disk_on(odd));
            assert_eq!(stage.seen(&stage.at_home(&long)), "file tree's", "{on}");
            assert_eq!(stage.seen(&stage.world.claude_dir().join(odd_name)), "file coffee", "{on}");
            assert_eq!(conflicts(&stage).len(), 1, "{on}");
        }
    }
}
