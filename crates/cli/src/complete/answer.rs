//! From what is wanted to what there is. Looks only: it reads a list and small files, writes nothing and asks nobody.

use clauth_engine::Engine;

use super::walk::{Wanted, wanted};
use crate::shell::Shell;

/// One line of the answer.
#[derive(Debug, PartialEq, Eq)]
pub(crate) enum Candidate {
    /// A word, and what is said of it.
    Word(String, String),
    /// The shell completes paths of files.
    Files,
    /// The shell completes paths of directories.
    Dirs,
    /// The shell completes as for `claude`, whose words begin after so many of these.
    Claude(usize),
}

impl Candidate {
    /// As the scripts read it.
    pub(crate) fn line(&self) -> String {
        match self {
            Self::Word(word, help) if help.is_empty() => word.clone(),
            Self::Word(word, help) => format!("{word}\t{help}"),
            Self::Files => ":files".into(),
            Self::Dirs => ":dirs".into(),
            Self::Claude(at) => format!(":claude {at}"),
        }
    }
}

/// What can stand at the last of `words`. A shell that does not choose by itself gets only what begins as that word does.
pub(crate) fn answers(shell: Shell, words: &[String], engine: &Engine) -> Vec<Candidate> {
    let mut root = crate::args::command();
    root.build();
    let mut all: Vec<Candidate> = wanted(&root, words).into_iter().flat_map(|one| fill(one, engine)).collect();
    let begun = words.last().map(|word| word.to_lowercase()).unwrap_or_default();
    // A name may also be typed in another case.
    let fits = |word: &str| !matches!(shell, Shell::Bash | Shell::Pwsh) || word.to_lowercase().starts_with(&begun);
    // No shell can take a line end or a tab for a part of a word, and no terminal an escape.
    let plain = |word: &str| !word.chars().any(char::is_control) && clauth_engine::plain(word) == word;
    all.retain(|one| match one {
        Candidate::Word(word, _) => fits(word) && plain(word),
        _ => true,
    });
    all
}

fn fill(wanted: Wanted, engine: &Engine) -> Vec<Candidate> {
    match wanted {
        Wanted::Words(words) => {
            words.into_iter().map(|(word, help)| Candidate::Word(word, first_line(&help))).collect()
        }
        Wanted::Profile => profiles(engine),
        Wanted::Kept => kept(engine),
        Wanted::Dir => vec![Candidate::Dirs],
        Wanted::File => vec![Candidate::Files],
        Wanted::Claude(at) => vec![Candidate::Claude(at)],
    }
}

fn profiles(engine: &Engine) -> Vec<Candidate> {
    let all = engine.named_accounts().unwrap_or_default();
    all.into_iter().map(|(name, email)| Candidate::Word(name, first_line(&email.unwrap_or_default()))).collect()
}

fn kept(engine: &Engine) -> Vec<Candidate> {
    let all = engine.vault().unwrap_or_default();
    let whose = |entry: &clauth_engine::VaultEntry| entry.email.clone().or_else(|| entry.profile.clone());
    all.into_iter()
        .map(|entry| Candidate::Word(entry.id.clone(), first_line(&whose(&entry).unwrap_or_default())))
        .collect()
}

fn first_line(text: &str) -> String {
    clauth_engine::shown(text.lines().next().unwrap_or_default())
}
