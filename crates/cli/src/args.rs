//! The command line's definition.

use std::ffi::{OsStr, OsString};

use clap::{ArgAction, Args as _, CommandFactory as _, FromArgMatches as _, Parser, Subcommand as _, ValueEnum};

use crate::commands::{Command, start};
use crate::failure::Failure;

/// Switches between several Claude Code accounts, without ever losing a login.
#[derive(Parser)]
#[command(
    name = "clauth",
    version,
    disable_help_subcommand = true,
    max_term_width = 80,
    override_usage = "clauth [COMMAND] [OPTIONS]        without a command: list\n       clauth NAME|- [OPTIONS]   the same as `clauth switch NAME`",
    after_help = "Example: clauth list"
)]
pub(crate) struct Cli {
    #[command(flatten)]
    pub(crate) manner: Manner,
    #[command(subcommand)]
    pub(crate) command: Option<Command>,
}

/// How a command speaks; understood everywhere.
#[derive(clap::Args, Clone, Default)]
#[command(next_help_heading = "Everywhere")]
pub(crate) struct Manner {
    /// Print one JSON document, for programs
    #[arg(long, global = true)]
    pub(crate) json: bool,
    /// Use colours: auto, always or never
    #[arg(long, global = true, value_enum, value_name = "WHEN", default_value = "auto", hide_possible_values = true)]
    pub(crate) color: Color,
    /// Say nothing but results and errors
    #[arg(long, short, global = true)]
    pub(crate) quiet: bool,
    /// Say more, such as the causes of an error
    #[arg(long, short, global = true, action = ArgAction::Count)]
    pub(crate) verbose: u8,
    /// Answer questions with yes
    #[arg(long, global = true)]
    pub(crate) yes: bool,
}

/// When to use colours.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq, ValueEnum)]
pub(crate) enum Color {
    #[default]
    Auto,
    Always,
    Never,
}

/// The definition of the whole command line, for the reference and the man pages.
#[must_use]
pub fn command() -> clap::Command {
    crate::overview::laid_out(Cli::command())
}

/// What was typed, with `switch` put before a bare name, and without the words that are `claude`'s.
pub(crate) struct Typed {
    argv: Vec<OsString>,
    /// What `start` was given behind its own words.
    pub(crate) split: Option<start::Split>,
    /// Where the first word that is no option stands.
    first: Option<usize>,
    /// The first word is no command, so `switch` was put before it.
    bare: bool,
}

impl Typed {
    pub(crate) fn new(mut argv: Vec<OsString>) -> Self {
        let first = first_word(&argv);
        let bare = first.is_some_and(|at| !is_command(&argv[at]));
        if let Some(at) = first.filter(|_| bare) {
            argv.insert(at, "switch".into());
        }
        let mut split = None;
        if let Some(at) = first.filter(|at| !bare && argv[*at] == "start") {
            let found = start::split(&argv[at + 1..]);
            argv.truncate(at + 1 + found.own);
            split = Some(found);
        }
        Self { argv, split, first, bare }
    }

    pub(crate) fn parse(&self) -> Result<Cli, clap::Error> {
        if let Some(cli) = self.parse_narrowly() {
            return Ok(cli);
        }
        let mut command = command();
        let matches = command.try_get_matches_from_mut(&self.argv)?;
        Cli::from_arg_matches(&matches).map_err(|error| error.format(&mut command))
    }

    /// With the definition of the command that was named and no other: defining all of them takes longer than most of them run.
    /// What is not plainly right is left to the whole definition, which also knows what to say.
    fn parse_narrowly(&self) -> Option<Cli> {
        let mut command = Manner::augment_args(clap::Command::new("clauth").disable_help_subcommand(true));
        if let Some(first) = self.first {
            command = command.subcommand(Command::alone(self.argv.get(first)?.to_str()?)?);
        }
        Cli::from_arg_matches(&command.try_get_matches_from(&self.argv).ok()?).ok()
    }

    /// How this program was called.
    pub(crate) fn zeroth(&self) -> Option<&OsStr> {
        self.argv.first().map(OsString::as_os_str)
    }

    /// Whether it is Claude Code that calls, whose environment says nothing about ours.
    pub(crate) fn is_hidden(&self) -> bool {
        self.command_name() == Some(clauth_engine::KEY_COMMAND)
    }

    pub(crate) fn words(&self) -> &[OsString] {
        self.argv.get(1..).unwrap_or_default()
    }

    /// The command that was asked for, for pointing at its help.
    pub(crate) fn command_name(&self) -> Option<&str> {
        if self.bare { None } else { self.argv.get(self.first?)?.to_str() }
    }

    /// Adds the nearest command to the failure of a bare name that is no profile either.
    pub(crate) fn explain(&self, failure: Failure) -> Failure {
        let Some(word) = self.first.filter(|_| self.bare).and_then(|at| self.argv.get(at + 1)?.to_str()) else {
            return failure;
        };
        if let Some(told) = later_command(word).filter(|_| failure.is_about_words()) {
            return told;
        }
        let commands = Cli::command();
        let names = commands.get_subcommands().map(clap::Command::get_name);
        match clauth_engine::nearest(word, names) {
            Some(near) if failure.is_about_words() => failure.hint_first(format!("did you mean: clauth {near}")),
            _ => failure,
        }
    }
}

