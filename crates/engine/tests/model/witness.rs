//! Which logins are on the disk, and where: read with the sandbox's own eyes.

use std::collections::BTreeMap;
use std::path::{Path, PathBuf};

use clauth_sandbox::world::{Entry, Snapshot};
use clauth_sandbox::{Account, Pair};
use serde_json::Value;

/// Where a copy of a login lies.
#[derive(Clone, Debug, PartialEq, Eq, PartialOrd, Ord)]
pub(crate) enum Place {
    Live,
    Tree(String),
    Slot(String),
    Loan(String),
    Stage(String),
    Vault,
    /// The private directory of a sign-in that was interrupted.
    SignIn,
    /// A temporary file of a change that was interrupted.
    Temp,
}

/// A copy of a login.
#[derive(Clone, Debug)]
pub(crate) struct Copy {
    pub(crate) place: Place,
    pub(crate) path: PathBuf,
    /// The pair of its access token.
    pub(crate) pair: Pair,
    /// With its refresh token.
    pub(crate) full: bool,
    /// What is wrong with it in itself.
    pub(crate) odd: Option<String>,
}

/// Newest generations by family.
pub(crate) type Newest = BTreeMap<String, u32>;

/// Every copy of every login in a picture of a home.
pub(crate) fn copies(home: &Path, picture: &Snapshot) -> Vec<Copy> {
    let mut found = Vec::new();
    for (path, entry) in picture {
        if path.rsplit('/').next().is_some_and(|name| name.contains(".clauth-")) {
            if let Entry::File(_, bytes) = entry {
                found.extend(temps(&home.join(path), bytes));
            }
        } else if let Some((place, key)) = place(path)
            && let Some(bytes) = bytes(home, picture, entry)
        {
            found.extend(copy(place, home.join(path), (bytes, key)));
        }
    }
    found
}

/// What copies of logins a path is for, and below which key they are.
fn place(path: &str) -> Option<(Place, &'static str)> {
    if path == ".claude/.credentials.json" {
        return Some((Place::Live, ""));
    }
    let words: Vec<&str> = path.split('/').collect();
    let name = |name: &str| name.to_owned();
    Some(match words.as_slice() {
        [".clauth", "profiles", of, "credentials.json"] => (Place::Slot(name(of)), ""),
        [".clauth", "profiles", of, "loan.json"] => (Place::Loan(name(of)), "login"),
        [".clauth", "profiles", of, "refresh", "stage.json"] => (Place::Stage(name(of)), "login"),
        [".clauth", "profiles", of, "runtime", ".credentials.json"] => (Place::Tree(name(of)), ""),
        [".clauth", "vault", file] if file.ends_with(".json") => (Place::Vault, "login"),
        [".clauth", "login", _, ".credentials.json"] => (Place::SignIn, ""),
        [".clauth" | "run", file] if file.contains("renewed-") => {
            let of = file.rsplit_once("renewed-").map(|(_, of)| of.trim_end_matches(".json"))?;
            (Place::Stage(name(of)), "login")
        }
        _ => return None,
    })
}

/// A file's bytes, through a link inside the home.
fn bytes<'p>(home: &Path, picture: &'p Snapshot, entry: &'p Entry) -> Option<&'p [u8]> {
    match entry {
        Entry::File(_, bytes) => Some(bytes),
        Entry::Link(target) => match picture.get(target.strip_prefix(home).ok()?.to_str()?)? {
            Entry::File(_, bytes) => Some(bytes),
            _ => None,
        },
        Entry::Dir(_) | Entry::Other => None,
    }
}

/// The login in a document, below `key` where one is named.
fn copy(place: Place, path: PathBuf, (bytes, key): (&[u8], &str)) -> Option<Copy> {
    let document: Value = serde_json::from_slice(bytes).ok()?;
    let document = if key.is_empty() { &document } else { &document[key] };
    let text = |name: &str| document["claudeAiOauth"][name].as_str().unwrap_or_default();
    let pair = Pair::of(text("accessToken"))?;
    let refresh = Pair::of(text("refreshToken"));
    let account = Account::of_family(&pair.family);
    let organization = document["organizationUuid"].as_str();
    let odd = match (&refresh, &account, organization) {
        (Some(refresh), _, _) if *refresh != pair => Some(format!("mixes {pair} and {refresh}")),
        (_, Some(account), Some(named)) if named != account.organization_uuid => {
            Some(format!("{pair} with the organization {named}"))
        }
        _ => None,
    };
    Some(Copy { place, path, pair, full: refresh.is_some(), odd })
}

/// Logins in a temporary file, whatever its form.
fn temps(path: &Path, bytes: &[u8]) -> Vec<Copy> {
    let text = String::from_utf8_lossy(bytes);
    let tokens = text.split('"').filter(|word| word.starts_with("sk-ant-ort01-"));
    let copy = |pair| Copy { place: Place::Temp, path: path.to_owned(), pair, full: true, odd: None };
    tokens.filter_map(Pair::of).map(copy).collect()
}

pub(crate) fn list(dir: &Path) -> Vec<PathBuf> {
    let mut paths: Vec<PathBuf> = std::fs::read_dir(dir).into_iter().flatten().flatten().map(|e| e.path()).collect();
    paths.sort();
    paths
}

/// The newest generation of each family among full copies that `counts`.
pub(crate) fn newest(copies: &[Copy], counts: impl Fn(&Copy) -> bool) -> Newest {
    let mut newest = Newest::new();
    for copy in copies.iter().filter(|copy| copy.full && counts(copy)) {
        let known = newest.entry(copy.pair.family.clone()).or_default();
        *known = (*known).max(copy.pair.generation);
    }
    newest
}
