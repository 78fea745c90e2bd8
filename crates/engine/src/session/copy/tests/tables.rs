//! Each sentence of S6, as a table.

use std::fs;
use std::path::Path;
use std::time::Duration;

use jiff::SignedDuration;

use super::Stage;
use crate::session::copy::{Mirror, Pair};

/// What happens to a file that was in step with the bytes `base`, ten minutes old.
struct Case {
    name: &'static str,
    file: &'static str,
    base: Option<&'static str>,
    /// New bytes and their age in seconds; `Err` for a deletion.
    home: Option<Result<(&'static str, i64), ()>>,
    tree: Option<Result<(&'static str, i64), ()>>,
    /// What stands afterwards in home and tree, and what was kept.
    expected: (Option<&'static str>, Option<&'static str>, &'static [&'static str]),
}

const CASES: &[Case] = &[
    case("new at home", ("a.md", None), wrote("x", 60), None, (Some("x"), Some("x"), &[])),
    case("new in the tree", ("a.md", None), None, wrote("x", 60), (Some("x"), Some("x"), &[])),
    case("new on both, alike", ("a.md", None), wrote("x", 60), wrote("x", 5), (Some("x"), Some("x"), &[])),
    case("new on both, newer at home", ("a.md", None), wrote("h", 5), wrote("t", 60), (Some("h"), Some("h"), &["t"])),
    case("new on both, newer in tree", ("a.md", None), wrote("h", 60), wrote("t", 5), (Some("t"), Some("t"), &["h"])),
    case("changed at home", ("a.md", Some("0")), wrote("h", 60), None, (Some("h"), Some("h"), &[])),
    case("changed in the tree", ("a.md", Some("0")), None, wrote("t", 60), (Some("t"), Some("t"), &[])),
    case("changed to older time", ("a.md", Some("0")), None, wrote("t", 9000), (Some("t"), Some("t"), &[])),
    case("changed to a future time", ("a.md", Some("0")), wrote("h", -9000), None, (Some("h"), Some("h"), &[])),
    case("both, tree newer", ("a.md", Some("0")), wrote("h", 60), wrote("t", 50), (Some("t"), Some("t"), &["h"])),
    case("both, home newer", ("a.md", Some("0")), wrote("h", 50), wrote("t", 60), (Some("h"), Some("h"), &["t"])),
    case("both, alike", ("a.md", Some("0")), wrote("x", 50), wrote("x", 60), (Some("x"), Some("x"), &[])),
    case(
        "touched here, changed there",
        ("a.md", Some("0")),
        wrote("0", 5),
        wrote("t", 60),
        (Some("t"), Some("t"), &[]),
    ),
    case("deleted at home", ("a.md", Some("0")), Some(Err(())), None, (None, Some("0"), &[])),
    case("deleted in the tree", ("a.md", Some("0")), None, Some(Err(())), (Some("0"), None, &[])),
    case(
        "deleted here, changed there",
        ("a.md", Some("0")),
        Some(Err(())),
        wrote("t", 60),
        (Some("t"), Some("t"), &[]),
    ),
    case("deleted on both", ("a.md", Some("0")), Some(Err(())), Some(Err(())), (None, None, &[])),
    case("emptied long ago", ("a.md", Some("0")), wrote("", 60), None, (Some(""), Some(""), &[])),
    case("JSON broken long ago", ("a.json", Some("{}")), wrote("{", 60), None, (Some("{"), Some("{"), &[])),
    case(
        "lines added at home",
        ("a.jsonl", Some("0\n")),
        wrote("0\nh\n", 60),
        None,
        (Some("0\nh\n"), Some("0\nh\n"), &[]),
    ),
    case(
        "lines added on both",
        ("a.jsonl", Some("0\n")),
        wrote("0\nh\n", 60),
        wrote("0\nt\n", 5),
        (Some("0\nh\nt\n"), Some("0\nt\nh\n"), &[]),
    ),
    case(
        "the same line added on both",
        ("a.jsonl", Some("0\n")),
        wrote("0\nx\n", 60),
        wrote("0\nx\nt\n", 5),
        (Some("0\nx\nt\n"), Some("0\nx\nt\n"), &[]),
    ),
    case(
        "a line that repeats an old one",
        ("a.jsonl", Some("0\n")),
        wrote("0\n0\n", 60),
        None,
        (Some("0\n0\n"), Some("0\n0\n"), &[]),
    ),
    case("lines all gone", ("a.jsonl", Some("0\n1\n")), wrote("", 60), None, (Some(""), Some("0\n1\n"), &[])),
    case(
        "lines of nobody's base",
        ("a.jsonl", None),
        wrote("0\nh\n", 5),
        wrote("0\nt\n", 60),
        (Some("0\nh\nt\n"), Some("0\nt\nh\n"), &[]),
    ),
    case(
        "a line being written stays",
        ("a.jsonl", Some("0\n")),
        wrote("0\nh\nhal", 60),
        None,
        (Some("0\nh\nhal"), Some("0\nh\n"), &[]),
    ),
];

type Wrote = Option<Result<(&'static str, i64), ()>>;

const fn wrote(bytes: &'static str, age: i64) -> Wrote {
    Some(Ok((bytes, age)))
}

const fn case(
    name: &'static str,
    (file, base): (&'static str, Option<&'static str>),
    home: Wrote,
    tree: Wrote,
    expected: (Option<&'static str>, Option<&'static str>, &'static [&'static str]),
) -> Case {
    Case { name, file, base, home, tree, expected }
}

fn play(case: &Case, mirror_by: impl Fn(&Stage, &mut Mirror, &Path)) {
    let stage = Stage::new("mirror");
    let at = |side: &str| format!("{side}/d/{}", case.file);
    if let Some(base) = case.base {
        stage.put(&at("H"), base, 600);
    }
    let mut mirror = stage.mirror();
    stage.settle(&mut mirror);
    for (side, did) in [("H", case.home), ("T", case.tree)] {
        match did {
            Some(Ok((bytes, age))) => stage.put(&at(side), bytes, age),
            Some(Err(())) => fs::remove_file(stage.at(&at(side))).expect("a removed file"),
            None => {}
        }
    }
    mirror_by(&stage, &mut mirror, &Path::new("d").join(case.file));
    let (home, tree, kept) = case.expected;
    let got = (stage.text(&at("H")), stage.text(&at("T")), stage.kept());
    let owned = |text: Option<&str>| text.map(str::to_owned);
    let kept: Vec<String> = kept.iter().map(|text| (*text).to_owned()).collect();
    assert_eq!(got, (owned(home), owned(tree), kept), "{}", case.name);
    let again = mirror.walk();
    assert_eq!(again.changed, 0, "{}: a second walk does nothing: {again:?}", case.name);
}

/// Point 7: each sentence of S6, one row each.
#[test]
fn every_sentence_holds_by_walking() {
    for case in CASES {
        play(case, |stage, mirror, _| drop(stage.settle(mirror)));
    }
}

#[test]
fn every_sentence_holds_path_by_path() {
    for case in CASES {
        play(case, |_, mirror, path| {
            let report = mirror.sync_path(path);
            assert!(report.waiting.is_empty() && report.problems.is_empty(), "{}: {report:?}", case.name);
        });
    }
}

#[test]
fn every_sentence_holds_for_the_next_process() {
    for case in CASES {
        play(case, |stage, mirror, _| {
            mirror.save().expect("an index");
            *mirror = stage.mirror();
            stage.settle(mirror);
        });
    }
}

#[test]
fn what_looks_half_written_is_believed_after_it_rested() {
    let rows = [
        ("emptied", "a.md", "text", ""),
        ("JSON that stopped parsing", "a.json", "{\"a\":1}", "{\"a\":"),
        ("JSON emptied", "a.json", "{\"a\":1}", ""),
    ];
    for (name, file, base, half) in rows {
        // A clock that was set back makes a file look to be of the future: then only watching it tells.
        for age in [0, -9000] {
            let stage = Stage::new("rest");
            stage.put(&format!("H/{file}"), base, 600);
            let mut mirror = stage.mirror();
            mirror.walk();
            stage.put(&format!("T/{file}"), half, age);
            let early = mirror.sync_path(Path::new(file));
            assert_eq!(early.waiting.len(), 1, "{name}: {early:?}");
            assert_eq!(stage.text(&format!("H/{file}")).as_deref(), Some(base), "{name}: not yet");
            stage.time.pass(Duration::from_millis(1900));
            mirror.sync_path(Path::new(file));
            assert_eq!(stage.text(&format!("H/{file}")).as_deref(), Some(base), "{name}: still not");
            stage.time.pass(Duration::from_millis(200));
            mirror.sync_path(Path::new(file));
            assert_eq!(stage.text(&format!("H/{file}")).as_deref(), Some(half), "{name}: now");
        }
    }
}

#[test]
fn a_half_written_file_that_is_finished_never_reaches_the_other_side_half() {
    let stage = Stage::new("finish");
    stage.put("H/a.json", "{\"a\":1}", 600);
    let mut mirror = stage.mirror();
    mirror.walk();
    stage.put("T/a.json", "{\"a\"", 0);
    mirror.walk();
    stage.put("T/a.json", "{\"a\":2}", 0);
    mirror.walk();
    assert_eq!(stage.text("H/a.json").as_deref(), Some("{\"a\":2}"));
    assert_eq!(stage.kept(), [""; 0]);
}

#[test]
fn a_line_is_completed_where_its_beginning_arrived_and_never_glued_to_another() {
    let stage = Stage::new("lines");
    stage.put("H/a.jsonl", "0\n", 600);
    let mut mirror = stage.mirror();
    mirror.walk();
    stage.add("H/a.jsonl", "one");
    mirror.walk();
    assert_eq!(stage.text("T/a.jsonl").as_deref(), Some("0\n"), "a line without its end stays");
    stage.add("H/a.jsonl", " line\n");
    mirror.walk();
    assert_eq!(stage.text("T/a.jsonl").as_deref(), Some("0\none line\n"));
    stage.add("T/a.jsonl", "given up");
    stage.add("H/a.jsonl", "two\n");
    let early = mirror.walk();
    assert_eq!(early.waiting.len(), 1, "somebody may be in the middle of it: {early:?}");
    stage.settle(&mut mirror);
    assert_eq!(stage.text("T/a.jsonl").as_deref(), Some("0\none line\ngiven up\ntwo\n"));
    assert_eq!(stage.text("H/a.jsonl").as_deref(), Some("0\none line\ntwo\ngiven up\n"));
}

#[test]
fn lines_trimmed_on_one_side_do_not_come_back_and_new_ones_do() {
    let stage = Stage::new("trim");
    stage.put("H/a.jsonl", "0\n1\n", 600);
    let mut mirror = stage.mirror();
    mirror.walk();
    stage.put("H/a.jsonl", "1\nh\n", 60);
    stage.add("T/a.jsonl", "t\n");
    mirror.walk();
    assert_eq!(stage.text("H/a.jsonl").as_deref(), Some("1\nh\nt\n"));
    assert_eq!(stage.text("T/a.jsonl").as_deref(), Some("0\n1\nt\nh\n"));
    assert_eq!(mirror.walk().changed, 0);
}

#[test]
fn before_the_tree_goes_what_the_home_does_not_have_is_kept() {
    let stage = Stage::new("finish");
    stage.put("H/a.jsonl", "0\n", 600);
    stage.put("H/b.json", "{}", 600);
    let mut mirror = stage.mirror();
    mirror.walk();
    stage.add("T/a.jsonl", "1\nhal");
    stage.put("T/b.json", "{\"a\"", 0);
    let report = mirror.walk();
    assert!(!report.is_in_step(), "{report:?}");
    let report = mirror.finish();
    assert!(report.is_in_step(), "{report:?}");
    assert_eq!(stage.text("H/a.jsonl").as_deref(), Some("0\n1\n"));
    assert_eq!(stage.text("H/b.json").as_deref(), Some("{}"));
    assert_eq!(stage.kept(), ["0\n1\nhal", "{\"a\""]);
}

#[test]
fn sessions_of_two_profiles_share_one_home_at_the_same_time() {
    let mut stage = Stage::new("two");
    let first = stage.pair.clone();
    let at = |name: &str| first.home.with_file_name(name);
    let second = Pair { tree: at("T2"), base: at("base2"), conflicts: at("conflicts2"), ..first.clone() };
    fs::create_dir(&second.tree).expect("a directory");
    stage.put("H/l.jsonl", "0\n", 600);
    let run = |pair: &Pair, tree: &str, stage: &Stage| {
        let mut mirror = Mirror::open(stage.disk.clone(), pair.clone(), Stage::shared());
        mirror.walk();
        for line in 0..150 {
            stage.add(&format!("{tree}/l.jsonl"), &format!("{tree}-{line}\n"));
            stage.put(&format!("{tree}/of-{tree}.md"), format!("{line}"), 0);
            mirror.walk();
        }
    };
    std::thread::scope(|scope| {
        scope.spawn(|| run(&first, "T", &stage));
        scope.spawn(|| run(&second, "T2", &stage));
    });
    for _ in 0..2 {
        for pair in [&first, &second] {
            stage.pair = pair.clone();
            stage.settle(&mut stage.mirror());
        }
    }
    let sorted = |name: &str| {
        let mut lines: Vec<String> = stage.text(name).expect(name).lines().map(str::to_owned).collect();
        lines.sort();
        lines
    };
    let mut wanted: Vec<String> =
        ["T", "T2"].iter().flat_map(|tree| (0..150).map(move |line| format!("{tree}-{line}"))).collect();
    wanted.push("0".into());
    wanted.sort();
    for side in ["H", "T", "T2"] {
        assert_eq!(sorted(&format!("{side}/l.jsonl")), wanted, "{side}");
        for file in ["of-T.md", "of-T2.md"] {
            assert_eq!(stage.text(&format!("{side}/{file}")).as_deref(), Some("149"), "{side}/{file}");
        }
    }
}

#[test]
fn a_copy_has_the_mode_and_time_of_what_it_copies_and_is_no_echo() {
    let stage = Stage::new("time");
    stage.put("H/a.md", "0", 600);
    let mut mirror = stage.mirror();
    mirror.walk();
    stage.put("T/a.md", "new", 60);
    mirror.walk();
    let stat = |name| stage.disk.stat(&stage.at(name)).expect("a stat").expect("a file");
    assert_eq!(stat("H/a.md").modified, stat("T/a.md").modified);
    // Edited again at home before anything else happens: the echo must not win.
    stage.put("H/a.md", "newer", 30);
    mirror.walk();
    assert_eq!(stage.text("T/a.md").as_deref(), Some("newer"));
}

/// Point 7.
#[test]
fn equal_bytes_are_never_rewritten() {
    let stage = Stage::new("equal");
    stage.put("H/a.md", "same", 60);
    stage.put("T/a.md", "same", 600);
    stage.put("H/b.jsonl", "same\n", 60);
    stage.put("T/b.jsonl", "same\n", 600);
    let inodes = |stage: &Stage| {
        ["H/a.md", "T/a.md", "H/b.jsonl", "T/b.jsonl"]
            .map(|name| stage.disk.stat(&stage.at(name)).expect("a stat").expect("a file"))
    };
    let before = inodes(&stage);
    let report = stage.mirror().walk();
    assert_eq!((report.changed, inodes(&stage)), (0, before));
}

#[test]
fn a_file_cut_short_by_a_crash_loses_against_the_home() {
    let stage = Stage::new("crash");
    stage.put("H/a.md", "the whole text", 600);
    stage.populate();
    let at = stage.disk.stat(&stage.at("T/a.md")).expect("a stat").expect("a file").modified;
    fs::write(stage.at("T/a.md"), "the wh").expect("a written file");
    clauth_durable::Vfs::set_modified(&*stage.disk.vfs, &stage.at("T/a.md"), at).expect("a stamped file");
    stage.mirror().walk();
    assert_eq!(stage.text("H/a.md").as_deref(), Some("the whole text"));
    assert_eq!(stage.text("T/a.md").as_deref(), Some("the whole text"));
    assert_eq!(stage.kept(), ["the wh"]);
}

#[test]
fn equal_times_with_different_bytes_keep_the_homes_and_both() {
    let stage = Stage::new("tie");
    stage.put("H/a.md", "h", 600);
    stage.put("T/a.md", "t", 600);
    let at = stage.disk.stat(&stage.at("H/a.md")).expect("a stat").expect("a file").modified;
    clauth_durable::Vfs::set_modified(&*stage.disk.vfs, &stage.at("T/a.md"), at).expect("a stamped file");
    stage.mirror().walk();
    assert_eq!(stage.text("T/a.md").as_deref(), Some("h"));
    assert_eq!(stage.kept(), ["t"]);
}

#[test]
fn a_write_in_the_same_moment_does_not_hide_behind_an_equal_stamp() {
    let stage = Stage::new("racy");
    stage.put("H/a.md", "one", 0);
    let mut mirror = stage.mirror();
    mirror.walk();
    mirror.walk();
    let at = stage.disk.stat(&stage.at("H/a.md")).expect("a stat").expect("a file").modified;
    fs::write(stage.at("H/a.md"), "two").expect("a written file");
    clauth_durable::Vfs::set_modified(&*stage.disk.vfs, &stage.at("H/a.md"), at).expect("a stamped file");
    mirror.walk();
    assert_eq!(stage.text("T/a.md").as_deref(), Some("two"));
}

#[test]
fn a_clock_that_is_set_back_loses_nothing() {
    let stage = Stage::new("clock");
    stage.put("H/a.md", "0", 0);
    let mut mirror = stage.mirror();
    mirror.walk();
    stage.time.step(SignedDuration::from_hours(-4));
    stage.put("T/a.md", "after", 0);
    mirror.walk();
    assert_eq!(stage.text("H/a.md").as_deref(), Some("after"), "the one that changed wins");
    stage.put("H/a.md", "home", 0);
    stage.time.step(SignedDuration::from_hours(-4));
    stage.put("T/a.md", "tree", 0);
    mirror.walk();
    assert_eq!(stage.text("T/a.md").as_deref(), Some("home"));
    assert_eq!(stage.kept(), ["tree"]);
}

#[test]
fn what_is_not_shared_stays_where_it_is() {
    let stage = Stage::new("shared");
    let names = ["settings.json", ".credentials.json", "x.tmp", "d/y.tmp.00ff", "d/z.json.lock"];
    for name in names {
        stage.put(&format!("H/{name}"), "x", 60);
    }
    fs::create_dir_all(stage.at("H/d/history.lock")).expect("a lock directory");
    let mut mirror = stage.mirror();
    let report = mirror.walk();
    assert!(report.is_in_step(), "{report:?}");
    for name in names {
        mirror.sync_path(Path::new(name));
        assert_eq!(stage.text(&format!("T/{name}")), None, "{name}");
    }
    for path in ["../H/settings.json", "/etc/passwd", "", "."] {
        assert_eq!(mirror.sync_path(Path::new(path)).changed, 0, "{path}");
    }
    assert!(!stage.at("T/d/history.lock").exists());
}
