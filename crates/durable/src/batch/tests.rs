//! Faults at every effect of a batch.
