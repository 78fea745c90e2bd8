//! What a profile sets in Claude Code's `settings.json` while it is active: an endpoint and its key's helper, `[env]` and
//! `[models]`. What stood there is remembered in `applied.json` and put back to the letter.

mod act;
mod live;
mod plan;
mod record;
mod session;
mod wanted;

pub(crate) use live::ours_in;
pub(crate) use record::{LeftEndpoint, Record as Applied};
pub(crate) use session::Hidden;
pub(crate) use wanted::Piece;
use wanted::Wanted;
