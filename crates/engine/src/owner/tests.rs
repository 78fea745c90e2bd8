//! Tables for every answer of protocols §2, and the property that nothing is attributed without a proof.

use std::time::Duration;

use clauth_claude::{Found, Login};
use clauth_host::{Fingerprint, Secret};
use jiff::Timestamp;
use proptest::prelude::*;

use super::{Candidate, Doubt, Evidence, Hands, Owner, Proven, classify};
use crate::profile::AccountKey;
use crate::spent::Spent;

fn at(second: i64) -> Timestamp {
    Timestamp::from_second(second).expect("a time")
}

fn key(letter: &str) -> AccountKey {
    AccountKey { account: format!("acc-{letter}"), organization: Some(format!("org-{letter}")) }
}

fn login(access: &str, refresh: Option<&str>, end: Option<i64>) -> Login {
    Login {
        access: Secret::new(&format!("sk-ant-oat01-FAKE-{access}")),
        refresh: refresh.map(|text| Secret::new(&format!("sk-ant-ort01-FAKE-{text}"))),
        expires_at: None,
        refresh_expires_at: end.map(at),
        scopes: Vec::new(),
        subscription: None,
        tier: None,
        client_id: None,
    }
}

fn candidate(name: &str, generation: &str, end: Option<i64>, lent_here: bool) -> Candidate {
    let login = login(generation, Some(generation), end);
    Candidate {
        name: name.into(),
        key: Some(key(name)),
        access: Some(login.access_print()),
        refresh: login.refresh_print(),
        login_end: login.refresh_expires_at,
        organization: None,
        access_end: None,
        lent_here,
        unnamed: false,
    }
}

fn refresh_print(generation: &str) -> Fingerprint {
    Secret::new(&format!("sk-ant-ort01-FAKE-{generation}")).fingerprint()
}

/// One row: a change to the ordinary case, in which a2 is found where a1 is lent, b1 is parked, and the state file
/// names a.
struct Case {
    found: Found,
    candidates: Vec<Candidate>,
    spent: Spent,
    state: Option<AccountKey>,
    /// A block that names no account.
    nameless_block: bool,
    answer: Option<AccountKey>,
    organization: Option<String>,
    hands: Hands<'static>,
    doubted: Option<&'static str>,
    age: Option<Duration>,
}

fn ordinary() -> Case {
    Case {
        found: Found::Login(login("a2", Some("a2"), None)),
        candidates: vec![candidate("a", "a1", None, true), candidate("b", "b1", None, false)],
        spent: Spent::default(),
        state: Some(key("a")),
        nameless_block: false,
        answer: None,
        organization: None,
        hands: Hands::Kept,
        doubted: None,
        age: Some(Duration::from_secs(60)),
    }
}

fn decide(change: impl FnOnce(&mut Case)) -> Owner {
    let mut case = ordinary();
    change(&mut case);
    classify(&Evidence {
        found: &case.found,
        organization: case.organization.clone(),
        candidates: &case.candidates,
        spent: &case.spent,
        state: case.state.clone(),
        nobody_named: case.state.is_none() && !case.nameless_block,
        answer: case.answer.clone(),
        hands: case.hands,
        doubted: case.doubted,
        age: case.age,
    })
}

fn successor(name: &str, proven: Proven) -> Owner {
    Owner::Successor(name.into(), proven)
}

#[test]
fn every_answer_of_the_table() {
    assert_eq!(decide(|c| c.found = Found::Login(login("a1", Some("a1"), None))), Owner::Own("a".into()), "own");
    assert_eq!(
        decide(|c| c.found = Found::Login(login("b1", Some("b1"), None))),
        Owner::Own("b".into()),
        "own, parked"
    );
    assert_eq!(
        decide(|c| c.found = Found::Login(login("a1", None, None))),
        Owner::Own("a".into()),
        "own as a bearer copy"
    );
    assert_eq!(decide(|_| {}), successor("a", Proven::StateFile), "successor");
    assert_eq!(
        decide(|c| c.spent = Spent::with(&[(&refresh_print("a2"), "a")])),
        Owner::Rewound("a".into()),
        "rewound"
    );
    assert_eq!(decide(|c| c.state = Some(key("x"))), Owner::Unknown(Doubt::Stranger), "a stranger");
    assert_eq!(decide(|c| c.found = Found::Blank), Owner::SignedOut, "blank tokens");
    assert_eq!(decide(|c| c.found = Found::Absent), Owner::Missing, "no login");
    assert_eq!(decide(|c| c.found = Found::Malformed), Owner::Unreadable, "no tokens that can be read");
}

