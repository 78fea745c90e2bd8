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

/// L6: a login that was live when a newer one of its account displaced it may be that one's ancestor, whatever their ends
/// say: between the two the clock was set.
#[test]
fn a_login_that_a_newer_one_displaced_is_not_restored_over_it() {
    lawful(
        100_101,
        &[
            By(SignIn(Home, 'B')),
            Do(Capture("b")),
            By(SignIn(Home, 'D')),
            Do(Capture("d")),
            Do(Switch("b")),
            Do(Switch("d")),
            Jump(-60),
            By(Renew(Home)),
            Do(Switch("b")),
            Do(RestoreAs(0, "d")),
        ],
    );
}

/// Another account's sign-in had displaced the lent login before Claude Code was signed out of it.
#[test]
fn a_sign_out_is_the_login_that_was_live() {
    lawful(
        100_268,
        &[By(SignIn(Home, 'B')), Do(Capture("b")), By(SignIn(Home, 'D')), Lose, By(Renew(Home)), By(Renew(Home))],
    );
}

/// L5, S2: the sessions of a profile are signed in as the account that it is.
#[test]
fn a_profile_with_sessions_becomes_nobody_elses() {
    let session = [By(SignIn(Home, 'B')), Do(Capture("b")), By(SignIn(Home, 'C')), Do(Start("b"))];
    lawful(100_277, &[session.as_slice(), &[Do(CaptureOver("b"))]].concat());
}

/// W7: what a profile holds is its account's, whenever the command that was to make it another's is killed.
#[test]
fn a_killed_replacement_leaves_no_profile_half_anothers() {
    for at in 44..56 {
        let program = [
            By(SignIn(Home, 'A')),
            Do(Capture("a")),
            Do(Login("b", 'B')),
            By(SignIn(Home, 'D')),
            Killed(at, CaptureOver("b")),
            Network(false),
            Do(Order("a")),
        ];
        lawful(105_891, &program);
        let lent = [
            By(SignIn(Home, 'B')),
            Do(Capture("b")),
            By(SignIn(Home, 'D')),
            ReadOnly(at - 12, CaptureOver("b")),
            Do(Order("b")),
        ];
        lawful(103_057, &lent);
    }
}

/// L5: what is kept of a sign-in in a session is a copy, while the session goes on with it.
#[test]
fn a_login_that_a_session_uses_is_not_restored() {
    let session = [By(SignIn(Home, 'A')), Do(Capture("a")), Do(Start("a")), By(SignIn(In(0), 'D')), Do(List)];
    let restored = [Do(Bind("a")), Do(RestoreAs(0, "b")), Do(RestoreAs(1, "b")), Do(Switch("b")), By(Renew(In(0)))];
    lawful(101_304, &[session.as_slice(), &restored].concat());
}

/// S3 is for what both sides changed: a session's renewal is later than the login that it renewed, whatever their dates say.
#[test]
fn a_renewal_by_a_clock_that_was_set_back_is_the_later_login() {
    for minutes in [-60, -600] {
        let program = [
            By(SignIn(Home, 'C')),
            Do(Capture("c")),
            By(SignIn(Home, 'D')),
            Do(Capture("d")),
            Jump(minutes),
            Do(Start("c")),
            By(Renew(In(0))),
            Do(Look(0)),
            By(Renew(In(0))),
        ];
        lawful(105_666, &program);
    }
}

/// A `claude` that renewed the live login while a killed switch was being finished was asked about by its former token.
#[test]
fn a_renewal_while_a_killed_switch_is_finished_is_the_lent_logins() {
    for at in 4..12 {
        let program = [
            By(SignIn(Home, 'B')),
            Do(Capture("b")),
            Do(Login("c", 'D')),
            Do(Switch("c")),
            Killed(52, Switch("b")),
            Idle(480),
            During(at, Capture("d"), Turn(Home)),
        ];
        lawful(106_096, &program);
    }
}

