//! What Claude Code writes in the place of a session's credential comes home (L4, S2, S3).
#![expect(clippy::disallowed_methods, reason = "tests arrange and inspect a throw-away home by hand")]

use std::path::Path;
use std::sync::Arc;

use clauth_host::{Env, Host};
use clauth_sandbox::{Account, Claude, Login, Pair, World, now_ms};

use super::stage::{modes, usual};
use crate::session::{Holder, LinkMode, Place, Tended};
use crate::{Engine, Options, Target};

/// Two captured profiles, and the tree of `a`, made by hand.
pub(super) struct Flat {
    pub(super) world: World,
    pub(super) place: Place,
    /// Somebody lives in the tree, so that no command takes it down.
    holder: Option<Holder>,
}

impl Flat {
    /// `b` is live and `a` parked.
    pub(super) fn parked(mode: LinkMode) -> Self {
        let world = World::create_in(Path::new("/dev/shm"), "tend").unwrap_or_else(|_| World::new("tend"));
        let env: Env = world.env(None).into_iter().collect();
        let engine = Engine::new(Host::from_env(env).expect("a sandbox host"), Arc::new(|_| {}));
        for (account, name) in [(Account::a(), "a"), (Account::b(), "b")] {
            world.sign_in(&account);
            engine.capture(Some(name), false).expect("a capture");
        }
        let place = Place::of(&engine.root, "a");
        let flat = Self { holder: Some(Holder::take(&engine.disk, &place).expect("a holder")), place, world };
        flat.furnish(mode);
        flat
    }

    /// `a` is live, so its session has a bearer copy.
    pub(super) fn lent(mode: LinkMode) -> Self {
        let flat = Self::parked(mode);
        flat.engine().switch(Target::Named("a"), Options::default()).expect("a switch");
        flat.furnish(mode);
        flat
    }

    /// Nobody lives in the tree any more.
    pub(super) fn leave(&mut self) {
        let holder = self.holder.take().expect("somebody who lives there");
        assert!(holder.release(&self.engine().disk).expect("released"));
    }

    pub(super) fn furnish(&self, mode: LinkMode) {
        let disk = &self.engine().disk;
        disk.ensure_dir(&self.place.tree).expect("a directory");
        // A tree of ours was seeded, whatever is known of what with.
        disk.ensure_dir(&self.place.base).expect("a directory");
        disk.replace(&self.place.base.join("claude.json"), b"{}", clauth_durable::Mode::Private).expect("a base");
        self.place.record_mode(disk, mode).expect("recorded");
        disk.remove_file(&self.place.credential()).expect("removed");
        match mode {
            LinkMode::Real => disk.vfs.symlink(&self.place.slot, &self.place.credential()).expect("a link"),
            LinkMode::Copy => {
                let slot = disk.read(&self.place.slot).expect("readable").expect("a slot");
                disk.replace(&self.place.credential(), &slot, clauth_durable::Mode::Private).expect("a copy");
            }
        }
    }

    pub(super) fn engine(&self) -> Engine {
        let env: Env = self.world.env(None).into_iter().collect();
        Engine::new(Host::from_env(env).expect("a sandbox host"), Arc::new(|_| {}))
    }

    pub(super) fn claude(&self) -> Claude {
        self.world.claude_in(&self.place.tree)
    }

    pub(super) fn tend(&self) -> Tended {
        self.engine().tend(&self.place).expect("tended")
    }

    pub(super) fn slot(&self) -> String {
        self.world.login_at(&self.place.slot)
    }

    pub(super) fn tree(&self) -> String {
        self.world.login_at(&self.place.credential())
    }

    pub(super) fn is_link(&self) -> bool {
        self.engine().disk.vfs.read_link(&self.place.credential()).is_ok_and(|target| target == self.place.slot)
    }

    pub(super) fn vault(&self) -> usize {
        self.engine().vault().expect("a vault").len()
    }

    /// A login as a sign-in in the session leaves it, old enough to be believed.
    pub(super) fn sign_in(&self, login: &Login) {
        self.claude().sign_in(&login.account).expect("signed in");
        self.put(login);
    }

    fn put(&self, login: &Login) {
        self.world.edit_json(&self.place.credential(), |object| {
            object.insert("claudeAiOauth".into(), login.oauth());
        });
        self.age();
    }

