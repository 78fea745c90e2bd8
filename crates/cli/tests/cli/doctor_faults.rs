//! The faults that `doctor` is to find, and how each comes about.
#![cfg(unix)]

use std::path::{Path, PathBuf};

use clauth_sandbox::Account;
use serde_json::Value;

use crate::spoil::{Alive, age, dir, edit, link, mode, write};
use crate::stage::{PROGRAM, Stage, finish};

/// One fault: the id of what is found, how it comes about, and with which variables the command is run.
pub(crate) struct Fault {
    pub(crate) id: &'static str,
    pub(crate) name: &'static str,
    pub(crate) make: fn(&Stage) -> Alive,
    pub(crate) env: &'static [(&'static str, &'static str)],
}

const fn fault(id: &'static str, name: &'static str, make: fn(&Stage) -> Alive) -> Fault {
    Fault { id, name, make, env: &[] }
}

const fn variable(id: &'static str, env: &'static [(&'static str, &'static str)]) -> Fault {
    Fault { id, name: "a variable", make: nothing, env }
}

/// In the order of the rules. `locks-void` needs another file system.
pub(crate) const FAULTS: &[Fault] = &[
    variable("home-refused", &[("CLAUDE_CONFIG_DIR", "/nowhere/else")]),
    fault("home-missing", "moved away", |stage| {
        std::fs::rename(stage.world.claude_dir(), stage.world.home().join("moved")).expect("moved");
        None
    }),
    fault("home-modes", "open to all", |stage| mode(&home(stage), 0o777)),
    fault("home-link", "into the root", |stage| link(&stage.world.root().join("profiles"), &home(stage).join("ours"))),
    fault("home-link", "from deeper down", |stage| {
        dir(&home(stage).join("skills/mine"));
        link(&stage.world.root().join("profiles"), &home(stage).join("skills/mine/ours"))
    }),
    fault("live-link", "as 0.4.0 made it", |stage| {
        std::fs::remove_file(stage.world.credentials_path()).expect("gone");
        link(&profile(stage, "b").join("credentials.json"), &stage.world.credentials_path())
    }),
    fault("live-link", "to another profile's slot", |stage| {
        std::fs::remove_file(stage.world.credentials_path()).expect("gone");
        link(&profile(stage, "a").join("credentials.json"), &stage.world.credentials_path())
    }),
    fault("live-unreadable", "torn", |stage| write(&stage.world.credentials_path(), "{\"torn")),
    fault("live-unreadable", "a link to itself", |stage| {
        std::fs::remove_file(stage.world.credentials_path()).expect("gone");
        link(Path::new(".credentials.json"), &stage.world.credentials_path())
    }),
    fault("live-modes", "open to all", |stage| mode(&stage.world.credentials_path(), 0o644)),
    fault("live-unknown", "somebody signed in", |stage| {
        stage.sign_in(&Account::c());
        age(&stage.world.credentials_path());
        None
    }),
    fault("live-spent", "put back from a copy", |stage| {
        let live = stage.world.credentials_path();
        let bytes = std::fs::read(&live).expect("a login");
        stage.world.claude().rotate_offline();
        age(&live);
        stage.ok(&["switch", "b"]);
        std::fs::write(&live, bytes).expect("put back");
        age(&live);
        None
    }),
    fault("live-bare", "a 0.4.0 linked it and was closed", |stage| {
        stage.world.old_link("b");
        stage.world.old_detach();
        mode(&stage.world.credentials_path(), 0o600)
    }),
    fault("live-missing", "deleted", |stage| {
        std::fs::remove_file(stage.world.credentials_path()).expect("gone");
        None
    }),
    fault("state-unreadable", "torn", |stage| write(&stage.world.state_path(), "{\"torn")),
    fault("settings-unreadable", "torn", |stage| write(&home(stage).join("settings.json"), "{\"torn")),
    fault("settings-unreadable", "a directory", |stage| {
        std::fs::remove_file(home(stage).join("settings.json")).expect("gone");
        dir(&home(stage).join("settings.json"));
        None
    }),
    fault("identity-differs", "another account's block", |stage| {
        let other = stage.world.read_json(&profile(stage, "a").join("identity.json"));
        let uuid = other["account_uuid"].clone();
        stage.world.edit_json(&stage.world.state_path(), |state| state["oauthAccount"]["accountUuid"] = uuid);
        None
    }),
    fault("marker-differs", "edited", |stage| edit(&stage.world.root().join("profiles.toml"), "= \"b\"", "= \"a\"")),
    fault("two-holders", "a copy in a session", |stage| {
        let tree = profile(stage, "b").join("runtime");
        dir(&tree);
        let running = stage.claude(&[("CLAUDE_CONFIG_DIR", &tree)]);
        std::fs::copy(stage.world.credentials_path(), tree.join(".credentials.json")).expect("a copy");
        Some(Box::new(running))
    }),
    fault("spent-held", "put back from a copy", |stage| {
        let slot = profile(stage, "a").join("credentials.json");
        let bytes = std::fs::read(&slot).expect("a login");
        stage.ok(&["switch", "a"]);
        stage.world.claude().rotate_offline();
        age(&stage.world.credentials_path());
        stage.ok(&["switch", "b"]);
        std::fs::write(&slot, bytes).expect("put back");
        None
    }),
    fault("same-account", "a copied profile", |stage| {
        let copy = profile(stage, "c");
        dir(&copy);
        for name in ["credentials.json", "identity.json"] {
            std::fs::copy(profile(stage, "a").join(name), copy.join(name)).expect("a copy");
        }
        edit(&stage.world.root().join("profiles.toml"), "\"b\"]", "\"b\", \"c\"]")
    }),
    fault("slot-full", "as 0.4.0 writes it", |stage| {
        std::fs::copy(stage.world.credentials_path(), profile(stage, "b").join("credentials.json")).expect("a copy");
        None
    }),
    fault("login-unusable", "the record of its loan is gone", |stage| {
        std::fs::remove_file(profile(stage, "b").join("loan.json")).expect("gone");
        None
    }),
    fault("login-unusable", "its login is gone", |stage| {
        std::fs::remove_file(profile(stage, "a").join("credentials.json")).expect("gone");
        None
    }),
    fault("login-unusable", "an endpoint without its key", |stage| {
        endpoint(stage);
        let key = "api_key = \"sk-FAKE-KEY\"\n";
        edit(&profile(stage, "deep").join("config.toml"), key, "")
    }),
    fault("login-unusable", "a bearer copy that no loan explains", |stage| {
        stage.world.edit_json(&profile(stage, "a").join("credentials.json"), |object| {
            object["claudeAiOauth"].as_object_mut().expect("a login").remove("refreshToken");
        });
        None
    }),
    fault("login-ends", "in four days", |stage| {
        let end = clauth_sandbox::now_ms() + 4 * 24 * 3_600_000;
        stage.world.edit_json(&profile(stage, "a").join("credentials.json"), |object| {
            object["claudeAiOauth"]["refreshTokenExpiresAt"] = end.into();
        });
        None
    }),
    fault("loan-elsewhere", "another home", |stage| {
        stage.world.edit_json(&profile(stage, "b").join("loan.json"), |loan| loan["home"] = "/another/home".into());
        None
    }),
    fault("other-machine", "a copied root", |stage| {
        let file = stage.world.root().join("settings.toml");
        let text = std::fs::read_to_string(&file).expect("settings");
        let line = text.lines().find(|line| line.starts_with("machine")).expect("a machine").to_owned();
        write(&file, &text.replace(&line, &format!("machine = \"{}\"", "ab".repeat(32))))
    }),
    fault("profile-unreadable", "torn", |stage| write(&profile(stage, "a").join("credentials.json"), "{\"torn")),
    fault("profile-unreadable", "the loan of the live login", |stage| {
        write(&profile(stage, "b").join("loan.json"), "{\"torn")
    }),
    fault("profile-unreadable", "who it is", |stage| write(&profile(stage, "b").join("identity.json"), "{\"torn")),
    fault("profile-unreadable", "its options", |stage| torn(&profile(stage, "a").join("options.toml"))),
    fault("profile-unreadable", "an endpoint's address and key", |stage| {
        endpoint(stage);
        torn(&profile(stage, "deep").join("config.toml"))
    }),
    fault("profile-unreadable", "an address that `add` refuses", |stage| {
        endpoint(stage);
        let url = "https://api.deepseek.com/anthropic";
        edit(&profile(stage, "deep").join("config.toml"), url, "http://gw.example.com/v1")
    }),
    fault("profile-unreadable", "an address that is no text", |stage| own(stage, "config.toml", "base_url = 3\n")),
    fault("profile-unreadable", "a line that is no number", |stage| {
        own(stage, "config.toml", "fallback_threshold = \"x\"\nauto_start = 3\n")
    }),
    fault("profile-unreadable", "a model that is no name", |stage| own(stage, "options.toml", "[models]\nopus = 3\n")),
    fault("profiles-lost", "deleted", |stage| {
        std::fs::remove_file(stage.world.root().join("profiles.toml")).expect("gone");
        None
    }),
    fault("profile-unlisted", "not in the list", |stage| {
        let lost = profile(stage, "lost");
        dir(&lost);
        write(&lost.join("credentials.json"), "{}");
        mode(&lost.join("credentials.json"), 0o600)
    }),
    fault("file-unreadable", "torn", |stage| write(&stage.world.root().join("profiles.toml"), "profiles = [")),
    fault("file-unreadable", "what an endpoint set", |stage| {
        endpoint(stage);
        stage.ok(&["switch", "deep"]);
        write(&stage.world.root().join("applied.json"), "{\"torn")
    }),
    fault("file-unreadable", "what stands outside", |stage| torn(&stage.world.root().join("integrations.json"))),
    fault("file-unreadable", "bindings", |stage| torn(&stage.world.root().join("bindings.toml"))),
    fault("file-unreadable", "lines of used-up tokens", |stage| torn(&stage.world.root().join("spent.jsonl"))),
    fault("file-unreadable", "lines of the history", |stage| {
        let path = stage.world.root().join("history.jsonl");
        let text = std::fs::read_to_string(&path).expect("a history");
        write(&path, &format!("{{\"torn\n{text}"))
    }),
    fault("file-unreadable", "a displaced login", |stage| {
        dir(&stage.world.root().join("vault"));
        torn(&stage.world.root().join("vault/20261123-100000-aaaaaaaa.json"))
    }),
    fault("file-unreadable", "a setting that is no time", |stage| {
        let file = stage.world.root().join("settings.toml");
        let text = std::fs::read_to_string(&file).expect("settings");
        write(&file, &format!("poll.active = \"soon\"\n{text}"))
    }),
    fault("root-modes", "open to all", |stage| mode(&profile(stage, "a").join("credentials.json"), 0o644)),
    fault("root-format", "of a later clauth", |stage| {
        let file = stage.world.root().join("settings.toml");
        let text = std::fs::read_to_string(&file).expect("settings");
        write(&file, &text.replace("format = 1", "format = 9"))
    }),
    fault("journal-open", "killed in a switch", |stage| {
        let dir = stage.world.root().join("journal");
        write(
            &dir.join("open.json"),
            r#"{"schema":1,"done":"switch","from":"b","to":"a","at":"2026-11-23T10:00:00Z","tokens":[],"temps":[]}"#,
        );
        mode(&dir.join("open.json"), 0o600)
    }),
    fault("renewal-open", "killed in a renewal", |stage| {
        let under_way = profile(stage, "a").join("refresh");
        dir(&under_way);
        write(&under_way.join("stage.json"), "");
        mode(&under_way.join("stage.json"), 0o600)
    }),
    fault("lock-left", "killed with locks in hand", |stage| {
        // The first effect after which a lock stands and no change was begun.
        for at in 1..200 {
            let mut command = stage.command(&["bind", "a", "."]);
            command.env("CLAUTH_CRASH_AT", at.to_string());
            assert_ne!(finish(command).code, Some(0), "it was never killed");
            if stage.world.root().join("locks/state").exists() {
                break;
            }
        }
        None
    }),
    fault("lock-stale", "of a dead claude", |stage| {
        let lock = home(stage).join(".oauth_refresh.lock");
        std::fs::create_dir(&lock).expect("a lock");
        age(&lock);
        None
    }),
    fault("lock-blocked", "a file in it", |stage| {
        let lock = home(stage).join(".storage-write.lock");
        std::fs::create_dir(&lock).expect("a lock");
        write(&lock.join("mine"), "")
    }),
    fault("session-left", "a killed start", |stage| {
        let tree = profile(stage, "a").join("runtime");
        dir(&tree);
        write(&tree.join("notes.txt"), "mine")
    }),
    fault("session-left", "an isolated one", |stage| {
        let isolated = profile(stage, "a").join("isolated");
        dir(&isolated);
        dir(&isolated.join("00ff"));
        write(&isolated.join("00ff/notes.txt"), "mine")
    }),
    fault("session-left", "one of a removed profile", |stage| {
        for path in [profile(stage, "gone"), profile(stage, "gone").join("runtime")] {
            dir(&path);
        }
        write(&profile(stage, "gone").join("runtime/notes.txt"), "mine")
    }),
    fault("login-left", "a killed sign-in", |stage| {
        let left = stage.world.root().join("login/999999999-00ff");
        dir(&stage.world.root().join("login"));
        dir(&left);
        std::fs::copy(profile(stage, "a").join("credentials.json"), left.join(".credentials.json")).expect("a login");
        None
    }),
    fault("old-version", "a session of 0.4.0", |stage| {
        let holders = profile(stage, "a").join("sessions");
        dir(&holders);
        let file = std::fs::File::create(holders.join("4242")).expect("a holder");
        file.lock().expect("a lock");
        Some(Box::new(file))
    }),
    fault("old-version", "the daemon of a later clauth", |stage| {
        let path = stage.world.root().join("clauthd.lock");
        write(&path, "");
        mode(&path, 0o600);
        let file = std::fs::File::open(path).expect("a lock file");
        file.lock().expect("a lock");
        Some(Box::new(file))
    }),
    fault("later-tree", "of a later clauth", |stage| {
        let root = stage.world.root();
        for name in ["settings.toml", "history.jsonl"] {
            std::fs::remove_file(root.join(name)).expect("gone");
        }
        for name in ["a", "b"] {
            for file in ["loan.json", "identity.json"] {
                let _ = std::fs::remove_file(profile(stage, name).join(file));
            }
        }
        std::fs::copy(stage.world.credentials_path(), profile(stage, "b").join("credentials.json")).expect("a copy");
        mode(&profile(stage, "b").join("credentials.json"), 0o600);
        write(&root.join("clauthd.lock"), "");
        mode(&root.join("clauthd.lock"), 0o600)
    }),
    variable("override", &[("ANTHROPIC_API_KEY", "sk-ant-api03-FAKE")]),
    variable("variable", &[("CLAUTH_STATUS_URL", "http://127.0.0.1:9")]),
    fault("claude-missing", "not installed", |stage| {
        std::fs::remove_file(stage.world.home().join("bin/claude")).expect("gone");
        None
    }),
    fault("claude-old", "an old installation", |stage| {
        let (claude, all) = (stage.world.home().join("bin/claude"), stage.world.home().join("share/versions"));
        dir(&all);
        std::fs::remove_file(&claude).expect("gone");
        write(&all.join("2.1.100"), "#!/bin/sh\n");
        mode(&all.join("2.1.100"), 0o755);
        link(&all.join("2.1.100"), &claude)
    }),
    fault("other-tool", "its directory", |stage| {
        std::fs::create_dir(stage.world.home().join(".claude-swap-backup")).expect("a directory");
        None
    }),
    variable("zone-unknown", &[("TZ", "Mars/Base")]),
    variable("ca-missing", &[("SSL_CERT_FILE", "/nowhere/ca.pem")]),
    variable("proxy-unusable", &[("HTTPS_PROXY", "::no proxy")]),
    fault("clock-behind", "stepped back", |stage| {
        let file = stage.world.root().join("history.jsonl");
        let text = std::fs::read_to_string(&file).expect("a history");
        let mut last: Value = serde_json::from_str(text.lines().last().expect("a line")).expect("JSON");
        last["at"] = "2099-01-01T00:00:00Z".into();
        write(&file, &format!("{text}{last}\n"))
    }),
    fault("program-moved", "of an endpoint", |stage| {
        endpoint(stage);
        stage.ok(&["switch", "deep"]);
        move_program(stage, &stage.world.root().join("applied.json"))
    }),
    fault("program-moved", "of the status line", |stage| {
        stage.ok(&["statusline", "install", "--yes"]);
        move_program(stage, &stage.world.root().join("integrations.json"))
    }),
    fault("outside-gone", "taken out by hand", |stage| {
        stage.ok(&["completions", "install", "zsh", "--yes"]);
        write(&stage.world.home().join(".zshrc"), "")
    }),
];