/// A login that nobody can name takes the place of a profile's: then nobody knows who the profile is.
#[test]
fn a_profile_that_becomes_nobody_knows_whose_bears_no_name() {
    let two = [
        By(SignIn(Home, 'B')),
        Do(Capture("b")),
        By(SignIn(Home, 'D')),
        Do(Capture("d")),
        Do(Switch("b")),
        By(SignIn(Home, 'A')),
        Do(Back),
        Idle(3000),
        Do(Undo),
    ];
    lawful(101_250, &[two.as_slice(), &[Do(CaptureOver("d"))]].concat());
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

/// A sign-in that came home from a session while the profile's earlier login was lent, and was then renewed there.
#[test]
fn what_a_renewal_in_a_session_came_of_is_used_up() {
    let session = [By(SignIn(Home, 'A')), Do(Capture("a")), Do(Start("a")), By(SignIn(Home, 'C'))];
    let signed_in = [By(SignIn(In(0), 'A')), Idle(480), Do(Look(0)), By(Turn(In(0))), Do(End(0)), Do(Capture("e"))];
    for at in 0..3 {
        lawful(103_299, &[session.as_slice(), &signed_in, &[Do(Restore(at))]].concat());
    }
}

/// L2: a removal left a loan behind, which it had written itself.
#[test]
fn a_removed_profile_leaves_no_loan() {
    lawful(
        50_324,
        &[
            By(SignIn(Home, 'D')),
            Do(Login("d", 'D')),
            Do(RemoveForced("d")),
            Do(RestoreAs(3, "e")),
            Idle(3000),
            Do(Switch("e")),
            Do(Undo),
            By(SignIn(Home, 'B')),
        ],
    );
}

/// O1: an interrupted switch to the account that was live can have put nobody else's live, so the state file proves as ever.
#[test]
fn a_renewal_before_a_killed_switch_to_the_same_account_is_that_accounts() {
    lawful(
        200_069,
        &[
            By(SignIn(Home, 'A')),
            Do(Capture("c")),
            Jump(-600),
            By(Renew(Home)),
            Do(Login("b", 'A')),
            Killed(29, Switch("c")),
            Network(false),
            Do(Refresh("d")),
        ],
    );
}

/// The same before a switch to another account that was killed before anything of that one was lent.
#[test]
fn a_renewal_before_a_switch_that_was_killed_early_is_the_live_accounts() {
    let before = [By(SignIn(Home, 'A')), Do(Capture("a")), By(SignIn(Home, 'C')), Do(Capture("c")), Do(Switch("a"))];
    let killed = [Jump(-600), By(Renew(Home)), Do(Login("b", 'A')), Killed(29, Switch("c"))];
    lawful(200_069, &[before.as_slice(), &killed, &[Network(false), Do(Refresh("d"))]].concat());
}

/// And before a command that moves no login.
#[test]
fn a_renewal_before_a_killed_command_that_moves_nothing_is_the_live_accounts() {
    let before = [By(SignIn(Home, 'B')), Do(Capture("b")), By(SignIn(Home, 'C')), Do(Capture("c"))];
    lawful(209_091, &[before.as_slice(), &[Jump(-60), By(Renew(Home)), Idle(3000), Killed(13, Order("c"))]].concat());
}

/// L6: a login that a sign-in displaced while a session had it may have been renewed there, and is not restored over what
/// came of it.
#[test]
fn a_login_that_a_session_renewed_during_a_sign_in_is_not_restored() {
    lawful(
        205_118,
        &[
            By(SignIn(Home, 'A')),
            Do(Capture("a")),
            By(SignIn(Home, 'B')),
            Do(Start("a")),
            Do(Capture("b")),
            During(13, Login("a", 'A'), Renew(In(0))),
            Do(End(0)),
            Do(RestoreAs(0, "a")),
        ],
    );
}

/// L6: what came of a login may be in the vault as well, and both were there when it was restored.
#[test]
fn of_two_logins_in_the_vault_the_one_that_may_be_used_up_is_not_restored() {
    lawful(
        201_602,
        &[
            By(SignIn(Home, 'A')),
            Do(Capture("a")),
            By(SignIn(Home, 'D')),
            Do(Capture("d")),
            Jump(-600),
            By(Renew(Home)),
            Do(Switch("a")),
            Do(RemoveForced("d")),
            Do(RestoreAs(2, "e")),
        ],
    );
}

/// R6: a dead login stays dead when it comes back displaced, whatever else may be said of it.
#[test]
fn a_dead_login_that_was_displaced_is_not_sent_again() {
    lawful(
        207_445,
        &[
            Do(Login("a", 'C')),
            Do(Switch("a")),
            Idle(480),
            By(SignOut(Home)),
            Do(Switch("a")),
            Do(Refresh("a")),
            By(SignIn(Home, 'B')),
            Do(CaptureOver("b")),
            Lose,
            Do(RefreshAll),
            Jump(100_000),
            Do(RefreshAll),
        ],
    );
}

/// R4: what was never sent counts as sent where the disk refuses to take it back, so it is asked twice.
#[test]
fn a_disk_that_refuses_once_makes_no_attempt_of_what_was_never_sent() {
    lawful(
        203_084,
        &[
            By(SignIn(Home, 'A')),
            Do(Capture("a")),
            By(SignIn(Home, 'B')),
            Do(Capture("b")),
            Idle(3000),
            Network(false),
            Do(Start("a")),
            Do(Switch("a")),
            Fails(18, Refresh("b")),
            Do(Start("a")),
            Fails(20, Refresh("b")),
        ],
    );
}

/// O1, W8: a switch that was killed anywhere, and its recovery that was killed as well: what Claude Code renewed meanwhile, with
/// nobody to ask, finds its owner by what the switch left beside the credential.
#[test]
fn a_renewal_between_a_killed_switch_and_its_killed_recovery_is_not_lost() {
    let before = [By(SignIn(Home, 'A')), Do(Capture("a")), By(SignIn(Home, 'C')), Do(Capture("c")), Do(Switch("a"))];
    let after = [Do(Switch("a")), By(Renew(Home)), Do(Switch("c")), By(Renew(Home)), Do(Switch("a")), By(Renew(Home))];
    // Of this seed only clauth is without a network, and no login tells its own end.
    let seed = 200_006;
    for switch in 20..110 {
        let killed = [Killed(switch, Switch("c")), Idle(2), By(Renew(Home)), Network(false)];
        lawful(seed, &[before.as_slice(), &killed, &after].concat());
        let again = [Killed(4 + switch * 7 % 40, Order("a")), Idle(2), By(Renew(Home))];
        lawful(seed, &[before.as_slice(), &killed, &again, &after].concat());
    }
}
