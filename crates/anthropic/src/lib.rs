//! The wire: typed requests and answers, no policy and no disk.

mod http;
mod plan;
mod profile;
mod proxy;
#[cfg(test)]
mod scripted;
#[cfg(test)]
mod tests;
mod token;
mod watch;

pub use http::{Client, LookupError};
pub use plan::{plan_label, plan_of_login};
pub use profile::ProfileAnswer;
pub use token::{CLIENT_ID, Pair, TokenError, TokenRequest, Trouble};
