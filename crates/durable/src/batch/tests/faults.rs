//! The fault sweep: every fault at every effect of a batch.

use std::path::PathBuf;
use std::sync::Arc;

use super::super::Batch;
use super::set::{End, SET, SYSTEMS, all_after, content, contents, home, on, plan, run, run_guarded};
use crate::Error;
use crate::testing::{Picture, Poor, Scratch};
use crate::vfs::{Errno, Fault, FaultyVfs};

/// One effect fails, and everything after it works.
const ONCE: [Fault; 5] = [
    Fault::Error(Errno::NoSpace),
    Fault::Error(Errno::Io),
    Fault::Error(Errno::Access),
    Fault::Error(Errno::ReadOnly),
    Fault::Error(Errno::Busy),
];

/// From one effect on nothing works any more.
const FOR_GOOD: [Fault; 4] =
    [Fault::Kill, Fault::ErrorFrom(Errno::NoSpace), Fault::ErrorFrom(Errno::ReadOnly), Fault::ErrorFrom(Errno::Io)];

/// What was found after a batch under one fault.
struct Found {
    name: String,
    fault: Fault,
    home: Scratch,
    before: Picture,
    after: Picture,
    temps: Vec<PathBuf>,
    end: End,
}

/// Runs a batch under `fault` at each effect, and lets `judge` look at each outcome.
fn sweep(system: Poor, fault: Fault, run: fn(Batch) -> End, judge: fn(&Found)) {
    for at in 1.. {
        let home = home();
        let before = home.picture();
        let vfs = FaultyVfs::failing(Arc::new(system), at, fault);
        let batch = plan(&on(vfs.clone()), &home);
        let temps = batch.temps();
        let end = run(batch);
        if !vfs.fired() {
            assert!(at > 3 * SET.len(), "the sweep has seen the whole batch");
            return;
        }
        let effect = &vfs.effects()[at - 1];
        let name = format!("{fault:?} at {at}, {} {}: {end:?}", effect.name, effect.path.display());
        let after = home.picture();
        judge(&Found { name, fault, home, before, after, temps, end });
    }
}

impl Found {
    /// What lies beside the files of the set.
    fn beside(&self) -> Vec<PathBuf> {
        let set = |name: &str| SET.iter().any(|row| row.0 == name);
        self.after.keys().filter(|name| !set(name)).map(|name| self.home.path(name)).collect()
    }

    /// Which files of the set hold their new content; every other one must hold its old one.
    fn changed(&self) -> Vec<bool> {
        let hidden = |name: &str| {
            let prefix = format!(".{name}.clauth-");
            self.after.keys().find(|key| key.starts_with(&prefix) && key.ends_with('o')).cloned()
        };
        SET.iter()
            .map(|(name, _, before, after)| {
                let found = content(&self.after, name);
                if found.as_deref() == *after && before != after {
                    return true;
                }
                if found.as_deref() == *before {
                    return false;
                }
                // A system that cannot exchange shows nothing for a moment; then the old file lies aside.
                let aside = hidden(name).and_then(|aside| content(&self.after, &aside));
                assert!(found.is_none() && aside.as_deref() == *before, "{}: {name} holds {found:?}", self.name);
                false
            })
            .collect()
    }
}

#[test]
fn after_an_error_everything_is_as_before() {
    for system in SYSTEMS {
        for fault in ONCE {
            sweep(system, fault, run, |found| match &found.end {
                End::Failed(_) => assert_eq!(found.after, found.before, "{}", found.name),
                // The only effects that may fail are the last ones, which tidy up.
                End::Done(false) => {
                    assert_eq!(found.changed(), [true; SET.len()], "{}", found.name);
                    let beside = found.beside();
                    assert!(beside.len() == 1 && found.temps.contains(&beside[0]), "{}: {beside:?}", found.name);
                }
                end => panic!("{}: {end:?}", found.name),
            });
        }
    }
}

#[test]
fn a_short_write_is_written_on() {
    for system in SYSTEMS {
        sweep(system, Fault::ShortWrite, run, |found| {
            assert!(matches!(found.end, End::Done(true)), "{}", found.name);
            assert_eq!(contents(&found.after), all_after(), "{}", found.name);
        });
    }
}

#[test]
fn after_a_kill_each_file_is_old_or_new_in_order_and_what_is_beside_is_named() {
    for system in SYSTEMS {
        for fault in FOR_GOOD {
            sweep(system, fault, run, |found| {
                let changed = found.changed();
                let prefix = changed.iter().take_while(|changed| **changed).count();
                assert!(changed[prefix..].iter().all(|changed| !changed), "{}: {changed:?}", found.name);
                for beside in found.beside() {
                    assert!(found.temps.contains(&beside), "{}: {}", found.name, beside.display());
                }
                for (name, _) in contents(&found.after).iter().filter(|(name, _)| !name.starts_with('.')) {
                    let text = content(&found.after, name).expect("a file");
                    let all: Result<Vec<serde_json::Value>, _> =
                        serde_json::Deserializer::from_str(&text).into_iter().collect();
                    all.expect("a document, or several lines of them");
                }
            });
        }
    }
}

/// Every former content is still somewhere, and where it lies beside that is said.
fn assert_nothing_lost(found: &Found) {
    let all: Vec<String> = found.after.keys().filter_map(|name| content(&found.after, name)).collect();
    let done = matches!(found.end, End::Done(_));
    for (name, _, before, _) in SET {
        let kept = before.is_none_or(|text| all.iter().any(|found| found.starts_with(text)));
        assert!(kept || done, "{}: the content of {name}", found.name);
    }
    let End::Stuck(left) = &found.end else { return };
    let old = |path: &PathBuf| {
        let name = path.strip_prefix(found.home.root()).expect("a path in the home").to_string_lossy();
        let text = content(&found.after, &name);
        SET.iter().any(|(_, _, before, _)| before.is_some() && text.as_deref() == *before)
    };
    let kept: Vec<PathBuf> = found.beside().into_iter().filter(old).collect();
    assert!(kept.iter().all(|path| left.contains(path)), "{}: {kept:?}", found.name);
    // On a disk that lets nothing more be done, what was on its way back may be named too.
    assert!(left.len() == kept.len() || !matches!(found.fault, Fault::Error(_)), "{}: {kept:?}", found.name);
    assert!(left.iter().all(|path| found.temps.contains(path)), "{}: {left:?}", found.name);
}

/// Takes everything back before the last step.
fn run_and_regret(batch: Batch) -> End {
    let mut asked = 0;
    let mut guard = || {
        asked += 1;
        if asked == SET.len() { Err(Error::Lost { path: "lock".into() }) } else { Ok(()) }
    };
    run_guarded(batch, &mut guard)
}

#[test]
fn an_error_while_taking_back_loses_nothing_and_leaves_a_prefix_of_the_order() {
    for system in SYSTEMS {
        for fault in [ONCE[1], FOR_GOOD[0]] {
            sweep(system, fault, run_and_regret, |found| {
                assert_nothing_lost(found);
                let changed = found.changed();
                let prefix = changed.iter().take_while(|changed| **changed).count();
                assert!(changed[prefix..].iter().all(|changed| !changed), "{}: {changed:?}", found.name);
                if matches!(found.end, End::Failed(_)) && matches!(found.fault, Fault::Error(_)) {
                    assert_eq!(prefix, 0, "{}", found.name);
                }
            });
        }
    }
}

#[test]
fn what_cannot_be_taken_back_is_not_lost() {
    for system in SYSTEMS {
        for fault in FOR_GOOD {
            sweep(system, fault, run, |found| {
                assert_nothing_lost(found);
            });
        }
    }
}
