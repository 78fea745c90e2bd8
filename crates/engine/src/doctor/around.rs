//! What surrounds us: variables, certificates, proxies, time zone, other tools, and the program `claude`.

use std::path::{Path, PathBuf};

use clauth_host::Env;

use super::facts::numbers;
use super::{ClaudeProgram, Finding, rules};
use crate::Engine;

/// The first version that is known to lock its credential store.
const LOCKING: [u64; 3] = [2, 1, 211];

/// Programs that write the same login, by the directories that they keep below the home (or below `XDG_DATA_HOME` for the
/// first), and by the names of their processes.
const TOOLS: &[(&str, &[&str], &[&str])] = &[
    ("claude-swap", &[".local/share/claude-swap", ".claude-swap-backup"], &["cswap", "claude-swap"]),
    ("cc-switch", &[".cc-switch"], &["cc-switch", "CCSwitcher"]),
    ("ccs", &[".ccs"], &["ccs"]),
];

/// Variables that name certificates.
const CERTIFICATES: [&str; 3] = ["SSL_CERT_FILE", "SSL_CERT_DIR", "NODE_EXTRA_CA_CERTS"];

/// Variables that name proxies.
const PROXIES: [&str; 5] = ["HTTPS_PROXY", "https_proxy", "ALL_PROXY", "all_proxy", "http_proxy"];

