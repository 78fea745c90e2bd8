//! What is wanted at a place of the command line, by its definition alone. Pure.

use clap::{Arg, ArgAction, Command};
use clauth_engine::{SETTINGS, Setting, SettingFile};

/// A word that can stand at the place, and what is said of it.
pub(crate) type Word = (String, String);

/// What can stand at a place.
#[derive(Clone, Debug, PartialEq, Eq)]
pub(crate) enum Wanted {
    /// These words.
    Words(Vec<Word>),
    /// The name of a profile.
    Profile,
    /// The id of a kept login.
    Kept,
    /// A directory.
    Dir,
    /// A file.
    File,
    /// What `claude` takes: so many words of this line come before its own.
    Claude(usize),
}

/// What the values of an argument are, by its id. One that is not here, and has no list of its own, is free text.
const VALUES: &[(&str, Wanted)] = &[
    ("name", Wanted::Profile),
    ("old", Wanted::Profile),
    ("profile", Wanted::Profile),
    ("id", Wanted::Kept),
    ("dir", Wanted::Dir),
    ("file", Wanted::File),
];

/// What can stand at the last of `words`, those after the program's name. `root` is built.
pub(crate) fn wanted(root: &Command, words: &[String]) -> Vec<Wanted> {
    let Some((current, before)) = words.split_last() else { return Vec::new() };
    let profile = before.iter().any(|word| word == "--profile" || word.starts_with("--profile="));
    let last = before.last().map(String::as_str).unwrap_or_default();
    let mut place = Place { root, command: root, position: 0, value_of: None, ended: false, profile, last };
    for (at, word) in before.iter().enumerate() {
        if place.step(word) {
            return vec![Wanted::Claude(at + 1)];
        }
    }
    place.at(current)
}

/// How far the words have led.
struct Place<'c> {
    root: &'c Command,
    command: &'c Command,
    /// How many words without a dash the command has had.
    position: usize,
    /// The option whose value comes next.
    value_of: Option<&'c Arg>,
    /// `--` was there.
    ended: bool,
    /// A profile's settings are meant.
    profile: bool,
    /// The word before.
    last: &'c str,
}

impl<'c> Place<'c> {
    /// Takes one word in; answers whether all that follows is `claude`'s.
    fn step(&mut self, word: &str) -> bool {
        let start = self.command.get_name() == "start";
        if self.value_of.take().is_some() {
            return false;
        }
        if !self.ended && word == "--" {
            self.ended = true;
            return start;
        }
        if !self.ended && word.starts_with('-') && word != "-" {
            self.value_of = self.option(word).filter(|arg| takes_value(arg));
            return false;
        }
        if self.position == 0 && self.command.has_subcommands() {
            if let Some(below) = self.command.find_subcommand(word) {
                self.command = below;
                return false;
            }
            // A bare name is a switch.
            if let Some(switch) = self.root.find_subcommand("switch").filter(|_| self.is_root()) {
                self.command = switch;
            }
        }
        self.position += 1;
        start
    }

    fn is_root(&self) -> bool {
        std::ptr::eq(self.command, self.root)
    }

    /// What can stand here, of which `current` is the beginning.
    fn at(&self, current: &str) -> Vec<Wanted> {
        if let Some(arg) = self.value_of {
            return values(arg).into_iter().collect();
        }
        if !self.ended && current.starts_with('-') {
            return vec![self.options(current)];
        }
        let mut wanted = Vec::new();
        if self.position == 0 && self.command.has_subcommands() {
            wanted.extend(self.is_root().then_some(Wanted::Profile));
            let shown = self.command.get_subcommands().filter(|command| !command.is_hide_set());
            wanted.push(Wanted::Words(shown.map(|command| (command.get_name().to_owned(), about(command))).collect()));
            return wanted;
        }
        if self.command.get_name() == "start" {
            return vec![Wanted::Profile];
        }
        let all: Vec<&Arg> = self.command.get_positionals().collect();
        let last = all.last().filter(|arg| arg.get_num_args().is_some_and(|count| count.max_values() > 1));
        wanted
            .extend(all.get(self.position).or(last).copied().and_then(|arg| self.setting(arg).or_else(|| values(arg))));
        wanted
    }

