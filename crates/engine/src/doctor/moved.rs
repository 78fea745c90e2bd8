//! Commands in Claude Code's settings that run a clauth which is gone: the helper of an endpoint's key, and the status line. Only
//! commands that are ours by record are found and mended; a command of the user's own is never touched.

use std::path::{Path, PathBuf};

use serde_json::Value;

use super::Finding;
use super::examine::Seen;
use super::rules::PROGRAM_MOVED;
use crate::endpoint::{HELPER, KEY_COMMAND};
use crate::integrations::{Integration, Piece, What};
use crate::{Engine, Error};

/// The command of ours that Claude Code runs for its status line.
const STATUS_LINE: &str = "statusline";

pub(super) fn findings(engine: &Engine, seen: &Seen) -> Vec<Finding> {
    let helper = moved_helper(engine, seen).map(|gone| ("the key of the endpoint", gone));
    let line = moved_line(engine).map(|(_, gone)| ("the status line", gone));
    let finding = |(what, gone): (&str, PathBuf)| {
        Finding::mendable(PROGRAM_MOVED, format!("{what} comes from {}, which is not there any more", gone.display()))
    };
    helper.into_iter().chain(line).map(finding).collect()
}

/// The program that the active endpoint's helper names, where it is gone.
fn moved_helper(engine: &Engine, seen: &Seen) -> Option<PathBuf> {
    let name = engine.endpoint_live(&seen.snapshot).ok()??;
    let command: String = engine.settings_of(&seen.snapshot.home).ok()??.get(&[HELPER])?;
    gone(engine, program_in(&command, KEY_COMMAND).filter(|_| engine.is_helper(&command, &name))?)
}

/// The status line that we installed, where the program in it is gone.
fn moved_line(engine: &Engine) -> Option<(Integration, PathBuf)> {
    let all = engine.integrations().ok()?;
    let one = all.into_iter().find(|one| one.by == STATUS_LINE && engine.stands_outside(one))?;
    let What::Key { added, .. } = &one.what else { return None };
    let value: Value = serde_json::from_str(added).ok()?;
    let program = gone(engine, program_in(value.get("command")?.as_str()?, STATUS_LINE)?)?;
    Some((one, program))
}

fn gone(engine: &Engine, program: String) -> Option<PathBuf> {
    let program = PathBuf::from(program);
    (program.is_absolute() && matches!(engine.disk.stat(&program), Ok(None))).then_some(program)
}

/// The program before our word in a command, as a shell's quotes enclose it.
fn program_in(command: &str, word: &str) -> Option<String> {
    let (before, _) = command.split_once(&format!(" {word}"))?;
    let quote = before.chars().next_back().filter(|last| ['\'', '"'].contains(last))?;
    let inner = before.get(before.find(quote)? + 1..before.len() - 1)?;
    Some(inner.replace(r"'\''", "'"))
}

/// The same command with another program in it.
fn with_program(command: &str, old: &Path, new: &Path) -> Option<String> {
    let quoted = |path: &Path| Some(format!("'{}'", path.to_str()?.replace('\'', r"'\''")));
    let (old, new) = (quoted(old)?, quoted(new)?);
    command.contains(&old).then(|| command.replacen(&old, &new, 1))
}

impl Engine {
    /// Lets Claude Code's settings name this program again.
    pub(super) fn name_this_program(&self) -> Result<(), Error> {
        let snapshot = self.snapshot()?;
        let helper = self.settings_of(&snapshot.home)?.and_then(|document| document.get::<String>(&[HELPER]));
        if let Some(name) = self.endpoint_live(&snapshot)?.filter(|name| helper != self.helper(name).ok()) {
            self.switch(crate::Target::Named(&name), crate::Options::default())?;
        }
        let Some((one, gone)) = moved_line(self) else { return Ok(()) };
        let What::Key { key, added, .. } = &one.what else { return Ok(()) };
        let mut value: Value = serde_json::from_str(added).unwrap_or_default();
        let command = value.get("command").and_then(Value::as_str);
        let Some(command) = command.and_then(|command| with_program(command, &gone, &self.program)) else {
            return Ok(());
        };
        value["command"] = command.into();
        let piece = Piece::Key { file: one.file.clone(), key: key.clone(), value };
        self.put_outside(STATUS_LINE, &[piece]).map(drop)
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn the_program_in_a_command_is_found_and_replaced() {
        for (name, command, word, program) in [
            ("a helper", "'/usr/bin/clauth' __key '/r' 'e'", KEY_COMMAND, Some("/usr/bin/clauth")),
            ("a quote", r"'/it'\''s/clauth' statusline", STATUS_LINE, Some("/it's/clauth")),
            (
                "around another",
                "{ '/b/clauth' statusline --through 2>&3 | { x\n} 3>&-; } 3>&1",
                STATUS_LINE,
                Some("/b/clauth"),
            ),
            ("windows", "\"C:/p f/clauth.exe\" __key \"C:/r\" \"e\"", KEY_COMMAND, Some("C:/p f/clauth.exe")),
            ("by hand", "clauth statusline", STATUS_LINE, None),
        ] {
            assert_eq!(program_in(command, word).as_deref(), program, "{name}");
        }
        let moved = with_program(r"'/it'\''s/clauth' statusline", Path::new("/it's/clauth"), Path::new("/n/clauth"));
        assert_eq!(moved.as_deref(), Some("'/n/clauth' statusline"));
    }
}
