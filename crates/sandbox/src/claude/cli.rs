//! The program `claude` of the sandbox.

use std::ffi::OsString;
use std::io::{self, BufRead, Write};
use std::time::Duration;

use serde_json::json;

use super::process::Claude;
use super::session::{self, CRASHED};
use super::turn::Stop;
use crate::Account;

/// The version that it says it is: the one whose behaviour it repeats.
pub const VERSION: &str = "2.1.330";

/// The exit code outside a sandbox.
const REFUSED: i32 = 99;

/// The program's environment.
type Env<'a> = &'a dyn Fn(&str) -> Option<OsString>;

/// Runs the program with its arguments (without its own name) and returns the exit code.
///
/// It refuses, with exit code 99, a home without the marker file `.sandbox`. Known arguments: `--version`,
/// `auth status|login|logout`, `setup-token`, `words WORD…` (prints them as a JSON list), `-p PROMPT`; `session`, `--hold`
/// or nothing runs [`super::run_session`] on stdin and stdout, after one turn if a prompt is given. Options of Claude Code
/// that it does not know are ignored.
///
/// `FAKE_LOGIN_ACCOUNT` (or `auth login --account CODE`) chooses the account that signs in; `FAKE_LOGIN=fail|hang` makes
/// sign-ins fail or hang; `FAKE_EXIT` is the exit code of a `-p` turn that was answered.
pub fn main(args: Vec<OsString>, env: Env<'_>) -> i32 {
    let args: Vec<String> = args.into_iter().map(|arg| arg.to_string_lossy().into_owned()).collect();
    let mut claude = match Claude::of_env(env) {
        Ok(claude) => claude,
        Err(reason) => {
            complain(&reason);
            return REFUSED;
        }
    };
    let words: Vec<&str> = args.iter().map(String::as_str).collect();
    match words.as_slice() {
        ["--version" | "-v", ..] => say(&format!("{VERSION} (Claude Code)")),
        ["auth", "status", ..] => {
            let status = claude.status();
            say(&format!("{status:#}"));
            i32::from(status["loggedIn"] != true)
        }
        ["auth", "login", rest @ ..] => login(&mut claude, env, rest),
        ["auth", "logout", ..] => match claude.sign_out() {
            Ok(()) => say("Successfully logged out."),
            Err(trouble) => complain(&trouble.to_string()),
        },
        ["words", rest @ ..] => say(&json!(rest).to_string()),
        ["setup-token", ..] => say("Your OAuth token (valid for 1 year):\nsk-ant-oat01-FAKE-SETUP"),
        words => match words.iter().position(|word| matches!(*word, "-p" | "--print")) {
            Some(at) => print_turn(&mut claude, env, words.get(at + 1).copied()),
            None => session::run(&mut claude, env, &mut io::stdin().lock(), &mut io::stdout().lock()),
        },
    }
}

/// One turn, as `-p` does it; the prompt comes from stdin if it is not given.
fn print_turn(claude: &mut Claude, env: Env<'_>, prompt: Option<&str>) -> i32 {
    let prompt = prompt.map_or_else(|| io::read_to_string(io::stdin()).unwrap_or_default(), ToOwned::to_owned);
    if let Err(trouble) = claude.start() {
        complain(&trouble.to_string());
    }
    match claude.turn(&prompt) {
        Ok(turn) => {
            say(&turn.text);
            env("FAKE_EXIT").and_then(|code| code.to_str()?.parse().ok()).unwrap_or(0)
        }
        Err(Stop::Crashed) => CRASHED,
        Err(stop) => complain(&stop.to_string()),
    }
}

/// Prints a link and signs in, as the account chosen or as the one that the pasted `CODE#STATE` names.
fn login(claude: &mut Claude, env: Env<'_>, args: &[&str]) -> i32 {
    let named = |name: &str| env(name).and_then(|value| value.into_string().ok());
    match named("FAKE_LOGIN").as_deref() {
        Some("fail") => return complain("Login failed: the authorization was refused"),
        Some("hang") => loop {
            std::thread::sleep(Duration::from_secs(60));
        },
        _ => {}
    }
    say("Opening browser to sign in…\nIf the browser didn't open, visit: https://claude.ai/oauth/authorize?z-FAKE");
    let chosen = args.iter().position(|arg| *arg == "--account").and_then(|at| args.get(at + 1));
    let chosen = chosen.map(|code| (*code).to_owned()).or_else(|| named("FAKE_LOGIN_ACCOUNT")).or_else(pasted);
    let Some(account) = chosen.as_deref().and_then(Account::of_family) else {
        return complain("Login failed: no valid code");
    };
    match claude.sign_in(&account) {
        Ok(_) => say("Login successful."),
        Err(trouble) => complain(&trouble.to_string()),
    }
}

/// The account code of a pasted `FAKE-CODE-A#state`.
fn pasted() -> Option<String> {
    let mut line = String::new();
    io::stdin().lock().read_line(&mut line).ok()?;
    let (code, _state) = line.trim().split_once('#')?;
    code.strip_prefix("FAKE-CODE-").map(ToOwned::to_owned)
}

/// Prints to stdout; exit code 0.
fn say(text: &str) -> i32 {
    let _ = writeln!(io::stdout(), "{text}");
    0
}

/// Prints to stderr; exit code 1.
fn complain(text: &str) -> i32 {
    let _ = writeln!(io::stderr(), "claude (sandbox): {text}");
    1
}
