//! Random text for names and ids. Nothing here is a secret, so the standard library's hash seeds are enough.

use std::hash::{BuildHasher, RandomState};

/// `digits` hexadecimal digits.
pub(crate) fn hex(digits: usize) -> String {
    let words = std::iter::repeat_with(|| format!("{:016x}", RandomState::new().hash_one(0)));
    let mut text: String = words.take(digits.div_ceil(16)).collect();
    text.truncate(digits);
    text
}

/// A random UUID, version 4.
pub(crate) fn uuid() -> String {
    let hex = hex(32);
    format!("{}-{}-4{}-8{}-{}", &hex[..8], &hex[8..12], &hex[13..16], &hex[17..20], &hex[20..])
}

/// A number below `bound`, or 0.
pub(crate) fn below(bound: u64) -> u64 {
    RandomState::new().hash_one(bound).checked_rem(bound).unwrap_or(0)
}
