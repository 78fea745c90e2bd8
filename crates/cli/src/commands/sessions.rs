//! `clauth sessions`; and what each running `claude` does when the live login changes, and what that costs.

use std::path::Path;

use clauth_engine::{Effect, Session, SessionEffect};
use jiff::tz::TimeZone;
use serde_json::{Value, json};

use super::{Call, time, zone};
use crate::failure::Failure;
use crate::table::{Cell, lay_out};
use crate::ui::{Ui, WARN};

/// Show every running claude, and as whom it runs.
#[derive(clap::Args)]
#[command(after_help = "Both those of `clauth start` and plain ones. Opens no socket and changes nothing.\n\n\
    Example: clauth sessions")]
pub(crate) struct Args {}

pub(super) fn run(call: &Call<'_>) -> Result<(), Failure> {
    let found = call.engine.sessions()?;
    if call.ui.json {
        let list: Vec<Value> = found.sessions.iter().map(document).collect();
        return call.ui.document(&json!({"schema": 1, "sessions": list}));
    }
    if found.sessions.is_empty() {
        call.ui.say("no claude is running");
    } else {
        let (zone, home) = (zone(call.engine), &call.engine.host.home);
        let rows = found.sessions.iter().map(|session| row(session, &zone, home)).collect();
        call.ui.print(&lay_out(&["PROFILE", "ACCOUNT", "PID", "SINCE", "STATUS", "DIRECTORY"], rows, call.ui.width))?;
    }
    found.notices.iter().for_each(|notice| call.ui.say(notice));
    Ok(())
}

fn row(session: &Session, zone: &TimeZone, home: &Path) -> Vec<Cell> {
    let short = |path: &Path| match path.strip_prefix(home) {
        Ok(below) if below.as_os_str().is_empty() => "~".to_owned(),
        Ok(below) => Path::new("~").join(below).display().to_string(),
        Err(_) => path.display().to_string(),
    };
    let account = match (session.overrides.first(), &session.email) {
        (Some(name), _) => Cell::styled(&format!("by {name}"), WARN),
        (None, Some(email)) => Cell::from(email),
        (None, None) => Cell::known(None),
    };
    let since = session.since.map(|at| at.to_zoned(zone.clone()).strftime("%Y-%m-%d %H:%M:%S").to_string());
    vec![
        Cell::known(session.profile.as_deref()),
        account,
        Cell::from(session.pid.to_string()),
        Cell::known(since.as_deref()),
        Cell::known(session.status.as_deref()),
        Cell::known(session.cwd.as_deref().map(short).as_deref()),
    ]
}

fn document(session: &Session) -> Value {
    json!({
        "pid": session.pid, "profile": session.profile, "email": session.email, "via": session.via.word(),
        "config_dir": session.config_dir.display().to_string(),
        "cwd": session.cwd.as_ref().map(|cwd| cwd.display().to_string()), "since": time(session.since),
        "status": session.status, "kind": session.kind, "overrides": session.overrides,
    })
}

pub(super) fn documents(sessions: &[SessionEffect]) -> Value {
    let document = |session: &SessionEffect| {
        json!({
            "pid": session.pid, "config_dir": session.config_dir.display().to_string(),
            "effect": session.effect.word(),
        })
    };
    sessions.iter().map(document).collect()
}

pub(super) fn tell(sessions: &[SessionEffect], ui: &Ui) {
    for session in sessions {
        let what = match session.effect {
            Effect::NextRequest => "uses it from its next request on".to_owned(),
            Effect::Pinned => format!("keeps its own account ({})", session.config_dir.display()),
            Effect::Restart if session.overrides.is_empty() => {
                "has to be started again: it may still use the endpoint".to_owned()
            }
            Effect::Restart => format!("has to be started again without {}", session.overrides.join(", ")),
        };
        ui.say(&format!("claude {} {what}", session.pid));
    }
    if sessions.iter().any(|session| session.effect == Effect::NextRequest) {
        ui.say("that first request reads its conversation uncached: prompt caches belong to an account");
    }
}
