//! Words of a server, made fit to be kept and shown.

/// The longest that a name may be.
const LONGEST: usize = 256;

/// Without control and bidirectional-override characters, and of bounded length.
pub(crate) fn clean(text: &str) -> String {
    text.trim().chars().filter(|c| !c.is_control() && !steers(*c)).take(LONGEST).collect()
}

/// A currency of ISO 4217: three letters, or nothing that is known.
pub(crate) fn currency(text: &str) -> Option<String> {
    let text = clean(text).to_uppercase();
    (text.len() == 3 && text.bytes().all(|byte| byte.is_ascii_uppercase())).then_some(text)
}

fn steers(c: char) -> bool {
    matches!(c, '\u{061c}' | '\u{200b}'..='\u{200f}' | '\u{202a}'..='\u{202e}' | '\u{2028}'..='\u{2029}'
        | '\u{2060}'..='\u{2069}' | '\u{feff}')
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn nothing_that_steers_a_terminal_stays() {
        for (name, text, expected) in [
            ("plain", " Fable ", "Fable"),
            ("an escape", "a\u{1b}[31mb", "a[31mb"),
            ("right to left", "a\u{202e}b\u{2066}c", "abc"),
            ("lines", "a\r\nb\u{2028}c", "abc"),
            ("letters of any script", "Café 日本", "Café 日本"),
        ] {
            assert_eq!(clean(text), expected, "{name}");
        }
        assert_eq!(clean(&"x".repeat(9999)).len(), LONGEST);
    }
}
