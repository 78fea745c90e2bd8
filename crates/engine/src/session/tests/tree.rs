//! S4 and the link mode: what a session's tree is made of.
#![expect(clippy::disallowed_methods, reason = "a test's own hands must not be the code that is tested")]

use std::ffi::{OsStr, OsString};

use clauth_durable::vfs::{Errno, Fault, FaultyVfs, RealVfs};
use clauth_host::Env;

use super::stage::{Stage, mkdir, put};
use crate::error::Kind;
use crate::session::tree::Built;
use crate::session::{LinkMode, build, is_shared, probe};

#[test]
fn what_is_shared() {
    const BOTH: (bool, bool) = (true, true);
    const NONE: (bool, bool) = (false, false);
    let folds = cfg!(any(windows, target_vendor = "apple"));
    for (name, (real, copy)) in [
        (".credentials.json", NONE),
        (".credentials.json.tmp.0a1b2c", NONE),
        (".credentials", NONE),
        (".claude.json", NONE),
        (".claude.json.backup", NONE),
        (".claude.json.lock", NONE),
        (".config.json", NONE),
        ("backups", NONE),
        ("settings.json", NONE),
        ("policy-limits.json", NONE),
        ("limits-cache.json", NONE),
        ("remote-settings.json", NONE),
        ("mcp-needs-auth-cache.json", NONE),
        (".oauth_refresh.lock", NONE),
        (".oauth_refresh.lock.owner", NONE),
        (".storage-write.lock", NONE),
        ("history.jsonl.lock", NONE),
        ("settings.json.tmp.4711.0a1b2c", NONE),
        ("staged.tmp", NONE),
        (".history.jsonl.clauth-0a1b2c", NONE),
        (".clauth-probe-0a1b2c", NONE),
        ("sessions", (true, false)),
        ("ide", (true, false)),
        ("projects", BOTH),
        ("settings.local.json", BOTH),
        ("history.jsonl", BOTH),
        ("CLAUDE.md", BOTH),
        ("plugins", BOTH),
        ("todos", BOTH),
        ("stats-cache.json", BOTH),
        ("keybindings.json", BOTH),
        ("credentials", BOTH),
        (".clauthrc", BOTH),
        ("notes.tmp.d for later", BOTH),
        ("locks", BOTH),
        ("", BOTH),
        ("Backups", (!folds, !folds)),
        (".CREDENTIALS.json", (!folds, !folds)),
    ] {
        let name = OsStr::new(name);
        assert_eq!((is_shared(name, LinkMode::Real), is_shared(name, LinkMode::Copy)), (real, copy), "{name:?}");
    }
}

#[cfg(unix)]
#[test]
fn a_name_that_is_no_text_is_shared() {
    use std::os::unix::ffi::OsStrExt as _;
    assert!(is_shared(OsStr::from_bytes(b"caf\xe9"), LinkMode::Real));
    assert!(is_shared(OsStr::from_bytes(b".credentials\xff"), LinkMode::Copy));
}

fn env(links: &[(&str, &str)]) -> Env {
    links.iter().copied().collect()
}

/// Point 2: a real link is tried at each start, and nothing of the trial stays.
#[test]
fn the_mode_is_probed_and_may_be_forced() {
    let stage = Stage::new("t-probe");
    mkdir(&stage.place.tree);
    let denied = || stage.disk_on(FaultyVfs::failing(std::sync::Arc::new(RealVfs), 1, Fault::ErrorFrom(Errno::Access)));
    let full = || stage.disk_on(FaultyVfs::failing(std::sync::Arc::new(RealVfs), 1, Fault::ErrorFrom(Errno::NoSpace)));
    let fine = || stage.disk.clone();
    let granted = if cfg!(unix) {
        Ok(LinkMode::Real)
    } else {
        probe(&fine(), &env(&[]), &stage.place.tree).map_err(|_| Kind::Io)
    };
    for (name, disk, word, expected) in [
        ("links", fine(), None, granted),
        ("empty is unset", fine(), Some(""), granted),
        ("forced copy", fine(), Some("copy"), Ok(LinkMode::Copy)),
        ("denied", denied(), None, Ok(LinkMode::Copy)),
        ("denied, forced copy", denied(), Some("copy"), Ok(LinkMode::Copy)),
        ("denied, forced real", denied(), Some("real"), Err(Kind::Io)),
        ("full", full(), None, Err(Kind::Io)),
        ("another word", fine(), Some("Real"), Err(Kind::Usage)),
        ("another word", fine(), Some("yes"), Err(Kind::Usage)),
    ] {
        let env = word.map_or_else(|| env(&[]), |word| env(&[("CLAUTH_LINKS", word)]));
        let probed = probe(&disk, &env, &stage.place.tree).map_err(|error| error.kind());
        assert_eq!(probed, expected, "{name}");
        assert_eq!(stage.disk.list(&stage.place.tree).expect("a directory"), Vec::<OsString>::new(), "{name}");
    }
    let error = probe(&denied(), &env(&[("CLAUTH_LINKS", "real")]), &stage.place.tree).expect_err("denied");
    assert!(error.to_string().contains("denies links"), "{error}");
}

