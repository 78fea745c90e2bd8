//! A Keychain item that was left half-written, because not even what stood there could be put back.

use clauth_claude::Credentials;

use super::{Snapshot, Unfinished};
use crate::{Engine, Error};

impl Engine {
    /// Puts back what the live item held before an interrupted change, where it holds no JSON object now: half of what we
    /// wrote is nobody's login, so this decides nothing (W7). Answers whether it did.
    pub(super) fn put_back_item(&self, snapshot: &Snapshot, entry: &Unfinished) -> Result<bool, Error> {
        let Some(item) = snapshot.home.item.as_ref().filter(|_| snapshot.live.object.is_none()) else {
            return Ok(false);
        };
        // A session's item is put right when that session is looked after.
        if entry.done == "adopt" {
            return Ok(false);
        }
        let is_copy = |name: &str| name.starts_with(".item.clauth-");
        let copies =
            entry.temps.iter().filter(|path| path.file_name().and_then(|name| name.to_str()).is_some_and(is_copy));
        for path in copies {
            let Some(bytes) = self.disk.read(path)? else { continue };
            if Credentials::parse(bytes.clone()).is_ok() {
                self.disk.replace(item, &bytes, clauth_durable::Mode::Keep)?;
                (self.say)("what the Keychain held before an interrupted change was put back");
                return Ok(true);
            }
        }
        Ok(false)
    }
}
