//! `clauth bind` and `clauth unbind`.

use std::path::{Path, PathBuf};

use clauth_engine::{Binding, Kind};
use clauth_host::Env;
use serde_json::{Value, json};

use super::{Call, Done};
use crate::failure::Failure;
use crate::table::{Cell, lay_out};

/// Bind a directory to a profile, for `start` without a name.
#[derive(clap::Args)]
#[command(after_help = "It holds for everything below DIR; the nearest binding wins. Without NAME: list\n\
    the bindings. Plain `claude` knows nothing of them.\n\nExample: clauth bind work .")]
pub(crate) struct Args {
    /// The profile
    pub(super) name: Option<String>,
    /// The directory; without it, the working directory
    dir: Option<PathBuf>,
}

/// End the binding of a directory.
#[derive(clap::Args)]
#[command(after_help = "Example: clauth unbind .")]
pub(crate) struct UnbindArgs {
    /// The directory; without it, the working directory
    dir: Option<PathBuf>,
}

pub(super) fn run(args: &Args, call: &Call<'_>) -> Result<(), Failure> {
    let Some(name) = &args.name else { return list(call) };
    let bound = call.engine.bind(name, &absolute(args.dir.as_deref(), call)?)?;
    let profile = bound.profile.as_deref().unwrap_or(name);
    let was = bound.before.as_deref().filter(|before| bound.changed && *before != profile);
    let was = was.map_or_else(String::new, |before| format!(" (was '{before}')"));
    let already = if bound.changed { "now" } else { "already" };
    let sentence = format!("{} is {already} bound to '{profile}'{was}", bound.dir.display());
    let done = Done { command: "bind", profile: Some(profile), changed: bound.changed, warnings: &[] };
    call.answer(&done, &sentence, &json!({"dir": bound.dir.display().to_string(), "before": bound.before}))
}

pub(super) fn unbind(args: &UnbindArgs, call: &Call<'_>) -> Result<(), Failure> {
    let dir = absolute(args.dir.as_deref(), call)?;
    let bound = call.engine.unbind(&dir)?;
    let above = call.engine.binding_for(&dir)?;
    let still =
        |above: &Binding| format!("'{}' still holds here, by the binding of {}", above.profile, above.dir.display());
    let warnings: Vec<String> = above.iter().map(still).collect();
    let shown = bound.dir.display();
    let sentence = match &bound.before {
        Some(profile) => format!("{shown} is no longer bound to '{profile}'"),
        None => format!("{shown} is not bound"),
    };
    let done =
        Done { command: "unbind", profile: bound.before.as_deref(), changed: bound.changed, warnings: &warnings };
    call.answer(&done, &sentence, &json!({"dir": shown.to_string()}))
}

fn list(call: &Call<'_>) -> Result<(), Failure> {
    let bindings = call.engine.bindings()?;
    if call.ui.json {
        let list: Vec<Value> = bindings.iter().map(document).collect();
        return call.ui.document(&json!({"schema": 1, "bindings": list}));
    }
    if bindings.is_empty() {
        call.ui.say("no directory is bound; to bind this one: clauth bind NAME");
        return Ok(());
    }
    let row = |binding: &Binding| vec![Cell::from(&binding.profile), Cell::from(binding.dir.display().to_string())];
    call.ui.print(&lay_out(&["PROFILE", "DIRECTORY"], bindings.iter().map(row).collect(), call.ui.width))
}

/// A binding for programs.
pub(super) fn document(binding: &Binding) -> Value {
    json!({"dir": binding.dir.display().to_string(), "profile": binding.profile})
}

/// A directory by its whole name, as it was typed: a link stays one, so that it may lead elsewhere later.
fn absolute(dir: Option<&Path>, call: &Call<'_>) -> Result<PathBuf, Failure> {
    let here = || {
        working_directory(&call.engine.host.env).ok_or_else(|| {
            let next = ["cd into a directory that exists", "name the directory by its whole path"];
            Failure::new(Kind::NotFound, "the working directory is gone", "the working directory", &next)
        })
    };
    let dir = match dir {
        Some(dir) if dir.is_absolute() => dir.to_owned(),
        Some(dir) => here()?.join(dir),
        None => here()?,
    };
    // Only the file system knows what lies above a link.
    let up = dir.components().any(|part| part == std::path::Component::ParentDir);
    Ok(if up { clauth_claude::real_path(&call.engine.disk, &dir) } else { dir.components().collect() })
}

/// The working directory; one that is gone still has the name that the shell knew it by.
pub(crate) fn working_directory(env: &Env) -> Option<PathBuf> {
    let named = || env.path("PWD").filter(|path| path.is_absolute());
    std::env::current_dir().ok().or_else(named)
}
