//! `usage --watch`: the same table, drawn anew in its place whenever a reading is stored, by whichever process.

use std::sync::mpsc::{self, RecvTimeoutError, Sender};
use std::time::Duration;

use clauth_engine::{Asking, Usage};
use serde_json::Value;
use unicode_width::UnicodeWidthStr as _;

use super::super::Call;
use super::{Args, clockwork, document, text};
use crate::failure::Failure;
use crate::incidents;

/// Ages grow without any event.
const LOOK: Duration = Duration::from_secs(10);

/// Where the system tells of no events.
const BLIND: Duration = Duration::from_secs(2);

/// Events come in swarms.
const SWARM: Duration = Duration::from_millis(100);

/// Shows readings until interrupted, or until nobody reads any more. Unless nobody may be asked, this process polls where no
/// other does.
pub(super) fn run(args: &Args, call: &Call<'_>) -> Result<(), Failure> {
    let (tell, told) = mpsc::channel();
    let watching = call.engine.watch_readings(move || {
        // Nobody waits any more.
        let _ = tell.send(());
    });
    let look = if watching.is_some() { LOOK } else { BLIND };
    let (stop, stopped) = mpsc::channel();
    std::thread::scope(|scope| {
        let poller = (!args.offline).then(|| scope.spawn(move || call.engine.poll(&stopped)));
        let shown = show(args, call, &mut || {
            let gone = poller.as_ref().is_some_and(std::thread::ScopedJoinHandle::is_finished);
            if gone {
                return false;
            }
            match told.recv_timeout(look) {
                Ok(()) => {
                    std::thread::sleep(SWARM);
                    while told.try_recv().is_ok() {}
                }
                Err(RecvTimeoutError::Timeout) => {}
                // Without events nobody holds the other end.
                Err(RecvTimeoutError::Disconnected) => std::thread::sleep(look),
            }
            true
        });
        end(&stop);
        let polled = poller.map_or(Ok(Ok(())), std::thread::ScopedJoinHandle::join);
        polled.unwrap_or_else(|panic| std::panic::resume_unwind(panic))?;
        shown
    })
}

fn end(stop: &Sender<()>) {
    // A poller that is gone needs no telling.
    let _ = stop.send(());
}

fn show(args: &Args, call: &Call<'_>, wait: &mut dyn FnMut() -> bool) -> Result<(), Failure> {
    let (mut before, mut lines) = (String::new(), 0);
    loop {
        let usage = call.engine.usage(args.name.as_deref(), Asking::Nobody)?;
        let (now, figures) = frame(args, call, &usage);
        if figures != before {
            let (move_to, now) = match call.ui.draws() {
                true => (back(lines, call.ui.height()), fitted(&now, call.ui.width, call.ui.height())),
                false => (String::new(), now),
            };
            if !call.ui.print_on(&move_to, &now)? {
                return Ok(());
            }
            lines = taken(&now, call.ui.width);
            before = figures;
        }
        if !wait() {
            return Ok(());
        }
    }
}

/// What is to be seen, and what of it is news. To a program only figures are: ages would make a document of every moment.
fn frame(args: &Args, call: &Call<'_>, usage: &Usage) -> (String, String) {
    let clock = clockwork(call);
    if call.ui.json {
        let mut document = document(usage, &clock);
        let text = format!("{document}\n");
        document["accounts"].as_array_mut().into_iter().flatten().for_each(still);
        return (text, document.to_string());
    }
    let text = text(args, usage, &clock, call);
    let text =
        incidents::lines(usage.listing.incidents.as_deref(), &clock).iter().fold(text, |text, line| text + line + "\n");
    let text = format!("{text}times are in {}; ends with Ctrl-C\n", clock.zone_name());
    (text.clone(), text)
}

/// An account without what changes by itself from one moment to the next. That a window was reset is news.
fn still(account: &mut Value) {
    account.pointer_mut("/usage/age_s").map(Value::take);
    for window in account.pointer_mut("/usage/windows").and_then(Value::as_array_mut).into_iter().flatten() {
        for aging in ["pace", "at_most"] {
            window.get_mut(aging).map(Value::take);
        }
    }
}

