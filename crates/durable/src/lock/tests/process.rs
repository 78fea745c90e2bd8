//! Whether a process that wrote its id down is still that one.

use crate::lock::{process_is_gone, process_lives, process_start};
use crate::testing::disk;

/// Above every limit that a system sets: nobody's.
const NOBODY: u32 = 2_000_000_000;

#[test]
fn a_process_is_told_by_its_id_and_its_start() {
    let (disk, me) = (disk(), std::process::id());
    let start = process_start(&disk, me);
    assert_eq!(start.is_some(), cfg!(any(target_os = "linux", windows)));
    for (name, pid, recorded, lives) in [
        ("itself", me, start.as_deref(), true),
        ("without a recorded start", me, None, true),
        ("a later one with its id", me, Some("1"), start.is_none()),
        ("nobody", NOBODY, None, false),
        ("no process id", 0, None, false),
    ] {
        assert_eq!(process_lives(&disk, pid, recorded), lives, "{name}");
    }
    assert!(process_is_gone(NOBODY));
    assert_eq!(process_start(&disk, NOBODY), None);
}
