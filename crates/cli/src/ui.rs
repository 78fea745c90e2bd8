//! The terminal: data goes to standard output, talk to standard error.

use std::ffi::OsString;
use std::io::{self, BufRead as _, IsTerminal as _, Write};
use std::sync::mpsc::{self, RecvTimeoutError};
use std::time::Duration;

use anstream::{AutoStream, ColorChoice};
use anstyle::{AnsiColor, Style};
use clauth_host::Env;
use serde_json::Value;

use crate::args::{Color, Manner};
use crate::failure::Failure;

/// For so long nobody wonders what is going on.
const A_WHILE: Duration = Duration::from_millis(500);

/// Titles of columns.
pub(crate) const TITLE: Style = Style::new().bold();
/// What is as it should be.
pub(crate) const GOOD: Style = AnsiColor::Green.on_default();
/// What deserves a look.
pub(crate) const WARN: Style = AnsiColor::Yellow.on_default();
/// What is wrong.
pub(crate) const BAD: Style = AnsiColor::Red.on_default();
/// What matters less.
pub(crate) const FAINT: Style = Style::new().dimmed();

/// How this run speaks.
#[derive(Clone)]
pub(crate) struct Ui {
    pub(crate) json: bool,
    pub(crate) yes: bool,
    quiet: bool,
    verbose: bool,
    out: ColorChoice,
    err: ColorChoice,
    /// The terminal, if there is one, understands where to move.
    terminal: bool,
    /// Columns of the terminal that standard output is, or what `COLUMNS` says.
    pub(crate) width: Option<usize>,
}

impl Ui {
    pub(crate) fn new(manner: &Manner, env: &Env) -> Self {
        Self {
            json: manner.json,
            yes: manner.yes,
            quiet: manner.quiet,
            verbose: manner.verbose > 0,
            out: choice(manner.color, env, io::stdout().is_terminal()),
            err: choice(manner.color, env, io::stderr().is_terminal()),
            terminal: env.text("TERM") != Some("dumb"),
            width: env.text("COLUMNS").and_then(|text| text.parse().ok()).or_else(terminal_width),
        }
    }

    /// The manner of words that could not be parsed.
    pub(crate) fn of_words(words: &[OsString], env: &Env) -> Self {
        let words = words.split(|word| word == "--").next().unwrap_or_default();
        Self::new(&Manner { json: words.iter().any(|word| word == "--json"), ..Manner::default() }, env)
    }

    /// Prints data. A reader that has gone is no error; a full disk is, and does not undo what was done.
    pub(crate) fn print(&self, text: &str) -> Result<(), Failure> {
        match self.put(text) {
            Err(error) if error.kind() != io::ErrorKind::BrokenPipe => Err(Failure::of_stdout(&error)),
            _ => Ok(()),
        }
    }

    /// Prints data to somebody who goes on reading; false once nobody does.
    /// `move_to` goes to the terminal as it is, whatever colours are.
    pub(crate) fn print_on(&self, move_to: &str, text: &str) -> Result<bool, Failure> {
        let moved = io::stdout().lock().write_all(move_to.as_bytes());
        match moved.and_then(|()| self.put(text)) {
            Ok(()) => Ok(true),
            Err(error) if error.kind() == io::ErrorKind::BrokenPipe => Ok(false),
            Err(error) => Err(Failure::of_stdout(&error)),
        }
    }

    /// Writes at once what may be many lines: a stream that strips as it goes writes each of them by itself.
    fn put(&self, text: &str) -> io::Result<()> {
        let mut out = io::stdout().lock();
        if self.out == ColorChoice::Never {
            out.write_all(anstream::adapter::strip_str(text).to_string().as_bytes())?;
            return out.flush();
        }
        let mut out = AutoStream::new(out, self.out);
        out.write_all(text.as_bytes()).and_then(|()| out.flush())
    }

    /// Whether what is printed can be drawn over.
    pub(crate) fn draws(&self) -> bool {
        !self.json && io::stdout().is_terminal() && self.terminal
    }

    /// Rows of the terminal that standard output is.
    pub(crate) fn height(&self) -> Option<usize> {
        terminal_height()
    }

    /// Prints one document on one line.
    pub(crate) fn document(&self, document: &Value) -> Result<(), Failure> {
        self.print(&format!("{document}\n"))
    }

    /// Tells something while work goes on, or beside its result.
    pub(crate) fn say(&self, line: &str) {
        if !self.quiet {
            self.talk(&plain(line));
        }
    }

    /// Does work that may wait for an answer, and says what is waited for where that takes a while (design §7).
    pub(crate) fn waiting<T>(&self, for_what: &str, work: impl FnOnce() -> T) -> T {
        let (done, told) = mpsc::channel::<()>();
        std::thread::scope(|scope| {
            scope.spawn(move || {
                if told.recv_timeout(A_WHILE) == Err(RecvTimeoutError::Timeout) {
                    self.say(&format!("waiting for {for_what}"));
                }
            });
            let result = work();
            drop(done);
            result
        })
    }

    /// Tells what only those want to know who asked for more.
    pub(crate) fn say_more(&self, line: &str) {
        if self.verbose {
            self.say(line);
        }
    }

    /// Warns.
    pub(crate) fn warn(&self, line: &str) {
        if !self.quiet {
            self.talk(&format!("{}: {}", paint(WARN, "warning"), plain(line)));
        }
    }

