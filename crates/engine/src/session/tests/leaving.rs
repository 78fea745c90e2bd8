//! What is left when nobody lives in a tree any more (S7), or when its profile goes.
#![expect(clippy::disallowed_methods, reason = "tests arrange and inspect a throw-away home by hand")]

use std::sync::atomic::{AtomicU64, Ordering};
use std::sync::{Arc, Mutex};
use std::time::Duration;

use clauth_host::{Clock, Time};
use clauth_sandbox::{Account, Login, Pair, now_ms};
use serde_json::json;

use super::credential::Flat;
use super::stage::{modes, usual};
use crate::session::LinkMode;
use crate::{Engine, Options, Target};

impl Flat {
    /// An engine, and what it says.
    fn heard(&self) -> (Engine, Arc<Mutex<Vec<String>>>) {
        let said = Arc::new(Mutex::new(Vec::new()));
        let hears = said.clone();
        let mut engine = self.engine();
        engine.say = Arc::new(move |line: &str| hears.lock().expect("not poisoned").push(line.to_owned()));
        (engine, said)
    }

    fn of_profile(&self, name: &str) -> std::path::PathBuf {
        self.place.tree.parent().expect("a profile").join(name)
    }
}

#[test]
fn a_sign_in_a_moment_before_the_end_of_a_session_is_not_lost() {
    for &mode in modes() {
        for (account, family) in [(Account::a(), "AB"), (Account::c(), "C")] {
            let mut flat = Flat::parked(mode);
            let login = Login::new(&account, Pair::new(family, 1))
                .expiring_at(now_ms() + 30 * 3_600_000)
                .ending_at(Some(now_ms() + 40 * 24 * 3_600_000));
            flat.sign_in(&login);
            let disk = &flat.engine().disk;
            disk.vfs.set_modified(&flat.place.credential(), disk.clock.file_now()).expect("a time");
            flat.leave();
            flat.engine().visit_trees();
            assert!(!flat.place.tree.exists(), "{mode:?} {family}");
            let own = family == "AB";
            assert_eq!(flat.slot(), if own { "AB1" } else { "A1" }, "{mode:?}");
            assert_eq!(flat.vault(), 1, "{mode:?} {family}: what it displaced, or the login itself");
        }
    }
}

#[test]
fn what_a_session_without_its_parent_changed_in_settings_and_state_comes_home() {
    for &mode in modes() {
        let mut flat = Flat::parked(mode);
        let home = flat.engine().home().expect("a home");
        std::fs::write(home.settings(), "{\"theme\":\"dark\"}").expect("settings");
        crate::session::seed(&flat.engine(), &home, &flat.place, &[]).expect("a seed");
        flat.world.edit_json(&flat.place.tree.join("settings.json"), |settings| {
            settings.insert("theme".into(), json!("light"));
        });
        flat.world.edit_json(&flat.place.tree.join(".claude.json"), |state| {
            state.insert("projects".into(), json!({"/home/u/project": {"hasTrustDialogAccepted": true}}));
        });
        flat.leave();
        flat.engine().visit_trees();
        assert!(!flat.place.tree.exists(), "{mode:?}");
        assert_eq!(flat.world.read_json(&home.settings())["theme"], "light", "{mode:?}");
        let state = flat.world.read_json(&flat.world.state_path());
        assert_eq!(state["projects"]["/home/u/project"]["hasTrustDialogAccepted"], true, "{mode:?}");
        assert_eq!(state["oauthAccount"]["emailAddress"], "bob@example.invalid", "{mode:?}: and nobody else's name");
    }
}

/// S5, S7: also where nobody wrote it since it was merged, it is the only one there is.
#[test]
fn a_state_file_that_the_home_lacks_is_not_put_away_with_the_tree() {
    for &mode in modes() {
        for had in [true, false] {
            let mut flat = Flat::parked(mode);
            let home = flat.engine().home().expect("a home");
            let state = flat.place.tree.join(".claude.json");
            let _ = std::fs::remove_file(&state);
            if had {
                flat.world.edit_json(&home.state, |state| {
                    state.insert("projects".into(), json!({"/p": {"hasTrustDialogAccepted": true}}));
                });
                crate::session::seed(&flat.engine(), &home, &flat.place, &[]).expect("a seed");
            }
            std::fs::remove_file(&home.state).expect("the home's");
            if !had {
                crate::session::seed(&flat.engine(), &home, &flat.place, &[]).expect("a seed");
                let made =
                    json!({"projects": {"/p": {"hasTrustDialogAccepted": true}}, "oauthAccount": {"accountUuid": "x"}});
                std::fs::write(&state, made.to_string()).expect("a state file");
            }
            flat.leave();
            flat.engine().visit_trees();
            assert!(!flat.place.tree.exists(), "{mode:?} {had}");
            let state = flat.world.read_json(&home.state);
            assert_eq!(state["projects"]["/p"]["hasTrustDialogAccepted"], true, "{mode:?} {had}");
            assert_eq!(state.get("oauthAccount"), None, "{mode:?} {had}: nobody's name");
        }
    }
}

