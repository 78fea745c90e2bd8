//! Odd names, kinds and modes.

use std::fs;
use std::path::Path;
#[cfg(unix)]
use std::sync::Arc;

use super::Stage;
#[cfg(unix)]
use super::everything;
#[cfg(unix)]
use crate::session::copy::Trouble;

/// By copying first, and by walking from nothing: what holds for one holds for the other.
fn both_ways(name: &str, test: impl Fn(&str, &Stage, &dyn Fn(&Stage))) {
    test("populate", &Stage::new(name), &|stage| drop(stage.populate()));
    test("walk", &Stage::new(name), &|stage| drop(stage.settle(&mut stage.mirror())));
}

#[cfg(unix)]
#[test]
fn names_that_are_no_text_or_as_long_as_names_get_are_shared() {
    use std::os::unix::ffi::OsStrExt as _;
    both_ways("names", |way, stage, share| {
        let long = "n".repeat(252) + ".md";
        let raw = std::ffi::OsStr::from_bytes(b"d\xff\xfe/x\xf0.md");
        fs::create_dir(stage.pair.home.join(std::ffi::OsStr::from_bytes(b"d\xff\xfe"))).expect("a directory");
        fs::write(stage.pair.home.join(raw), "raw").expect("a file");
        stage.put(&format!("H/{}", "d".repeat(255) + "/x"), "x", 60);
        stage.put(&format!("H/{long}"), "long", 60);
        share(stage);
        assert_eq!(everything(&stage.pair.tree), everything(&stage.pair.home), "{way}");
        // Both changed: the kept one must have a name too.
        stage.put(&format!("H/{long}"), "home", 60);
        stage.put(&format!("T/{long}"), "tree", 30);
        stage.settle(&mut stage.mirror());
        assert_eq!(stage.text(&format!("H/{long}")).as_deref(), Some("tree"), "{way}");
        assert!(stage.kept().contains(&"home".to_owned()), "{way}");
    });
}

#[test]
fn a_deep_tree_is_shared() {
    both_ways("deep", |way, stage, share| {
        let deep = format!("{}x.md", "d/".repeat(200));
        stage.put(&format!("H/{deep}"), "x", 60);
        share(stage);
        assert_eq!(stage.text(&format!("T/{deep}")).as_deref(), Some("x"), "{way}");
    });
}

#[cfg(unix)]
#[test]
fn links_are_copied_as_links_and_never_followed() {
    use std::os::unix::fs::symlink;
    both_ways("links", |way, stage, share| {
        stage.put("H/skills/real/a.md", "x", 60);
        stage.put("out/secret.md", "outside", 60);
        symlink("real", stage.at("H/skills/inside")).expect("a link");
        symlink(stage.at("H/skills/real"), stage.at("H/absolute")).expect("a link");
        symlink("../out", stage.at("H/outside")).expect("a link");
        symlink("nothing", stage.at("H/dangling")).expect("a link");
        symlink("loop", stage.at("H/loop")).expect("a link");
        share(stage);
        let link = |name: &str| fs::read_link(stage.at(name)).expect(name);
        assert_eq!(link("T/skills/inside"), Path::new("real"), "{way}");
        assert_eq!(link("T/absolute"), stage.at("T/skills/real"), "{way}");
        assert_eq!(link("T/outside"), stage.at("out"), "{way}");
        assert_eq!(link("T/dangling"), Path::new("nothing"), "{way}");
        assert_eq!(link("T/loop"), Path::new("loop"), "{way}");
        let mut mirror = stage.mirror();
        let report = mirror.walk();
        assert!(report.changed == 0 && report.is_in_step(), "{way}: {report:?}");
        // Nothing comes or goes through a link.
        assert_eq!(mirror.sync_path(Path::new("outside/secret.md")).changed, 0, "{way}");
        assert_eq!(everything(&stage.at("out")).len(), 1, "{way}");
    });
}

/// As dotfile managers leave it.
#[cfg(unix)]
#[test]
fn links_that_lead_out_of_a_home_that_is_a_link_lead_to_the_same_place() {
    use std::os::unix::fs::symlink;
    both_ways("linked-home", |way, stage, share| {
        fs::remove_dir(stage.at("H")).expect("an empty home");
        fs::create_dir_all(stage.at("dot/files/claude")).expect("a directory");
        symlink("dot/files/claude", stage.at("H")).expect("a link");
        stage.put("dot/files/agents/a.md", "x", 60);
        symlink("../agents", stage.at("H/agents")).expect("a link");
        share(stage);
        assert_eq!(stage.text("T/agents/a.md").as_deref(), Some("x"), "{way}");
        // Back as well.
        fs::remove_file(stage.at("H/agents")).expect("a link");
        symlink(stage.at("dot/files"), stage.at("T/files")).expect("a link");
        let mut mirror = stage.mirror();
        stage.settle(&mut mirror);
        assert_eq!(stage.text("H/files/agents/a.md").as_deref(), Some("x"), "{way}");
        let report = mirror.walk();
        assert!(report.changed == 0 && report.is_in_step(), "{way}: {report:?}");
    });
}

