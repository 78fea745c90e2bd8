//! One profile as it stands on disk. One unreadable file makes one profile unreadable, never the others.

use std::ffi::OsString;
use std::path::{Path, PathBuf};

use clauth_claude::{AccountPart, Found, Login};
use clauth_durable::Disk;
use clauth_host::{Fingerprint, Secret};
use jiff::Timestamp;

use super::{AccountKey, Known, Loan, Verdict};
use crate::config::check_url;
use crate::{Error, Root, toml};

/// What kind of credential a profile has (`contract.md`).
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum ProfileKind {
    /// A signed-in Claude login.
    Claude,
    /// A base URL and a key.
    Endpoint,
    /// A long-lived setup token.
    Token,
}

impl ProfileKind {
    /// The word of `contract.md`.
    #[must_use]
    pub fn word(self) -> &'static str {
        match self {
            Self::Claude => "claude",
            Self::Endpoint => "endpoint",
            Self::Token => "token",
        }
    }
}

/// The state of a profile's login (`contract.md`).
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum State {
    /// Usable.
    Ok,
    /// The access token's time has passed; it can be renewed.
    Expired,
    /// Claude Code holds blank tokens for it.
    SignedOut,
    /// The server said that it is dead.
    Dead,
    /// The login's own end has passed.
    Lapsed,
    /// Whether it is still good is not known: a refresh was sent and its outcome never came, or a later login may have come of
    /// it (L6).
    Unknown,
    /// There is none.
    NoLogin,
    /// Its files cannot be understood.
    Unreadable,
}

impl State {
    const ALL: [(Self, &'static str); 8] = [
        (Self::Ok, "ok"),
        (Self::Expired, "expired"),
        (Self::SignedOut, "signed_out"),
        (Self::Dead, "dead"),
        (Self::Lapsed, "lapsed"),
        (Self::Unknown, "unknown"),
        (Self::NoLogin, "no_login"),
        (Self::Unreadable, "unreadable"),
    ];

    /// The word of `contract.md`.
    #[must_use]
    pub fn word(self) -> &'static str {
        Self::ALL.iter().find(|(state, _)| *state == self).map_or("unknown", |(_, word)| word)
    }

    pub(crate) fn parse(word: &str) -> Option<Self> {
        Self::ALL.iter().find(|(_, known)| *known == word).map(|(state, _)| *state)
    }
}

/// A file of a profile: absent, understood, not to be understood, or not to be read.
pub(crate) enum Content<T> {
    Absent,
    Read(T),
    Broken(PathBuf),
    Denied(PathBuf),
}

impl<T> Content<T> {
    pub(crate) fn get(&self) -> Option<&T> {
        match self {
            Self::Read(value) => Some(value),
            Self::Absent | Self::Broken(_) | Self::Denied(_) => None,
        }
    }

    fn broken(&self) -> Option<&Path> {
        match self {
            Self::Broken(path) | Self::Denied(path) => Some(path),
            Self::Absent | Self::Read(_) => None,
        }
    }
}

