//! Random edits on both sides, an index that is kept, lost or old, and walks between: nothing is lost, nothing comes twice,
//! and in the end both sides agree.

use std::collections::BTreeSet;
use std::path::{Path, PathBuf};
use std::time::Duration;

use proptest::prelude::*;

use super::{Stage, everything};

const PLAIN: [&str; 4] = ["a.md", "d/b.json", "d/e/c.txt", "x"];
const LINES: [&str; 2] = ["l.jsonl", "p/q/m.jsonl"];

/// What happens next.
#[derive(Clone, Debug)]
enum Event {
    /// A new file in place of the old one, so many seconds old.
    Write {
        tree: bool,
        file: usize,
        age: i64,
    },
    Delete {
        tree: bool,
        file: usize,
    },
    /// The time moves, the bytes do not.
    Touch {
        tree: bool,
        file: usize,
    },
    Empty {
        tree: bool,
        file: usize,
    },
    Lines {
        tree: bool,
        file: usize,
        count: usize,
    },
    /// A line without its end.
    Torn {
        tree: bool,
        file: usize,
    },
    Walk,
    Sync {
        file: usize,
    },
    Wait,
    /// The process ends; the next one finds the index as it was written last, or long ago, or not at all.
    Restart {
        index: usize,
    },
}

fn event() -> impl Strategy<Value = Event> {
    let (side, plain, lines) = (any::<bool>(), 0..PLAIN.len(), 0..LINES.len());
    prop_oneof![
        6 => (side, plain.clone(), prop_oneof![Just(0_i64), Just(60), Just(9000), Just(-9000)])
            .prop_map(|(tree, file, age)| Event::Write { tree, file, age }),
        1 => (side, plain.clone()).prop_map(|(tree, file)| Event::Delete { tree, file }),
        1 => (side, plain.clone()).prop_map(|(tree, file)| Event::Touch { tree, file }),
        1 => (side, plain).prop_map(|(tree, file)| Event::Empty { tree, file }),
        5 => (side, lines.clone(), 1..4_usize).prop_map(|(tree, file, count)| Event::Lines { tree, file, count }),
        1 => (side, lines).prop_map(|(tree, file)| Event::Torn { tree, file }),
        4 => Just(Event::Walk),
        4 => (0..PLAIN.len() + LINES.len()).prop_map(|file| Event::Sync { file }),
        2 => Just(Event::Wait),
        2 => (0..3_usize).prop_map(|index| Event::Restart { index }),
    ]
}

/// What must be found in the end.
#[derive(Default)]
struct Must {
    /// File and bytes.
    plain: BTreeSet<(usize, String)>,
    lines: BTreeSet<(usize, String)>,
    /// What was deleted on one side: with a new file there it is overwritten.
    deleted: Vec<(bool, usize, String)>,
    written: usize,
}

fn side(tree: bool) -> &'static str {
    if tree { "T" } else { "H" }
}

impl Must {
    /// Somebody replaces or removes what one side has: they saw it. What only the other side has, they did not.
    fn seen(&mut self, stage: &Stage, tree: bool, file: usize, deleted: bool) {
        let text = |tree| stage.text(&format!("{}/{}", side(tree), PLAIN[file]));
        if !deleted {
            for (_, file, text) in self.deleted.extract_if(.., |was| (was.0, was.1) == (tree, file)) {
                self.plain.remove(&(file, text));
            }
        }
        let Some(here) = text(tree) else { return };
        if deleted && text(!tree).as_deref() == Some(here.as_str()) {
            self.deleted.push((tree, file, here));
        } else {
            self.plain.remove(&(file, here));
        }
    }

    fn play(&mut self, stage: &Stage, event: &Event) {
        self.written += 1;
        match *event {
            Event::Write { tree, file, age } => {
                self.seen(stage, tree, file, false);
                let text = format!("{{\"written\":{}{}}}", self.written, " ".repeat(self.written));
                stage.put(&format!("{}/{}", side(tree), PLAIN[file]), &text, age);
                self.plain.insert((file, text));
            }
            Event::Empty { tree, file } => {
                self.seen(stage, tree, file, false);
                stage.put(&format!("{}/{}", side(tree), PLAIN[file]), "", 0);
            }
            Event::Delete { tree, file } => {
                self.seen(stage, tree, file, true);
                let _ = std::fs::remove_file(stage.at(&format!("{}/{}", side(tree), PLAIN[file])));
            }
            Event::Touch { tree, file } => {
                let name = format!("{}/{}", side(tree), PLAIN[file]);
                if stage.at(&name).exists() {
                    stage.age(&name, 0);
                }
            }
            Event::Lines { tree, file, count } => {
                for line in 0..count {
                    let text = format!("{{\"line\":\"{}-{line}\"}}", self.written);
                    self.line(stage, (tree, file), &text);
                }
            }
            Event::Torn { tree, file } => {
                let name = format!("{}/{}", side(tree), LINES[file]);
                if stage.at(&name).exists() {
                    stage.add(&name, "{\"torn");
                }
            }
            Event::Walk | Event::Sync { .. } | Event::Wait | Event::Restart { .. } => {}
        }
    }

