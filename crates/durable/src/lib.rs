//! Files that survive: replace, exchange, document edit, locks, journal, safe removal.
//!
//! All effects on the disk go through one [`Vfs`], so that every one of them can be made to fail in a test. Nothing here
//! knows Claude Code.

pub mod batch;
mod copy;
mod disk;
pub mod document;
mod error;
mod items;
mod journal;
pub mod lock;
pub mod path_text;
mod reserve;
#[cfg(test)]
mod testing;
pub mod vfs;

pub use batch::{Batch, Change, CommitError, Manner, sweep};
pub use copy::{Copied, Manners};
pub use disk::{Disk, Mode, Target};
pub use document::{Document, DocumentError};
pub use error::Error;
pub use items::{Items, Trouble, item_name, item_path};
pub use journal::Journal;
pub use lock::{DirLock, FileLock, Held, Lock, LockOwner, Rules, Waiting, acquire};
pub use reserve::Reserve;
pub use vfs::{Kind, Stat, Vfs};
