//! What may lie where Claude Code's files are expected.
#![cfg(unix)]

use std::os::unix::fs::{PermissionsExt as _, symlink};
use std::path::{Path, PathBuf};

use crate::stage::{Stage, finish};

/// Moves what is at `path` below `elsewhere` and leaves a link behind.
fn relocate(path: &Path, elsewhere: &Path) -> PathBuf {
    let target = elsewhere.join(path.file_name().expect("a name").to_string_lossy().trim_start_matches('.'));
    std::fs::rename(path, &target).expect("moved");
    symlink(&target, path).expect("a link");
    target
}

#[test]
fn links_stay_the_links_they_were() {
    let stage = Stage::two("f-links");
    let world = &stage.world;
    let elsewhere = world.home().join("dotfiles");
    std::fs::create_dir(&elsewhere).expect("a directory");
    let settings = world.claude_dir().join("settings.json");
    let links = [settings, world.credentials_path(), world.state_path(), world.claude_dir()];
    let targets: Vec<PathBuf> = links.iter().map(|path| relocate(path, &elsewhere)).collect();
    for (words, live) in [(["switch", "a"], "A1"), (["switch", "b"], "B1")] {
        stage.ok(&words);
        assert_eq!(world.live(), live);
        for (link, target) in links.iter().zip(&targets) {
            let stands = std::fs::read_link(link).unwrap_or_else(|_| panic!("{} is no link", link.display()));
            assert_eq!(stands, *target, "{}", link.display());
        }
    }
    let linked = world.home().with_extension("linked");
    symlink(world.home(), &linked).expect("a link");
    let mut command = stage.command(&["switch", "a"]);
    command.env("HOME", &linked);
    let _ = finish(command).success();
    std::fs::remove_file(&linked).expect("removed");
    assert_eq!(world.live(), "A1");
}

#[test]
fn settings_are_never_touched() {
    let stage = Stage::two("f-settings");
    let path = stage.world.claude_dir().join("settings.json");
    let before =
        (std::fs::read(&path).expect("settings"), std::fs::metadata(&path).and_then(|m| m.modified()).expect("a time"));
    for name in ["a", "b", "a", "-", "-"] {
        stage.ok(&["switch", name]);
    }
    let after =
        (std::fs::read(&path).expect("settings"), std::fs::metadata(&path).and_then(|m| m.modified()).expect("a time"));
    assert_eq!(after, before);
}

