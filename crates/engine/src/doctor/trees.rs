//! Sessions' directories: who lives there, and what was left.

use clauth_durable::Kind;

use super::Finding;
use super::examine::Seen;
use super::rules::{LOGIN_LEFT, OLD_VERSION, SESSION_LEFT};
use crate::Engine;
use crate::session::{Place, live};

/// What was seen of one profile's sessions.
struct Tree {
    name: String,
    /// There is a tree, or files of holders.
    stands: bool,
    /// Somebody lives there.
    inhabited: bool,
    /// Holders of 0.4.0, which keeps no record beside them.
    old: Vec<u32>,
}

pub(super) fn findings(engine: &Engine, seen: &Seen) -> Vec<Finding> {
    let names = &seen.snapshot.roster.names;
    let mut findings: Vec<Finding> = names.iter().filter_map(|name| judge(&look(engine, seen, name))).collect();
    let removed = engine.orphans(&seen.snapshot.roster).unwrap_or_default();
    findings.extend(removed.iter().filter_map(|name| judge(&look(engine, seen, name))));
    findings.extend(engine.left_sign_ins().unwrap_or_default().iter().map(|dir| {
        let message = format!("a sign-in was killed before its login was taken over: {}", dir.display());
        Finding::mendable(LOGIN_LEFT, message)
    }));
    findings
}

fn look(engine: &Engine, seen: &Seen, name: &str) -> Tree {
    let place = Place::of(&engine.root, name);
    let is = |kind| move |stat: Option<clauth_durable::Stat>| stat.is_some_and(|stat| stat.kind == kind);
    let tree = engine.disk.lstat(&place.tree).is_ok_and(is(Kind::Dir));
    let holders = engine.disk.list(&place.holders).unwrap_or_default();
    let isolated = engine.disk.list(&place.isolated).unwrap_or_default();
    let stands = tree || !holders.is_empty() || !isolated.is_empty();
    let living = if stands {
        let running = clauth_claude::running(&engine.host, &engine.disk, &seen.snapshot.home);
        live(&engine.disk, &place, &running)
    } else {
        Vec::new()
    };
    let recorded = |pid: u32| holders.iter().any(|name| name.to_str() == Some(&format!("{pid}.json")));
    let old = living.iter().filter_map(|one| one.holder).filter(|pid| !recorded(*pid)).collect();
    Tree { name: name.to_owned(), stands, inhabited: !living.is_empty(), old }
}

fn judge(tree: &Tree) -> Option<Finding> {
    let name = &tree.name;
    if let Some(pid) = tree.old.first() {
        let message = format!("a session of '{name}' is held by version 0.4.0 (process {pid})");
        return Some(Finding::new(
            OLD_VERSION,
            message,
            "end it, and remove the old program: it renews logins behind our back",
        ));
    }
    (tree.stands && !tree.inhabited)
        .then(|| Finding::mendable(SESSION_LEFT, format!("a session of '{name}' ended without being tidied up")))
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn only_what_nobody_lives_in_is_left_over() {
        for (name, stands, inhabited, old, expected) in [
            ("no session", false, false, vec![], None),
            ("a running one", true, true, vec![], None),
            ("what was left", true, false, vec![], Some("session-left")),
            ("one of 0.4.0", true, true, vec![7], Some("old-version")),
        ] {
            let found = judge(&Tree { name: "work".into(), stands, inhabited, old });
            assert_eq!(found.map(|finding| finding.rule.id), expected, "{name}");
        }
    }
}
