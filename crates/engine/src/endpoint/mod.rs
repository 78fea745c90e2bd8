//! Endpoint profiles: a base URL and a key instead of a Claude login.

mod variables;

pub(crate) use variables::DECIDES;
