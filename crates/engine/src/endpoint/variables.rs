//! The variables and keys of Claude Code's that endpoints go by (facts §1.3, §2.1).

/// Where Claude Code sends its requests.
pub(crate) const BASE_URL: &str = "ANTHROPIC_BASE_URL";

/// What an endpoint's key was given in before there was a helper.
pub(crate) const AUTH_TOKEN: &str = "ANTHROPIC_AUTH_TOKEN";

/// The same as another header.
pub(crate) const API_KEY: &str = "ANTHROPIC_API_KEY";

/// The key of `settings.json` that names the command which prints the key.
pub(crate) const HELPER: &str = "apiKeyHelper";

/// Each of these is a login, or a place to send one to.
pub(crate) const DECIDES: &[&str] =
    &[BASE_URL, AUTH_TOKEN, API_KEY, "CLAUDE_CODE_OAUTH_TOKEN", "CLAUDE_CODE_OAUTH_REFRESH_TOKEN"];

/// What is used instead of a helper's key wherever it is set.
pub(crate) const STRONGER: &[&str] =
    &["CLAUDE_CODE_USE_BEDROCK", "CLAUDE_CODE_USE_VERTEX", "CLAUDE_CODE_USE_FOUNDRY", AUTH_TOKEN, API_KEY];
