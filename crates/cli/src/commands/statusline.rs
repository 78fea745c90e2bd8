//! `clauth statusline install` and `remove`. The line itself is made before any of this is read: see `statusline/`.

use std::path::Path;

use clap::ValueEnum;
use clauth_engine::{Kind, Piece, What};
use serde_json::{Map, Value, json};

use super::{Call, Done};
use crate::failure::Failure;
use crate::shell::Shell;
use crate::statusline::THROUGH;

/// How the record of what stands outside the root names it.
const BY: &str = "statusline";

/// The key in Claude Code's settings.
const KEY: &str = "statusLine";

/// One line on account and limits, for Claude Code's status line.
#[derive(clap::Args)]
#[command(after_help = "Without a word: reads what Claude Code hands over, keeps the figures as a reading, and\n\
    prints one line; always exit code 0, within a second.\n\
    install: shows the change to Claude Code's settings, asks, and makes it. A status line\n\
    that is there goes on working: it gets the same input, and is shown below ours.\n\
    remove: puts back what stood there, to the letter.\n\n\
    config set statusline.format chooses what is shown, of {account} {email} {plan}\n\
    {model} {dir} {5h} {7d} {worst} {model-weeks}; a window also as {5h.short},\n\
    {5h.percent}, {5h.left} and {5h.reset}.\n\n\
    Example: clauth statusline")]
pub(crate) struct Args {
    /// Install or remove it
    #[arg(value_enum)]
    what: Option<Task>,
    /// Print the line, and pass the input on behind it
    #[arg(long, hide = true, conflicts_with = "what")]
    through: bool,
}

/// What to do with it.
#[derive(Clone, Copy, Debug, PartialEq, Eq, ValueEnum)]
enum Task {
    Install,
    Remove,
}

pub(super) fn run(args: &Args, call: &Call<'_>) -> Result<(), Failure> {
    match args.what {
        Some(Task::Install) => install(call),
        Some(Task::Remove) => remove(call),
        None => {
            crate::statusline::run(call.engine.host.env.clone(), args.through);
            Ok(())
        }
    }
}

fn install(call: &Call<'_>) -> Result<(), Failure> {
    let file = call.engine.settings_file()?;
    let shown = file.display().to_string();
    let known = call.engine.integrations()?.into_iter().find(|one| one.by == BY && one.file == file);
    let stands = call.engine.setting_of(&file, KEY)?;
    // What is wrapped is what stood there before us, not what we made of it.
    let before = match known.as_ref().map(|known| &known.what) {
        Some(What::Key { added, before, .. }) if stands.as_ref() == serde_json::from_str(added).ok().as_ref() => {
            before.as_deref().and_then(|text| serde_json::from_str(text).ok())
        }
        _ => stands.clone(),
    };
    let value = wrapped(&own_path(call)?, before.as_ref());
    if command_of(before.as_ref()).is_some_and(|command| command.contains("clauth") && command.contains(BY)) {
        let done = Done { command: BY, profile: None, changed: false, warnings: &[] };
        let sentence = format!("the status line is clauth's already, put there by hand: {shown}");
        return call.answer(&done, &sentence, &json!({"file": shown, "statusLine": stands}));
    }
    if stands.as_ref() != Some(&value) {
        let line = |value: &Value| format!("\"{KEY}\": {value}");
        call.ui.say(&format!("in {shown}:"));
        call.ui.say(&format!("- {}", stands.as_ref().map_or_else(|| "nothing".to_owned(), line)));
        call.ui.say(&format!("+ {}", line(&value)));
        if !call.ui.confirms("Change it?") {
            let what = "nothing was installed, since nobody said yes";
            return Err(Failure::new(Kind::Protected, what, shown, &["clauth statusline install --yes"]));
        }
    }
    let piece = Piece::Key { file, key: vec![KEY.to_owned()], value: value.clone() };
    let installed = call.engine.put_outside(BY, &[piece])?;
    let sentence = match installed.changed {
        true => format!("Claude Code shows clauth's line from its next start on: {shown}"),
        false => format!("it is installed already: {shown}"),
    };
    let done = Done { command: BY, profile: None, changed: installed.changed, warnings: &[] };
    call.answer(&done, &sentence, &json!({"file": shown, "statusLine": value}))
}

