//! Tables for names.

use super::*;

#[test]
fn locks_and_staged_names_are_passing_and_content_is_not() {
    let rows = [
        ("a lock directory", "history.jsonl.lock", Kind::Dir, true),
        ("a lock file", ".lock", Kind::File, true),
        ("a lock of a document", "x.json.lock", Kind::File, true),
        ("git's lock", "index.lock", Kind::File, true),
        ("content named lock", "Cargo.lock", Kind::File, false),
        ("content named lock", "package-lock.json", Kind::File, false),
        ("ours", ".mirror.clauth-01234567-0123456789ab", Kind::File, true),
        ("ours of elsewhere", ".settings.json.clauth-0123456789ab", Kind::File, true),
        ("Claude Code's", "x.json.tmp.0123abcd", Kind::File, true),
        ("Claude Code's with a time", "x.json.tmp.4242.1795150000000", Kind::File, true),
        ("plain temporary", "x.tmp", Kind::File, true),
        ("a word behind tmp", "x.tmp.notes", Kind::File, false),
        ("a transcript", "0c1f6a52.jsonl", Kind::File, false),
        ("a hidden file", ".gitignore", Kind::File, false),
    ];
    for (name, entry, kind, passing) in rows {
        assert_eq!(is_passing(OsStr::new(entry), kind), passing, "{name}: {entry}");
    }
}

#[cfg(unix)]
fn ground(named: &str, real: &str) -> Ground {
    Ground { named: named.into(), real: real.into() }
}

/// `..` leads out of where the home really is.
#[cfg(unix)]
#[test]
fn a_link_in_a_home_that_is_a_link_itself_means_the_same_on_the_other_side() {
    let (home, tree) = (ground("/h", "/dot/claude"), ground("/t", "/t"));
    let rows = [
        ("inside, relative", "x", "/h/a/link", "x", "/h/a/x"),
        ("inside, absolute", "/h/b", "/h/link", "/t/b", "/h/b"),
        ("inside, by its real name", "/dot/claude/b", "/h/link", "/t/b", "/h/b"),
        ("outside, relative", "../x", "/h/link", "/dot/x", "/dot/x"),
        ("outside, relative, deep", "../../x/y", "/h/a/link", "/dot/x/y", "/dot/x/y"),
        ("out and in again", "../claude/b", "/h/link", "/t/b", "/h/b"),
        ("beside its name", "../h/b", "/h/link", "/dot/h/b", "/dot/h/b"),
    ];
    for (name, target, link, expected, place) in rows {
        let got = home.translated(Path::new(target), Path::new(link), &tree);
        assert_eq!(got, Path::new(expected), "{name}");
        let there = Path::new("/t").join(Path::new(link).strip_prefix("/h").expect("in the home"));
        for meant in [home.meant(Path::new(target), Path::new(link), &home), tree.meant(&got, &there, &home)] {
            assert_eq!(meant, Path::new(place), "{name}");
        }
    }
}

#[cfg(unix)]
#[test]
fn a_link_means_the_same_on_the_other_side() {
    let rows = [
        ("inside, relative", "x", "/h/a/link", "x"),
        ("inside, up and down", "../b/x", "/h/a/link", "../b/x"),
        ("inside, absolute", "/h/b", "/h/link", "/t/b"),
        ("the home itself", "/h", "/h/link", "/t"),
        ("outside, absolute", "/etc/x", "/h/link", "/etc/x"),
        ("a name that only begins alike", "/home/x", "/h/link", "/home/x"),
        ("outside, relative", "../dot/x", "/h/link", "/dot/x"),
        ("outside, relative, deep", "../../dot/x", "/h/a/link", "/dot/x"),
    ];
    for (name, target, link, expected) in rows {
        let got = ground("/h", "/h").translated(Path::new(target), Path::new(link), &ground("/t", "/t"));
        assert_eq!(got, Path::new(expected), "{name}");
    }
}

#[cfg(unix)]
#[test]
fn a_path_that_is_no_text_survives_the_index() {
    use std::os::unix::ffi::OsStrExt as _;
    let path = Path::new(OsStr::from_bytes(b"a/\xff\xfe b"));
    assert_eq!(from_bytes(&to_bytes(path)).as_deref(), Some(path));
}
