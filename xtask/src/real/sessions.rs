//! What must hold of `clauth start` beside the real client.

use std::path::PathBuf;
use std::thread;
use std::time::{Duration, Instant};

use anyhow::{Context as _, ensure};
use clauth_sandbox::server::Gate;
use clauth_sandbox::{Account, Login, Pair, Reply, Route, now_ms, world};

use super::bench::{Bench, PATIENCE};
use super::scenarios::{HI, LINKS, Open, Scenario, live, same, switch_until_done, two_profiles};

/// All of them, by name.
pub(super) const SCENARIOS: [(&str, Scenario); 11] = [
    ("a session renews, and the renewed login comes home", session_renews),
    ("what a session renews replaces the link, and the link is back", link_is_back),
    ("three sessions of one profile renew once", sessions_share),
    ("a session of the live account works on a bearer copy", session_on_bearer),
    ("a bearer copy follows what is renewed in the home while its session runs", bearer_follows),
    ("a switch to and away from an account with a session", switch_around_session),
    ("the same while a renewal is in flight", switch_in_renewal),
    ("a killed parent loses nothing", killed_parent),
    ("settings and state edited by two sessions at once", edited_at_once),
    ("an isolated session has the login and nothing of the user's", isolated),
    ("a session of a setup token", setup_token),
];

fn session_renews(open: Open<'_>) -> anyhow::Result<()> {
    for links in LINKS {
        let bench = open()?;
        let [a, b] = two_profiles(&bench, true)?;
        bench.server.forget_requests();
        let output = world::run(bench.start(links, "a", &HI), PATIENCE);
        ensure!(output.code == Some(0), "{links}: {output:?}");
        same("the request of the session", &bench.bearer()?, &a.pair.next().to_string())?;
        same("the login that came home", &bench.slot("a"), &a.pair.next().to_string())?;
        same("the live login", &live(&bench), &b.pair.to_string())?;
        ensure!(!tree(&bench).exists(), "{links}: the tree is still there");
        bench.ensure_clean()?;
    }
    Ok(())
}

/// The client writes its renewal beside and renames it over the link, which is put back while it runs.
fn link_is_back(open: Open<'_>) -> anyhow::Result<()> {
    for links in LINKS {
        let bench = open()?;
        let [a, _] = two_profiles(&bench, true)?;
        let credential = tree(&bench).join(".credentials.json");
        let mut session = bench.session_of(links, "a")?;
        let mut pair = a.pair.clone();
        for _ in 0..2 {
            pair = pair.next();
            session.ask().context("a turn that renews")?;
            until("the renewed login", || bench.slot("a") == pair.to_string())?;
            until("the link", || credential.is_symlink() == (links == "real"))?;
            same("what the session reads", &bench.world.login_at(&credential), &pair.to_string())?;
            end_access(&bench, &a.account, &pair);
        }
        let adopted = bench.clauth(&["why", "a"])?.matches("renewed by Claude Code in a session").count();
        ensure!(adopted == 2, "{links}: {adopted} logins were adopted, not two: the client did not replace the link");
        drop(session);
        bench.ensure_clean()?;
    }
    Ok(())
}

fn sessions_share(open: Open<'_>) -> anyhow::Result<()> {
    let bench = open()?;
    let [a, _] = two_profiles(&bench, true)?;
    thread::scope(|scope| {
        let runs: Vec<_> =
            (0..3).map(|_| scope.spawn(|| world::run(bench.start("real", "a", &HI), PATIENCE))).collect();
        for run in runs {
            let output = run.join().map_err(|_| anyhow::anyhow!("a session panicked"))?;
            ensure!(output.code == Some(0), "{output:?}");
        }
        Ok(())
    })?;
    let generation = bench.server.generation(&a.pair.family);
    ensure!(generation == 2, "renewed up to generation {generation}, not once");
    same("the login that came home", &bench.slot("a"), &a.pair.next().to_string())?;
    bench.ensure_clean()
}

fn session_on_bearer(open: Open<'_>) -> anyhow::Result<()> {
    for links in LINKS {
        let bench = open()?;
        let [a, _] = two_profiles(&bench, false)?;
        bench.clauth(&["switch", "a"])?;
        bench.server.forget_requests();
        let output = world::run(bench.start(links, "a", &HI), PATIENCE);
        ensure!(output.code == Some(0), "{links}: {output:?}");
        same("the request of the session", &bench.bearer()?, &a.pair.to_string())?;
        ensure!(bench.server.requests_to(Route::Token).is_empty(), "{links}: somebody renewed");
        same("the live login", &live(&bench), &a.pair.to_string())?;
        bench.ensure_clean()?;
    }
    Ok(())
}

