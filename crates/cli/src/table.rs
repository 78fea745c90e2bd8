//! Columns of text.

use anstyle::Style;
use unicode_width::UnicodeWidthStr as _;

use crate::ui::{FAINT, TITLE, paint, plain};

/// Between two columns.
const GAP: usize = 2;

/// What a narrow terminal leaves of a column at least.
const LEAST: usize = 12;

/// One cell: text, and how it looks.
pub(crate) struct Cell(pub(crate) String, pub(crate) Style);

impl<T: AsRef<str>> From<T> for Cell {
    fn from(text: T) -> Self {
        Self(plain(text.as_ref()), Style::new())
    }
}

impl Cell {
    pub(crate) fn styled(text: &str, style: Style) -> Self {
        Self(plain(text), style)
    }

    /// What is known, or a dash.
    pub(crate) fn known(text: Option<&str>) -> Self {
        text.map_or_else(|| Self::styled("-", FAINT), Self::from)
    }
}

/// And beside a column that must stay whole.
const LEAST_BESIDE: usize = 8;

/// Lays rows out under titles. On a terminal of `width` columns the widest column gives way first.
pub(crate) fn lay_out(titles: &[&str], rows: Vec<Vec<Cell>>, width: Option<usize>) -> String {
    lay_out_beside(0, titles, rows, width)
}

/// As [`lay_out`], but the first `whole` columns are never cut: they are there to be typed again.
pub(crate) fn lay_out_beside(whole: usize, titles: &[&str], rows: Vec<Vec<Cell>>, width: Option<usize>) -> String {
    let heads = titles.iter().map(|title| Cell::styled(title, TITLE)).collect();
    let rows: Vec<Vec<Cell>> = std::iter::once(heads).chain(rows).collect();
    let mut widths: Vec<usize> = vec![0; titles.len()];
    for row in &rows {
        for (widest, cell) in widths.iter_mut().zip(row) {
            *widest = (*widest).max(cell.0.width());
        }
    }
    let taken = widths.iter().take(whole).map(|width| width + GAP).sum::<usize>();
    let least = if whole == 0 { LEAST } else { LEAST_BESIDE };
    shrink(&mut widths[whole..], width.map(|width| width.saturating_sub(taken)), least);
    let mut text = String::new();
    for row in &rows {
        let mut line = String::new();
        for (at, (Cell(content, style), width)) in row.iter().zip(&widths).enumerate() {
            let content = cut(content, *width);
            let padding = if at + 1 == row.len() { 0 } else { width - content.width() + GAP };
            line.push_str(&paint(*style, &content));
            line.push_str(&" ".repeat(padding));
        }
        text.push_str(line.trim_end());
        text.push('\n');
    }
    text
}

fn shrink(widths: &mut [usize], available: Option<usize>, least: usize) {
    let Some(available) = available else { return };
    loop {
        let whole = widths.iter().sum::<usize>() + GAP * widths.len().saturating_sub(1);
        let Some(widest) = widths.iter_mut().max().filter(|widest| whole > available && **widest > least) else {
            return;
        };
        *widest -= 1;
    }
}

/// `text` in at most `width` columns.
fn cut(text: &str, width: usize) -> String {
    if text.width() <= width {
        return text.to_owned();
    }
    let mut kept = String::new();
    for letter in text.chars() {
        if kept.width() + letter.to_string().width() + 1 > width {
            break;
        }
        kept.push(letter);
    }
    kept.push('…');
    kept
}

#[cfg(test)]
mod tests {
    use super::*;

    fn table(width: Option<usize>) -> String {
        let row = |a: &str, b: &str| vec![Cell::from(a), Cell::from(b)];
        let text = lay_out(&["NAME", "ACCOUNT"], vec![row("a", "somebody@example.com"), row("日本", "x")], width);
        anstream::adapter::strip_str(&text).to_string()
    }

    #[test]
    fn columns_line_up_by_what_is_seen() {
        assert_eq!(table(None), "NAME  ACCOUNT\na     somebody@example.com\n日本  x\n");
    }

    #[test]
    fn what_is_typed_again_is_never_cut() {
        let row = vec![Cell::from("20261120-100000-ab12cd34"), Cell::from("a very long reason")];
        let text = lay_out_beside(1, &["ID", "WHY"], vec![row], Some(36));
        let text = anstream::adapter::strip_str(&text).to_string();
        assert_eq!(text.lines().last(), Some("20261120-100000-ab12cd34  a very lo…"));
    }

    #[test]
    fn the_widest_column_gives_way() {
        assert_eq!(table(Some(20)), "NAME  ACCOUNT\na     somebody@exam…\n日本  x\n");
        assert!(table(Some(1)).contains("somebody@ex…"), "{}", table(Some(1)));
    }
}
