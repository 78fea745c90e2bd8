//! The variables of Claude Code's that endpoints go by (facts §1.3, §2.1).

/// Where Claude Code sends its requests.
pub(crate) const BASE_URL: &str = "ANTHROPIC_BASE_URL";

/// Each of these is a login, or a place to send one to.
pub(crate) const DECIDES: &[&str] = &[
    BASE_URL,
    "ANTHROPIC_AUTH_TOKEN",
    "ANTHROPIC_API_KEY",
    "CLAUDE_CODE_OAUTH_TOKEN",
    "CLAUDE_CODE_OAUTH_REFRESH_TOKEN",
];
