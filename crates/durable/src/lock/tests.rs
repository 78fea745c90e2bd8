//! Waiting, staleness, theft.
