//! What S5 says of `settings.json` alone.

use serde_json::json;

use super::bench::{Bench, value};
use crate::session::merge::subject::{Own, Subject};

const START: &str =
    r#"{"model":"opus","cleanupPeriodDays":365,"env":{"A":"1","B":"2"},"permissions":{"allow":["x"],"deny":["y"]}}"#;

#[test]
fn variables_and_permission_lists_are_merged_one_by_one() {
    let mut bench = Bench::settled(Subject::Settings, START, 1);
    bench.hub = START.replace(r#""A":"1""#, r#""A":"home""#).replace(r#"["x"]"#, r#"["x","home"]"#);
    bench.members[0] = START.replace(r#""B":"2""#, r#""B":"session","C":"3""#).replace(r#"["y"]"#, "[]");
    bench.rest();
    let united = json!({
        "model": "opus", "cleanupPeriodDays": 365, "env": {"A": "home", "B": "session", "C": "3"},
        "permissions": {"allow": ["x", "home"], "deny": []},
    });
    assert_eq!(bench.hub_value(), united);
    assert_eq!(bench.member_value(0), united);
}

#[test]
fn the_retention_of_transcripts_is_never_deleted() {
    let gone = START.replace(r#""cleanupPeriodDays":365,"#, "");
    for (name, hub, member) in [("in the session", START, gone.as_str()), ("in the home", gone.as_str(), START)] {
        for believed in [true, false] {
            let mut bench = Bench::settled(Subject::Settings, START, 1);
            if !believed {
                bench.bases[0] = None;
            }
            (bench.hub, bench.members[0]) = (hub.to_owned(), member.to_owned());
            bench.rest();
            assert_eq!(bench.hub_value(), value(START), "{name}, {believed}");
            assert_eq!(bench.member_value(0), value(START), "{name}, {believed}");
        }
    }
}

fn own(paths: &[&[&str]]) -> Own {
    Own(paths.iter().map(|path| path.iter().map(|part| (*part).to_owned()).collect()).collect())
}

#[test]
fn the_profiles_own_overrides_never_reach_the_home() {
    let tree = r#"{"model":"haiku","cleanupPeriodDays":365,"env":{"A":"1","B":"2","ANTHROPIC_BASE_URL":"https://x"},"permissions":{"allow":["x"],"deny":["y"]}}"#;
    for with_base in [false, true] {
        let mut bench = Bench::new(Subject::Settings, START, &[tree]);
        bench.own = own(&[&["model"], &["env", "ANTHROPIC_BASE_URL"]]);
        if with_base {
            bench.rest();
        }
        // The session changes overrides and another key; the home changes one of them.
        bench.members[0] =
            tree.replace("haiku", "sonnet").replace("https://x", "https://y").replace(r#""B":"2""#, r#""B":"3""#);
        if !with_base {
            bench.members[0] = bench.members[0].replace(r#""B":"3""#, r#""B":"2","N":"3""#);
        }
        bench.hub = START.replace("opus", "opus-2");
        let member = bench.members[0].clone();
        bench.rest();
        assert_eq!(bench.hub_value()["model"], "opus-2", "{with_base}");
        assert_eq!(bench.hub_value()["env"].get("ANTHROPIC_BASE_URL"), None, "{with_base}");
        assert_eq!(bench.members[0], member, "{with_base}: no override is taken back");
        assert!(bench.hub.contains(r#""3""#), "{with_base}: all else crosses");
    }
}

#[test]
fn what_ceases_to_be_an_override_is_the_homes_again_and_never_reaches_it() {
    let tree = START.replace("opus", "haiku").replace(r#""A":"1","#, r#""A":"1","ANTHROPIC_BASE_URL":"https://x","#);
    let mut bench = Bench::new(Subject::Settings, START, &[&tree]);
    bench.own = own(&[&["model"], &["env", "ANTHROPIC_BASE_URL"]]);
    bench.rest();
    bench.own = Own::default();
    bench.rest();
    assert_eq!(bench.hub, START);
    assert_eq!(bench.member_value(0), value(START));
}

#[test]
fn an_override_deeper_than_a_value_keeps_the_value_where_it_is() {
    let start = r#"{"statusLine":{"command":"home","padding":0}}"#;
    let mut bench = Bench::settled(Subject::Settings, start, 1);
    bench.own = own(&[&["statusLine", "command"]]);
    bench.members[0] = start.replace("home", "profile");
    bench.rest();
    assert_eq!(bench.hub, start);
    assert_eq!(bench.member_value(0)["statusLine"]["command"], "profile");
}

#[test]
fn a_tree_that_nothing_is_known_of_brings_no_other_login_into_the_home() {
    let tree = r#"{"apiKeyHelper":"x","env":{"ANTHROPIC_AUTH_TOKEN":"FAKE","PLAIN":"1"}}"#;
    let mut bench = Bench::new(Subject::Settings, "{}", &[tree]);
    bench.rest();
    assert_eq!(bench.hub_value(), json!({"env": {"PLAIN": "1"}}));
    assert_eq!(bench.members[0], tree, "and it is not taken from it either");
}
