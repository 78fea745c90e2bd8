//! The machine as a value.
//!
//! Home, environment, clock, randomness and endpoints reach the rest of the house through one [`Host`],
//! made in `main`. Nothing below `main` reads the process environment or the system clock, so a test
//! describes a whole machine by building a `Host` of its own.

mod clock;
mod endpoints;
mod env;
mod machine;
mod random;
mod secret;

pub use clock::{Clock, Time};
pub use endpoints::{EndpointError, Endpoints};
pub use env::Env;
pub use machine::{Host, HostError, SANDBOX_MARKER};
pub use random::Random;
pub use secret::{Fingerprint, Secret};
