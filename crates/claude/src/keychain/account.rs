//! Under which account Claude Code keeps its items (facts §1.5).

use clauth_host::Host;

/// What stands for a name that the tool might not take.
const CONSTANT: &str = "claude-code-user";

/// The user's name by the environment, or what the system calls the user; the constant where it has other characters.
pub(super) fn account(host: &Host, of_system: impl FnOnce() -> Option<String>) -> String {
    let named = host.env.text("USER").map(str::to_owned);
    let user = named.or_else(of_system).unwrap_or_default();
    let plain = |c: char| c.is_ascii_alphanumeric() || matches!(c, '.' | '_' | '-');
    if !user.is_empty() && user.chars().all(plain) { user } else { CONSTANT.to_owned() }
}

#[cfg(test)]
mod tests {
    use clauth_host::Env;

    use super::*;

    #[test]
    fn the_account_is_the_users_name_where_that_is_plain() {
        let home = if cfg!(windows) { ("USERPROFILE", r"C:\nobody") } else { ("HOME", "/nonexistent") };
        for (name, user, system, expected) in [
            ("by the environment", Some("me.too_1-2"), None, "me.too_1-2"),
            ("by the system", None, Some("me"), "me"),
            ("empty is unset", Some(""), Some("me"), "me"),
            ("by nobody", None, None, "claude-code-user"),
            ("with a blank", Some("my self"), Some("me"), "claude-code-user"),
            ("a word of the shell", Some("a\"; x"), None, "claude-code-user"),
            ("beyond ASCII", Some("j\u{e9}"), None, "claude-code-user"),
        ] {
            let env: Env = [Some(home), user.map(|user| ("USER", user))].into_iter().flatten().collect();
            let host = Host::from_env(env).expect("a host");
            assert_eq!(account(&host, || system.map(str::to_owned)), expected, "{name}");
        }
    }
}
