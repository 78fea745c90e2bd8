//! The command line as the program defines it, walked command by command.

use clap::Command;

/// Columns that help is laid out for.
pub(crate) const WIDTH: usize = 80;

/// The whole command line of clauth.
pub(crate) fn command() -> Command {
    clauth::command()
}

/// One command that a person can type.
pub(crate) struct Entry {
    /// `clauth vault list`.
    pub(crate) name: String,
    /// What `--help` prints, in [`WIDTH`] columns and without colour.
    pub(crate) help: String,
    /// Its definition.
    pub(crate) command: Command,
}

/// The program and all its commands that are not hidden, in the order of their definition.
pub(crate) fn entries(command: &Command) -> Vec<Entry> {
    let mut whole = command.clone();
    whole.build();
    let mut entries = Vec::new();
    walk(&whole, "", &mut entries);
    entries
}

fn walk(command: &Command, above: &str, entries: &mut Vec<Entry>) {
    let name = format!("{above} {}", command.get_name()).trim_start().to_owned();
    let help = command.clone().term_width(WIDTH).render_help().to_string();
    let help: Vec<&str> = help.trim_end().lines().map(str::trim_end).collect();
    entries.push(Entry { name: name.clone(), help: help.join("\n") + "\n", command: command.clone() });
    let shown = |child: &&Command| !child.is_hide_set() && child.get_name() != "help";
    for child in command.get_subcommands().filter(shown) {
        walk(child, &name, entries);
    }
}

#[cfg(test)]
mod tests {
    use clap::Arg;

    use super::*;

    #[test]
    fn every_shown_command_has_an_entry() {
        let list = Command::new("list").about("Lists them");
        let secret = Command::new("secret").hide(true);
        let tree = Command::new("c").subcommand(Command::new("vault").subcommand(list)).subcommand(secret);
        let names: Vec<_> = entries(&tree).into_iter().map(|entry| entry.name).collect();
        assert_eq!(names, ["c", "c vault", "c vault list"]);
    }

    #[test]
    fn help_is_laid_out_for_the_width() {
        let long = Arg::new("long").long("long").help("word ".repeat(40));
        let entries = entries(&Command::new("c").about("Does it").arg(long));
        assert!(entries[0].help.starts_with("Does it\n"), "{}", entries[0].help);
        assert!(entries[0].help.lines().all(|line| line.chars().count() <= WIDTH), "{}", entries[0].help);
    }
}
