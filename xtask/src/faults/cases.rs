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
}

/// Every acting command on its usual way, and a switch on its unusual ones.
pub(super) const CASES: [Case; 10] = [
    Case { name: "capture", prepare: signed_in, words: &["capture", "a"] },
    Case { name: "capture-second", prepare: second, words: &["capture", "b"] },
    Case { name: "switch", prepare: two, words: &["switch", "a"] },
    Case { name: "switch-back", prepare: switched, words: &["switch", "b"] },
    Case { name: "switch-harvest", prepare: rotated, words: &["switch", "a"] },
    Case { name: "switch-vault", prepare: stranger, words: &["switch", "a", "--yes", "--force"] },
    Case { name: "undo", prepare: switched, words: &["undo"] },
    Case { name: "rename", prepare: two, words: &["rename", "a", "c"] },
    Case { name: "bind", prepare: two, words: &["bind", "a", "."] },
    Case { name: "remove", prepare: two, words: &["remove", "a", "--yes"] },
];

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

fn stranger(play: &Play) -> anyhow::Result<()> {
    two(play)?;
    play.sign_in(&Account::c());
    Ok(())
}
