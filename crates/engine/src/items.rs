//! Items as a looking command sees them: each is asked for once, since every call may put a question on the screen.

use std::collections::BTreeMap;
use std::sync::{Arc, Mutex, PoisonError};

use clauth_durable::{Items, Trouble};
use jiff::Timestamp;

type Answer = Result<Option<Vec<u8>>, Trouble>;

/// What was read of each item.
pub(crate) struct Remembered {
    items: Arc<dyn Items>,
    read: Mutex<BTreeMap<String, Answer>>,
}

impl Remembered {
    pub(crate) fn new(items: Arc<dyn Items>) -> Self {
        Self { items, read: Mutex::default() }
    }
}

impl Items for Remembered {
    fn read(&self, name: &str) -> Answer {
        let mut read = self.read.lock().unwrap_or_else(PoisonError::into_inner);
        read.entry(name.to_owned()).or_insert_with(|| self.items.read(name)).clone()
    }

    fn write(&self, _: &str, _: &[u8]) -> Result<(), Trouble> {
        Err(Trouble { why: "this command only looks".into(), next: "report this as a mistake in clauth".into() })
    }

    fn remove(&self, name: &str) -> Result<bool, Trouble> {
        self.write(name, &[]).map(|()| false)
    }

    /// Not asked for: it would be a second call.
    fn modified(&self, _: &str) -> Result<Option<Timestamp>, Trouble> {
        Ok(None)
    }
}
