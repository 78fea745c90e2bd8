//! What must hold after every step.

use std::collections::{BTreeMap, BTreeSet};
use std::path::Path;

use clauth_sandbox::Account;
use clauth_sandbox::world::{Entry, Snapshot};
use serde_json::Value;

use crate::ledger::Ledger;
use crate::stage::Stage;
use crate::state_file;
use crate::witness::{Copy, Place, newest};

/// A law that was broken.
#[derive(Clone, Debug)]
pub(crate) struct Breach {
    /// Which.
    pub(crate) law: &'static str,
    /// How.
    pub(crate) told: String,
}

pub(crate) type Lawful = Result<(), Breach>;

pub(crate) fn breach(law: &'static str, told: impl Into<String>) -> Lawful {
    Err(Breach { law, told: told.into() })
}

/// No family is revoked, but those that were given away.
pub(crate) fn signed_in(stage: &Stage, ledger: &Ledger) -> Lawful {
    for family in stage.server.revoked() {
        if !ledger.is_forgiven(&family) {
            return breach("families revoked", format!("{family} is revoked"));
        }
    }
    for (name, family) in &ledger.families {
        if let Some((generation, sends)) = family.sends.iter().find(|(_, sends)| **sends > 2) {
            return breach("R6: one retry", format!("{name}{generation} was sent {sends} times"));
        }
    }
    Ok(())
}

/// L5: of all that a `claude` reads, one file at most holds a given refresh token.
pub(crate) fn one_holder(copies: &[Copy]) -> Lawful {
    let mut holders = BTreeMap::new();
    let read = |copy: &&Copy| copy.full && matches!(copy.place, Place::Live | Place::Tree(_));
    for copy in copies.iter().filter(read) {
        if let Some(other) = holders.insert(copy.pair.clone(), copy) {
            return breach("L5", format!("{} in {:?} and {:?}", copy.pair, other.place, copy.place));
        }
    }
    Ok(())
}

/// Each family's newest generation is where a command finds it.
pub(crate) fn nothing_lost(picture: &Snapshot, copies: &[Copy], ledger: &Ledger) -> Lawful {
    let roster = match picture.get(".clauth/profiles.toml") {
        Some(Entry::File(_, bytes)) => String::from_utf8_lossy(bytes).into_owned(),
        _ => String::new(),
    };
    // Until an interrupted change is finished, what it moves may be in no profile that is listed.
    let open = picture.contains_key(".clauth/journal/open.json");
    let listed = |name: &str| open || roster.contains(&format!("\"{name}\""));
    let counts = |copy: &Copy| match &copy.place {
        // The session of a profile that was removed goes on.
        Place::Live | Place::Vault | Place::SignIn | Place::Stage(_) | Place::Tree(_) => true,
        Place::Slot(name) | Place::Loan(name) => listed(name),
        Place::Temp => open,
    };
    let now = newest(copies, counts);
    for (name, family) in ledger.families.iter().filter(|(_, family)| family.forgiven.is_none()) {
        let there = now.get(name).copied().unwrap_or(0);
        if there < family.durable {
            return breach("no login lost", format!("{name}{} was there, {name}{there} is", family.durable));
        }
    }
    Ok(())
}

/// What the server handed out is kept.
pub(crate) fn kept(stage: &Stage, copies: &[Copy], ledger: &Ledger) -> Lawful {
    let now = newest(copies, |_| true);
    for name in ledger.families.keys().filter(|name| !ledger.is_forgiven(name)) {
        let (issued, there) = (stage.server.generation(name), now.get(name).copied().unwrap_or(0));
        if issued > there {
            return breach(
                "what was renewed is kept",
                format!("{name}{issued} was handed out, {name}{there} is there"),
            );
        }
    }
    Ok(())
}

/// No account's login or name in another's file.
pub(crate) fn apart((home, picture): (&Path, &Snapshot), copies: &[Copy], ledger: &Ledger) -> Lawful {
    for copy in copies {
        if let Some(odd) = &copy.odd {
            return breach("no mixed login", format!("{odd} in {}", copy.path.display()));
        }
        let (Place::Slot(name) | Place::Loan(name)) = &copy.place else { continue };
        let account = Account::of_family(&copy.pair.family).map(|account| account.code);
        if let Some(owner) = ledger.accounts.get(name).filter(|owner| Some(*owner) != account.as_ref()) {
            return breach("no account in another's file", format!("{} in {:?} of {owner}", copy.pair, copy.place));
        }
    }
    for copy in copies.iter().filter(|copy| matches!(copy.place, Place::Live | Place::Tree(_))) {
        let dir = copy.path.parent().unwrap_or(home);
        let state = if copy.place == Place::Live { home.join(".claude.json") } else { dir.join(".claude.json") };
        let state = state.strip_prefix(home).ok().and_then(|path| picture.get(path.to_str()?));
        let Some(Entry::File(_, bytes)) = state else { continue };
        let state: Value = serde_json::from_slice(bytes).unwrap_or_default();
        let account = Account::of_family(&copy.pair.family);
        let (Some((uuid, organization)), Some(account)) = (state_file::named(&state), account) else { continue };
        if uuid != account.account_uuid || organization != account.organization_uuid {
            return breach("oauthAccount names nobody else", format!("{} is in {}", copy.pair, copy.path.display()));
        }
    }
    Ok(())
}

