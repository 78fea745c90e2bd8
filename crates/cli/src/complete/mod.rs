//! What a shell offers behind `clauth`, with the names of the profiles as they are.

mod answer;
mod script;
mod walk;

pub(crate) use answer::answers;
pub(crate) use script::{comment, file, line, script};