fn switch_around_session(open: Open<'_>) -> anyhow::Result<()> {
    for links in LINKS {
        let bench = open()?;
        let [a, b] = two_profiles(&bench, false)?;
        let mut session = bench.session_of(links, "a")?;
        same("the first turn", &session.turn()?, &a.pair.to_string())?;
        bench.clauth(&["switch", "a"])?;
        ensure!(bench.slot("a").ends_with("bearer"), "{links}: the slot is {}", bench.slot("a"));
        same("the turn on a bearer copy", &session.turn()?, &a.pair.to_string())?;
        bench.clauth(&["switch", "b"])?;
        same("the login that is back", &bench.slot("a"), &a.pair.to_string())?;
        same("the turn after it", &session.turn()?, &a.pair.to_string())?;
        same("the live login", &live(&bench), &b.pair.to_string())?;
        drop(session);
        bench.ensure_clean()?;
    }
    Ok(())
}

/// Each time the server ends the access token with the renewal, so an old copy would be of no use.
fn bearer_follows(open: Open<'_>) -> anyhow::Result<()> {
    for links in LINKS {
        let bench = open()?;
        let [a, _] = two_profiles(&bench, false)?;
        bench.clauth(&["switch", "a"])?;
        let mut session = bench.session_of(links, "a")?;
        let mut pair = a.pair.clone();
        same("the first turn", &session.turn()?, &pair.to_string())?;
        for _ in 0..2 {
            end_access(&bench, &a.account, &pair);
            pair = pair.next();
            // It is refused, and renews; which of its requests carried what is its own affair.
            let output = world::run(bench.claude(&HI), PATIENCE);
            ensure!(output.code == Some(0), "{links}: {output:?}");
            same("what the plain client renewed", &live(&bench), &pair.to_string())?;
            until("the bearer copy", || bench.slot("a") == format!("{pair} bearer"))?;
            same("the session's turn", &session.turn()?, &pair.to_string())?;
        }
        session.close();
        until("the end of the tree", || !tree(&bench).exists())?;
        bench.clauth(&["switch", "b"])?;
        same("the login that is back", &bench.slot("a"), &pair.to_string())?;
        bench.ensure_clean()?;
    }
    Ok(())
}

/// The switches begin while the server holds an answer back: first the session's, then the plain client's.
fn switch_in_renewal(open: Open<'_>) -> anyhow::Result<()> {
    for links in LINKS {
        let bench = open()?;
        let [a, _] = two_profiles(&bench, true)?;
        let mut session = bench.session_of(links, "a")?;
        during_renewal(&bench, "a", || session.ask())?;
        let second = a.pair.next();
        same("the live login", &live(&bench), &second.to_string())?;
        same("the slot", &bench.slot("a"), &format!("{second} bearer"))?;
        same("the session's turn", &session.turn()?, &second.to_string())?;
        end_access(&bench, &a.account, &second);
        // Whose login pays for this turn is the client's choice.
        during_renewal(&bench, "b", || {
            let _ = world::run(bench.claude(&HI), PATIENCE);
            Ok(())
        })?;
        let newest = bench.newest(&a);
        same("the login that is back", &bench.slot("a"), &newest)?;
        same("the session's turn after it", &session.turn()?, &newest)?;
        drop(session);
        bench.ensure_clean()?;
    }
    Ok(())
}

/// Lets a turn renew, and switches to `name` before the server has answered.
fn during_renewal(bench: &Bench, name: &str, turn: impl FnOnce() -> anyhow::Result<()> + Send) -> anyhow::Result<()> {
    let gate = Gate::new();
    bench.server.script(Route::Token, vec![Reply::Wait(gate.clone())]);
    thread::scope(|scope| {
        let turn = scope.spawn(turn);
        ensure!(gate.is_reached(), "the client did not renew");
        let switch = scope.spawn(|| switch_until_done(bench, name));
        thread::sleep(Duration::from_secs(1));
        gate.open();
        switch.join().map_err(|_| anyhow::anyhow!("the switch panicked"))??;
        turn.join().map_err(|_| anyhow::anyhow!("the turn panicked"))?
    })
}

