//! Taking, waiting, staleness, theft, debris, who lives, and a race.

mod bench;
mod debris;
mod ours;
mod process;
mod race;
mod stale;
mod waiting;