/// One profile.
pub(crate) struct Record {
    pub(crate) name: String,
    pub(crate) slot: Content<AccountPart>,
    pub(crate) loan: Content<Loan>,
    /// The setup token, as a login without a refresh token.
    pub(crate) token: Content<AccountPart>,
    pub(crate) identity: Option<Known>,
    pub(crate) verdict: Option<Verdict>,
    /// The machine that its login was signed in on anew, in a root that came from another one (L7).
    pub(crate) machine: Option<Fingerprint>,
    pub(crate) kind: ProfileKind,
    pub(crate) enabled: bool,
    /// Where an endpoint profile's requests go.
    pub(crate) base_url: Option<String>,
    /// The file whose `base_url` is none that `add` would take, and why.
    pub(crate) refused_url: Option<(PathBuf, &'static str)>,
    /// The key for that endpoint.
    pub(crate) key: Option<Secret>,
    /// Version 0.4.0's wish to open a usage window early.
    pub(crate) auto_start: bool,
    /// Files beside the login that stand there and cannot be understood: what they say is passed over.
    pub(crate) torn: Vec<PathBuf>,
}

impl Record {
    pub(crate) fn read(disk: &Disk, root: &Root, name: &str) -> Self {
        // Before the directory is listed: the slot is reduced after its loan was written (L2), so that whoever sees the one
        // sees the other.
        let slot = content(disk, root.slot(name), |bytes| AccountPart::parse(bytes).ok());
        let directory = root.profile(name);
        // A directory that may not be entered is one thing to be told, not one for each file.
        let barred = matches!(slot, Content::Denied(_)) && is_barred(disk, &root.slot(name));
        let slot = if barred { Content::Denied(directory.clone()) } else { slot };
        let files = if barred { Files::none(disk) } else { Files::below(disk, &directory) };
        // What stands in the place of the directory, such as a link to a disk that is not there, hides what it had.
        let hidden = files.names.is_none() && matches!(slot, Content::Absent) && disk.vfs.lstat(&directory).is_ok();
        let slot = if hidden { Content::Broken(directory.clone()) } else { slot };
        let loan = files.content(root.loan(name), Loan::read);
        let identity = files.content(root.identity(name), |bytes| Known::read(&bytes));
        let verdict = files.content(root.verdict(name), Verdict::read);
        let machine = files.content(root.machine(name), |bytes| {
            let document = clauth_durable::Document::parse(bytes).ok()?;
            Fingerprint::parse(&document.get::<String>(&["machine"])?)
        });
        let token = files.content(root.token(name), |bytes| AccountPart::parse(bytes).ok());
        let config = files.content(root.config(name), toml::parse);
        let options = files.content(root.options(name), toml::parse);
        let (base_url, key, auto_start) = config.get().map_or((None, None, false), settings);
        let refused_url = config.get().and_then(refused).map(|why| (root.config(name), why));
        let beside = [config.broken(), options.broken(), identity.broken(), verdict.broken(), machine.broken()];
        let kind = match (&token, &base_url) {
            (Content::Absent, None) => ProfileKind::Claude,
            (Content::Absent, Some(_)) => ProfileKind::Endpoint,
            _ => ProfileKind::Token,
        };
        Self {
            kind,
            key,
            base_url,
            refused_url,
            auto_start,
            token,
            torn: beside.into_iter().flatten().map(Path::to_owned).collect(),
            enabled: options.get().is_none_or(enabled),
            name: name.to_owned(),
            slot,
            loan,
            identity: identity.get().cloned(),
            verdict: verdict.get().cloned(),
            machine: machine.get().cloned(),
        }
    }

    /// The full login as last known: the loan's while it is lent, else the slot's.
    pub(crate) fn part(&self) -> Option<&AccountPart> {
        self.loan.get().map(|loan| &loan.login).or_else(|| self.slot.get())
    }

    /// The tokens of [`Self::part`].
    pub(crate) fn login(&self) -> Option<Login> {
        match self.part()?.login() {
            Found::Login(login) => Some(login),
            Found::Blank | Found::Absent | Found::Malformed => None,
        }
    }

    /// The newer sign-in that waits in the slot while the login before it is lent out (S9).
    pub(crate) fn renewed(&self) -> Option<&AccountPart> {
        let named = self.loan.get()?.renewed.as_ref()?;
        let waits = |part: &&AccountPart| match part.login() {
            Found::Login(login) => !part.is_bearer() && token_of(&login) == *named,
            Found::Blank | Found::Absent | Found::Malformed => false,
        };
        self.slot.get().filter(waits)
    }

    /// The account that it is: its loan knows it too, for when the identity is torn or gone.
    pub(crate) fn key(&self) -> Option<&AccountKey> {
        let lent = || self.loan.get()?.key.as_ref();
        self.identity.as_ref().map(|known| &known.key).or_else(lent)
    }

    pub(crate) fn lent_to(&self, home: &Path) -> bool {
        self.loan.get().is_some_and(|loan| loan.names(home))
    }

    /// The verdict, if it is about the login that the profile has now.
    pub(crate) fn standing_verdict(&self) -> Option<&Verdict> {
        let verdict = self.verdict.as_ref()?;
        (verdict.token == token_of(&self.login()?)).then_some(verdict)
    }

    /// Whether nobody can tell whether its login is lent.
    pub(crate) fn hides_loan(&self) -> bool {
        self.loan.broken().is_some() || matches!(self.slot, Content::Denied(_))
    }

    /// Whether a later login may have come of the one that it has, which nobody could confirm.
    pub(crate) fn is_doubted(&self) -> bool {
        self.standing_verdict().is_some_and(|verdict| verdict.doubted)
    }

