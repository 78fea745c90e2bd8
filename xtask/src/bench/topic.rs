//! What can be measured, by name.

/// One subject, or a few that are measured together.
#[derive(Debug, Clone, Copy, PartialEq, Eq, clap::ValueEnum)]
pub(super) enum Topic {
    /// How large the release program is
    Size,
    /// `which`
    Which,
    /// `list` with many profiles
    List,
    /// `usage --offline` with many profiles
    Usage,
    /// `statusline`, one at a time
    Statusline,
    /// `switch`
    Switch,
    /// `start` of a profile, with links
    Start,
    /// `statusline`, twenty at a time
    Crowd,
    /// Ten accounts read from a server
    Live,
    /// The poller between two polls
    Poller,
    /// How long Claude Code finds its locks taken, with a large state file
    Locks,
    /// A session in which nothing happens, with links
    Idle,
    /// `start` with copies of a large home, and what that session costs
    Copies,
    /// A clean debug build of the workspace; only if it is named
    Build,
}

/// What is measured.
#[derive(Debug, Clone)]
pub(super) struct Topics(Vec<Topic>);

impl Topics {
    /// The named ones; without a name all but the build, which takes minutes.
    pub(super) fn of(named: &[Topic]) -> Self {
        let all =
            || <Topic as clap::ValueEnum>::value_variants().iter().copied().filter(|topic| *topic != Topic::Build);
        Self(if named.is_empty() { all().collect() } else { named.to_vec() })
    }

    /// All of them, whatever they take.
    pub(super) fn all() -> Self {
        Self(<Topic as clap::ValueEnum>::value_variants().to_vec())
    }

    /// Whether this one is among them.
    pub(super) fn has(&self, topic: Topic) -> bool {
        self.0.contains(&topic)
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn what_is_named_is_measured_and_nothing_else() {
        let all = Topics::of(&[]);
        assert!(all.has(Topic::Which) && all.has(Topic::Poller) && !all.has(Topic::Build));
        let one = Topics::of(&[Topic::Build]);
        assert!(one.has(Topic::Build) && !one.has(Topic::Which));
    }
}
