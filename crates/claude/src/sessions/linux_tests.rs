//! proc(5) as a folder that the test made.

use super::*;
use crate::ClaudeHome;
use crate::fixture::{Place, text};
use crate::sessions::registered;

/// One process as proc(5) shows it; words and variables end with a zero byte each.
fn process(place: &Place, pid: u32, words: &[&str], env: &[&str]) {
    let joined = |all: &[&str]| all.iter().map(|one| format!("{one}\0")).collect::<String>();
    place.put(&format!("proc/{pid}/cmdline"), joined(words));
    place.put(&format!("proc/{pid}/environ"), joined(env));
}

/// What a look at that folder adds to what is registered.
fn seen(place: &Place, mut found: Vec<RunningClaude>) -> Vec<RunningClaude> {
    let mut host = place.host(&[]);
    host.sandbox = false;
    scan(&place.path("proc"), &host, &place.disk, &mut found);
    found
}

fn known(place: &Place, pid: u32) -> RunningClaude {
    RunningClaude {
        pid,
        config_dir: place.path(".claude"),
        status: Some("idle".into()),
        kind: Some("interactive".into()),
        cwd: Some("/home/u/proj".into()),
        started_at: None,
        overrides: Vec::new(),
    }
}

fn stat(comm: &str, start: u64) -> String {
    let before_start: Vec<_> = (4..22).map(|field| field.to_string()).collect();
    format!("77 ({comm}) S {} {start} 23 24\n", before_start.join(" "))
}

#[test]
fn claude_is_known_by_what_was_started() {
    let place = Place::new("proc-cmdline");
    for (name, words, is) in [
        ("by name", &["claude"][..], true),
        ("with words", &["claude", "-p", "hello"], true),
        ("by path", &["/home/u/.local/bin/claude"], true),
        ("a title and what it overwrote", &["claude", "", "", ""], true),
        ("under node", &["node", "/usr/lib/node_modules/@anthropic-ai/claude-code/cli.js"], true),
        ("under node by path", &["/usr/bin/node", "/usr/bin/claude"], true),
        ("under bun", &["bun", "/opt/claude-code/cli.js", "--resume"], true),
        ("another cli.js", &["node", "/opt/other/cli.js"], false),
        ("node alone", &["node"], false),
        ("what it started", &["/bin/bash", "-c", "claude"], false),
        ("an editor on it", &["vim", "claude"], false),
        ("a name that begins so", &["claude-code-router"], false),
        ("a name that ends so", &["myclaude"], false),
        ("its directory", &["/home/u/claude/other"], false),
        ("an argument of a script", &["node", "run.js", "claude"], false),
        ("a kernel thread", &[], false),
        ("an empty word", &[""], false),
    ] {
        process(&place, 77, words, &[&format!("HOME={}", text(&place.path("")))]);
        assert_eq!(seen(&place, Vec::new()).len(), usize::from(is), "{name}");
    }
}

/// Who runs the tests, or the demonstration, may be using Claude Code.
#[test]
fn a_sandbox_sees_only_what_works_in_it() {
    let place = Place::new("proc-sandbox");
    for (name, dir, sandbox, counts) in [
        ("its own", place.path("work"), true, true),
        ("somebody's", "/nonexistent/work".into(), true, false),
        ("outside of a sandbox", "/nonexistent/work".into(), false, true),
    ] {
        process(&place, 77, &["claude"], &["HOME=/nonexistent", &format!("CLAUDE_CONFIG_DIR={}", text(&dir))]);
        let mut host = place.host(&[]);
        host.sandbox = sandbox;
        let mut found = Vec::new();
        scan(&place.path("proc"), &host, &place.disk, &mut found);
        assert_eq!(found.len(), usize::from(counts), "{name}");
    }
}

