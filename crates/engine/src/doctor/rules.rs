//! Everything that `doctor` can find, as one table: `docs/doctor.md` comes from it.

/// How bad a finding is.
#[derive(Clone, Copy, Debug, PartialEq, Eq, PartialOrd, Ord)]
pub enum Severity {
    /// A login can be lost, or nothing works: exit code 1.
    Error,
    /// Something is not as it should be.
    Warning,
    /// Worth knowing.
    Info,
}

impl Severity {
    /// The word of `contract.md`.
    #[must_use]
    pub fn word(self) -> &'static str {
        match self {
            Self::Error => "error",
            Self::Warning => "warning",
            Self::Info => "info",
        }
    }
}

/// One kind of finding.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub struct Rule {
    /// Its id, which never changes.
    pub id: &'static str,
    /// How bad it is.
    pub severity: Severity,
    /// What it means.
    pub means: &'static str,
    /// What `--fix` does about it; `None` when only a person can decide.
    pub mends: Option<&'static str>,
}

const fn rule(id: &'static str, severity: Severity, means: &'static str, mends: Option<&'static str>) -> Rule {
    Rule { id, severity, means, mends }
}

use Severity::{Error, Info, Warning};

pub(super) const HOME_REFUSED: Rule = rule(
    "home-refused",
    Error,
    "this shell's Claude Code home is not the one that this root keeps the logins of, or it leads into the root (L8)",
    None,
);
pub(super) const HOME_MISSING: Rule = rule("home-missing", Warning, "Claude Code has no config directory yet", None);
pub(super) const HOME_MODES: Rule = rule(
    "home-modes",
    Warning,
    "every user of this machine may put files into Claude Code's home, a login too",
    Some("takes that permission away"),
);
pub(super) const HOME_LINK: Rule = rule(
    "home-link",
    Warning,
    "a link in Claude Code's home leads into the root, so that it dangles once the root is gone",
    None,
);
pub(super) const LIVE_LINK: Rule = rule(
    "live-link",
    Warning,
    "the live login is a link into the root, as version 0.4.0 makes it: whatever renews it replaces or bypasses the link",
    Some("puts a file with the same login in its place"),
);
pub(super) const LIVE_UNREADABLE: Rule =
    rule("live-unreadable", Error, "the live login is torn, not JSON, or may not be read", None);
pub(super) const LIVE_MODES: Rule = rule(
    "live-modes",
    Warning,
    "other users of this machine may read the live login",
    Some("takes their permissions away"),
);
pub(super) const LIVE_UNKNOWN: Rule =
    rule("live-unknown", Warning, "the live login is no profile's, or nobody can prove whose it is (O1)", None);
pub(super) const LIVE_SPENT: Rule = rule(
    "live-spent",
    Error,
    "the live login's refresh token is used up; presenting it would end the login (L6)",
    Some("puts the profile's newest login in its place"),
);
pub(super) const LIVE_BARE: Rule = rule(
    "live-bare",
    Error,
    "of the login that is lent to Claude Code's home no more than the bearer copy is there, as version 0.4.0 may leave it: \
     Claude Code is signed out when its access token ends",
    Some("puts the pair that is lent in its place"),
);
pub(super) const LIVE_MISSING: Rule =
    rule("live-missing", Warning, "a login is lent to Claude Code's home, but none is there", None);
pub(super) const STATE_UNREADABLE: Rule =
    rule("state-unreadable", Error, "Claude Code's state file is torn or not JSON", None);
pub(super) const SETTINGS_UNREADABLE: Rule = rule(
    "settings-unreadable",
    Warning,
    "Claude Code's settings.json is torn or not JSON: a switch that has to change it is refused",
    None,
);
pub(super) const IDENTITY_DIFFERS: Rule = rule(
    "identity-differs",
    Warning,
    "Claude Code's state file names another account than the one whose login is live",
    Some("lets the state file agree with the live login (W7)"),
);
pub(super) const MARKER_DIFFERS: Rule = rule(
    "marker-differs",
    Info,
    "our marker names another profile than the one whose login is live",
    Some("sets the marker by the live login"),
);
pub(super) const TWO_HOLDERS: Rule = rule(
    "two-holders",
    Error,
    "one refresh token is in more than one place that a `claude` reads: the first to renew it ends the other (L5)",
    Some("gives a session its bearer copy back, or brings home what it left, where it is proven whose it is"),
);
pub(super) const SPENT_HELD: Rule =
    rule("spent-held", Error, "a profile or a session holds a refresh token that is used up (L6)", None);