/// Point 1 of the sessions: without Claude Code's home the refusal says what to do first.
#[test]
fn without_a_home_there_is_nothing_to_start() {
    let stage = Stage::new("t-none");
    for (name, there) in [("missing", false), ("a file", true)] {
        let home = clauth_claude::ClaudeHome { dir: stage.world.home().join("gone"), ..stage.home() };
        if there {
            put(&home.dir, "");
        }
        let error = build(&stage.disk, &home, &stage.place, LinkMode::Real, true).expect_err(name);
        assert_eq!(error.kind(), Kind::NotInstalled, "{name}");
        assert!(error.hints()[0].contains("install Claude Code first"), "{name}");
        assert!(!stage.place.tree.exists(), "{name}");
    }
}

#[test]
fn copy_mode_gets_the_directories_and_no_links() {
    let stage = Stage::new("t-copy");
    let built = build(&stage.disk, &stage.home(), &stage.place, LinkMode::Copy, true).expect("a tree");
    assert_eq!(built, Built::default());
    assert_eq!(stage.disk.list(&stage.place.tree).expect("a directory"), Vec::<OsString>::new());
    assert_eq!(stage.seen(&stage.at_home("file-history")), "dir");
    assert_eq!(stage.seen(&stage.at_home("ide")), "nothing");
}

#[cfg(unix)]
mod unix {
    use std::collections::{BTreeMap, BTreeSet};
    use std::os::unix::fs::PermissionsExt as _;
    use std::path::PathBuf;

    use clauth_sandbox::world::Entry;

    use super::super::odd::Odd;
    use super::super::stage::{alone, link, remove};
    use super::*;

    /// Point 3: what is shared, and what never is (S4).
    #[test]
    fn everything_shared_is_a_link_into_the_home() {
        let stage = Stage::new("t-links");
        for name in
            [".credentials.json", "policy-limits.json", "history.jsonl", "CLAUDE.md", ".oauth_refresh.lock.owner"]
        {
            put(&stage.at_home(name), "home's");
        }
        mkdir(&stage.at_home("backups"));
        let built = stage.build();
        let names: Vec<String> = stage
            .disk
            .list(&stage.place.tree)
            .expect("a tree")
            .into_iter()
            .filter_map(|name| name.into_string().ok())
            .collect();
        assert_eq!(built.linked, names.len());
        for name in &names {
            assert_eq!(stage.seen(&stage.in_tree(name)), format!("link {}", stage.at_home(name).display()));
        }
        for shared in ["projects", "history.jsonl", "CLAUDE.md", "sessions", "ide", "plugins", "skills"] {
            assert!(names.iter().any(|name| name == shared), "{shared}");
        }
        for own in [".credentials.json", "policy-limits.json", "settings.json", "backups", ".oauth_refresh.lock.owner"]
        {
            assert!(!names.iter().any(|name| name == own), "{own}");
        }
        assert_eq!(stage.build().linked, 0, "a second time there is nothing to do");
    }

    #[test]
    fn the_directories_are_made_in_the_home_and_kept_from_others() {
        let stage = Stage::new("t-dirs");
        std::fs::set_permissions(stage.at_home("projects"), std::fs::Permissions::from_mode(0o755)).expect("a mode");
        stage.build();
        let mode = |name: &str| stage.disk.vfs.lstat(&stage.at_home(name)).expect("a directory").mode;
        assert_eq!((mode("projects"), mode("tasks"), mode("file-history")), (0o755, 0o700, 0o700));
        assert_eq!(stage.disk.vfs.lstat(&stage.place.tree).expect("a tree").mode, 0o700);
    }

