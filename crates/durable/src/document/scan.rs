//! Where things are in a text that is known to be valid JSON.

use std::ops::Range;

/// How deeply a document may nest.
pub(super) const DEPTH: usize = 127;

/// One member of an object.
#[derive(Clone, Debug)]
pub(super) struct Member {
    /// The key with its quotes.
    pub(super) key: Range<usize>,
    /// The value.
    pub(super) value: Range<usize>,
}

impl Member {
    /// The key, unescaped.
    pub(super) fn name(&self, text: &str) -> String {
        let quoted = &text[self.key.clone()];
        let bare = &quoted[1..quoted.len() - 1];
        if bare.contains('\\') { serde_json::from_str(quoted).unwrap_or_default() } else { bare.to_owned() }
    }

    /// The key, unescaped; `None` for half a surrogate pair, which is no text.
    pub(super) fn text_name(&self, text: &str) -> Option<String> {
        let quoted = &text[self.key.clone()];
        let bare = &quoted[1..quoted.len() - 1];
        if bare.contains('\\') { serde_json::from_str(quoted).ok() } else { Some(bare.to_owned()) }
    }

    pub(super) fn is(&self, text: &str, name: &str) -> bool {
        let quoted = &text[self.key.clone()];
        let bare = &quoted[1..quoted.len() - 1];
        // A key with half a surrogate pair is no text, and so no name is equal to it.
        let unescaped = || serde_json::from_str::<String>(quoted);
        if bare.contains('\\') { unescaped().is_ok_and(|found| found == name) } else { bare == name }
    }
}

/// The members of the object that begins at `start`.
pub(super) fn members(text: &str, start: usize) -> Vec<Member> {
    let bytes = text.as_bytes();
    let mut members = Vec::new();
    let mut at = skip_space(bytes, start + 1);
    while bytes.get(at) == Some(&b'"') {
        let key = at..end_of_string(bytes, at);
        at = skip_space(bytes, key.end);
        at = skip_space(bytes, at + 1);
        let value = at..end_of_value(bytes, at);
        at = skip_space(bytes, value.end);
        members.push(Member { key, value });
        if bytes.get(at) == Some(&b',') {
            at = skip_space(bytes, at + 1);
        }
    }
    members
}

/// All members of that name; the last one is the one that counts.
pub(super) fn named(text: &str, start: usize, name: &str) -> Vec<Member> {
    members(text, start).into_iter().filter(|member| member.is(text, name)).collect()
}

/// The member at the end of `path`.
pub(super) fn find(text: &str, start: usize, path: &[&str]) -> Option<Member> {
    let (first, rest) = path.split_first()?;
    let member = named(text, start, first).pop()?;
    if rest.is_empty() {
        return Some(member);
    }
    (text.as_bytes()[member.value.start] == b'{').then(|| find(text, member.value.start, rest)).flatten()
}

pub(super) fn skip_space(bytes: &[u8], mut at: usize) -> usize {
    while matches!(bytes.get(at), Some(b' ' | b'\t' | b'\r' | b'\n')) {
        at += 1;
    }
    at
}

/// The end of the string that begins at `at`.
fn end_of_string(bytes: &[u8], at: usize) -> usize {
    let mut at = at + 1;
    // Most of a large document is text.
    while let Some(found) = bytes.get(at..).and_then(|rest| memchr::memchr2(b'"', b'\\', rest)) {
        at += found;
        match bytes[at] {
            b'"' => return at + 1,
            _ => at += 2,
        }
    }
    bytes.len()
}

/// The end of the value that begins at `at`.
pub(super) fn end_of_value(bytes: &[u8], at: usize) -> usize {
    match bytes.get(at) {
        Some(b'"') => end_of_string(bytes, at),
        Some(b'{' | b'[') => end_of_container(bytes, at),
        _ => bytes[at..].iter().position(|byte| b",]} \t\r\n".contains(byte)).map_or(bytes.len(), |length| at + length),
    }
}

fn end_of_container(bytes: &[u8], start: usize) -> usize {
    let (mut at, mut depth) = (start, 0usize);
    while let Some(byte) = bytes.get(at) {
        match byte {
            b'"' => {
                at = end_of_string(bytes, at);
                continue;
            }
            b'{' | b'[' => depth += 1,
            b'}' | b']' => depth -= 1,
            _ => {}
        }
        at += 1;
        if depth == 0 {
            return at;
        }
    }
    bytes.len()
}

/// Whether a text nests no deeper than `limit`.
pub(super) fn depth_within(text: &str, limit: usize) -> bool {
    let bytes = text.as_bytes();
    let (mut at, mut depth) = (0, 0usize);
    while let Some(byte) = bytes.get(at) {
        match byte {
            b'"' => {
                at = end_of_string(bytes, at);
                continue;
            }
            b'{' | b'[' => {
                depth += 1;
                if depth > limit {
                    return false;
                }
            }
            b'}' | b']' => depth = depth.saturating_sub(1),
            _ => {}
        }
        at += 1;
    }
    true
}
