//! The fake `claude` as real processes. Like the clauth binary, this one *is* `claude` when it is called by that name,
//! so it has a `main` of its own instead of the test harness's.
#![expect(clippy::disallowed_methods, reason = "this program stands for the clauth binary's main")]

use std::io::Write;
use std::path::PathBuf;
use std::process::ExitCode;

use clauth_sandbox::{Account, Output, Route, Running, Server, World, claude};

/// A test, and its name.
type Case = (&'static str, fn());

const CASES: [Case; 5] = [
    ("arguments", arguments),
    ("a_running_claude_follows_a_swap", a_running_claude_follows_a_swap),
    ("processes_share_one_refresh", processes_share_one_refresh),
    ("a_killed_claude_leaves_its_registration", a_killed_claude_leaves_its_registration),
    ("a_deadline_kills", a_deadline_kills),
];

fn main() -> ExitCode {
    let mut args = std::env::args_os();
    let program = PathBuf::from(args.next().unwrap_or_default());
    if program.file_stem().is_some_and(|name| name == "claude") {
        let code = claude::main(args.collect(), &|name| std::env::var_os(name));
        return ExitCode::from(u8::try_from(code).unwrap_or(1));
    }
    let filter = args.filter_map(|arg| arg.into_string().ok()).find(|arg| !arg.starts_with('-')).unwrap_or_default();
    for (name, case) in CASES.iter().filter(|(name, _)| name.contains(&filter)) {
        case();
        let _ = writeln!(std::io::stdout(), "test {name} ... ok");
    }
    ExitCode::SUCCESS
}

/// A world with this program as its `claude`.
fn world(name: &str) -> (World, PathBuf) {
    let world = World::new(name);
    let own = std::env::current_exe().expect("a path of our own");
    let program = world.install_claude(&own).expect("a free name");
    (world, program)
}

fn arguments() {
    let (world, program) = world("arguments");
    let server = Server::start();
    let run = |args: &[&str]| -> Output { world.clauth(&program, Some(&server), args) };
    assert_eq!(run(&["--version"]).success().stdout, "2.1.330 (Claude Code)\n");
    assert_eq!(run(&["auth", "status"]).expect_code(1).json()["loggedIn"], false);
    let refused = run(&["auth", "login"]).expect_code(1);
    assert!(refused.stderr.contains("no valid code"), "{refused:?}");
    let _ = run(&["auth", "login", "--account", "AXP"]).success();
    assert_eq!((world.live().as_str(), world.identity().as_str()), ("AXP1", "AXP"));
    assert_eq!(run(&["auth", "status", "--json"]).success().json()["orgName"], "Organization P");
    assert_eq!(run(&["-p", "hello"]).success().stdout, "hello from the sandbox\n");
    assert_eq!(server.requests_to(Route::Messages)[0].bearer.as_deref(), Some("AXP1"));
    assert_eq!(run(&["setup-token"]).success().stdout.lines().last(), Some("sk-ant-oat01-FAKE-SETUP"));
    server.assert_clean();
    let _ = run(&["auth", "logout"]).success();
    assert_eq!(run(&["-p", "hello"]).expect_code(1).stdout, "");

    let mut command = world.command(&program, Some(&server));
    command.args(["auth", "login"]).env("FAKE_LOGIN_ACCOUNT", "C");
    let _ = clauth_sandbox::world::run(command, clauth_sandbox::world::DEADLINE).success();
    assert_eq!(world.live(), "C1");
    for (name, value, code) in
        [("FAKE_EXIT", "7", 7), ("FAKE_CLAUDE", "no-fill,old-locks", 0), ("FAKE_CLAUDE", "fly", 99)]
    {
        let mut command = world.command(&program, Some(&server));
        command.args(["-p", "hello"]).env(name, value);
        let _ = clauth_sandbox::world::run(command, clauth_sandbox::world::DEADLINE).expect_code(code);
    }
}

fn a_running_claude_follows_a_swap() {
    let (world, program) = world("swap");
    let server = Server::start();
    world.sign_in(&Account::a());
    let mut session = world.session(&program, Some(&server));
    assert!(world.claude_dir().join(format!("sessions/{}.json", session.pid())).is_file());
    assert_eq!(session.turn(), "A1");
    world.sign_in(&Account::b());
    assert_eq!(session.turn(), "B1");
    assert_eq!(session.send("refresh")["login"], "B2");
    assert_eq!(world.live(), "B2");
    assert_eq!(session.send("env HOME")["value"], world.home().to_string_lossy().as_ref());
    session.post("exit 7");
    assert_eq!(session.finish(), Some(7));
    assert_eq!(std::fs::read_dir(world.claude_dir().join("sessions")).expect("a directory").count(), 0);
    server.assert_clean();
}

fn processes_share_one_refresh() {
    let (world, program) = world("share");
    let server = Server::start();
    let login = world.sign_in(&Account::a());
    world.store_login(&login.expiring_at(1));
    let mut sessions: Vec<Running> = (0..3).map(|_| world.session(&program, Some(&server))).collect();
    sessions.iter_mut().for_each(|session| session.post("turn"));
    for session in &mut sessions {
        let answer = session.read();
        assert_eq!(answer["bearer"], "A2", "{answer}");
    }
    assert_eq!(server.requests_to(Route::Token).len(), 1);
    server.assert_clean();
}

fn a_killed_claude_leaves_its_registration() {
    let (world, program) = world("killed");
    world.sign_in(&Account::a());
    let session = world.session(&program, None);
    let file = world.claude_dir().join(format!("sessions/{}.json", session.pid()));
    session.kill();
    assert!(file.is_file());
}

fn a_deadline_kills() {
    let (world, program) = world("deadline");
    let mut command = world.command(&program, None);
    command.args(["auth", "login"]).env("FAKE_LOGIN", "hang");
    let output = clauth_sandbox::world::run(command, std::time::Duration::from_millis(300));
    assert!(output.timed_out && output.code.is_none(), "{output:?}");
}
