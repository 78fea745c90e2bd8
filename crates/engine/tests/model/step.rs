//! What a program is made of. Printed, a list of steps is Rust that can be pasted into a named test.

/// What clauth is asked to do.
#[derive(Clone, Debug, PartialEq, Eq)]
pub(crate) enum Act {
    /// `capture NAME`.
    Capture(&'static str),
    /// `capture` without a name.
    CaptureAgain,
    /// `capture NAME --replace`.
    CaptureOver(&'static str),
    /// `switch NAME`.
    Switch(&'static str),
    /// `switch NAME --force`.
    Force(&'static str),
    /// `switch -`.
    Back,
    /// `undo`.
    Undo,
    /// `start NAME`, in the first free session.
    Start(&'static str),
    /// The watchdog of a session looks.
    Look(usize),
    /// The `claude` of a session ends, and then the session.
    End(usize),
    /// `refresh NAME`.
    Refresh(&'static str),
    /// `refresh --all`.
    RefreshAll,
    /// `login NAME`, signing in as an account.
    Login(&'static str, char),
    /// `remove NAME`.
    Remove(&'static str),
    /// `remove NAME --force`.
    RemoveForced(&'static str),
    /// `vault restore` of the n-th entry.
    Restore(usize),
    /// `vault restore` of the n-th entry `--as NAME`.
    RestoreAs(usize, &'static str),
    /// `rename A B`.
    Rename(&'static str, &'static str),
    /// `bind NAME` on the home.
    Bind(&'static str),
    /// `order NAME 1`: the least acting command.
    Order(&'static str),
    /// `list`, which may change nothing.
    List,
}

/// Where a `claude` lives.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(crate) enum Seat {
    /// The plain home.
    Home,
    /// A session.
    In(usize),
}

/// What Claude Code and its user do without clauth.
#[derive(Clone, Debug, PartialEq, Eq)]
pub(crate) enum Other {
    /// `/login`.
    SignIn(Seat, char),
    /// `/logout`.
    SignOut(Seat),
    /// A turn, which renews the login where that is due.
    Turn(Seat),
    /// A renewal, whatever time is left.
    Renew(Seat),
    /// The state file is written again.
    Rewrite(Seat),
    /// A `claude` begins to run in the home.
    Run,
    /// It ends.
    Stop,
}

/// One step.
#[derive(Clone, Debug, PartialEq, Eq)]
pub(crate) enum Step {
    /// clauth does something.
    Do(Act),
    /// It is killed at its n-th effect on the disk.
    Killed(usize, Act),
    /// From its n-th effect on the disk is full.
    Full(usize, Act),
    /// From its n-th effect on nothing can be written.
    ReadOnly(usize, Act),
    /// Its n-th effect fails.
    Fails(usize, Act),
    /// Right before its n-th effect somebody else does something.
    During(usize, Act, Other),
    /// Somebody else does something.
    By(Other),
    /// The `clauth start` of a session is killed; its `claude` lives on, or not.
    Crash(usize, bool),
    /// So many minutes pass.
    Idle(u32),
    /// This computer's clock is set by so many minutes.
    Jump(i32),
    /// The network goes, or comes back: for all, or for clauth alone.
    Network(bool),
    /// The answer to the next renewal is lost, after the server has rotated.
    Lose,
    /// The next renewal is answered with this status.
    Trouble(u16),
}

impl Step {
    /// What clauth does in it.
    pub(crate) fn act(&self) -> Option<&Act> {
        match self {
            Self::Do(act)
            | Self::Killed(_, act)
            | Self::Full(_, act)
            | Self::ReadOnly(_, act)
            | Self::Fails(_, act)
            | Self::During(_, act, _) => Some(act),
            _ => None,
        }
    }
}