    /// Point 3: no dangling, looping or foreign link fails the walk.
    #[test]
    fn links_of_every_kind_in_the_home_are_borne() {
        let _alone = alone();
        let stage = Stage::new("t-kinds");
        let home = |name: &str| stage.at_home(name);
        std::fs::remove_dir(home("projects")).expect("an empty directory");
        link("/nowhere/projects", &home("projects"));
        link("loop-b", &home("loop-a"));
        link("loop-a", &home("loop-b"));
        link("skills", &home("skills"));
        put(&stage.world.home().join("dotfiles/CLAUDE.md"), "mine");
        link("../dotfiles/CLAUDE.md", &home("CLAUDE.md"));
        link(stage.in_tree("back"), &home("back"));
        link("/dev/null", &home("device"));
        rustix_fifo(&home("pipe"));
        let _socket = std::os::unix::net::UnixListener::bind(home("socket")).expect("a socket");
        put(&home("plugins"), "a file where a directory should be");

        stage.build();
        for name in ["projects", "loop-a", "loop-b", "skills", "CLAUDE.md", "plugins"] {
            assert_eq!(stage.seen(&stage.in_tree(name)), format!("link {}", home(name).display()), "{name}");
        }
        for name in ["back", "device", "pipe", "socket"] {
            assert_eq!(stage.seen(&stage.in_tree(name)), "nothing", "{name}");
        }
        assert_eq!(stage.seen(&home("projects")), "link /nowhere/projects", "nothing is made through a dangling link");
        assert_eq!(std::fs::read_to_string(stage.in_tree("CLAUDE.md")).expect("readable"), "mine");
    }

    fn rustix_fifo(path: &std::path::Path) {
        assert!(std::process::Command::new("mkfifo").arg(path).status().expect("mkfifo").success());
    }

    /// Point 3: at every start.
    #[test]
    fn what_stands_is_left_alone_what_is_new_is_added_and_what_is_gone_goes() {
        let stage = Stage::new("t-again");
        put(&stage.at_home("old.md"), "old");
        stage.build();
        remove(&stage.in_tree("old.md"));
        put(&stage.in_tree("old.md"), "written by an editor");
        put(&stage.in_tree("session.md"), "new");
        link("/elsewhere/tasks.md", &stage.in_tree("foreign"));
        put(&stage.at_home("foreign"), "home's");
        put(&stage.at_home("new.md"), "new");
        put(&stage.at_home("brief.md"), "soon gone");
        build(&stage.disk, &stage.home(), &stage.place, LinkMode::Real, false).expect("a tree");
        remove(&stage.at_home("brief.md"));
        let built = build(&stage.disk, &stage.home(), &stage.place, LinkMode::Real, false).expect("a tree");

        assert_eq!((built.linked, built.removed, built.own), (0, 1, vec![OsString::from("old.md")]));
        for (name, expected) in [
            ("old.md", "file written by an editor".to_owned()),
            ("session.md", "file new".to_owned()),
            ("foreign", "link /elsewhere/tasks.md".to_owned()),
            ("new.md", format!("link {}", stage.at_home("new.md").display())),
            ("brief.md", "nothing".to_owned()),
        ] {
            assert_eq!(stage.seen(&stage.in_tree(name)), expected, "{name}");
        }
    }

    #[test]
    fn a_link_whose_target_is_only_out_of_reach_stays() {
        let stage = Stage::new("t-mount");
        link("/nowhere/mount", &stage.at_home("mounted"));
        stage.build();
        assert_eq!(stage.build().removed, 0);
        assert_eq!(stage.seen(&stage.in_tree("mounted")), format!("link {}", stage.at_home("mounted").display()));
    }

    #[test]
    fn links_of_an_earlier_version_to_what_is_kept_apart_are_removed() {
        let stage = Stage::new("t-old");
        mkdir(&stage.place.tree);
        let theirs = [".credentials.json", ".claude.json", "settings.json"];
        let apart = ["policy-limits.json", "backups", ".storage-write.lock"];
        for name in theirs.iter().chain(&apart) {
            put(&stage.at_home(name), "home's");
            link(stage.at_home(name), &stage.in_tree(name));
        }
        let built = build(&stage.disk, &stage.home(), &stage.place, LinkMode::Real, false).expect("a tree");
        assert_eq!(built.removed, apart.len());
        for name in theirs {
            assert!(stage.seen(&stage.in_tree(name)).starts_with("link"), "{name} is for others to put right");
        }
    }

