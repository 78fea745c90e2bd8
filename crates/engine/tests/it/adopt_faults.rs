//! The fault sweep around `adopt`: whatever fails at whatever moment, nothing of the other tool's is changed, no login is
//! lost, and the next `adopt` ends where one without a fault does.

use std::collections::BTreeMap;
use std::sync::Arc;

use clauth_durable::vfs::{Errno, Fault, FaultyVfs, RealVfs};
use clauth_engine::{Adoption, Engine, Error, Kind};
use clauth_sandbox::world::{Entry, holders};
use clauth_sandbox::{Account, Login, Pair, swept};

use crate::custody::{assert_one_holder_when, is_shared};
use crate::house::{House, Unsynced, counting, restore};

const FAULTS: [Fault; 3] = [Fault::Kill, Fault::Error(Errno::NoSpace), Fault::Error(Errno::Access)];

/// One kind of `adopt`, and the home that it is run in.
struct Case {
    name: &'static str,
    house: fn() -> House,
    act: fn(&Engine) -> Result<Adoption, Error>,
    /// Refresh tokens that must be on disk, as they are, at every moment.
    tokens: &'static [&'static str],
    /// What must stay as it is at every moment.
    theirs: fn(&House) -> BTreeMap<String, Vec<u8>>,
}

/// Four accounts of claude-swap's: one is live, one is a profile already, and two are new.
fn swap() -> House {
    let house = House::new("f-swap");
    let kept = house.world.sign_in(&Account::a());
    house.engine().capture(Some("a"), false).expect("captured");
    let live = house.world.sign_in(&Account::b());
    let new = |family| Login::new(&Account::of_family(family).expect("an account"), Pair::new(family, 1));
    house.world.swap_store(&[kept, live, new("C"), new("D")]);
    house
}

fn bytes_below(dir: &std::path::Path) -> BTreeMap<String, Vec<u8>> {
    let picture = clauth_sandbox::world::snapshot(dir).expect("a readable directory");
    let file = |(name, entry)| match entry {
        Entry::File(_, bytes) => Some((name, bytes)),
        _ => None,
    };
    picture.into_iter().filter_map(file).collect()
}

/// What `adopt` is about: who is live, and which login each profile has, wherever it is. What a killed one left in the vault
/// besides is nobody's loss.
fn ends(house: &House) -> Vec<String> {
    let engine = house.engine();
    let mut names = engine.names().expect("names");
    names.sort();
    let login = |name: &String| match house.loan(name) {
        loan if loan == "none" => house.slot(name),
        loan => loan,
    };
    let active = engine.list().expect("a list").active;
    let mut ends = vec![format!("live {}, active {active:?}", house.world.live())];
    ends.extend(names.iter().map(|name| format!("{name} {}", login(name))));
    ends
}

fn sweep(case: &Case) {
    let house = (case.house)();
    let before = house.world.snapshot();
    let shared = is_shared(&house);
    let theirs = (case.theirs)(&house);
    let vfs = counting();
    (case.act)(&house.engine_on(Arc::new(vfs.clone()))).expect("works without faults");
    let (count, end) = (vfs.effects().len(), ends(&house));
    assert!(count > 20, "{}: {count}", case.name);
    restore(house.world.home(), &before);
    assert_ne!(ends(&house), end, "{}: it does something", case.name);
    for at in swept(1..=count) {
        for fault in FAULTS {
            let vfs = FaultyVfs::failing(Arc::new(Unsynced(RealVfs)), at, fault);
            let result = (case.act)(&house.engine_on(Arc::new(vfs.clone())));
            let told = format!("{}: {fault:?} at {at} of {count}: {:?}", case.name, vfs.effects().get(at - 1));
            assert!(vfs.fired(), "{told}");
            let picture = house.world.snapshot();
            for token in case.tokens {
                assert!(
                    !holders(&picture, &format!("sk-ant-ort01-FAKE-{token}")).is_empty(),
                    "{told}: {token} is lost"
                );
            }
            if !shared {
                assert_one_holder_when(&house, &told);
            }
            assert_eq!((case.theirs)(&house), theirs, "{told}: what is another tool's");
            if result.is_ok() {
                assert_eq!(ends(&house), end, "{told}: done");
            }
            house.let_it_go_stale(&told);
            // Or all of it was done already, and only telling it failed.
            let next = (case.act)(&house.engine());
            let done = next.as_ref().map_or_else(|error| error.kind() == Kind::Nothing, |_| true);
            assert!(done, "{told}: the next one: {:?}", next.err().map(|error| error.to_string()));
            assert_eq!(ends(&house), end, "{told}: the next one");
            assert_one_holder_when(&house, &told);
            assert_eq!((case.theirs)(&house), theirs, "{told}: what is another tool's, after the next one");
            restore(house.world.home(), &before);
        }
    }
}

#[test]
fn a_fault_anywhere_while_claude_swaps_accounts_come_in_loses_nothing_and_the_next_one_ends_it() {
    sweep(&Case {
        name: "adopt-swap",
        house: swap,
        act: |engine| engine.adopt_swap(None),
        tokens: &["A1", "B1"],
        theirs: |house| bytes_below(&house.world.swap_dir()),
    });
}

/// a is live, b has a pair that waits, and there is something that nobody knows.
#[cfg(unix)]
fn later() -> House {
    let house = crate::later::later("f-later");
    crate::later::stage(&house, "b", &crate::later::next("B"), "sk-ant-ort01-FAKE-B1");
    std::fs::write(house.world.root().join("unheard-of.db"), "bytes").expect("a file");
    house
}

#[cfg(unix)]
#[test]
fn a_fault_anywhere_while_a_later_versions_tree_is_taken_over_loses_nothing_and_the_next_one_ends_it() {
    sweep(&Case {
        name: "adopt-later",
        house: later,
        act: Engine::adopt,
        tokens: &["A1", "B2"],
        theirs: |house| {
            let mut files = bytes_below(&house.world.root());
            files.retain(|name, _| name.ends_with("unheard-of.db") || name.ends_with("clauthd.lock"));
            files
        },
    });
}
