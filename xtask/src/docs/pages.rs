//! The generated pages as text, before anything touches a file.

use clap::Command;
use clap_mangen::Man;

use super::tree::{Entry, entries};

/// The command reference.
const REFERENCE: &str = "docs/commands.md";

/// The settings.
const SETTINGS: &str = "docs/configuration.md";

/// What `doctor` finds.
const DOCTOR: &str = "docs/doctor.md";

/// The folder of the man pages.
const MAN: &str = "docs/man/";

/// One generated file.
pub(crate) struct Page {
    /// Relative to the root.
    pub(crate) path: String,
    /// Its whole content.
    pub(crate) text: String,
}

/// Whether a file at `path` is one of ours to generate.
pub(crate) fn is_generated(path: &str) -> bool {
    path == REFERENCE || path == SETTINGS || path == DOCTOR || path.starts_with(MAN)
}

/// Every page that the command line `command` asks for.
pub(crate) fn pages(command: &Command) -> anyhow::Result<Vec<Page>> {
    let mut pages = vec![Page { path: REFERENCE.into(), text: reference(&entries(command)) }];
    pages.push(Page { path: SETTINGS.into(), text: clauth::settings_page() });
    pages.push(Page { path: DOCTOR.into(), text: clauth::doctor_page() });
    let version = format!("{} {}", command.get_name(), command.get_version().unwrap_or_default());
    // `help` has no page of its own, so no page may refer to one.
    for entry in entries(&command.clone().disable_help_subcommand(true)) {
        pages.push(man(&entry, &version)?);
    }
    Ok(pages)
}

fn reference(entries: &[Entry]) -> String {
    let title = "# Commands\n\nWhat `--help` prints, command by command. Made by `cargo xtask docs`; do not edit.\n";
    let sections = entries.iter().map(|entry| format!("\n## {}\n\n```text\n{}```\n", entry.name, entry.help));
    std::iter::once(title.to_owned()).chain(sections).collect()
}

fn man(entry: &Entry, version: &str) -> anyhow::Result<Page> {
    let name = entry.name.replace(' ', "-");
    let mut bytes = Vec::new();
    let man = Man::new(entry.command.clone().display_name(&name)).title(&name).source(version).manual("clauth");
    man.render(&mut bytes)?;
    let text = String::from_utf8(bytes)?;
    let lines: Vec<&str> = text.lines().map(str::trim_end).collect();
    Ok(Page { path: format!("{MAN}{name}.1"), text: lines.join("\n") + "\n" })
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn the_reference_quotes_help_and_every_command_has_a_man_page() {
        let command = Command::new("c").about("Does it").subcommand(Command::new("a").about("Does a part"));
        let pages = pages(&command).unwrap();
        let paths: Vec<_> = pages.iter().map(|page| page.path.as_str()).collect();
        assert_eq!(
            paths,
            ["docs/commands.md", "docs/configuration.md", "docs/doctor.md", "docs/man/c.1", "docs/man/c-a.1"]
        );
        assert!(pages[0].text.contains("## c a\n\n```text\nDoes a part\n"), "{}", pages[0].text);
        assert!(pages[4].text.contains(".TH c-a 1"), "{}", pages[4].text);
        assert!(!pages[3].text.contains("help(1)"), "{}", pages[3].text);
        assert!(paths.iter().all(|path| is_generated(path)));
    }
}