/// The same where the home's is torn, as a power loss leaves it: the tree stays until somebody has mended that.
#[test]
fn a_tree_with_the_only_whole_state_file_stays() {
    for &mode in modes() {
        for torn in ["", "{\"a\":"] {
            let mut flat = Flat::parked(mode);
            let home = flat.engine().home().expect("a home");
            flat.world.edit_json(&home.state, |state| {
                state.insert("projects".into(), json!({"/p": {"hasTrustDialogAccepted": true}}));
            });
            crate::session::seed(&flat.engine(), &home, &flat.place, &[]).expect("a seed");
            std::fs::write(&home.state, torn).expect("the home's");
            flat.leave();
            flat.engine().visit_trees();
            let state = flat.world.read_json(&flat.place.tree.join(".claude.json"));
            assert_eq!(state["projects"]["/p"]["hasTrustDialogAccepted"], true, "{mode:?} {torn}");
        }
    }
}

/// A clock on which nothing is waited for.
struct Hurried(AtomicU64);

impl Time for Hurried {
    fn now(&self) -> jiff::Timestamp {
        Clock::system().now()
    }

    fn file_now(&self) -> jiff::Timestamp {
        Clock::system().file_now()
    }

    fn monotonic(&self) -> Duration {
        Clock::system().monotonic() + Duration::from_millis(self.0.load(Ordering::Relaxed))
    }

    fn sleep(&self, time: Duration) {
        self.0.fetch_add(u64::try_from(time.as_millis()).expect("a short time"), Ordering::Relaxed);
    }
}

/// K2: there is no next look, so a session of another profile that merges in the same moment is waited for.
#[test]
fn a_merge_of_another_session_is_waited_for_at_the_end_and_told_when_it_does_not_end() {
    for ends in [true, false] {
        let mut flat = Flat::parked(usual());
        let (mut engine, said) = flat.heard();
        let home = engine.home().expect("a home");
        crate::session::seed(&engine, &home, &flat.place, &[]).expect("a seed");
        std::fs::write(flat.place.tree.join("settings.json"), "{\"theme\":\"light\"}").expect("settings");
        flat.leave();
        let merging = engine.disk.vfs.open_lock(&engine.root.locks().join("merge.lock")).expect("a lock");
        merging.try_lock().expect("nobody else's");
        if !ends {
            engine.disk.clock = Clock::new(Hurried(AtomicU64::new(0)));
        }
        std::thread::scope(|scope| {
            let visit = scope.spawn(|| engine.visit_trees());
            if ends {
                std::thread::sleep(Duration::from_millis(200));
            } else {
                visit.join().expect("a visit");
            }
            drop(merging);
        });
        assert_eq!(flat.place.tree.exists(), !ends, "{ends}");
        let told = said.lock().expect("not poisoned").join("\n");
        assert_eq!(told.contains("put away by the next command"), !ends, "{ends}: {told}");
        engine.disk.clock = Clock::system();
        engine.visit_trees();
        assert!(!flat.place.tree.exists(), "{ends}");
        assert_eq!(flat.world.read_json(&home.settings())["theme"], "light", "{ends}");
    }
}

#[test]
fn half_written_files_of_a_session_are_kept_aside() {
    for name in [".credentials.json", ".claude.json", "settings.json"] {
        let mut flat = Flat::parked(usual());
        let home = flat.engine().home().expect("a home");
        crate::session::seed(&flat.engine(), &home, &flat.place, &[]).expect("a seed");
        let path = flat.place.tree.join(name);
        let _ = std::fs::remove_file(&path);
        std::fs::write(&path, "{\"half\": ").expect("a file");
        flat.leave();
        let (engine, said) = flat.heard();
        engine.visit_trees();
        assert!(!flat.place.tree.exists(), "{name}: {said:?}");
        let said = said.lock().expect("not poisoned").join(" ");
        let (_, kept) = said.split_once("is kept: ").expect("it is told");
        assert_eq!(std::fs::read_to_string(kept).expect("kept"), "{\"half\": ", "{name}");
    }
}

