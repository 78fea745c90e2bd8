//! Modes and links of what is written (W1).

use std::sync::{Arc, Mutex, PoisonError};

use super::super::Mode;
use crate::testing::{Poor, Scratch, Seen, disk};
use crate::vfs::{FaultyVfs, RealVfs, Vfs as _};
use crate::{Error, Kind};

/// Runs `act` as somebody who keeps nothing from anybody. The mask belongs to the whole process; no test here relies on
/// it, since all set their modes themselves.
fn without_mask<T>(act: impl FnOnce() -> T) -> T {
    static ONE: Mutex<()> = Mutex::new(());
    let _one = ONE.lock().unwrap_or_else(PoisonError::into_inner);
    let former = rustix::process::umask(rustix::fs::Mode::empty());
    let result = act();
    rustix::process::umask(former);
    result
}

#[test]
fn a_new_file_is_private_and_a_replaced_one_as_private_as_asked() {
    for (name, before, asked, expected) in [
        ("new, private", None, Mode::Private, 0o600),
        ("new, keeping what is not there", None, Mode::Keep, 0o600),
        ("open before, private", Some(0o644), Mode::Private, 0o600),
        ("open before, kept", Some(0o644), Mode::Keep, 0o644),
        ("open to all, kept", Some(0o666), Mode::Keep, 0o666),
        ("read-only, kept", Some(0o400), Mode::Keep, 0o400),
        ("a program, kept", Some(0o755), Mode::Keep, 0o755),
    ] {
        let home = Scratch::new("mode");
        if let Some(mode) = before {
            home.write("file", "old");
            home.chmod("file", mode);
        }
        without_mask(|| disk().replace(&home.path("file"), b"new", asked)).expect(name);
        assert_eq!((home.read("file").as_str(), home.mode("file")), ("new", expected), "{name}");
    }
}

#[test]
fn what_is_written_beside_is_private_before_the_first_byte() {
    let home = Scratch::new("mode-first");
    home.write("file", "old");
    home.chmod("file", 0o666);
    let (seen, root) = (Arc::new(Mutex::new(None)), home.root().to_owned());
    let note = Arc::clone(&seen);
    // Effects: create, write, set_mode, …
    let vfs = FaultyVfs::with_callback(Arc::new(Poor::RICH), 2, move || {
        let temp = RealVfs
            .read_dir(&root)
            .expect("names")
            .into_iter()
            .find(|name| name.to_string_lossy().contains(".clauth-"));
        let stat = RealVfs.lstat(&root.join(temp.expect("a temporary file"))).expect("something there");
        *note.lock().expect("not poisoned") = Some((stat.mode, stat.len));
    });
    let disk = disk().with_vfs(Arc::new(vfs));
    without_mask(|| disk.replace(&home.path("file"), b"new", Mode::Keep)).expect("a replaced file");
    assert_eq!(*seen.lock().expect("not poisoned"), Some((0o600, 0)));
    assert_eq!(home.mode("file"), 0o666);
}

#[test]
fn a_link_stays_the_link_that_it_was() {
    let home = Scratch::new("links");
    home.dir("dir");
    home.write("dir/file", "old");
    home.chmod("dir/file", 0o640);
    home.link("dir/file", "one");
    home.link("../one", "dir/two");
    home.link("dir", "alias");
    home.link("dir/new", "dangling");
    for (name, written, stands, mode) in [
        ("a link", "one", "dir/file", 0o640),
        ("a link to a link", "dir/two", "dir/file", 0o640),
        ("through a linked directory", "alias/file", "dir/file", 0o640),
        ("a link to nothing", "dangling", "dir/new", 0o600),
    ] {
        let before = home.picture();
        disk().replace(&home.path(written), name.as_bytes(), Mode::Keep).expect(name);
        let mut expected = before.clone();
        expected.insert(stands.to_owned(), Seen::File(name.as_bytes().to_vec(), mode));
        assert_eq!(home.picture(), expected, "{name}");
    }
}