#[test]
fn o1_each_leg_of_the_offline_proof_is_needed() {
    assert_eq!(decide(|c| c.hands = Hands::Open), Owner::Unknown(Doubt::JournalOpen), "an open journal");
    assert_eq!(
        decide(|c| c.doubted = Some("a")),
        Owner::Unknown(Doubt::JournalOpen),
        "a profile that may be becoming another account's"
    );
    assert_eq!(decide(|c| c.doubted = Some("b")), successor("a", Proven::StateFile), "that is another profile");
    assert_eq!(decide(|c| c.candidates[0].lent_here = false), Owner::Unknown(Doubt::Stranger), "no loan to this home");
    assert_eq!(decide(|c| c.state = None), Owner::Unknown(Doubt::Stranger), "no account in the state file");
    assert_eq!(decide(|c| c.state = Some(key("b"))), Owner::Unknown(Doubt::Stranger), "a parked profile's account");
    assert_eq!(
        decide(|c| c.organization = Some("org-z".into())),
        Owner::Unknown(Doubt::Contradiction),
        "another organization"
    );
    assert_eq!(
        decide(|c| c.organization = Some("org-a".into())),
        successor("a", Proven::StateFile),
        "the same organization"
    );
    assert_eq!(
        decide(|c| c.age = Some(Duration::from_secs(4))),
        Owner::Unknown(Doubt::Young),
        "a pair of the last seconds"
    );
    assert_eq!(decide(|c| c.age = None), Owner::Unknown(Doubt::Young), "a pair from the future");
    let other = AccountKey { account: "acc-a".into(), organization: Some("org-2".into()) };
    assert_eq!(
        decide(|c| c.state = Some(other)),
        Owner::Unknown(Doubt::Stranger),
        "the same account in another organization"
    );
}

#[test]
fn o1_an_equal_end_proves_the_family_by_itself() {
    let with_end = |c: &mut Case| {
        c.found = Found::Login(login("a2", Some("a2"), Some(10_000)));
        c.candidates[0].login_end = Some(at(10_090));
    };
    assert_eq!(decide(with_end), successor("a", Proven::SameEnd));
    for (name, change) in [
        ("no state file", Box::new(|c: &mut Case| c.state = None) as Box<dyn Fn(&mut Case)>),
        ("an open journal", Box::new(|c: &mut Case| c.hands = Hands::Open)),
        ("young", Box::new(|c: &mut Case| c.age = Some(Duration::ZERO))),
    ] {
        let owner = decide(|c| {
            with_end(c);
            change(c);
        });
        assert_eq!(owner, successor("a", Proven::EndAlone), "{name}: nothing else speaks for it yet");
        let owner = decide(|c| {
            with_end(c);
            change(c);
            c.organization = Some("org-a".into());
        });
        assert_eq!(owner, successor("a", Proven::SameEnd), "{name}: the organization does");
    }
    let owner = decide(|c| {
        with_end(c);
        c.state = Some(key("b"));
    });
    assert_eq!(owner, Owner::Unknown(Doubt::Contradiction), "the state file names somebody else");
    let owner = decide(|c| {
        with_end(c);
        c.candidates[0].login_end = Some(at(10_121));
        c.state = None;
    });
    assert_eq!(owner, Owner::Unknown(Doubt::Stranger), "a different end proves nothing");
}

#[test]
fn o1_two_logins_that_end_together_are_told_apart_by_the_state_file() {
    let both = |c: &mut Case| {
        c.found = Found::Login(login("b2", Some("b2"), Some(10_000)));
        c.candidates = vec![candidate("a", "a1", Some(10_000), true), candidate("b", "b1", Some(10_000), true)];
    };
    let owner = decide(|c| {
        both(c);
        c.state = Some(key("b"));
    });
    assert_eq!(owner, successor("b", Proven::StateFile));
    let owner = decide(|c| {
        both(c);
        c.state = None;
    });
    assert_eq!(owner, Owner::Unknown(Doubt::Stranger));
}