    /// Shows on a terminal how far long work has come; the line goes when all is done.
    pub(crate) fn progress(&self, what: &str, done: u64, of: u64) {
        if self.quiet || self.json || !io::stderr().is_terminal() {
            return;
        }
        let share = (done * 100).checked_div(of).unwrap_or(100).min(100);
        let filled = usize::try_from(share / 5).unwrap_or(20);
        let mut err = io::stderr().lock();
        // Column one and the rest of the line cleared: each state takes the place of the one before.
        let _ = if done < of {
            write!(err, "\r\x1b[K{what} [{}{}] {share} %", "#".repeat(filled), "-".repeat(20 - filled))
        } else {
            write!(err, "\r\x1b[K")
        };
        let _ = err.flush();
    }

    /// Tells of a failure: as a document to a program, else in three lines.
    pub(crate) fn fail(&self, failure: &Failure) {
        if failure.reported {
            return;
        }
        // Where nobody can read the document a person is told.
        if self.json && self.document(&failure.document()).is_ok() {
            return;
        }
        for (label, text) in failure.lines(self.verbose) {
            let label = if label == "error" { paint(BAD.bold(), label) } else { paint(FAINT, label) };
            self.talk(&format!("{label}: {}", plain(text)));
        }
    }

    /// Asks on a terminal; without one the answer is no, unless it was given beforehand.
    pub(crate) fn confirms(&self, question: &str) -> bool {
        if self.yes {
            return true;
        }
        if !self.asks() {
            return false;
        }
        self.prompt(&format!("{} [y/N] ", plain(question)));
        let mut answer = String::new();
        // The end of input is never a yes.
        let read = io::stdin().lock().read_line(&mut answer);
        read.is_ok_and(|length| length > 0) && matches!(answer.trim().to_ascii_lowercase().as_str(), "y" | "yes")
    }

    /// Whether there is somebody to ask: prompts only on a terminal.
    pub(crate) fn asks(&self) -> bool {
        !self.json && io::stdin().is_terminal() && io::stderr().is_terminal()
    }

    /// Shows the text of a prompt.
    pub(crate) fn prompt(&self, text: &str) {
        let mut err = AutoStream::new(io::stderr().lock(), self.err);
        let _ = err.write_all(text.as_bytes()).and_then(|()| err.flush());
    }

    fn talk(&self, line: &str) {
        let mut err = AutoStream::new(io::stderr().lock(), self.err);
        // Nobody may be listening; the work goes on.
        let _ = writeln!(err, "{line}").and_then(|()| err.flush());
    }
}

/// `text` in a style.
pub(crate) fn paint(style: Style, text: &str) -> String {
    format!("{style}{text}{style:#}")
}

/// `text` without anything that steers a terminal.
pub(crate) fn plain(text: &str) -> String {
    clauth_engine::plain(text)
}

fn choice(color: Color, env: &Env, terminal: bool) -> ColorChoice {
    let forced = env.text("CLICOLOR_FORCE").is_some_and(|value| value != "0");
    match color {
        Color::Always => ColorChoice::Always,
        Color::Never => ColorChoice::Never,
        Color::Auto if env.get("NO_COLOR").is_some() => ColorChoice::Never,
        Color::Auto if forced || (terminal && env.text("TERM") != Some("dumb")) => ColorChoice::Always,
        Color::Auto => ColorChoice::Never,
    }
}

#[cfg(unix)]
fn terminal_width() -> Option<usize> {
    let size = rustix::termios::tcgetwinsize(io::stdout()).ok()?;
    (size.ws_col > 0).then(|| usize::from(size.ws_col))
}

#[cfg(unix)]
fn terminal_height() -> Option<usize> {
    let size = rustix::termios::tcgetwinsize(io::stdout()).ok()?;
    (size.ws_row > 0).then(|| usize::from(size.ws_row))
}

#[cfg(not(unix))]
fn terminal_height() -> Option<usize> {
    None
}

#[cfg(not(unix))]
fn terminal_width() -> Option<usize> {
    None
}

#[cfg(test)]
mod tests {
    use super::*;

    /// Name, flag, environment, whether it is a terminal, and what follows.
    type Row<'a> = (&'a str, Color, &'a [(&'a str, &'a str)], bool, ColorChoice);

    #[test]
    fn colours_follow_flag_then_environment_then_terminal() {
        let rows: [Row<'_>; 8] = [
            ("pipe", Color::Auto, &[], false, ColorChoice::Never),
            ("terminal", Color::Auto, &[], true, ColorChoice::Always),
            ("dumb", Color::Auto, &[("TERM", "dumb")], true, ColorChoice::Never),
            ("NO_COLOR", Color::Auto, &[("NO_COLOR", "1")], true, ColorChoice::Never),
            ("empty NO_COLOR", Color::Auto, &[("NO_COLOR", "")], true, ColorChoice::Always),
            ("forced", Color::Auto, &[("CLICOLOR_FORCE", "1")], false, ColorChoice::Always),
            ("flag over NO_COLOR", Color::Always, &[("NO_COLOR", "1")], false, ColorChoice::Always),
            ("never", Color::Never, &[("CLICOLOR_FORCE", "1")], true, ColorChoice::Never),
        ];
        for (name, color, env, terminal, expected) in rows {
            let env: Env = env.iter().copied().collect();
            assert_eq!(choice(color, &env, terminal), expected, "{name}");
        }
    }
}
