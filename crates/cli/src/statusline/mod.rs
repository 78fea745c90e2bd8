//! `clauth statusline`, as Claude Code calls it: one line, exit code 0, within a second, whatever stands on standard input.

mod render;

use std::ffi::OsString;
use std::io::{self, Read as _, Write as _};
use std::sync::mpsc;
use std::sync::{Arc, Mutex, PoisonError};
use std::time::Duration;

use clauth_engine::{Engine, Handed};
use clauth_host::{Env, Host};

pub(crate) use render::Look;

/// How long standard input is waited for.
const PATIENCE: Duration = Duration::from_millis(700);

/// More than Claude Code ever hands over.
const MOST: usize = 1 << 20;

/// What is passed on is passed on whole, whatever it is; a bound for what never ends.
const MOST_THROUGH: usize = 64 << 20;

/// The word that passes standard input on, behind the line.
pub(crate) const THROUGH: &str = "--through";

/// Whether these words are a status line's, and whether its input is passed on. They are looked at before anything else: a
/// line that is shown at every message has no time for the command line's definition, nor any way to fail.
pub(crate) fn asked(argv: &[OsString]) -> Option<bool> {
    match argv.get(1..)? {
        [word] if word == "statusline" => Some(false),
        [word, flag] if word == "statusline" && flag == THROUGH => Some(true),
        _ => None,
    }
}

/// Prints the line.
pub(crate) fn run(env: Env, through: bool) {
    let input = read(PATIENCE, if through { MOST_THROUGH } else { MOST });
    let handed = Handed::parse(&input);
    let look = Look::of(&env);
    let line = line(env, &handed, look);
    // Nobody may be reading; there is nobody to tell either.
    let mut out = io::stdout().lock();
    let rest: &[u8] = if through { &input } else { &[] };
    let _ = writeln!(out, "{line}").and_then(|()| out.write_all(rest)).and_then(|()| out.flush());
}

/// The line; what cannot be found out is left out.
pub(crate) fn line(env: Env, handed: &Handed, look: Look) -> String {
    let Ok(host) = Host::from_env(env) else { return String::new() };
    let engine = Engine::new(host, Arc::new(|_| {}));
    if engine.check_root().is_err() {
        return String::new();
    }
    let status = engine.statusline(handed);
    let format = engine.config().ok().and_then(|config| config.statusline_format().ok().flatten());
    let look = look.at(engine.host.clock.now());
    // Only a time of day needs the files of time zones.
    let tells_time = format.as_deref().is_some_and(|format| format.contains(".reset}"));
    let look = if tells_time { look.in_zone(crate::commands::zone(&engine)) } else { look };
    render::line(&status, handed, format.as_deref(), &look)
}

/// What comes on standard input within `patience`, as far as it came, and little more than `most`.
fn read(patience: Duration, most: usize) -> Vec<u8> {
    let bytes = Arc::new(Mutex::new(Vec::new()));
    let (done, wait) = mpsc::channel();
    let into = Arc::clone(&bytes);
    let reader = std::thread::Builder::new().spawn(move || {
        let (mut piece, mut input) = ([0; 16 * 1024], io::stdin().lock());
        loop {
            match input.read(&mut piece) {
                Ok(0) => break,
                Err(error) if error.kind() == io::ErrorKind::Interrupted => {}
                Err(_) => break,
                Ok(count) => {
                    let mut bytes = into.lock().unwrap_or_else(PoisonError::into_inner);
                    bytes.extend_from_slice(&piece[..count]);
                    if bytes.len() > most {
                        break;
                    }
                }
            }
        }
        let _ = done.send(());
    });
    if reader.is_ok() {
        let _ = wait.recv_timeout(patience);
    }
    std::mem::take(&mut *bytes.lock().unwrap_or_else(PoisonError::into_inner))
}