fn remove(call: &Call<'_>) -> Result<(), Failure> {
    let taken = call.engine.take_out(&|one| one.by == BY)?;
    let went: Vec<String> =
        taken.iter().filter(|one| one.stays.is_none()).map(|one| one.what.file.display().to_string()).collect();
    let warn =
        |one: &clauth_engine::Taken| one.stays.map(|why| format!("{} stays as it is: {why}", one.what.file.display()));
    let warnings: Vec<String> = taken.iter().filter_map(warn).collect();
    let sentence = match (went.is_empty(), taken.is_empty()) {
        (false, _) => format!("what stood there before stands again: {}", went.join(", ")),
        (true, false) => "nothing of it was left".to_owned(),
        (true, true) => "no status line is installed".to_owned(),
    };
    let done = Done { command: BY, profile: None, changed: !taken.is_empty(), warnings: &warnings };
    call.answer(&done, &sentence, &json!({"files": went}))
}

/// This program, as a shell runs it wherever it is called from: by its name on the PATH, which outlives an upgrade, where that
/// leads here.
fn own_path(call: &Call<'_>) -> Result<String, Failure> {
    let own = std::env::current_exe().ok();
    let real = |path: &Path| clauth_claude::real_path(&call.engine.disk, path);
    let path = call.engine.host.env.get("PATH").map(std::env::split_paths).into_iter().flatten();
    let name = if cfg!(windows) { "clauth.exe" } else { "clauth" };
    let named = path.map(|dir| dir.join(name)).find(|path| {
        path.is_absolute() && call.engine.disk.vfs.stat(path).is_ok() && own.as_deref().map(real) == Some(real(path))
    });
    let path = named.or(own).and_then(|path| path.to_str().map(str::to_owned));
    path.ok_or_else(|| {
        let by_hand = "\"statusLine\": {\"type\": \"command\", \"command\": \"clauth statusline\"}";
        let next = format!("put this into Claude Code's settings by hand: {by_hand}");
        Failure::new(Kind::Usage, "the path of this program is no text", "clauth statusline", &[&next])
    })
}

/// The setting with our line in it; all other keys stay. A line that is there is run behind it, by the shell that Claude Code
/// uses for it: that shell takes our line off the pipe and prints it, and theirs reads the rest, which is what we were given.
fn wrapped(program: &str, before: Option<&Value>) -> Value {
    let own = format!("{} {BY}", Shell::Bash.quoted(program));
    let command = match command_of(before) {
        Some(theirs) => {
            // A backslash at their end must not take the line's end along.
            let end = if theirs.ends_with('\\') { "\n\n" } else { "\n" };
            format!("{own} {THROUGH} | {{ IFS= read -r clauth_line && printf '%s\\n' \"$clauth_line\"; {theirs}{end}}}")
        }
        None => own,
    };
    let mut value = before.and_then(Value::as_object).cloned().unwrap_or_else(Map::new);
    value.insert("type".into(), "command".into());
    value.insert("command".into(), command.into());
    Value::Object(value)
}

fn command_of(setting: Option<&Value>) -> Option<&str> {
    setting?.get("command")?.as_str().filter(|command| !command.trim().is_empty())
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn what_is_there_goes_on_working() {
        for (name, before, command) in [
            ("nothing", None, "'/b/clauth' statusline"),
            ("an empty one", Some(json!({"type": "command", "command": " "})), "'/b/clauth' statusline"),
            (
                "a command",
                Some(json!({"type": "command", "command": "~/line.sh # mine", "padding": 0})),
                "'/b/clauth' statusline --through | { IFS= read -r clauth_line && printf '%s\\n' \"$clauth_line\"; ~/line.sh # mine\n}",
            ),
        ] {
            let value = wrapped("/b/clauth", before.as_ref());
            assert_eq!(value["command"], command, "{name}");
            assert_eq!(value["type"], "command", "{name}");
            assert_eq!(value.get("padding"), before.as_ref().and_then(|before| before.get("padding")), "{name}");
        }
    }
}
