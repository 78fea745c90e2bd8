//! The commands that are swept, and the home that each begins in.

use clauth_sandbox::Account;

use super::play::Play;

/// One command and its home.
pub(super) struct Case {
    pub(super) name: &'static str,
    /// Makes the home.
    pub(super) prepare: fn(&Play) -> anyhow::Result<()>,
    /// The command's words.
    pub(super) words: &'static [&'static str],
    /// What `CLAUTH_LINKS` says.
    pub(super) links: &'static str,
    /// Threads or programs of its own write beside it, whose operations come in no order.
    pub(super) beside: bool,
}

const fn alone(name: &'static str, prepare: fn(&Play) -> anyhow::Result<()>, words: &'static [&'static str]) -> Case {
    Case { name, prepare, words, links: "real", beside: false }
}

const fn session(name: &'static str, prepare: fn(&Play) -> anyhow::Result<()>, links: &'static str) -> Case {
    Case { name, prepare, words: &["start", "a"], links, beside: true }
}

/// Every acting command on its usual way, and a switch on its unusual ones.
pub(super) const CASES: [Case; 14] = [
    alone("capture", signed_in, &["capture", "a"]),
    alone("capture-second", second, &["capture", "b"]),
    alone("switch", two, &["switch", "a"]),
    alone("switch-back", switched, &["switch", "b"]),
    alone("switch-harvest", rotated, &["switch", "a"]),
    alone("switch-vault", stranger, &["switch", "a", "--yes", "--force"]),
    alone("undo", switched, &["undo"]),
    alone("rename", two, &["rename", "a", "c"]),
    alone("bind", two, &["bind", "a", "."]),
    alone("remove", two, &["remove", "a", "--yes"]),
    alone("recover", interrupted, &["order", "a", "1"]),
    session("start", with_claude, "real"),
    session("start-working", with_busy_claude, "real"),
    session("start-working-on-a-copy", with_busy_claude, "copy"),
];

/// A session's `claude` that writes what one writes: a file of its own, and another model.
const BUSY: &str = r#"#!/bin/sh
cd "$CLAUDE_CONFIG_DIR" || exit 1
echo mine > notes.md
sed s/opus/haiku/ settings.json > settings.json.tmp.1 && mv settings.json.tmp.1 settings.json
"#;

fn with_claude(play: &Play) -> anyhow::Result<()> {
    two(play)?;
    play.put_claude("#!/bin/sh\n")
}

fn with_busy_claude(play: &Play) -> anyhow::Result<()> {
    two(play)?;
    play.put_claude(BUSY)
}

fn signed_in(play: &Play) -> anyhow::Result<()> {
    play.sign_in(&Account::a());
    Ok(())
}

fn second(play: &Play) -> anyhow::Result<()> {
    signed_in(play)?;
    play.must(&["capture", "a"])?;
    play.sign_in(&Account::b());
    Ok(())
}

fn two(play: &Play) -> anyhow::Result<()> {
    second(play)?;
    play.must(&["capture", "b"])
}

fn switched(play: &Play) -> anyhow::Result<()> {
    two(play)?;
    play.must(&["switch", "a"])
}

fn rotated(play: &Play) -> anyhow::Result<()> {
    two(play)?;
    play.world.claude().rotate_offline();
    Ok(())
}

/// A switch that was killed right after the credential was swapped in.
fn interrupted(play: &Play) -> anyhow::Result<()> {
    rotated(play)?;
    play.crash(&["switch", "a"], || play.world.live() == "A1")
}

fn stranger(play: &Play) -> anyhow::Result<()> {
    two(play)?;
    play.sign_in(&Account::c());
    Ok(())
}
