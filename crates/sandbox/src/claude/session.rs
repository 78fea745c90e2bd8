//! A session driven from outside: one command a line in, one JSON object a line out.
//!
//! | Command | What it does |
//! |---|---|
//! | `turn [PROMPT]` | one turn; answers `bearer` and `text` |
//! | `refresh` | refreshes now; answers `outcome` |
//! | `rotate` | writes the next generation without a server; answers `outcome` |
//! | `expire` | the login in memory looks expired; the next turn refreshes it |
//! | `rewrite-state` | rewrites `.claude.json` |
//! | `login CODE` | signs in as an account: `A`, `B`, `AXP`, …; answers `login` |
//! | `logout` | signs out |
//! | `whoami` | answers `login`, the login in use |
//! | `status` | answers `status`, as `auth status` |
//! | `env NAME` | answers `value`, of its environment |
//! | `crash` | ends at once, its registration left behind; exit code 134 |
//! | `exit [N]` | ends with this code |
//!
//! Before the first command it prints `{"ready":true,"pid":…,"session":…}`. At the end of input it ends with 0.

use std::ffi::OsString;
use std::io::{BufRead, Write};

use serde_json::{Value, json};

use super::credentials::Trouble;
use super::process::Claude;
use super::refresh::Refreshed;
use super::turn::Stop;
use crate::Account;

/// The exit code of a process that died.
pub(super) const CRASHED: i32 = 134;

/// Runs a session to its end and returns the exit code. It starts and stops `claude`'s registration.
pub fn run(
    claude: &mut Claude,
    env: &dyn Fn(&str) -> Option<OsString>,
    input: &mut dyn BufRead,
    output: &mut dyn Write,
) -> i32 {
    let started = claude.start().err().map(|trouble| trouble.to_string());
    let ready = json!({ "ready": true, "pid": std::process::id(), "session": claude.session_id(), "trouble": started });
    let mut code = None;
    let mut answer = ready;
    while writeln!(output, "{answer}").and_then(|()| output.flush()).is_ok() && code.is_none() {
        let mut line = String::new();
        if !matches!(input.read_line(&mut line), Ok(1..)) {
            break;
        }
        (answer, code) = obey(claude, env, line.trim());
    }
    claude.stop();
    code.unwrap_or(0)
}

/// Does one command; returns its answer and, where it ends the session, the exit code.
fn obey(claude: &mut Claude, env: &dyn Fn(&str) -> Option<OsString>, line: &str) -> (Value, Option<i32>) {
    let (command, argument) = line.split_once(' ').unwrap_or((line, ""));
    let mut code = None;
    let result = match command {
        "turn" => match claude.turn(if argument.is_empty() { "hello" } else { argument }) {
            Ok(turn) => Ok(json!({ "bearer": turn.bearer, "text": turn.text })),
            Err(stop) => {
                code = (stop == Stop::Crashed).then_some(CRASHED);
                Err(stop.to_string())
            }
        },
        "refresh" | "rotate" => {
            let outcome = if command == "refresh" { claude.refresh_now() } else { claude.rotate_offline() };
            code = (outcome == Refreshed::Crashed).then_some(CRASHED);
            told(&outcome)
        }
        "expire" => {
            claude.expire();
            Ok(json!({}))
        }
        "rewrite-state" => done(claude.rewrite_state()),
        "login" => match Account::of_family(argument) {
            Some(account) => match claude.sign_in(&account) {
                Ok(login) => Ok(json!({ "login": login.pair.to_string() })),
                Err(trouble) => Err(trouble.to_string()),
            },
            None => Err(format!("{argument:?} is no account")),
        },
        "logout" => done(claude.sign_out()),
        "whoami" => Ok(json!({ "login": claude.login() })),
        "status" => Ok(json!({ "status": claude.status() })),
        "env" => Ok(json!({ "value": env(argument).map(|value| value.to_string_lossy().into_owned()) })),
        "crash" => {
            claude.crash();
            code = Some(CRASHED);
            Ok(json!({}))
        }
        "exit" => {
            code = Some(argument.parse().unwrap_or(0));
            Ok(json!({}))
        }
        _ => Err("no such command".to_owned()),
    };
    (worded(command, result), code)
}

/// The answer to a refresh: `renewed` with the pair, or the outcome's name as an error.
fn told(outcome: &Refreshed) -> Result<Value, String> {
    match outcome {
        Refreshed::Renewed(pair) => Ok(json!({ "outcome": "renewed", "login": pair.to_string() })),
        Refreshed::Adopted => Ok(json!({ "outcome": "adopted" })),
        Refreshed::Dropped => Err("dropped".to_owned()),
        Refreshed::Dead => Err("dead".to_owned()),
        Refreshed::Busy(path) => Err(format!("busy: {}", path.display())),
        Refreshed::Bearer => Err("bearer".to_owned()),
        Refreshed::NoLogin => Err("no login".to_owned()),
        Refreshed::Crashed => Err("crashed".to_owned()),
        Refreshed::Failed(reason) => Err(format!("failed: {reason}")),
    }
}

fn done(result: Result<(), Trouble>) -> Result<Value, String> {
    result.map(|()| json!({})).map_err(|trouble| trouble.to_string())
}

fn worded(command: &str, result: Result<Value, String>) -> Value {
    let mut answer = json!({ "ok": result.is_ok(), "command": command });
    match result {
        Ok(Value::Object(more)) => {
            if let Some(answer) = answer.as_object_mut() {
                answer.extend(more);
            }
        }
        Ok(_) => {}
        Err(error) => answer["error"] = json!(error),
    }
    answer
}