pub(super) const SAME_ACCOUNT: Rule =
    rule("same-account", Warning, "two profiles hold one account, or one and the same login", None);
pub(super) const SLOT_FULL: Rule = rule(
    "slot-full",
    Warning,
    "a whole login stands in the slot of a profile that is lent, as version 0.4.0 writes it; there only the bearer copy belongs (L2)",
    Some(
        "brings the slot down to it; another login than the lent one goes to the vault, or becomes the profile's where that is proven",
    ),
);
pub(super) const LOGIN_UNUSABLE: Rule = rule(
    "login-unusable",
    Warning,
    "a profile's login is dead, lapsed, signed out, of unknown state, without a refresh token, or there is none",
    None,
);
pub(super) const LOGIN_ENDS: Rule = rule(
    "login-ends",
    Warning,
    "a login ends by itself within five days; no renewal puts that off, only a new sign-in follows it",
    None,
);
pub(super) const LOAN_ELSEWHERE: Rule =
    rule("loan-elsewhere", Warning, "a profile's login is lent to another Claude Code home", None);
pub(super) const OTHER_MACHINE: Rule = rule(
    "other-machine",
    Error,
    "this root was copied from another machine, which may still use its logins; they are neither renewed nor installed (L7)",
    Some("asks whether the other machine has stopped using it, and confirms it here"),
);
pub(super) const PROFILE_UNREADABLE: Rule = rule(
    "profile-unreadable",
    Error,
    "a file of a profile cannot be understood; other profiles are not affected",
    None,
);
pub(super) const PROFILES_LOST: Rule = rule(
    "profiles-lost",
    Error,
    "profiles.toml is gone while profiles' directories are there: clauth knows none of them",
    Some("lists them again, by name; the order that they were in is lost"),
);
pub(super) const PROFILE_UNLISTED: Rule =
    rule("profile-unlisted", Warning, "there is a profile's directory that profiles.toml does not list", None);
pub(super) const FILE_UNREADABLE: Rule =
    rule("file-unreadable", Error, "a file of clauth's own cannot be understood or read", None);
pub(super) const ROOT_MODES: Rule = rule(
    "root-modes",
    Warning,
    "other users of this machine may read or enter a part of the root",
    Some("takes their permissions away"),
);
pub(super) const ROOT_FORMAT: Rule =
    rule("root-format", Error, "a later clauth has changed the form of this root; this one may only look", None);
pub(super) const JOURNAL_OPEN: Rule = rule(
    "journal-open",
    Warning,
    "a change was interrupted",
    Some("finishes it, or takes it back, by what the live login is (W7)"),
);
pub(super) const RENEWAL_OPEN: Rule = rule(
    "renewal-open",
    Warning,
    "a renewal was interrupted, and its new pair is not in its place yet",
    Some("puts it there"),
);
pub(super) const LOCK_LEFT: Rule =
    rule("lock-left", Warning, "a killed clauth left locks behind", Some("releases those that are still its"));
pub(super) const LOCK_STALE: Rule = rule(
    "lock-stale",
    Warning,
    "a lock has shown no sign of life for longer than its holder would let it, or is dated ahead",
    Some("takes it over as any command would, and releases it (K5)"),
);
pub(super) const LOCK_BLOCKED: Rule = rule(
    "lock-blocked",
    Error,
    "something else is in the place of a lock, so that nobody can ever take or release it",
    None,
);
pub(super) const LOCKS_VOID: Rule = rule(
    "locks-void",
    Warning,
    "this file system knows no file locks: lock directories stand in for them, and programs that only use file locks do not \
     exclude each other (K6)",
    None,
);
pub(super) const SESSION_LEFT: Rule = rule(
    "session-left",
    Warning,
    "a session ended without being tidied up",
    Some("brings home what it wrote, and removes its directory (S7)"),
);
pub(super) const LOGIN_LEFT: Rule = rule(
    "login-left",
    Warning,
    "a sign-in was killed before its login was taken over",
    Some("puts its login into the vault, and removes its directory"),
);
pub(super) const OLD_VERSION: Rule =
    rule("old-version", Warning, "another version of clauth, 0.4.0 or a later one, is in use beside this one", None);
pub(super) const LATER_TREE: Rule =
    rule("later-tree", Warning, "the root is the tree of a later clauth: only looking works until it is adopted", None);
pub(super) const OVERRIDE: Rule = rule(
    "override",
    Warning,
    "a variable or a setting outranks the saved login, so that switching has no effect",
    None,
);
pub(super) const VARIABLE: Rule =
    rule("variable", Warning, "a variable sends clauth's own requests elsewhere, or changes what it sees", None);
