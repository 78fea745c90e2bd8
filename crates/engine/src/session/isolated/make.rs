//! Making an isolated session's directory: settings that keep the user's memory out, and a state file that spares the first
//! start's questions.

use std::path::{Path, PathBuf};

use clauth_claude::{ClaudeHome, real_path};
use clauth_durable::{Document, DocumentError};

use crate::error::Kind;
use crate::overlay::Piece;
use crate::profile::Known;
use crate::session::Place;
use crate::{Engine, Error};

/// What a state file tells of this machine and of how its user likes a terminal; all else is left out.
const KEPT: [&str; 8] = [
    "theme",
    "editorMode",
    "lastOnboardingVersion",
    "installMethod",
    "autoUpdates",
    "numStartups",
    "userID",
    "machineID",
];

/// A directory for one more isolated session, which is not there yet.
pub(in crate::session) fn path(engine: &Engine, place: &Place) -> PathBuf {
    place.isolated.join(engine.disk.random.name())
}

/// Makes the directory with its files. The caller has a holder that names it.
///
/// # Errors
/// As the system says.
pub(in crate::session) fn make(engine: &Engine, home: &ClaudeHome, place: &Place, dir: &Path) -> Result<(), Error> {
    engine.disk.ensure_dir(dir)?;
    let path = dir.join(".claude.json");
    let state = state_of(engine, home, place);
    let state = state.map_err(|source| clauth_durable::Error::Document { path: path.clone(), source })?;
    engine.disk.create(&path, state.bytes())?;
    engine.disk.create(&dir.join("settings.json"), settings_of(engine, home, place)?.bytes())?;
    Ok(())
}

/// The refusal of a working directory whose own `.claude` is the home: there the user's settings are the project's too, with
/// their hooks and plugins (seen on the client).
///
/// # Errors
/// It is.
pub(in crate::session) fn refuse_home_itself(engine: &Engine, home: &ClaudeHome) -> Result<(), Error> {
    let Some(here) = &engine.here else { return Ok(()) };
    if real_path(&engine.disk, &here.join(".claude")) != real_path(&engine.disk, &home.dir) {
        return Ok(());
    }
    let what =
        format!("here {} is the project's own .claude, so its hooks and plugins would be used", home.dir.display());
    let next = ["start it in another directory, such as a project's"];
    Err(Error::refused(Kind::Protected, what, here.display().to_string(), &next))
}

/// The settings that an isolated session begins with: the profile's own, which are part of how its account is reached, and
/// nothing of the home's.
///
/// # Errors
/// Settings of the profile that cannot be understood.
pub(super) fn settings_of(engine: &Engine, home: &ClaudeHome, place: &Place) -> Result<Document, Error> {
    let mut dirs = vec![home.dir.clone(), real_path(&engine.disk, &home.dir)];
    dirs.dedup();
    let pieces = engine.wanted(&place.name, &place.name)?.pieces;
    let path = engine.root.config(&place.name);
    Ok(settings(&dirs, &pieces).map_err(|source| clauth_durable::Error::Document { path, source })?)
}

/// Without the memory in `homes`, which Claude Code also finds on its way up from a project below it (seen on the client).
fn settings(homes: &[PathBuf], own: &[Piece]) -> Result<Document, DocumentError> {
    let mut document = Document::empty();
    let without: Vec<String> = homes.iter().map(|home| format!("{}/**", literal(home))).collect();
    document.set(&["claudeMdExcludes"], &without)?;
    // What it would note for later would be in nobody's way, and of no use.
    document.set(&["autoMemoryEnabled"], &false)?;
    for (path, value) in own.iter().filter_map(|piece| Some((&piece.path, piece.value.as_ref()?))) {
        let path: Vec<&str> = path.iter().map(String::as_str).collect();
        document.set_raw(&path, value)?;
    }
    Ok(document)
}

/// A path as a pattern that means this path alone.
fn literal(path: &Path) -> String {
    let text = path.to_string_lossy();
    if cfg!(windows) {
        return text.replace('\\', "/");
    }
    let special = |c: char| "*?[]{}()|!\\".contains(c);
    text.chars().flat_map(|c| special(c).then_some('\\').into_iter().chain([c])).collect()
}

