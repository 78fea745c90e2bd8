//! A line of input that is not shown: a secret typed or pasted at a prompt.

#[cfg(unix)]
#[path = "unix.rs"]
mod platform;
#[cfg(windows)]
#[path = "windows.rs"]
mod platform;

use std::io::{self, Read};

use clauth_host::Secret;

/// The longest line that is taken.
const LIMIT: usize = 16 * 1024;

/// Reads one line from the terminal that standard input is, without showing it; `None` when it was given up.
///
/// # Errors
/// [`io::ErrorKind::Unsupported`] where nothing can be hidden.
pub(crate) fn read_line() -> io::Result<Option<Secret>> {
    platform::read_line()
}

/// Everything that standard input holds, for a secret that is piped in.
pub(crate) fn read_all() -> io::Result<Secret> {
    let mut text = String::new();
    io::stdin().lock().take(LIMIT as u64).read_to_string(&mut text)?;
    let secret = Secret::new(&text);
    wipe(&mut text);
    Ok(secret)
}

/// Reads keys until the line ends; `None` when it was given up. Keys that edit a line do so.
#[cfg_attr(all(windows, not(test)), expect(dead_code, reason = "nothing can be hidden there"))]
fn line_of(keys: &mut impl Read) -> io::Result<Option<Secret>> {
    let mut line = Vec::new();
    let mut key = [0];
    let given_up = loop {
        if keys.read(&mut key)? == 0 {
            break true;
        }
        match key[0] {
            b'\r' | b'\n' => break false,
            // Ctrl-C; and Ctrl-D where nothing was typed.
            3 => break true,
            4 if line.is_empty() => break true,
            8 | 127 => drop(line.pop()),
            // Ctrl-U
            21 => line.clear(),
            byte if line.len() < LIMIT => line.push(byte),
            _ => {}
        }
    };
    let mut text = String::from_utf8_lossy(&line).into_owned();
    let secret = Secret::new(&text);
    wipe(&mut text);
    line.fill(0);
    Ok((!given_up).then_some(secret))
}

/// Overwrites a text before its memory goes back.
fn wipe(text: &mut String) {
    let mut bytes = std::mem::take(text).into_bytes();
    bytes.fill(0);
    drop(std::hint::black_box(bytes));
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_line_is_read_as_it_is_typed() {
        for (name, keys, expected) in [
            ("a line", "abc\r", Some("abc")),
            ("only the first", "abc\ndef\n", Some("abc")),
            ("corrected", "abx\u{7f}c\u{8}d\n", Some("abd")),
            ("begun again", "abc\u{15}d\n", Some("d")),
            ("corrected beyond the beginning", "\u{7f}a\n", Some("a")),
            ("nothing", "\n", Some("")),
            ("interrupted", "abc\u{3}\n", None),
            ("ended", "\u{4}", None),
            ("the end in the middle is no key", "a\u{4}b\n", Some("a\u{4}b")),
            ("cut off", "abc", None),
        ] {
            let line = line_of(&mut keys.as_bytes()).expect("keys");
            assert_eq!(line.as_ref().map(Secret::expose), expected, "{name}");
        }
    }
}
