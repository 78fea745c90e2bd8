//! What the child finds in its environment: everything of the caller's but what would make it use another login.

use std::ffi::{OsStr, OsString};
use std::path::Path;

use clauth_host::{Env, Secret};

use crate::ui::Ui;

/// Names the home that the child uses.
const CONFIG: &str = "CLAUDE_CONFIG_DIR";
/// Moves the credential store away from that home.
pub(crate) const SECURE: &str = "CLAUDE_SECURESTORAGE_CONFIG_DIR";
/// Makes `claude auth login` exchange a token instead of asking (facts §2.1).
const EXCHANGED: &str = "CLAUDE_CODE_OAUTH_REFRESH_TOKEN";

/// Every cloud provider has a switch of this family, those of later versions too (facts §2.1).
const PROVIDERS: &str = "CLAUDE_CODE_USE_";

/// What Claude Code documents for a setup token.
const TOKEN: &str = "CLAUDE_CODE_OAUTH_TOKEN";
/// Tells prompts and status lines whose session it is; `clauth hook` keeps it in other shells.
const PROFILE: &str = "CLAUTH_PROFILE";

/// The whole environment of a child.
pub(crate) struct Environment {
    variables: Vec<(OsString, OsString)>,
    /// What was set and is not passed on.
    pub(crate) removed: Vec<String>,
}

/// What a session's child is given of its own.
pub(crate) struct Given<'a> {
    /// The home.
    pub(crate) config: &'a Path,
    /// Where its login is, if not there.
    pub(crate) store: Option<&'a Path>,
    /// The profile.
    pub(crate) profile: Option<&'a str>,
    /// Its login, where that is a setup token: the one secret that a child is ever given this way (contract).
    pub(crate) token: Option<&'a Secret>,
}

impl Environment {
    /// The caller's environment with what the session is given, less what outranks its login; all of it where `keep` says
    /// so.
    pub(crate) fn of_session(env: &Env, given: &Given<'_>, keep: bool) -> Self {
        let mut removed = Vec::new();
        if !keep {
            removed.extend(env.raw(SECURE).map(|_| SECURE.to_owned()));
            removed.extend(clauth_claude::outranking(env).into_iter().map(str::to_owned));
            removed.extend(providers(env));
        }
        Self::without(env, removed, given)
    }

    /// The environment of a sign-in: nothing may choose another way to sign in than the one that the user is asked for.
    pub(crate) fn of_login(env: &Env, config: &Path) -> Self {
        let given = Given { config, store: None, profile: None, token: None };
        let mut of = Self::of_session(env, &given, false);
        if env.raw(EXCHANGED).is_some() {
            of.variables.retain(|(name, _)| !is(name, EXCHANGED));
            of.removed.push(EXCHANGED.to_owned());
        }
        of
    }

