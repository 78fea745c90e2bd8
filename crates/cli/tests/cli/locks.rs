//! Claude Code's locks are respected; what nobody holds stops nobody (K2, K4, K5).

use std::time::{Duration, SystemTime};

use crate::stage::Stage;

/// Where Claude Code's locks are, in its order (facts §2.3).
fn locks(stage: &Stage) -> Vec<std::path::PathBuf> {
    let home = stage.world.home();
    let claude = stage.world.claude_dir();
    vec![
        claude.join(".oauth_refresh.lock"),
        home.join(".claude.lock"),
        claude.join(".storage-write.lock"),
        home.join(".claude.json.lock"),
    ]
}

fn age(path: &std::path::Path, by: i64) {
    let now = SystemTime::now();
    let by_duration = Duration::from_secs(by.unsigned_abs());
    let at = if by < 0 { now + by_duration } else { now - by_duration };
    open(path).and_then(|directory| directory.set_modified(at)).expect("a time");
}

#[cfg(unix)]
fn open(directory: &std::path::Path) -> std::io::Result<std::fs::File> {
    std::fs::File::open(directory)
}

/// `FILE_FLAG_BACKUP_SEMANTICS` lets a directory be opened.
#[cfg(windows)]
fn open(directory: &std::path::Path) -> std::io::Result<std::fs::File> {
    use std::os::windows::fs::OpenOptionsExt as _;
    std::fs::OpenOptions::new().write(true).custom_flags(0x0200_0000).open(directory)
}

#[test]
fn a_held_lock_is_waited_for_and_then_named() {
    // One home a lock: all of them are waited for at once.
    std::thread::scope(|scope| {
        for at in 0..4 {
            scope.spawn(move || {
                let stage = Stage::two("k-held");
                let path = locks(&stage).swap_remove(at);
                std::fs::create_dir(&path).expect("a lock");
                let before = stage.world.snapshot();
                let output = stage.run(&["switch", "a"]).expect_code(4);
                let told = &output.stderr;
                assert!(told.contains(&path.display().to_string()), "{told}");
                assert!(told.contains("waiting for") && told.contains(" s"), "{told}");
                assert_eq!(stage.changes(&before), Vec::<String>::new());
            });
        }
    });
}

#[test]
fn a_stale_or_future_lock_stops_nobody() {
    for (name, by) in [("stale", 3600), ("from the future", -7200)] {
        let stage = Stage::two("k-stale");
        for path in locks(&stage) {
            std::fs::create_dir_all(&path).expect("a lock");
            age(&path, by);
        }
        stage.ok(&["switch", "a"]);
        assert_eq!(stage.world.live(), "A1", "{name}");
        assert!(locks(&stage).iter().all(|path| !path.exists()), "{name}: they are released");
    }
}