    /// The name of a setting, or what the one that was named takes.
    fn setting(&self, arg: &Arg) -> Option<Wanted> {
        let words = match arg.get_id().as_str() {
            "key" => {
                let meant = |setting: &&Setting| (setting.file != SettingFile::Settings) == self.profile;
                // What is in angle brackets stands for any name.
                let named = SETTINGS.iter().filter(meant).filter(|setting| !setting.key.contains('<'));
                named.map(|setting| (setting.key.to_owned(), setting.meaning.to_owned())).collect()
            }
            "value" => {
                let words = clauth_engine::setting(self.last).map_or(&[][..], |setting| setting.takes.words());
                words.iter().map(|word| ((*word).to_owned(), String::new())).collect()
            }
            _ => return None,
        };
        Some(Wanted::Words(words))
    }

    /// An option by the word that was typed.
    fn option(&self, word: &str) -> Option<&'c Arg> {
        let named = |arg: &&Arg| match word.strip_prefix("--") {
            Some(long) => arg.get_long() == Some(long),
            None => word.chars().nth(1) == arg.get_short() && word.chars().count() == 2,
        };
        self.command.get_arguments().find(named)
    }

    /// The options of the command, or the values of one behind its `=`.
    fn options(&self, current: &str) -> Wanted {
        if let Some((option, _)) = current.split_once('=') {
            let listed = self.option(option).and_then(values);
            let Some(Wanted::Words(words)) = listed else { return Wanted::Words(Vec::new()) };
            return Wanted::Words(words.into_iter().map(|(word, help)| (format!("{option}={word}"), help)).collect());
        }
        let shown = self.command.get_arguments().filter(|arg| !arg.is_hide_set());
        let named = |arg: &Arg| Some((format!("--{}", arg.get_long()?), help(arg)));
        Wanted::Words(shown.filter_map(named).collect())
    }
}

/// What can be the value of an argument.
fn values(arg: &Arg) -> Option<Wanted> {
    let listed = arg.get_possible_values();
    if !listed.is_empty() {
        let shown = listed.iter().filter(|value| !value.is_hide_set());
        let word = |value: &clap::builder::PossibleValue| {
            (value.get_name().to_owned(), value.get_help().map(ToString::to_string).unwrap_or_default())
        };
        return Some(Wanted::Words(shown.map(word).collect()));
    }
    if arg.get_id() == "preset" {
        let of = |preset: &clauth_engine::Preset| (preset.name.to_owned(), preset.base_url.to_owned());
        return Some(Wanted::Words(clauth_engine::PRESETS.iter().map(of).collect()));
    }
    VALUES.iter().find(|(id, _)| *id == arg.get_id().as_str()).map(|(_, wanted)| wanted.clone())
}

fn takes_value(arg: &Arg) -> bool {
    matches!(arg.get_action(), ArgAction::Set | ArgAction::Append)
}

fn about(command: &Command) -> String {
    command.get_about().map(ToString::to_string).unwrap_or_default()
}

fn help(arg: &Arg) -> String {
    arg.get_help().map(ToString::to_string).unwrap_or_default()
}

#[cfg(test)]
mod tests {
    use super::*;

    fn asked(line: &str) -> Vec<Wanted> {
        let mut root = crate::args::command();
        root.build();
        let words: Vec<String> = line.split(' ').map(str::to_owned).collect();
        wanted(&root, &words)
    }

    /// The words among what is wanted, and the rest by its name.
    fn told(line: &str) -> Vec<String> {
        let one = |wanted: Wanted| match wanted {
            Wanted::Words(words) => words.into_iter().map(|(word, _)| word).collect(),
            other => vec![format!("{other:?}")],
        };
        asked(line).into_iter().flat_map(one).collect()
    }

