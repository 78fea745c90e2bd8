//! The table of steps.

use clauth_durable::{Kind, Stat};
use jiff::Timestamp;

use super::super::super::index::Mark;
use super::*;

fn stat(second: i64) -> Stat {
    let modified = Timestamp::from_second(second).expect("a time");
    Stat { kind: Kind::File, len: 1, mode: 0o600, modified, dev: 1, ino: 1 }
}

fn file(second: i64) -> Seen {
    Seen::File(stat(second))
}

fn mark(second: i64, sure: bool) -> Known {
    let now = Timestamp::from_second(if sure { second + 2 } else { second + 1 }).expect("a time");
    Known::File(Mark::new(&stat(second), now))
}

fn link(target: &str) -> Seen {
    Seen::Link(target.into())
}

#[test]
fn each_pair_of_things_has_its_step() {
    let dir = || Seen::Dir(Stat { kind: Kind::Dir, ..stat(0) });
    let none = || Seen::Nothing;
    let known = |home, tree| Some(Entry { home, tree });
    let in_step = known(mark(1, true), mark(1, true));
    let hash = |text: &str| link(text).link().unwrap_or_default();
    let rows = [
        ("nothing", none(), none(), in_step, Step::Forget),
        ("new at home", file(1), none(), None, Step::Bring(Side::Tree)),
        ("new in the tree", none(), file(1), None, Step::Bring(Side::Home)),
        ("deleted in the tree", file(1), none(), in_step, Step::Deleted(Side::Tree)),
        ("deleted at home", none(), file(1), in_step, Step::Deleted(Side::Home)),
        ("known as deleted", none(), file(1), known(Known::Gone, mark(1, true)), Step::Rest),
        ("deleted, then changed", none(), file(2), known(Known::Gone, mark(1, true)), Step::Bring(Side::Home)),
        ("deleted, perhaps changed", none(), file(1), known(Known::Gone, mark(1, false)), Step::Bring(Side::Home)),
        ("made anew", file(1), none(), known(Known::Gone, mark(1, true)), Step::Bring(Side::Tree)),
        ("as they were", file(1), file(1), in_step, Step::Rest),
        ("changed", file(2), file(1), in_step, Step::Compare),
        ("perhaps changed", file(1), file(1), known(mark(1, false), mark(1, true)), Step::Compare),
        ("unknown", file(1), file(1), None, Step::Compare),
        ("directories", dir(), dir(), None, Step::Agree),
        ("a deleted directory", dir(), none(), known(Known::Dir, Known::Dir), Step::Deleted(Side::Tree)),
        ("a directory made anew", dir(), none(), known(Known::Gone, Known::Gone), Step::Bring(Side::Tree)),
        ("equal links", link("/a"), link("/a"), None, Step::Agree),
        ("other links", link("/a"), link("/b"), None, Step::Differ),
        ("a deleted link", link("/a"), none(), known(Known::Link(hash("/a")), Known::Dir), Step::Deleted(Side::Tree)),
        ("another link", link("/b"), none(), known(Known::Link(hash("/a")), Known::Gone), Step::Bring(Side::Tree)),
        ("file and directory", file(1), dir(), None, Step::Differ),
        ("file and link", file(1), link("/a"), None, Step::Differ),
        ("a pipe", Seen::Other, file(1), None, Step::Ignore),
        ("nothing and a pipe", none(), Seen::Other, None, Step::Ignore),
    ];
    for (name, home, tree, known, step) in rows {
        assert_eq!(decide(&Two { home, tree }, known.as_ref()), step, "{name}");
    }
    let mode = Seen::File(Stat { mode: 0o700, ..stat(1) });
    assert_eq!(decide(&Two { home: mode, tree: file(1) }, in_step.as_ref()), Step::Compare, "a mode");
}
