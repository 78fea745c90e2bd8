//! The home: what is in it, that it goes, and what its picture shows.

use super::*;
use crate::{Account, Login, Pair, disk};

#[test]
fn a_home_is_private_marked_and_goes() {
    let world = World::new("home");
    let home = world.home().to_path_buf();
    refuse_unmarked(&home);
    let picture = world.snapshot();
    let expected = [
        ".claude",
        ".claude.json",
        ".claude/projects",
        ".claude/settings.json",
        ".clauth",
        ".clauth/.sandbox",
        ".sandbox",
        "bin",
    ];
    assert_eq!(picture.keys().map(String::as_str).collect::<Vec<_>>(), expected);
    if cfg!(unix) {
        assert_eq!((&picture[".claude"], &picture[".clauth"]), (&Entry::Dir(0o700), &Entry::Dir(0o700)));
    }
    drop(world);
    assert!(!home.exists());
    assert!(std::panic::catch_unwind(|| refuse_unmarked(&home)).is_err());
}

#[test]
fn a_kept_home_stays() {
    let mut world = World::new("keep");
    let home = world.keep().to_path_buf();
    drop(world);
    assert!(home.is_dir());
    disk::remove_tree(&home).expect("ours");
}

#[cfg(unix)]
#[test]
fn removal_never_follows_a_link() {
    let outside = World::new("outside");
    std::fs::write(outside.home().join("precious"), "x").expect("writable");
    let world = World::new("inside");
    std::os::unix::fs::symlink(outside.home(), world.home().join("link")).expect("free");
    std::fs::set_permissions(world.claude_dir(), std::os::unix::fs::PermissionsExt::from_mode(0o500)).expect("ours");
    let home = world.home().to_path_buf();
    drop(world);
    assert!(!home.exists());
    assert!(outside.home().join("precious").exists());
}

#[test]
fn pictures_tell_what_changed_and_who_holds_a_token() {
    let world = World::new("picture");
    let before = world.snapshot();
    world.sign_in(&Account::a());
    let after = world.snapshot();
    let told = changes(&before, &after);
    assert!(told.contains(&"+ .claude/.credentials.json".to_owned()), "{told:?}");
    assert!(told.contains(&"~ .claude.json".to_owned()), "{told:?}");
    assert!(changes(&after, &after).is_empty());
    if cfg!(unix) {
        assert!(matches!(after[".claude/.credentials.json"], Entry::File(0o600, _)));
    }
    assert_eq!(holders(&after, &Pair::new("A", 1).refresh()), [".claude/.credentials.json"]);
    world.store_login(&Login::new(&Account::a(), Pair::new("A", 12)));
    assert!(holders(&world.snapshot(), &Pair::new("A", 1).refresh()).is_empty());
}

#[test]
fn files_in_words() {
    let world = World::new("words");
    assert_eq!((world.live().as_str(), world.identity().as_str()), ("missing", "none"));
    world.sign_in(&Account::a());
    let second = world.sign_in(&Account::a().with_organization('P'));
    assert_eq!((world.live(), world.identity()), (second.pair.to_string(), "AXP".to_owned()));
    assert_eq!(world.sign_in(&Account::a()).pair.family, "AB");
    std::fs::write(world.credentials_path(), "{").expect("writable");
    assert_eq!(world.live(), "torn");
}
