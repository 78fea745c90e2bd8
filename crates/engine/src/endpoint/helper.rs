//! The command that Claude Code runs for an endpoint's key (`apiKeyHelper`), quoted for the shell of each system.

use std::path::Path;

use clauth_host::Secret;

use super::BASE_URL;
use crate::config::ProfileConfig;
use crate::error::Kind;
use crate::profile::Record;
use crate::{Engine, Error};

/// The hidden command that prints a key.
pub const KEY_COMMAND: &str = "__key";

impl Engine {
    /// The command that prints the key of `name`. It names this program, this root and the profile, so that it works
    /// whatever the environment of the `claude` that runs it says.
    ///
    /// # Errors
    /// A path that cannot be written for that shell.
    pub(crate) fn helper(&self, name: &str) -> Result<String, Error> {
        let root = self.root.path();
        quoted(&self.program, root, name, cfg!(windows)).ok_or_else(|| {
            let what = "the path of clauth or of its root cannot be written into a command".to_owned();
            let next = ["install clauth, or set CLAUTH_HOME, under a path of plain letters"];
            Error::refused(Kind::Usage, what, self.program.display().to_string(), &next)
        })
    }

    /// Whether a command is that helper: of this root and profile, wherever the program lay when it was set.
    pub(crate) fn is_helper(&self, command: &str, name: &str) -> bool {
        let behind = |command: &str| command.split_once(KEY_COMMAND).map(|(_, words)| words.to_owned());
        self.helper(name).is_ok_and(|helper| behind(command).is_some_and(|words| behind(&helper) == Some(words)))
    }

    /// The key of the endpoint profile `name`, for Claude Code's ears only. A request that would go to another host does
    /// not get it: a project's own settings may name any, and one that nothing names goes to Anthropic's.
    ///
    /// # Errors
    /// No such profile, no key, an address that `add` would not take, or another host.
    pub fn endpoint_key(&self, name: &str) -> Result<Secret, Error> {
        Record::read(&self.disk, &self.root, name).refuse_url()?;
        let config = ProfileConfig::read(&self.disk, &self.root, name)?;
        let (Some(url), Some(key)) = (config.base_url(), config.api_key()) else {
            return Err(no_key(name));
        };
        let asked = self.host.env.text(BASE_URL).filter(|asked| !asked.is_empty());
        if asked.is_some_and(|asked| place_of(asked) == place_of(&url)) {
            return Ok(key);
        }
        let (other, next) = match asked {
            Some(asked) => (shown(asked), format!("take {BASE_URL} out of this project's settings or environment")),
            None => ("Anthropic's own host, where nothing else is named".to_owned(), format!("clauth switch {name}")),
        };
        let what = format!("the key of '{name}' is for {}, not for {other}", shown(&url));
        Err(Error::refused(Kind::Protected, what, name, &[&next]))
    }
}

/// The refusal of an endpoint without a key.
pub(crate) fn no_key(name: &str) -> Error {
    let next = format!("clauth config set --profile {name} api_key");
    Error::refused(Kind::DeadLogin, format!("'{name}' has no key"), name, &[&next])
}

/// Whether two addresses lead to one host by one scheme.
pub(crate) fn same_host(one: &str, other: &str) -> bool {
    place_of(one) == place_of(other)
}

/// Scheme, host and port, which a key is bound to.
fn place_of(url: &str) -> String {
    let (scheme, rest) = url.trim().split_once("://").unwrap_or(("", url));
    let authority = rest.split(['/', '?', '#']).next().unwrap_or_default().to_ascii_lowercase();
    let scheme = scheme.to_ascii_lowercase();
    let port = if scheme == "http" { ":80" } else { ":443" };
    format!("{scheme}://{}", authority.strip_suffix(port).unwrap_or(&authority))
}

fn shown(url: &str) -> String {
    crate::text::shown(&place_of(url))
}

/// The command for `sh`, or for both cmd.exe and Git's bash, of which Claude Code uses either on Windows.
fn quoted(program: &Path, root: &Path, name: &str, windows: bool) -> Option<String> {
    let words = [program.to_str()?, KEY_COMMAND, root.to_str()?, name];
    let quote = |word: &str| {
        if word.chars().any(char::is_control) {
            return None;
        }
        if word == KEY_COMMAND {
            return Some(word.to_owned());
        }
        if windows {
            // Nothing protects these in both shells; a backslash would be one bash's, a slash is a path's in either.
            return (!word.contains(['"', '%', '$', '`', '!'])).then(|| format!("\"{}\"", word.replace('\\', "/")));
        }
        Some(format!("'{}'", word.replace('\'', r"'\''")))
    };
    Some(words.into_iter().map(quote).collect::<Option<Vec<_>>>()?.join(" "))
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_path_is_one_word_of_its_shell() {
        let rows: [(&str, &str, &str, bool, Option<&str>); 7] = [
            (
                "plain",
                "/usr/bin/clauth",
                "/home/u/.clauth",
                false,
                Some("'/usr/bin/clauth' __key '/home/u/.clauth' 'e'"),
            ),
            ("space", "/my apps/clauth", "/r", false, Some("'/my apps/clauth' __key '/r' 'e'")),
            ("quote", "/it's/clauth", "/r", false, Some(r"'/it'\''s/clauth' __key '/r' 'e'")),
            ("what a shell would do", "/$(x)`y`/clauth", "/r", false, Some("'/$(x)`y`/clauth' __key '/r' 'e'")),
            (
                "windows",
                r"C:\Program Files\clauth.exe",
                r"C:\Users\u\.clauth",
                true,
                Some("\"C:/Program Files/clauth.exe\" __key \"C:/Users/u/.clauth\" \"e\""),
            ),
            ("windows variable", r"C:\%x%\clauth.exe", "/r", true, None),
            ("newline", "/a\nb/clauth", "/r", false, None),
        ];
        for (name, program, root, windows, expected) in rows {
            let command = quoted(Path::new(program), Path::new(root), "e", windows);
            assert_eq!(command.as_deref(), expected, "{name}");
        }
    }

    #[test]
    fn a_key_is_bound_to_its_host() {
        for (name, one, other, same) in [
            ("path", "https://api.z.ai/api/anthropic", "https://API.z.ai/other", true),
            ("default port", "https://api.z.ai", "https://api.z.ai:443/x", true),
            ("other port", "http://127.0.0.1:1", "http://127.0.0.1:2", false),
            ("other host", "https://api.z.ai", "https://api.z.ai.example.com", false),
            ("other scheme", "https://api.z.ai", "http://api.z.ai", false),
        ] {
            assert_eq!(place_of(one) == place_of(other), same, "{name}");
        }
    }
}
