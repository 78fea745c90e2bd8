//! What is read, and what is refused at once (W1).

use std::os::unix::net::UnixListener;
use std::path::{Path, PathBuf};
use std::process::Command;
use std::sync::mpsc;
use std::time::Duration;

use super::super::{LIMIT, LINKS};
use crate::testing::{Scratch, disk};
use crate::{Error, Kind};

/// Longer than any machine needs for an answer that is not waited for.
const HANGS: Duration = Duration::from_secs(30);

fn fifo(path: &Path) {
    let _alone = crate::testing::alone();
    let made = Command::new("mkfifo").arg(path).status().expect("mkfifo can be run");
    assert!(made.success(), "mkfifo {}", path.display());
}

/// Reads in another thread, so that a read that waits for a writer fails the test and does not hang it.
fn read(path: &Path) -> Result<Option<Vec<u8>>, Error> {
    let (answer, answered) = mpsc::channel();
    let path = path.to_owned();
    std::thread::spawn(move || answer.send(disk().read(&path)));
    answered.recv_timeout(HANGS).expect("an answer, and no waiting")
}

/// A chain of links, `count` long, that ends at a file.
fn chain(home: &Scratch, count: usize) -> PathBuf {
    home.write(&format!("chain-{count}/0"), "end");
    for at in 1..=count {
        home.link((at - 1).to_string(), &format!("chain-{count}/{at}"));
    }
    home.path(&format!("chain-{count}/{count}"))
}

/// Whether an error is the one that is expected.
type Expected = Box<dyn Fn(&Error) -> bool>;

#[test]
fn only_a_regular_file_is_read_and_nothing_is_waited_for() {
    let home = Scratch::new("read");
    fifo(&home.path("fifo"));
    home.dir("directory");
    let _socket = UnixListener::bind(home.path("socket")).expect("a socket");
    let large = std::fs::File::options().write(true).create_new(true).open(home.path("large")).expect("a file");
    large.set_len(LIMIT + 1).expect("a sparse file");
    home.link("round", "about");
    home.link("about", "round");
    home.link("self", "self");
    for (link, target) in [("to-fifo", "fifo"), ("to-directory", "directory"), ("to-device", "/dev/zero")] {
        home.link(target, link);
    }

    let irregular =
        |kind| move |error: &Error| matches!(error, Error::NotRegular { kind: found, .. } if *found == kind);
    let is_loop = |error: &Error| matches!(error, Error::Loop { .. });
    let rows: Vec<(&str, PathBuf, Expected)> = vec![
        ("FIFO", home.path("fifo"), Box::new(irregular(Kind::Other))),
        ("link to a FIFO", home.path("to-fifo"), Box::new(irregular(Kind::Other))),
        ("socket", home.path("socket"), Box::new(irregular(Kind::Other))),
        ("device without end", "/dev/zero".into(), Box::new(irregular(Kind::Other))),
        ("device without content", "/dev/null".into(), Box::new(irregular(Kind::Other))),
        ("link to a device", home.path("to-device"), Box::new(irregular(Kind::Other))),
        ("directory", home.path("directory"), Box::new(irregular(Kind::Dir))),
        ("link to a directory", home.path("to-directory"), Box::new(irregular(Kind::Dir))),
        ("larger than anything", home.path("large"), Box::new(|error| matches!(error, Error::TooLarge { .. }))),
        ("links in a circle", home.path("about"), Box::new(is_loop)),
        ("link to itself", home.path("self"), Box::new(is_loop)),
        ("too many links", chain(&home, LINKS + 1), Box::new(is_loop)),
    ];
    for (name, path, expected) in rows {
        let error = read(&path).expect_err(name);
        assert!(expected(&error), "{name}: {error:?}");
        assert_eq!(error.path(), path, "{name}");
    }
}

#[test]
fn what_is_not_there_is_no_error() {
    let home = Scratch::new("missing");
    home.write("file", "content");
    home.link("nowhere", "dangling");
    for (name, path, expected) in [
        ("file", "file", Some(b"content".to_vec())),
        ("nothing", "nothing", None),
        ("no directory", "no/where", None),
        ("below a file", "file/below", None),
        ("link to nothing", "dangling", None),
    ] {
        assert_eq!(disk().read(&home.path(path)).expect(name), expected, "{name}");
        let read = disk().read_stat(&home.path(path)).expect(name);
        assert_eq!(read.map(|(bytes, stat)| (bytes, stat.len)), expected.map(|bytes| (bytes, 7)), "{name}");
    }
    assert_eq!(disk().list(&home.path("no")).expect("no names"), [""; 0]);
}

#[test]
fn the_target_of_a_rename_is_where_the_links_end() {
    let home = Scratch::new("target");
    home.dir("root");
    home.dir("dots");
    home.write("file", "content");
    home.write("root/ours", "content");
    home.link("../file", "dots/link");
    home.link("root", "alias");
    home.link("root/ours", "into");
    home.link("./alias/ours", "into-by-alias");
    home.link("nowhere", "dangling");
    home.link("ours", "root/inner");
    let link = |home: &Scratch, name: &str| home.path(name);
    let rows: Vec<(&str, PathBuf, PathBuf, bool, bool)> = vec![
        ("file", link(&home, "file"), home.path("file"), true, false),
        ("relative link", link(&home, "dots/link"), home.path("dots/../file"), true, false),
        ("link to nothing", link(&home, "dangling"), home.path("nowhere"), false, false),
        ("nothing", link(&home, "nothing"), home.path("nothing"), false, false),
        ("as many links as may be", chain(&home, LINKS), home.path(&format!("chain-{LINKS}/0")), true, false),
        ("link into our root (L8)", link(&home, "into"), home.path("into"), true, true),
        (
            "link into our root by another name (L8)",
            link(&home, "into-by-alias"),
            home.path("into-by-alias"),
            true,
            true,
        ),
        ("link inside our root", link(&home, "root/inner"), home.path("root/ours"), true, false),
    ];
    for (name, path, expected, stands, ours) in rows {
        let target = disk().target(&path, Some(&home.path("root"))).expect(name);
        assert_eq!((target.path, target.stat.is_some(), target.ours), (expected, stands, ours), "{name}");
    }
    let error = disk().target(&chain(&home, LINKS + 1), None).expect_err("too many links");
    assert!(matches!(error, Error::Loop { .. }), "{error:?}");
}

#[test]
fn what_is_opened_is_what_stands_there_and_is_never_made() {
    use std::io::Read as _;
    let home = Scratch::new("open");
    home.write("file", "text");
    home.link("file", "link");
    fifo(&home.path("fifo"));
    let (answer, answered) = mpsc::channel();
    let paths = ["file", "link", "missing", "fifo"].map(|name| home.path(name));
    std::thread::spawn(move || answer.send(paths.map(|path| disk().vfs.open(&path))));
    let [file, link, missing, fifo] = answered.recv_timeout(HANGS).expect("an answer, and no waiting");
    let mut text = String::new();
    file.expect("a file").read_to_string(&mut text).expect("readable");
    assert_eq!(text, "text");
    assert!(link.is_err() && missing.is_err() && fifo.is_ok());
    assert!(!home.path("missing").exists());
}
