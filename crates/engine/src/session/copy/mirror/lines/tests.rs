//! The difference of lines.

use super::missing;

#[test]
fn lines_are_matched_as_often_as_they_occur() {
    let rows = [
        ("nothing", "", "", ""),
        ("all new", "a\nb\n", "", "a\nb\n"),
        ("none new", "a\nb\n", "b\na\n", ""),
        ("one more of a kind", "a\na\nb\n", "a\nb\n", "a\n"),
        ("order of the new", "a\nx\nb\ny\n", "b\na\n", "x\ny\n"),
        ("a longer line is another", "ab\n", "a\n", "ab\n"),
        ("empty lines count", "\n\na\n", "\na\n", "\n"),
    ];
    for (name, new, reference, expected) in rows {
        let got = missing(new.as_bytes(), reference.as_bytes());
        assert_eq!(String::from_utf8_lossy(&got), expected, "{name}");
    }
}
