//! Lines at the end of somebody's text file: added, found again, taken out. Pure.

/// The bytes with the two lines added, and what was added to the letter. `None` when the line stands there already, by
/// whoever's hand.
pub(super) fn add(file: &[u8], comment: &str, line: &str) -> Option<(Vec<u8>, String)> {
    if split(file).any(|there| trimmed(there) == line.as_bytes()) {
        return None;
    }
    let end = if file.windows(2).any(|pair| pair == b"\r\n") { "\r\n" } else { "\n" };
    let apart = match file.last() {
        None => String::new(),
        Some(b'\n') => end.to_owned(),
        Some(_) => end.repeat(2),
    };
    let added = format!("{apart}{comment}{end}{line}{end}");
    Some(([file, added.as_bytes()].concat(), added))
}

/// The bytes without what was added; `None` when nothing of it is left. Where the user changed something about it, only
/// those lines go that are still ours to the letter.
pub(super) fn take(file: &[u8], added: &str) -> Option<Vec<u8>> {
    if let Some(at) = find(file, added.as_bytes()) {
        let (before, after) = (&file[..at], &file[at + added.len()..]);
        // What was written behind it since must not run into the line that had no end.
        let joins = before.last().is_some_and(|byte| *byte != b'\n') && !after.is_empty() && !after.starts_with(b"\n");
        let join: &[u8] = if joins { b"\n" } else { b"" };
        return Some([before, join, after].concat());
    }
    let ours = |line: &[u8]| {
        let line = trimmed(line);
        !line.is_empty() && added.lines().any(|added| added.as_bytes() == line)
    };
    let left: Vec<&[u8]> = split(file).filter(|line| !ours(line)).collect();
    let left = left.concat();
    (left.len() != file.len()).then_some(left)
}

/// Whether text was added to a file and still stands there to the letter.
pub(super) fn stands(file: &[u8], added: &str) -> bool {
    find(file, added.as_bytes()).is_some()
}

/// Lines with their ends.
fn split(file: &[u8]) -> impl Iterator<Item = &[u8]> {
    file.split_inclusive(|byte| *byte == b'\n')
}

fn trimmed(line: &[u8]) -> &[u8] {
    line.trim_ascii()
}

/// The last place of `piece`, which is never empty.
fn find(file: &[u8], piece: &[u8]) -> Option<usize> {
    file.windows(piece.len().max(1)).rposition(|window| window == piece)
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn what_is_added_is_taken_out_to_the_letter() {
        for (name, file, expected) in [
            ("nothing", "", "# c\nline\n"),
            ("a line", "x\n", "x\n\n# c\nline\n"),
            ("a line without an end", "x", "x\n\n# c\nline\n"),
            ("blank lines", "x\n\n\n", "x\n\n\n\n# c\nline\n"),
            ("Windows' line ends", "x\r\n", "x\r\n\r\n# c\r\nline\r\n"),
            ("the comment alone", "# c\n", "# c\n\n# c\nline\n"),
            ("the line in another", "if line; then\n", "if line; then\n\n# c\nline\n"),
        ] {
            let (bytes, added) = add(file.as_bytes(), "# c", "line").expect(name);
            assert_eq!(String::from_utf8_lossy(&bytes), expected, "{name}");
            assert!(stands(&bytes, &added), "{name}");
            assert_eq!(add(&bytes, "# c", "line"), None, "{name}: it is added once");
            assert_eq!(take(&bytes, &added).as_deref(), Some(file.as_bytes()), "{name}");
            assert_eq!(take(file.as_bytes(), &added).is_some(), file == "# c\n", "{name}: nothing else is ours");
        }
        assert_eq!(add(b"x\n  line  \n", "# c", "line"), None, "somebody wrote it by hand");
    }

    #[test]
    fn what_the_user_wrote_since_stays() {
        let added = "\n\n# c\nline\n";
        for (name, file, expected) in [
            ("behind it", "x\n\n# c\nline\ny\n", Some("x\ny\n")),
            ("before it", "w\nx\n\n# c\nline\n", Some("w\nx")),
            ("within it", "x\n\n# c\nmine\nline\n", Some("x\n\nmine\n")),
            ("another comment", "x\n\n# mine\nline\n", Some("x\n\n# mine\n")),
            ("another line", "x\n\n# c\nmine\n", Some("x\n\nmine\n")),
            ("indented", "x\n\n  # c\n  line\n", Some("x\n\n")),
            ("other line ends", "x\r\n\r\n# c\r\nline\r\n", Some("x\r\n\r\n")),
            ("switched off", "x\n\n# # c\n# line\n", None),
            ("taken out", "x\n", None),
        ] {
            let taken = take(file.as_bytes(), added);
            assert_eq!(taken.as_deref().map(String::from_utf8_lossy).as_deref(), expected, "{name}");
        }
    }
}