    /// The file that cannot be understood, if one that matters is.
    pub(crate) fn broken(&self) -> Option<&Path> {
        let kept = self.loan.broken().or_else(|| self.token.broken());
        let kept = kept.or_else(|| self.slot.broken().filter(|_| self.loan.get().is_none()));
        // Without a login it may be an endpoint, whose key is in that file.
        let config = || self.torn.iter().find(|path| path.file_name().is_some_and(|name| name == "config.toml"));
        let may_be_endpoint = self.part().is_none() && matches!(self.token, Content::Absent);
        let kept = kept.or_else(|| config().filter(|_| may_be_endpoint).map(PathBuf::as_path));
        let refused = || self.refused_url.as_ref().filter(|_| may_be_endpoint || self.kind == ProfileKind::Endpoint);
        kept.or_else(|| refused().map(|(path, _)| path.as_path()))
    }

    /// Why the file `path` keeps it from being used.
    fn why_broken(&self, path: &Path) -> String {
        match &self.refused_url {
            Some((config, why)) if config == path => format!("has a base_url that is refused: {why}"),
            _ if self.is_denied(path) => "may not be read: permission denied".to_owned(),
            _ => "cannot be understood".to_owned(),
        }
    }

    /// The record of its loan, where that alone cannot be understood: a new sign-in takes its place, and a copy is kept.
    pub(crate) fn torn_loan(&self) -> Option<&Path> {
        match &self.loan {
            Content::Broken(path) if self.slot.broken().is_none() && self.token.broken().is_none() => Some(path),
            _ => None,
        }
    }

    /// What to do about a file of it that cannot be understood.
    pub(crate) fn mend(&self, path: &Path) -> String {
        let rest = "other profiles are not affected";
        match self.torn_loan() {
            Some(loan) if loan == path => {
                format!("sign in as it again, and that file is kept in the vault: clauth login {}; {rest}", self.name)
            }
            _ if self.is_denied(path) => {
                format!("make it yours and readable: chmod -R u+rwX {}; {rest}", path.display())
            }
            _ => match &self.refused_url {
                Some((config, why)) if config == path => format!("mend its base_url, which is refused: {why}; {rest}"),
                _ => format!("mend that file, or move it away; {rest}"),
            },
        }
    }

    /// Whether its login has no refresh token, so that it ends with its access token.
    pub(crate) fn is_bare(&self) -> bool {
        self.kind == ProfileKind::Claude && self.login().is_some_and(|login| login.refresh.is_none())
    }

    /// The refusal of an endpoint at an address that `add` would not take: its key goes there.
    pub(crate) fn refuse_url(&self) -> Result<(), Error> {
        match &self.refused_url {
            Some((path, _)) if self.kind == ProfileKind::Endpoint => Err(Error::broken_profile(self, path)),
            _ => Ok(()),
        }
    }

    fn is_denied(&self, path: &Path) -> bool {
        let denied = |content: &Content<AccountPart>| matches!(content, Content::Denied(other) if other == path);
        denied(&self.slot) || denied(&self.token) || matches!(&self.loan, Content::Denied(other) if other == path)
    }

    /// The state at `now`, with the reason where there is one.
    pub(crate) fn state(&self, now: Timestamp) -> (State, Option<String>) {
        if self.kind == ProfileKind::Endpoint && self.refused_url.is_none() {
            return if self.key.is_some() { (State::Ok, None) } else { (State::NoLogin, Some("it has no key".into())) };
        }
        if let Some(path) = self.broken() {
            return (State::Unreadable, Some(format!("{} {}", path.display(), self.why_broken(path))));
        }
        if self.kind == ProfileKind::Token {
            return (State::Ok, None);
        }
        let Some(part) = self.part() else { return (State::NoLogin, None) };
        let login = match part.login() {
            Found::Login(login) => login,
            Found::Blank => return (State::SignedOut, None),
            Found::Absent => return (State::NoLogin, None),
            Found::Malformed => return (State::Unreadable, Some("its login has no tokens that can be read".into())),
        };
        let verdict = self.standing_verdict();
        let reason = verdict.map(|verdict| verdict.reason.clone());
        if let Some(state) = verdict.map(|verdict| verdict.state).filter(|state| *state != State::Ok) {
            return (state, reason);
        }
        let passed = |at: Option<Timestamp>| at.is_some_and(|at| at <= now);
        if let Some(end) = login.refresh_expires_at.filter(|end| *end <= now) {
            return (State::Lapsed, Some(super::end::ended(end)));
        }
        if login.refresh.is_none() && passed(login.expires_at) {
            return (State::Lapsed, Some("its access token has ended, and it has no refresh token".into()));
        }
        let reason = reason.or_else(|| login.refresh.is_none().then(|| BARE.to_owned()));
        (if passed(login.expires_at) { State::Expired } else { State::Ok }, reason)
    }
}

/// Said of a login that nobody can renew.
const BARE: &str = "it has no refresh token, so it ends with its access token";

/// The token that a verdict on `login` is about.
pub(crate) fn token_of(login: &Login) -> Fingerprint {
    login.refresh_print().unwrap_or_else(|| login.access_print())
}

fn content<T>(disk: &Disk, path: PathBuf, parse: impl FnOnce(Vec<u8>) -> Option<T>) -> Content<T> {
    match disk.read(&path) {
        Ok(None) => Content::Absent,
        Ok(Some(bytes)) => parse(bytes).map_or(Content::Broken(path), Content::Read),
        Err(error) => Content::refused(path, &error),
    }
}

/// Whether not even what kind of file is there may be asked.
fn is_barred(disk: &Disk, path: &Path) -> bool {
    disk.vfs.lstat(path).is_err_and(|error| error.kind() == std::io::ErrorKind::PermissionDenied)
}

/// The files of one profile. Most profiles have two or three of the eight that there may be, so the directory is asked once
/// which, and the rest is not looked for.
struct Files<'a> {
    disk: &'a Disk,
    /// `None` where the directory cannot be listed: then each file tells for itself.
    names: Option<Vec<OsString>>,
}