    #[test]
    fn links_to_an_earlier_home_are_made_anew_when_nobody_uses_them() {
        let stage = Stage::new("t-moved");
        mkdir(&stage.place.tree);
        link("/earlier/.claude/projects", &stage.in_tree("projects"));
        build(&stage.disk, &stage.home(), &stage.place, LinkMode::Real, false).expect("a tree");
        assert_eq!(stage.seen(&stage.in_tree("projects")), "link /earlier/.claude/projects");
        stage.build();
        assert_eq!(stage.seen(&stage.in_tree("projects")), format!("link {}", stage.at_home("projects").display()));
    }

    #[test]
    fn only_the_top_level_is_walked() {
        let stage = Stage::new("t-many");
        let directory = stage.at_home("projects").join("-home-u-proj");
        mkdir(&directory);
        for number in 0..20_000 {
            std::fs::File::create_new(directory.join(format!("{number}.jsonl"))).expect("a file");
        }
        let odd = Odd::default();
        build(&stage.disk_on(odd.clone()), &stage.home(), &stage.place, LinkMode::Real, true).expect("a tree");
        let listed: BTreeSet<PathBuf> = odd.listed.lock().expect("not poisoned").iter().cloned().collect();
        assert_eq!(listed, BTreeSet::from([stage.home().dir, stage.place.tree]));
    }

    #[test]
    fn a_fault_leaves_a_tree_that_the_next_start_completes() {
        let stage = Stage::new("t-fault");
        put(&stage.at_home("CLAUDE.md"), "mine");
        let picture =
            || -> BTreeMap<String, Entry> { clauth_sandbox::world::snapshot(&stage.place.tree).expect("a tree") };
        stage.build();
        let whole = picture();
        let vfs = FaultyVfs::counting(std::sync::Arc::new(RealVfs));
        stage.disk.remove_tree(&stage.place.tree).expect("a removal");
        build(&stage.disk_on(vfs.clone()), &stage.home(), &stage.place, LinkMode::Real, true).expect("a tree");
        for at in 1..=vfs.effects().len() {
            for fault in [Fault::Kill, Fault::Error(Errno::NoSpace)] {
                stage.disk.remove_tree(&stage.place.tree).expect("a removal");
                let faulty = FaultyVfs::failing(std::sync::Arc::new(RealVfs), at, fault);
                build(&stage.disk_on(faulty), &stage.home(), &stage.place, LinkMode::Real, true).expect_err("a fault");
                stage.build();
                assert_eq!(picture(), whole, "{fault:?} at {at}");
            }
        }
    }

    #[test]
    fn the_umask_changes_nothing() {
        let _alone = alone();
        let stage = Stage::new("t-umask");
        let own = std::env::current_exe().expect("this program");
        let test = "session::tests::tree::unix::a_build_under_another_umask";
        let script = format!("umask 0; exec \"$0\" --exact {test} --ignored");
        let done = std::process::Command::new("sh")
            .args(["-c", &script])
            .arg(own)
            .env("TREE_HOME", stage.world.home())
            .stdout(std::process::Stdio::null())
            .status();
        assert!(done.expect("a shell").success());
        for path in [&stage.place.tree, &stage.place.holders, &stage.at_home("tasks")] {
            assert_eq!(stage.disk.vfs.lstat(path).expect("a directory").mode, 0o700, "{}", path.display());
        }
        for name in stage.disk.list(&stage.place.holders).expect("holders") {
            let path = stage.place.holders.join(name);
            assert_eq!(stage.disk.vfs.lstat(&path).expect("a file").mode, 0o600, "{}", path.display());
        }
    }

    #[test]
    #[ignore = "run by the test before it, in a process of its own"]
    fn a_build_under_another_umask() {
        let Some(home) = std::env::var_os("TREE_HOME").map(PathBuf::from) else { return };
        let env: Env = [("HOME", home.as_os_str())].into_iter().collect();
        let host = clauth_host::Host::from_env(env).expect("a sandbox host");
        let disk = clauth_durable::Disk::new(host.clock.clone(), host.random.clone());
        let home = clauth_claude::ClaudeHome::default_of(&host, &disk);
        let place = crate::session::Place::of(&crate::Root::new(host.root), "a");
        build(&disk, &home, &place, LinkMode::Real, true).expect("a tree");
        let _left = crate::session::Holder::take(&disk, &place).expect("a holder");
    }
}
