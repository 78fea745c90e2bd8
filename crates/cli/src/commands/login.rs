//! `clauth login`.

use std::ffi::OsString;
use std::io::IsTerminal as _;
use std::path::Path;

use clauth_engine::{Kind, LoggedIn, Options, Target};
use clauth_host::Secret;
use serde_json::json;

use super::{Call, Done};
use crate::child::{Child, Environment, Spec, Turn, find};
use crate::failure::Failure;
use crate::hidden;
use crate::ui::plain;

/// The exit code of what the user interrupted.
const INTERRUPTED: u8 = 130;

/// Sign in as a profile, without touching the live login.
#[derive(clap::Args)]
#[command(after_help = "Runs `claude auth login` in a directory of its own and takes over the login. A login of\n\
    another account than the profile's is refused and kept in the vault.\n\n\
    With --token: keep a token of `claude setup-token`, from standard input or a prompt;\n\
    only `clauth start` uses it.\n\nExample: clauth login work")]
pub(crate) struct Args {
    /// The profile, new or known
    name: String,
    /// Take a long-lived setup token instead
    #[arg(long)]
    token: bool,
    /// Put another account's login in its place; the old one goes to the vault
    #[arg(long)]
    replace: bool,
}

pub(super) fn run(args: &Args, call: &Call<'_>) -> Result<(), Failure> {
    if args.token {
        let done = call.engine.login_token(&args.name, &token(call)?, args.replace)?;
        let sentence = format!("'{}' is a setup token now; to use it: clauth start {}", done.name, done.name);
        return answer(&done, &sentence, false, call);
    }
    // 126 and 127 are of `start` alone, which stands for the program that it starts.
    let program = find(&call.engine.host).map_err(Failure::by_kind)?;
    let mut done = call.engine.login(&args.name, args.replace, |dir| sign_in(&program, dir, call))?;
    if !done.proven {
        done.warnings.push(call.unproven());
    }
    let question = format!("The earlier login of '{}' is live. Put the new one in its place now?", done.name);
    let live = done.waits && call.ui.confirms(&question);
    if live {
        let report = call.engine.switch(Target::Named(&done.name), Options::default())?;
        done.warnings.extend(report.warnings);
    }
    answer(&done, &sentence(&done, live), live, call)
}

/// The unmodified `claude auth login`, in a private home.
fn sign_in(program: &Path, dir: &Path, call: &Call<'_>) -> Result<(), Failure> {
    let environment = Environment::of_login(&call.engine.host.env, dir);
    environment.tell("", call.ui);
    let words = ["auth", "login"].map(OsString::from);
    let spec = Spec { program: program.to_owned(), args: words.into(), environment, aside: call.ui.json };
    let place = program.display().to_string();
    let mut told = |turn| {
        if let Turn::Started(pid) = turn {
            call.engine.signs_in(dir, pid);
        }
    };
    match Child::run(&spec, &mut told).map_err(Failure::by_kind)? {
        0 => Ok(()),
        INTERRUPTED => Err(Failure::new(Kind::Nothing, "the sign-in was interrupted", place, &["clauth login NAME"])
            .exits(INTERRUPTED)),
        code => {
            let what = format!("`claude auth login` ended with {code}");
            Err(Failure::new(Kind::Nothing, what, place, &["see what it said above, and try again"]))
        }
    }
}

fn sentence(done: &LoggedIn, live: bool) -> String {
    let name = &done.name;
    let account = match (&done.email, &done.organization) {
        (Some(email), Some(organization)) => format!("{email} in {organization}"),
        (Some(email), None) => email.clone(),
        (None, _) => "an account of unknown name".to_owned(),
    };
    let next = match (done.waits, live) {
        (_, true) => "; the new login is live".to_owned(),
        (true, false) => format!("; its earlier login stays live, until: clauth switch {name}"),
        (false, false) => format!("; to use it: clauth switch {name}"),
    };
    let verb = if done.created { "is now" } else { "is signed in anew as" };
    format!("'{name}' {verb} {}{next}", plain(&account))
}

fn answer(done: &LoggedIn, sentence: &str, live: bool, call: &Call<'_>) -> Result<(), Failure> {
    let own = json!({
        "email": done.email, "organization": done.organization, "proven": done.proven, "created": done.created,
        "waits": done.waits && !live, "live": live,
    });
    let head = Done { command: "login", profile: Some(&done.name), changed: done.changed, warnings: &done.warnings };
    call.answer(&head, sentence, &own)
}

/// The setup token: from a prompt on a terminal, else all of standard input.
fn token(call: &Call<'_>) -> Result<Secret, Failure> {
    let place = "standard input";
    let next = ["claude setup-token", "clauth login NAME --token < FILE"];
    let failed =
        |error: std::io::Error| Failure::new(Kind::Io, format!("the token cannot be read: {error}"), place, &next);
    if !std::io::stdin().is_terminal() {
        return hidden::read_all().map_err(failed);
    }
    if !call.ui.asks() {
        return Err(Failure::new(Kind::Usage, "the token has to come from standard input here", place, &next));
    }
    call.ui.prompt("Setup token (not shown): ");
    let typed = hidden::read_line().map_err(failed)?;
    call.ui.prompt("\n");
    typed.ok_or_else(|| Failure::new(Kind::Nothing, "no token was given", place, &next).exits(INTERRUPTED))
}
