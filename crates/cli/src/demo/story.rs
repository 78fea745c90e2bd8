//! The walk through the main job, for somebody who has no account.

use std::io;

use clauth_sandbox::Account;

use super::stage::Stage;

pub(super) fn tell(stage: &mut Stage<'_>) -> io::Result<()> {
    capture(stage)?;
    switch(stage)?;
    rotation(stage)?;
    killed(stage)?;
    undo(stage)?;
    custody(stage)
}

fn capture(stage: &mut Stage<'_>) -> io::Result<()> {
    stage.step("Capture each login once, right after signing in with Claude Code itself")?;
    for (account, name) in [(Account::a(), "work"), (Account::b(), "home"), (Account::c(), "spare")] {
        stage.sign_in(&account)?;
        let captured = stage.clauth(&["capture", name])?;
        stage.check(&format!("'{name}' is captured"), captured.code == Some(0))?;
    }
    stage.runs(&["list"])?;
    let list = stage.ask(&["list", "--json"]);
    stage.check(
        "three profiles, the last one live",
        list["active"] == "spare" && list["accounts"].as_array().is_some_and(|all| all.len() == 3),
    )
}

fn switch(stage: &mut Stage<'_>) -> io::Result<()> {
    stage.step("Switch, without a browser; a running claude follows at its next request")?;
    let mut claude = stage.claude()?;
    stage.runs(&["switch", "work"])?;
    stage.check("work's login is live", stage.live() == "A1")?;
    let bearer = claude.turn();
    stage.check(&format!("the running claude sent {bearer}"), bearer == "A1")?;
    let code = claude.finish();
    stage.check("and ended as usual", code == Some(0))
}

fn rotation(stage: &mut Stage<'_>) -> io::Result<()> {
    stage.step("Claude Code renews work's tokens; the renewed login comes back after a round trip")?;
    let mut claude = stage.claude()?;
    let renewed = claude.send("refresh");
    stage.check("claude renewed its login", renewed["ok"] == true && stage.live() == "A2")?;
    let code = claude.finish();
    stage.check("and ended as usual", code == Some(0))?;
    stage.runs(&["home"])?;
    stage.check("home's login is live", stage.live() == "B1")?;
    stage.runs(&["switch", "-"])?;
    stage.check("work's renewed login is back", stage.live() == "A2")?;
    stage.check("no used-up refresh token was ever sent", !stage.harmed())
}

fn killed(stage: &mut Stage<'_>) -> io::Result<()> {
    stage.step("Kill a switch half way; the next command finishes it")?;
    stage.say("   $ clauth switch home         (killed in the middle)")?;
    let mut at = 30;
    let mut unfinished = serde_json::Value::Null;
    while unfinished.is_null() && stage.clauth_killed(&["switch", "home"], at) {
        unfinished = stage.ask(&["list", "--json"])["unfinished"].take();
        at += 3;
    }
    stage.runs(&["list"])?;
    stage.check("an interrupted switch is on record", !unfinished.is_null())?;
    let one_of_two = ["A2", "B1"].contains(&stage.live().as_str());
    stage.check("the live login is one of the two, whole", one_of_two)?;
    stage.runs(&["switch", "home"])?;
    let list = stage.ask(&["list", "--json"]);
    stage.check("it is finished, and home's login is live", list["unfinished"].is_null() && stage.live() == "B1")
}

fn undo(stage: &mut Stage<'_>) -> io::Result<()> {
    stage.step("Take the last switch back")?;
    stage.runs(&["undo"])?;
    stage.check("work's renewed login is live again", stage.live() == "A2")?;
    stage.runs(&["why", "--last", "3"])?;
    Ok(())
}

fn custody(stage: &mut Stage<'_>) -> io::Result<()> {
    stage.step("See where each login is, and who may renew it")?;
    stage.runs(&["custody"])?;
    for generation in ["A2", "B1", "C1"] {
        let copies = stage.readable_copies(generation);
        let expected = usize::from(generation == "A2");
        stage.check(
            &format!("files of Claude Code that hold {generation}'s refresh token: {copies}"),
            copies == expected,
        )?;
    }
    stage.check("nothing was revoked, nothing used twice", !stage.harmed())
}