/// `kill -9` of the `clauth start`: its `claude` goes on, renews and writes; the next commands bring all of it home.
fn killed_parent(open: Open<'_>) -> anyhow::Result<()> {
    for links in LINKS {
        let bench = open()?;
        let [a, _] = two_profiles(&bench, true)?;
        let mut session = bench.session_of(links, "a")?;
        let second = a.pair.next();
        same("the first turn", &session.turn()?, &second.to_string())?;
        until("the renewed login", || bench.slot("a") == second.to_string())?;
        session.kill()?;
        end_access(&bench, &a.account, &second);
        let third = second.next().to_string();
        session.ask().context("a turn without a parent")?;
        same("the slot, which nobody watches", &bench.slot("a"), &second.to_string())?;
        bench.clauth(&["order", "a", "1"])?;
        same("the slot after a command", &bench.slot("a"), &third)?;
        same("the turn after it", &session.turn()?, &third)?;
        let note = tree(&bench).join("plans/note.md");
        std::fs::write(&note, "mine").with_context(|| format!("cannot write {}", note.display()))?;
        ensure!(tree(&bench).exists(), "{links}: its tree went under a living claude");
        session.close();
        until("the end of the tree", || {
            bench.try_clauth(&["order", "a", "1"]).code == Some(0) && !tree(&bench).exists()
        })?;
        let kept = std::fs::read_to_string(bench.world.claude_dir().join("plans/note.md"));
        ensure!(kept.is_ok_and(|text| text == "mine"), "{links}: what it wrote is not in the home");
        ensure!(transcripts(&bench).len() == 1, "{links}: transcripts: {:?}", transcripts(&bench));
        bench.ensure_clean()?;
    }
    Ok(())
}

/// Two clients that write their state files at once, while settings are edited in both trees.
fn edited_at_once(open: Open<'_>) -> anyhow::Result<()> {
    for links in LINKS {
        let bench = open()?;
        let [a, b] = two_profiles(&bench, false)?;
        let mut sessions = [bench.session_of(links, "a")?, bench.session_of(links, "b")?];
        for session in &mut sessions {
            session.turn()?;
        }
        thread::scope(|scope| {
            let add = |profile: &'static str, server: &'static str| {
                let words = ["mcp", "add", "-s", "user", server, "true"];
                let command = bench.start(links, profile, &words);
                scope.spawn(move || world::run(command, PATIENCE))
            };
            let adding = [add("a", "one"), add("b", "two")];
            for (profile, key) in [("a", "outputStyle"), ("b", "spinnerTipsEnabled")] {
                let settings = bench.world.root().join("profiles").join(profile).join("runtime/settings.json");
                bench.world.edit_json(&settings, |settings| drop(settings.insert(key.to_owned(), profile.into())));
            }
            for added in adding {
                let output = added.join().map_err(|_| anyhow::anyhow!("a session panicked"))?;
                ensure!(output.code == Some(0), "{links}: {output:?}");
            }
            Ok(())
        })?;
        let home = || (bench.world.read_json(&bench.world.state_path()), settings(&bench));
        let is_whole = || {
            let (state, settings) = home();
            let servers = ["one", "two"].iter().all(|name| state["mcpServers"].get(name).is_some());
            servers && settings["outputStyle"] == "a" && settings["spinnerTipsEnabled"] == "b"
        };
        until("both changes of both in the home", is_whole).with_context(|| format!("{links}: {:?}", home()))?;
        for (session, login) in sessions.iter_mut().zip([&a, &b]) {
            same("a turn after it", &session.turn()?, &login.pair.to_string())?;
        }
        drop(sessions);
        same("whose home it is", &bench.identity()?, &b.account.email)?;
        bench.ensure_clean()?;
    }
    Ok(())
}

/// What is in the user's own home, and where a request would show it.
const THEIRS: [(&str, &str); 5] = [
    ("CLAUDE.md", "MARK-MEMORY"),
    ("rules/mark.md", "MARK-RULE"),
    ("skills/mark/SKILL.md", "---\nname: mark\ndescription: MARK-SKILL\n---\nx\n"),
    ("agents/mark.md", "---\nname: mark\ndescription: MARK-AGENT\n---\nx\n"),
    ("commands/order.md", "MARK-COMMAND"),
];

/// What an ordinary session shows of it: words in its requests, and programs that it ran.
const MARKS: [&str; 7] =
    ["MARK-MEMORY", "MARK-RULE", "MARK-SKILL", "MARK-AGENT", "MARK-COMMAND", "MARK-HOOK", "MARK-SERVER"];

