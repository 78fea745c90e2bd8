//! `clauth uninstall`.

use clauth_engine::{Kind, Leaving};
use serde_json::json;

use super::{Call, Done};
use crate::failure::Failure;

/// Take back everything that clauth put outside its own directory.
#[derive(clap::Args)]
#[command(after_help = "Claude Code stays signed in. Asks on a terminal; elsewhere it needs --yes. The\n\
    profiles stay, for a later installation, unless --purge is given: then every\n\
    login that is not the live one is lost. Files of yours stay, and it says where.\n\
    The program itself goes as it came: cargo uninstall clauth\n\nExample: clauth uninstall --yes")]
pub(crate) struct Args {
    /// Also remove the profiles, the vault and everything else in ~/.clauth
    #[arg(long)]
    purge: bool,
}

pub(super) fn run(args: &Args, call: &Call<'_>) -> Result<(), Failure> {
    // What would be refused is not asked about first.
    let leaving = call.engine.leaving()?;
    if call.ui.yes || call.ui.asks() {
        tell(&leaving, args.purge, call);
    }
    let question = if args.purge { "Remove all of this for good?" } else { "Take it back?" };
    let nothing = leaving.outside.is_empty() && leaving.endpoint.is_none() && !args.purge;
    if !nothing && !call.ui.confirms(question) {
        let again = if args.purge { "clauth uninstall --purge --yes" } else { "clauth uninstall --yes" };
        let what = "nothing was taken back or removed, since nobody said yes";
        let what = if args.purge { format!("{what}; {}", lost(&leaving)) } else { what.to_owned() };
        let files: Vec<String> = leaving.outside.iter().map(|one| one.file.display().to_string()).collect();
        let place = if files.is_empty() { "clauth uninstall".to_owned() } else { files.join(", ") };
        return Err(Failure::new(Kind::Protected, what, place, &[again]));
    }
    let left = call.engine.uninstall(args.purge)?;
    let files = |stays: bool| left.taken.iter().filter(move |one| one.stays.is_some() == stays);
    let went: Vec<String> = files(false).map(|one| one.what.file.display().to_string()).collect();
    let mut warnings: Vec<String> = files(true)
        .map(|one| format!("{} stays as it is: {}", one.what.file.display(), one.stays.unwrap_or_default()))
        .collect();
    if args.purge {
        warnings.extend(stays(&left.leaving));
    }
    let changed = !left.taken.is_empty() || left.settings || args.purge;
    let done = Done { command: "uninstall", profile: None, changed, warnings: &warnings };
    let own = json!({
        "files": went, "settings": left.settings, "purged": args.purge, "signed_in": left.leaving.signed_in,
        "lost": if args.purge { [&left.leaving.only_here[..], &left.leaving.keys].concat() } else { Vec::new() },
    });
    call.answer(&done, &sentence(&left.leaving, &went, args.purge, call), &own)
}

/// Says what will go and what will stay.
fn tell(leaving: &Leaving, purge: bool, call: &Call<'_>) {
    for one in &leaving.outside {
        call.ui.say(&format!("put there by `clauth {}`: {}", one.by, one.file.display()));
    }
    if let Some(name) = &leaving.endpoint {
        call.ui.say(&format!("Claude Code uses the endpoint of '{name}', whose settings go"));
    }
    if purge {
        call.ui.say(&lost(leaving));
        stays(leaving).iter().for_each(|line| call.ui.say(line));
    }
    match &leaving.signed_in {
        Some(name) => call.ui.say(&format!("Claude Code stays signed in as '{name}' in {}", leaving.home.display())),
        None if leaving.endpoint.is_some() && !leaving.other_login => {
            call.ui.say("nobody is signed in to Claude Code then: there is no other login");
        }
        None => call.ui.say(&format!("the login in {} stays as it is", leaving.home.display())),
    }
}

/// What a purge destroys, in numbers and names.
fn lost(leaving: &Leaving) -> String {
    let mut parts = Vec::new();
    match leaving.only_here.as_slice() {
        [] => {}
        names => parts.push(format!("{} ({})", count(names.len(), "login"), names.join(", "))),
    }
    if !leaving.keys.is_empty() {
        parts.push(format!("{} ({})", count(leaving.keys.len(), "endpoint key"), leaving.keys.join(", ")));
    }
    if leaving.kept > 0 {
        parts.push(format!("{} in the vault", count(leaving.kept, "login")));
    }
    if parts.is_empty() {
        return "no login or key is lost with clauth's own directory".to_owned();
    }
    format!("lost for good with clauth's own directory: {}", parts.join(", "))
}

/// What a purge leaves in clauth's own directory.
fn stays(leaving: &Leaving) -> Vec<String> {
    let strange = leaving.strange.iter().map(|path| format!("{} is not clauth's, and stays", path.display()));
    let conflicts = leaving.conflicts.iter();
    let conflicts =
        conflicts.map(|path| format!("your files that lost against something newer stay in {}", path.display()));
    strange.chain(conflicts).collect()
}

fn count(number: usize, what: &str) -> String {
    let plural = if number == 1 { "" } else { "s" };
    format!("{number} {what}{plural}")
}

fn sentence(leaving: &Leaving, went: &[String], purge: bool, call: &Call<'_>) -> String {
    let root = call.engine.root.path().display();
    let outside =
        if went.is_empty() { "nothing stood outside".to_owned() } else { format!("taken out of {}", went.join(", ")) };
    let rest = match (purge, stays(leaving).is_empty()) {
        (false, _) => format!("the profiles stay in {root}"),
        (true, true) => format!("{root} is removed"),
        (true, false) => format!("{root} is emptied of everything of clauth's"),
    };
    format!("{outside}; {rest}")
}
