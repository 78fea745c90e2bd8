//! What the child finds in its environment: everything of the caller's but what would make it use another login.

use std::ffi::{OsStr, OsString};
use std::path::Path;

use clauth_host::Env;

use crate::ui::Ui;

/// Names the home that the child uses.
const CONFIG: &str = "CLAUDE_CONFIG_DIR";
/// Moves the credential store away from that home.
pub(crate) const SECURE: &str = "CLAUDE_SECURESTORAGE_CONFIG_DIR";
/// Makes `claude auth login` exchange a token instead of asking (facts §2.1).
const EXCHANGED: &str = "CLAUDE_CODE_OAUTH_REFRESH_TOKEN";

/// The whole environment of a child.
pub(crate) struct Environment {
    variables: Vec<(OsString, OsString)>,
    /// What was set and is not passed on.
    pub(crate) removed: Vec<&'static str>,
}

impl Environment {
    /// The caller's environment with `config` as the home, less what outranks its login; all of it where `keep` says so.
    pub(crate) fn of_session(env: &Env, config: &Path, keep: bool) -> Self {
        let mut removed = Vec::new();
        if !keep {
            removed.extend(env.raw(SECURE).map(|_| SECURE));
            removed.extend(clauth_claude::outranking(env));
        }
        Self::without(env, removed, config)
    }

    /// The environment of a sign-in: nothing may choose another way to sign in than the one that the user is asked for.
    pub(crate) fn of_login(env: &Env, config: &Path) -> Self {
        let mut of = Self::of_session(env, config, false);
        if env.raw(EXCHANGED).is_some() {
            of.variables.retain(|(name, _)| !is(name, EXCHANGED));
            of.removed.push(EXCHANGED);
        }
        of
    }

    fn without(env: &Env, removed: Vec<&'static str>, config: &Path) -> Self {
        let stays = |name: &OsStr| !is(name, CONFIG) && !removed.iter().any(|removed| is(name, removed));
        let passed = env.iter().filter(|(name, _)| stays(name));
        let mut variables: Vec<_> = passed.map(|(name, value)| (name.to_owned(), value.to_owned())).collect();
        variables.push((CONFIG.into(), config.into()));
        Self { variables, removed }
    }

    /// All variables.
    pub(crate) fn iter(&self) -> impl Iterator<Item = (&OsStr, &OsStr)> {
        self.variables.iter().map(|(name, value)| (name.as_os_str(), value.as_os_str()))
    }

    /// Names what is not passed on, once each and never its value. `remedy` ends the sentence.
    pub(crate) fn tell(&self, remedy: &str, ui: &Ui) {
        if !self.removed.is_empty() {
            ui.warn(&format!("not passed on, as it outranks the login: {}{remedy}", self.removed.join(", ")));
        }
    }
}

/// Whether a variable is the one of that name. Windows does not tell upper from lower case there.
fn is(name: &OsStr, known: &str) -> bool {
    if cfg!(windows) { name.eq_ignore_ascii_case(known) } else { name == known }
}

#[cfg(test)]
mod tests {
    use super::*;

    fn shown(environment: &Environment) -> Vec<String> {
        let text = |(name, value): (&OsStr, &OsStr)| format!("{}={}", name.display(), value.display());
        environment.iter().map(text).collect()
    }

    #[test]
    fn what_outranks_the_login_is_left_out_and_named() {
        type Row<'a> = (&'a str, &'a [(&'a str, &'a str)], &'a [&'a str], &'a [&'a str]);
        let rows: [Row<'_>; 6] = [
            ("nothing", &[("A", "1")], &["A=1"], &[]),
            ("a key", &[("A", ""), ("ANTHROPIC_API_KEY", "k")], &["A="], &["ANTHROPIC_API_KEY"]),
            ("a store, even an empty one", &[(SECURE, "")], &[], &[SECURE]),
            ("a switch that is off", &[("CLAUDE_CODE_USE_VERTEX", "0")], &["CLAUDE_CODE_USE_VERTEX=0"], &[]),
            ("another home", &[(CONFIG, "/old")], &[], &[]),
            (
                "several",
                &[("CLAUDE_CODE_OAUTH_TOKEN", "t"), ("ANTHROPIC_BASE_URL", "u"), ("Z", "2")],
                &["Z=2"],
                &["CLAUDE_CODE_OAUTH_TOKEN", "ANTHROPIC_BASE_URL"],
            ),
        ];
        for (name, given, passed, removed) in rows {
            let env: Env = given.iter().copied().collect();
            let of = Environment::of_session(&env, Path::new("/home"), false);
            let expected: Vec<&str> = passed.iter().copied().chain(["CLAUDE_CONFIG_DIR=/home"]).collect();
            assert_eq!(shown(&of), expected, "{name}");
            assert_eq!(of.removed, removed, "{name}");
            let kept = Environment::of_session(&env, Path::new("/home"), true);
            let all = given.iter().filter(|(name, _)| *name != CONFIG).count() + 1;
            assert_eq!((shown(&kept).len(), kept.removed.len()), (all, 0), "{name}: kept");
        }
    }

    #[test]
    fn a_sign_in_is_given_no_token_to_exchange() {
        let env: Env = [(EXCHANGED, "sk-ant-ort01-FAKE"), ("A", "1")].into_iter().collect();
        let of = Environment::of_login(&env, Path::new("/home"));
        assert_eq!((shown(&of), of.removed), (vec!["A=1".into(), "CLAUDE_CONFIG_DIR=/home".into()], vec![EXCHANGED]));
    }
}