fn state_of(engine: &Engine, home: &ClaudeHome, place: &Place) -> Result<Document, DocumentError> {
    let read = |path: &Path| engine.disk.read(path).ok().flatten();
    let known = read(&engine.root.identity(&place.name)).and_then(|bytes| Known::read(&bytes));
    let theirs = read(&home.state).and_then(|bytes| Document::parse(bytes).ok());
    state(theirs.as_ref(), known.as_ref().and_then(Known::proven_block), engine.here.as_deref())
}

/// A state file of somebody who has been here before, as the account of `block`, with the user's trust in the directories
/// around `here` and none of what was configured for them.
fn state(theirs: Option<&Document>, block: Option<&str>, here: Option<&Path>) -> Result<Document, DocumentError> {
    let mut document = Document::empty();
    document.set(&["hasCompletedOnboarding"], &true)?;
    let Some(theirs) = theirs else { return named(document, block) };
    for key in KEPT {
        if let Some(value) = theirs.raw(&[key]) {
            document.set_raw(&[key], value)?;
        }
    }
    for directory in here.into_iter().flat_map(Path::ancestors).filter_map(Path::to_str) {
        let trusted = |name: &str| theirs.get::<bool>(&["projects", name, "hasTrustDialogAccepted"]) == Some(true);
        // Claude Code names projects with forward slashes everywhere.
        let name = if cfg!(windows) { directory.replace('\\', "/") } else { directory.to_owned() };
        if trusted(&name) {
            document.set(&["projects", &name, "hasTrustDialogAccepted"], &true)?;
        }
    }
    named(document, block)
}

fn named(mut document: Document, block: Option<&str>) -> Result<Document, DocumentError> {
    if let Some(block) = block {
        document.set_raw(&["oauthAccount"], block)?;
    }
    Ok(document)
}

#[cfg(test)]
mod tests {
    use serde_json::{Value, json};

    use super::*;

    fn value(document: &Document) -> Value {
        serde_json::from_slice(document.bytes()).expect("JSON")
    }

    #[test]
    fn of_the_users_state_only_the_terminals_ways_and_trust_go_in() {
        let theirs = json!({
            "theme": "light", "userID": "u", "numStartups": 7, "hasCompletedOnboarding": false,
            "mcpServers": {"mine": {"command": "x"}}, "primaryApiKey": "sk-ant-api03-FAKE", "tipsHistory": {"a": 1},
            "oauthAccount": {"accountUuid": "somebody"}, "customApiKeyResponses": {"approved": ["k"]},
            "projects": {
                "/w": {"hasTrustDialogAccepted": true, "mcpServers": {"p": {}}, "allowedTools": ["Bash"]},
                "/w/p": {"hasTrustDialogAccepted": false}, "/other": {"hasTrustDialogAccepted": true},
            },
        });
        let theirs = Document::parse(theirs.to_string().into_bytes()).expect("JSON");
        let made = state(Some(&theirs), Some(r#"{"accountUuid":"acc"}"#), Some(Path::new("/w/p"))).expect("a document");
        let expected = json!({
            "hasCompletedOnboarding": true, "theme": "light", "numStartups": 7, "userID": "u",
            "projects": {"/w": {"hasTrustDialogAccepted": true}}, "oauthAccount": {"accountUuid": "acc"},
        });
        assert_eq!(value(&made), expected);
        let bare = state(None, None, None).expect("a document");
        assert_eq!(value(&bare), json!({"hasCompletedOnboarding": true}));
    }

    #[cfg(unix)]
    #[test]
    fn the_homes_memory_is_kept_out_by_a_pattern_that_means_nothing_else() {
        let made = settings(&["/home/a".into(), "/data/[x] (1)/{h}*".into()], &[]).expect("a document");
        let expected = json!({
            "claudeMdExcludes": ["/home/a/**", "/data/\\[x\\] \\(1\\)/\\{h\\}\\*/**"], "autoMemoryEnabled": false,
        });
        assert_eq!(value(&made), expected);
    }
}