#[test]
fn removing_a_profile_keeps_what_lost_and_an_inhabited_tree() {
    for &mode in modes() {
        let mut flat = Flat::parked(mode);
        let kept = flat.of_profile("conflicts").join("20260101T000000Z");
        std::fs::create_dir_all(&kept).expect("a directory");
        std::fs::write(kept.join("notes.md"), "mine").expect("a file");
        std::fs::create_dir_all(flat.place.tree.join("projects-of-mine")).expect("a directory");
        std::fs::write(flat.place.tree.join("projects-of-mine").join("todo"), "unsaved").expect("a file");
        let refused = flat.engine().remove("a", false).map(drop).expect_err("it is in use").to_string();
        assert!(refused.contains("a session of 'a' is running"), "{refused}");
        let removed = flat.engine().remove("a", true).expect("forced");
        let told = removed.warnings.join("\n");
        assert!(told.contains(&flat.place.tree.display().to_string()), "{mode:?}: {told}");
        assert!(told.contains(&flat.of_profile("conflicts").display().to_string()), "{mode:?}: {told}");
        let todo = flat.place.tree.join("projects-of-mine").join("todo");
        assert_eq!(std::fs::read_to_string(&todo).expect("there"), "unsaved", "{mode:?}");
        assert!(!flat.place.slot.exists(), "{mode:?}");
        flat.world.sign_in(&Account::c());
        let taken = flat.engine().capture(Some("a"), false).map(drop).expect_err("a session would become its");
        assert!(taken.to_string().contains("has not been put away"), "{mode:?}: {taken}");

        flat.engine().switch(Target::Named("b"), Options::default()).map(drop).expect("b stays");
        assert!(todo.exists(), "{mode:?}: somebody lives there");
        flat.leave();
        flat.engine().visit_trees();
        assert!(!flat.place.tree.exists(), "{mode:?}");
        let home = flat.world.claude_dir().join("projects-of-mine").join("todo");
        assert_eq!(std::fs::read_to_string(home).expect("at home"), "unsaved", "{mode:?}");
        assert_eq!(std::fs::read_to_string(kept.join("notes.md")).expect("kept"), "mine", "{mode:?}");
        let left = flat.engine().disk.list(flat.place.tree.parent().expect("a profile")).expect("listed");
        assert_eq!(left, ["conflicts"], "{mode:?}");
        assert_eq!(flat.vault(), 2, "{mode:?}: its login, once, and the one that the switch displaced");
    }
}

/// What was a removed profile's own is no change of the user's: it never reaches the home (S5).
#[test]
fn the_overrides_of_a_removed_profile_do_not_come_home_with_what_its_last_session_changed() {
    let own = |name: &str| vec!["env".to_owned(), name.to_owned()];
    for known in [true, false] {
        let mut flat = Flat::parked(usual());
        let home = flat.engine().home().expect("a home");
        std::fs::write(home.settings(), "{\"theme\":\"dark\",\"env\":{\"MINE\":\"1\"}}").expect("settings");
        let overrides = [(own("FOO"), Some(json!("1"))), (own("BAR"), Some(json!("1"))), (vec!["model".into()], None)];
        crate::session::seed(&flat.engine(), &home, &flat.place, &overrides).expect("a seed");
        let removed = flat.engine().remove("a", true).expect("forced");
        drop(removed);
        flat.world.edit_json(&flat.place.tree.join("settings.json"), |settings| {
            settings["env"]["FOO"] = json!("2");
            settings.insert("model".into(), json!("haiku"));
            settings.insert("theme".into(), json!("light"));
        });
        if !known {
            std::fs::remove_file(flat.place.base.join("settings.json")).expect("a base");
        }
        flat.leave();
        let (engine, said) = flat.heard();
        engine.visit_trees();
        assert!(!flat.place.tree.exists(), "{known}: {said:?}");
        let (theme, kept) = if known { ("light", false) } else { ("dark", true) };
        let expected = json!({"theme": theme, "env": {"MINE": "1"}});
        assert_eq!(flat.world.read_json(&home.settings()), expected, "{known}");
        assert_eq!(flat.place.conflicts.exists(), kept, "{known}: {said:?}");
    }
}