/// Name, what is different, and the doubt that follows.
type Row = (&'static str, fn(&mut Case), Doubt);

/// The ordinary case after a switch of ours to an account that the server never confirmed.
fn left_unnamed(case: &mut Case) {
    case.state = None;
    case.candidates[0].unnamed = true;
}

#[test]
fn o5_while_nobody_is_named_the_login_that_a_switch_put_there_is_renewed_by_nobody_else() {
    assert_eq!(decide(left_unnamed), successor("a", Proven::Untouched), "no sign-in");
    let keyless = decide(|c| {
        left_unnamed(c);
        c.candidates[0].key = None;
    });
    assert_eq!(keyless, successor("a", Proven::Untouched), "an account that nobody knows");
    let filled = decide(|c| {
        left_unnamed(c);
        c.state = Some(key("a"));
    });
    assert_eq!(filled, successor("a", Proven::StateFile), "the client has filled the name in");
    let rows: [Row; 11] = [
        ("a loan of a capture", |c| c.candidates[0].unnamed = false, Doubt::Stranger),
        ("no loan to this home", |c| c.candidates[0].lent_here = false, Doubt::Stranger),
        ("two loans to this home", |c| c.candidates[1].lent_here = true, Doubt::Stranger),
        ("somebody is named", |c| c.state = Some(key("x")), Doubt::Stranger),
        ("a block that names no account", |c| c.nameless_block = true, Doubt::Stranger),
        ("an open journal", |c| c.hands = Hands::Open, Doubt::JournalOpen),
        ("a pair of the last seconds", |c| c.age = Some(Duration::from_secs(4)), Doubt::Young),
        ("the server names another account", |c| c.answer = Some(key("x")), Doubt::Stranger),
        (
            "another organization",
            |c| {
                c.organization = Some("org-z".into());
            },
            Doubt::Contradiction,
        ),
        (
            "another end of the login",
            |c| {
                c.candidates[0].login_end = Some(at(10_000));
                c.found = Found::Login(login("a2", Some("a2"), Some(20_000)));
            },
            Doubt::Stranger,
        ),
        (
            "an access token that ends earlier",
            |c| {
                c.candidates[0].access_end = Some(at(10_000));
                let earlier = Login { expires_at: Some(at(9_000)), ..login("a2", Some("a2"), None) };
                c.found = Found::Login(earlier);
            },
            Doubt::Stranger,
        ),
    ];
    for (name, change, doubt) in rows {
        let owner = decide(|c| {
            left_unnamed(c);
            change(c);
        });
        assert_eq!(owner, Owner::Unknown(doubt), "{name}");
    }
}

#[test]
fn o5_an_answer_about_a_profile_of_unknown_account_contradicts_nothing() {
    let keyless = |c: &mut Case| {
        left_unnamed(c);
        c.candidates[0].key = None;
        c.answer = Some(key("x"));
    };
    assert_eq!(decide(keyless), successor("a", Proven::Untouched));
    let named = decide(|c| {
        keyless(c);
        c.state = Some(key("x"));
    });
    assert_eq!(named, Owner::Unknown(Doubt::Stranger), "somebody is named: it may be a sign-in");
}

#[test]
fn o2_the_server_settles_every_doubt() {
    assert_eq!(
        decide(|c| c.answer = Some(key("b"))),
        successor("b", Proven::Endpoint),
        "a parked profile signed in outside"
    );
    assert_eq!(decide(|c| c.answer = Some(key("x"))), Owner::Unknown(Doubt::Stranger), "whatever the state file says");
    let spent = |c: &mut Case| {
        c.answer = Some(key("a"));
        c.spent = Spent::with(&[(&refresh_print("a2"), "a")]);
    };
    assert_eq!(decide(spent), Owner::Rewound("a".into()), "a used-up token stays used up");
}

#[test]
fn a_login_without_refresh_token_is_never_a_successor() {
    for answer in [None, Some(key("a"))] {
        let owner = decide(|c| {
            c.found = Found::Login(login("a9", None, None));
            c.answer = answer;
        });
        assert_eq!(owner, Owner::Unknown(Doubt::NoRefresh));
    }
}

#[test]
fn the_same_refresh_token_with_a_new_access_token_is_a_successor() {
    let owner = decide(|c| c.found = Found::Login(login("a2", Some("a1"), None)));
    assert_eq!(owner, successor("a", Proven::SameRefresh));
}

fn letter() -> impl Strategy<Value = String> {
    prop::sample::select(vec!["a", "b", "c"]).prop_map(str::to_owned)
}

fn any_candidate() -> impl Strategy<Value = Candidate> {
    (letter(), 1..4, prop::option::of(0..3i64), any::<bool>(), any::<bool>(), any::<bool>()).prop_map(
        |(name, generation, end, lent, keyed, unnamed)| {
            let mut candidate = candidate(&name, &format!("{name}{generation}"), end.map(|end| end * 1_000), lent);
            candidate.key = candidate.key.filter(|_| keyed);
            candidate.unnamed = unnamed;
            candidate
        },
    )
}

proptest! {
    /// Whatever the evidence, a profile is named as successor only if something speaks for it and nothing against it.
    #[test]
    fn nothing_is_attributed_without_proof(
        candidates in prop::collection::vec(any_candidate(), 0..4),
        (access, refresh) in (letter(), prop::option::of(letter())),
        generation in 1..6,
        end in prop::option::of(0..3i64),
        state in prop::option::of(letter()),
        answer in prop::option::of(letter()),
        hands in prop_oneof![
            Just(Hands::Kept), Just(Hands::Open), Just(Hands::Stayed("a")), Just(Hands::Passed("b")),
        ],
        age in prop::option::of(0..20u64),
    ) {
        let refresh = refresh.map(|letter| format!("{letter}{generation}"));
        let found = login(&format!("{access}{generation}"), refresh.as_deref(), end.map(|end| end * 1_000));
        let state = state.map(|letter| key(&letter));
        let answer = answer.map(|letter| key(&letter));
        let owner = classify(&Evidence {
            found: &Found::Login(found.clone()),
            organization: None,
            candidates: &candidates,
            spent: &Spent::default(),
            state: state.clone(),
            nobody_named: state.is_none(),
            answer: answer.clone(),
            hands,
            doubted: None,
            age: age.map(Duration::from_secs),
        });
        let only = match hands {
            Hands::Stayed(name) | Hands::Passed(name) => Some(name),
            Hands::Kept | Hands::Open => None,
        };
        let there = |c: &&Candidate| c.lent_here && only.is_none_or(|name| c.name == name);
        if let Owner::Successor(name, proof) = owner {
            prop_assert!(found.refresh.is_some(), "a bearer copy replaces nothing");
            let named: Vec<&Candidate> = candidates.iter().filter(|c| c.name == name).collect();
            let proven = named.iter().any(|&c| match proof {
                Proven::SameRefresh => c.refresh == found.refresh_print(),
                Proven::Endpoint => c.key.is_some() && c.key == answer,
                Proven::SameEnd | Proven::EndAlone => there(&c) && c.login_end.is_some() && c.login_end == found.refresh_expires_at
                    && answer.is_none() && state.as_ref().is_none_or(|state| c.key.as_ref() == Some(state)),
                Proven::StateFile => there(&c) && hands != Hands::Open && c.key.is_some() && c.key == state
                    && answer.is_none() && age.is_some_and(|age| age >= 5),
                Proven::Untouched => there(&c) && (c.unnamed || only.is_some()) && hands != Hands::Open && state.is_none()
                    && candidates.iter().filter(there).count() == 1
                    && (answer.is_none() || c.key.is_none()) && age.is_some_and(|age| age >= 5)
                    && (c.login_end.is_none() || end.is_none() || c.login_end == found.refresh_expires_at),
            });
            prop_assert!(proven, "{name} by {proof:?}");
        }
    }
}

/// What an interrupted switch left beside the credential says whose login was live (O1): only that one's later login is there,
/// also while the switch has taken the name out of the state file.
#[test]
fn an_interrupted_switch_tells_whose_login_was_live() {
    let both = |c: &mut Case| c.candidates[1].lent_here = true;
    let unnamed = |c: &mut Case| c.state = None;
    for (name, hands, change, expected) in [
        ("before, and named", Hands::Stayed("a"), None, successor("a", Proven::StateFile)),
        (
            "before, and hidden",
            Hands::Stayed("a"),
            Some(&unnamed as &dyn Fn(&mut Case)),
            successor("a", Proven::Untouched),
        ),
        ("after, and hidden", Hands::Passed("b"), Some(&unnamed), successor("b", Proven::Untouched)),
        ("after, and the former is named", Hands::Passed("b"), None, Owner::Unknown(Doubt::Stranger)),
        ("nobody can tell", Hands::Open, None, Owner::Unknown(Doubt::JournalOpen)),
        ("nobody can tell, and hidden", Hands::Open, Some(&unnamed), Owner::Unknown(Doubt::Stranger)),
    ] {
        let owner = decide(|c| {
            both(c);
            c.hands = hands;
            change.into_iter().for_each(|change| change(c));
        });
        assert_eq!(owner, expected, "{name}");
    }
}
