//! Strings from outside, made safe for a terminal.

/// `text` without control and bidirectional-override characters, cut after 200 characters.
#[must_use]
pub fn shown(text: &str) -> String {
    plain(text).chars().take(200).collect()
}

/// `text` without control and bidirectional-override characters.
#[must_use]
pub fn plain(text: &str) -> String {
    text.chars().filter(|c| !c.is_control() && !is_bidi(*c)).collect()
}

/// A time to the second, for people; RFC 3339 in UTC.
#[must_use]
pub fn seconds(at: jiff::Timestamp) -> String {
    at.strftime("%Y-%m-%dT%H:%M:%SZ").to_string()
}

/// The one of `words` that `typed` is most likely meant to be.
pub fn nearest<'w>(typed: &str, words: impl Iterator<Item = &'w str>) -> Option<&'w str> {
    let typed = typed.to_ascii_lowercase();
    let near = words.map(|word| (distance(&typed, &word.to_ascii_lowercase()), word)).min()?;
    (near.0 <= (typed.chars().count() / 3).max(1)).then_some(near.1)
}

fn is_bidi(c: char) -> bool {
    matches!(c, '\u{061c}' | '\u{200b}'..='\u{200f}' | '\u{202a}'..='\u{202e}' | '\u{2060}'..='\u{2069}' | '\u{feff}')
}

/// How far `a` is from `b`: the fewest insertions, deletions and replacements.
pub(crate) fn distance(a: &str, b: &str) -> usize {
    let b: Vec<char> = b.chars().collect();
    let mut row: Vec<usize> = (0..=b.len()).collect();
    for (i, x) in a.chars().enumerate() {
        let mut diagonal = row[0];
        row[0] = i + 1;
        for (j, y) in b.iter().enumerate() {
            let substitution = diagonal + usize::from(x != *y);
            diagonal = row[j + 1];
            row[j + 1] = substitution.min(row[j] + 1).min(diagonal + 1);
        }
    }
    row[b.len()]
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn nothing_that_steers_a_terminal_is_shown() {
        assert_eq!(shown("a\u{1b}[31mb\u{202e}c\nd"), "a[31mbcd");
        assert_eq!(shown(&"x".repeat(300)).len(), 200);
    }

    #[test]
    fn the_nearest_word_is_near() {
        let words = || ["switch", "list", "undo"].into_iter();
        for (typed, expected) in [("swich", Some("switch")), ("LIST", Some("list")), ("work", None), ("", None)] {
            assert_eq!(nearest(typed, words()), expected, "{typed}");
        }
    }

    #[test]
    fn distances() {
        for (a, b, expected) in [("", "abc", 3), ("work", "work", 0), ("wrok", "work", 2), ("hom", "home", 1)] {
            assert_eq!(distance(a, b), expected, "{a} {b}");
        }
    }
}
