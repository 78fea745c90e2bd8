//! A kill, a full disk and a short write at each effect.

use std::collections::BTreeMap;
use std::path::{Path, PathBuf};
use std::sync::Arc;
use std::sync::atomic::{AtomicBool, Ordering};

use clauth_durable::Vfs;
use clauth_durable::vfs::{Errno, Fault, FaultyVfs, RealVfs};
use clauth_sandbox::swept;

use super::{Stage, everything};

const FAULTS: [Fault; 4] =
    [Fault::Kill, Fault::Error(Errno::NoSpace), Fault::ErrorFrom(Errno::NoSpace), Fault::ShortWrite];

#[test]
fn a_copy_that_fails_anywhere_leaves_whole_entries_or_none() {
    let fill = |stage: &Stage| {
        stage.put("H/projects/p/a.jsonl", "line\n".repeat(100), 600);
        stage.put("H/projects/p/b.jsonl", "line\n".repeat(10), 600);
        stage.put("H/CLAUDE.md", "memory", 60);
    };
    let count = {
        let stage = Stage::new("count");
        fill(&stage);
        let vfs = FaultyVfs::counting(Arc::new(RealVfs));
        stage.populate_by(&stage.disk.clone().with_vfs(Arc::new(vfs.clone())), 1).expect("a copy");
        vfs.effects().len()
    };
    assert!(count > 20, "{count}");
    for fault in FAULTS {
        for at in swept(1..=count) {
            let stage = Stage::new("fault");
            fill(&stage);
            let home = everything(&stage.pair.home);
            let vfs = FaultyVfs::failing(Arc::new(RealVfs), at, fault);
            let ended = stage.populate_by(&stage.disk.clone().with_vfs(Arc::new(vfs.clone())), 1);
            let what = format!("{fault:?} at {at}: {:?}", vfs.effects().get(at - 1));
            assert!(vfs.fired(), "{what}");
            assert!(ended.is_ok() || fault != Fault::ShortWrite, "{what}");
            let placed = everything(&stage.pair.tree);
            for (name, bytes) in placed.iter().filter(|(name, _)| !name.to_string_lossy().contains(".clauth-")) {
                assert_eq!(home.get(name), Some(bytes), "{what}: {}", name.display());
            }
            // What is there is known well enough: nothing of it counts as an edit.
            let report = stage.settle(&mut stage.mirror());
            assert!(report.is_in_step(), "{what}: {report:?}");
            assert_eq!(everything(&stage.pair.home), home, "{what}");
            assert_eq!(stage.kept().len(), 0, "{what}");
        }
    }
}

/// Every way in which something is brought, at once.
fn edited(stage: &Stage) {
    for name in ["both.md", "home.md", "tree.md", "both.json"] {
        stage.put(&format!("H/{name}"), "{}", 600);
    }
    stage.put("H/d/lines.jsonl", "0\n", 600);
    let mut mirror = stage.mirror();
    stage.settle(&mut mirror);
    mirror.save().expect("an index");
    for (name, text) in [
        ("H/both.md", "both home"),
        ("T/both.md", "both tree"),
        ("H/both.json", "{\"home\":1}"),
        ("T/both.json", "{\"tree\":1}"),
        ("H/home.md", "home"),
        ("T/tree.md", "tree"),
        ("H/new/home.md", "new home"),
        ("T/new/tree.md", "new tree"),
    ] {
        stage.put(name, text, 60);
    }
    stage.add("H/d/lines.jsonl", "h1\nh2\n");
    stage.add("T/d/lines.jsonl", "t1\nt2\n");
}

const TEXTS: [&str; 8] =
    ["both home", "both tree", "{\"home\":1}", "{\"tree\":1}", "home", "tree", "new home", "new tree"];

fn assert_nothing_lost(stage: &Stage, what: &str) {
    let (home, tree) = (everything(&stage.pair.home), everything(&stage.pair.tree));
    assert_same(&home, &tree, what);
    let kept = stage.kept();
    for text in TEXTS {
        let stands = home.values().any(|bytes| bytes == text.as_bytes());
        assert!(stands || kept.iter().any(|kept| kept == text), "{what}: {text} is lost");
    }
    for side in ["H", "T"] {
        let text = stage.text(&format!("{side}/d/lines.jsonl")).expect(what);
        let mut lines: Vec<_> = text.lines().collect();
        lines.sort_unstable();
        assert_eq!(lines, ["0", "h1", "h2", "t1", "t2"], "{what}: {side}");
    }
}

