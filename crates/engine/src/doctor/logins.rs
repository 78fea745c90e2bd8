//! Logins: in one place each (L5), none used up (L6), none twice, all usable.

use std::collections::BTreeMap;
use std::path::PathBuf;

use super::Finding;
use super::examine::Seen;
use super::rules;
use crate::Engine;
use crate::Twin;
use crate::custody::elsewhere;
use crate::profile::{ProfileKind, Record, State};
use crate::view::{Copy, Custody};

pub(super) fn findings(engine: &Engine, seen: &Seen) -> Vec<Finding> {
    let snapshot = &seen.snapshot;
    let custody = engine.custody(None).unwrap_or_default();
    let mut findings = two_holders(&custody);
    findings.extend(spent_held(&custody));
    // Where a session reads it, that is told already.
    let two_read = findings.iter().any(|finding| finding.rule == rules::TWO_HOLDERS);
    for name in snapshot.full_slots().into_iter().filter(|_| !two_read) {
        let message = format!("'{name}' is lent, and a whole login stands in {}", engine.root.slot(name).display());
        findings.push(Finding::mendable(rules::SLOT_FULL, message));
    }
    let records = &snapshot.records;
    let twins = engine.twins().unwrap_or_default();
    findings.extend(twins.iter().map(same_account));
    // Why such a one has no login is told already.
    let parted = |name: &str| twins.iter().any(|twin| twin.vault.is_some() && twin.other == name);
    let live = seen.owner.profile();
    let here = engine.host.machine.as_ref();
    let strange = |record: &&Record| {
        record.kind == ProfileKind::Claude && record.part().is_some() && elsewhere(snapshot, record, here)
    };
    let strange: Vec<String> = records.iter().filter(strange).map(|record| format!("'{}'", record.name)).collect();
    if !strange.is_empty() {
        let message = format!("signed in on another machine: {}", strange.join(", "));
        findings.push(Finding::mendable(rules::OTHER_MACHINE, message));
    }
    for record in records {
        if let Some(home) = record.loan.get().filter(|loan| !loan.names(&snapshot.home_id)).map(|loan| &loan.home) {
            let message = format!("'{}' is lent to {}", record.name, home.display());
            let fix = format!("run clauth with that home, or sign in anew: clauth login {}", record.name);
            findings.push(Finding::new(rules::LOAN_ELSEWHERE, message, fix));
        } else if live != Some(record.name.as_str()) && !parted(&record.name) {
            let lost = seen.without_loan() == Some(record.name.as_str());
            findings.extend(if lost { Some(lost_loan(record)) } else { state(record, engine.host.clock.now()) });
        }
    }
    findings.extend(records.iter().flat_map(torn));
    findings.extend(records.iter().flat_map(|record| odd_values(engine, record)));
    findings.extend(custody.iter().filter_map(|one| ends_soon(one, engine.host.clock.now())));
    findings
}

/// A login that ends by itself before long.
fn ends_soon(custody: &Custody, now: jiff::Timestamp) -> Option<Finding> {
    let message = custody.ends_soon(now)?;
    let (message, _) = message.split_once("; ").unwrap_or((&message, ""));
    let fix = format!("clauth login {}", custody.profile.as_deref()?);
    Some(Finding::new(rules::LOGIN_ENDS, message.to_owned(), fix))
}

/// L5, from what is on disk: the places that a `claude` reads, by refresh token.
fn two_holders(custody: &[Custody]) -> Vec<Finding> {
    let mut places: BTreeMap<&str, Vec<&PathBuf>> = BTreeMap::new();
    for generation in custody.iter().flat_map(|one| &one.generations) {
        let Some(token) = generation.refresh.as_deref() else { continue };
        let read = generation.copies.iter().filter(|copy| copy.full && copy.read_by_claude);
        places.entry(token).or_default().extend(read.map(|copy| &copy.path));
    }
    let mut findings = Vec::new();
    for (token, mut paths) in places {
        paths.sort_unstable();
        paths.dedup();
        if let [first, second, ..] = paths.as_slice() {
            let message = format!("the refresh token {token} is in {} and in {}", first.display(), second.display());
            findings.push(Finding::mendable(rules::TWO_HOLDERS, message));
        }
    }
    findings
}

/// L6: used-up tokens anywhere but in the vault, where they do no harm, and in the live home, which is judged by itself.
fn spent_held(custody: &[Custody]) -> Vec<Finding> {
    let held = |copy: &&Copy| copy.full && !["vault", "live"].contains(&copy.place);
    let mut findings = Vec::new();
    for one in custody {
        let Some(name) = &one.profile else { continue };
        let spent = one.generations.iter().filter(|generation| generation.spent);
        // One finding a profile, however many copies there are.
        if let Some(copy) = spent.flat_map(|generation| &generation.copies).find(held) {
            let message = format!("the refresh token of '{name}' in {} is used up", copy.path.display());
            let fix = format!("a used-up token cannot be mended; sign in again: clauth login {name}");
            findings.push(Finding::new(rules::SPENT_HELD, message, fix));
        }
    }
    findings
}

/// Two profiles of one login or account; the other one's copy may be in the vault by now.
fn same_account(twin: &Twin) -> Finding {
    let Twin { keeper, other, vault } = twin;
    let message = match vault {
        None => format!("'{keeper}' and '{other}' are one login or one account"),
        Some(id) => {
            format!("'{other}' had the same login as '{keeper}', which keeps it; the copy is in the vault ({id})")
        }
    };
    let fix =
        format!("keep the one that you use: clauth remove {other} --yes; or sign in as another: clauth login {other}");
    Finding::new(rules::SAME_ACCOUNT, message, fix)
}

