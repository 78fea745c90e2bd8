//! `clauth start` of a `token` profile: its login is a variable of the child's, and nothing else.

use std::io::Write as _;
use std::path::Path;
use std::process::Stdio;

use clauth_sandbox::Account;

use crate::stage::{Stage, finish, modes, usual};

const TOKEN: &str = "sk-ant-oat01-FAKE-SETUP";

fn with_token(name: &str) -> Stage {
    let stage = Stage::two_with_server(name);
    let mut login = stage.command(&["login", "ci", "--token"]);
    let mut child = login.stdin(Stdio::piped()).stdout(Stdio::null()).stderr(Stdio::null()).spawn().expect("it runs");
    child.stdin.take().expect("its input").write_all(TOKEN.as_bytes()).expect("given");
    assert!(child.wait().expect("its end").success());
    stage
}

/// Every file below a directory that holds the token; links are not followed.
fn holding(dir: &Path) -> Vec<String> {
    let entries = std::fs::read_dir(dir).expect("a directory").map(|entry| entry.expect("an entry").path());
    let one = |path: std::path::PathBuf| {
        if path.is_symlink() {
            Vec::new()
        } else if path.is_dir() {
            holding(&path)
        } else {
            let holds = String::from_utf8_lossy(&std::fs::read(&path).unwrap_or_default()).contains("SETUP");
            holds.then(|| path.display().to_string()).into_iter().collect()
        }
    };
    entries.flat_map(one).collect()
}

/// The contract's one exception: a setup token is in its session's environment, and in no file that `claude` reads.
#[test]
fn a_setup_token_reaches_its_session_by_the_documented_variable_alone() {
    for &mode in modes() {
        let stage = with_token("token-start");
        let mut command = stage.start_command(mode, &["ci", "session"]);
        command
            .env("CLAUDE_CODE_OAUTH_TOKEN", "sk-ant-oat01-FAKE-THEIRS")
            .env("ANTHROPIC_API_KEY", "sk-ant-api03-FAKE");
        let mut session = clauth_sandbox::Running::start(command);
        assert_eq!(session.turn(), TOKEN, "{mode}");
        assert_eq!(session.send("env ANTHROPIC_API_KEY")["value"], serde_json::Value::Null, "{mode}");
        assert_eq!(session.send("env CLAUTH_PROFILE")["value"], "ci", "{mode}");
        assert_eq!(session.send("status")["status"]["authMethod"], "oauth_token", "{mode}");
        let tree = stage.tree("ci");
        assert!(!tree.join(".credentials.json").exists(), "{mode}: a second login");
        assert_eq!(holding(&tree), Vec::<String>::new(), "{mode}");
        let state = stage.world.read_json(&tree.join(".claude.json"));
        assert!(state.get("oauthAccount").is_none(), "{mode}: nobody else's name: {state}");
        assert_eq!(stage.world.identity(), "B", "{mode}: the home's own is as it was");
        let line = std::fs::read(format!("/proc/{}/cmdline", session.parent())).unwrap_or_default();
        assert!(!String::from_utf8_lossy(&line).contains("SETUP"), "{mode}");
        assert_eq!(session.finish(), Some(0), "{mode}");
        assert!(!tree.exists(), "{mode}");
        assert_eq!(holding(&stage.world.claude_dir()), Vec::<String>::new(), "{mode}");
    }
}

#[test]
fn keeping_the_environment_still_gives_the_profiles_own_token() {
    let stage = with_token("token-keep");
    let mut command = stage.start_command(usual(), &["--keep-env", "ci", "session"]);
    command.env("CLAUDE_CODE_OAUTH_TOKEN", "sk-ant-oat01-FAKE-THEIRS");
    let mut session = clauth_sandbox::Running::start(command);
    assert_eq!(session.turn(), TOKEN);
    assert_eq!(session.finish(), Some(0));
}

/// S2: a login that is made inside is kept, and is not the profile's.
#[test]
fn a_sign_in_inside_a_token_session_stays_there_and_is_kept() {
    let stage = with_token("token-login");
    let mut command = stage.start_command(usual(), &["ci", "auth", "login"]);
    command.env("FAKE_LOGIN_ACCOUNT", Account::c().code);
    let output = finish(command);
    assert!(output.stderr.contains("carol@example.invalid"), "{}", output.stderr);
    assert_eq!(stage.json(&["vault"])["vault"].as_array().map(Vec::len), Some(1));
    assert!(!stage.world.root().join("profiles/ci/credentials.json").exists());
    let mut session = stage.session(usual(), "ci");
    assert_eq!(session.turn(), TOKEN, "the next session is the profile's again");
    assert_eq!(session.finish(), Some(0));
}
