//! Profiles: their names, their order, and what each keeps on disk.

pub(crate) mod end;
mod identity;
mod loan;
mod name;
mod record;
mod roster;
mod verdict;

pub use identity::AccountKey;
pub(crate) use identity::Known;
pub(crate) use loan::Loan;
pub use name::{check as check_name, is_command_word};
pub use record::{ProfileKind, State};
pub(crate) use record::{Record, token_of};
pub(crate) use roster::{Roster, ambiguous};
pub(crate) use verdict::Verdict;