fn nothing(_: &Stage) -> Alive {
    None
}

/// As if the program had lain elsewhere when its path was written down.
fn move_program(stage: &Stage, record: &Path) -> Alive {
    for path in [record.to_owned(), home(stage).join("settings.json")] {
        let text = std::fs::read_to_string(&path).expect("text");
        let directory = Path::new(PROGRAM).parent().expect("a directory").display().to_string();
        assert!(text.contains(&directory), "{text}");
        std::fs::write(&path, text.replace(&directory, "/moved/away")).expect("written");
    }
    None
}

pub(crate) fn home(stage: &Stage) -> PathBuf {
    stage.world.claude_dir()
}

pub(crate) fn profile(stage: &Stage, name: &str) -> PathBuf {
    stage.world.root().join("profiles").join(name)
}

/// A file of ours, torn.
fn torn(path: &Path) -> Alive {
    write(path, "{\"to[rn = ");
    mode(path, 0o600)
}

/// A file of the profile `a`.
fn own(stage: &Stage, name: &str, text: &str) -> Alive {
    let path = profile(stage, "a").join(name);
    write(&path, text);
    mode(&path, 0o600)
}

/// The endpoint `deep`, which is not live.
fn endpoint(stage: &Stage) {
    let _ = crate::endpoint::given(stage, &["add", "deep", "--preset", "deepseek"], "sk-FAKE-KEY\n").success();
}
