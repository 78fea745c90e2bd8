//! What the child is given, and what its end becomes.
#![expect(clippy::disallowed_methods, reason = "tests inspect a throw-away home by hand")]

use clauth_sandbox::world::{DEADLINE, run};

use super::parent::{parent, script, signals_are_ignored, world};

/// Point 12: arguments exactly as given, empty ones and a leading `--` included.
#[test]
fn words_arrive_byte_for_byte() {
    let world = world("child-words");
    let script = script(
        &world,
        "#!/bin/sh\n[ $# = 0 ] || printf '%s\\0' \"$@\" > words.seen; pwd > pwd.seen; echo \"$CLAUDE_CONFIG_DIR\" > home.seen\n",
    );
    let words: &[&[u8]] = &[b"", b"--", b"-p", b"two words", b"--help", b"\xff\n\t", b"'\"$HOME`*", b""];
    let output = run(parent(&world, &script, words), DEADLINE).success();
    assert_eq!(output.stderr, "");
    let seen = |name: &str| std::fs::read(world.home().join(name)).expect("what was seen");
    assert_eq!(seen("words.seen"), seen("words"));
    assert_eq!(seen("pwd.seen"), [world.home().to_str().expect("text").as_bytes(), b"\n"].concat());
    assert_eq!(seen("home.seen"), b"/nowhere\n");
}

/// Point 12: the exit code, as in the contract.
#[test]
fn the_end_of_the_child_is_the_exit_code() {
    if signals_are_ignored() {
        return;
    }
    for (name, text, code) in [
        ("well", "#!/bin/sh\nexit 0\n", 0),
        ("not so well", "#!/bin/sh\nexit 7\n", 7),
        ("the last code", "#!/bin/sh\nexit 255\n", 255),
        ("terminated", "#!/bin/sh\nkill -TERM $$\n", 143),
        ("interrupted", "#!/bin/sh\nkill -INT $$\n", 130),
        ("killed", "#!/bin/sh\nkill -KILL $$\n", 137),
        ("no interpreter", "#!/nowhere/sh\n", 126),
        ("no program", "\u{0}\u{1}\u{2}", 126),
    ] {
        let world = world("child-end");
        let output = run(parent(&world, &script(&world, text), &[]), DEADLINE);
        assert_eq!(output.code, Some(code), "{name}: {output:?}");
    }
}

/// Point 12: stdio and working directory untouched.
#[test]
fn streams_are_the_childs_own_unless_it_stands_aside() {
    let world = world("child-streams");
    let script = script(&world, "#!/bin/sh\nread -r line; echo \"out $line\"; echo \"err $line\" >&2\n");
    for (aside, out, err) in [("0", true, "err spoken\n"), ("1", false, "out spoken\nerr spoken\n")] {
        let mut command = parent(&world, &script, &[]);
        let input = world.home().join("input");
        std::fs::write(&input, "spoken\n").expect("input");
        command.stdin(std::fs::File::open(&input).expect("input")).env("CHILD_TEST_ASIDE", aside);
        let output = run(command, DEADLINE).success();
        assert_eq!((output.stdout.contains("out spoken"), output.stderr.as_str()), (out, err), "aside {aside}");
    }
}
