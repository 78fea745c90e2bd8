//! Which program is taken for `claude`.
#![expect(clippy::disallowed_methods, reason = "tests arrange a throw-away home by hand")]

use std::os::unix::fs::PermissionsExt as _;
use std::path::Path;

use clauth_host::{Env, Host};
use clauth_sandbox::World;

use super::parent::world;
use crate::child::find;

fn put(path: &Path, text: &str, mode: u32) {
    std::fs::create_dir_all(path.parent().expect("a directory")).expect("a directory");
    std::fs::write(path, text).expect("a file");
    std::fs::set_permissions(path, std::fs::Permissions::from_mode(mode)).expect("a mode");
}

/// The choice, below the home, or the exit code.
fn choice(world: &World, named: Option<&str>, path: &[&str]) -> Result<String, u8> {
    let home = world.home();
    let path = std::env::join_paths(path.iter().map(|entry| home.join(entry))).expect("a path");
    let mut env = vec![("HOME", home.as_os_str().to_owned()), ("PATH", path)];
    env.extend(named.map(|named| ("CLAUTH_CLAUDE", home.join(named).into_os_string())));
    let host = Host::from_env(env.into_iter().collect::<Env>()).expect("a host");
    match find(&Host { sandbox: false, ..host }) {
        Ok(path) => Ok(path.strip_prefix(home).expect("in the home").display().to_string()),
        Err(failure) => Err(failure.exit_code()),
    }
}

#[test]
fn the_first_claude_that_can_be_run_and_is_not_ourselves_is_taken() {
    let world = world("child-choice");
    let at = |name: &str| world.home().join(name);
    put(&at("one/claude"), "#!/bin/sh\n", 0o755);
    put(&at("two/claude"), "#!/bin/sh\n", 0o755);
    put(&at("barred/claude"), "#!/bin/sh\n", 0o644);
    put(&at("wrapper/claude"), "#!/bin/sh\nexec clauth start work \"$@\"\n", 0o755);
    std::fs::create_dir_all(at("folder/claude")).expect("a directory");
    std::fs::create_dir_all(at("us")).expect("a directory");
    std::os::unix::fs::symlink(std::env::current_exe().expect("us"), at("us/claude")).expect("a link");
    type Row<'a> = (&'a str, Option<&'a str>, &'a [&'a str], Result<&'a str, u8>);
    let rows: [Row<'_>; 13] = [
        ("the first", None, &["one", "two"], Ok("one/claude")),
        ("after nothing", None, &["none", "two"], Ok("two/claude")),
        ("after a directory", None, &["folder", "two"], Ok("two/claude")),
        ("after one that is barred", None, &["barred", "two"], Ok("two/claude")),
        ("after a script that calls us", None, &["wrapper", "two"], Ok("two/claude")),
        ("after ourselves", None, &["us", "two"], Ok("two/claude")),
        ("none", None, &["none", "folder"], Err(127)),
        ("only a barred one", None, &["barred"], Err(126)),
        ("only a script that calls us", None, &["wrapper"], Err(126)),
        ("a named one", Some("two/claude"), &["one"], Ok("two/claude")),
        ("a named one that is not there", Some("none"), &["one"], Err(127)),
        ("a named one that is barred", Some("barred/claude"), &["one"], Err(126)),
        ("ourselves by name", Some("us/claude"), &["one"], Err(126)),
    ];
    for (name, named, path, expected) in rows {
        assert_eq!(choice(&world, named, path), expected.map(str::to_owned), "{name}");
    }
}
