//! Completion: what the scripts offer, asked by the real shells where they are installed, and how they get there.
#![cfg(unix)]

use std::os::unix::fs::PermissionsExt as _;
use std::path::{Path, PathBuf};

use clauth_sandbox::Account;

use crate::stage::{PROGRAM, Stage, finish};

#[expect(clippy::print_stdout, reason = "a skipped test says so")]
fn installed(shell: &str) -> Option<PathBuf> {
    let found = ["/usr/bin", "/bin", "/usr/local/bin"].iter().map(|dir| Path::new(dir).join(shell));
    let found = found.into_iter().find(|path| path.exists());
    if found.is_none() {
        println!("skipped: no {shell} here");
    }
    found
}

/// work, home and a.b@c+d, and a directory to complete.
fn stage(name: &str) -> Stage {
    let stage = Stage::new(name);
    for (account, name) in [(Account::a(), "work"), (Account::b(), "home"), (Account::c(), "a.b@c+d")] {
        stage.sign_in(&account);
        stage.ok(&["capture", name]);
    }
    std::fs::create_dir_all(stage.world.home().join("projects/deep")).expect("a directory");
    std::fs::write(stage.world.home().join("paper"), "").expect("a file");
    stage
}

/// How each shell completes a line as it would at its prompt: the script around the line, which is in $LINE.
const SHELLS: [(&str, &[&str], &str); 4] = [
    (
        "bash",
        &["--norc", "--noprofile", "-c"],
        r#"eval "$(clauth completions bash)"
        _fake() { [[ "$1 $3" == "claude --model" ]] && COMPREPLY=(opus "$2!") || COMPREPLY=(--model); }
        complete -F _fake claude
        COMP_LINE=$LINE COMP_POINT=${#LINE}
        set -f; COMP_WORDS=(); rest=$LINE
        while [[ -n $rest ]]; do
            blank=${rest%%[! ]*}; rest=${rest#"$blank"}; [[ -n $rest ]] || { COMP_WORDS+=(''); break; }
            case $rest in [=:@]*) word=${rest:0:1} ;; *) word=${rest%%[ =:@]*} ;; esac
            COMP_WORDS+=("$word"); rest=${rest#"$word"}
        done
        COMP_CWORD=$((${#COMP_WORDS[@]} - 1))
        # As readline has it: an @ belongs to what is replaced.
        word=${COMP_WORDS[COMP_CWORD]}
        [[ $COMP_CWORD -lt 2 || ${COMP_WORDS[COMP_CWORD - 1]} != @ ]] || word=@$word
        case $word in [=:]) word= ;; esac
        _clauth clauth "$word" "${COMP_WORDS[COMP_CWORD - 1]}"
        [[ ${#COMPREPLY[@]} = 0 ]] || printf '%s\n' "${COMPREPLY[@]}""#,
    ),
    (
        "zsh",
        &["-f", "-c"],
        // A shell of its own at a terminal of its own, in which a key is pressed; it lists what it would offer.
        r#"zmodload zsh/zpty
        zpty z "zsh -f -i"
        zpty -w z "PS1=; autoload -Uz compinit; compinit -D -u; eval \"\$(clauth completions zsh)\"; _tab() { zle complete-word; : > \$HOME/done }; zle -N _tab; bindkey '^I' _tab
        _fake() { [[ \$words[CURRENT-1] == --model ]] && compadd opus || compadd -- --model }; compdef _fake claude
        compadd() { local -a all; builtin compadd -A all \"\$@\"; print -rl -- \$all >> \$HOME/offered; builtin compadd \"\$@\" }
        : > \$HOME/offered; zle-line-init() { : > \$HOME/ready }; zle -N zle-line-init"
        while [[ ! -e $HOME/ready ]]; do zpty -r -t z line || sleep 0.02; done
        zpty -n -w z "$LINE"$'\t'
        n=0; while [[ ! -e $HOME/done && n -lt 2000 ]]; do zpty -r -t z line; sleep 0.02; ((n++)); done
        zpty -d z; cat $HOME/offered; rm -f $HOME/offered $HOME/done $HOME/ready"#,
    ),
    (
        "fish",
        &["--no-config", "-c"],
        r#"clauth completions fish | source
        complete -c claude -f -l model -x -a opus
        complete -C "$LINE" | string replace -r '\t.*' ''; true"#,
    ),
    (
        "pwsh",
        &["-NoProfile", "-Command"],
        r#"clauth completions pwsh | Out-String | Invoke-Expression
        (TabExpansion2 $env:LINE $env:LINE.Length).CompletionMatches | ForEach-Object { $_.ListItemText }"#,
    ),
];

/// What a shell offers behind `line`, sorted.
fn offered(stage: &Stage, (shell, flags, script): (&str, &[&str], &str), line: &str) -> Option<Vec<String>> {
    let program = installed(shell)?;
    let mut command = stage.world.command(&program, None);
    let path = format!("{}:/usr/bin:/bin", Path::new(PROGRAM).parent().expect("a directory").display());
    command.args(flags).arg(script).env("LINE", line).env("PATH", path).current_dir(stage.world.home());
    command.env("HOME", stage.world.home()).env("TERM", "dumb");
    let output = finish(command);
    assert_eq!(output.code, Some(0), "{shell}: {line}: {output:?}");
    assert_eq!(output.stderr, "", "{shell}: {line}");
    let mut words: Vec<String> = output.stdout.lines().map(|line| line.trim_end_matches('/').to_owned()).collect();
    words.retain(|word| !word.is_empty());
    words.sort();
    words.dedup();
    Some(words)
}

#[test]
fn the_real_shells_offer_what_can_stand_there() {
    let stage = stage("o-real");
    let all = ["a.b@c+d", "home", "work"];
    for shell in SHELLS {
        for (name, line, expected) in [
            ("profiles", "clauth switch ", &all[..]),
            ("the one that begins so", "clauth switch w", &["work"]),
            ("a session's profile", "clauth start h", &["home"]),
            ("a command", "clauth cus", &["custody"]),
            ("a part of a command", "clauth vault pu", &["purge"]),
            ("a value of a flag", "clauth list --color ne", &["never"]),
            ("a flag behind a bare name", "clauth work --dry", &["--dry-run"]),
            ("claude's own flag", "clauth start work --mod", &["--model"]),
            ("claude's own value", "clauth start work --model op", &["opus"]),
            ("claude's own value behind --", "clauth start -- --model op", &["opus"]),
            ("a directory", "clauth bind work pro", &["projects"]),
            ("nothing that is known", "clauth rename work ", &[]),
        ] {
            let Some(mut words) = offered(&stage, shell, line) else { break };
            // zsh and fish choose by themselves, at their own discretion.
            let begun = line.rsplit(' ').next().unwrap_or_default();
            words.retain(|word| word.starts_with(begun) && word != "opus!");
            if shell.0 == "bash" && name.starts_with("claude's own value") {
                assert!(words.contains(&"opus".to_owned()), "{}: {name}: {words:?}", shell.0);
                continue;
            }
            assert_eq!(words, expected, "{}: {name}", shell.0);
        }
    }
}

#[test]
fn bash_completes_a_name_that_it_breaks_into_words() {
    let stage = stage("o-breaks");
    let bash = SHELLS[0];
    for (line, expected) in [("clauth a.b", "a.b@c+d"), ("clauth a.b@", "@c+d"), ("clauth switch a.b@c", "@c+d")] {
        if let Some(words) = offered(&stage, bash, line) {
            assert!(words.contains(&expected.to_owned()), "{line}: {words:?}");
        }
    }
}

/// What stands on the line of a bash that is typed into, once the key was pressed.
#[test]
fn bash_at_its_prompt_keeps_what_was_typed_of_a_name() {
    let stage = Stage::new("o-prompt");
    let text = "profiles = [\"me@work.com\", \"me@home.org\", \"work\"]\n";
    std::fs::write(stage.world.root().join("profiles.toml"), text).expect("a file");
    for (typed, expected) in [
        ("switch me@w", "switch,me@work.com"),
        ("me@h", "me@home.org"),
        ("switch \"me@w", "switch,me@work.com"),
        ("switch wo", "switch,work"),
        ("switch m", "switch,me@"),
    ] {
        let script = r#"shown() { IFS=,; echo "$*" > "$HOME/shown"; }; export -f shown
        printf 'eval "$(clauth completions bash)"; complete -F _clauth shown\nshown %s\t\nexit\n' "$LINE" |
            bash --norc --noprofile -i > "$HOME/said" 2>&1
        cat "$HOME/shown""#;
        let Some(words) = offered(&stage, ("bash", SHELLS[0].1, script), typed) else { return };
        assert_eq!(words, [expected], "{typed}");
    }
}

#[test]
fn the_hidden_command_answers_as_0_4_0_did_and_never_fails() {
    let stage = stage("o-hidden");
    assert_eq!(stage.run(&["__complete"]).success().stdout, "work\nhome\na.b@c+d\n");
    assert!(!stage.run(&["--help"]).success().stdout.contains("__complete"));
    std::fs::write(stage.world.root().join("profiles.toml"), "torn [").expect("a file");
    for words in [&["__complete"][..], &["__complete", "bash", "--", "switch", ""], &["__complete", "zsh", "--"]] {
        let output = stage.run(words).success();
        assert_eq!((output.stdout.as_str(), output.stderr.as_str()), ("", ""), "{words:?}");
    }
}

/// Names that 0.4.0 let pass, and names that are none.
#[test]
fn odd_names_are_offered_whole_or_not_at_all() {
    let stage = Stage::new("o-odd");
    let text = "profiles = [\"two words\", \"it's\", \"a\\nb\", \"x\\u001b[31m\", \"über\"]\n";
    std::fs::write(stage.world.root().join("profiles.toml"), text).expect("a file");
    let told = stage.run(&["__complete", "zsh", "--", "switch", ""]).success().stdout;
    assert_eq!(told, "two words\nit's\nüber\n");
    for shell in [SHELLS[0], SHELLS[2]] {
        if let Some(words) = offered(&stage, shell, "clauth switch tw") {
            let quoted = if shell.0 == "bash" { "two\\ words" } else { "two words" };
            assert!(words.contains(&quoted.to_owned()), "{}: {words:?}", shell.0);
        }
    }
}

/// Where each shell's line goes.
fn rc(stage: &Stage, shell: &str) -> PathBuf {
    stage.world.home().join(match shell {
        "bash" if cfg!(target_os = "macos") => ".bash_profile",
        "bash" => ".bashrc",
        "zsh" => ".zshrc",
        "fish" => ".config/fish/completions/clauth.fish",
        _ => ".config/powershell/Microsoft.PowerShell_profile.ps1",
    })
}

#[test]
fn an_installation_is_taken_back_to_the_letter() {
    for shell in ["bash", "zsh", "fish", "pwsh"] {
        for (name, text) in [
            ("no file", None),
            ("an empty file", Some("")),
            ("a file", Some("# mine\nalias x=y\n")),
            ("a file without a line end", Some("alias x=y")),
            ("Windows' line ends", Some("one\r\ntwo\r\n")),
        ] {
            let stage = stage("o-back");
            let file = rc(&stage, shell);
            if let Some(text) = text {
                std::fs::create_dir_all(file.parent().expect("a parent")).expect("a directory");
                std::fs::write(&file, text).expect("a file");
                std::fs::set_permissions(&file, std::fs::Permissions::from_mode(0o644)).expect("a mode");
            }
            let before = stage.world.snapshot();
            let done = stage.json(&["completions", "install", shell, "--yes"]);
            assert_eq!(
                (&done["changed"], &done["done"]),
                (&true.into(), &"completions".into()),
                "{shell}: {name}: {done}"
            );
            let stands = std::fs::read_to_string(&file).expect("the file");
            assert!(stands.starts_with(text.unwrap_or_default()), "{shell}: {name}: {stands}");
            let line = done["line"].as_str().expect("the line");
            assert!(stands.lines().any(|there| there == line), "{shell}: {name}: {stands}");
            let again = stage.json(&["completions", "install", shell, "--yes"]);
            assert_eq!(again["changed"], false, "{shell}: {name}");
            assert_eq!(std::fs::read_to_string(&file).expect("the file"), stands, "{shell}: {name}: once");
            stage.ok(&["completions", "remove", shell]);
            assert_eq!(stage.changes(&before), Vec::<String>::new(), "{shell}: {name}");
            assert_eq!(stage.json(&["completions", "remove"])["changed"], false, "{shell}: {name}");
        }
    }
}

#[test]
fn what_the_user_wrote_since_stays() {
    let stage = stage("o-since");
    let file = rc(&stage, "bash");
    stage.ok(&["completions", "install", "bash", "--yes"]);
    let text = std::fs::read_to_string(&file).expect("the file");
    std::fs::write(&file, format!("# mine\n{text}alias x=y\n")).expect("a file");
    stage.ok(&["completions", "remove"]);
    assert_eq!(std::fs::read_to_string(&file).expect("the file"), "# mine\nalias x=y\n");
}

#[test]
fn a_line_put_there_by_hand_is_not_ours() {
    let stage = stage("o-hand");
    let file = rc(&stage, "zsh");
    let line = stage.json(&["completions", "install", "zsh", "--yes"])["line"].as_str().expect("a line").to_owned();
    stage.ok(&["completions", "remove"]);
    std::fs::write(&file, format!("{line}\n")).expect("a file");
    assert_eq!(stage.json(&["completions", "install", "zsh", "--yes"])["changed"], false);
    assert_eq!(stage.json(&["completions", "remove"])["changed"], false);
    assert_eq!(std::fs::read_to_string(&file).expect("the file"), format!("{line}\n"));
}

#[test]
fn nobody_is_asked_without_a_terminal_and_nothing_is_written() {
    let stage = stage("o-ask");
    let before = stage.world.snapshot();
    for words in [&["completions", "install", "bash"][..], &["completions", "install", "fish", "--json"]] {
        assert_eq!(stage.run(words).code, Some(5), "{words:?}");
    }
    for (name, shell, code) in [("no shell", None, 2), ("another", Some("/bin/tcsh"), 2), ("zsh", Some("/bin/zsh"), 5)]
    {
        let mut command = stage.command(&["completions", "install"]);
        command.env_remove("SHELL");
        if let Some(shell) = shell {
            command.env("SHELL", shell);
        }
        assert_eq!(finish(command).code, Some(code), "{name}");
    }
    assert_eq!(stage.changes(&before), Vec::<String>::new());
}

/// Dotfile managers keep the file elsewhere, and some make it.
#[test]
fn a_link_stays_a_link_and_a_read_only_file_is_refused() {
    let stage = stage("o-links");
    let (file, real) = (rc(&stage, "zsh"), stage.world.home().join("dotfiles-zshrc"));
    std::fs::write(&real, "# mine\n").expect("a file");
    std::os::unix::fs::symlink(&real, &file).expect("a link");
    let before = stage.world.snapshot();
    stage.ok(&["completions", "install", "zsh", "--yes"]);
    assert_eq!(std::fs::read_link(&file).expect("a link"), real);
    assert!(std::fs::read_to_string(&real).expect("the file").contains("clauth completions zsh"));
    stage.ok(&["completions", "remove"]);
    assert_eq!(stage.changes(&before), Vec::<String>::new());

    std::fs::set_permissions(&real, std::fs::Permissions::from_mode(0o444)).expect("a mode");
    let before = stage.world.snapshot();
    let refused = stage.json(&["completions", "install", "zsh", "--yes"]);
    assert_eq!(refused["error"]["kind"], "protected", "{refused}");
    assert!(refused["error"]["message"].as_str().is_some_and(|text| text.contains("read-only")), "{refused}");
    assert_eq!(stage.changes(&before), Vec::<String>::new());

    for (name, bytes) in [("UTF-16", &b"\xff\xfea\0\n\0"[..]), ("no text", b"\0\0")] {
        let file = rc(&stage, "bash");
        std::fs::write(&file, bytes).expect("a file");
        assert_eq!(stage.json(&["completions", "install", "bash", "--yes"])["error"]["kind"], "protected", "{name}");
        assert_eq!(std::fs::read(&file).expect("the file"), bytes, "{name}");
    }
    std::fs::write(rc(&stage, "bash"), b"caf\xe9\n").expect("a file");
    stage.ok(&["completions", "install", "bash", "--yes"]);
    stage.ok(&["completions", "remove"]);
    assert_eq!(std::fs::read(rc(&stage, "bash")).expect("the file"), b"caf\xe9\n", "text of an older day");
}

/// What 0.4.0 installed without asking is taken over, and goes with ours.
#[test]
fn the_lines_of_0_4_0_go_too() {
    let stage = stage("o-old");
    let file = rc(&stage, "bash");
    let script = stage.world.root().join("completions/clauth.bash");
    let old = format!("# mine\n\n# clauth shell completions\nsource \"{}\"\nalias x=y\n", script.display());
    if cfg!(target_os = "macos") {
        return;
    }
    std::fs::write(&file, &old).expect("a file");
    stage.ok(&["completions", "install", "bash", "--yes"]);
    let text = std::fs::read_to_string(&file).expect("the file");
    assert!(!text.contains("source") && text.contains("clauth completions bash"), "{text}");
    stage.ok(&["completions", "remove"]);
    assert_eq!(std::fs::read_to_string(&file).expect("the file"), "# mine\nalias x=y\n");
    std::fs::write(&file, &old).expect("a file");
    stage.ok(&["completions", "remove", "bash"]);
    assert_eq!(std::fs::read_to_string(&file).expect("the file"), "# mine\nalias x=y\n");
}

/// Many are no reason to be slow.
#[test]
fn completion_reads_no_login_however_many_there_are() {
    let stage = Stage::new("o-many");
    let names: Vec<String> = (0..500).map(|number| format!("p{number}")).collect();
    let list = names.iter().map(|name| format!("\"{name}\"")).collect::<Vec<_>>().join(", ");
    std::fs::write(stage.world.root().join("profiles.toml"), format!("profiles = [{list}]\n")).expect("a file");
    for name in &names {
        let dir = stage.world.root().join("profiles").join(name);
        std::fs::create_dir_all(&dir).expect("a directory");
        // Whoever opened this would wait for ever.
        let made = std::process::Command::new("mkfifo").arg(dir.join("credentials.json")).status();
        assert!(made.is_ok_and(|status| status.success()), "a FIFO");
    }
    let told = stage.run(&["__complete", "bash", "--", "switch", "p49"]).success().stdout;
    assert_eq!(told.lines().count(), 11, "{told}");
}
