//! Each sentence of S5, on `.claude.json`.

use serde_json::json;

use super::bench::{Bench, value};
use crate::session::merge::subject::Subject;

const START: &str = r#"{"theme":"dark","numStartups":1,"editorMode":"vim","verbose":true,"projects":{"/a":{"n":1},"/b":{"n":1}},"mcpServers":{"s":{"command":"x"}}}"#;

fn settled(members: usize) -> Bench {
    Bench::settled(Subject::State, START, members)
}

#[test]
fn what_one_side_changes_reaches_the_other() {
    // (name, text before, text after, which side)
    let cases = [
        ("a key changed in the session", r#""theme":"dark""#, r#""theme":"light""#, true),
        ("a key changed in the home", r#""theme":"dark""#, r#""theme":"light""#, false),
        ("a project changed in the session", r#""/a":{"n":1}"#, r#""/a":{"n":2}"#, true),
        ("a project changed in the home", r#""/a":{"n":1}"#, r#""/a":{"n":2}"#, false),
        ("a project added", r#""/b":{"n":1}"#, r#""/b":{"n":1},"/c":{"n":1}"#, true),
        ("a project deleted", r#","/b":{"n":1}"#, "", true),
        ("a project deleted in the home", r#","/b":{"n":1}"#, "", false),
        ("a server added", r#""s":{"command":"x"}"#, r#""s":{"command":"x"},"t":{"command":"y"}"#, false),
        ("a server deleted", r#""s":{"command":"x"}"#, "", true),
        ("a key added", r#""verbose":true"#, r#""verbose":true,"new":[1]"#, true),
        ("a key deleted", r#""verbose":true,"#, "", true),
        ("a key deleted in the home", r#""verbose":true,"#, "", false),
    ];
    for (name, before, after, in_member) in cases {
        let mut bench = settled(2);
        let edited = START.replacen(before, after, 1);
        assert_ne!(edited, START, "{name}");
        let side = if in_member { &mut bench.members[0] } else { &mut bench.hub };
        side.clone_from(&edited);
        bench.rest();
        for (which, text) in [("hub", &bench.hub), ("member", &bench.members[0]), ("other", &bench.members[1])] {
            assert_eq!(value(text), value(&edited), "{name}: {which}");
        }
    }
}

#[test]
fn both_sides_of_one_file_are_united_key_by_key() {
    let mut bench = settled(2);
    bench.hub = START.replace("vim", "emacs");
    bench.members[0] = START.replace(r#""/a":{"n":1}"#, r#""/a":{"n":7}"#);
    bench.members[1] = START.replace(r#""/b":{"n":1}"#, r#""/b":{"n":8}"#);
    bench.rest();
    let united = START
        .replace("vim", "emacs")
        .replace(r#""/a":{"n":1}"#, r#""/a":{"n":7}"#)
        .replace(r#""/b":{"n":1}"#, r#""/b":{"n":8}"#);
    for text in [&bench.hub, &bench.members[0], &bench.members[1]] {
        assert_eq!(value(text), value(&united));
    }
}

#[test]
fn where_both_changed_one_value_the_home_wins_and_a_deletion_loses() {
    let light = || START.replace("dark", "light");
    let gone = || START.replace(r#""theme":"dark","#, "");
    let cases = [
        ("both changed", START.replace("dark", "blue"), light(), Some("blue")),
        ("the home deleted", gone(), light(), Some("light")),
        ("the session deleted", light(), gone(), Some("light")),
        ("both deleted", gone(), gone(), None),
        ("both to the same", light(), light(), Some("light")),
    ];
    for (name, hub, member, wanted) in cases {
        let mut bench = settled(1);
        (bench.hub, bench.members[0]) = (hub, member);
        bench.rest();
        assert_eq!(bench.hub_value().get("theme").and_then(|theme| theme.as_str()), wanted, "{name}");
        assert_eq!(bench.member_value(0), bench.hub_value(), "{name}");
    }
}

#[test]
fn what_we_wrote_enters_the_base_when_a_later_write_by_somebody_else_still_carries_it() {
    let mut bench = settled(1);
    bench.hub = START.replace("dark", "light");
    bench.pass();
    // Unacknowledged: the old value is an echo.
    bench.members[0] = START.to_owned();
    bench.pass();
    assert_eq!(bench.member_value(0)["theme"], "light", "an echo loses");
    assert_eq!(bench.hub_value()["theme"], "light");
    // Acknowledged: the old value is the user's wish.
    bench.touch(0);
    bench.pass();
    bench.members[0] = START.to_owned();
    bench.pass();
    assert_eq!(bench.hub_value()["theme"], "dark", "a change wins");
}

#[test]
fn until_then_its_absence_is_a_lost_update() {
    for acknowledged in [false, true] {
        let mut bench = settled(1);
        bench.hub = START.replacen('{', r#"{"added":1,"#, 1);
        bench.pass();
        if acknowledged {
            bench.touch(0);
            bench.pass();
        }
        bench.members[0] = START.to_owned();
        bench.pass();
        assert_eq!(bench.hub_value().get("added").is_some(), !acknowledged, "acknowledged: {acknowledged}");
        assert_eq!(bench.member_value(0), bench.hub_value(), "acknowledged: {acknowledged}");
    }
}

#[test]
fn a_deletion_that_a_stale_write_takes_back_is_made_again() {
    let mut bench = settled(1);
    bench.hub = START.replace(r#""verbose":true,"#, "");
    bench.pass();
    assert!(bench.member_value(0).get("verbose").is_none());
    bench.members[0] = START.to_owned();
    bench.rest();
    assert!(bench.member_value(0).get("verbose").is_none());
    assert!(bench.hub_value().get("verbose").is_none());
}

#[test]
fn another_value_than_the_old_one_is_a_change_at_once() {
    let mut bench = settled(1);
    bench.hub = START.replace("dark", "light");
    bench.pass();
    bench.members[0] = START.replace("dark", "blue");
    bench.rest();
    assert_eq!(bench.hub_value()["theme"], "blue");
}

#[test]
fn a_member_that_undid_our_write_twice_gets_it_again_after_a_pause_of_up_to_a_minute() {
    let mut bench = settled(1);
    bench.hub = START.replace("dark", "light");
    bench.pass();
    let mut pauses = Vec::new();
    for round in 0..11 {
        // Each undoing is a write of its own.
        bench.members[0] = format!("{START}{}", " ".repeat(round));
        let mut pause = 0;
        while bench.member_value(0)["theme"] != "light" {
            assert!(pause <= 60, "round {round}");
            if !bench.pass() {
                bench.wait(1);
                pause += 1;
            }
        }
        pauses.push(pause);
        assert_eq!(bench.hub_value()["theme"], "light", "round {round}");
    }
    assert_eq!(pauses, [0, 1, 2, 4, 8, 16, 32, 60, 60, 60, 60]);
}

#[test]
fn a_value_that_waits_holds_up_no_other() {
    let mut bench = settled(1);
    bench.hub = START.replace("dark", "light");
    bench.pass();
    for _ in 0..2 {
        bench.members[0] = format!("{START}\n");
        bench.pass();
        bench.members[0] = START.to_owned();
        bench.pass();
    }
    assert_eq!(bench.member_value(0)["theme"], "dark", "it waits");
    bench.members[0] = START.replace("vim", "emacs");
    bench.pass();
    assert_eq!(bench.hub_value()["editorMode"], "emacs");
}

#[test]
fn a_stale_write_of_the_home_loses_what_it_did_not_know() {
    let mut bench = settled(2);
    bench.members[0] = START.replace("dark", "light");
    bench.pass();
    assert_eq!(bench.hub_value()["theme"], "light");
    bench.hub = START.replace("vim", "emacs");
    bench.rest();
    assert_eq!((&bench.hub_value()["theme"], &bench.hub_value()["editorMode"]), (&json!("light"), &json!("emacs")));
}

#[test]
fn to_set_a_value_back_in_the_home_is_an_echo_for_ten_seconds_only() {
    for (wait, wanted) in [(10, "light"), (11, "dark")] {
        let mut bench = settled(1);
        bench.members[0] = START.replace("dark", "light");
        bench.pass();
        // The next look finds it in the home.
        bench.pass();
        bench.wait(wait);
        bench.hub = START.to_owned();
        bench.rest();
        assert_eq!(bench.hub_value()["theme"], wanted, "after {wait} s");
        assert_eq!(bench.member_value(0)["theme"], wanted, "after {wait} s");
    }
}

#[test]
fn a_write_that_was_put_on_record_and_never_made_is_made_however_late() {
    for in_hub in [false, true] {
        for (name, before, after) in [
            ("a change", r#""theme":"dark""#, r#""theme":"light""#),
            ("an addition", r#""verbose":true"#, r#""verbose":true,"new":1"#),
            ("a deletion", r#""verbose":true,"#, ""),
        ] {
            let mut bench = settled(2);
            let edited = START.replace(before, after);
            if in_hub {
                bench.hub.clone_from(&edited);
            } else {
                bench.members[0].clone_from(&edited);
            }
            bench.killed_pass();
            bench.wait(3600);
            bench.rest();
            for text in [&bench.hub, &bench.members[0], &bench.members[1]] {
                assert_eq!(value(text), value(&edited), "{name}, in the home: {in_hub}");
            }
        }
    }
}

const USER: &str = r#"{"userID":"u1","theme":"dark","numStartups":1,"editorMode":"vim","verbose":true,"tips":{"a":1}}"#;

#[test]
fn a_member_that_is_not_believed_may_add_but_not_delete_or_change() {
    let changed =
        |text: &str| text.replace("dark", "light").replace(r#""verbose":true,"#, "").replacen('{', r#"{"added":1,"#, 1);
    // (name, the member's next text)
    let cases = [
        ("without a base", changed(USER), true, false),
        ("with another user id", changed(&USER.replace("u1", "u2")), false, false),
        ("torn when it was last seen", changed(USER), false, true),
        (
            "with fewer than half of its base's keys",
            r#"{"userID":"u1","theme":"light","added":1}"#.into(),
            false,
            false,
        ),
    ];
    for (name, member, without_base, torn) in cases {
        let mut bench = Bench::settled(Subject::State, USER, 1);
        if without_base {
            bench.bases[0] = None;
        }
        if torn {
            bench.members[0] = USER[..20].to_owned();
            bench.pass();
            assert_eq!(bench.hub, USER, "{name}");
            assert_eq!(bench.members[0], USER[..20], "{name}: a torn file is left as it is");
        }
        bench.members[0] = member;
        bench.rest();
        let mut wanted = value(USER);
        wanted["added"] = json!(1);
        assert_eq!(bench.hub_value(), wanted, "{name}");
        assert_eq!(bench.member_value(0), wanted, "{name}");
    }
}

#[test]
fn a_member_that_is_believed_again_may_delete_and_change() {
    let mut bench = Bench::settled(Subject::State, USER, 1);
    bench.members[0] = "{\"half".into();
    bench.pass();
    bench.members[0] = USER.into();
    bench.rest();
    bench.members[0] = USER.replace("dark", "light").replace(r#""verbose":true,"#, "");
    bench.rest();
    assert_eq!(bench.hub_value()["theme"], "light");
    assert!(bench.hub_value().get("verbose").is_none());
}

#[test]
fn half_of_the_keys_is_enough() {
    let mut bench = Bench::settled(Subject::State, USER, 1);
    bench.members[0] = r#"{"userID":"u1","theme":"light","numStartups":1}"#.into();
    bench.rest();
    assert_eq!(bench.hub_value(), json!({"userID": "u1", "theme": "light", "numStartups": 1}));
}

#[test]
fn many_projects_do_not_hide_that_all_else_is_gone() {
    let projects: Vec<String> = (0..50).map(|n| format!(r#""/{n}":{{}}"#)).collect();
    let projects = format!(r#""projects":{{{}}}"#, projects.join(","));
    let whole = format!(r#"{{"userID":"u","theme":"dark","verbose":true,{projects}}}"#);
    let mut bench = Bench::settled(Subject::State, &whole, 1);
    bench.members[0] = format!("{{{projects}}}");
    bench.rest();
    assert_eq!(bench.hub_value(), value(&whole));
}

#[test]
fn a_home_that_was_emptied_gets_everything_back() {
    for (name, hub) in [("emptied", "{}"), ("begun anew", r#"{"numStartups":1,"fresh":true}"#)] {
        let mut bench = settled(1);
        bench.hub = hub.to_owned();
        bench.rest();
        for (key, wanted) in value(START).as_object().expect("an object") {
            assert_eq!(&bench.hub_value()[key], wanted, "{name}: {key}");
        }
    }
}

#[test]
fn no_file_loses_more_than_three_values_in_one_pass() {
    let all: Vec<String> = (0..20).map(|n| format!(r#""k{n}":{n}"#)).collect();
    let whole = format!("{{{}}}", all.join(","));
    for in_hub in [false, true] {
        let mut bench = Bench::settled(Subject::State, &whole, 2);
        let rest = format!("{{{}}}", all[8..].join(","));
        if in_hub {
            bench.hub = rest.clone();
        } else {
            bench.members[0] = rest.clone();
        }
        let mut sizes = Vec::new();
        while bench.pass() {
            let count = |text: &str| value(text).as_object().map_or(0, serde_json::Map::len);
            sizes.push((count(&bench.hub), count(&bench.members[1])));
        }
        let wanted: &[(usize, usize)] =
            if in_hub { &[(12, 17), (12, 14), (12, 12)] } else { &[(17, 17), (14, 14), (12, 12)] };
        assert_eq!(sizes, wanted, "in the hub: {in_hub}");
        assert_eq!(bench.member_value(0), value(&rest));
    }
}

#[test]
fn account_bound_keys_never_cross_and_are_never_touched() {
    for key in clauth_claude::ACCOUNT_KEYS {
        let hub = format!(r#"{{"{key}":{{"of":"a"}},"theme":"dark"}}"#);
        let member = format!(r#"{{"theme":"light","{key}":{{"of":"b"}}}}"#);
        let mut bench = Bench::new(Subject::State, &hub, &[&member, "{}"]);
        bench.rest();
        assert_eq!(bench.hub, hub, "{key}");
        assert_eq!(bench.member_value(0), json!({"theme": "dark", *key: {"of": "b"}}), "{key}");
        assert_eq!(bench.member_value(1), json!({"theme": "dark"}), "{key}");
    }
}

#[test]
fn arrays_are_values() {
    let start = r#"{"list":[1,2,3],"other":1}"#;
    let mut bench = Bench::settled(Subject::State, start, 1);
    bench.hub = start.replace("[1,2,3]", "[1,2,3,4]");
    bench.members[0] = start.replace("[1,2,3]", "[0,1,2,3]");
    bench.rest();
    assert_eq!(bench.hub_value()["list"], json!([1, 2, 3, 4]));
    assert_eq!(bench.member_value(0)["list"], json!([1, 2, 3, 4]));
}

#[test]
fn what_is_not_edited_stays_to_the_byte_and_numbers_keep_their_text() {
    let hub = "\u{feff}{\r\n\t\"cost\" : 1.10,\r\n\t\"big\": 12345678901234567890,\r\n\t\"theme\":\"dark\"\r\n}\r\n";
    let member = "{ \"theme\": \"dark\", \"cost\": 1.1, \"big\": 12345678901234567890 }";
    let mut bench = Bench::new(Subject::State, hub, &[member]);
    assert!(!bench.pass(), "equal values are not rewritten");
    bench.members[0] = member.replace("dark", "light");
    bench.rest();
    assert_eq!(bench.hub, hub.replace("dark", "light"));
    bench.hub = bench.hub.replace("1.10", "2.50");
    bench.rest();
    assert_eq!(bench.members[0], "{ \"theme\": \"light\", \"cost\": 2.50, \"big\": 12345678901234567890 }");
}

#[test]
fn a_map_that_is_none_on_one_side_is_left_alone() {
    let mut bench = settled(1);
    bench.members[0] = START.replace(r#"{"s":{"command":"x"}}"#, "null").replace("dark", "light");
    bench.rest();
    assert_eq!(bench.hub_value()["mcpServers"], json!({"s": {"command": "x"}}));
    assert_eq!(bench.member_value(0)["mcpServers"], json!(null));
    assert_eq!(bench.hub_value()["theme"], "light", "all else is merged");
}

/// A gutted home is filled from all members alike, whichever is looked at first: what the pass itself brings back into it is
/// nobody's to delete in the same pass.
#[test]
fn a_gutted_home_and_members_with_gaps_of_their_own_come_to_rest_with_everything_that_is_left() {
    let start = r#"{"a b":null,"theme":null,"tips":null,"é":null}"#;
    for (name, members) in [
        ("the smaller first", [r#"{"a b":null}"#, r#"{"theme":null,"tips":null}"#]),
        ("the larger first", [r#"{"theme":null,"tips":null}"#, r#"{"a b":null}"#]),
    ] {
        let mut bench = Bench::settled(Subject::State, start, 2);
        bench.hub = "{}".to_owned();
        bench.members = members.map(str::to_owned).to_vec();
        bench.rest();
        assert!(!bench.pass() && !bench.waits, "{name}");
        let all = json!({"a b": null, "theme": null, "tips": null});
        for value in [bench.hub_value(), bench.member_value(0), bench.member_value(1)] {
            assert_eq!(value, all, "{name}");
        }
    }
}

/// What another session sets back is its word, and no echo of what stood in the home before.
#[test]
fn two_members_that_change_one_value_to_and_fro_end_with_the_last_word() {
    for second in ["dark", "blue", ""] {
        let mut bench = settled(2);
        bench.members[0] = START.replace("dark", "light");
        bench.rest();
        // It was read and rewritten there, so what follows is a change.
        bench.touch(1);
        bench.rest();
        bench.members[1] = match second {
            "" => START.replace(r#""theme":"dark","#, ""),
            _ => START.replace("dark", second),
        };
        bench.rest();
        let last = Some(second).filter(|second| !second.is_empty());
        for value in [bench.hub_value(), bench.member_value(0), bench.member_value(1)] {
            assert_eq!(value.get("theme").and_then(|theme| theme.as_str()), last, "{second}");
        }
        assert!(!bench.waits, "{second}");
    }
}
