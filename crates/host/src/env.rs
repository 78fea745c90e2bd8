//! The environment, read once.

use std::collections::BTreeMap;
use std::ffi::{OsStr, OsString};
use std::path::PathBuf;

/// A snapshot of environment variables. On Windows upper and lower case are one name: what is asked for as `PATH` is `Path`
/// there.
#[derive(Clone, Default)]
pub struct Env(BTreeMap<OsString, OsString>);

impl Env {
    /// The variables of this process.
    #[must_use]
    #[expect(clippy::disallowed_methods, reason = "this is the one place that reads the environment")]
    pub fn of_process() -> Self {
        Self(std::env::vars_os().collect())
    }

    /// A variable's value, empty values included.
    #[must_use]
    pub fn raw(&self, name: &str) -> Option<&OsStr> {
        let exact = self.0.get(OsStr::new(name));
        let other = || self.0.iter().find(|(there, _)| is_same_name(there, OsStr::new(name))).map(|(_, value)| value);
        exact.or_else(other).map(OsString::as_os_str)
    }

    /// A variable's value; an empty one counts as absent.
    #[must_use]
    pub fn get(&self, name: &str) -> Option<&OsStr> {
        self.raw(name).filter(|value| !value.is_empty())
    }

    /// A variable that is valid UTF-8 and not empty.
    #[must_use]
    pub fn text(&self, name: &str) -> Option<&str> {
        self.get(name).and_then(OsStr::to_str)
    }

    /// A variable as a path; an empty one counts as absent.
    #[must_use]
    pub fn path(&self, name: &str) -> Option<PathBuf> {
        self.get(name).map(PathBuf::from)
    }

    /// All variables, by name.
    pub fn iter(&self) -> impl Iterator<Item = (&OsStr, &OsStr)> {
        self.0.iter().map(|(name, value)| (name.as_os_str(), value.as_os_str()))
    }
}

impl<N: Into<OsString>, V: Into<OsString>> FromIterator<(N, V)> for Env {
    fn from_iter<I: IntoIterator<Item = (N, V)>>(pairs: I) -> Self {
        let mut env = BTreeMap::<OsString, OsString>::new();
        for (name, value) in pairs {
            let name = name.into();
            // As in the system's own block a later one takes the place of an earlier one.
            let there = env.keys().find(|there| **there != name && is_same_name(there, &name)).cloned();
            there.into_iter().for_each(|there| drop(env.remove(&there)));
            env.insert(name, value.into());
        }
        Self(env)
    }
}

/// Whether the system takes two names of variables, of which one may not be the other letter by letter, for one.
fn is_same_name(one: &OsStr, other: &OsStr) -> bool {
    cfg!(windows) && one.eq_ignore_ascii_case(other)
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_name_is_found_as_the_system_finds_it() {
        let env: Env = [("Path", "a"), ("EMPTY", ""), ("PATH2", "b")].into_iter().collect();
        assert_eq!(env.text("Path"), Some("a"));
        assert_eq!(env.text("PATH"), if cfg!(windows) { Some("a") } else { None });
        assert_eq!((env.raw("EMPTY").is_some(), env.get("EMPTY")), (true, None));
        let env: Env = [("Path", "a"), ("PATH", "b")].into_iter().collect();
        assert_eq!(env.text("PATH"), Some("b"), "the later one");
        assert_eq!(env.iter().count(), if cfg!(windows) { 1 } else { 2 });
    }
}
