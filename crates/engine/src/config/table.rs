//! The one table of settings. `config`, its checks, `docs/configuration.md` and completions come from it: a new setting is
//! one line here, and an accessor in `read.rs` where the code asks for it.

use super::Takes;
use super::takes::is_variable;

/// Which file a setting lives in.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum File {
    /// `settings.toml`: ours, for all profiles.
    Settings,
    /// `profiles/<name>/config.toml`: a profile's, in the keys of version 0.4.0.
    Config,
    /// `profiles/<name>/options.toml`: a profile's, of what 0.4.0 does not know.
    Options,
}

/// One setting.
#[derive(Clone, Copy, Debug)]
pub struct Setting {
    /// Its name; a part in angle brackets stands for any.
    pub key: &'static str,
    /// Where it lives.
    pub file: File,
    /// What it takes.
    pub takes: Takes,
    /// What holds while nothing is said; `None` for nothing.
    pub default: Option<&'static str>,
    /// What it means.
    pub meaning: &'static str,
}

const fn row(
    key: &'static str,
    file: File,
    takes: Takes,
    default: Option<&'static str>,
    meaning: &'static str,
) -> Setting {
    Setting { key, file, takes, default, meaning }
}

/// How long a model's name or a variable's value may be.
const NAME: Takes = Takes::Line(200);
const VALUE: Takes = Takes::Line(4096);
const PERCENT: Takes = Takes::Number(0.0, 100.0);

/// Every setting that a person may change, in the order in which they are shown.
pub const SETTINGS: &[Setting] = &[
    row(
        "network",
        File::Settings,
        Takes::Switch,
        Some("on"),
        "whether clauth may ask a server anything; off opens no socket",
    ),
    row(
        "refresh",
        File::Settings,
        Takes::Switch,
        Some("on"),
        "whether clauth may renew logins; off leaves it all to Claude Code",
    ),
    row(
        "sessions.bearer",
        File::Settings,
        Takes::Switch,
        Some("on"),
        "whether a session may run on the live account; off refuses that",
    ),
    row(
        "poll.active",
        File::Settings,
        Takes::Time(180, 3600),
        Some("5m"),
        "how often the live account's usage is asked for",
    ),
    row(
        "poll.parked",
        File::Settings,
        Takes::Time(600, 86_400),
        Some("15m"),
        "how often the usage of other accounts is asked for",
    ),
    row(
        "statusline.format",
        File::Settings,
        Takes::Line(400),
        None,
        "what `clauth statusline` prints; without it, what fits",
    ),
    row("time.zone", File::Settings, Takes::Zone, Some("local"), "the time zone that times are shown in"),
    row("base_url", File::Config, Takes::Url, None, "the endpoint that Claude Code talks to under this profile"),
    row("api_key", File::Config, Takes::Key, None, "the key of that endpoint; reaches Claude Code through a helper"),
    row(
        "auto_start",
        File::Config,
        Takes::Flag,
        Some("false"),
        "version 0.4.0's wish to open a usage window early; kept and listed",
    ),
    row(
        "fallback_threshold",
        File::Config,
        Takes::Line5h(0.0, 100.0),
        Some("95"),
        "percent of the 5-hour window at which the chain leaves; 100 makes it a last resort",
    ),
    row("env.<NAME>", File::Config, VALUE, None, "a variable that Claude Code gets while the profile is active"),
    row("enabled", File::Options, Takes::Flag, Some("true"), "whether automatic choices consider the profile"),
    row("line_week", File::Options, PERCENT, Some("98"), "percent of the weekly window at which the chain leaves"),
    row("models.default", File::Options, NAME, None, "the model that Claude Code starts with (`model`)"),
    row("models.opus", File::Options, NAME, None, "what `opus` means (ANTHROPIC_DEFAULT_OPUS_MODEL)"),
    row("models.sonnet", File::Options, NAME, None, "what `sonnet` means (ANTHROPIC_DEFAULT_SONNET_MODEL)"),
    row("models.haiku", File::Options, NAME, None, "what `haiku` means (ANTHROPIC_DEFAULT_HAIKU_MODEL)"),
    row("models.fable", File::Options, NAME, None, "what `fable` means (ANTHROPIC_DEFAULT_FABLE_MODEL)"),
    row("models.subagent", File::Options, NAME, None, "the model of subagents (CLAUDE_CODE_SUBAGENT_MODEL)"),
];

impl Setting {
    /// Whether it is one profile's, not clauth's own.
    #[must_use]
    pub fn of_profile(&self) -> bool {
        self.file != File::Settings
    }

    /// Whether it decides what a switch sets in Claude Code's `settings.json`.
    #[must_use]
    pub fn reaches_claude(&self) -> bool {
        let table = self.key.split('.').next().unwrap_or_default();
        ["env", "models", "base_url", "api_key"].contains(&table)
    }

