//! `clauth config`.

use std::io::IsTerminal as _;

use clap::Subcommand;
use clauth_engine::{Kind, Setting, Shown, Takes};
use clauth_host::Secret;
use serde_json::{Value, json};

use super::{Call, Done};
use crate::failure::Failure;
use crate::hidden;
use crate::table::{Cell, lay_out_beside};
use crate::ui::FAINT;

/// The exit code of what the user interrupted.
const INTERRUPTED: u8 = 130;

/// Show the settings, or change one.
#[derive(clap::Args)]
#[command(after_help = "Without a command: list. All settings are in docs/configuration.md.\n\n\
    Example: clauth config list --profile work")]
pub(crate) struct Args {
    /// A profile's settings instead of clauth's own
    #[arg(long, global = true, value_name = "NAME")]
    profile: Option<String>,
    #[command(subcommand)]
    command: Option<Command>,
}

/// What to do with them.
#[derive(Subcommand)]
enum Command {
    /// Show every setting, with what holds now.
    #[command(after_help = "Example: clauth config list --json")]
    List,
    /// Show one setting.
    #[command(after_help = "Prints nothing where nothing is set. Of a key its fingerprint is shown.\n\n\
        Example: clauth config get network")]
    Get {
        /// The setting
        key: String,
    },
    /// Change a setting.
    #[command(after_help = "A key is never given as an argument: it comes from standard input or a prompt.\n\n\
        Example: clauth config set --profile work models.opus claude-opus-5")]
    Set {
        /// The setting
        key: String,
        /// Its new value
        #[arg(allow_hyphen_values = true)]
        value: Option<String>,
    },
    /// Let a setting's default hold again.
    #[command(after_help = "Example: clauth config unset network")]
    Unset {
        /// The setting
        key: String,
    },
    /// Show which files hold the settings.
    #[command(after_help = "Example: clauth config path")]
    Path,
}

impl Args {
    /// Whether it only looks.
    pub(super) fn looks(&self) -> bool {
        matches!(self.command, None | Some(Command::List | Command::Get { .. } | Command::Path))
    }
}

pub(super) fn run(args: &Args, call: &Call<'_>) -> Result<(), Failure> {
    let profile = args.profile.as_deref();
    match args.command.as_ref().unwrap_or(&Command::List) {
        Command::List => list(profile, call),
        Command::Get { key } => get(key, profile, call),
        Command::Set { key, value } => set(key, value.as_deref(), profile, call),
        Command::Unset { key } => {
            let changed = call.engine.unset(key, profile)?;
            answer(&changed, "back at its default", call)
        }
        Command::Path => path(profile, call),
    }
}

fn list(profile: Option<&str>, call: &Call<'_>) -> Result<(), Failure> {
    let name = profile.map(|asked| call.engine.find(asked)).transpose()?;
    let settings = call.engine.settings(profile)?;
    if call.ui.json {
        let entries: Vec<Value> = settings.iter().map(|shown| entry(shown, name.as_deref())).collect();
        return call.ui.document(&json!({"schema": 1, "config": entries}));
    }
    settings.iter().filter_map(|shown| shown.fault.as_ref()).for_each(|fault| call.ui.warn(fault));
    let row = |shown: &Shown| {
        let value = match &shown.value {
            Some(value) => Cell::from(text(value)),
            None => Cell::styled(&shown.default.as_ref().map_or_else(|| "-".into(), text), FAINT),
        };
        vec![Cell::from(&shown.key), value, Cell::from(shown.setting.meaning)]
    };
    let rows = settings.iter().map(row).collect();
    call.ui.print(&lay_out_beside(2, &["KEY", "VALUE", "MEANING"], rows, call.ui.width))
}

