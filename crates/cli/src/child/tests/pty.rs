//! A terminal of our own, with a program in it that has it as its controlling terminal.

use std::fs::{File, OpenOptions};
use std::io::{Read as _, Write as _};
use std::os::unix::ffi::OsStringExt as _;
use std::process::{Child, Command};
use std::sync::mpsc::{self, Receiver};
use std::thread;

use clauth_sandbox::world::DEADLINE;
use rustix::pty::{OpenptFlags, grantpt, openpt, ptsname, unlockpt};

/// Both ends of a terminal.
pub(super) struct Terminal {
    master: File,
    seen: Receiver<Vec<u8>>,
    text: String,
    program: Child,
}

impl Terminal {
    /// Starts a command in a session of its own on a new terminal. `None` where there is no setsid(1).
    #[expect(clippy::print_stdout, reason = "a skipped test says so")]
    pub(super) fn start(command: &Command) -> Option<Self> {
        let setsid = ["/usr/bin/setsid", "/bin/setsid"].into_iter().find(|path| std::fs::metadata(path).is_ok());
        let Some(setsid) = setsid else {
            println!("skipped: no setsid here");
            return None;
        };
        // Not every system can say in one call that children do not get it.
        let master = openpt(OpenptFlags::RDWR | OpenptFlags::NOCTTY).expect("a terminal");
        rustix::io::fcntl_setfd(&master, rustix::io::FdFlags::CLOEXEC).expect("a terminal of ours alone");
        grantpt(&master).and_then(|()| unlockpt(&master)).expect("a terminal");
        let name = ptsname(&master, Vec::new()).expect("its name").into_bytes();
        let slave = OpenOptions::new().read(true).write(true).open(std::ffi::OsString::from_vec(name)).expect("it");
        let end = || slave.try_clone().expect("one more end");
        let mut within = Command::new(setsid);
        within.arg("-c").arg(command.get_program()).args(command.get_args()).env_clear();
        within.envs(command.get_envs().filter_map(|(name, value)| Some((name, value?))));
        within.current_dir(command.get_current_dir().expect("a directory"));
        let program = within.stdin(end()).stdout(end()).stderr(end()).spawn().expect("a program");
        let master = File::from(master);
        let (send, seen) = mpsc::channel();
        let mut reader = master.try_clone().expect("one more end");
        thread::spawn(move || {
            let mut bytes = [0; 4096];
            while let Ok(length @ 1..) = reader.read(&mut bytes) {
                if send.send(bytes[..length].to_vec()).is_err() {
                    break;
                }
            }
        });
        Some(Self { master, seen, text: String::new(), program })
    }

    /// Types.
    pub(super) fn types(&mut self, keys: &str) {
        self.master.write_all(keys.as_bytes()).expect("a terminal");
    }

    /// Waits until the screen shows something, and forgets all up to it.
    #[track_caller]
    pub(super) fn shows(&mut self, what: &str) {
        while !self.text.contains(what) {
            let bytes = self.seen.recv_timeout(DEADLINE);
            assert!(bytes.is_ok(), "no {what:?} in {:?}", self.text);
            self.text.push_str(&String::from_utf8_lossy(&bytes.unwrap_or_default()));
        }
        let at = self.text.find(what).expect("it is there") + what.len();
        self.text.drain(..at);
    }

    /// Changes the size of the window.
    pub(super) fn resizes(&self) {
        let size = rustix::termios::Winsize { ws_row: 50, ws_col: 132, ws_xpixel: 0, ws_ypixel: 0 };
        rustix::termios::tcsetwinsize(&self.master, size).expect("a size");
    }

    /// The exit code, none when a signal ended it.
    pub(super) fn ends(mut self) -> Option<i32> {
        self.program.wait().expect("an end").code()
    }
}

impl Drop for Terminal {
    fn drop(&mut self) {
        let _ = self.program.kill();
        let _ = self.program.wait();
    }
}
