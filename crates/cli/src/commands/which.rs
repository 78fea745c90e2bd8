//! `clauth which`.

use serde_json::json;

use super::{Call, bind};
use crate::failure::Failure;
use crate::ui::plain;

/// Name the profile that a `claude` started here would use.
#[derive(clap::Args)]
#[command(after_help = "Prints `unknown` where it is no profile's.\n\nExample: clauth which")]
pub(crate) struct Args {}

pub(super) fn run(call: &Call<'_>) -> Result<(), Failure> {
    let which = call.engine.which()?;
    let here = bind::working_directory(&call.engine.host.env);
    let binding = here.map(|here| call.engine.binding_for(&here)).transpose()?.flatten();
    if call.ui.json {
        return call.ui.document(&json!({
            "schema": 1, "profile": which.profile, "email": which.email, "plan": which.plan, "tier": which.tier,
            "oauth": which.oauth, "active": which.active, "via": which.via.word(),
            "config_dir": which.config_dir.display().to_string(), "binding": binding.as_ref().map(bind::document), "override": which.over,
            "kind": which.kind.word(), "base_url": which.base_url,
        }));
    }
    call.ui.print(&format!("{}\n", plain(which.profile.as_deref().unwrap_or("unknown"))))?;
    if let Some(binding) = binding.filter(|binding| which.profile.as_ref() != Some(&binding.profile)) {
        let (dir, profile) = (binding.dir.display(), binding.profile);
        call.ui.say(&format!("`clauth start` without a name would use '{profile}' here, bound by {dir}"));
    }
    if let Some(notice) = &which.notice {
        call.ui.say(&format!("nobody can tell whose the login is: {notice}"));
    }
    if let Some(over) = &which.over {
        call.ui.warn(&format!("{over} outranks the saved login"));
    }
    Ok(())
}
