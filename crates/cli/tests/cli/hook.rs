//! The shell hooks, run by the real shells where they are installed.
#![cfg(unix)]

use std::path::Path;

use clauth_sandbox::Account;

use crate::stage::{Stage, finish};

/// How a shell loads the hook, runs it as before a prompt, and shows the variable.
const SHELLS: [(&str, &[&str], &str, &str); 4] = [
    (
        "bash",
        &["--norc", "--noprofile", "-c"],
        "eval \"$HOOK\"",
        "eval \"$PROMPT_COMMAND\"; echo \"[${CLAUTH_PROFILE-none}]\"",
    ),
    (
        "zsh",
        &["-f", "-c"],
        "eval \"$HOOK\"",
        "for f in $precmd_functions; do $f; done; echo \"[${CLAUTH_PROFILE-none}]\"",
    ),
    (
        "fish",
        &["--no-config", "-c"],
        "echo $HOOK | source",
        "emit fish_prompt; set -q CLAUTH_PROFILE; and echo \"[$CLAUTH_PROFILE]\"; or echo '[none]'",
    ),
    (
        "pwsh",
        &["-NoProfile", "-Command"],
        "Invoke-Expression $env:HOOK",
        "[void](prompt); \"[$(if ($env:CLAUTH_PROFILE) { $env:CLAUTH_PROFILE } else { 'none' })]\"",
    ),
];

#[expect(clippy::print_stdout, reason = "a skipped test says so")]
fn installed(shell: &str) -> Option<std::path::PathBuf> {
    let found = ["/usr/bin", "/bin", "/usr/local/bin"].iter().map(|dir| Path::new(dir).join(shell));
    let found = found.into_iter().find(|path| path.exists());
    if found.is_none() {
        println!("skipped: no {shell} here");
    }
    found
}

/// What the shell shows at its prompts, one after each step.
fn prompts(
    stage: &Stage,
    (shell, flags, load, show): (&str, &[&str], &str, &str),
    steps: &[&str],
) -> Option<Vec<String>> {
    let program = installed(shell)?;
    let hook = stage.run(&["hook", shell]).success().stdout;
    let script: Vec<String> = steps.iter().map(|step| format!("{step}\n{show}")).collect();
    let mut command = stage.world.command(&program, None);
    // No program can be found, so a hook that starts one fails.
    command.args(flags).arg(format!("{load}\n{}", script.join("\n"))).env("HOOK", hook).env("PATH", "/nowhere");
    let output = finish(command).success();
    assert_eq!(output.stderr, "", "{shell}");
    Some(output.stdout.lines().map(str::to_owned).collect())
}

#[test]
fn the_variable_follows_what_claude_would_use() {
    for row in SHELLS {
        let stage = Stage::two("k-follow");
        let set = |name: &str, value: &str| match row.0 {
            "fish" => format!("set -gx {name} '{value}'"),
            "pwsh" => format!("$env:{name} = '{value}'"),
            _ => format!("export {name}='{value}'"),
        };
        let copy = |from: &str| {
            let root = stage.world.root();
            std::fs::create_dir_all(root.join(from)).expect("another root");
            std::fs::copy(root.join("settings.toml"), root.join(from).join("settings.toml")).expect("settings");
            root.join(from)
        };
        let tree = stage.world.root().join("profiles").join("a").join("runtime");
        let steps = [
            set("X", "1"),
            set("CLAUDE_CONFIG_DIR", &tree.display().to_string()),
            set("CLAUDE_CONFIG_DIR", &tree.with_file_name("isolated").join("0123").display().to_string()),
            set("CLAUDE_CONFIG_DIR", "/elsewhere"),
            set("CLAUDE_CONFIG_DIR", &stage.world.claude_dir().display().to_string()),
            set("CLAUTH_HOME", &copy("empty").display().to_string()),
        ];
        let steps: Vec<&str> = steps.iter().map(String::as_str).collect();
        if let Some(seen) = prompts(&stage, row, &steps) {
            assert_eq!(seen, ["[b]", "[a]", "[a]", "[none]", "[b]", "[none]"], "{}", row.0);
        }
        stage.ok(&["switch", "a"]);
        if let Some(seen) = prompts(&stage, row, &["", ""]) {
            assert_eq!(seen, ["[a]", "[a]"], "{}: after a switch", row.0);
        }
    }
}

#[test]
fn a_file_that_is_odd_does_no_harm() {
    for row in SHELLS {
        let stage = Stage::new("k-odd");
        for (name, text, expected) in [
            ("missing", None, "[none]"),
            ("empty", Some(""), "[none]"),
            ("no line end", Some("active_profile = \"work\""), "[work]"),
            ("tight, with a comment", Some("# x\nactive_profile=\"work\" # now\n"), "[work]"),
            ("another key", Some("active_profile_x = \"no\"\nprofiles = [\"a\"]\n"), "[none]"),
            ("in a table", Some("[x]\nactive_profile = \"no\"\n"), "[none]"),
            ("a script", Some("active_profile = \"$(exit 3)`exit 3`\"\n"), "[$(exit 3)`exit 3`]"),
        ] {
            let file = stage.world.root().join("profiles.toml");
            let _ = std::fs::remove_file(&file);
            text.into_iter().for_each(|text| std::fs::write(&file, text).expect("a file"));
            if let Some(seen) = prompts(&stage, row, &[""]) {
                assert_eq!(seen, [expected], "{}: {name}", row.0);
            }
        }
    }
}

#[test]
fn bash_keeps_the_exit_status_and_other_commands_of_the_prompt() {
    let Some(bash) = installed("bash") else { return };
    let stage = Stage::new("k-bash");
    stage.sign_in(&Account::a());
    stage.ok(&["capture", "a"]);
    let hook = stage.run(&["hook", "bash"]).success().stdout;
    let script = "set -u; PROMPT_COMMAND='echo mine:$?'; eval \"$HOOK\"; eval \"$HOOK\"; (exit 3); eval \"$PROMPT_COMMAND\"; echo \"$PROMPT_COMMAND\"";
    let mut command = stage.world.command(&bash, None);
    command.args(["--norc", "--noprofile", "-c", script]).env("HOOK", hook);
    assert_eq!(finish(command).success().stdout, "mine:3\n_clauth_profile;echo mine:$?\n");
}
