//! One file replaced whole, or not at all (W1).

use std::sync::Arc;

use super::super::Mode;
use crate::testing::{Picture, Poor, Scratch, Seen, disk};
use crate::vfs::{Effect, Errno, Fault, FaultyVfs};

pub(super) const FAULTS: [Fault; 8] = [
    Fault::Error(Errno::NoSpace),
    Fault::Error(Errno::Io),
    Fault::Error(Errno::Access),
    Fault::Error(Errno::ReadOnly),
    Fault::Error(Errno::Busy),
    Fault::ErrorFrom(Errno::ReadOnly),
    Fault::ShortWrite,
    Fault::Kill,
];

fn content(picture: &Picture, name: &str) -> Option<String> {
    match picture.get(name) {
        Some(Seen::File(bytes, _)) => Some(String::from_utf8(bytes.clone()).expect("a text")),
        _ => None,
    }
}

#[test]
fn a_file_is_made_and_replaced_whole() {
    let home = Scratch::new("whole");
    for text in ["first", "second, and longer than the first", "", "3"] {
        disk().replace(&home.path("file"), text.as_bytes(), Mode::Private).expect("a replaced file");
        assert_eq!(home.read("file"), text);
        assert_eq!(home.picture().len(), 1, "nothing is left beside it");
    }
}

#[test]
fn content_is_synced_before_the_rename_and_the_directory_after_it() {
    let home = Scratch::new("order");
    home.write("file", "old");
    let vfs = FaultyVfs::counting(Arc::new(Poor::RICH));
    disk().with_vfs(Arc::new(vfs.clone())).replace(&home.path("file"), b"new", Mode::Private).expect("a replaced file");
    let names: Vec<&str> = vfs.effects().iter().map(|effect| effect.name).collect();
    assert_eq!(names, ["create", "write", "sync", "rename", "sync_dir"]);
    let Some(Effect { path: temp, .. }) = vfs.effects().first().cloned() else { panic!("no effect") };
    assert_eq!(temp.parent(), Some(home.root()), "the temporary file lies beside the one that it becomes");
}

#[test]
fn under_each_fault_there_is_the_old_or_the_new_content_and_nothing_else() {
    for before in [Some("old content"), None] {
        for fault in FAULTS {
            for at in 1.. {
                let home = Scratch::new("fault");
                if let Some(text) = before {
                    home.write("file", text);
                }
                let vfs = FaultyVfs::failing(Arc::new(Poor::RICH), at, fault);
                let disk = disk().with_vfs(Arc::new(vfs.clone()));
                let result = disk.replace(&home.path("file"), b"new content", Mode::Private);
                if !vfs.fired() {
                    result.expect("without a fault it works");
                    break;
                }
                let picture = home.picture();
                let found = content(&picture, "file");
                let name = format!("{before:?} {fault:?} at {at}: {result:?}");
                // The sync of the directory comes when the new name already stands, and cannot be taken back.
                let renamed = vfs.effects()[at - 1].name == "sync_dir";
                let new = found.as_deref() == Some("new content");
                assert!(new || found.as_deref() == before, "{name}: {found:?}");
                assert_eq!(new, result.is_ok() || renamed, "{name}");
                assert_eq!(result.is_ok(), fault == Fault::ShortWrite, "{name}");
                let beside = picture.len() - usize::from(found.is_some());
                // A disk that lets nothing more be done does not let the temporary file be removed either.
                let swept = matches!(fault, Fault::Error(_) | Fault::ShortWrite);
                assert!(beside == 0 || !swept, "{name}: {picture:?}");
                assert!(picture.keys().all(|left| left == "file" || left.starts_with(".file.clauth-")), "{name}");
            }
        }
    }
}

#[test]
fn what_is_left_beside_is_swept_and_nothing_else_is() {
    let home = Scratch::new("sweep");
    for name in [".file.clauth-0123", ".state.json.clauth-7-1o", "file", ".hidden", "file.clauth-1", ".clauth"] {
        home.write(name, name);
    }
    home.write("deeper/.file.clauth-1", "not in that directory");
    let swept = crate::sweep(&disk(), &[home.root().to_owned(), home.path("missing")]).expect("swept directories");
    assert_eq!(swept, 2);
    let left: Vec<String> = home.picture().into_keys().collect();
    assert_eq!(left, [".clauth", ".hidden", "deeper", "deeper/.file.clauth-1", "file", "file.clauth-1"]);
}

#[test]
fn a_file_is_created_only_where_nothing_is() {
    let home = Scratch::new("create");
    assert!(disk().create(&home.path("file"), b"first").expect("a created file"));
    assert!(!disk().create(&home.path("file"), b"second").expect("something there"));
    assert_eq!(home.read("file"), "first");
    assert_eq!(home.picture().len(), 1, "nothing is left beside it");
}

#[cfg(unix)]
#[test]
fn a_link_is_replaced_itself_and_never_written_through() {
    let home = Scratch::new("itself");
    home.write("target", "theirs");
    for target in ["target", "nowhere", "link"] {
        let _ = disk().remove_file(&home.path("link"));
        home.link(target, "link");
        disk().replace_itself(&home.path("link"), b"ours", Mode::Keep).expect("a replaced link");
        assert_eq!((home.read("link"), home.read("target")), ("ours".into(), "theirs".into()), "{target}");
        assert_eq!(home.mode("link"), 0o600, "{target}");
        assert_eq!(home.picture().len(), 2, "{target}: nothing is left beside it");
    }
}
