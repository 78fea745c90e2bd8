//! Taking, waiting, staleness, theft, debris, and a race.

mod bench;
mod debris;
mod ours;
mod race;
mod stale;
mod waiting;
