//! The program. Everything is in the library; only this ends the process.

use std::process::ExitCode;

fn main() -> ExitCode {
    let argv = std::env::args_os().collect();
    ExitCode::from(clauth::run(argv, clauth_host::Env::of_process()))
}