    /// A login that nothing but the tree's state file could name.
    fn put_unnamed(&self, login: &Login) {
        self.claude().rotate_offline();
        self.world.edit_json(&self.place.credential(), |object| drop(object.remove("organizationUuid")));
        self.put(login);
    }

    /// What is in the tree was written a minute ago.
    fn age(&self) {
        let disk = &self.engine().disk;
        let old = disk.clock.file_now() - jiff::SignedDuration::from_secs(60);
        disk.vfs.set_modified(&self.place.credential(), old).expect("a time");
    }

    /// The stored login as older versions of Claude Code store it: without its own end.
    fn without_end(mode: LinkMode) -> Self {
        let flat = Self::parked(mode);
        flat.world.edit_json(&flat.place.slot, without_end);
        flat.furnish(mode);
        assert_eq!(flat.tend(), Tended::Quiet);
        flat
    }

    /// Claude Code renews it in the session, and names nobody.
    fn renew_without_end(&self) {
        self.claude().rotate_offline();
        self.world.edit_json(&self.place.credential(), without_end);
        assert_eq!(self.tend(), Tended::Later, "half of a sign-in looks like this (O1)");
        self.age();
    }
}

fn without_end(object: &mut serde_json::Map<String, serde_json::Value>) {
    object["claudeAiOauth"].as_object_mut().expect("a login").remove("refreshTokenExpiresAt");
}

#[test]
fn what_a_session_renews_comes_home() {
    for &mode in modes() {
        let flat = Flat::parked(mode);
        assert_eq!(flat.tend(), Tended::Quiet, "{mode:?}");
        flat.claude().rotate_offline();
        assert_eq!((flat.tree().as_str(), flat.slot().as_str()), ("A2", "A1"), "{mode:?}");
        assert_eq!(flat.tend(), Tended::Adopted, "{mode:?}");
        assert_eq!((flat.tree().as_str(), flat.slot().as_str()), ("A2", "A2"), "{mode:?}");
        assert_eq!(flat.is_link(), mode == LinkMode::Real, "{mode:?}: the link is back");
        assert_eq!(flat.tend(), Tended::Quiet, "{mode:?}");
        assert_eq!(flat.vault(), 0, "{mode:?}: what it came from is used up");
        let custody = flat.engine().custody(Some("a")).expect("custody");
        assert_eq!(custody[0].spent.len(), 1, "{mode:?}");
    }
}

/// Ends by two clocks say nothing of which login is the later (S3): one that came of the stored one is.
#[test]
fn what_a_session_renews_after_the_clock_was_set_back_comes_home() {
    for &mode in modes() {
        let flat = Flat::parked(mode);
        flat.place.note_given(&flat.engine().disk);
        flat.claude().rotate_offline();
        let in_tree = flat.place.credential();
        flat.world.edit_json(&in_tree, |object| {
            let ends = object["claudeAiOauth"]["expiresAt"].as_u64().expect("an end");
            object["claudeAiOauth"]["expiresAt"] = (ends - 10 * 3_600_000).into();
        });
        let disk = &flat.engine().disk;
        let now = disk.clock.file_now();
        disk.vfs.set_modified(&in_tree, now - jiff::SignedDuration::from_secs(60)).expect("a time");
        assert_eq!(flat.tend(), Tended::Adopted, "{mode:?}");
        assert_eq!((flat.slot().as_str(), flat.vault()), ("A2", 0), "{mode:?}");
    }
}

#[test]
fn a_switch_brings_home_what_a_session_renewed_and_leaves_it_a_bearer_copy() {
    for &mode in modes() {
        let flat = Flat::parked(mode);
        flat.claude().rotate_offline();
        flat.engine().switch(Target::Named("a"), Options::default()).expect("a switch");
        assert_eq!(flat.world.live(), "A2", "{mode:?}");
        assert_eq!((flat.tree().as_str(), flat.slot().as_str()), ("A2 bearer", "A2 bearer"), "{mode:?}");
        flat.engine().switch(Target::Named("b"), Options::default()).expect("a switch");
        assert_eq!((flat.tree().as_str(), flat.slot().as_str()), ("A2", "A2"), "{mode:?}: the session renews again");
    }
}