    fn without(env: &Env, removed: Vec<String>, given: &Given<'_>) -> Self {
        let own = [
            (CONFIG, Some(given.config.as_os_str())),
            (SECURE, given.store.map(Path::as_os_str)),
            (PROFILE, given.profile.map(OsStr::new)),
            (TOKEN, given.token.map(|token| OsStr::new(token.expose()))),
        ];
        let own: Vec<(&str, &OsStr)> = own.into_iter().filter_map(|(name, value)| Some((name, value?))).collect();
        let stays = |name: &OsStr| {
            !own.iter().any(|(own, _)| is(name, own)) && !removed.iter().any(|removed| is(name, removed))
        };
        let passed = env.iter().filter(|(name, _)| stays(name));
        let mut variables: Vec<_> = passed.map(|(name, value)| (name.to_owned(), value.to_owned())).collect();
        variables.extend(own.iter().map(|(name, value)| (OsString::from(name), value.to_os_string())));
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

/// The variables of the providers' family that are set to something, but for those that are known to outrank a login, which
/// are dealt with by their meaning.
fn providers(env: &Env) -> Vec<String> {
    let is_one = |name: &str| {
        let family = name.get(..PROVIDERS.len()).is_some_and(|head| is(OsStr::new(head), PROVIDERS));
        family && !clauth_claude::OUTRANKING.iter().any(|known| is(OsStr::new(name), known))
    };
    let set = env.iter().filter(|(_, value)| !value.is_empty()).filter_map(|(name, _)| name.to_str());
    let mut found: Vec<String> = set.filter(|name| is_one(name)).map(str::to_owned).collect();
    found.sort_unstable();
    found
}

/// Whether a variable is the one of that name. Windows does not tell upper from lower case there.
fn is(name: &OsStr, known: &str) -> bool {
    if cfg!(windows) { name.eq_ignore_ascii_case(known) } else { name == known }
}

#[cfg(test)]
mod tests {
    use super::*;

    fn plain() -> Given<'static> {
        Given { config: Path::new("/home"), store: None, profile: None, token: None }
    }

    fn shown(environment: &Environment) -> Vec<String> {
        let text = |(name, value): (&OsStr, &OsStr)| format!("{}={}", name.display(), value.display());
        environment.iter().map(text).collect()
    }

    #[test]
    fn what_outranks_the_login_is_left_out_and_named() {
        type Row<'a> = (&'a str, &'a [(&'a str, &'a str)], &'a [&'a str], &'a [&'a str]);
        let rows: [Row<'_>; 7] = [
            (
                "providers of any name",
                &[
                    ("CLAUDE_CODE_USE_NEWEST", "1"),
                    ("CLAUDE_CODE_USER_EMAIL", "e"),
                    ("CLAUDE_CODE_USE_ANTHROPIC_AWS", "1"),
                ],
                &["CLAUDE_CODE_USER_EMAIL=e"],
                &["CLAUDE_CODE_USE_ANTHROPIC_AWS", "CLAUDE_CODE_USE_NEWEST"],
            ),
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
            let of = Environment::of_session(&env, &plain(), false);
            let expected: Vec<&str> = passed.iter().copied().chain(["CLAUDE_CONFIG_DIR=/home"]).collect();
            assert_eq!(shown(&of), expected, "{name}");
            assert_eq!(of.removed, removed, "{name}");
            let kept = Environment::of_session(&env, &plain(), true);
            let all = given.iter().filter(|(name, _)| *name != CONFIG).count() + 1;
            assert_eq!((shown(&kept).len(), kept.removed.len()), (all, 0), "{name}: kept");
        }
    }

    #[test]
    fn a_sign_in_is_given_no_token_to_exchange() {
        let env: Env = [(EXCHANGED, "sk-ant-ort01-FAKE"), ("A", "1")].into_iter().collect();
        let of = Environment::of_login(&env, Path::new("/home"));
        assert_eq!(
            (shown(&of), of.removed),
            (vec!["A=1".into(), "CLAUDE_CONFIG_DIR=/home".into()], vec![EXCHANGED.to_owned()])
        );
    }

    #[test]
    fn what_the_session_is_given_takes_the_place_of_the_callers() {
        let env: Env = [(SECURE, "/theirs"), (TOKEN, "theirs"), (PROFILE, "other"), ("A", "1")].into_iter().collect();
        let token = Secret::new("sk-ant-oat01-FAKE-SETUP");
        let given = Given { store: Some(Path::new("/store")), profile: Some("work"), token: Some(&token), ..plain() };
        let expected = [
            "A=1",
            "CLAUDE_CONFIG_DIR=/home",
            "CLAUDE_SECURESTORAGE_CONFIG_DIR=/store",
            "CLAUTH_PROFILE=work",
            "CLAUDE_CODE_OAUTH_TOKEN=sk-ant-oat01-FAKE-SETUP",
        ];
        for keep in [false, true] {
            assert_eq!(shown(&Environment::of_session(&env, &given, keep)), expected, "keep {keep}");
        }
    }
}