#[cfg(unix)]
#[test]
fn pipes_and_sockets_are_skipped() {
    both_ways("pipes", |way, stage, share| {
        let made = std::process::Command::new("mkfifo").arg(stage.at("H/pipe")).status();
        let _socket = std::os::unix::net::UnixListener::bind(stage.at("H/socket")).expect("a socket");
        stage.put("H/a.md", "x", 60);
        share(stage);
        assert!(made.is_ok_and(|status| status.success()), "{way}: mkfifo");
        let names: Vec<_> =
            fs::read_dir(&stage.pair.tree).expect("a directory").flatten().map(|e| e.file_name()).collect();
        assert_eq!(names, ["a.md"], "{way}");
    });
}

#[cfg(unix)]
#[test]
fn read_only_files_and_directories_are_shared_and_stay_read_only() {
    use std::os::unix::fs::PermissionsExt as _;
    let stage = Stage::new("readonly");
    let chmod = |name: &str, mode| {
        fs::set_permissions(stage.at(name), fs::Permissions::from_mode(mode)).expect("a changed mode");
    };
    stage.put("H/d/a.md", "x", 60);
    chmod("H/d/a.md", 0o444);
    chmod("H/d", 0o555);
    stage.populate();
    let mode = |name: &str| stage.disk.lstat(&stage.at(name)).expect("a stat").expect("something").mode;
    assert_eq!((mode("T/d"), mode("T/d/a.md")), (0o555, 0o444));
    stage.put("H/b.md", "x", 60);
    chmod("H/b.md", 0o400);
    let mut mirror = stage.mirror();
    mirror.walk();
    assert_eq!(mode("T/b.md"), 0o400);
    stage.put("H/b.md", "y", 30);
    chmod("H/b.md", 0o400);
    mirror.walk();
    assert_eq!((stage.text("T/b.md").as_deref(), mode("T/b.md")), (Some("y"), 0o400));
    for name in ["H/d", "T/d"] {
        chmod(name, 0o755);
    }
}

#[cfg(unix)]
#[test]
fn a_mode_that_one_side_changed_reaches_the_other() {
    use std::os::unix::fs::PermissionsExt as _;
    let stage = Stage::new("mode");
    let chmod = |name: &str, mode| {
        fs::set_permissions(stage.at(name), fs::Permissions::from_mode(mode)).expect("a changed mode");
    };
    let mode = |name: &str| stage.disk.lstat(&stage.at(name)).expect("a stat").expect("something").mode;
    for file in ["hook.sh", "log.jsonl"] {
        let (home, tree) = (format!("H/{file}"), format!("T/{file}"));
        stage.put(&home, "x\n", 60);
        chmod(&home, 0o640);
        let mut mirror = stage.mirror();
        mirror.walk();
        chmod(&tree, 0o755);
        mirror.walk();
        assert_eq!(mode(&home), 0o755, "{file}");
        chmod(&tree, 0o700);
        chmod(&home, 0o600);
        mirror.walk();
        assert_eq!((mode(&home), mode(&tree)), (0o600, 0o700), "{file}: each keeps its own");
        assert_eq!(mirror.walk().changed, 0, "{file}");
    }
}

#[cfg(unix)]
#[test]
fn hard_links_are_shared_as_files_and_what_else_they_name_stays() {
    both_ways("hard", |way, stage, share| {
        stage.put("out.md", "x", 60);
        fs::hard_link(stage.at("out.md"), stage.at("H/a.md")).expect("a hard link");
        fs::hard_link(stage.at("out.md"), stage.at("H/b.md")).expect("a hard link");
        share(stage);
        stage.put("T/a.md", "new", 30);
        stage.settle(&mut stage.mirror());
        let texts = ["H/a.md", "T/a.md", "H/b.md", "T/b.md", "out.md"].map(|name| stage.text(name).expect(name));
        assert_eq!(texts, ["new", "new", "x", "x", "x"], "{way}");
    });
}

#[test]
fn different_kinds_on_both_sides_are_reported_and_left() {
    let stage = Stage::new("kinds");
    stage.put("H/a", "file", 60);
    stage.put("T/a/b.md", "below", 60);
    let report = stage.mirror().walk();
    assert_eq!(report.problems.len(), 1, "{report:?}");
    assert!(!report.is_in_step());
    assert_eq!((stage.text("H/a").as_deref(), stage.text("T/a/b.md").as_deref()), (Some("file"), Some("below")));
}

#[test]
fn a_deleted_directory_stays_deleted_until_something_new_comes_below() {
    let stage = Stage::new("directory");
    stage.put("H/d/a.md", "a", 60);
    stage.put("H/d/e/b.md", "b", 60);
    let mut mirror = stage.mirror();
    mirror.walk();
    fs::remove_dir_all(stage.at("T/d")).expect("a removed directory");
    assert_eq!(mirror.walk().changed, 0);
    mirror.save().expect("an index");
    let mut mirror = stage.mirror();
    assert_eq!(mirror.walk().changed, 0, "the next process knows it too");
    assert!(!stage.at("T/d").exists() && stage.at("H/d/a.md").exists());
    stage.put("H/d/e/new.md", "new", 30);
    mirror.sync_path(Path::new("d/e/new.md"));
    assert_eq!(stage.text("T/d/e/new.md").as_deref(), Some("new"));
    assert_eq!(stage.text("T/d/a.md"), None, "and only that");
    assert_eq!(mirror.walk().changed, 0);
}

