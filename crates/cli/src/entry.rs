//! From arguments to an exit code.

use std::ffi::OsString;
use std::sync::Arc;

use clap::error::ErrorKind;
use clauth_durable::vfs::{FaultyVfs, RealVfs};
use clauth_engine::Engine;
use clauth_host::{Env, Host};

use crate::args::{self, Cli};
use crate::commands::{self, Call};
use crate::failure::Failure;
use crate::own;
use crate::statusline;
use crate::ui::Ui;

/// A variable that ends the process before its n-th effect on the disk. Honoured only in a root that holds the sandbox
/// marker: `clauth demo` shows with it what a kill leaves behind.
pub const CRASH_AT: &str = "CLAUTH_CRASH_AT";

/// Runs the program and answers its exit code.
#[must_use]
pub fn run(argv: Vec<OsString>, env: Env) -> u8 {
    #[cfg(feature = "demo")]
    if is_claude(&argv) {
        let value = |name: &str| env.raw(name).map(OsString::from);
        let code = clauth_sandbox::claude::main(argv.into_iter().skip(1).collect(), &value);
        return u8::try_from(code).unwrap_or(1);
    }
    if let Some(through) = statusline::asked(&argv) {
        statusline::run(env, through);
        return 0;
    }
    let typed = args::Typed::new(argv);
    let cli = match typed.parse() {
        Ok(cli) => cli,
        Err(error) => return refused(&Ui::of_words(typed.words(), &env), &typed, &error),
    };
    let ui = Ui::new(&cli.manner, &env);
    match carry_out(&typed, cli, env, &ui) {
        Ok(code) => code,
        Err(failure) => {
            ui.fail(&failure);
            failure.exit_code()
        }
    }
}

fn carry_out(typed: &args::Typed, cli: Cli, env: Env, ui: &Ui) -> Result<u8, Failure> {
    let host = Host::from_env(env)?;
    let talk = ui.clone();
    let mut engine = Engine::new(host, Arc::new(move |line| talk.say(line)));
    if !typed.is_hidden() {
        engine.check_root()?;
    }
    engine.here = commands::working_directory(&engine.host.env);
    engine.program = own::program(typed.zeroth(), &engine.host.env);
    let bar = ui.clone();
    engine.progress = Arc::new(move |what, done, of| bar.progress(what, done, of));
    if let Some(at) = engine.host.env.text(CRASH_AT).filter(|_| engine.host.sandbox).and_then(|at| at.parse().ok()) {
        let crash = || std::process::abort();
        engine.disk = engine.disk.with_vfs(Arc::new(FaultyVfs::with_callback(Arc::new(RealVfs), at, crash)));
    }
    let call = Call { engine: &engine, ui, split: typed.split.clone() };
    commands::run(cli.command, &call).map_err(|failure| typed.explain(failure))
}

/// Help and version are answers; anything else that the parser says is a refusal.
fn refused(ui: &Ui, typed: &args::Typed, error: &clap::Error) -> u8 {
    let failure = match error.kind() {
        kind @ (ErrorKind::DisplayHelp | ErrorKind::DisplayVersion) => {
            let told = if ui.json {
                let (word, text) = match kind {
                    ErrorKind::DisplayHelp => ("help", error.render().to_string()),
                    _ => ("version", env!("CARGO_PKG_VERSION").to_owned()),
                };
                ui.document(&serde_json::json!({"schema": 1, word: text}))
            } else {
                ui.print(&error.render().ansi().to_string())
            };
            match told {
                Ok(()) => return 0,
                Err(failure) => failure,
            }
        }
        _ => typed.explain(Failure::of_words(error, typed.command_name())),
    };
    ui.fail(&failure);
    failure.exit_code()
}

/// Whether the program was started under the name `claude`: the sandbox's fake, which refuses any home without a marker.
#[cfg(feature = "demo")]
fn is_claude(argv: &[OsString]) -> bool {
    let name = argv.first().map(std::path::Path::new).and_then(std::path::Path::file_stem);
    name.is_some_and(|name| name == "claude")
}