#[test]
fn another_accounts_login_stays_in_the_session_and_never_enters_the_slot() {
    let flat = Flat::parked(usual());
    let login = Login::new(&Account::c(), Pair::new("C", 1));
    flat.sign_in(&login);
    let Tended::Foreign { whose, new: true, .. } = flat.tend() else { panic!("it is foreign") };
    assert_eq!(whose, "carol@example.invalid");
    assert_eq!((flat.tree().as_str(), flat.slot().as_str(), flat.vault()), ("C1", "A1", 1));
    assert!(matches!(flat.tend(), Tended::Foreign { new: false, .. }), "reported once (S2)");
    assert_eq!(flat.vault(), 1, "it is kept once");
    flat.engine().switch(Target::Named("a"), Options::default()).expect("it stops nothing");
    assert_eq!((flat.tree().as_str(), flat.world.live().as_str()), ("C1", "A1"));
}

#[test]
fn a_new_sign_in_of_the_same_account_takes_the_place_of_the_stored_login() {
    let flat = Flat::parked(usual());
    let later = now_ms() + 40 * 24 * 3_600_000;
    let login =
        Login::new(&Account::a(), Pair::new("AB", 1)).expiring_at(now_ms() + 30 * 3_600_000).ending_at(Some(later));
    flat.sign_in(&login);
    assert_eq!(flat.tend(), Tended::Adopted);
    assert_eq!((flat.slot().as_str(), flat.vault()), ("AB1", 1), "what it displaced is kept");
}

#[test]
fn a_sign_in_while_the_login_is_lent_waits_beside_the_loan() {
    let Some(&links) = modes().iter().find(|mode| **mode == LinkMode::Real) else { return };
    let flat = Flat::lent(links);
    assert_eq!(flat.slot(), "A1 bearer");
    let later = now_ms() + 40 * 24 * 3_600_000;
    flat.sign_in(&Login::new(&Account::a(), Pair::new("AB", 1)).ending_at(Some(later)));
    assert_eq!(flat.tend(), Tended::Adopted);
    assert_eq!((flat.slot().as_str(), flat.world.live().as_str()), ("AB1", "A1"));
    flat.engine().switch(Target::Named("b"), Options::default()).expect("a switch");
    assert_eq!((flat.slot().as_str(), flat.vault()), ("AB1", 1), "what came back did not replace it (S9)");
}

/// Point 6: a mirror has the guards that a link has (point 5).
#[test]
fn what_is_no_login_is_never_adopted() {
    let rows = [
        ("empty object", "{}", Tended::Later),
        ("torn", "{\"claudeAiOauth\":{\"acc", Tended::Later),
        ("blank tokens", "{\"claudeAiOauth\":{\"accessToken\":\"\",\"refreshToken\":\"\"}}", Tended::Later),
    ];
    for &mode in modes() {
        for (name, text, expected) in rows.clone() {
            let flat = Flat::parked(mode);
            std::fs::remove_file(flat.place.credential()).expect("the link");
            std::fs::write(flat.place.credential(), text).expect("a file");
            assert_eq!(flat.tend(), expected, "{name}, {mode:?}");
            assert_eq!((flat.slot().as_str(), flat.vault()), ("A1", 0), "{name}, {mode:?}");
            flat.engine().switch(Target::Named("a"), Options::default()).map(drop).err();
            assert_eq!(flat.slot().chars().next(), Some('A'), "{name}, {mode:?}");
        }
        let flat = Flat::parked(mode);
        std::fs::remove_file(flat.place.credential()).expect("the link");
        assert_eq!(flat.tend(), Tended::SignedOut, "{mode:?}: and not refilled");
        assert!(!flat.place.credential().exists(), "{mode:?}");
    }
}