#[test]
fn a_process_belongs_to_the_home_that_its_environment_names() {
    let place = Place::new("proc-home");
    let at = |relative: &str| text(&place.path(relative)).trim_end_matches('/').to_owned();
    place.put("work/settings.json", "{}");
    place.link("home-by-link", place.path(""));
    let own = format!("HOME={}", at(""));
    let config = |dir: &str| format!("CLAUDE_CONFIG_DIR={dir}");
    let store = |dir: &str| format!("CLAUDE_SECURESTORAGE_CONFIG_DIR={dir}");
    let other = "HOME=/nonexistent/other".to_owned();
    // The last two: where it goes if it is registered here, and whether it counts if it is not.
    for (name, env, dir, counts) in [
        ("plain", vec![own.clone()], at(".claude"), true),
        ("this home by another name", vec![format!("HOME={}", at("home-by-link"))], at(".claude"), true),
        ("a config home", vec![own.clone(), config(&at("work"))], at("work"), true),
        ("an empty one is none", vec![own.clone(), config("")], at(".claude"), true),
        ("a store", vec![own.clone(), config(&at("work")), store(&at("safe"))], at("safe"), true),
        ("the default store", vec![own.clone(), config(&at("work")), store("")], at(".claude"), true),
        ("as it was named", vec![own, config("/nonexistent/../work")], "/nonexistent/../work".into(), true),
        ("a named one of another home", vec![other.clone(), config(&at("work"))], at("work"), true),
        ("another home", vec![other], "/nonexistent/other/.claude".into(), false),
        ("no home", vec!["PATH=/bin".into()], at(".claude"), false),
        ("an empty home", vec!["HOME=".into()], at(".claude"), false),
        ("nothing", vec![], at(".claude"), false),
        ("no variables", vec!["HOME".into(), "=x".into()], at(".claude"), false),
    ] {
        let env: Vec<&str> = env.iter().map(String::as_str).collect();
        process(&place, 77, &["claude"], &env);
        let dir = PathBuf::from(dir);
        assert_eq!(seen(&place, vec![known(&place, 77)])[0].config_dir, dir, "{name}, registered");
        let found: Vec<_> = seen(&place, Vec::new()).into_iter().map(|claude| claude.config_dir).collect();
        assert_eq!(found, if counts { vec![dir] } else { vec![] }, "{name}, not registered");
    }
}

#[test]
fn a_registered_process_keeps_what_it_registered() {
    let place = Place::new("proc-known");
    let home = format!("HOME={}", text(&place.path("")));
    process(&place, 77, &["/opt/some/wrapper"], &[&home, "ANTHROPIC_API_KEY=FAKE", "CLAUDE_CODE_USE_VERTEX=0"]);
    let expected = RunningClaude { overrides: vec!["ANTHROPIC_API_KEY"], ..known(&place, 77) };
    assert_eq!(seen(&place, vec![known(&place, 77)]), [expected], "whatever its command line says");
}

#[test]
fn an_unregistered_process_is_told_from_what_the_system_shows() {
    let place = Place::new("proc-unknown");
    let home = format!("HOME={}", text(&place.path("")));
    process(&place, 77, &["claude"], &[&home, "ANTHROPIC_AUTH_TOKEN=FAKE"]);
    place.link("proc/77/cwd", "/home/u/proj");
    let expected =
        RunningClaude { status: None, kind: None, overrides: vec!["ANTHROPIC_AUTH_TOKEN"], ..known(&place, 77) };
    assert_eq!(seen(&place, Vec::new()), [expected]);
}

#[test]
fn what_cannot_be_read_hides_a_process_and_moves_no_registered_one() {
    let place = Place::new("proc-unreadable");
    let home = format!("HOME={}", text(&place.path("")));
    process(&place, 70, &["claude"], &[&home]);
    // Somebody else's, gone in between, and both: a directory stands for what the system refuses to show.
    for (pid, odd) in [(71, "environ"), (72, "cmdline")] {
        process(&place, pid, &["claude"], &[&home, "CLAUDE_CONFIG_DIR=/nonexistent/elsewhere"]);
        place.disk.remove_file(&place.path(&format!("proc/{pid}/{odd}"))).expect("removed");
        if pid == 71 {
            place.put(&format!("proc/{pid}/{odd}/inside"), "");
        }
    }
    place.put("proc/73/comm", "claude");
    place.put("proc/self/cmdline", "claude\0");
    place.put("proc/uptime", "1");
    let pids: Vec<_> = seen(&place, Vec::new()).iter().map(|claude| claude.pid).collect();
    assert_eq!(pids, [70], "none of the odd ones");
    for pid in [71, 73] {
        assert_eq!(seen(&place, vec![known(&place, pid)])[0], known(&place, pid), "{pid} stays where it registered");
    }
}

