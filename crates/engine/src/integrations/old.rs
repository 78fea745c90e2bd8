//! What version 0.4.0 wrote into people's shell files: a blank line, a comment, and a line that sources a script in the
//! root. It is ours, so it goes as our own does.

use std::path::Path;

use clauth_durable::Disk;
use clauth_host::Host;

use super::{Integration, Record, What};
use crate::Root;

/// The files that 0.4.0 wrote into, by shell.
const FILES: [(&str, &str); 2] = [("bash", ".bashrc"), ("zsh", ".zshrc")];

impl Record {
    /// Takes into the record what 0.4.0 put there, where nothing of ours is on record. Writes nothing.
    pub(super) fn with_old(mut self, disk: &Disk, root: &Root, host: &Host) -> Self {
        for (shell, name) in FILES {
            let (by, file) = (format!("completions {shell}"), host.home.join(name));
            if self.of(&by, &file).is_some() {
                continue;
            }
            let script = root.path().join("completions").join(format!("clauth.{shell}"));
            let Some(added) = disk.read(&file).ok().flatten().and_then(|bytes| block(&bytes, &script)) else {
                continue;
            };
            let at = host.clock.now();
            self.set(Integration { by, at, file, what: What::Lines { added }, made: false, dirs: Vec::new() });
        }
        self
    }
}

/// The block that sources `script`, to the letter.
fn block(file: &[u8], script: &Path) -> Option<String> {
    let text = std::str::from_utf8(file).ok()?;
    let wanted = format!("source \"{}\"", script.display());
    let lines: Vec<&str> = text.split_inclusive('\n').collect();
    let at = lines.iter().position(|line| line.trim() == wanted)?;
    let above = |back: usize| at.checked_sub(back).map(|at| lines[at].trim());
    let comment = above(1).is_some_and(|line| line.starts_with('#') && line.contains("clauth"));
    let blank = comment && above(2) == Some("");
    Some(lines[at - usize::from(comment) - usize::from(blank)..=at].concat())
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn the_lines_of_0_4_0_are_known_and_nothing_else() {
        let script = Path::new("/r/completions/clauth.bash");
        let line = "source \"/r/completions/clauth.bash\"\n";
        for (name, file, expected) in [
            (
                "as it wrote them",
                format!("x\n\n# clauth completions\n{line}y\n"),
                Some(format!("\n# clauth completions\n{line}")),
            ),
            ("alone", line.to_owned(), Some(line.to_owned())),
            ("below somebody's comment", format!("\n# mine\n{line}"), Some(line.to_owned())),
            ("without a blank line", format!("x\n# clauth\n{line}"), Some(format!("# clauth\n{line}"))),
            ("another root", "source \"/s/completions/clauth.bash\"\n".to_owned(), None),
            ("switched off", format!("# {line}"), None),
            ("nothing", String::new(), None),
        ] {
            assert_eq!(block(file.as_bytes(), script), expected, "{name}");
        }
    }
}
