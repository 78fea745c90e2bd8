//! `clauth start --isolated`: the account's login with none of the user's memory, plugins, hooks, skills or MCP servers; its
//! transcripts are kept in the home at the end.

use std::collections::BTreeSet;
use std::path::{Path, PathBuf};
use std::process::Command;

use clauth_sandbox::Running;
use serde_json::json;

use crate::endpoint::given;
use crate::stage::{Stage, finish, kill, modes, usual};
use crate::start::soon;

impl Stage {
    /// A home with everything that an isolated session is to know nothing of.
    fn furnished(name: &str) -> Self {
        let stage = Self::two_with_server(name);
        let home = stage.world.claude_dir();
        for (file, text) in [
            ("CLAUDE.md", "memory"),
            ("rules/r.md", "memory"),
            ("skills/s/SKILL.md", "skill"),
            ("agents/a.md", "agent"),
            ("commands/c.md", "command"),
            ("plugins/installed_plugins.json", "{}"),
            ("projects/-p/memory/MEMORY.md", "memory"),
            ("settings.json", r#"{"hooks":{"Stop":[]},"enabledPlugins":{"x":true},"env":{"MINE":"1"}}"#),
        ] {
            put(&home.join(file), text);
        }
        stage.world.edit_json(&stage.world.state_path(), |state| {
            state.insert("mcpServers".into(), json!({"mine": {"command": "x"}}));
            state.insert("theme".into(), "light".into());
        });
        std::fs::create_dir_all(stage.project()).expect("a project");
        stage
    }

    fn project(&self) -> PathBuf {
        self.world.home().join("project")
    }

    fn isolated(&self, mode: &str, words: &[&str]) -> Command {
        let words: Vec<&str> = ["--isolated"].iter().chain(words).copied().collect();
        let mut command = self.start_command(mode, &words);
        command.current_dir(self.project());
        command
    }

    fn isolated_dirs(&self) -> Vec<PathBuf> {
        let dir = self.world.root().join("profiles").join("a").join("isolated");
        let entries = std::fs::read_dir(dir).into_iter().flatten();
        entries.map(|entry| entry.expect("an entry").path()).collect()
    }

    fn transcripts(&self) -> Vec<String> {
        let mut found = below(&self.world.claude_dir().join("projects"));
        found.retain(|path| path.ends_with(".jsonl"));
        found
    }

    fn kept_aside(&self) -> Vec<String> {
        let strip = |path: String| path.split_once('/').map(|(_, rest)| rest.to_owned()).unwrap_or_default();
        below(&self.world.root().join("profiles/a/conflicts")).into_iter().map(strip).collect()
    }
}

/// The pattern of the home's memory; Claude Code writes paths with forward slashes in patterns.
fn memory(stage: &Stage) -> String {
    let home = stage.world.claude_dir().display().to_string();
    format!("{}/**", if cfg!(windows) { home.replace('\\', "/") } else { home })
}

fn put(path: &Path, text: &str) {
    std::fs::create_dir_all(path.parent().expect("a parent")).expect("directories");
    std::fs::write(path, text).expect("a file");
}

/// The files below a directory, by their path from there.
fn below(dir: &Path) -> Vec<String> {
    let Ok(snapshot) = clauth_sandbox::world::snapshot(dir) else { return Vec::new() };
    let files = snapshot.into_iter().filter(|(_, entry)| matches!(entry, clauth_sandbox::world::Entry::File(..)));
    files.map(|(path, _)| path).collect()
}

/// Every word of the sentence: the account's login, none of what is the user's, transcripts in the home.
#[test]
fn it_has_the_login_and_nothing_of_the_users_and_its_transcripts_come_home() {
    for &mode in modes() {
        let stage = Stage::furnished("iso-one");
        let before = stage.world.snapshot();
        let mut session = Running::start(stage.isolated(mode, &["a", "session"]));
        assert_eq!(session.turn(), "A1", "{mode}");
        let [dir] = <[PathBuf; 1]>::try_from(stage.isolated_dirs()).expect("one directory");
        assert_eq!(session.send("env CLAUDE_CONFIG_DIR")["value"], dir.display().to_string(), "{mode}");
        assert_eq!(session.send("status")["status"]["email"], "alice@example.invalid", "{mode}");
        let names: BTreeSet<_> =
            std::fs::read_dir(&dir).expect("it").map(|entry| entry.expect("one").file_name()).collect();
        let of_claude = ["projects", "sessions", ".last-cleanup", ".claude.json", "settings.json", "backups"];
        assert!(names.iter().all(|name| of_claude.iter().any(|own| name == *own)), "{mode}: {names:?}");
        let settings = stage.world.read_json(&dir.join("settings.json"));
        let memory = memory(&stage);
        assert_eq!(settings, json!({"claudeMdExcludes": [memory], "autoMemoryEnabled": false}), "{mode}");
        let state = stage.world.read_json(&dir.join(".claude.json"));
        assert_eq!((&state["theme"], state.get("mcpServers")), (&"light".into(), None), "{mode}");
        assert!(stage.transcripts().is_empty(), "{mode}: not yet");
        let id = session.session_id().to_owned();
        assert_eq!(session.finish(), Some(0), "{mode}");
        let kept = stage.transcripts();
        assert!(kept.len() == 1 && kept[0].contains(&id), "{mode}: {kept:?}");
        assert!(stage.isolated_dirs().is_empty() && !stage.tree("a").exists(), "{mode}: nothing else stays");
        let mut changes = stage.changes(&before);
        // What any start makes, in the home so that sessions share it.
        let made = ["+ .claude/", "+ bin/claude"];
        changes
            .retain(|change| !made.iter().any(|made| change.starts_with(made)) && !change.contains(".claude/projects"));
        assert_eq!(changes, Vec::<String>::new(), "{mode}");
    }
}

/// One login in one place: Claude Code's locks for it are the same for all sessions of the profile.
#[test]
fn it_shares_the_login_and_its_renewal_with_the_profiles_other_sessions() {
    for &mode in modes() {
        let stage = Stage::furnished("iso-share");
        let mut plain = stage.session(mode, "a");
        let mut isolated = Running::start(stage.isolated(mode, &["a", "session"]));
        assert_eq!(stage.json(&["list"])["accounts"][0]["sessions"], 2, "{mode}");
        let renewed = isolated.send("refresh");
        assert_eq!(renewed["ok"], true, "{mode}: {renewed}");
        soon("the renewed login", || stage.slot("a") == "A2");
        assert_eq!((plain.turn().as_str(), isolated.turn().as_str()), ("A2", "A2"), "{mode}");
        stage.ok(&["switch", "a"]);
        assert_eq!((isolated.turn().as_str(), stage.in_tree("a").as_str()), ("A2", "A2 bearer"), "{mode}");
        stage.ok(&["switch", "b"]);
        assert_eq!(plain.finish(), Some(0), "{mode}");
        assert!(stage.tree("a").exists(), "{mode}: its login is there");
        let renewed = isolated.send("refresh");
        assert_eq!(renewed["ok"], true, "{mode}: {renewed}");
        soon("the renewed login", || stage.slot("a") == "A3");
        assert_eq!(isolated.finish(), Some(0), "{mode}");
        assert!(!stage.tree("a").exists(), "{mode}");
        stage.server.as_ref().expect("a server").assert_clean();
    }
}

/// Where its endpoint is and how its key is got are the profile's own, and what else it sets.
#[test]
fn an_endpoint_is_reached_at_its_address_with_its_own_settings_alone() {
    let stage = Stage::furnished("iso-endpoint");
    let _ = given(&stage, &["add", "deep", "--preset", "deepseek"], "sk-FAKE\n").success();
    stage.ok(&["config", "set", "--profile", "deep", "models.default", "deep-1"]);
    let show =
        stage.script("show", "cat \"$CLAUDE_CONFIG_DIR/settings.json\"", "type \"%CLAUDE_CONFIG_DIR%\\settings.json\"");
    let mut command = stage.isolated(usual(), &["deep"]);
    command.env("CLAUTH_CLAUDE", show);
    let settings = finish(command).success().json();
    let memory = memory(&stage);
    assert_eq!(settings["env"], json!({"ANTHROPIC_BASE_URL": "https://api.deepseek.com/anthropic"}), "{settings}");
    assert_eq!((&settings["model"], &settings["claudeMdExcludes"]), (&"deep-1".into(), &json!([memory])));
    assert!(settings["apiKeyHelper"].as_str().is_some_and(|helper| helper.contains("deep")), "{settings}");
    assert_eq!(settings.as_object().map(serde_json::Map::len), Some(5), "{settings}");
    assert!(!stage.world.root().join("profiles/deep/conflicts").exists(), "and nothing of it is taken for somebody's");
}

/// In copy mode the copy of the home is for sessions that use it.
#[test]
fn a_copy_of_the_home_is_made_for_the_first_session_that_uses_it() {
    let stage = Stage::furnished("iso-copy");
    let skill = stage.tree("a").join("skills/s/SKILL.md");
    let mut isolated = Running::start(stage.isolated("copy", &["a", "session"]));
    assert_eq!(isolated.turn(), "A1");
    assert!(!skill.exists() && stage.tree("a").join(".credentials.json").exists());
    let mut plain = stage.session("copy", "a");
    assert_eq!((std::fs::read_to_string(&skill).expect("a copy").as_str(), plain.turn().as_str()), ("skill", "A1"));
    let another = Running::start(stage.isolated("copy", &["a", "session"]));
    put(&stage.tree("a").join("skills/n/SKILL.md"), "new");
    soon("the new skill", || stage.world.claude_dir().join("skills/n/SKILL.md").exists());
    assert_eq!((another.finish(), plain.finish(), isolated.finish()), (Some(0), Some(0), Some(0)));
    assert!(!stage.tree("a").exists());
    assert_eq!(stage.kept_aside(), Vec::<String>::new());
    // Nothing is taken for known of the former tree.
    let mut isolated = Running::start(stage.isolated("copy", &["a", "session"]));
    assert_eq!(isolated.turn(), "A1");
    assert!(!skill.exists());
    assert_eq!(isolated.finish(), Some(0));
    assert!(stage.world.claude_dir().join("skills/s/SKILL.md").exists());
}

/// S2: the state file that names another account is not the tree's, and still keeps that login out of the slot.
#[test]
fn another_accounts_sign_in_inside_never_becomes_the_profiles() {
    let stage = Stage::furnished("iso-foreign");
    let plain = stage.session(usual(), "a");
    let mut isolated = Running::start(stage.isolated(usual(), &["a", "session"]));
    assert_eq!(isolated.send("login C")["ok"], true);
    soon("the copy in the vault", || stage.json(&["vault"])["vault"].as_array().is_some_and(|vault| vault.len() == 1));
    assert_eq!(stage.slot("a"), "A1");
    assert_eq!(isolated.finish(), Some(0));
    stage.ok(&["order", "a", "1"]);
    assert_eq!(stage.slot("a"), "A1", "also when its directory could have gone");
    assert_eq!(plain.finish(), Some(0));
    stage.ok(&["order", "a", "1"]);
    assert_eq!(stage.slot("a"), "A1");
    assert!(stage.isolated_dirs().is_empty() && !stage.tree("a").exists());
    assert_eq!(stage.transcripts().len(), 0);
}

/// A killed parent loses nothing: its directory stands while `claude` goes on, and comes home with the next command.
#[test]
fn a_killed_parents_directory_comes_home_after_claude_has_ended() {
    let stage = Stage::furnished("iso-killed");
    let mut session = Running::start(stage.isolated(usual(), &["a", "session"]));
    kill(session.parent());
    assert_eq!(session.turn(), "A1");
    assert_eq!(session.send("refresh")["ok"], true);
    stage.ok(&["order", "a", "1"]);
    assert_eq!((stage.slot("a").as_str(), stage.isolated_dirs().len()), ("A2", 1), "its login only");
    assert_eq!(session.turn(), "A2");
    drop(session);
    soon("the end of claude", || stage.json(&["list"])["accounts"][0]["sessions"] == 0);
    stage.ok(&["order", "a", "1"]);
    assert!(stage.isolated_dirs().is_empty() && !stage.tree("a").exists());
    assert_eq!(stage.transcripts().len(), 1);
}

/// What a person makes there is kept, and nothing of the home's is replaced by it, however new it is.
#[test]
fn what_is_made_inside_is_kept_beside_the_home() {
    let stage = Stage::furnished("iso-made");
    let home = stage.world.claude_dir();
    put(&home.join("projects/-q/known.jsonl"), "home\n");
    put(&home.join("history.jsonl"), "{\"display\":\"home\"}\n");
    let script = stage.script(
        "claude-script",
        "cd \"$CLAUDE_CONFIG_DIR\"; mkdir -p skills/n agents projects/-q/memory projects/-p/memory plugins debug
        echo mine > CLAUDE.md; echo n > skills/n/SKILL.md; echo x > plugins/p.json; echo x > debug/d.txt
        echo other > projects/-q/known.jsonl; echo new > projects/-q/new.jsonl; echo note > projects/-q/memory/MEMORY.md
        printf '{\"display\":\"inside\"}' > history.jsonl; echo '{\"model\":\"haiku\"}' > settings.json",
        "cd /d \"%CLAUDE_CONFIG_DIR%\"
        md skills\\n\nmd agents\nmd projects\\-q\\memory\nmd projects\\-p\\memory\nmd plugins\nmd debug
        echo mine>CLAUDE.md\necho n>skills\\n\\SKILL.md\necho x>plugins\\p.json\necho x>debug\\d.txt
        echo other>projects\\-q\\known.jsonl\necho new>projects\\-q\\new.jsonl
        echo note>projects\\-q\\memory\\MEMORY.md
        echo {\"display\":\"inside\"}>history.jsonl\necho {\"model\":\"haiku\"}>settings.json",
    );
    let mut command = stage.isolated(usual(), &["a"]);
    command.env("CLAUTH_CLAUDE", &script);
    let told = finish(command).success().stderr;
    let text = |name: &str| std::fs::read_to_string(home.join(name)).unwrap_or_default().replace('\r', "");
    assert_eq!(text("CLAUDE.md"), "memory");
    assert_eq!((text("projects/-q/known.jsonl").as_str(), text("projects/-q/new.jsonl").as_str()), ("home\n", "new\n"));
    assert_eq!(text("history.jsonl"), "{\"display\":\"home\"}\n{\"display\":\"inside\"}\n");
    assert!(
        !home.join("projects/-q/memory").exists()
            && !home.join("skills/n").exists()
            && !home.join("debug/d.txt").exists()
    );
    let kept =
        ["CLAUDE.md", "projects/-q/known.jsonl", "projects/-q/memory/MEMORY.md", "settings.json", "skills/n/SKILL.md"];
    assert_eq!(stage.kept_aside(), kept);
    assert!(told.contains("CLAUDE.md") && !told.contains("debug"), "{told}");
    assert!(stage.isolated_dirs().is_empty());
}

/// There the user's settings, with their hooks and plugins, are the project's.
#[test]
fn a_project_whose_settings_are_the_users_is_refused() {
    let stage = Stage::furnished("iso-home");
    let before = stage.world.snapshot();
    let mut command = stage.isolated(usual(), &["a", "session"]);
    command.current_dir(stage.world.home());
    let output = finish(command).expect_code(5);
    assert!(output.stderr.contains("another directory"), "{}", output.stderr);
    let changes = stage.changes(&before);
    assert!(!changes.iter().any(|change| change.contains("runtime") || change.contains("isolated")), "{changes:?}");
}

/// Everybody can tell whose session it is, and what is started inside is the account that was asked for.
#[test]
fn it_is_known_from_outside_and_from_inside() {
    let stage = Stage::furnished("iso-known");
    let mut session = Running::start(stage.isolated(usual(), &["a", "session"]));
    let [dir] = <[PathBuf; 1]>::try_from(stage.isolated_dirs()).expect("one directory");
    let listed = stage.json(&["sessions"]);
    // The whole machine's are listed, those of other tests included.
    let sessions = listed["sessions"].as_array().expect("sessions");
    let one = sessions.iter().find(|one| one["pid"] == session.pid()).expect("it is listed");
    assert_eq!((&one["profile"], &one["via"]), (&"a".into(), &"session".into()), "{listed}");
    assert_eq!((&one["config_dir"], &one["status"]), (&dir.display().to_string().into(), &"idle".into()));
    assert_eq!(session.send("env CLAUTH_PROFILE")["value"], "a");
    let inside = |mut command: Command| {
        let store = stage.tree("a");
        command.env("CLAUDE_CONFIG_DIR", &dir).env("CLAUDE_SECURESTORAGE_CONFIG_DIR", store);
        finish(command).success()
    };
    assert_eq!(inside(stage.command(&["which", "--json"])).json()["profile"], "a");
    for words in [&["b", "auth", "status"][..], &["--keep-env", "b", "auth", "status"]] {
        let nested = inside(stage.start_command(usual(), words));
        assert_eq!(nested.json()["email"], "bob@example.invalid", "{words:?}");
        assert!(!nested.stderr.contains("SECURESTORAGE"), "{}", nested.stderr);
    }
    assert_eq!(session.turn(), "A1", "it goes on as it was");
    assert_eq!(session.finish(), Some(0));
}

/// A script that runs `claude` has a number of its own, so that no holder tells of the `claude` itself.
#[cfg(target_os = "linux")]
#[test]
fn one_that_a_script_runs_is_listed_once_and_in_its_own_directory() {
    let stage = Stage::furnished("iso-script");
    let mut command = stage.isolated(usual(), &["a", "session"]);
    let claude = stage.world.home().join("bin/claude");
    command.env("CLAUTH_CLAUDE", stage.script("wrapper", &format!("{} \"$@\"\nexit $?", claude.display()), ""));
    let session = Running::start(command);
    let [dir] = <[PathBuf; 1]>::try_from(stage.isolated_dirs()).expect("one directory");
    let listed = stage.json(&["sessions"]);
    let root = stage.world.root();
    let is_own =
        |one: &&serde_json::Value| one["config_dir"].as_str().is_some_and(|dir| Path::new(dir).starts_with(&root));
    let own: Vec<_> = listed["sessions"].as_array().expect("sessions").iter().filter(is_own).collect();
    assert_eq!(own.len(), 1, "{listed}");
    assert_eq!(own[0]["config_dir"], dir.display().to_string().as_str(), "{listed}");
    assert_eq!(session.finish(), Some(0));
}