fn assert_same(home: &BTreeMap<PathBuf, Vec<u8>>, tree: &BTreeMap<PathBuf, Vec<u8>>, what: &str) {
    let plain = |files: &BTreeMap<PathBuf, Vec<u8>>| -> BTreeMap<PathBuf, Vec<u8>> {
        let lines = |path: &Path| path.extension().is_some_and(|extension| extension == "jsonl");
        files.iter().filter(|(path, _)| !lines(path)).map(|(path, bytes)| (path.clone(), bytes.clone())).collect()
    };
    assert_eq!(plain(home), plain(tree), "{what}");
}

#[test]
fn a_walk_that_fails_anywhere_loses_nothing() {
    let run = |stage: &Stage, vfs: &FaultyVfs| {
        let mut mirror = stage.mirror_on(Arc::new(vfs.clone()) as Arc<dyn Vfs>);
        let report = mirror.walk();
        // A kill takes what was not yet written.
        let _ = mirror.save();
        report
    };
    let count = {
        let stage = Stage::new("count");
        edited(&stage);
        let vfs = FaultyVfs::counting(Arc::new(RealVfs));
        let report = run(&stage, &vfs);
        assert!(report.is_in_step(), "{report:?}");
        assert_nothing_lost(&stage, "without a fault");
        vfs.effects().len()
    };
    assert!(count > 50, "{count}");
    for fault in FAULTS {
        for (at, forgets) in swept(1..=count).flat_map(|at| [(at, false), (at, true)]) {
            let stage = Stage::new("fault");
            edited(&stage);
            let vfs = FaultyVfs::failing(Arc::new(RealVfs), at, fault);
            run(&stage, &vfs);
            let what = format!("{fault:?} at {at}, index lost: {forgets}: {:?}", vfs.effects().get(at - 1));
            assert!(vfs.fired(), "{what}");
            if forgets {
                let _ = std::fs::remove_file(stage.pair.base.join("index"));
            }
            let mut mirror = stage.mirror();
            let report = stage.settle(&mut mirror);
            assert!(report.is_in_step(), "{what}: {report:?}");
            assert_nothing_lost(&stage, &what);
            assert_eq!(mirror.walk().changed, 0, "{what}");
        }
    }
}

#[test]
fn a_write_between_look_and_swap_is_put_back_and_wins() {
    let count = {
        let stage = Stage::new("count");
        stage.put("H/a.md", "0", 600);
        stage.settle(&mut stage.mirror());
        stage.put("H/a.md", "home", 60);
        let vfs = FaultyVfs::counting(Arc::new(RealVfs));
        stage.mirror_on(Arc::new(vfs.clone())).walk();
        vfs.effects().len()
    };
    for at in swept(1..=count) {
        let stage = Stage::new("moved");
        stage.put("H/a.md", "0", 600);
        stage.settle(&mut stage.mirror());
        stage.put("H/a.md", "home", 60);
        let path = stage.at("T/a.md");
        let late = Arc::new(AtomicBool::new(false));
        let told = late.clone();
        let no = Arc::new(AtomicBool::new(false));
        let refused = no.clone();
        let write = move || {
            told.store(std::fs::read(&path).expect("a file") == b"home", Ordering::Relaxed);
            let temp = path.with_file_name("theirs.tmp");
            std::fs::write(&temp, "theirs").expect("a written file");
            match std::fs::rename(&temp, &path) {
                Ok(()) => {}
                // Where a file that is open cannot be replaced, nobody else could have written just then.
                Err(error) if cfg!(windows) && error.kind() == std::io::ErrorKind::PermissionDenied => {
                    println!("skipped: this moment, at which the file is open: {error}");
                    std::fs::remove_file(&temp).expect("their own file");
                    refused.store(true, Ordering::Relaxed);
                }
                Err(error) => panic!("not replaced: {error}"),
            }
        };
        let mut mirror = stage.mirror_on(Arc::new(FaultyVfs::with_callback(Arc::new(RealVfs), at, write)));
        // The second one stands for the event of that write.
        stage.settle(&mut mirror);
        stage.settle(&mut mirror);
        if no.load(Ordering::Relaxed) {
            continue;
        }
        let kept = stage.kept();
        for text in ["home", "theirs"] {
            // Written over what had just come, it is an edit of that.
            if text == "home" && late.load(Ordering::Relaxed) {
                continue;
            }
            let stands = ["H/a.md", "T/a.md"].iter().all(|name| stage.text(name).as_deref() == Some(text));
            assert!(stands || kept.iter().any(|kept| kept == text), "at {at}: {text} is lost, kept {kept:?}");
        }
        assert_eq!(stage.text("T/a.md").as_deref(), Some("theirs"), "at {at}: the newer one stands");
    }
}
