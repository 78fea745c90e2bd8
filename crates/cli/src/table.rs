//! Columns of text.

use anstyle::Style;
use unicode_width::UnicodeWidthStr as _;

use crate::ui::{FAINT, TITLE, paint, plain};

/// Between two columns.
const GAP: usize = 2;

/// What a narrow terminal leaves of a column at least.
const LEAST: usize = 12;

/// One cell: text, and how it looks.
pub(crate) struct Cell {
    text: String,
    style: Style,
    /// It runs over the cells behind it, which are empty, and makes its column no wider.
    runs_on: bool,
}

impl<T: AsRef<str>> From<T> for Cell {
    fn from(text: T) -> Self {
        Self::styled(text.as_ref(), Style::new())
    }
}

impl Cell {
    pub(crate) fn styled(text: &str, style: Style) -> Self {
        Self { text: plain(text), style, runs_on: false }
    }

    pub(crate) fn running_on(self) -> Self {
        Self { runs_on: true, ..self }
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
    let mut widths = natural(titles.len(), &rows);
    let taken = widths.iter().take(whole).map(|width| width + GAP).sum::<usize>();
    let least = if whole == 0 { LEAST } else { LEAST_BESIDE };
    shrink(&mut widths[whole..], width.map(|width| width.saturating_sub(taken)), least);
    let mut text = String::new();
    for row in &rows {
        let (mut line, mut start) = (String::new(), 0);
        for (at, (cell, own)) in row.iter().zip(&widths).enumerate() {
            let room = match (cell.runs_on, width) {
                (false, _) => *own,
                (true, None) => usize::MAX,
                (true, Some(width)) => width.saturating_sub(start).max(*own),
            };
            let content = cut(&cell.text, room);
            let padding = if at + 1 == row.len() { 0 } else { (own + GAP).saturating_sub(content.width()) };
            line.push_str(&paint(cell.style, &content));
            line.push_str(&" ".repeat(padding));
            start += own + GAP;
        }
        text.push_str(line.trim_end());
        text.push('\n');
    }
    text
}

/// Whether rows under titles fit without a cut.
pub(crate) fn fits(titles: &[&str], rows: &[Vec<Cell>], width: Option<usize>) -> bool {
    let titled = natural(titles.len(), rows).into_iter().zip(titles).map(|(width, title)| width.max(title.width()));
    let whole = titled.sum::<usize>() + GAP * titles.len().saturating_sub(1);
    width.is_none_or(|width| whole <= width)
}

/// How wide each column would be.
fn natural(columns: usize, rows: &[Vec<Cell>]) -> Vec<usize> {
    let mut widths: Vec<usize> = vec![0; columns];
    for row in rows {
        for (widest, cell) in widths.iter_mut().zip(row).filter(|(_, cell)| !cell.runs_on) {
            *widest = (*widest).max(cell.text.width());
        }
    }
    widths
}

/// `text` in lines of at most `width` columns, broken between words; those after the first stand `indent` columns in.
pub(crate) fn wrap(text: &str, indent: usize, width: Option<usize>) -> String {
    let room = width.map_or(usize::MAX, |width| width.saturating_sub(indent).max(LEAST));
    let (mut lines, mut line) = (Vec::new(), String::new());
    for word in text.split(' ') {
        if !line.is_empty() && line.width() + 1 + word.width() > room {
            lines.push(std::mem::take(&mut line));
        }
        let gap = if line.is_empty() { "" } else { " " };
        line = line + gap + word;
    }
    lines.push(line);
    lines.join(&format!("\n{}", " ".repeat(indent)))
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
pub(crate) fn cut(text: &str, width: usize) -> String {
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
    fn a_cell_that_runs_on_makes_no_column_wider() {
        let rows = || {
            let why = Cell::from("a reason that is told in full").running_on();
            vec![
                vec![Cell::from("a"), why, Cell::from("")],
                vec![Cell::from("b"), Cell::from("5 %"), Cell::from("1 h")],
            ]
        };
        let told = |width| anstream::adapter::strip_str(&lay_out(&["", "USED", "AGE"], rows(), width)).to_string();
        assert_eq!(told(None), "   USED  AGE\na  a reason that is told in full\nb  5 %   1 h\n");
        assert_eq!(told(Some(20)), "   USED  AGE\na  a reason that is…\nb  5 %   1 h\n");
        assert!(fits(&["", "USED", "AGE"], &rows(), Some(12)) && !fits(&["", "USED", "AGE"], &rows(), Some(11)));
    }

    #[test]
    fn a_sentence_is_broken_between_words() {
        let text = "the server asks for fewer requests";
        assert_eq!(wrap(text, 4, Some(24)), "the server asks for\n    fewer requests");
        assert_eq!(wrap(text, 4, None), text);
        assert_eq!(wrap("unbreakable-as-it-is", 4, Some(10)), "unbreakable-as-it-is");
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