#[test]
fn a_directory_that_comes_with_everything_in_it_is_brought_whole() {
    let stage = Stage::new("whole");
    let mut mirror = stage.mirror();
    stage.put("T/d/e/a.md", "a", 60);
    stage.put("T/d/b.md", "b", 60);
    let report = mirror.sync_path(Path::new("d"));
    assert_eq!(report.changed, 4, "{report:?}");
    assert_eq!(stage.text("H/d/e/a.md").as_deref(), Some("a"));
}

/// A side that does not tell upper from lower case.
#[cfg(unix)]
mod folding {
    use std::ffi::OsString;
    use std::fs::File;
    use std::io;
    use std::path::{Path, PathBuf};

    use clauth_durable::vfs::{Handle, RealVfs};
    use clauth_durable::{Stat, Vfs};
    use jiff::Timestamp;

    pub(super) struct Folding(pub(super) PathBuf);

    impl Folding {
        /// The name by which an entry is really there.
        fn real(&self, path: &Path) -> PathBuf {
            let Ok(rest) = path.strip_prefix(&self.0) else { return path.to_owned() };
            rest.components().fold(self.0.clone(), |at, part| {
                let wanted = part.as_os_str().to_ascii_lowercase();
                let names = RealVfs.read_dir(&at).unwrap_or_default();
                let found = names.into_iter().find(|name| name.to_ascii_lowercase() == wanted);
                at.join(found.unwrap_or_else(|| part.as_os_str().to_owned()))
            })
        }
    }

    macro_rules! folded {
        ($($name:ident($($arg:ident: $type:ty),*) -> $result:ty;)*) => {
            $(fn $name(&self, path: &Path, $($arg: $type),*) -> io::Result<$result> {
                RealVfs.$name(&self.real(path), $($arg),*)
            })*
        };
    }

    impl Vfs for Folding {
        folded! {
            read(limit: u64) -> Vec<u8>;
            stat() -> Stat;
            lstat() -> Stat;
            read_link() -> PathBuf;
            read_dir() -> Vec<OsString>;
            open() -> File;
            create(mode: u32) -> Box<dyn Handle>;
            append(mode: u32) -> Box<dyn Handle>;
            remove_file() -> ();
            create_dir(mode: u32) -> ();
            remove_dir() -> ();
            sync_dir() -> ();
            set_mode(mode: u32) -> ();
            set_modified(at: Timestamp) -> ();
            open_lock() -> File;
        }
        fn rename(&self, from: &Path, to: &Path) -> io::Result<()> {
            RealVfs.rename(&self.real(from), &self.real(to))
        }
        fn rename_new(&self, from: &Path, to: &Path) -> io::Result<()> {
            RealVfs.rename_new(&self.real(from), &self.real(to))
        }
        fn exchange(&self, a: &Path, b: &Path) -> io::Result<()> {
            RealVfs.exchange(&self.real(a), &self.real(b))
        }
        fn symlink(&self, target: &Path, link: &Path) -> io::Result<()> {
            RealVfs.symlink(target, &self.real(link))
        }
    }
}

#[cfg(unix)]
#[test]
fn names_that_mean_the_same_to_one_side_are_reported_and_nothing_is_overwritten() {
    both_ways("case", |way, stage, _| {
        stage.put("H/Notes.md", "upper", 60);
        stage.put("H/notes.md", "lower", 30);
        stage.put("H/Agents/a.md", "upper", 60);
        stage.put("H/agents/b.md", "lower", 30);
        let vfs = Arc::new(folding::Folding(stage.pair.tree.clone()));
        let mut problems = Vec::new();
        if way == "populate" {
            let disk = stage.disk.clone().with_vfs(vfs.clone());
            problems = stage.populate_by(&disk, 1).expect("a copy").expect("not cancelled").problems;
        }
        let mut mirror = stage.mirror_on(vfs);
        for _ in 0..3 {
            let report = mirror.walk();
            let collide = report.problems.iter().filter(|problem| matches!(problem.what, Trouble::Collides)).count();
            assert_eq!(collide, 2, "{way}: {report:?}");
        }
        let report = mirror.sync_path(Path::new("notes.md"));
        assert_eq!((report.changed, report.problems.len()), (0, 1), "{way}: {report:?}");
        assert!(way != "populate" || problems.len() == 2, "{problems:?}");
        let home: Vec<_> = everything(&stage.pair.home).into_values().collect();
        assert_eq!(home.len(), 4, "{way}");
        assert_eq!(stage.text("H/Notes.md").as_deref(), Some("upper"), "{way}");
        assert_eq!(stage.text("H/notes.md").as_deref(), Some("lower"), "{way}");
        assert_eq!((everything(&stage.pair.tree).len(), stage.kept().len()), (2, 0), "{way}");
    });
}