/// How many lines of a terminal a text takes: what is wider than it goes on in the next.
fn taken(text: &str, width: Option<usize>) -> usize {
    let of_line = |line: &str| {
        let wide = anstream::adapter::strip_str(line).to_string().width();
        width.map_or(1, |width| wide.div_ceil(width.max(1)).max(1))
    };
    text.lines().map(of_line).sum()
}

/// What of a frame a terminal has room for, from the top: what scrolls away is neither seen nor drawn over. The line below
/// the last one is where the cursor rests.
fn fitted(text: &str, width: Option<usize>, height: Option<usize>) -> String {
    let Some(room) = height.map(|height| height.saturating_sub(1)).filter(|room| taken(text, width) > *room) else {
        return text.to_owned();
    };
    let lines: Vec<&str> = text.lines().collect();
    let more = |left: usize| format!("… and {left} more lines: there is no room for them\n");
    let fits = |count: &usize| {
        let shown = lines[..*count].iter().map(|line| taken(line, width).max(1)).sum::<usize>();
        shown + taken(&more(lines.len()), width) <= room
    };
    let count = (0..lines.len()).rev().find(fits).unwrap_or(0);
    let shown: String = lines[..count].iter().map(|line| format!("{line}\n")).collect();
    shown + &more(lines.len() - count)
}

/// Back to where the last frame began, and everything behind it cleared.
fn back(lines: usize, height: Option<usize>) -> String {
    match (lines, height) {
        (0, _) => String::new(),
        (lines, Some(height)) if lines >= height => "\u{1b}[H\u{1b}[J".to_owned(),
        (lines, _) => format!("\r\u{1b}[{lines}A\u{1b}[J"),
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn lines_that_go_on_are_counted_as_they_are_seen() {
        for (text, width, lines) in [
            ("", Some(10), 0),
            ("a\n\nb\n", Some(10), 3),
            ("0123456789\n", Some(10), 1),
            ("0123456789a\n", Some(10), 2),
            ("\u{1b}[31m0123456789\u{1b}[0m\n", Some(10), 1),
            ("日本日本日本\n", Some(10), 2),
            ("0123456789a\n", None, 1),
        ] {
            assert_eq!(taken(text, width), lines, "{text:?}");
        }
    }

    #[test]
    fn what_grows_old_by_itself_is_no_news_and_a_reset_is() {
        let account = |age, percent: Option<f64>, expected| {
            let mut account = serde_json::json!({"usage": {"age_s": age, "windows": [
                {"id": "5h", "percent": percent, "at_most": 50.0 + expected, "pace": {"expected_percent": expected}},
            ]}});
            still(&mut account);
            account
        };
        assert_eq!(account(1, Some(40.0), 10.0), account(9, Some(40.0), 11.0));
        assert_ne!(account(1, Some(40.0), 10.0), account(1, None, 10.0));
        assert_ne!(account(1, Some(40.0), 10.0), account(1, Some(41.0), 10.0));
        still(&mut serde_json::json!({"usage": null}));
    }

    #[test]
    fn a_frame_is_no_higher_than_the_terminal() {
        let text = "0\n1\n2\n3\n4\n";
        let more = |count| format!("… and {count} more lines: there is no room for them\n");
        for (width, height, expected) in [
            (Some(80), None, text.to_owned()),
            (Some(80), Some(6), text.to_owned()),
            (Some(80), Some(5), format!("0\n1\n2\n{}", more(2))),
            (Some(80), Some(3), format!("0\n{}", more(4))),
            (Some(80), Some(2), more(5)),
            (Some(30), Some(5), format!("0\n1\n{}", more(3))),
        ] {
            let fitted = fitted(text, width, height);
            assert_eq!(fitted, expected, "{width:?} {height:?}");
            assert!(height.is_none_or(|height| taken(&fitted, width) < height), "{fitted}");
        }
    }

    #[test]
    fn a_frame_takes_the_place_of_the_one_before() {
        assert_eq!(back(0, Some(24)), "");
        assert_eq!(back(7, Some(24)), "\r\u{1b}[7A\u{1b}[J");
        assert_eq!(back(24, Some(24)), "\u{1b}[H\u{1b}[J", "what has scrolled away cannot be gone back to");
    }
}
