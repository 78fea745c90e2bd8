//! A light reader of Rust text: what is code, and where functions and attributes begin and end.
//!
//! It knows comments, strings, characters and brackets, and no grammar beyond them.

/// `text` with comments, strings and characters blanked out; every other byte and every line stays in place.
pub(super) fn mask(text: &str) -> String {
    let bytes = text.as_bytes();
    let mut code = bytes.to_vec();
    let mut at = 0;
    while at < bytes.len() {
        let end = opaque_end(bytes, at);
        for byte in &mut code[at..end] {
            if *byte != b'\n' {
                *byte = b' ';
            }
        }
        at = end.max(at + 1);
    }
    String::from_utf8_lossy(&code).into_owned()
}

/// The end of the comment, string or character that begins at `at`; `at` itself where none does.
fn opaque_end(bytes: &[u8], at: usize) -> usize {
    let rest = &bytes[at..];
    let length = match rest {
        [b'/', b'/', ..] => position(rest, b"\n", 0),
        [b'/', b'*', ..] => block_comment(rest),
        [b'"', ..] => quoted(rest, b'"'),
        [b'\'', b'\\', ..] => quoted(rest, b'\''),
        [b'\'', ..] => character(rest),
        [b'r' | b'b' | b'c', ..] if at == 0 || !is_word(bytes[at - 1]) => raw_string(rest),
        _ => 0,
    };
    at + length
}

fn block_comment(rest: &[u8]) -> usize {
    let (mut depth, mut at) = (0, 0);
    while at < rest.len() {
        match &rest[at..] {
            [b'/', b'*', ..] => (depth, at) = (depth + 1, at + 2),
            [b'*', b'/', ..] => (depth, at) = (depth - 1, at + 2),
            _ => at += 1,
        }
        if depth == 0 {
            break;
        }
    }
    at
}

fn quoted(rest: &[u8], quote: u8) -> usize {
    let mut at = 1;
    while at < rest.len() && rest[at] != quote {
        at += if rest[at] == b'\\' { 2 } else { 1 };
    }
    rest.len().min(at + 1)
}

/// The length of `'x'`; 0 for a lifetime.
fn character(rest: &[u8]) -> usize {
    let width = match rest.get(1) {
        None | Some(b'\'') => return 0,
        Some(0x00..=0x7f) => 1,
        Some(0x80..=0xdf) => 2,
        Some(0xe0..=0xef) => 3,
        Some(_) => 4,
    };
    if rest.get(1 + width) == Some(&b'\'') { width + 2 } else { 0 }
}

fn raw_string(rest: &[u8]) -> usize {
    let prefix = rest.iter().take_while(|byte| matches!(byte, b'b' | b'c')).count();
    if prefix > 1 || rest.get(prefix) != Some(&b'r') {
        return 0;
    }
    let hashes = rest[prefix + 1..].iter().take_while(|byte| **byte == b'#').count();
    let open = prefix + 1 + hashes;
    if rest.get(open) != Some(&b'"') {
        return 0;
    }
    let close = [b"\"".as_slice(), &vec![b'#'; hashes]].concat();
    rest.len().min(position(rest, &close, open + 1) + close.len())
}

fn position(bytes: &[u8], needle: &[u8], from: usize) -> usize {
    let found = bytes[from..].windows(needle.len()).position(|window| window == needle);
    found.map_or(bytes.len(), |offset| from + offset)
}

fn is_word(byte: u8) -> bool {
    byte.is_ascii_alphanumeric() || byte == b'_'
}

/// The line, from 1, of the byte at `at`.
pub(super) fn line_of(text: &str, at: usize) -> usize {
    text.as_bytes()[..at].iter().filter(|byte| **byte == b'\n').count() + 1
}

/// Where `word` stands as a whole word.
pub(super) fn words<'a>(code: &'a str, word: &'a str) -> impl Iterator<Item = usize> + 'a {
    let bytes = code.as_bytes();
    code.match_indices(word).map(|(at, _)| at).filter(move |&at| {
        let before = at.checked_sub(1).is_none_or(|before| !is_word(bytes[before]));
        before && bytes.get(at + word.len()).is_none_or(|after| !is_word(*after))
    })
}

/// The end (behind the closing bracket) of the bracketed stretch that opens at `open`.
pub(super) fn closing(code: &str, open: usize) -> usize {
    let mut depth = 0_usize;
    for (offset, byte) in code.as_bytes()[open..].iter().enumerate() {
        match byte {
            b'{' | b'(' | b'[' => depth += 1,
            b'}' | b')' | b']' => depth = depth.saturating_sub(1),
            _ => {}
        }
        if depth == 0 {
            return open + offset + 1;
        }
    }
    code.len()
}

/// A function with a body.
#[derive(Debug, PartialEq, Eq)]
pub(super) struct Function<'a> {
    /// Its name.
    pub(super) name: &'a str,
    /// The line of its `fn`.
    pub(super) line: usize,
    /// Lines from its `fn` to its closing brace.
    pub(super) lines: usize,
}

/// Every function with a body in masked `code`, nested ones too.
pub(super) fn functions(code: &str) -> Vec<Function<'_>> {
    words(code, "fn").filter_map(|at| function(code, at)).collect()
}

fn function(code: &str, at: usize) -> Option<Function<'_>> {
    let name = identifier(code, at + 2)?;
    let mut open = at;
    loop {
        match code.as_bytes().get(open)? {
            b';' => return None,
            b'{' => break,
            b'(' | b'[' => open = closing(code, open),
            _ => open += 1,
        }
    }
    let (line, last) = (line_of(code, at), line_of(code, closing(code, open) - 1));
    Some(Function { name, line, lines: last - line + 1 })
}

/// The identifier that follows the spaces at `at`, if one does.
pub(super) fn identifier(code: &str, at: usize) -> Option<&str> {
    let rest = code[at..].trim_start();
    let length = rest.bytes().take_while(|byte| is_word(*byte)).count();
    (length > 0).then(|| &rest[..length])
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn only_code_is_left() {
        let rows = [
            ("line comment", "a // fn {\nb", "a        \nb"),
            ("nested comment", "a /* { /* x */ { */ b", "a                   b"),
            ("string", r#"a "fn \" {" b"#, "a           b"),
            ("raw string", r##"a r#"fn " {"# b"##, "a             b"),
            ("byte raw string", r#"br"{\" {"#, "        {"),
            ("raw identifier", "r#fn {", "r#fn {"),
            ("character", "'{' '\\'' 'ä' {", "              {"),
            ("lifetime", "fn a<'x>(b: &'x str) {", "fn a<'x>(b: &'x str) {"),
            ("word that ends in r", "for\"{\" {", "for    {"),
        ];
        for (name, text, expected) in rows {
            let masked = mask(text);
            assert_eq!(
                masked.split_whitespace().collect::<Vec<_>>(),
                expected.split_whitespace().collect::<Vec<_>>(),
                "{name}"
            );
            assert_eq!(masked.len(), text.len(), "{name}");
        }
    }

    #[test]
    fn functions_are_measured() {
        let text = "trait T { fn declared(&self); }\n\
                    const P: fn(u8) = one;\n\
                    fn one(a: [u8; 4]) -> u8 {\n  match a { _ => 1 }\n}\n\
                    impl X {\n  pub fn two() {\n    fn inner() {}\n  }\n}\n";
        let found: Vec<_> = functions(text).into_iter().map(|f| (f.name, f.line, f.lines)).collect();
        assert_eq!(found, [("one", 3, 3), ("two", 7, 3), ("inner", 8, 1)]);
    }
}