/// Every document can be read.
pub(crate) fn parses(picture: &Snapshot) -> Lawful {
    for (path, entry) in picture {
        let Entry::File(_, bytes) = entry else { continue };
        let name = path.rsplit('/').next().unwrap_or(path);
        // The room for a new pair is blank until the pair is there; the records of locks are written as they are needed.
        let passing = path.contains(".clauth-") || path.contains("/locks/") || name == "stage.json";
        if passing || name == ".sandbox" {
            continue;
        }
        let fine = if name.ends_with(".json") {
            serde_json::from_slice::<Value>(bytes).is_ok()
        } else if name.ends_with(".jsonl") {
            String::from_utf8_lossy(bytes).lines().all(|line| serde_json::from_str::<Value>(line).is_ok())
        } else if name.ends_with(".toml") {
            String::from_utf8_lossy(bytes).parse::<toml_edit::DocumentMut>().is_ok()
        } else {
            true
        };
        if !fine {
            return breach("everything parses", format!("{path}: {}", String::from_utf8_lossy(bytes)));
        }
    }
    Ok(())
}

/// Claude Code's account-bound files, which leave and come back with their account (S4).
const BOUND: [&str; 4] =
    ["policy-limits.json", "limits-cache.json", "remote-settings.json", "mcp-needs-auth-cache.json"];

/// What is not ours stays as it is, but for the documented edits. `merged` while a session's files come home.
pub(crate) fn untouched(before: &Snapshot, after: &Snapshot, merged: bool) -> Lawful {
    let names: BTreeSet<&String> = before.keys().chain(after.keys()).collect();
    for name in names.into_iter().filter(|name| !name.starts_with(".clauth") && !name.starts_with("run")) {
        let (was, is) = (before.get(name), after.get(name));
        if was == is {
            continue;
        }
        let bytes = |entry: Option<&Entry>| match entry {
            Some(Entry::File(_, bytes)) => Some(bytes.clone()),
            _ => None,
        };
        let mode = |entry: Option<&Entry>| match entry {
            Some(Entry::File(mode, _) | Entry::Dir(mode)) => Some(*mode),
            _ => None,
        };
        let (old, new) = (bytes(was), bytes(is));
        let fine = match name.as_str() {
            ".claude/.credentials.json" => machine_keys(old.as_deref()) == machine_keys(new.as_deref()),
            ".claude.json" if merged => new.is_some() && mode(was) == mode(is),
            ".claude.json" => {
                let text = |bytes: Option<Vec<u8>>| String::from_utf8_lossy(&bytes.unwrap_or_default()).into_owned();
                let (old, new) = (text(old), text(new));
                state_file::lines(&old) == state_file::lines(&new) && mode(was) == mode(is)
            }
            // Locks of somebody who was killed come and go.
            name if name.ends_with(".lock") => [was, is].iter().flatten().all(|entry| matches!(entry, Entry::Dir(_))),
            // The sandbox counts its sign-ins there.
            ".sandbox" => true,
            name if name.strip_prefix(".claude/").is_some_and(|name| BOUND.contains(&name)) => true,
            name if name.contains(".clauth-") => true,
            // What a session made anew comes home.
            name if merged && name.starts_with(".claude/") => was.is_none() || is_of_claude(name),
            _ => false,
        };
        if !fine {
            let told = format!("{name}: {}\nbecame {}", shown(was), shown(is));
            return breach("what is not ours is untouched", told);
        }
    }
    Ok(())
}

/// What every `claude` writes by itself, so that a session's may replace the home's.
fn is_of_claude(name: &str) -> bool {
    name == ".claude/.last-cleanup" || name.starts_with(".claude/backups")
}

fn shown(entry: Option<&Entry>) -> String {
    match entry {
        None => "nothing".to_owned(),
        Some(Entry::File(mode, bytes)) => format!("{mode:o} {}", String::from_utf8_lossy(bytes)),
        Some(other) => format!("{other:?}"),
    }
}

/// W4: what of the credentials is the machine's.
fn machine_keys(bytes: Option<&[u8]>) -> BTreeMap<String, Value> {
    let document: Value = bytes.and_then(|bytes| serde_json::from_slice(bytes).ok()).unwrap_or_default();
    let entries = document.as_object().cloned().unwrap_or_default();
    entries.into_iter().filter(|(key, _)| key.starts_with("mcpOAuth") || key == "pluginSecrets").collect()
}

/// At the end of a program nothing of an unfinished change is left.
pub(crate) fn tidy(picture: &Snapshot) -> Lawful {
    for (path, entry) in picture {
        // What a killed mirroring displaced may be the only copy of somebody's, so it is kept (S6).
        let kept = path.contains("/conflicts/");
        let leftover =
            path.contains(".clauth-") && !kept || path.ends_with("journal/open.json") || path.ends_with("stage.json");
        // A lock that was made and not yet stamped may be anybody's; it goes stale, and then with whoever needs it next.
        let lock = matches!(entry, Entry::Dir(_)) && path.contains("/locks/");
        if leftover || lock && !path.ends_with("/held") || path.contains("renewed-") {
            return breach("nothing is left behind", path.clone());
        }
    }
    Ok(())
}