impl<'a> Files<'a> {
    fn below(disk: &'a Disk, directory: &Path) -> Self {
        Self { disk, names: disk.vfs.read_dir(directory).ok() }
    }

    fn none(disk: &'a Disk) -> Self {
        Self { disk, names: Some(Vec::new()) }
    }

    fn may_have(&self, path: &Path) -> bool {
        let is_it = |name: &OsString| path.file_name().is_some_and(|own| own.eq_ignore_ascii_case(name));
        self.names.as_ref().is_none_or(|names| names.iter().any(is_it))
    }

    fn content<T>(&self, path: PathBuf, parse: impl FnOnce(Vec<u8>) -> Option<T>) -> Content<T> {
        if self.may_have(&path) { content(self.disk, path, parse) } else { Content::Absent }
    }
}

impl<T> Content<T> {
    fn refused(path: PathBuf, error: &clauth_durable::Error) -> Self {
        match error {
            clauth_durable::Error::Io { source, .. } if source.kind() == std::io::ErrorKind::PermissionDenied => {
                Self::Denied(path)
            }
            _ => Self::Broken(path),
        }
    }
}

/// Of `config.toml`: where an endpoint profile's requests go, its key, and whether windows open early.
fn settings(document: &toml_edit::DocumentMut) -> (Option<String>, Option<Secret>, bool) {
    let wish = ["auto_start", "kick_timer"].into_iter().find_map(|key| document.get(key)?.as_bool());
    let text = |key: &str| toml::text(document, key).filter(|text| !text.trim().is_empty());
    (text("base_url"), text("api_key").map(|key| Secret::new(key.trim())), wish.unwrap_or(false))
}

/// What speaks against its `base_url`, by hand as good as by `add`.
fn refused(document: &toml_edit::DocumentMut) -> Option<&'static str> {
    let stands = document.get("base_url")?;
    let Some(url) = stands.as_str() else { return Some("it is no text") };
    check_url(url).err().filter(|_| !url.trim().is_empty())
}

fn enabled(document: &toml_edit::DocumentMut) -> bool {
    document.get("enabled").and_then(toml_edit::Item::as_bool).unwrap_or(true)
}

impl Error {
    /// The refusal to act on a profile whose files cannot be understood.
    pub(crate) fn broken_profile(record: &Record, path: &Path) -> Self {
        Self::Unreadable {
            what: format!("the profile '{}'", record.name),
            path: path.to_owned(),
            next: record.mend(path),
        }
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_file_that_may_not_be_read_is_not_one_that_cannot_be_understood() {
        let path = PathBuf::from("credentials.json");
        let io = |kind: std::io::ErrorKind| clauth_durable::Error::Io {
            doing: "read",
            path: path.clone(),
            source: kind.into(),
        };
        let denied: Content<Loan> = Content::refused(path.clone(), &io(std::io::ErrorKind::PermissionDenied));
        assert!(matches!(denied, Content::Denied(_)));
        let broken: Content<Loan> = Content::refused(path.clone(), &io(std::io::ErrorKind::InvalidData));
        assert!(matches!(broken, Content::Broken(_)));
    }
}