    #[test]
    fn what_is_wanted_follows_the_words_before() {
        for (name, line, expected) in [
            ("a profile", "switch ", &["Profile"][..]),
            ("a profile behind a flag", "switch --dry-run ", &["Profile"]),
            ("nothing more", "switch work ", &[]),
            ("a global flag's value", "--color ", &["auto", "always", "never"]),
            ("the same behind a command", "list --color ", &["auto", "always", "never"]),
            ("the same in one word", "list --color=a", &["--color=auto", "--color=always", "--color=never"]),
            ("behind a global flag's value", "--color never switch ", &["Profile"]),
            ("a session", "start ", &["Profile"]),
            ("a session, with a flag", "start --keep-env ", &["Profile"]),
            ("claude's first word", "start work ", &["Claude(2)"]),
            ("claude's flag", "start work --mo", &["Claude(2)"]),
            ("claude's word of ours", "start work switch ", &["Claude(2)"]),
            ("claude's behind --", "start --auto -- ", &["Claude(3)"]),
            ("claude's --", "start - -- x ", &["Claude(2)"]),
            ("the old name only", "rename ", &["Profile"]),
            ("a new name is free", "rename work ", &[]),
            ("a directory", "bind work ", &["Dir"]),
            ("a directory at once", "unbind ", &["Dir"]),
            ("a kept login", "vault restore ", &["Kept"]),
            ("whose it becomes", "vault restore x --as ", &["Profile"]),
            ("a shell", "hook ", &["bash", "zsh", "fish", "pwsh"]),
            ("what a setting takes", "config set network ", &["on", "off"]),
            ("what a profile's setting takes", "config set --profile work auto_start ", &["true", "false"]),
            ("whose settings", "config --profile ", &["Profile"]),
            ("behind --, no flags", "switch -- ", &["Profile"]),
        ] {
            assert_eq!(told(line), expected, "{name}");
        }
    }

    #[test]
    fn the_first_word_is_a_profile_or_a_command() {
        let told = told("");
        assert_eq!(told[0], "Profile");
        assert!(told.contains(&"switch".to_owned()) && told.contains(&"completions".to_owned()), "{told:?}");
        assert!(!told.iter().any(|word| word.starts_with("__")), "{told:?}");
        assert!(
            asked("work --dr").iter().any(|wanted| matches!(wanted, Wanted::Words(words)
            if words.iter().any(|(word, help)| word == "--dry-run" && !help.is_empty()))),
            "a bare name is a switch"
        );
    }

    #[test]
    fn settings_are_named_for_whom_they_are() {
        let (ours, theirs) = (told("config get "), told("config get --profile work "));
        assert!(ours.contains(&"network".to_owned()) && !ours.contains(&"auto_start".to_owned()), "{ours:?}");
        assert!(theirs.contains(&"auto_start".to_owned()) && !theirs.contains(&"network".to_owned()), "{theirs:?}");
    }

    /// An argument that is new gets a row in [`VALUES`], a list of its own, or one here.
    #[test]
    fn every_argument_is_known_or_free() {
        const FREE: &[&str] = &["position", "new", "last", "words", "key", "value", "base_url", "root"];
        fn walk(command: &Command, missing: &mut Vec<String>) {
            for arg in command.get_arguments().filter(|arg| takes_value(arg)) {
                if values(arg).is_none() && !FREE.contains(&arg.get_id().as_str()) {
                    missing.push(format!("{}: {}", command.get_name(), arg.get_id()));
                }
            }
            command.get_subcommands().for_each(|below| walk(below, missing));
        }
        let mut root = crate::args::command();
        root.build();
        let mut missing = Vec::new();
        walk(&root, &mut missing);
        assert_eq!(missing, Vec::<String>::new());
    }
}
