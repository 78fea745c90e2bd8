//! What each running `claude` does when the live login changes, and what that costs.

use clauth_engine::{Effect, SessionEffect};
use serde_json::{Value, json};

use crate::ui::Ui;

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
            Effect::Restart => format!("has to be started again without {}", session.overrides.join(", ")),
        };
        ui.say(&format!("claude {} {what}", session.pid));
    }
    if sessions.iter().any(|session| session.effect == Effect::NextRequest) {
        ui.say("that first request reads its conversation uncached: prompt caches belong to an account");
    }
}