    fn is(&self, key: &str) -> bool {
        match self.key.split_once('<') {
            Some((table, _)) => key.strip_prefix(table).is_some_and(is_variable),
            None => self.key == key,
        }
    }
}

/// The setting that `key` names, exactly.
#[must_use]
pub fn setting(key: &str) -> Option<&'static Setting> {
    SETTINGS.iter().find(|setting| setting.is(key))
}

/// The setting that was most likely meant.
#[must_use]
pub fn nearest_setting(key: &str) -> Option<&'static str> {
    let last = |name: &'static str| name.rsplit('.').next().unwrap_or(name);
    let by_end = SETTINGS.iter().find(|setting| last(setting.key) == key.to_ascii_lowercase());
    let near = crate::text::nearest(key, SETTINGS.iter().map(|setting| setting.key));
    let near = near.and_then(|near| SETTINGS.iter().find(|setting| setting.key == near));
    near.or(by_end).map(|setting| setting.key)
}

/// `docs/configuration.md`.
#[must_use]
pub fn settings_page() -> String {
    let mut page = String::from(
        "# Configuration\n\nEvery setting, as `clauth config list` knows it. Made by `cargo xtask docs` from the table in \
         the code; do not edit.\n\nThe files are TOML. Comments and keys that clauth does not know survive every change; \
         editing them by hand is as good as\n`clauth config set`. Times are written as `90s`, `5m` or `1h`.\n",
    );
    for (file, title, about) in [
        (File::Settings, "For all profiles: `settings.toml`", "`clauth config set KEY VALUE`"),
        (
            File::Config,
            "For one profile: `profiles/<name>/config.toml`",
            "`clauth config set --profile NAME KEY VALUE`; version 0.4.0 knows this file too",
        ),
        (
            File::Options,
            "For one profile: `profiles/<name>/options.toml`",
            "`clauth config set --profile NAME KEY VALUE`",
        ),
    ] {
        page.extend(["\n## ", title, "\n\n", about, "\n\n| Key | Takes | Default | Meaning |\n|---|---|---|---|\n"]);
        page.extend(SETTINGS.iter().filter(|setting| setting.file == file).map(line));
    }
    page.push_str(
        "\n`settings.toml` also holds what clauth recorded itself (`format`, `home`, `home_named`, `home_store`, \
         `machine`): those are no settings.\n",
    );
    page.push_str(NETWORK);
    page
}

/// What of the environment decides which way requests go, and whom they trust.
const NETWORK: &str = "
## From the environment: proxies and certificates

| Variable | Meaning |
|---|---|
| `HTTPS_PROXY`, else `https_proxy`, `ALL_PROXY`, `all_proxy` | the proxy of every request: `http://USER:PASSWORD@HOST:PORT`, or `socks5h://…` for a SOCKS proxy. The password goes to the proxy alone. Through one that cannot be used nothing is sent |
| `NO_PROXY`, else `no_proxy` | hosts and domains that are asked directly, separated by commas; `*` for all |
| `NODE_EXTRA_CA_CERTS` | a PEM file of certificates that are trusted too, as by Claude Code |
| `SSL_CERT_FILE`, `SSL_CERT_DIR` | a PEM file, and directories of such files, of certificates that are trusted in the place of the system's |

A redirect is never followed: a token or key goes to the host that it is for, and to no other.
";

fn line(setting: &Setting) -> String {
    let Setting { key, takes, meaning, .. } = setting;
    let default = setting.default.map_or_else(|| "none".into(), |default| format!("`{default}`"));
    format!("| `{key}` | {} | {default} | {meaning} |\n", takes.range())
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn every_default_is_a_value_that_would_be_taken() {
        for setting in SETTINGS {
            let taken = setting.default.is_none_or(|default| setting.takes.parse(default).is_some());
            assert!(taken, "{}", setting.key);
            assert_eq!(super::setting(setting.key).is_some(), !setting.key.contains('<'), "{}", setting.key);
        }
    }

    #[test]
    fn a_key_is_found_and_a_miss_names_what_was_meant() {
        for (name, key, found, near) in [
            ("exact", "network", Some("network"), Some("network")),
            ("in a table", "poll.active", Some("poll.active"), Some("poll.active")),
            ("a variable", "env.HTTP_PROXY", Some("env.<NAME>"), None),
            ("no variable", "env.1X", None, None),
            ("bare table", "env.", None, None),
            ("typo", "netwrok", None, Some("network")),
            ("without its table", "opus", None, Some("models.opus")),
            ("nonsense", "qqqqqqqqqqq", None, None),
        ] {
            assert_eq!(setting(key).map(|setting| setting.key), found, "{name}");
            if found.is_none() {
                assert_eq!(nearest_setting(key), near, "{name}");
            }
        }
    }

    #[test]
    fn the_page_names_every_setting() {
        let page = settings_page();
        assert!(SETTINGS.iter().all(|setting| page.contains(&format!("| `{}` |", setting.key))), "{page}");
    }
}
