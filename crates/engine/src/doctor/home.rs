//! Claude Code's home: the live login, whose it is, and whether the rest agrees with it.

use std::path::PathBuf;

use clauth_durable::{Document, Kind};

use super::Finding;
use super::examine::Seen;
use super::rules;
use crate::Engine;
use crate::owner::{Doubt, Owner};
use crate::profile::{AccountKey, Known};

/// What was seen of the home.
struct Home {
    dir: PathBuf,
    /// There is such a directory.
    stands: bool,
    credential: PathBuf,
    /// The credential is a link into our root.
    is_our_link: bool,
    /// Others may read it.
    loose: bool,
    /// Everybody may write into the directory.
    open: bool,
    /// Links at the top of the home that lead into our root.
    links: Vec<PathBuf>,
    owner: Owner,
    /// The profile of whose login only the bearer copy is there.
    bare: Option<String>,
    /// Of this profile's login there is no loan any more, which is told with the profile.
    without_loan: bool,
    /// An endpoint is used instead of the login, which the marker need not name.
    endpoint: bool,
    /// The profile that a login is lent to this home of.
    lent: Option<String>,
    state: PathBuf,
    /// The account that the state file names; an error when it cannot be read.
    named: Result<Option<AccountKey>, String>,
    /// The account of the profile whose login is live.
    account: Option<AccountKey>,
    marker: Option<String>,
    /// A change is under way, so that things may well disagree.
    unfinished: bool,
    /// A profile cannot be understood, or the list of them is gone, so that the live login may well be one's.
    doubtful: bool,
    settings: PathBuf,
    /// Why the settings cannot be understood.
    unfit: Option<String>,
}

pub(super) fn findings(engine: &Engine, seen: &Seen) -> Vec<Finding> {
    judge(&look(engine, seen))
}

fn look(engine: &Engine, seen: &Seen) -> Home {
    let (disk, snapshot) = (&engine.disk, &seen.snapshot);
    let home = &snapshot.home;
    let credential = home.credentials();
    let target = disk.target(&credential, Some(engine.root.path())).ok();
    let mode = disk.stat(&credential).ok().flatten().map_or(0, |stat| stat.mode);
    let mut links = engine.links_into_root(home).unwrap_or_default();
    links.retain(|path| *path != credential);
    let account = seen.owner.profile().and_then(|name| snapshot.record(name)?.identity.as_ref());
    let named = engine.state(snapshot).map_err(|error| error.to_string());
    Home {
        stands: disk.stat(&home.dir).is_ok_and(|stat| stat.is_some_and(|stat| stat.kind == Kind::Dir)),
        dir: home.dir.clone(),
        is_our_link: target.as_ref().is_some_and(|target| target.ours),
        loose: cfg!(unix) && mode & 0o077 != 0,
        open: cfg!(unix) && disk.stat(&home.dir).is_ok_and(|stat| stat.is_some_and(|stat| stat.mode & 0o002 != 0)),
        links,
        owner: seen.owner.clone(),
        without_loan: seen.without_loan().is_some(),
        endpoint: engine.endpoint_live(snapshot).ok().flatten().is_some(),
        bare: snapshot.live_bare().filter(|_| home.item.is_none()).map(|record| record.name.clone()),
        lent: snapshot.lent().next().map(|record| record.name.clone()),
        state: home.state.clone(),
        named: named.map(|state| state.and_then(Known::of_state).map(|known| known.key)),
        account: account.map(|known| known.key.clone()),
        marker: snapshot.roster.active.clone(),
        unfinished: snapshot.unfinished.is_some(),
        doubtful: snapshot.records.iter().any(|record| record.broken().is_some())
            || engine.lost_names().is_ok_and(|lost| !lost.is_empty()),
        settings: home.settings(),
        unfit: unfit(disk, &home.settings()),
        credential,
    }
}

/// Why the settings cannot be understood, if they cannot.
fn unfit(disk: &clauth_durable::Disk, path: &std::path::Path) -> Option<String> {
    match disk.read(path) {
        Ok(None) => None,
        Ok(Some(bytes)) if bytes.iter().all(u8::is_ascii_whitespace) => None,
        Ok(Some(bytes)) => Document::parse(bytes).err().map(|error| format!("cannot be understood: {error}")),
        Err(_) => Some("cannot be read".to_owned()),
    }
}

