//! A pair that came back and is not yet in its place: in memory, in the stage file, or wherever else it found room (R5).

use std::path::{Path, PathBuf};

use clauth_anthropic::Pair;
use clauth_claude::{AccountPart, Found, Login, Renewal};
use clauth_durable::{Disk, Document};
use clauth_host::Fingerprint;
use jiff::{SignedDuration, Timestamp};

use crate::Engine;
use crate::profile::check_name;

/// The room that the stage file takes beforehand.
pub(super) const ROOM: usize = 16 << 10;

/// A new pair, with what it came from.
#[derive(Clone)]
pub(crate) struct Staged {
    /// The profile.
    pub(super) name: String,
    /// The refresh token that was sent.
    pub(super) sent: Fingerprint,
    /// How often it was sent.
    pub(super) sends: u32,
    /// The whole login with the new pair in it.
    pub(super) login: AccountPart,
}

/// How long an access token works whose end is not told: as long as all others (facts §3.2). Were it taken for ended, each
/// use would spend a refresh token; one that ends sooner is refused, and renewed then.
const USUAL: SignedDuration = SignedDuration::from_hours(8);

impl Staged {
    /// `pair` in the login that was sent.
    pub(super) fn of(name: &str, from: &AccountPart, pair: &Pair, sends: u32, now: Timestamp) -> Option<Self> {
        let after = |time: std::time::Duration| now.checked_add(SignedDuration::try_from(time).ok()?).ok();
        let renewal = Renewal {
            access: pair.access.clone(),
            refresh: pair.refresh.clone(),
            expires_at: pair.expires_in.and_then(after).or_else(|| now.checked_add(USUAL).ok()).unwrap_or(now),
            refresh_expires_at: pair.login_expires_in.and_then(after),
            scopes: pair.scopes.clone(),
        };
        let sent = tokens(from)?.refresh_print()?;
        Some(Self { name: name.to_owned(), sent, sends, login: from.renewed(&renewal).ok()? })
    }

    pub(super) fn bytes(&self) -> Vec<u8> {
        let head = serde_json::json!({
            "schema": 1, "profile": self.name, "sent": self.sent.full(), "sends": self.sends,
        });
        crate::json::with_raw(&head, "login", String::from_utf8_lossy(self.login.bytes()).trim())
    }

    /// `None` for blanks, for half an answer, and for anything else that is none.
    pub(super) fn read(disk: &Disk, path: &Path) -> Result<Option<Self>, clauth_durable::Error> {
        Ok(disk.read(path)?.and_then(Self::parse))
    }

    fn parse(bytes: Vec<u8>) -> Option<Self> {
        let document = Document::parse(bytes).ok()?;
        let login = AccountPart::parse(document.raw(&["login"])?.as_bytes().to_vec()).ok()?;
        tokens(&login)?;
        Some(Self {
            name: document.get(&["profile"])?,
            sent: Fingerprint::parse(&document.get::<String>(&["sent"])?)?,
            sends: document.get(&["sends"]).unwrap_or(1),
            login,
        })
    }

    /// The fingerprint of the new access token, which every refresh changes.
    pub(super) fn access(&self) -> Option<Fingerprint> {
        tokens(&self.login).map(|login| login.access_print())
    }

    /// Whether `part` is what was sent.
    pub(super) fn replaces(&self, part: &AccountPart) -> bool {
        tokens(part).is_some_and(|login| login.refresh_print().as_ref() == Some(&self.sent)) && !self.is(part)
    }

    /// Whether `part` is what was sent, or what came back.
    pub(crate) fn concerns(&self, part: &AccountPart) -> bool {
        self.replaces(part) || self.is(part)
    }

    /// Whether `part` is the new pair.
    pub(super) fn is(&self, part: &AccountPart) -> bool {
        tokens(part).map(|login| login.access_print()) == self.access()
    }
}

/// The tokens of a part.
pub(super) fn tokens(part: &AccountPart) -> Option<Login> {
    match part.login() {
        Found::Login(login) => Some(login),
        Found::Blank | Found::Absent | Found::Malformed => None,
    }
}

impl Engine {
    /// The stage file of a profile.
    pub(super) fn stage(&self, name: &str) -> PathBuf {
        self.root.refresh(name).join("stage.json")
    }

    /// Where a pair goes that the stage file did not take: our root, and the user's runtime directory, which is another
    /// file system.
    pub(super) fn refuges(&self, name: &str) -> Vec<PathBuf> {
        let root = self.root.path().join(format!("renewed-{name}.json"));
        let print = Fingerprint::of(self.root.path().as_os_str().as_encoded_bytes());
        let runtime = self.host.env.path("XDG_RUNTIME_DIR").filter(|dir| dir.is_absolute());
        let runtime = runtime.map(|dir| dir.join(format!("clauth-{}-renewed-{name}.json", print.short())));
        std::iter::once(root).chain(runtime).collect()
    }

    /// Every place where a pair of `name` may lie that is not yet where it belongs.
    pub(super) fn stages(&self, name: &str) -> Vec<PathBuf> {
        std::iter::once(self.stage(name)).chain(self.refuges(name)).collect()
    }

    /// The copies of pairs that are not yet in their place.
    pub(crate) fn staged_copies(&self, name: &str) -> Vec<(PathBuf, AccountPart)> {
        let read = |path: PathBuf| Some((Staged::read(&self.disk, &path).ok()??.login, path));
        self.stages(name).into_iter().filter_map(read).map(|(login, path)| (path, login)).collect()
    }

    /// Whose pair a refuge holds, by its name.
    pub(super) fn guests(&self) -> Vec<String> {
        let names = self.disk.list(self.root.path()).unwrap_or_default();
        let mut guests: Vec<String> = names
            .iter()
            .filter_map(|name| name.to_str()?.strip_prefix("renewed-")?.strip_suffix(".json").map(str::to_owned))
            .collect();
        if let Some(dir) = self.host.env.path("XDG_RUNTIME_DIR").filter(|dir| dir.is_absolute()) {
            let print = Fingerprint::of(self.root.path().as_os_str().as_encoded_bytes());
            let prefix = format!("clauth-{}-renewed-", print.short());
            let names = self.disk.list(&dir).unwrap_or_default();
            guests.extend(
                names
                    .iter()
                    .filter_map(|name| name.to_str()?.strip_prefix(&prefix)?.strip_suffix(".json").map(str::to_owned)),
            );
        }
        guests.retain(|name| check_name(name).is_ok());
        guests
    }
}
