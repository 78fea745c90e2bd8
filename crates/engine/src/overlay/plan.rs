//! From one profile's settings to another's: a pure function of the file, the record and what is wanted.

use clauth_durable::{Document, DocumentError};

use super::record::{Key, Record, same};
use super::wanted::Piece;
use crate::endpoint::{BASE_URL, HELPER, same_host};

/// What becomes of `settings.json` and of the record.
#[derive(Debug)]
pub(super) struct Outcome {
    /// The file; `None` for none.
    pub(super) document: Option<Vec<u8>>,
    /// The record while the file may be the old one or the new one.
    pub(super) during: Record,
    /// The record afterwards.
    pub(super) after: Record,
}

/// Brings the file from what `record` says that we set to what `profile` wants. A key that somebody edited since is left,
/// and is theirs.
///
/// # Errors
/// Something else than an object stands where one has to be.
pub(super) fn plan(
    stands: Option<&Document>,
    record: &Record,
    (profile, wanted): (Option<&str>, &[Piece]),
) -> Result<Outcome, DocumentError> {
    let mut planning = Planning {
        document: stands.cloned().unwrap_or_else(fresh),
        during: record.clone(),
        after: Record { profile: profile.map(str::to_owned), keys: Vec::new(), ..record.clone() },
    };
    planning.during.made_file |= stands.is_none();
    planning.after.made_file |= stands.is_none();
    for key in &record.keys {
        planning.leave(key, wanted.iter().find(|piece| piece.path == key.path))?;
    }
    for piece in wanted.iter().filter(|piece| !record.keys.iter().any(|key| key.path == piece.path)) {
        planning.enter(piece)?;
    }
    Ok(planning.outcome(stands))
}

struct Planning {
    document: Document,
    during: Record,
    after: Record,
}

impl Planning {
    /// A key that we set before.
    fn leave(&mut self, key: &Key, wanted: Option<&Piece>) -> Result<(), DocumentError> {
        if !key.is_ours(&self.document) && !self.is_own_host(key) {
            // It is the user's now; another profile's wish comes upon it as upon any other.
            self.during.keys.retain(|other| other.path != key.path);
            return wanted.map_or(Ok(()), |piece| self.enter(piece));
        }
        let path = key.path();
        let Some(piece) = wanted else {
            return match &key.before {
                // What stood there before and stands there still needs no change, however it is printed.
                Some(raw) if same(self.document.raw(&path), Some(raw)) => Ok(()),
                Some(raw) => self.document.insert_raw(&path, raw, key.next.as_deref()),
                None => {
                    self.document.remove(&path);
                    Ok(())
                }
            };
        };
        self.during.keys.iter_mut().filter(|other| other.path == key.path).for_each(|other| {
            if !other.set.contains(&piece.value) {
                other.set.push(piece.value.clone());
            }
        });
        self.after.keys.push(Key { set: vec![piece.value.clone()], ..key.clone() });
        if same(self.document.raw(&path), piece.value.as_deref()) {
            return Ok(());
        }
        self.set(piece)
    }

    /// Whether an address that was edited since still leads to the host that we set: it goes with the key for that host, or a
    /// login would be sent there (W6).
    fn is_own_host(&self, key: &Key) -> bool {
        let text = |raw: &str| serde_json::from_str::<String>(raw).ok();
        let stands = self.document.get::<String>(&["env", BASE_URL]).filter(|_| key.path() == ["env", BASE_URL]);
        let mut set = key.set.iter().flatten().filter_map(|raw| text(raw));
        stands.is_some_and(|stands| set.any(|set| same_host(&stands, &set)))
    }

    /// A key that is the user's, or is not there.
    fn enter(&mut self, piece: &Piece) -> Result<(), DocumentError> {
        let path: Vec<&str> = piece.path.iter().map(String::as_str).collect();
        let before = self.document.raw(&path).map(str::to_owned);
        let equal = same(before.as_deref(), piece.value.as_deref());
        // An endpoint that stood there by hand must not stay when a login takes its place (W6).
        let decides = path == [HELPER] || path == ["env", BASE_URL];
        if equal && before.is_none() {
            return Ok(());
        }
        let key = Key {
            next: self.document.follower(&path),
            set: vec![piece.value.clone()],
            before: before.filter(|_| !(equal && decides)),
            path: piece.path.clone(),
        };
        self.during.keys.push(key.clone());
        self.after.keys.push(key);
        if equal { Ok(()) } else { self.set(piece) }
    }

    fn set(&mut self, piece: &Piece) -> Result<(), DocumentError> {
        let path: Vec<&str> = piece.path.iter().map(String::as_str).collect();
        let Some(raw) = &piece.value else {
            self.document.remove(&path);
            return Ok(());
        };
        if path.len() > 1 && self.document.raw(&path[..1]).is_none() {
            self.document.set_raw(&path[..1], "{}")?;
            self.during.made_env = true;
            self.after.made_env = true;
        }
        self.document.set_raw(&path, raw)
    }

    fn outcome(mut self, stands: Option<&Document>) -> Outcome {
        let is_empty = |document: &Document, path: &[&str]| document.members(path).is_some_and(|all| all.is_empty());
        if self.after.made_env && is_empty(&self.document, &["env"]) {
            self.document.remove(&["env"]);
            self.after.made_env = false;
        }
        let gone = self.after.made_file && self.after.keys.is_empty() && is_empty(&self.document, &[]);
        if self.after.keys.is_empty() {
            self.after = Record::default();
        }
        let document = (!gone).then(|| self.document.into_bytes());
        // Nothing there and nothing wanted: nothing is made.
        let document = document.filter(|_| stands.is_some() || !self.after.keys.is_empty());
        Outcome { document, during: self.during, after: self.after }
    }
}

/// A new file, laid out as Claude Code lays its own out.
fn fresh() -> Document {
    let mut document = Document::parse(b"{\n  \"env\": {}\n}\n".to_vec()).unwrap_or_else(|_| Document::empty());
    document.remove(&["env"]);
    document
}

#[cfg(test)]
#[path = "plan_tests.rs"]
mod tests;
