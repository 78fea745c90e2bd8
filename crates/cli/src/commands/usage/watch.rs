//! `usage --watch`: the same table, drawn anew in its place whenever a reading is stored, by whichever process.

use std::sync::mpsc::{self, RecvTimeoutError, Sender};
use std::time::Duration;

use clauth_engine::{Asking, Usage};

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
            let move_to = if call.ui.draws() { back(lines, call.ui.height()) } else { String::new() };
            if !call.ui.print_on(&move_to, &now)? {
                return Ok(());
            }
            lines = now.lines().count();
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
        for account in document["accounts"].as_array_mut().into_iter().flatten() {
            for aging in ["/usage/age_s", "/usage/windows"] {
                account.pointer_mut(aging).map(serde_json::Value::take);
            }
        }
        return (text, document.to_string());
    }
    let text = text(args, usage, &clock, call);
    let text =
        incidents::lines(usage.listing.incidents.as_deref(), &clock).iter().fold(text, |text, line| text + line + "\n");
    let text = format!("{text}times are in {}; ends with Ctrl-C\n", clock.zone_name());
    (text.clone(), text)
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
    fn a_frame_takes_the_place_of_the_one_before() {
        assert_eq!(back(0, Some(24)), "");
        assert_eq!(back(7, Some(24)), "\r\u{1b}[7A\u{1b}[J");
        assert_eq!(back(24, Some(24)), "\u{1b}[H\u{1b}[J", "what has scrolled away cannot be gone back to");
    }
}
