//! The tree of a later version of clauth: recognised by its files, and not touched before the user has said yes.

mod adopt;
mod copy;
mod locks;
mod spent;
mod staged;
mod survey;

pub(super) use survey::Survey;
