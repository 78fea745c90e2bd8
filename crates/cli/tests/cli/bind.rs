//! Directories that are bound to profiles.

use std::path::Path;

use crate::stage::Stage;

/// What `which` says of a directory.
fn bound(stage: &Stage, dir: &Path) -> Option<String> {
    let mut command = stage.command(&["which", "--json"]);
    command.current_dir(dir);
    let document = crate::stage::finish(command).success().json();
    document["binding"]["profile"].as_str().map(str::to_owned)
}

fn make(stage: &Stage, below: &str) -> std::path::PathBuf {
    let dir = stage.world.home().join(below);
    std::fs::create_dir_all(&dir).expect("a directory");
    dir
}

#[test]
fn the_nearest_binding_holds_and_nothing_else_changes() {
    let stage = Stage::two("b-near");
    let (job, deep) = (make(&stage, "job"), make(&stage, "job/deep/er"));
    let before = stage.world.snapshot();
    stage.ok(&["bind", "a", "job"]);
    assert_eq!(stage.changes(&before), ["+ .clauth/bindings.toml"]);
    stage.ok(&["bind", "b", "job/deep"]);
    for (name, dir, expected) in [
        ("itself", job.as_path(), Some("a")),
        ("below the nearer one", &deep, Some("b")),
        ("above", stage.world.home(), None),
    ] {
        assert_eq!(bound(&stage, dir).as_deref(), expected, "{name}");
    }
    assert_eq!(stage.json(&["which"])["profile"], "b", "plain claude does not follow it");
    let twice = stage.json(&["bind", "a", "job/"]);
    assert_eq!(twice["changed"], false, "{twice}");
    let other = stage.json(&["bind", "b", "job/."]);
    assert_eq!((&other["changed"], &other["before"]), (&true.into(), &"a".into()));
    assert_eq!(stage.json(&["unbind", "job/deep"])["profile"], "b");
    assert_eq!(bound(&stage, &deep).as_deref(), Some("b"), "now by the one above");
    assert_eq!(stage.json(&["unbind", "job/deep"])["changed"], false);
    assert!(stage.run(&["unbind", "job/deep"]).success().stderr.contains("still holds"));
}

#[test]
fn a_renamed_profile_keeps_its_bindings_and_a_removed_one_loses_them() {
    let stage = Stage::two("b-names");
    let (one, two) = (make(&stage, "one"), make(&stage, "two"));
    let file = stage.world.root().join("bindings.toml");
    let text = format!(
        "# mine\n[bindings]\n\"{}\" = \"a\" # first\n\"{}\" = \"b\"\n\n[later]\nx = 1.10\n",
        one.display(),
        two.display()
    );
    if cfg!(windows) {
        return;
    }
    std::fs::write(&file, &text).expect("a file");
    stage.ok(&["rename", "a", "alpha"]);
    let read = || std::fs::read_to_string(&file).expect("the file");
    assert_eq!(read(), text.replace("\"a\" # first", "\"alpha\" # first"));
    assert_eq!(bound(&stage, &one).as_deref(), Some("alpha"));
    stage.ok(&["remove", "alpha", "--yes"]);
    assert_eq!(bound(&stage, &one), None);
    assert_eq!(read(), format!("# mine\n[bindings]\n\"{}\" = \"b\"\n\n[later]\nx = 1.10\n", two.display()));
}

#[cfg(unix)]
#[test]
fn links_and_directories_that_are_gone_are_handled() {
    let stage = Stage::two("b-links");
    let (real, inside) = (make(&stage, "real"), make(&stage, "real/inside"));
    let link = stage.world.home().join("link");
    std::os::unix::fs::symlink(&real, &link).expect("a link");
    stage.ok(&["bind", "a", "link"]);
    assert_eq!(stage.json(&["bind"])["bindings"][0]["dir"], link.display().to_string(), "as it was named");
    assert_eq!(bound(&stage, &inside).as_deref(), Some("a"), "by its real path");
    assert_eq!(stage.json(&["bind", "b", "real"])["before"], "a", "one directory, one binding");
    assert_eq!(stage.json(&["bind"])["bindings"].as_array().map(Vec::len), Some(1));

    // The working directory is removed under a shell that stands in it.
    let script = format!("cd '{}' && rm -r '{}' && exec \"$@\"", inside.display(), inside.display());
    let asked = stage.command(&["which", "--json"]);
    let mut shell = stage.world.command(Path::new("/bin/sh"), None);
    shell.args(["-c", &script, "sh"]).arg(asked.get_program()).args(asked.get_args());
    let document = crate::stage::finish(shell).success().json();
    assert_eq!(document["binding"]["profile"], "b", "{document}");

    // A bound directory that is gone can still be named, and let go.
    std::fs::remove_dir_all(&real).expect("gone");
    let let_go = stage.json(&["unbind", "link"]);
    assert_eq!((&let_go["changed"], &let_go["profile"]), (&true.into(), &"b".into()));
}

#[test]
fn what_cannot_be_bound_is_refused() {
    let stage = Stage::two("b-refused");
    let before = stage.world.snapshot();
    for (name, words, kind) in [
        ("nobody", &["bind", "nobody"][..], "not_found"),
        ("nowhere", &["bind", "a", "nowhere"], "not_found"),
        ("a file", &["bind", "a", ".claude.json"], "not_found"),
    ] {
        assert_eq!(stage.json(words)["error"]["kind"], kind, "{name}");
        assert_eq!(stage.changes(&before), Vec::<String>::new(), "{name}");
    }
    let file = stage.world.root().join("bindings.toml");
    for (name, text) in [("torn", "[bindings\n"), ("no table", "bindings = 1\n")] {
        std::fs::write(&file, text).expect("a file");
        for words in [&["bind"][..], &["bind", "a"], &["rename", "a", "c"], &["which"]] {
            assert_eq!(stage.json(words)["error"]["kind"], "unreadable", "{name}: {words:?}");
        }
        assert_eq!(std::fs::read_to_string(&file).expect("the file"), text, "{name}");
    }
}
