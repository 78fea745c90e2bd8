//! The first copy.

use std::cell::RefCell;
use std::fs;
use std::path::Path;
use std::sync::atomic::{AtomicBool, Ordering};

use super::{Stage, everything};
#[cfg(unix)]
use crate::session::copy::Trouble;
use crate::session::copy::{Plan, Progress, populate};

fn files(stage: &Stage, count: usize) {
    for file in 0..count {
        stage.put(&format!("H/projects/p{}/s{file}.jsonl", file % 7), format!("line {file}\n").repeat(file % 50), 600);
    }
}

#[test]
fn a_copy_has_every_byte_mode_and_time() {
    let stage = Stage::new("fill");
    files(&stage, 300);
    stage.put("H/CLAUDE.md", "memory", 60);
    stage.put("H/settings.json", "{}", 60);
    fs::create_dir(stage.at("H/empty")).expect("a directory");
    let filled = stage.populate();
    assert_eq!(filled.problems.len(), 0, "{:?}", filled.problems);
    let mut home = everything(&stage.pair.home);
    home.remove(Path::new("settings.json"));
    assert_eq!(everything(&stage.pair.tree), home);
    assert!(stage.at("T/empty").is_dir());
    for name in home.keys() {
        let stat = |side: &Path| stage.disk.lstat(&side.join(name)).expect("a stat").expect("a file");
        let (home, tree) = (stat(&stage.pair.home), stat(&stage.pair.tree));
        assert_eq!((home.mode, home.modified), (tree.mode, tree.modified), "{}", name.display());
    }
    assert_eq!((filled.progress.files, filled.progress.of_files), (301, 301));
    assert_eq!(filled.progress.bytes, filled.progress.of_bytes);
    let mut mirror = stage.mirror();
    let report = mirror.walk();
    assert!(report.changed == 0 && report.is_in_step(), "the index is right: {report:?}");
}

/// Point 3: independent subtrees are copied by a bounded pool.
#[test]
fn sixteen_workers_share_one_huge_and_many_small_files() {
    let stage = Stage::new("workers");
    files(&stage, 2000);
    let huge: Vec<u8> = (0..64_u32 << 20).map(|at| (at >> 9) as u8).collect();
    stage.put("H/huge", &huge, 600);
    let filled = stage.populate_by(&stage.disk, 16).expect("a copy").expect("not cancelled");
    assert_eq!(filled.progress.files, 2001);
    assert_eq!(everything(&stage.pair.tree), everything(&stage.pair.home));
}

#[test]
fn what_the_tree_has_is_left_alone() {
    let stage = Stage::new("leave");
    stage.put("H/a.md", "home", 60);
    stage.put("H/d/b.md", "home", 60);
    stage.put("H/e/c.md", "home", 60);
    stage.put("T/a.md", "tree", 600);
    stage.put("T/d/x.md", "tree", 600);
    stage.populate();
    assert_eq!(stage.text("T/a.md").as_deref(), Some("tree"));
    assert_eq!(stage.text("T/d/b.md"), None);
    assert_eq!(stage.text("T/e/c.md").as_deref(), Some("home"));
    // The mirror then unites what stood there before.
    let report = stage.mirror().walk();
    assert!(report.is_in_step(), "{report:?}");
    assert_eq!(stage.text("T/d/b.md").as_deref(), Some("home"));
    assert_eq!(stage.text("H/d/x.md").as_deref(), Some("tree"));
    assert_eq!((stage.text("T/a.md").as_deref(), stage.kept()), (Some("home"), vec!["tree".to_owned()]));
}

#[test]
fn a_cancelled_copy_leaves_the_tree_as_it_was() {
    let stage = Stage::new("cancel");
    files(&stage, 500);
    let cancel = AtomicBool::new(false);
    let told = RefCell::new(Vec::new());
    let shared = Stage::shared();
    let tell = |progress: Progress| {
        told.borrow_mut().push(progress);
        cancel.store(progress.files > 0, Ordering::Relaxed);
    };
    let plan = Plan {
        disk: &stage.disk,
        home: &stage.pair.home,
        tree: &stage.pair.tree,
        base: &stage.pair.base,
        shared: &|name| shared(name),
        progress: &tell,
        cancel: &cancel,
        workers: 1,
    };
    assert!(populate(&plan).expect("no error").is_none());
    assert_eq!(fs::read_dir(&stage.pair.tree).expect("a directory").count(), 0);
    assert!(told.borrow().len() > 1 && told.borrow().iter().all(|progress| progress.of_files == 500));
}

#[test]
fn a_home_that_holds_the_tree_is_not_copied_into_itself() {
    let mut stage = Stage::new("inside");
    stage.put("H/a.md", "x", 60);
    stage.pair.tree = stage.at("H/clauth/profiles/a/runtime");
    stage.pair.base = stage.at("H/clauth/profiles/a/base");
    for directory in [&stage.pair.tree, &stage.pair.base] {
        fs::create_dir_all(directory).expect("directories");
    }
    stage.populate();
    let mut mirror = stage.mirror();
    mirror.walk();
    let names: Vec<_> = everything(&stage.pair.tree).into_keys().collect();
    assert_eq!(names, [Path::new("a.md")]);
}

#[cfg(unix)]
#[test]
fn an_entry_that_cannot_be_read_is_reported_and_the_rest_copied() {
    use std::os::unix::fs::PermissionsExt as _;
    let stage = Stage::new("unreadable");
    stage.put("H/secret.md", "x", 60);
    stage.put("H/closed/a.md", "x", 60);
    stage.put("H/open.md", "x", 60);
    let chmod = |name: &str, mode| {
        fs::set_permissions(stage.at(name), fs::Permissions::from_mode(mode)).expect("a changed mode");
    };
    chmod("H/secret.md", 0);
    chmod("H/closed", 0);
    if fs::read(stage.at("H/secret.md")).is_ok() {
        // The system's administrator reads everything.
        chmod("H/closed", 0o700);
        return;
    }
    let filled = stage.populate();
    chmod("H/closed", 0o700);
    let refused = filled.problems.iter().filter(|problem| matches!(problem.what, Trouble::Refused(_))).count();
    assert_eq!(refused, 2, "{:?}", filled.problems);
    assert_eq!(stage.text("T/open.md").as_deref(), Some("x"));
}
