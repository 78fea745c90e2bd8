//! `clauth demo`.

use std::io;

use clauth_engine::Kind;

use serde_json::json;

use super::Call;
use crate::failure::Failure;
use crate::ui::Ui;

/// Walk through the main job in a throw-away home.
#[derive(clap::Args)]
#[command(after_help = "Three accounts and a fake claude; no account, no network and no Claude Code is\n\
    needed, and nothing is left behind.\n\nExample: clauth demo")]
pub(crate) struct Args {}

pub(super) fn run(call: &Call<'_>) -> Result<(), Failure> {
    let mut out = Out(call.ui);
    if crate::demo::run(&mut out)? {
        let done = json!({"schema": 1, "changed": false, "done": "demo", "profile": null, "warnings": []});
        return if call.ui.json { call.ui.document(&done) } else { Ok(()) };
    }
    Err(Failure::new(
        Kind::Internal,
        "a step of the demonstration did not do what it says",
        "the sandbox",
        &["please report what was printed above"],
    ))
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
