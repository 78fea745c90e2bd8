//! Facts §1.1 row by row; the locks of §2.3 and their order.

use super::*;
use crate::fixture::{Place, text};

/// A home as paths below the sandbox: config home, credential store, state file.
type Layout = (&'static str, &'static str, &'static str);

fn laid_out(place: &Place, env: &[(&str, &str)]) -> ClaudeHome {
    ClaudeHome::of(&place.host(env), &place.disk).expect("a home")
}

fn assert_layout(place: &Place, home: &ClaudeHome, (dir, secure, state): Layout, named: bool, name: &str) {
    let (dir_path, secure_path, state_path) = (place.path(dir), place.path(secure), place.path(state));
    let expected = ClaudeHome { dir: dir_path, secure: secure_path, state: state_path, named, item: None };
    assert_eq!(*home, expected, "{name}");
    assert_eq!(home.credentials(), place.path(secure).join(".credentials.json"), "{name}");
    assert_eq!(home.settings(), place.path(dir).join("settings.json"), "{name}");
    assert_eq!(home.sessions(), place.path(dir).join("sessions"), "{name}");
}

#[test]
fn the_environment_says_where_everything_lies() {
    const PLAIN: Layout = (".claude", ".claude", ".claude.json");
    let place = Place::new("home-env");
    let path = |relative: &str| text(&place.path(relative)).to_owned();
    for (name, config, secure, layout, named) in [
        ("neither", None, None, PLAIN, false),
        ("a config home", Some(path("work")), None, ("work", "work", "work/.claude.json"), true),
        ("an empty one is none", Some(String::new()), None, PLAIN, false),
        ("~/.claude, named", Some(path(".claude")), None, (".claude", ".claude", ".claude/.claude.json"), true),
        ("a store", None, Some(path("safe")), (".claude", "safe", ".claude.json"), false),
        ("both", Some(path("work")), Some(path("safe")), ("work", "safe", "work/.claude.json"), true),
        ("an empty store", Some(path("work")), Some(String::new()), ("work", ".claude", "work/.claude.json"), true),
        ("an empty store alone", None, Some(String::new()), PLAIN, false),
    ] {
        let config = config.iter().map(|value| (CONFIG, value.as_str()));
        let env: Vec<_> = config.chain(secure.iter().map(|value| (SECURE, value.as_str()))).collect();
        assert_layout(&place, &laid_out(&place, &env), layout, named, name);
    }
}

#[test]
fn a_relative_directory_is_refused_by_its_variable() {
    let place = Place::new("home-relative");
    for (name, env, variable) in [
        ("config", [(CONFIG, "work"), ("UNUSED", "")], CONFIG),
        ("store", [(SECURE, "./safe"), ("UNUSED", "")], SECURE),
        ("both", [(CONFIG, "~/work"), (SECURE, "safe")], CONFIG),
    ] {
        match ClaudeHome::of(&place.host(&env), &place.disk) {
            Err(error @ Error::Relative { .. }) => assert!(error.to_string().starts_with(variable), "{name}: {error}"),
            other => panic!("{name}: {other:?}"),
        }
    }
}

#[test]
fn a_legacy_state_file_wins_where_it_exists() {
    let place = Place::new("home-legacy");
    place.put("work/.config.json", "{}");
    let work = text(&place.path("work")).to_owned();
    assert_eq!(laid_out(&place, &[]).state, place.path(".claude.json"), "another home's does not count");
    assert_eq!(laid_out(&place, &[(CONFIG, &work)]).state, place.path("work/.config.json"), "named");
    place.put(".claude/.config.json", "{}");
    assert_eq!(laid_out(&place, &[]).state, place.path(".claude/.config.json"), "default");
    assert_eq!(
        laid_out(&place, &[(SECURE, &work)]).state,
        place.path(".claude/.config.json"),
        "the store's does not count"
    );
}

#[cfg(unix)]
#[test]
fn a_legacy_state_file_may_be_a_link_but_not_to_nothing() {
    let place = Place::new("home-legacy-link");
    place.link(".claude/.config.json", "elsewhere.json");
    assert_eq!(laid_out(&place, &[]).state, place.path(".claude.json"));
    place.put(".claude/elsewhere.json", "{}");
    assert_eq!(laid_out(&place, &[]).state, place.path(".claude/.config.json"));
}

#[test]
fn a_home_can_be_named_without_an_environment() {
    let place = Place::new("home-at");
    let work = place.path("work");
    let host = place.host(&[(CONFIG, text(&work)), (SECURE, text(&work))]);
    let plain = ClaudeHome::default_of(&host, &place.disk);
    assert_layout(&place, &plain, (".claude", ".claude", ".claude.json"), false, "whatever the environment says");
    assert_eq!(ClaudeHome::at(&place.path(".claude"), &host, &place.disk), plain, "by its directory");
    let other = ClaudeHome::at(&work, &host, &place.disk);
    assert_layout(&place, &other, ("work", "work", "work/.claude.json"), true, "another");
}

#[test]
fn the_locks_are_claude_codes_own() {
    let place = Place::new("home-locks");
    let path = |relative: &str| text(&place.path(relative)).to_owned();
    let both = [(CONFIG, path("work")), (SECURE, path("safe"))];
    for (name, env, paths) in [
        (
            "default",
            &both[..0],
            [".claude/.oauth_refresh.lock", ".claude.lock", ".claude/.storage-write.lock", ".claude.json.lock"],
        ),
        (
            "named",
            &both[..1],
            ["work/.oauth_refresh.lock", "work.lock", "work/.storage-write.lock", "work/.claude.json.lock"],
        ),
        (
            "a store of its own",
            &both[..],
            ["safe/.oauth_refresh.lock", "safe.lock", "safe/.storage-write.lock", "work/.claude.json.lock"],
        ),
    ] {
        let env: Vec<_> = env.iter().map(|(variable, value)| (*variable, value.as_str())).collect();
        let locks = laid_out(&place, &env).locks(&place.disk);
        // The order in which Claude Code takes them, each with the age at which it takes one for abandoned.
        let found =
            [locks.refresh, locks.legacy, locks.storage, locks.state].map(|lock| (lock.path, lock.stale.as_secs()));
        let expected = [(paths[0], 60), (paths[1], 60), (paths[2], 15), (paths[3], 10)];
        assert_eq!(found, expected.map(|(path, stale)| (place.path(path), stale)), "{name}");
    }
    let legacy = place.put(".claude/.config.json", "{}");
    let lock = laid_out(&place, &[]).locks(&place.disk).state.path;
    assert_eq!(lock, legacy.with_file_name(".config.json.lock"), "the legacy state file has its own");
}

#[cfg(unix)]
#[test]
fn links_move_the_legacy_lock_alone() {
    let place = Place::new("home-links");
    place.put("dotfiles/real/settings.json", "{}");
    place.put("dotfiles/state.json", "{}");
    place.link("dotfiles/claude", "real");
    place.link("by-name", "dotfiles/../dotfiles/./claude");
    place.link("state-home/.claude.json", "../dotfiles/state.json");
    let named = |relative: &str| ClaudeHome::at(&place.path(relative), &place.host(&[]), &place.disk);

    let home = named("by-name");
    assert_eq!(home.real(&place.disk), place.path("dotfiles/real"));
    let locks = home.locks(&place.disk);
    assert_eq!(locks.refresh.path, place.path("by-name/.oauth_refresh.lock"));
    assert_eq!(locks.legacy.path, place.path("dotfiles/real.lock"), "beside the real directory");
    assert_eq!(locks.storage.path, place.path("by-name/.storage-write.lock"));
    assert_eq!(
        named("state-home").locks(&place.disk).state.path,
        place.path("state-home/.claude.json.lock"),
        "beside the name of the state file, also where it is a link"
    );
    assert_eq!(named("dotfiles/claude").real(&place.disk), home.real(&place.disk), "two names of one home");
}

#[cfg(unix)]
#[test]
fn a_real_path_is_found_as_far_as_it_goes() {
    let place = Place::new("home-real");
    place.put("real/.keep", "");
    place.link("absolute", place.path("real"));
    place.link("nowhere", "gone/deeper");
    place.link("circle", "circle");
    for (name, path, expected) in [
        ("plain", "real", Some("real")),
        ("not there yet", "real/new/home", Some("real/new/home")),
        ("below a link that names it all", "absolute/new", Some("real/new")),
        ("a link to nothing", "nowhere", Some("gone/deeper")),
        ("up and down", "real/../real/.", Some("real")),
        ("in a circle", "circle", None),
    ] {
        let home = ClaudeHome::at(&place.path(path), &place.host(&[]), &place.disk);
        let real = home.real(&place.disk);
        assert!(expected.is_none_or(|expected| real == place.path(expected)), "{name}: {}", real.display());
    }
}
