//! Properties of merging any documents whatever.

use proptest::prelude::*;
use serde_json::{Map, Value, json};

use super::bench::{Bench, value};
use crate::session::merge::subject::Subject;

fn leaf() -> impl Strategy<Value = Value> {
    prop_oneof![
        Just(Value::Null),
        any::<bool>().prop_map(Value::from),
        (0..5_i64).prop_map(Value::from),
        Just(json!(1.5)),
        "[a-c\"\\\\é😀]{0,3}".prop_map(Value::from),
        prop::collection::vec(0..3_i64, 0..3).prop_map(Value::from),
        prop::collection::btree_map("[a-b]", 0..3_i64, 0..2).prop_map(|map| json!(map)),
    ]
}

fn map(keys: &'static str, count: usize) -> impl Strategy<Value = Value> {
    prop::collection::btree_map(keys, leaf(), 0..count).prop_map(Value::from_iter)
}

/// A document with some of the keys that matter, in any layout.
fn document() -> impl Strategy<Value = String> {
    let key = prop_oneof![
        Just("theme"),
        Just("verbose"),
        Just("tips"),
        Just("a b"),
        Just(""),
        Just("é"),
        Just("oauthAccount"),
        Just("primaryApiKey"),
        Just("cachedUsageUtilization"),
    ];
    let top = prop::collection::btree_map(key, leaf(), 0..8);
    let maps = (prop::option::of(map("/[a-d]", 4)), prop::option::of(map("[s-u]", 3)));
    (top, maps, any::<bool>()).prop_map(|(top, (projects, servers), pretty)| {
        let mut all: Map<String, Value> = top.into_iter().map(|(key, value)| (key.to_owned(), value)).collect();
        all.extend(projects.map(|map| ("projects".to_owned(), map)));
        all.extend(servers.map(|map| ("mcpServers".to_owned(), map)));
        let all = Value::Object(all);
        if pretty { format!("{all:#}\n") } else { all.to_string() }
    })
}

fn bound(document: &Value) -> Vec<Option<Value>> {
    clauth_claude::ACCOUNT_KEYS.iter().map(|key| document.get(key).cloned()).collect()
}

/// Every value that is merged, by its path.
fn units(document: &Value) -> Vec<(Vec<String>, Value)> {
    let mut units = Vec::new();
    for (key, value) in document.as_object().into_iter().flatten() {
        match value.as_object().filter(|_| ["projects", "mcpServers"].contains(&key.as_str())) {
            Some(map) => {
                units.extend(map.iter().map(|(member, value)| (vec![key.clone(), member.clone()], value.clone())));
            }
            None if clauth_claude::ACCOUNT_KEYS.contains(&key.as_str()) => {}
            None => units.push((vec![key.clone()], value.clone())),
        }
    }
    units
}

fn at<'v>(document: &'v Value, path: &[String]) -> Option<&'v Value> {
    path.iter().try_fold(document, |value, part| value.get(part))
}

proptest! {
    #![proptest_config(ProptestConfig { cases: if cfg!(debug_assertions) { 60 } else { 2_000 }, ..ProptestConfig::default() })]

    #[test]
    fn merging_comes_to_rest_with_all_the_same(
        hub in document(), before in document(), members in prop::collection::vec(document(), 1..4), known in any::<bool>(),
    ) {
        let texts: Vec<&str> = members.iter().map(String::as_str).collect();
        let mut bench = if known {
            let mut bench = Bench::settled(Subject::State, &before, members.len());
            (bench.hub, bench.members) = (hub.clone(), members.clone());
            bench
        } else {
            Bench::new(Subject::State, &hub, &texts)
        };
        bench.rest();
        prop_assert!(!bench.pass(), "two passes with nobody writing make no edits");
        for (at, member) in members.iter().enumerate() {
            prop_assert_eq!(units_sorted(&bench.member_value(at)), units_sorted(&bench.hub_value()));
            // No account-bound key crosses, or is lost.
            prop_assert_eq!(bound(&bench.member_value(at)), bound(&value(member)));
        }
        prop_assert_eq!(bound(&bench.hub_value()), bound(&value(&hub)));
    }

    #[test]
    fn nothing_that_only_one_side_added_is_lost(
        before in document(), hub in document(), member in document(), known in any::<bool>(),
    ) {
        let mut bench = Bench::settled(Subject::State, &before, 1);
        if !known {
            bench.bases[0] = None;
        }
        (bench.hub, bench.members[0]) = (hub.clone(), member.clone());
        bench.rest();
        let (before, hub, member) = (value(&before), value(&hub), value(&member));
        for (own, other) in [(&hub, &member), (&member, &hub)] {
            for (path, wanted) in units(own) {
                if at(&before, &path).is_none() && at(other, &path).is_none() {
                    let end = bench.hub_value();
                    prop_assert_eq!(at(&end, &path), Some(&wanted), "{:?}", path);
                }
            }
        }
    }

    #[test]
    fn what_neither_side_changed_keeps_its_text(before in document(), member in document()) {
        // A member that we know nothing of adds at most: every byte of the hub stays, in its order.
        let mut bench = Bench::new(Subject::State, &before, &[&member]);
        bench.rest();
        let mut rest = before.as_bytes();
        for byte in bench.hub.bytes() {
            if rest.first() == Some(&byte) {
                rest = &rest[1..];
            }
        }
        prop_assert!(rest.is_empty(), "{:?} is not all in {:?}", before, bench.hub);
    }
}

fn units_sorted(document: &Value) -> Vec<(Vec<String>, Value)> {
    let mut units = units(document);
    units.sort_by(|a, b| a.0.cmp(&b.0));
    units
}