pub(super) const CLAUDE_MISSING: Rule =
    rule("claude-missing", Warning, "no program `claude` can be run from here", None);
pub(super) const CLAUDE_OLD: Rule = rule(
    "claude-old",
    Info,
    "this Claude Code is older than 2.1.211, the first that is known to lock its credential store (docs/decisions/assumptions.md)",
    None,
);
pub(super) const OTHER_TOOL: Rule =
    rule("other-tool", Warning, "another program that writes Claude Code's login is installed or running", None);
pub(super) const ZONE_UNKNOWN: Rule =
    rule("zone-unknown", Warning, "TZ names no time zone, so that times are shown in another one", None);
pub(super) const CA_MISSING: Rule =
    rule("ca-missing", Warning, "a variable names certificates that cannot be read", None);
pub(super) const PROXY_UNUSABLE: Rule =
    rule("proxy-unusable", Warning, "a variable names a proxy that cannot be used, so that no request is made", None);
pub(super) const CLOCK_BEHIND: Rule =
    rule("clock-behind", Warning, "the clock is behind what was written down before: it was stepped back", None);
pub(super) const PROGRAM_MOVED: Rule = rule(
    "program-moved",
    Warning,
    "Claude Code's settings name a clauth that is not there any more, for an endpoint's key or the status line",
    Some("names this one"),
);
pub(super) const OUTSIDE_GONE: Rule = rule(
    "outside-gone",
    Info,
    "what clauth put outside its root is not there any more, or was changed",
    Some("forgets it; what you changed stays"),
);

/// Everything that can be found.
pub const RULES: &[Rule] = &[
    HOME_REFUSED,
    HOME_MISSING,
    HOME_MODES,
    HOME_LINK,
    LIVE_LINK,
    LIVE_UNREADABLE,
    LIVE_MODES,
    LIVE_UNKNOWN,
    LIVE_SPENT,
    LIVE_BARE,
    LIVE_MISSING,
    STATE_UNREADABLE,
    SETTINGS_UNREADABLE,
    IDENTITY_DIFFERS,
    MARKER_DIFFERS,
    TWO_HOLDERS,
    SPENT_HELD,
    SAME_ACCOUNT,
    SLOT_FULL,
    LOGIN_UNUSABLE,
    LOGIN_ENDS,
    LOAN_ELSEWHERE,
    OTHER_MACHINE,
    PROFILE_UNREADABLE,
    PROFILES_LOST,
    PROFILE_UNLISTED,
    FILE_UNREADABLE,
    ROOT_MODES,
    ROOT_FORMAT,
    JOURNAL_OPEN,
    RENEWAL_OPEN,
    LOCK_LEFT,
    LOCK_STALE,
    LOCK_BLOCKED,
    LOCKS_VOID,
    SESSION_LEFT,
    LOGIN_LEFT,
    OLD_VERSION,
    LATER_TREE,
    OVERRIDE,
    VARIABLE,
    CLAUDE_MISSING,
    CLAUDE_OLD,
    OTHER_TOOL,
    ZONE_UNKNOWN,
    CA_MISSING,
    PROXY_UNUSABLE,
    CLOCK_BEHIND,
    PROGRAM_MOVED,
    OUTSIDE_GONE,
];

/// `docs/doctor.md`.
#[must_use]
pub fn doctor_page() -> String {
    let mut page = String::from(
        "# What `clauth doctor` finds\n\nMade by `cargo xtask docs` from the table in the code; do not edit.\n\n\
         `clauth doctor` looks: it writes nothing, opens no socket and runs no program. A healthy home has no finding. It ends \
         with 1\nwhen there is an error among them, else with 0. `--fix` mends what can be mended without deciding for you, and \
         says of the rest\nwhy not. Ids never change.\n\n| id | severity | what it means | what `--fix` does |\n|---|---|---|---|\n",
    );
    for rule in RULES {
        let mends = rule.mends.unwrap_or("nothing: it says what you can do");
        page.extend(["| `", rule.id, "` | ", rule.severity.word(), " | ", rule.means, " | ", mends, " |\n"]);
    }
    page
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn ids_are_plain_words_and_stand_once() {
        let mut ids: Vec<&str> = RULES.iter().map(|rule| rule.id).collect();
        assert!(ids.iter().all(|id| id.bytes().all(|byte| byte.is_ascii_lowercase() || byte == b'-')), "{ids:?}");
        ids.sort_unstable();
        ids.dedup();
        assert_eq!(ids.len(), RULES.len());
    }
}