    fn line(&mut self, stage: &Stage, (tree, file): (bool, usize), text: &str) {
        let name = format!("{}/{}", side(tree), LINES[file]);
        std::fs::create_dir_all(stage.at(&name).parent().expect("a parent")).expect("directories");
        // As Claude Code would after a torn line: on a line of its own.
        let torn = stage.text(&name).is_some_and(|text| !text.is_empty() && !text.ends_with('\n'));
        stage.add(&name, &format!("{}{text}\n", if torn { "\n" } else { "" }));
        self.lines.insert((file, text.to_owned()));
    }

    fn check(&self, stage: &Stage) -> Result<(), TestCaseError> {
        let kept: Vec<(PathBuf, Vec<u8>)> = everything(&stage.pair.conflicts).into_iter().collect();
        for (file, text) in &self.plain {
            let sides = ["H", "T"].map(|side| stage.text(&format!("{side}/{}", PLAIN[*file])));
            let stands = sides.iter().flatten().any(|found| found == text);
            let was_kept = kept.iter().any(|(path, bytes)| {
                bytes == text.as_bytes() && path.to_string_lossy().replace('\\', "/").starts_with(PLAIN[*file])
            });
            prop_assert!(stands || was_kept, "{}: {text} is lost", PLAIN[*file]);
        }
        for file in PLAIN {
            if let [Some(home), Some(tree)] = ["H", "T"].map(|side| stage.text(&format!("{side}/{file}"))) {
                prop_assert_eq!(home, tree, "{}: the sides differ", file);
            }
        }
        for (file, line) in &self.lines {
            for side in ["H", "T"] {
                let text = stage.text(&format!("{side}/{}", LINES[*file])).unwrap_or_default();
                let count = text.lines().filter(|found| *found == line).count();
                prop_assert_eq!(count, 1, "{}/{}: {} in {}", side, LINES[*file], line, text);
            }
        }
        Ok(())
    }
}

proptest! {
    #![proptest_config(ProptestConfig { cases: clauth_sandbox::cases(250), failure_persistence: None, ..ProptestConfig::default() })]

    #[test]
    fn whatever_happens_on_both_sides_nothing_is_lost(events in prop::collection::vec(event(), 1..60)) {
        let stage = Stage::new("simulation");
        let index = stage.pair.base.join("index");
        let (mut must, mut mirror, mut old) = (Must::default(), stage.mirror(), None);
        for event in &events {
            must.play(&stage, event);
            match event {
                Event::Walk => drop(mirror.walk()),
                Event::Sync { file } => {
                    let name = PLAIN.iter().chain(&LINES).nth(*file).expect("a file");
                    mirror.sync_path(Path::new(name));
                }
                Event::Wait => stage.time.pass(Duration::from_secs(3)),
                Event::Restart { index: kind } => {
                    match kind {
                        0 => mirror.save().expect("an index"),
                        1 => drop(std::fs::remove_file(&index)),
                        _ => {
                            let now = std::fs::read(&index).ok();
                            if let Some(bytes) = old.replace(now).flatten() {
                                std::fs::write(&index, bytes).expect("a written file");
                            }
                        }
                    }
                    mirror = stage.mirror();
                }
                _ => {}
            }
        }
        stage.time.pass(Duration::from_secs(20_000));
        let report = stage.settle(&mut mirror);
        prop_assert!(report.waiting.is_empty() && report.problems.is_empty(), "{:?}", report);
        must.check(&stage)?;
        let again = mirror.walk();
        prop_assert!(again.changed == 0 && again.waiting.is_empty(), "a second walk does nothing: {:?}", again);
        mirror.save().expect("an index");
        let next = stage.mirror().walk();
        prop_assert!(next.changed == 0 && next.waiting.is_empty(), "nor does the next process: {:?}", next);
    }
}
