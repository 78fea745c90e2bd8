//! The wire: typed requests and answers, no policy and no disk.

mod http;
mod incidents;
mod plan;
mod profile;
mod providers;
mod proxy;
mod retry;
#[cfg(test)]
mod scripted;
#[cfg(test)]
mod tests;
mod text;
mod tls;
mod token;
mod usage;
mod watch;
mod wire;

pub use http::{Client, LookupError};
pub use incidents::Incident;
pub use plan::{plan_label, plan_of_login};
pub use profile::ProfileAnswer;
pub use providers::{Provider, ProviderAnswer, ProviderBalance};
pub use proxy::is_proxy;
pub use retry::RetryAfter;
pub use token::{CLIENT_ID, Pair, TokenError, TokenRequest, Trouble};
pub use usage::{Spend, UsageAnswer, UsageWindow};
pub use wire::{Trust, Wire};
