//! Several files changed as one: what they come to, what is taken back, and what others wrote meanwhile.

mod faults;
mod meanwhile;
mod outcome;
mod set;