fn get(key: &str, profile: Option<&str>, call: &Call<'_>) -> Result<(), Failure> {
    let name = profile.map(|asked| call.engine.find(asked)).transpose()?;
    let shown = call.engine.setting(key, profile)?;
    if call.ui.json {
        let mut document = entry(&shown, name.as_deref());
        document["schema"] = 1.into();
        return call.ui.document(&document);
    }
    match shown.value.as_ref().or(shown.default.as_ref()) {
        Some(value) => call.ui.print(&format!("{}\n", text(value))),
        None => Ok(()),
    }
}

fn set(key: &str, value: Option<&str>, profile: Option<&str>, call: &Call<'_>) -> Result<(), Failure> {
    let is_key = clauth_engine::setting(key).is_some_and(|setting| setting.takes == Takes::Key);
    let changed = match value {
        Some(value) => call.engine.set(key, value, profile)?,
        None if is_key => {
            // Whose it is and that it may be set is found out before anything is asked.
            let _ = call.engine.setting(key, profile)?;
            let secret = secret(&format!("{key} (not shown): "), key, call)?;
            call.engine.set_key(key, &secret, profile)?
        }
        None => {
            let _ = call.engine.setting(key, profile)?;
            let takes = clauth_engine::setting(key).map_or_else(String::new, |setting| setting.takes.range());
            let next = format!("{key} takes {takes}");
            return Err(Failure::new(Kind::Usage, format!("no value was given for {key}"), key, &[&next]));
        }
    };
    answer(&changed, "set", call)
}

fn path(profile: Option<&str>, call: &Call<'_>) -> Result<(), Failure> {
    let files: Vec<String> =
        call.engine.settings_files(profile)?.iter().map(|path| path.display().to_string()).collect();
    if call.ui.json {
        return call.ui.document(&json!({"schema": 1, "paths": files}));
    }
    call.ui.print(&files.iter().map(|file| format!("{file}\n")).collect::<String>())
}

fn answer(changed: &clauth_engine::Changed, what: &str, call: &Call<'_>) -> Result<(), Failure> {
    let profile = changed.profile.as_deref();
    let done = Done { command: "config", profile, changed: changed.changed, warnings: &changed.warnings };
    let whose = profile.map_or_else(String::new, |name| format!(" of '{name}'"));
    let sentence = match changed.changed {
        true => format!("{}{whose} is {what}", changed.key),
        false => format!("{}{whose} is so already", changed.key),
    };
    let shown = call.engine.setting(&changed.key, profile)?;
    call.answer(&done, &sentence, &json!({"key": changed.key, "value": shown.value, "default": shown.default}))
}

fn entry(shown: &Shown, profile: Option<&str>) -> Value {
    let Setting { takes, meaning, .. } = shown.setting;
    json!({
        "key": shown.key, "value": shown.value, "default": shown.default, "profile": profile,
        "takes": takes.range(), "meaning": meaning, "error": shown.fault,
    })
}

fn text(value: &Value) -> String {
    value.as_str().map_or_else(|| value.to_string().trim_end_matches(".0").to_owned(), str::to_owned)
}

/// A key: from a prompt on a terminal, else all of standard input.
pub(super) fn secret(prompt: &str, what: &str, call: &Call<'_>) -> Result<Secret, Failure> {
    let next = ["give it on standard input: … < FILE"];
    let failed = |error: std::io::Error| Failure::new(Kind::Io, format!("{what} cannot be read: {error}"), what, &next);
    if !std::io::stdin().is_terminal() {
        let all = hidden::read_all().map_err(failed)?;
        return Ok(Secret::new(all.expose().trim()));
    }
    if !call.ui.asks() {
        return Err(Failure::new(Kind::Usage, format!("{what} has to come from standard input here"), what, &next));
    }
    call.ui.prompt(prompt);
    let typed = hidden::read_line().map_err(failed)?;
    call.ui.prompt("\n");
    let typed = typed.ok_or_else(|| Failure::new(Kind::Nothing, "no key was given", what, &next).exits(INTERRUPTED))?;
    Ok(Secret::new(typed.expose().trim()))
}