/// What is told of a word that is no profile, and never will be one's name.
fn later_command(word: &str) -> Option<Failure> {
    if !clauth_engine::is_command_word(word) {
        return None;
    }
    let (message, hint) = match word {
        "help" => ("help is a flag".to_owned(), "clauth --help"),
        "version" => ("version is a flag".to_owned(), "clauth --version"),
        _ => (format!("'{word}' is a command of a later version"), "clauth --help"),
    };
    Some(Failure::new(clauth_engine::Kind::Usage, message, word, &[hint]))
}

/// The place of the first word that is no option, nor the value of one.
fn first_word(argv: &[OsString]) -> Option<usize> {
    let mut words = argv.iter().enumerate().skip(1);
    while let Some((at, word)) = words.next() {
        if takes_value(word) {
            words.next();
        } else if word == "-" || !word.as_encoded_bytes().starts_with(b"-") {
            return Some(at);
        } else if word == "--" {
            return None;
        }
    }
    None
}

/// Whether the next word is the value of this one, of all flags that are understood everywhere.
pub(crate) fn takes_value(word: &OsStr) -> bool {
    word == "--color"
}

fn is_command(word: &OsStr) -> bool {
    word.to_str().is_some_and(Command::has_subcommand)
}

#[cfg(test)]
mod tests {
    use super::*;

    fn typed(words: &[&str]) -> Vec<String> {
        let argv = std::iter::once("clauth").chain(words.iter().copied()).map(OsString::from).collect();
        Typed::new(argv).words().iter().map(|word| word.to_string_lossy().into_owned()).collect()
    }

    #[test]
    fn the_definition_holds_together() {
        Cli::command().debug_assert();
    }

    #[test]
    fn a_bare_name_is_a_switch_and_a_commands_name_wins() {
        let rows: [(&str, &[&str], &[&str]); 9] = [
            ("nothing", &[], &[]),
            ("name", &["work"], &["switch", "work"]),
            ("dash", &["-"], &["switch", "-"]),
            ("name and flag", &["work", "--dry-run"], &["switch", "work", "--dry-run"]),
            ("flag and name", &["--json", "work"], &["--json", "switch", "work"]),
            ("value of a flag", &["--color", "never", "work"], &["--color", "never", "switch", "work"]),
            ("command", &["list", "--json"], &["list", "--json"]),
            ("only flags", &["--json"], &["--json"]),
            ("end of flags", &["--", "work"], &["--", "work"]),
        ];
        for (name, words, expected) in rows {
            assert_eq!(typed(words), expected, "{name}");
        }
    }

    #[test]
    fn a_command_is_defined_alone_as_among_the_others() {
        let about = |command: &clap::Command| {
            let args = command.get_arguments().map(|arg| format!("{arg:?}")).collect::<Vec<_>>();
            let below = command.get_subcommands().map(|below| below.get_name().to_owned()).collect::<Vec<_>>();
            (command.get_name().to_owned(), args, below, command.get_about().map(ToString::to_string))
        };
        for among in Cli::command().get_subcommands() {
            let name = among.get_name();
            let alone = Command::alone(name).unwrap_or_else(|| panic!("{name} is not there alone"));
            assert_eq!(about(&alone), about(among), "{name}");
        }
        assert!(Command::alone("nothing").is_none());
    }

    #[test]
    fn what_is_understood_narrowly_is_understood_so_by_the_whole_definition() {
        let shown = |cli: &Cli| {
            let Manner { json, color, quiet, verbose, yes } = &cli.manner;
            let command = cli.command.as_ref().map(std::mem::discriminant);
            (*json, *color, *quiet, *verbose, *yes, command)
        };
        let rows: [(&[&str], bool); 16] = [
            (&[], true),
            (&["--json"], true),
            (&["list"], true),
            (&["-qv", "list", "--json", "-v"], true),
            (&["--color", "never", "which"], true),
            (&["--color=never", "which", "--yes"], true),
            (&["work", "--dry-run"], true),
            (&["switch", "work", "--dry-run", "--yes"], true),
            (&["vault", "list"], true),
            (&["config", "set", "network", "off"], true),
            (&["__complete", "bash"], true),
            (&["list", "more"], false),
            (&["--version"], false),
            (&["list", "--help"], false),
            (&["vault", "nothing"], false),
            (&["--", "list"], false),
        ];
        for (words, narrow) in rows {
            let argv = std::iter::once("clauth").chain(words.iter().copied()).map(OsString::from).collect();
            let typed = Typed::new(argv);
            let whole =
                command().try_get_matches_from(&typed.argv).and_then(|found| Cli::from_arg_matches(&found)).ok();
            let narrowly = typed.parse_narrowly();
            assert_eq!(narrowly.is_some(), narrow, "{words:?}");
            assert!(narrowly.is_none() || narrowly.as_ref().map(shown) == whole.as_ref().map(shown), "{words:?}");
        }
    }

    #[test]
    fn every_command_is_a_word_that_no_profile_may_take() {
        for command in Cli::command().get_subcommands() {
            assert!(clauth_engine::check_name(command.get_name()).is_err(), "{}", command.get_name());
        }
    }
}
