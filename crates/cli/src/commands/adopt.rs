//! `clauth adopt`.

use std::path::{Path, PathBuf};

use clap::ValueEnum;
use clauth_engine::{Adoptee, Adoption, Fate, Kind};
use serde_json::{Value, json};

use super::{Call, Done};
use crate::failure::Failure;
use crate::table::{Cell, lay_out_beside};

/// Take over another clauth's tree, or the accounts of claude-swap.
#[derive(clap::Args)]
#[command(
    override_usage = "clauth adopt [--dry-run] [OPTIONS]\n       clauth adopt --from claude-swap [FILE] [--dry-run] [OPTIONS]",
    after_help = "Shows what is taken over, and asks on a terminal; elsewhere it needs --yes.\n\n\
    A tree of a later clauth is copied beside itself first; what is unknown in it\n\
    stays where it is. Of claude-swap its store is read, or an export that was\n\
    made without encryption; nothing of it is changed. Do not use both\n\
    afterwards: each would use up the other's logins.\n\nExample: clauth adopt --from claude-swap --dry-run"
)]
pub(crate) struct Args {
    /// Another tool, whose accounts become profiles
    #[arg(long, value_enum, value_name = "TOOL")]
    from: Option<Tool>,
    /// An export of that tool, or the directory of its store
    #[arg(value_name = "FILE", requires = "from")]
    file: Option<PathBuf>,
    /// Show what would be taken over, and change nothing
    #[arg(long)]
    dry_run: bool,
}

/// The tools whose accounts can be brought in.
#[derive(Clone, Copy, Debug, PartialEq, Eq, ValueEnum)]
enum Tool {
    ClaudeSwap,
}

pub(super) fn run(args: &Args, call: &Call<'_>) -> Result<(), Failure> {
    let engine = call.engine;
    let file = args.file.as_deref();
    let planned = match args.from {
        Some(Tool::ClaudeSwap) => engine.adoptable_swap(file)?,
        None => engine.adoptable()?,
    };
    if args.dry_run {
        return answer(&planned, call);
    }
    if !call.ui.json && !call.ui.yes {
        call.ui.print(&table(&planned, call))?;
    }
    if !call.ui.confirms(&question(&planned)) {
        let words: String = args.from.map_or_else(String::new, |_| " --from claude-swap".into());
        let file = args.file.as_ref().map_or_else(String::new, |file| format!(" {}", quoted(file)));
        let again = format!("clauth adopt{words}{file} --yes");
        let place = planned.place.display().to_string();
        return Err(Failure::new(Kind::Protected, "nothing was taken over", place, &[&again]));
    }
    let done = match args.from {
        Some(Tool::ClaudeSwap) => engine.adopt_swap(file)?,
        None => engine.adopt_as(&planned)?,
    };
    answer(&done, call)
}

/// A path as a shell takes it for one word.
fn quoted(path: &Path) -> String {
    let text = path.display().to_string();
    let plain = |c: char| c.is_alphanumeric() || "/._-+:@\\".contains(c);
    if text.chars().all(plain) { text } else { format!("'{}'", text.replace('\'', "'\\''")) }
}

fn question(planned: &Adoption) -> String {
    let count =
        planned.adoptees.iter().filter(|one| matches!(one.fate, Fate::Taken | Fate::Lent | Fate::Landed)).count();
    let what = if count == 1 { "one profile".to_owned() } else { format!("{count} profiles") };
    match &planned.copy {
        Some(copy) => format!("Take over {what}? A copy of the tree is kept in {}.", copy.display()),
        None => format!("Take over {what}?"),
    }
}

fn answer(adoption: &Adoption, call: &Call<'_>) -> Result<(), Failure> {
    let adoptee =
        |one: &Adoptee| json!({"profile": one.name, "email": one.email, "fate": one.fate.word(), "note": one.note});
    let own = json!({
        "from": adoption.from, "place": adoption.place.display().to_string(),
        "copy": adoption.copy.as_ref().map(|copy| copy.display().to_string()),
        "accounts": adoption.adoptees.iter().map(adoptee).collect::<Vec<Value>>(),
        "left": adoption.left.iter().map(|path| path.display().to_string()).collect::<Vec<String>>(),
    });
    let done = Done { command: "adopt", profile: None, changed: adoption.changed, warnings: &adoption.warnings };
    call.answer(&done, table(adoption, call).trim_end(), &own)
}

fn table(adoption: &Adoption, call: &Call<'_>) -> String {
    let row = |one: &Adoptee| {
        vec![
            Cell::from(&one.name),
            Cell::known(one.email.as_deref()),
            Cell::from(said(one.fate)),
            Cell::known(one.note.as_deref()),
        ]
    };
    let rows = adoption.adoptees.iter().map(row).collect();
    let mut text = lay_out_beside(1, &["PROFILE", "ACCOUNT", "LOGIN", "NOTE"], rows, call.ui.width);
    let line = |what: &str, path: &Path| format!("{what}: {}\n", crate::ui::plain(&path.display().to_string()));
    text.extend(adoption.left.iter().map(|path| line("left where it is", path)));
    text.extend(adoption.copy.iter().map(|path| line("a copy of the tree", path)));
    text
}

fn said(fate: Fate) -> &'static str {
    match fate {
        Fate::Taken => "taken over",
        Fate::Lent => "live",
        Fate::Landed => "renewed",
        Fate::Known => "known already",
        Fate::NoLogin => "none",
        Fate::Unreadable => "unreadable",
    }
}