/// Point 6: a mirror of the same two files; equal bytes are left alone, of two logins the one that ends later stands, and a tie
/// keeps the stored one (S3).
#[test]
fn a_copied_credential_and_the_slot_say_the_same_and_are_not_rewritten_while_they_do() {
    let flat = Flat::parked(LinkMode::Copy);
    let files = [flat.place.credential(), flat.place.slot.clone()];
    let picture =
        || files.clone().map(|file| (std::fs::read(&file).expect("a file"), flat.engine().disk.vfs.stat(&file).ok()));
    let before = picture();
    for _ in 0..3 {
        assert_eq!(flat.tend(), Tended::Quiet);
    }
    assert_eq!(picture(), before, "neither was touched");
    let ends = flat.world.read_json(&flat.place.slot)["claudeAiOauth"].clone();
    let ends = |key: &str| ends[key].as_u64();
    for (later, expected, slot) in [(0, Tended::Replaced, "A1"), (60_000, Tended::Adopted, "A3")] {
        let pair = Pair::new("A", if later == 0 { 2 } else { 3 });
        let login = Login::new(&Account::a(), pair).expiring_at(ends("expiresAt").expect("an end") + later);
        flat.sign_in(&login.ending_at(ends("refreshTokenExpiresAt")));
        assert_eq!(flat.tend(), expected);
        assert_eq!((flat.slot().as_str(), flat.tree().as_str()), (slot, slot));
    }
    assert_eq!(flat.vault(), 1, "the loser of the tie");
}

#[test]
fn a_used_up_or_older_login_never_replaces_a_newer_one() {
    for &mode in modes() {
        let flat = Flat::parked(mode);
        let old = std::fs::read(&flat.place.slot).expect("a slot");
        flat.claude().rotate_offline();
        assert_eq!(flat.tend(), Tended::Adopted, "{mode:?}");
        std::fs::remove_file(flat.place.credential()).expect("the link");
        std::fs::write(flat.place.credential(), old).expect("an old copy");
        assert_eq!(flat.tend(), Tended::Replaced, "{mode:?}");
        assert_eq!((flat.slot().as_str(), flat.tree().as_str()), ("A2", "A2"), "{mode:?}");
        assert_eq!(flat.is_link(), mode == LinkMode::Real, "{mode:?}");
    }
}

/// O5: whoever signs in is named in the tree's state file.
#[test]
fn what_a_session_renews_comes_home_while_its_tree_names_nobody() {
    for &mode in modes() {
        let flat = Flat::without_end(mode);
        for generation in ["A2", "A3"] {
            flat.renew_without_end();
            assert_eq!(flat.tend(), Tended::Adopted, "{mode:?}");
            assert_eq!((flat.tree().as_str(), flat.slot().as_str()), (generation, generation), "{mode:?}");
        }
        assert_eq!(flat.vault(), 0, "{mode:?}: the organization says that they are one family");
        flat.engine().switch(Target::Named("a"), Options::default()).expect("a switch");
        flat.engine().switch(Target::Named("b"), Options::default()).expect("a switch");
        assert_eq!(flat.tend(), Tended::Quiet, "{mode:?}: it was lent, and is back");
        flat.renew_without_end();
        assert_eq!((flat.tend(), flat.slot().as_str()), (Tended::Adopted, "A4"), "{mode:?}");
    }
}

#[test]
fn a_sign_in_in_a_tree_that_named_nobody_is_never_the_profiles() {
    for &mode in modes() {
        let flat = Flat::without_end(mode);
        flat.sign_in(&Login::new(&Account::c(), Pair::new("C", 1)).ending_at(None));
        assert!(matches!(flat.tend(), Tended::Foreign { new: true, .. }), "{mode:?}");
        // Nor is what becomes of it when its name is gone.
        std::fs::write(flat.place.tree.join(".claude.json"), "{}").expect("a state file");
        flat.put_unnamed(&Login::new(&Account::c(), Pair::new("C", 2)).ending_at(None));
        assert!(matches!(flat.tend(), Tended::Foreign { new: true, .. }), "{mode:?}");
        assert_eq!((flat.slot().as_str(), flat.vault()), ("A1", 2), "{mode:?}");
    }
}

#[test]
fn a_login_in_a_tree_with_a_bearer_copy_was_renewed_from_nothing_there() {
    for &mode in modes() {
        let flat = Flat::lent(mode);
        assert_eq!(flat.tend(), Tended::Quiet, "{mode:?}");
        flat.put_unnamed(&Login::new(&Account::c(), Pair::new("C", 1)).ending_at(None));
        assert!(matches!(flat.tend(), Tended::Foreign { .. }), "{mode:?}");
        assert_eq!(flat.slot(), "A1 bearer", "{mode:?}");
    }
}