fn judge(home: &Home) -> Vec<Finding> {
    let mut findings = Vec::new();
    if !home.stands {
        let message = format!("there is no {}", home.dir.display());
        findings.push(Finding::new(rules::HOME_MISSING, message, "sign in with Claude Code: claude auth login"));
        return findings;
    }
    let shown = home.credential.display();
    if home.is_our_link {
        findings.push(Finding::mendable(rules::LIVE_LINK, format!("{shown} is a link into clauth's own files")));
    } else if home.loose {
        findings.push(Finding::mendable(rules::LIVE_MODES, format!("others may read {shown}")));
    }
    if home.open {
        let message = format!("everybody may write into {}", home.dir.display());
        findings.push(Finding::mendable(rules::HOME_MODES, message));
    }
    for link in &home.links {
        let message = format!("{} is a link into clauth's own files", link.display());
        findings.push(Finding::new(
            rules::HOME_LINK,
            message,
            format!("put what it leads to in its place: {}", link.display()),
        ));
    }
    if let Err(error) = &home.named {
        let message = format!("{}: {error}", home.state.display());
        let fix = "mend it, or take the newest of ~/.claude/backups";
        findings.push(Finding::new(rules::STATE_UNREADABLE, message, fix));
    }
    if let Some(why) = &home.unfit {
        let message = format!("{} {why}", home.settings.display());
        findings.push(Finding::new(rules::SETTINGS_UNREADABLE, message, "mend that file; it is JSON"));
    }
    // While a change is under way the rest may well disagree; what finishes it lets it agree.
    if !home.unfinished {
        findings.extend(of_owner(home));
    }
    findings
}

/// At most one: what follows from whose the live login is.
fn of_owner(home: &Home) -> Option<Finding> {
    let shown = home.credential.display();
    if let Some(name) = home.bare.as_ref().filter(|_| !home.is_our_link) {
        let message = format!("the login of '{name}' in {shown} has no refresh token, and nobody can renew it there");
        return Some(Finding::mendable(rules::LIVE_BARE, message));
    }
    match &home.owner {
        // What replaces the link settles who is named and marked.
        Owner::Own(_) | Owner::Successor(..) if home.is_our_link => None,
        Owner::Own(name) | Owner::Successor(name, _) => agreement(home, name),
        Owner::Rewound(name) => {
            let message = format!("the live login is an earlier one of '{name}', whose refresh token is used up");
            Some(Finding::mendable(rules::LIVE_SPENT, message))
        }
        Owner::Unknown(Doubt::Young) => None,
        Owner::Unknown(_) if home.doubtful || home.without_loan => None,
        Owner::Unreadable if home.is_our_link && home.doubtful => None,
        Owner::Unknown(_) => {
            let message = format!("the login in {shown} is proven to be nobody's");
            let fix = "keep it: clauth capture NAME; or leave it, and a switch puts it into the vault";
            Some(Finding::new(rules::LIVE_UNKNOWN, message, fix))
        }
        Owner::Unreadable => {
            let fix = "sign in again with Claude Code, or mend that file";
            Some(Finding::new(rules::LIVE_UNREADABLE, format!("{shown} cannot be understood"), fix))
        }
        Owner::Missing => home.lent.as_ref().map(|name| {
            let message = format!("'{name}' is lent to {}, where no login is", home.dir.display());
            let fix = format!("sign in there again: claude auth login; or, if it was deleted: clauth login {name}");
            Finding::new(rules::LIVE_MISSING, message, fix)
        }),
        Owner::SignedOut => home.lent.as_ref().map(|name| {
            let message = format!("Claude Code was signed out of '{name}'");
            Finding::new(rules::LOGIN_UNUSABLE, message, format!("clauth login {name}"))
        }),
    }
}

/// Whether the state file and the marker agree with the profile whose login is live.
fn agreement(home: &Home, name: &str) -> Option<Finding> {
    let differs = match (&home.named, &home.account) {
        (Ok(Some(named)), Some(account)) => named != account,
        _ => false,
    };
    if differs {
        let message =
            format!("{} names another account than that of '{name}', whose login is live", home.state.display());
        return Some(Finding::mendable(rules::IDENTITY_DIFFERS, message));
    }
    let marked = home.marker.as_deref();
    (marked != Some(name) && !home.endpoint).then(|| {
        let told = marked.map_or_else(|| "nobody".to_owned(), |marker| format!("'{marker}'"));
        Finding::mendable(rules::MARKER_DIFFERS, format!("our marker names {told}, but '{name}' is live"))
    })
}
