//! `clauth demo`.

use std::io;

use clauth_engine::Kind;

use serde_json::json;

use super::Call;
use crate::demo::End;
use crate::failure::Failure;
use crate::ui::Ui;

/// Walk through the main job in a throw-away home.
#[derive(clap::Args)]
#[command(after_help = "Three accounts and a fake claude; no account, no network and no Claude Code is\n\
    needed, and nothing is left behind.\n\nExample: clauth demo")]
pub(crate) struct Args {}

/// Answers the exit code: 128 + n where signal n ended it.
pub(super) fn run(call: &Call<'_>) -> Result<u8, Failure> {
    let mut out = Out(call.ui);
    match crate::demo::run(&mut out)? {
        End::Shown => {
            let done = json!({"schema": 1, "changed": false, "done": "demo", "profile": null, "warnings": []});
            if call.ui.json { call.ui.document(&done).map(|()| 0) } else { Ok(0) }
        }
        End::Signal(number) => Ok(128 + number),
        End::Failed => Err(Failure::new(
            Kind::Internal,
            "a step of the demonstration did not do what it says",
            "the sandbox",
            &["please report what was printed above"],
        )),
    }
}

/// Standard output, where a reader that has gone stops nothing.
struct Out<'a>(&'a Ui);

impl io::Write for Out<'_> {
    fn write(&mut self, bytes: &[u8]) -> io::Result<usize> {
        let text = String::from_utf8_lossy(bytes);
        if self.0.json {
            // Standard output is for the one document.
            self.0.prompt(&text);
            return Ok(bytes.len());
        }
        self.0.print(&text).map_err(|_| io::Error::other("standard output cannot be written"))?;
        Ok(bytes.len())
    }

    fn flush(&mut self) -> io::Result<()> {
        Ok(())
    }
}
