//! Programs that broke a law once.

use std::collections::BTreeMap;

use crate::play::play;
use crate::step::{Act::*, Other::*, Seat::*, Step, Step::*};

fn lawful(seed: u64, program: &[Step]) {
    let told = play(seed, program, &mut BTreeMap::new())
        .map_err(|failure| format!("{}: {}\n{}", failure.breach.law, failure.breach.told, failure.log.join("\n")));
    assert_eq!(told, Ok(()));
}

/// W1: what a killed session left beside its files goes by age.
#[test]
fn temporary_files_of_a_session_that_was_killed_are_swept() {
    lawful(221, &[By(SignIn(Home, 'C')), Do(Capture("b")), Do(Start("b")), Killed(12, End(0))]);
    lawful(158, &[By(SignIn(Home, 'B')), Do(Capture("b")), ReadOnly(18, Start("b"))]);
    lawful(168, &[Do(Login("d", 'A')), Killed(23, Start("d"))]);
    lawful(187, &[Do(Login("a", 'C')), Do(Start("a")), ReadOnly(17, Look(0))]);
}

/// A killed clauth's lock on the store outlived its locks on renewals, so that a `claude` renewed and could not write.
#[test]
fn a_claude_that_renews_after_a_kill_finds_the_store_free() {
    lawful(
        259,
        &[
            By(SignIn(Home, 'B')),
            Do(Capture("b")),
            Do(Login("c", 'D')),
            Do(Start("c")),
            Killed(17, Rename("b", "a")),
            Do(Capture("b")),
            By(Renew(Home)),
        ],
    );
}

/// The end of a session overwrote the journal of a switch that was killed, which was then never finished.
#[test]
fn a_session_that_ends_after_a_kill_finishes_what_was_interrupted() {
    lawful(
        1099,
        &[
            By(SignIn(Home, 'B')),
            Do(Capture("b")),
            By(SignIn(Home, 'D')),
            Do(Capture("d")),
            Do(Start("b")),
            Killed(64, Force("b")),
        ],
    );
}

/// Ends by two clocks were compared, and the used-up login won.
#[test]
fn what_a_session_renews_after_the_clock_was_set_back_is_the_later_login() {
    lawful(
        588,
        &[
            By(SignIn(Home, 'A')),
            Do(Capture("a")),
            By(SignIn(Home, 'B')),
            Do(Capture("e")),
            Do(Start("a")),
            Jump(-600),
            By(Renew(In(0))),
        ],
    );
}
