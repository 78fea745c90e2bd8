//! Trees of other versions and stores of other tools: recognised, and taken over without loss.

mod adoption;
mod ask;
mod later;
mod link;
mod strays;
mod swap;
mod takeover;
mod twins;

pub use adoption::{Adoptee, Adoption, Fate};
pub use twins::Twin;
