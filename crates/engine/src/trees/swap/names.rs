//! Names for profiles, out of what another tool calls its accounts: made valid, and unlike every other.

use super::Row;
use crate::profile::check_name;

/// The longest name that leaves room for a number.
const ROOM: usize = 58;

/// A name for an account that none of `taken` has: its alias, else its e-mail's first part, else its number.
pub(super) fn name_for(row: &Row, taken: &[String]) -> String {
    let first = row.email.as_deref().and_then(|email| email.split('@').next()).map(str::to_owned);
    let wished = [row.alias.clone(), first].into_iter().flatten().map(|text| valid(&text));
    let base = wished.flatten().next().unwrap_or_else(|| format!("account-{}", digits(&row.slot)));
    // A command's or a device's name never becomes free by a number behind it.
    let base = if check_name(&base).is_ok() { base } else { format!("claude-{base}") };
    let free = |name: &String| check_name(name).is_ok() && !taken.iter().any(|other| other.eq_ignore_ascii_case(name));
    let numbered = (2..).map(|number| format!("{base}-{number}"));
    std::iter::once(base.clone()).chain(numbered).find(free).unwrap_or(base)
}

/// The letters of a text that a name may have; `None` when none is left.
fn valid(text: &str) -> Option<String> {
    let letters = text.trim().chars().map(|c| if c.is_ascii_alphanumeric() || "._@+-".contains(c) { c } else { '-' });
    let letters: String = letters.collect();
    let name: String = letters.trim_start_matches(|c: char| !c.is_ascii_alphanumeric()).chars().take(ROOM).collect();
    let name = name.trim_end_matches(['.', '-']);
    (!name.is_empty()).then(|| name.to_owned())
}

fn digits(slot: &str) -> String {
    let digits: String = slot.chars().filter(char::is_ascii_digit).take(9).collect();
    if digits.is_empty() { "1".to_owned() } else { digits }
}
