//! What the tests share.

use std::path::Path;

use crate::{Account, World, now_ms};

/// A world signed in as A, whose access token is past.
pub(super) fn expired(name: &str) -> World {
    let world = World::new(name);
    let first = world.sign_in(&Account::a());
    world.store_login(&first.expiring_at(now_ms() - 1));
    world
}

pub(super) fn names(directory: &Path) -> Vec<String> {
    let found = std::fs::read_dir(directory).expect("a directory");
    let mut names: Vec<_> = found.flatten().map(|entry| entry.file_name().to_string_lossy().into_owned()).collect();
    names.sort();
    names
}
