//! Ways to break an assumption about Claude Code (protocols §7).

use std::time::Duration;

/// One difference from the client that was seen.
#[derive(Clone, Debug, PartialEq, Eq)]
pub enum Variant {
    /// `in-place-writes`: overwrites the credentials where they stand, through a link.
    InPlaceWrites,
    /// `no-locks`: reads, refreshes and writes without any lock, and without the re-read inside the refresh lock.
    NoLocks,
    /// `no-cas`: writes its refresh result, and its own idea of the login, whatever is stored by then.
    NoCas,
    /// `old-locks`: does not know `.storage-write.lock`.
    OldLocks,
    /// `ignores-mtime`: keeps the login that it read first, until it refreshes it.
    IgnoresMtime,
    /// `no-bearer`: does not work without a refresh token.
    NoBearer,
    /// `no-fill`: leaves `oauthAccount` as it is.
    NoFill,
    /// `torn-state`: writes the state file in place, in two halves, slowly.
    TornState,
    /// `crash-holding-lock`: dies in a refresh, before its request, and leaves its locks behind.
    CrashHoldingLock,
    /// `hold-lock=SECONDS`: stays so long in a refresh before its request, locks held and alive.
    HoldLock(Duration),
}

impl Variant {
    /// The variant of a name as `FAKE_CLAUDE` has it.
    #[must_use]
    pub fn named(text: &str) -> Option<Self> {
        Some(match text.trim() {
            "in-place-writes" => Self::InPlaceWrites,
            "no-locks" => Self::NoLocks,
            "no-cas" => Self::NoCas,
            "old-locks" => Self::OldLocks,
            "ignores-mtime" => Self::IgnoresMtime,
            "no-bearer" => Self::NoBearer,
            "no-fill" => Self::NoFill,
            "torn-state" => Self::TornState,
            "crash-holding-lock" => Self::CrashHoldingLock,
            other => {
                let seconds: f64 = other.strip_prefix("hold-lock")?.trim_start_matches([' ', '=', ':']).parse().ok()?;
                Self::HoldLock(Duration::try_from_secs_f64(seconds).ok()?)
            }
        })
    }

    /// The variants of a list `a,b,c`.
    ///
    /// # Errors
    /// The first name that is no variant.
    pub fn list(text: &str) -> Result<Vec<Self>, String> {
        let names = text.split(',').filter(|name| !name.trim().is_empty());
        names.map(|name| Self::named(name).ok_or_else(|| name.to_owned())).collect()
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn variants_have_names() {
        let list = Variant::list("no-locks, no-cas,hold-lock=0.5,hold-lock 2,").expect("all known");
        let hold = |ms| Variant::HoldLock(Duration::from_millis(ms));
        assert_eq!(list, [Variant::NoLocks, Variant::NoCas, hold(500), hold(2000)]);
        assert_eq!(Variant::list("no-locks,fly"), Err("fly".to_owned()));
        assert_eq!(Variant::named("hold-lock -1"), None);
    }
}
