//! The look-up against scripted servers on loopback.