#[test]
fn no_folder_shows_nobody() {
    let place = Place::new("proc-none");
    assert_eq!(seen(&place, Vec::new()), []);
    assert_eq!(seen(&place, vec![known(&place, 77)]), [known(&place, 77)]);
}

#[test]
fn a_process_is_told_by_when_it_began() {
    let place = Place::new("proc-start");
    let start = |stat: &str| {
        place.put("proc/77/stat", stat);
        start_of(&place.disk, &place.path("proc"), 77)
    };
    for (name, text, expected) in [
        ("plain", stat("claude", 123_456_789), Some("123456789")),
        ("a name with spaces", stat("my claude", 5), Some("5")),
        ("a name with parentheses", stat("a) S 1 (b) R ", 5), Some("5")),
        ("cut short", "77 (claude) S 4 5".to_owned(), None),
        ("no name", "77 S 4 5".to_owned(), None),
        ("empty", String::new(), None),
    ] {
        assert_eq!(start(&text).as_deref(), expected, "{name}");
    }
    assert_eq!(start_of(&place.disk, &place.path("proc"), 78), None, "no process");
}

#[test]
fn a_number_that_was_given_out_again_is_not_the_same_process() {
    let place = Place::new("proc-reused");
    let (me, home) = (std::process::id(), ClaudeHome::default_of(&place.host(&[]), &place.disk));
    let start = start_of(&place.disk, Path::new(PROC), me).expect("this process is there");
    for (name, field, alive) in [
        ("the same", format!(r#""{start}""#), true),
        ("an earlier one", r#""1""#.to_owned(), false),
        ("blank", r#""""#.to_owned(), false),
        ("not said", "null".to_owned(), true),
    ] {
        let file = format!(r#"{{"pid":{me},"procStart":{field}}}"#);
        place.put(&format!(".claude/sessions/{me}.json"), &file);
        assert_eq!(registered::all(&place.disk, &home).len(), usize::from(alive), "{name}");
        let owner = place.put("lock.owner", &file);
        assert_eq!(crate::sessions::named_owner(&place.disk, &owner), alive.then_some(me), "{name}, owner");
    }
}

#[test]
fn only_a_claude_of_the_same_home_can_own_its_locks() {
    let place = Place::new("proc-owner");
    let home = ClaudeHome::default_of(&place.host(&[]), &place.disk);
    let own = format!("HOME={}", text(&place.path("")));
    let here = format!("CLAUDE_CONFIG_DIR={}", text(&place.path(".claude")));
    let (tree, store) = ("CLAUDE_CONFIG_DIR=/elsewhere/tree", "CLAUDE_SECURESTORAGE_CONFIG_DIR=/elsewhere/store");
    for (name, words, env, may) in [
        ("the plain one", "claude", vec![own.as_str()], true),
        ("one that names it", "claude", vec!["HOME=/home/other", &here], true),
        ("one that has its login elsewhere", "claude", vec![&here, store], true),
        ("a session's", "claude", vec![own.as_str(), tree], false),
        ("another user's", "claude", vec!["HOME=/home/other"], false),
        ("no claude", "bash", vec![own.as_str()], false),
    ] {
        process(&place, 77, &[words], &env);
        let found = one_of(&place.path("proc"), &place.host(&[]), &place.disk, &home);
        assert_eq!(found.is_some(), may, "{name}");
    }
}
