//! `clauth vault`.

use clap::Subcommand;
use clauth_engine::{Kind, VaultEntry};
use serde_json::{Value, json};

use super::{Call, Done};
use crate::failure::Failure;
use crate::table::{Cell, lay_out_beside};
use crate::ui::plain;

/// Logins that were displaced: list them, or take one out again.
#[derive(clap::Args)]
#[command(after_help = "Without a command: list.\n\nExample: clauth vault")]
pub(crate) struct Args {
    #[command(subcommand)]
    command: Option<Command>,
}

/// What to do with them.
#[derive(Subcommand)]
enum Command {
    /// Show the logins in the vault, oldest first.
    #[command(after_help = "Example: clauth vault list --json")]
    List,
    /// Move a login out of the vault into a profile.
    #[command(after_help = "What the profile held goes into the vault in its place.\n\n\
        Example: clauth vault restore 20261120-100000-ab12cd34 --as other")]
    Restore {
        /// The login, by its id or the beginning or end of it
        id: String,
        /// The profile; without it, the one that it belonged to
        #[arg(long = "as", value_name = "NAME")]
        name: Option<String>,
    },
    /// Destroy a login in the vault.
    #[command(after_help = "Asks on a terminal; elsewhere it needs --yes.\n\n\
        Example: clauth vault purge 20261120-100000-ab12cd34 --yes")]
    Purge {
        /// The login, by its id or at least 8 characters of its beginning or end
        id: String,
    },
}

impl Args {
    /// Whether it only looks.
    pub(super) fn looks(&self) -> bool {
        matches!(self.command, None | Some(Command::List))
    }
}

pub(super) fn run(args: Args, call: &Call<'_>) -> Result<(), Failure> {
    match args.command.unwrap_or(Command::List) {
        Command::List => list(call),
        Command::Restore { id, name } => restore(&id, name.as_deref(), call),
        Command::Purge { id } => purge(&id, call),
    }
}

fn list(call: &Call<'_>) -> Result<(), Failure> {
    let entries = call.engine.vault()?;
    if call.ui.json {
        let document = |entry: &VaultEntry| {
            json!({
                "id": entry.id, "at": entry.at.to_string(), "why": entry.why, "profile": entry.profile,
                "email": entry.email,
            })
        };
        let list: Vec<Value> = entries.iter().map(document).collect();
        return call.ui.document(&json!({"schema": 1, "vault": list}));
    }
    if entries.is_empty() {
        call.ui.say("the vault is empty");
        return Ok(());
    }
    let row = |entry: &VaultEntry| {
        vec![
            Cell::from(&entry.id),
            Cell::known(entry.profile.as_deref()),
            Cell::known(entry.email.as_deref()),
            Cell::from(&entry.why),
        ]
    };
    let rows = entries.iter().map(row).collect();
    call.ui.print(&lay_out_beside(1, &["ID", "PROFILE", "ACCOUNT", "WHY"], rows, call.ui.width))
}

fn restore(id: &str, name: Option<&str>, call: &Call<'_>) -> Result<(), Failure> {
    let (name, warnings) = call.engine.restore(id, name)?;
    let done = Done { command: "vault", profile: Some(&name), changed: true, warnings: &warnings };
    call.answer(
        &done,
        &format!("the login is '{name}'s now; to use it: clauth switch {name}"),
        &json!({"restored": id}),
    )
}

fn purge(id: &str, call: &Call<'_>) -> Result<(), Failure> {
    let entry = call.engine.to_purge(id)?;
    let whose = entry.email.as_deref().or(entry.profile.as_deref()).unwrap_or("an unknown account");
    if !call.ui.confirms(&format!("Destroy the login {} of {whose} for good?", entry.id)) {
        let again = format!("clauth vault purge {} --yes", entry.id);
        let what = format!("the login of {} was not purged: it would be gone for good", plain(whose));
        return Err(Failure::new(Kind::Protected, what, entry.id, &[&again]));
    }
    let id = call.engine.purge(&entry.id)?;
    let done = Done { command: "vault", profile: None, changed: true, warnings: &[] };
    call.answer(&done, &format!("{id} is gone"), &json!({"purged": id}))
}
