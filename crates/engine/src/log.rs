//! `log/`: what went wrong while nobody could be told, since the terminal was a child's. One line an entry, of bounded size
//! (design §4).

use std::path::{Path, PathBuf};

use clauth_durable::Disk;

use crate::{Engine, Error, Root};

/// So large a log may become before it is put aside. The one before is kept, so twice this is all that it ever takes.
const MOST: u64 = 256 << 10;

/// An entry is a sentence; a longer one is cut.
const LONGEST: usize = 1000;

/// What every token and key of Anthropic's begins with.
const SECRET: &str = "sk-ant-";

impl Engine {
    /// Writes an entry: what it is about, and what happened. A log that cannot be written keeps nobody from working.
    pub fn log(&self, about: &str, what: &str) {
        let _ = write(&self.disk, &self.root, about, what);
    }

    /// Where entries are written.
    #[must_use]
    pub fn log_path(&self) -> PathBuf {
        self.root.log()
    }
}

fn write(disk: &Disk, root: &Root, about: &str, what: &str) -> Result<(), Error> {
    let path = root.log();
    disk.ensure_dir(path.parent().unwrap_or(&path))?;
    if disk.lstat(&path)?.is_some_and(|stat| stat.len >= MOST) {
        put_aside(disk, root, &path)?;
    }
    let at = crate::seconds(disk.clock.now());
    let line = format!("{at} {} {}: {}\n", std::process::id(), entry(about), entry(what));
    let failed = |error| Error::io("write", &path)(error);
    // Nothing is synced: an entry that a power loss takes away tells of processes that it took away too.
    let mut file = disk.vfs.append(&path, 0o600).map_err(failed)?;
    file.write(line.as_bytes()).map(drop).map_err(|error| Error::io("write", &path)(error))
}

/// Makes room. Of several who find it full one does it: a second would put a fresh log in the place of the full one.
fn put_aside(disk: &Disk, root: &Root, path: &Path) -> Result<(), Error> {
    let lock = root.locks().join("log.lock");
    disk.ensure_dir(&root.locks())?;
    let held = disk.vfs.open_lock(&lock).map_err(Error::io("open the lock", &lock))?;
    let alone = disk.vfs.try_lock(&held).is_ok();
    if alone && disk.lstat(path)?.is_some_and(|stat| stat.len >= MOST) {
        disk.vfs.rename(path, &path.with_extension("1.log")).map_err(Error::io("move", path))?;
    }
    Ok(())
}

/// `text` on one line, without anything that steers a terminal or looks like a secret.
fn entry(text: &str) -> String {
    let words =
        text.split_whitespace().map(|word| if word.contains(SECRET) { "[secret]".into() } else { crate::plain(word) });
    words.collect::<Vec<_>>().join(" ").chars().take(LONGEST).collect()
}

#[cfg(test)]
mod tests {
    use clauth_host::{Clock, Random};
    use clauth_sandbox::World;

    use super::*;

    fn stage(name: &str) -> (World, Disk, Root) {
        let world = World::create_in(Path::new("/dev/shm"), name).unwrap_or_else(|_| World::new(name));
        let root = Root::new(world.root());
        (world, Disk::new(Clock::system(), Random::system()), root)
    }

    fn text(disk: &Disk, path: &Path) -> String {
        String::from_utf8(disk.read(path).expect("readable").unwrap_or_default()).expect("text")
    }

    #[test]
    fn an_entry_is_one_line_without_secrets() {
        for (name, given, expected) in [
            ("plain", "cannot read x", "cannot read x"),
            ("lines", "one\ntwo\r\n three", "one two three"),
            ("colours", "a\u{1b}[31mb", "a[31mb"),
            ("a token", "got sk-ant-oat01-FAKE here", "got [secret] here"),
            ("a quoted token", "got 'sk-ant-ort01-FAKE', twice", "got [secret] twice"),
        ] {
            assert_eq!(entry(given), expected, "{name}");
        }
        assert_eq!(entry(&"x".repeat(5000)).len(), LONGEST);
    }

    #[test]
    fn the_log_is_private_and_its_size_is_bounded() {
        let (_world, disk, root) = stage("log");
        let long = "x".repeat(900);
        for number in 0..1500 {
            write(&disk, &root, "work", &format!("{number} {long}")).expect("written");
        }
        let (now, before) = (text(&disk, &root.log()), text(&disk, &root.log().with_extension("1.log")));
        assert!(now.ends_with(&format!("work: 1499 {long}\n")), "the newest is there");
        let sizes = [&now, &before].map(|text| u64::try_from(text.len()).expect("small"));
        assert!(sizes.iter().all(|size| (1..MOST + 2000).contains(size)), "{sizes:?}");
        assert!(before.lines().chain(now.lines()).all(|line| line.contains(" work: ")), "whole lines");
        if cfg!(unix) {
            let mode = disk.lstat(&root.log()).expect("readable").expect("a log").mode;
            assert_eq!(mode & 0o077, 0, "{mode:o}");
        }
    }

    #[test]
    fn a_full_log_is_put_aside_once_by_many_who_find_it_full() {
        let (_world, disk, root) = stage("log-race");
        let line = "y".repeat(900);
        std::thread::scope(|scope| {
            for thread in 0..4 {
                let (disk, root, line) = (disk.clone(), root.clone(), line.as_str());
                scope.spawn(move || {
                    for number in 0..80 {
                        write(&disk, &root, "work", &format!("{thread}-{number} {line}")).expect("written");
                    }
                });
            }
        });
        // 320 entries are more than one log holds and fewer than two do: none is missing.
        let all = text(&disk, &root.log().with_extension("1.log")) + &text(&disk, &root.log());
        if all.lines().count() < 320 && !appends_are_whole(&disk, &root.log().with_extension("probe")) {
            println!(
                "skipped: under Wine: lines of several that write at once, since its appends overwrite each other"
            );
            return;
        }
        assert_eq!(all.lines().count(), 320);
    }

    /// Whether the system itself keeps every line of several that append at once, as Unix and Windows do.
    fn appends_are_whole(disk: &Disk, path: &Path) -> bool {
        let line = format!("{}\n", "z".repeat(900));
        (0..20).all(|_| {
            std::thread::scope(|scope| {
                for _ in 0..4 {
                    let (disk, path, line) = (disk.clone(), path.to_owned(), line.as_str());
                    scope.spawn(move || {
                        for _ in 0..80 {
                            disk.vfs
                                .append(&path, 0o600)
                                .and_then(|mut file| file.write(line.as_bytes()))
                                .expect("written");
                        }
                    });
                }
            });
            let whole = text(disk, path).lines().count() == 320;
            disk.remove_file(path).expect("removed");
            whole
        })
    }
}