/// Nothing tells of a tree that is gone.
#[test]
fn a_tree_leaves_no_empty_directories_behind() {
    for &mode in modes() {
        let mut flat = Flat::parked(mode);
        let home = flat.engine().home().expect("a home");
        crate::session::seed(&flat.engine(), &home, &flat.place, &[]).expect("a seed");
        // Left by a session that was killed.
        let dead = flat.place.holders.join("999999");
        std::fs::write(&dead, "").expect("a file");
        flat.leave();
        flat.engine().visit_trees();
        let profile = flat.place.tree.parent().expect("a profile").to_owned();
        // What a removal leaves that was killed after the tree was gone goes with the next command.
        for (dir, name) in [(&flat.place.base, "index"), (&flat.place.holders, ".999999.json.clauth-0123")] {
            std::fs::create_dir_all(dir).expect("a directory");
            std::fs::write(dir.join(name), "").expect("a file");
        }
        flat.place.record_mode(&flat.engine().disk, mode).expect("a mode");
        flat.engine().visit_trees();
        let trees = ["runtime", "sessions", "base", "isolated", "conflicts"];
        assert!(trees.iter().all(|tree| !profile.join(tree).exists()), "{mode:?}");
        assert!(flat.place.slot.exists(), "{mode:?}");
    }
}

#[test]
fn a_directory_that_no_list_has_and_that_is_more_than_a_tree_is_left_alone() {
    let mut flat = Flat::parked(usual());
    flat.leave();
    let copy = flat.world.root().join("profiles").join("a-before");
    std::fs::create_dir_all(copy.join("runtime")).expect("a directory");
    std::fs::write(copy.join("runtime").join("notes"), "a copy of mine").expect("a file");
    std::fs::write(copy.join("credentials.json"), "{}").expect("a file");
    flat.engine().visit_trees();
    assert!(!flat.place.tree.exists());
    assert_eq!(std::fs::read_to_string(copy.join("runtime").join("notes")).expect("there"), "a copy of mine");
}

#[test]
fn a_profile_does_not_change_its_name_under_a_session_that_only_its_holder_tells() {
    let flat = Flat::parked(LinkMode::Copy);
    let refused = flat.engine().rename("a", "c").map(drop).expect_err("it is in use").to_string();
    assert!(refused.contains("a session of 'a' is running"), "{refused}");
}

#[cfg(unix)]
#[test]
fn a_profile_whose_tree_could_not_be_put_away_keeps_its_name() {
    let mut flat = Flat::parked(usual());
    std::fs::write(flat.place.tree.join("notes"), "mine").expect("a file");
    flat.leave();
    let home = flat.world.claude_dir();
    std::fs::create_dir_all(home.join("notes").join("other")).expect("a directory of the same name");
    std::fs::write(&flat.place.conflicts, "in the way").expect("a file");
    let refused = flat.engine().rename("a", "c").map(drop).expect_err("the tree stands").to_string();
    assert!(refused.contains("could not be put away yet"), "{refused}");
    assert_eq!(std::fs::read_to_string(flat.place.tree.join("notes")).expect("there"), "mine");
    std::fs::remove_file(&flat.place.conflicts).expect("removed");
    flat.engine().rename("a", "c").expect("put away");
}

#[test]
fn a_slot_laid_out_by_an_earlier_version_is_equal_to_its_copy() {
    let flat = Flat::parked(LinkMode::Copy);
    let value = flat.world.read_json(&flat.place.slot);
    let mut members: Vec<_> = value.as_object().expect("an object").iter().collect();
    members.reverse();
    let pretty: serde_json::Map<_, _> = members.into_iter().map(|(key, value)| (key.clone(), value.clone())).collect();
    std::fs::write(&flat.place.slot, serde_json::to_vec_pretty(&pretty).expect("text")).expect("a slot");
    std::fs::write(flat.place.credential(), serde_json::to_vec_pretty(&value).expect("text")).expect("a copy");
    let place = &flat.place;
    assert_eq!(
        flat.engine().tended_at_once(place, &place.credential()).expect("looked"),
        Some(crate::session::Tended::Quiet)
    );
}
