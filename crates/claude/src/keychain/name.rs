//! What an item is called (facts §1.5): by the very text that the variable holds, so a trailing slash makes another item.

use std::ffi::OsStr;
use std::path::PathBuf;

use clauth_durable::item_path;
use clauth_host::{Env, Fingerprint};
use unicode_normalization::UnicodeNormalization as _;

/// The item of a `claude` for which no directory is exported.
const PLAIN: &str = "Claude Code-credentials";

/// The item of a `claude` for which `exported` is the directory that its environment names, to the letter; `None` for none.
#[must_use]
pub fn item_of(exported: Option<&OsStr>) -> PathBuf {
    let Some(text) = exported else { return item_path(PLAIN) };
    let normal: String = text.to_string_lossy().nfc().collect();
    item_path(&format!("{PLAIN}-{}", Fingerprint::of(normal.as_bytes()).short()))
}

/// The directory that the environment exports for the credential store: the store's own variable where it is defined, also
/// when that is empty, which means the plain item; else the config home's.
#[must_use]
pub fn exported(env: &Env) -> Option<&OsStr> {
    match env.raw(crate::home::SECURE) {
        Some(secure) => Some(secure).filter(|value| !value.is_empty()),
        None => env.get(crate::home::CONFIG),
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn an_item_is_called_by_the_exact_text_of_the_variable() {
        let rows = [
            ("unset", None, ""),
            ("the default home, named", Some("/Users/me/.claude"), "-0bd83d07"),
            ("a trailing slash is another item", Some("/Users/me/.claude/"), "-8586dac6"),
            ("another home", Some("/Users/me/.claude-work"), "-1e91dd84"),
            ("decomposed", Some("/Users/me/cafe\u{301}"), "-12e72a48"),
            ("composed", Some("/Users/me/caf\u{e9}"), "-12e72a48"),
        ];
        for (name, exported, suffix) in rows {
            let expected = item_path(&format!("Claude Code-credentials{suffix}"));
            assert_eq!(item_of(exported.map(OsStr::new)), expected, "{name}");
        }
    }

    #[test]
    fn the_stores_own_variable_decides_where_it_is_defined() {
        let (config, secure) = ("CLAUDE_CONFIG_DIR", "CLAUDE_SECURESTORAGE_CONFIG_DIR");
        for (name, pairs, expected) in [
            ("neither", vec![], None),
            ("the config home's", vec![(config, "/a")], Some("/a")),
            ("an empty config home is none", vec![(config, "")], None),
            ("the store's wins", vec![(config, "/a"), (secure, "/b")], Some("/b")),
            ("the store's alone", vec![(secure, "/b")], Some("/b")),
            ("set but empty: no suffix", vec![(config, "/a"), (secure, "")], None),
        ] {
            let env: Env = pairs.into_iter().collect();
            assert_eq!(exported(&env), expected.map(OsStr::new), "{name}");
        }
    }
}