fn isolated(open: Open<'_>) -> anyhow::Result<()> {
    for links in LINKS {
        let bench = open()?;
        let [a, _] = two_profiles(&bench, true)?;
        let project = bench.world.home().join("project");
        let ran = |what: &str| bench.world.home().join(what);
        std::fs::create_dir_all(&project)?;
        for (name, text) in THEIRS {
            let path = bench.world.claude_dir().join(name);
            std::fs::create_dir_all(path.parent().context("a parent")?)?;
            std::fs::write(path, text)?;
        }
        let touch =
            serde_json::json!({ "type": "command", "command": format!("touch {}", ran("MARK-HOOK").display()) });
        bench.world.edit_json(&bench.world.claude_dir().join("settings.json"), |settings| {
            settings.insert("hooks".into(), serde_json::json!({ "UserPromptSubmit": [{ "hooks": [touch] }] }));
        });
        bench.world.edit_json(&bench.world.state_path(), |state| {
            let server = serde_json::json!({ "command": "touch", "args": [ran("MARK-SERVER")] });
            state.insert("mcpServers".into(), serde_json::json!({ "mark": server }));
        });
        let seen = |own: &[&str]| -> anyhow::Result<Vec<&str>> {
            bench.server.forget_requests();
            let (first, more) = own.split_first().context("a profile")?;
            let mut command = bench.start(links, first, &[more, &HI].concat());
            command.current_dir(&project);
            let output = world::run(command, PATIENCE);
            ensure!(output.code == Some(0), "{links}: {output:?}");
            let sent = bench.server.requests_to(Route::Messages);
            let told = |word: &str| sent.iter().any(|request| request.prompt.contains(word));
            Ok(MARKS.into_iter().filter(|mark| told(mark) || ran(mark).exists()).collect())
        };
        let alone = seen(&["--isolated", "a"])?;
        ensure!(alone.is_empty(), "{links}: an isolated session has {alone:?} of the user's");
        same("its request", &bench.bearer()?, &a.pair.next().to_string())?;
        same("the login that came home", &bench.slot("a"), &a.pair.next().to_string())?;
        ensure!(transcripts(&bench).len() == 1, "{links}: transcripts: {:?}", transcripts(&bench));
        ensure!(!bench.world.root().join("profiles/a/isolated").exists(), "{links}: its directory is still there");
        let usual = seen(&["a"])?;
        ensure!(usual == MARKS, "{links}: the trial is no trial: an ordinary session has {usual:?}");
        bench.ensure_clean()?;
    }
    Ok(())
}

fn setup_token(open: Open<'_>) -> anyhow::Result<()> {
    const TOKEN: &str = "sk-ant-oat01-FAKE-SETUP";
    for links in LINKS {
        let bench = open()?;
        let [_, b] = two_profiles(&bench, false)?;
        bench.give(&["login", "ci", "--token"], TOKEN)?;
        let mut session = bench.session_of(links, "ci")?;
        same("the first turn", &session.turn()?, TOKEN)?;
        let tree = bench.world.root().join("profiles/ci/runtime");
        ensure!(!tree.join(".credentials.json").exists(), "{links}: there is a second login");
        same("the second turn", &session.turn()?, TOKEN)?;
        session.close();
        until("the end of the tree", || !tree.exists())?;
        same("the live login", &live(&bench), &b.pair.to_string())?;
        same("whose home it is", &bench.identity()?, &b.account.email)?;
        bench.ensure_clean()?;
    }
    Ok(())
}

/// The server no longer takes the access token of a pair.
fn end_access(bench: &Bench, account: &Account, pair: &Pair) {
    bench.server.know(&Login::new(account, pair.clone()).expiring_at(now_ms() - 60_000));
}

fn tree(bench: &Bench) -> PathBuf {
    bench.world.root().join("profiles/a/runtime")
}

fn settings(bench: &Bench) -> serde_json::Value {
    bench.world.read_json(&bench.world.claude_dir().join("settings.json"))
}

/// The transcripts in the home.
fn transcripts(bench: &Bench) -> Vec<PathBuf> {
    let entries = |dir: PathBuf| std::fs::read_dir(dir).into_iter().flatten().flatten().map(|entry| entry.path());
    let projects = entries(bench.world.claude_dir().join("projects"));
    projects.flat_map(entries).filter(|path| path.extension().is_some_and(|kind| kind == "jsonl")).collect()
}

fn until(what: &str, is_so: impl Fn() -> bool) -> anyhow::Result<()> {
    let end = Instant::now() + PATIENCE;
    while !is_so() {
        ensure!(Instant::now() < end, "{what} does not come");
        thread::sleep(Duration::from_millis(50));
    }
    Ok(())
}
