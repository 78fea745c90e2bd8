//! Removal and tightening never follow a link.

use crate::testing::{Picture, Scratch, Seen, disk};

/// A tree with everything in it, and beside it what its links lead to.
fn populated(name: &str) -> Scratch {
    let home = Scratch::new(name);
    home.write("outside/kept", "must stay");
    home.write("single", "must stay");
    home.write("tree/file", "content");
    home.write("tree/deep/er/file", "content");
    home.dir("tree/empty");
    home.link("../outside", "tree/to-dir");
    home.link("../../single", "tree/deep/to-file");
    home.link("nowhere", "tree/dangling");
    home.link(".", "tree/deep/round");
    home.link(home.path("outside"), "alias");
    for name in ["outside", "tree", "tree/deep", "tree/deep/er", "tree/empty"] {
        home.chmod(name, 0o755);
    }
    for name in ["outside/kept", "single", "tree/file", "tree/deep/er/file"] {
        home.chmod(name, 0o664);
    }
    home
}

fn outside(picture: &Picture) -> Picture {
    picture.iter().filter(|(name, _)| !name.starts_with("tree")).map(|(a, b)| (a.clone(), b.clone())).collect()
}

#[test]
fn a_removed_tree_takes_its_links_and_not_what_they_lead_to() {
    let home = populated("tree");
    let before = outside(&home.picture());
    disk().remove_tree(&home.path("tree")).expect("a removed tree");
    assert_eq!(home.picture(), before);
    disk().remove_tree(&home.path("tree")).expect("nothing is there any more");
}

#[test]
fn a_tree_that_is_a_link_is_only_unlinked() {
    let home = populated("unlink");
    let mut expected = home.picture();
    disk().remove_tree(&home.path("alias")).expect("a removed link");
    expected.remove("alias");
    assert_eq!(home.picture(), expected);
}

#[test]
fn a_removed_file_is_the_link_and_a_directory_is_no_file() {
    let home = populated("file");
    let mut expected = home.picture();
    for (name, removed) in [
        ("alias", true),
        ("tree/deep/to-file", true),
        ("tree/dangling", true),
        ("nothing", false),
        ("single/below", false),
    ] {
        assert_eq!(disk().remove_file(&home.path(name)).expect(name), removed, "{name}");
        expected.remove(name);
        assert_eq!(home.picture(), expected, "{name}");
    }
    disk().remove_file(&home.path("tree")).expect_err("a directory");
    disk().remove_file(&home.path("tree/empty")).expect_err("an empty directory");
    assert_eq!(home.picture(), expected);
}

#[test]
fn tightening_takes_others_permissions_below_and_nowhere_else() {
    let home = populated("tighten");
    home.write("tree/program", "#!/bin/sh");
    home.chmod("tree/program", 0o755);
    home.write("tree/read-only", "content");
    home.chmod("tree/read-only", 0o444);
    home.write("tree/private", "content");
    home.chmod("tree/private", 0o600);
    let mut expected = home.picture();
    for (name, seen) in expected.iter_mut().filter(|(name, _)| name.starts_with("tree")) {
        match seen {
            Seen::Dir(mode) => *mode = 0o700,
            Seen::File(_, mode) if name == "tree/program" => *mode = 0o700,
            Seen::File(_, mode) if name == "tree/read-only" => *mode = 0o400,
            Seen::File(_, mode) => *mode = 0o600,
            Seen::Link(_) | Seen::Other => {}
        }
    }
    assert_eq!(disk().tighten(&home.path("tree")).expect("a tightened tree"), 8);
    assert_eq!(home.picture(), expected);
    assert_eq!(disk().tighten(&home.path("tree")).expect("nothing more to do"), 0);
    assert_eq!(disk().tighten(&home.path("alias")).expect("a link"), 0);
    assert_eq!(disk().tighten(&home.path("nothing")).expect("nothing there"), 0);
    assert_eq!(home.picture(), expected);
}