#[test]
fn what_is_no_file_is_not_replaced() {
    let home = Scratch::new("irregular");
    home.dir("dir");
    home.link("dir", "to-dir");
    home.link("/dev/null", "to-device");
    home.link("round", "round");
    let before = home.picture();
    for (name, path, kind) in [
        ("directory", "dir", Some(Kind::Dir)),
        ("link to a directory", "to-dir", Some(Kind::Dir)),
        ("link to a device", "to-device", Some(Kind::Other)),
        ("link to itself", "round", None),
    ] {
        match disk().replace(&home.path(path), b"new", Mode::Keep).expect_err(name) {
            Error::NotRegular { kind: found, .. } => assert_eq!(Some(found), kind, "{name}"),
            Error::Loop { .. } => assert_eq!(None, kind, "{name}"),
            other => panic!("{name}: {other:?}"),
        }
        assert_eq!(home.picture(), before, "{name}");
    }
}

#[test]
fn a_directory_is_made_private_with_those_above_it() {
    let home = Scratch::new("ensure");
    home.dir("open");
    home.chmod("open", 0o755);
    without_mask(|| disk().ensure_dir(&home.path("open/a/b/c"))).expect("directories");
    assert_eq!(["open", "open/a", "open/a/b", "open/a/b/c"].map(|name| home.mode(name)), [0o755, 0o700, 0o700, 0o700]);
    disk().ensure_dir(&home.path("open/a")).expect("what is there already");
    assert_eq!(home.mode("open"), 0o755);
}

/// `sudo` that keeps HOME, or a container on a mounted home: nothing that root writes there may lock its user out (W1).
#[test]
fn what_root_makes_in_somebody_elses_home_is_theirs() {
    use std::os::unix::fs::{MetadataExt as _, chown};
    if !rustix::process::geteuid().is_root() {
        println!("skipped: this is not root, which alone makes files for others");
        return;
    }
    let home = Scratch::new("whose");
    let file = home.write("their/file", "old");
    home.write("their/open/note", "kept");
    home.write("lasting", "root's own");
    home.link(home.path("lasting"), "their/leads-out");
    let user = 54_321;
    for name in ["their", "their/open", "their/file"] {
        if chown(home.path(name), Some(user), Some(user)).is_err() {
            println!("skipped: this is not root of others' files, which a container may not give away");
            return;
        }
    }
    home.chmod("their", 0o755);
    home.chmod("their/open", 0o1777);
    disk().replace(&file, b"new", Mode::Keep).expect("a replaced file");
    disk().replace(&home.path("their/leads-out"), b"new", Mode::Keep).expect("one at the end of a link");
    disk().ensure_dir(&home.path("their/a/b")).expect("directories");
    disk().replace(&home.path("their/open/new"), b"new", Mode::Private).expect("one where everybody writes");
    RealVfs.append(&home.path("their/log"), 0o600).expect("a file to append to");
    RealVfs.append(&home.path("their/open/note"), 0o600).expect("one that is there");
    RealVfs.open_lock(&home.path("their/a/lock")).expect("a lock");
    RealVfs.symlink(&home.path("lasting"), &home.path("their/a/link")).expect("a link");
    disk().replace(&home.path("own"), b"new", Mode::Private).expect("root's own");
    for (name, expected) in [
        ("their/file", user),
        ("lasting", 0),
        ("their/a", user),
        ("their/a/b", user),
        ("their/open/new", 0),
        ("their/log", user),
        ("their/open/note", 0),
        ("their/a/lock", user),
        ("their/a/link", if cfg!(target_os = "linux") { user } else { 0 }),
        ("own", 0),
    ] {
        let seen = std::fs::symlink_metadata(home.path(name)).expect(name);
        assert_eq!((seen.uid(), expected == 0 || seen.gid() == user), (expected, true), "{name}");
    }
}

#[test]
fn a_directory_is_not_made_where_something_else_stands_or_a_link_leads() {
    let home = Scratch::new("in-the-way");
    home.write("file", "content");
    home.dir("elsewhere");
    home.link("elsewhere/new", "dangling");
    home.link("elsewhere", "linked");
    home.link("round", "round");
    let before = home.picture();
    for name in ["file", "file/below", "dangling", "dangling/below", "round"] {
        disk().ensure_dir(&home.path(name)).expect_err(name);
        assert_eq!(home.picture(), before, "{name}");
    }
    disk().ensure_dir(&home.path("linked")).expect("a directory that a link of the user's leads to");
    assert_eq!(home.picture(), before);
}
