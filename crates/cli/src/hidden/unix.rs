//! Hidden input on Unix: the terminal gives each key as it comes and shows none, until it is put back.

use std::io::{self, Stdin};

use clauth_host::Secret;
use rustix::termios::{LocalModes, OptionalActions, Termios, tcgetattr, tcsetattr};

use super::line_of;

/// The terminal as it was; put back when dropped.
struct Shown {
    stdin: Stdin,
    before: Termios,
}

impl Drop for Shown {
    fn drop(&mut self) {
        let _ = tcsetattr(&self.stdin, OptionalActions::Flush, &self.before);
    }
}

pub(super) fn read_line() -> io::Result<Option<Secret>> {
    let stdin = io::stdin();
    let before = tcgetattr(&stdin)?;
    let mut hidden = before.clone();
    // Keys that send signals are read as keys too: a signal would leave the terminal hidden.
    hidden.local_modes.remove(LocalModes::ECHO | LocalModes::ECHONL | LocalModes::ICANON | LocalModes::ISIG);
    tcsetattr(&stdin, OptionalActions::Flush, &hidden)?;
    let shown = Shown { stdin, before };
    let line = line_of(&mut shown.stdin.lock());
    drop(shown);
    line
}