/// Something that lies where a file should, and how it comes there.
type Trap = (&'static str, fn(&Path));

/// What could hang or mislead a reader.
fn traps() -> [Trap; 5] {
    [
        ("loop", |path| symlink(path, path).expect("a loop")),
        ("pair of links", |path| {
            let other = path.with_extension("other");
            symlink(&other, path).and_then(|()| symlink(path, &other)).expect("a loop");
        }),
        ("directory", |path| std::fs::create_dir(path).expect("a directory")),
        ("device", |path| symlink("/dev/zero", path).expect("a link")),
        ("fifo", |path| {
            assert!(std::process::Command::new("mkfifo").arg(path).status().expect("mkfifo").success());
        }),
    ]
}

#[test]
fn traps_are_refused_and_nothing_is_written() {
    for which in ["credentials", "state"] {
        for (name, set) in traps() {
            let stage = Stage::two("f-trap");
            let path = if which == "state" { stage.world.state_path() } else { stage.world.credentials_path() };
            std::fs::remove_file(&path).expect("removed");
            set(&path);
            let before = stage.world.snapshot();
            let output = stage.run(&["switch", "a"]);
            assert!(matches!(output.code, Some(1 | 5)), "{which} {name}: {output:?}");
            assert!(output.stderr.contains(&path.display().to_string()), "{which} {name}: {}", output.stderr);
            assert_eq!(stage.changes(&before), Vec::<String>::new(), "{which} {name}");
            let looked = stage.run(&["list"]);
            assert!(looked.code.is_some(), "{which} {name}: {looked:?}");
        }
    }
}

/// A link into our own root is ours: never written through; what it holds comes home, and a plain file takes its place.
#[test]
fn a_link_into_our_root_is_replaced_by_a_file() {
    let stage = Stage::two("f-ours");
    let credentials = stage.world.credentials_path();
    let slot = stage.world.root().join("profiles").join("b").join("credentials.json");
    std::fs::copy(&credentials, &slot).expect("a full slot");
    std::fs::remove_file(&credentials).expect("removed");
    symlink(&slot, &credentials).expect("a link");
    stage.ok(&["switch", "a"]);
    assert_eq!((stage.world.live().as_str(), stage.slot("b").as_str()), ("A1", "B1"));
    assert!(std::fs::symlink_metadata(&credentials).expect("there").is_file(), "a plain file");
    stage.ok(&["switch", "b"]);
    assert_eq!((stage.world.live().as_str(), stage.slot("a").as_str()), ("B1", "A1"));
}

/// Private from the moment of their creation, whatever the mask, and tightened where they were loose.
#[test]
fn modes_are_private() {
    let stage = Stage::two_with_server("f-modes");
    let outside = stage.world.home().join("outside");
    std::fs::write(&outside, "the user's").expect("a file");
    std::fs::set_permissions(&outside, std::fs::Permissions::from_mode(0o644)).expect("a mode");
    symlink(&outside, stage.world.root().join("link")).expect("a link");
    for (path, mode) in
        [("", 0o755), ("settings.toml", 0o666), ("profiles/b", 0o777), ("profiles/b/identity.json", 0o644)]
    {
        let path = stage.world.root().join(path);
        std::fs::set_permissions(&path, std::fs::Permissions::from_mode(mode)).expect("loosened");
    }
    stage.sign_in(&clauth_sandbox::Account::c());
    stage.ok(&["switch", "a"]);
    stage.ok(&["switch", "b"]);
    stage.ok(&["rename", "a", "z"]);
    let kept = std::fs::metadata(&outside).expect("a file").permissions().mode();
    assert_eq!(kept & 0o777, 0o644, "a link is not followed");
    all_private(&stage);
}

/// A mask that takes the owner's own permissions away leaves nobody without a login either.
#[test]
fn modes_are_whole_under_any_mask() {
    let stage = Stage::new("f-mask");
    for (account, name) in [(clauth_sandbox::Account::a(), "a"), (clauth_sandbox::Account::b(), "b")] {
        stage.sign_in(&account);
        for words in [["capture", name], ["switch", "1"]] {
            let mut command = stage.world.command(Path::new("/bin/sh"), None);
            command.args(["-c", "umask 777; exec \"$@\"", "sh", crate::stage::PROGRAM]).args(words);
            let _ = finish(command).success();
        }
    }
    assert_eq!(stage.world.live(), "A1");
    all_private(&stage);
}

fn all_private(stage: &Stage) {
    for (path, entry) in stage.world.snapshot() {
        let expected = match entry {
            clauth_sandbox::world::Entry::Dir(mode) => (mode, 0o700),
            clauth_sandbox::world::Entry::File(mode, _) => (mode, 0o600),
            _ => continue,
        };
        if path.starts_with(".clauth/") || path == ".claude/.credentials.json" {
            assert_eq!(expected.0 & 0o777, expected.1, "{path}");
        }
    }
}

#[test]
fn a_directory_that_cannot_be_written_changes_nothing() {
    if rustix::process::geteuid().is_root() {
        // Modes do not stop root; the fault sweep shows the same with a disk that refuses.
        return;
    }
    let stage = Stage::two("f-read-only");
    let before = stage.world.snapshot();
    std::fs::set_permissions(stage.world.claude_dir(), std::fs::Permissions::from_mode(0o500)).expect("locked");
    let output = stage.run(&["switch", "a"]);
    std::fs::set_permissions(stage.world.claude_dir(), std::fs::Permissions::from_mode(0o700)).expect("unlocked");
    assert_eq!(output.code, Some(1), "{output:?}");
    assert_eq!(stage.changes(&before), Vec::<String>::new());
}