/// Files of a profile that are passed over, since they cannot be understood.
fn torn(record: &Record) -> Vec<Finding> {
    let told = record.broken();
    let rest = record.torn.iter().filter(|path| Some(path.as_path()) != told);
    let finding = |path: &PathBuf| {
        Finding::new(rules::PROFILE_UNREADABLE, format!("{} cannot be understood", path.display()), record.mend(path))
    };
    rest.map(finding).collect()
}

/// Settings of a profile with values that they do not take: one finding a file, unless the file is told already.
fn odd_values(engine: &Engine, record: &Record) -> Vec<Finding> {
    let told = record.broken();
    let mut faults = engine.faults(Some(&record.name));
    faults.retain(|(path, ..)| Some(path.as_path()) != told);
    faults.dedup_by(|later, first| later.0 == first.0);
    let fix = |key: &str| format!("clauth config unset --profile {} {key}", record.name);
    let finding = |(_, key, fault): &(PathBuf, String, String)| {
        let fix = if key == "base_url" { format!("mend or remove that line: {key}") } else { fix(key) };
        Finding::new(rules::PROFILE_UNREADABLE, fault.clone(), fix)
    };
    faults.iter().map(finding).collect()
}

/// A bearer copy of the login that is live, and no record of its loan.
fn lost_loan(record: &Record) -> Finding {
    let name = &record.name;
    let message = format!("the login of '{name}' is live, and the record that it is lent there is gone");
    Finding::new(rules::LOGIN_UNUSABLE, message, format!("clauth capture {name}"))
}

/// What keeps a parked login from being used.
fn state(record: &Record, now: jiff::Timestamp) -> Option<Finding> {
    let (state, reason) = record.state(now);
    let name = &record.name;
    let why = match state {
        State::Ok | State::Expired if record.is_bare() => format!("cannot be renewed: {}", reason?),
        State::Ok | State::Expired => return None,
        State::Unreadable => {
            let fix = record.mend(record.broken().unwrap_or(std::path::Path::new("")));
            return Some(Finding::new(rules::PROFILE_UNREADABLE, reason.unwrap_or_else(|| format!("'{name}'")), fix));
        }
        State::NoLogin if record.kind == ProfileKind::Endpoint => {
            let fix = format!("clauth config set --profile {name} api_key");
            return Some(Finding::new(rules::LOGIN_UNUSABLE, format!("the endpoint '{name}' has no key"), fix));
        }
        State::NoLogin => "has no login".to_owned(),
        State::SignedOut => "is signed out".to_owned(),
        State::Dead | State::Lapsed | State::Unknown => {
            let word = state.word();
            reason.map_or_else(|| format!("is {word}"), |reason| format!("is {word}: {reason}"))
        }
    };
    // What is in doubt is told by the next try, once that is due.
    let verb = if state == State::Unknown && !record.is_doubted() { "refresh" } else { "login" };
    Some(Finding::new(rules::LOGIN_UNUSABLE, format!("'{name}' {why}"), format!("clauth {verb} {name}")))
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::view::Generation;

    fn custody(copies: &[(&str, &'static str, bool, bool)], spent: bool) -> Vec<Custody> {
        let copy = |row: &(&str, &'static str, bool, bool)| Copy {
            path: row.0.into(),
            place: row.1,
            full: row.2,
            read_by_claude: row.3,
        };
        let generation = Generation {
            access: "aa".into(),
            refresh: Some("bb".into()),
            spent,
            expires_at: None,
            login_expires_at: None,
            copies: copies.iter().map(copy).collect(),
        };
        vec![Custody {
            profile: Some("work".into()),
            usable: true,
            endpoint: false,
            custodian: None,
            generations: vec![generation],
            spent: Vec::new(),
        }]
    }

    #[test]
    fn l5_a_token_that_two_can_read_is_found_and_no_other() {
        for (name, copies, expected) in [
            ("live, and on record", &[("/h", "live", true, true), ("/loan", "loan", true, false)][..], 0),
            ("live, and a bearer copy", &[("/h", "live", true, true), ("/slot", "slot", false, true)], 0),
            ("parked, and a session's link to it", &[("/slot", "slot", true, true)], 0),
            ("live and in a session", &[("/h", "live", true, true), ("/tree", "session", true, true)], 1),
            ("one file, told twice", &[("/h", "live", true, true), ("/h", "live", true, true)], 0),
        ] {
            assert_eq!(two_holders(&custody(copies, false)).len(), expected, "{name}");
        }
    }

    #[test]
    fn l6_a_used_up_token_is_found_where_it_could_be_used() {
        for (name, copies, expected) in [
            ("parked", &[("/slot", "slot", true, false)][..], 1),
            ("on record and parked", &[("/slot", "slot", true, false), ("/loan", "loan", true, false)], 1),
            ("only its access token", &[("/slot", "slot", false, true)], 0),
            ("in the vault", &[("/vault", "vault", true, false)], 0),
        ] {
            assert_eq!(spent_held(&custody(copies, true)).len(), expected, "{name}");
            assert_eq!(spent_held(&custody(copies, false)).len(), 0, "{name}");
        }
    }
}
