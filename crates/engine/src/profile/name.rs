//! What a profile may be called.

use crate::Error;

/// Words that a profile may not take, since `clauth WORD` means the command: present ones, planned ones, and
/// those that mean a set of profiles.
const TAKEN: &[&str] = &[
    "add",
    "adopt",
    "all",
    "audit",
    "auto",
    "bind",
    "capture",
    "chain",
    "completions",
    "config",
    "custody",
    "daemon",
    "demo",
    "disable",
    "doctor",
    "enable",
    "export",
    "help",
    "hook",
    "hop",
    "import",
    "list",
    "login",
    "mcp",
    "none",
    "order",
    "refresh",
    "remove",
    "rename",
    "resume",
    "sessions",
    "start",
    "statusline",
    "switch",
    "tokens",
    "unbind",
    "undo",
    "uninstall",
    "usage",
    "vault",
    "version",
    "which",
    "why",
    "__complete",
];

/// Names that Windows gives to devices, with or without an extension.
const DEVICES: &[&str] = &[
    "con", "prn", "aux", "nul", "com1", "com2", "com3", "com4", "com5", "com6", "com7", "com8", "com9", "lpt1", "lpt2",
    "lpt3", "lpt4", "lpt5", "lpt6", "lpt7", "lpt8", "lpt9",
];

/// Whether `clauth WORD` is kept for a command, present or planned.
#[must_use]
pub fn is_command_word(word: &str) -> bool {
    TAKEN.contains(&word)
}

/// Checks a name for a new profile: `[A-Za-z0-9][A-Za-z0-9._@+-]{0,63}`, no device, no command.
///
/// # Errors
/// The rule that it breaks.
pub fn check(name: &str) -> Result<(), Error> {
    let broken = |why| Err(Error::Name { name: crate::text::shown(name), why });
    let mut letters = name.chars();
    let Some(first) = letters.next() else { return broken("it is empty") };
    if name.len() > 64 {
        return broken("it is longer than 64 characters");
    }
    if !first.is_ascii_alphanumeric() {
        return broken("it must begin with a letter or digit");
    }
    if !letters.all(|c| c.is_ascii_alphanumeric() || "._@+-".contains(c)) {
        return broken("only letters, digits and . _ @ + - may follow");
    }
    let folded = name.to_ascii_lowercase();
    if TAKEN.contains(&folded.as_str()) {
        return broken("it is the name of a command");
    }
    let stem = folded.split('.').next().unwrap_or_default();
    if DEVICES.contains(&stem) {
        return broken("Windows keeps it for a device");
    }
    // Windows drops a dot at the end of a file name, so two names would be one directory.
    if folded.ends_with('.') {
        return broken("it may not end with a dot");
    }
    Ok(())
}

#[cfg(test)]
mod tests {
    use super::check;

    #[test]
    fn hostile_names_are_refused() {
        for name in [
            "",
            ".",
            "..",
            "-rf",
            "a/b",
            "a\\b",
            "a b",
            "a\nb",
            "a\u{202e}b",
            "ä",
            "con",
            "NUL.txt",
            "lpt1",
            "switch",
            "ALL",
            "none",
            "a.",
            "--help",
            "a:b",
            "😀",
        ] {
            assert!(check(name).is_err(), "{name:?}");
        }
        assert!(check(&"x".repeat(65)).is_err());
    }

    #[test]
    fn ordinary_names_are_taken() {
        for name in ["work", "a", "A1", "me@example.com", "max+2", "x_y-z.1", "console", "com10", "7"] {
            assert!(check(name).is_ok(), "{name:?}");
        }
        assert!(check(&"x".repeat(64)).is_ok());
    }
}
