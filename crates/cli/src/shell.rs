//! The shells that clauth writes for.

use clap::ValueEnum;

/// A shell.
#[derive(Clone, Copy, Debug, PartialEq, Eq, ValueEnum)]
pub(crate) enum Shell {
    Bash,
    Zsh,
    Fish,
    #[value(alias = "powershell")]
    Pwsh,
}

impl Shell {
    /// Its name on the command line.
    pub(crate) fn word(self) -> &'static str {
        match self {
            Self::Bash => "bash",
            Self::Zsh => "zsh",
            Self::Fish => "fish",
            Self::Pwsh => "pwsh",
        }
    }

    /// A text as one word of the shell, whatever is in it.
    pub(crate) fn quoted(self, text: &str) -> String {
        match self {
            Self::Bash | Self::Zsh => format!("'{}'", text.replace('\'', "'\\''")),
            Self::Fish => format!("'{}'", text.replace('\\', "\\\\").replace('\'', "\\'")),
            Self::Pwsh => format!("'{}'", text.replace('\'', "''")),
        }
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_path_is_one_word_of_each_shell() {
        for (shell, expected) in [
            (Shell::Bash, "'/a $x'\\''b\\c'"),
            (Shell::Zsh, "'/a $x'\\''b\\c'"),
            (Shell::Fish, "'/a $x\\'b\\\\c'"),
            (Shell::Pwsh, "'/a $x''b\\c'"),
        ] {
            assert_eq!(shell.quoted("/a $x'b\\c"), expected, "{shell:?}");
        }
    }

    #[test]
    fn a_shells_word_is_what_is_typed() {
        for shell in Shell::value_variants() {
            assert_eq!(Shell::from_str(shell.word(), false).as_ref(), Ok(shell));
        }
    }
}
