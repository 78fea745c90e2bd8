//! `clauth doctor`.

use clauth_engine::{Examination, Facts, Finding, Kind, Mended, Severity};
use serde_json::{Value, json};

use super::Call;
use crate::child::find;
use crate::failure::Failure;
use crate::ui::{BAD, FAINT, GOOD, TITLE, WARN, paint, plain};

/// Examine everything that a login depends on, and mend it.
#[derive(clap::Args)]
#[command(after_help = "Looks only: it writes nothing, opens no socket and runs no program. A healthy\n\
    home has no finding; with an error among them it ends with 1. --fix mends what\n\
    can be mended without deciding for you. Each finding is in docs/doctor.md.\n\nExample: clauth doctor")]
pub(crate) struct Args {
    /// Mend what can be mended
    #[arg(long)]
    fix: bool,
}

pub(super) fn run(args: &Args, call: &Call<'_>) -> Result<(), Failure> {
    let found = find(&call.engine.host);
    let why = found.as_ref().err().map(Failure::message).unwrap_or_default().to_owned();
    let claude = found.as_deref().map_err(|_| why.as_str());
    let (examination, mended) = if args.fix {
        let done = call.engine.mend(claude, &|question| call.ui.confirms(question));
        (done.after.clone(), Some(done))
    } else {
        (call.engine.examine(claude), None)
    };
    if call.ui.json {
        call.ui.document(&document(&examination, mended.as_ref()))?;
    } else {
        call.ui.print(&text(&examination, mended.as_ref()))?;
        mended.iter().flat_map(|done| &done.refused).for_each(|why| call.ui.warn(why));
    }
    if examination.has_error() {
        return Err(Failure::new(Kind::Internal, "there is an error among the findings", "doctor", &[]).reported());
    }
    Ok(())
}

fn document(examination: &Examination, mended: Option<&Mended>) -> Value {
    let facts = &examination.facts;
    let claude = facts
        .claude
        .as_ref()
        .map(|claude| json!({"path": claude.path.display().to_string(), "version": claude.version}));
    let mut document = json!({
        "schema": 1, "ok": !examination.has_error(),
        "findings": examination.findings.iter().map(finding).collect::<Vec<_>>(),
        "facts": {
            "config_home": facts.config_home.as_ref().map(|path| path.display().to_string()),
            "credential_store": facts.credential_store,
            "claude": claude,
            "endpoints": {"api": facts.api, "token": facts.token, "status": facts.status, "providers": facts.providers},
            "links": facts.links,
            "root": facts.root.display().to_string(),
            "live": {"profile": facts.live, "proof": facts.proof},
            "zone": facts.zone,
            "network": facts.network,
            "version": env!("CARGO_PKG_VERSION"),
            "assumptions_shown_on": clauth_engine::SHOWN_ON,
        },
    });
    if let Some(mended) = mended {
        document["mended"] = mended.mended.iter().map(finding).collect();
        document["refused"] = mended.refused.iter().map(|why| plain(why)).collect();
    }
    document
}

fn finding(finding: &Finding) -> Value {
    json!({
        "id": finding.rule.id, "severity": finding.rule.severity.word(), "message": finding.message, "fix": finding.fix,
    })
}

fn text(examination: &Examination, mended: Option<&Mended>) -> String {
    let mut lines = vec![facts(&examination.facts).trim_end().to_owned()];
    for one in mended.iter().flat_map(|done| &done.mended) {
        lines.push(format!("{} {}: {}", paint(GOOD, "mended "), one.rule.id, plain(&one.message)));
    }
    for one in &examination.findings {
        let style = match one.rule.severity {
            Severity::Error => BAD,
            Severity::Warning => WARN,
            Severity::Info => FAINT,
        };
        let word = paint(style, &format!("{:<7}", one.rule.severity.word()));
        lines.push(format!("{word} {}: {}", one.rule.id, plain(&one.message)));
        lines.extend(one.fix.iter().map(|fix| format!("        {} {}", paint(FAINT, "next:"), plain(fix))));
    }
    if examination.findings.is_empty() {
        lines.push(paint(GOOD, "nothing is wrong"));
    }
    lines.join("\n") + "\n"
}

/// How things are, a line each.
fn facts(facts: &Facts) -> String {
    let path = |path: &std::path::Path| path.display().to_string();
    let claude = facts.claude.as_ref().map_or_else(
        || "not found".to_owned(),
        |claude| format!("{}, {}", claude.version.as_deref().unwrap_or("version unknown"), path(&claude.path)),
    );
    let live = facts.live.as_ref().map_or_else(|| "no profile's".to_owned(), |name| format!("'{name}'"));
    let network = if facts.network.is_empty() { String::new() } else { format!("; by {}", facts.network.join(", ")) };
    let rows = [
        (
            "clauth",
            format!("{}, {} (a newer release is looked for by hand)", env!("CARGO_PKG_VERSION"), path(&facts.root)),
        ),
        ("claude", claude),
        ("home", facts.config_home.as_deref().map_or_else(|| "refused".to_owned(), path)),
        ("login", format!("{live}: {} ({})", facts.proof, facts.credential_store)),
        ("asks", format!("{}, {}{network}", facts.api, facts.token)),
        ("time", format!("zone {}", facts.zone)),
        (
            "assumes",
            format!("what was shown on Claude Code {} (docs/decisions/assumptions.md)", clauth_engine::SHOWN_ON),
        ),
    ];
    rows.iter().map(|(label, value)| format!("{} {}\n", paint(TITLE, &format!("{label:<7}")), plain(value))).collect()
}
