//! `config set network off`: whatever is asked for, no socket is opened.

use clauth_sandbox::Account;

use crate::endpoint::given;
use crate::stage::Stage;

/// What would ask somebody, with its exit code while nobody may be asked. What `doctor` finds is not looked at here.
const ASKING: &[(&[&str], i32)] = &[
    (&["usage"], 0),
    (&["usage", "--refresh"], 6),
    (&["usage", "deep", "--refresh", "--json"], 6),
    (&["list"], 0),
    (&["refresh", "a"], 6),
    (&["refresh", "--all"], 6),
    (&["switch", "a", "--verify"], 6),
    (&["switch", "a"], 0),
    (&["switch", "-"], 0),
    (&["undo"], 0),
    (&["capture", "c"], 0),
    (&["capture", "c", "--replace"], 0),
    (&["doctor"], 0),
    (&["doctor", "--fix", "--yes"], 0),
    (&["rename", "c", "d"], 0),
    (&["remove", "d", "--yes", "--force"], 0),
];

/// Home with an endpoint, an access token that is over, and a login that nobody knows: each of them would be asked about.
fn stage(name: &str) -> Stage {
    let stage = Stage::two_with_server(name);
    let _ =
        given(&stage, &["add", "deep", "--base-url", "https://api.deepseek.com/anthropic"], "sk-FAKE-KEY\n").success();
    stage.ok(&["config", "set", "network", "off"]);
    stage.expire("a");
    stage
}

#[test]
fn with_the_network_off_no_command_asks_anybody() {
    let stage = stage("nw-off");
    let server = stage.server.as_ref().expect("a server");
    server.forget_requests();
    for (words, code) in ASKING {
        if words == &["capture", "c"] {
            stage.sign_in(&Account::c());
        }
        let output = stage.run(words);
        assert!(output.code == Some(*code) || words[0] == "doctor", "{words:?}: {output:?}");
        assert_eq!(server.requests(), [], "{words:?}");
    }
    stage.ok(&["config", "set", "network", "on"]);
    stage.ok(&["usage", "b", "--refresh"]);
    assert!(!server.requests().is_empty(), "with it on they do");
}

/// The same by what the kernel was asked for.
#[cfg(target_os = "linux")]
#[test]
fn with_the_network_off_the_kernel_is_asked_for_no_socket() {
    let strace = ["/usr/bin/strace", "/bin/strace"].into_iter().find(|path| std::path::Path::new(path).exists());
    let Some(strace) = strace else {
        println!("skipped: strace is not installed");
        return;
    };
    let stage = stage("nw-strace");
    let traced = |words: &[&str]| {
        let trace = stage.world.home().join("trace");
        let mut command = stage.world.command(std::path::Path::new(strace), stage.server.as_ref());
        command.args(["-f", "-qq", "-e", "trace=%network,execve", "-o"]).arg(&trace);
        let _ = crate::stage::finish({
            command.arg(crate::stage::PROGRAM).args(words);
            command
        });
        let text = std::fs::read_to_string(&trace).expect("a trace");
        assert!(text.contains("execve("), "{words:?}: nothing was traced");
        text.lines().filter(|line| line.contains("socket(") || line.contains("connect(")).count()
    };
    for (words, _) in ASKING {
        if words == &["capture", "c"] {
            stage.sign_in(&Account::c());
        }
        assert_eq!(traced(words), 0, "{words:?}");
    }
    stage.ok(&["config", "set", "network", "on"]);
    assert!(traced(&["usage", "b", "--refresh"]) > 0, "with it on there is one");
}