/// What was seen around us.
pub(super) struct Around {
    /// What outranks the saved login.
    overrides: Vec<String>,
    /// Variables that change where requests go or what is seen.
    variables: Vec<&'static str>,
    /// `TZ`, where it names nothing.
    zone: Option<String>,
    /// Certificates that cannot be read, by their variable.
    certificates: Vec<(&'static str, PathBuf)>,
    /// Proxies that cannot be used, by their variable.
    proxies: Vec<&'static str>,
    /// Other tools, and how they were seen.
    tools: Vec<(&'static str, String)>,
}

pub(super) fn look(engine: &Engine) -> Around {
    let env = &engine.host.env;
    let home = engine.home().ok();
    let mut overrides = home.map(|home| engine.overrides(&home)).unwrap_or_default();
    // Without the record, which is told by itself, ours are not told from the user's.
    if engine.applied().is_err() {
        overrides.retain(|over| !matches!(over, clauth_claude::Override::Setting { .. }));
    }
    let mut variables = engine.host.endpoints.replaced.clone();
    // Elsewhere they are not honoured.
    let sandboxed = ["CLAUTH_NOW", "CLAUTH_SECURITY", "CLAUTH_CRASH_AT"];
    variables.extend(sandboxed.into_iter().filter(|name| engine.host.sandbox && env.get(name).is_some()));
    let readable = |path: &Path| engine.disk.stat(path).is_ok_and(|stat| stat.is_some());
    let missing = |name: &'static str| {
        let named = env.path(name)?;
        // Directories of certificates may be several.
        let any = readable(&named) || std::env::split_paths(&named).any(|path| readable(&path));
        (!any).then_some((name, named))
    };
    Around {
        overrides: overrides.iter().map(clauth_claude::Override::name).collect(),
        variables,
        zone: env.text("TZ").filter(|name| !is_zone(name)).map(crate::text::shown),
        certificates: CERTIFICATES.into_iter().filter_map(missing).collect(),
        proxies: PROXIES.into_iter().filter(|name| is_unusable(env, name)).collect(),
        tools: tools(engine),
    }
}

pub(super) fn findings(around: &Around, no_claude: Option<&str>, claude: Option<&ClaudeProgram>) -> Vec<Finding> {
    let mut findings = Vec::new();
    for name in &around.overrides {
        let message = format!("{name} outranks the saved login: while it is set, switching has no effect there");
        findings.push(Finding::new(rules::OVERRIDE, message, format!("take it away: {name}")));
    }
    for name in &around.variables {
        let message = format!("{name} is set");
        findings.push(Finding::new(rules::VARIABLE, message, format!("unset {name}, unless this is a test")));
    }
    if let Some(zone) = &around.zone {
        let message = format!("TZ is '{zone}', which names no time zone");
        findings.push(Finding::new(rules::ZONE_UNKNOWN, message, "unset TZ, or name one such as Europe/Berlin"));
    }
    for (name, path) in &around.certificates {
        let message = format!("{name} names {}, which cannot be read", path.display());
        findings.push(Finding::new(rules::CA_MISSING, message, format!("set {name} right, or unset it")));
    }
    for name in &around.proxies {
        let message = format!("{name} is no address of a proxy that can be used");
        findings.push(Finding::new(rules::PROXY_UNUSABLE, message, format!("{name}=http://HOST:PORT, or unset it")));
    }
    for (name, how) in &around.tools {
        let message = format!("{name} writes Claude Code's login too: {how}");
        findings.push(Finding::new(
            rules::OTHER_TOOL,
            message,
            format!("use only one of the two; see that {name} does not run"),
        ));
    }
    findings.extend(no_claude.map(|why| {
        Finding::new(
            rules::CLAUDE_MISSING,
            why,
            "install Claude Code, or say where it is: CLAUTH_CLAUDE=/path/to/claude",
        )
    }));
    findings.extend(claude.and_then(old));
    findings
}

/// A version that does not lock its credential store; one that cannot be read tells nothing.
fn old(claude: &ClaudeProgram) -> Option<Finding> {
    let version = claude.version.as_deref()?;
    let is_old = numbers(version)?.as_slice() < &LOCKING[..];
    is_old.then(|| {
        let message = format!("Claude Code {version} may not lock its login while it writes it");
        Finding::new(rules::CLAUDE_OLD, message, "bring it up to date: claude update")
    })
}

fn is_zone(name: &str) -> bool {
    let name = name.trim_start_matches(':');
    // A path, as some systems set it, is the system's own matter; so are rules such as CET-1CEST.
    name.starts_with('/') || jiff::tz::TimeZone::get(name).is_ok() || jiff::tz::TimeZone::posix(name).is_ok()
}

/// Whether a variable is set to something that no request can go through.
fn is_unusable(env: &Env, name: &str) -> bool {
    env.get(name).is_some_and(|value| value.to_str().is_none_or(|address| !clauth_anthropic::is_proxy(address)))
}

fn tools(engine: &Engine) -> Vec<(&'static str, String)> {
    let running = processes(engine);
    let data = engine.host.env.path("XDG_DATA_HOME").filter(|path| path.is_absolute());
    let mut found = Vec::new();
    for (name, dirs, programs) in TOOLS {
        if let Some(program) = programs.iter().find(|program| running.iter().any(|one| one == **program)) {
            found.push((*name, format!("{program} is running")));
            continue;
        }
        let moved = data.iter().map(|data| data.join(name));
        let mut places = dirs.iter().map(|dir| engine.host.home.join(dir)).chain(moved);
        if let Some(dir) = places.find(|dir| engine.disk.stat(dir).is_ok_and(|stat| stat.is_some())) {
            found.push((*name, format!("it keeps {}", dir.display())));
        }
    }
    found
}

/// The names of this user's programs, where the system shows them.
fn processes(engine: &Engine) -> Vec<String> {
    let proc = Path::new("/proc");
    let names = engine.disk.list(proc).unwrap_or_default();
    let pids = names.iter().filter(|name| name.to_str().is_some_and(|name| name.parse::<u32>().is_ok()));
    let name = |pid: &std::ffi::OsString| {
        // Only of one's own processes can be told where they stand.
        engine.disk.vfs.read_link(&proc.join(pid).join("cwd")).ok()?;
        let bytes = engine.disk.vfs.read(&proc.join(pid).join("comm"), 4096).ok()?;
        Some(String::from_utf8_lossy(&bytes).trim().to_owned())
    };
    pids.filter_map(name).collect()
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn only_a_version_that_is_known_to_be_old_is_told() {
        for (name, version, expected) in [
            ("new", Some("2.1.330"), false),
            ("the first that locks", Some("2.1.211"), false),
            ("old", Some("2.1.210"), true),
            ("very old", Some("1.0"), true),
            ("unknown", None, false),
            ("no version", Some("latest"), false),
        ] {
            let claude = ClaudeProgram { path: "/c".into(), version: version.map(str::to_owned) };
            assert_eq!(old(&claude).is_some(), expected, "{name}");
        }
    }

    #[test]
    fn time_zones_are_told_from_what_is_none() {
        for (name, expected) in
            [("Europe/Berlin", true), (":UTC", true), ("CET-1CEST,M3.5.0,M10.5.0/3", true), ("Mars/Base", false)]
        {
            assert_eq!(is_zone(name), expected, "{name}");
        }
    }
}
