//! The help of the program itself: what is used every day with a line each, all other commands by name, so that it fits a
//! terminal however many there are.

use clap::Command;

/// What gets a line of its own, where there is such a command.
const EVERY_DAY: &[&str] =
    &["capture", "login", "switch", "start", "undo", "list", "usage", "which", "sessions", "why", "vault", "doctor"];

/// Columns that the names of the others may take.
const WIDTH: usize = 78;

/// The command line with its help laid out.
pub(crate) fn laid_out(command: Command) -> Command {
    let shown: Vec<&Command> = command.get_subcommands().filter(|below| !below.is_hide_set()).collect();
    let daily: String = EVERY_DAY
        .iter()
        .filter_map(|name| shown.iter().find(|below| below.get_name() == *name))
        .map(|below| format!("  {:<10}{}\n", below.get_name(), below.get_about().cloned().unwrap_or_default()))
        .collect();
    let others = shown.iter().map(|below| below.get_name()).filter(|name| !EVERY_DAY.contains(name));
    let template = format!(
        "{{about-with-newline}}\n{{usage-heading}} {{usage}}\n\nCommands:\n{daily}\nMore, each with --help:\n{}\n\
         Options:\n{{options}}{{after-help}}",
        wrapped(others)
    );
    command.help_template(template)
}

/// Words in lines.
fn wrapped<'w>(words: impl Iterator<Item = &'w str>) -> String {
    let (mut text, mut line) = (String::new(), String::new());
    for word in words {
        if line.len() + word.len() + 2 > WIDTH {
            text.push_str(&line);
            text.push('\n');
            line.clear();
        }
        line.push_str("  ");
        line.push_str(word);
    }
    format!("{text}{line}\n")
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn every_command_is_named_and_the_whole_fits_a_terminal() {
        let mut command = crate::args::command();
        let help = command.render_help().to_string();
        for below in command.get_subcommands() {
            let named = help.split_whitespace().any(|word| word == below.get_name());
            assert_eq!(named, !below.is_hide_set(), "{}", below.get_name());
        }
        assert!(help.lines().count() <= 40 && help.lines().all(|line| line.chars().count() <= 80), "{help}");
    }

    #[test]
    fn words_are_wrapped() {
        let words = ["a"; 40];
        let text = wrapped(words.into_iter());
        assert!(text.lines().count() == 2 && text.lines().all(|line| line.len() <= WIDTH), "{text}");
        assert_eq!(wrapped(std::iter::empty()), "\n");
    }
}
