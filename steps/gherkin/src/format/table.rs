//! Tables: columns as wide as a terminal shows their widest cell, cells as they were written.

use unicode_width::UnicodeWidthStr;

use super::role::Role;
use crate::line::Line;

/// Widths of the columns of every table, by its number.
pub(super) fn widths(lines: &[Line<'_>], roles: &[Role]) -> Vec<Vec<usize>> {
    let mut tables: Vec<Vec<usize>> = Vec::new();
    for (line, role) in lines.iter().zip(roles) {
        let Role::Row { table, .. } = *role else { continue };
        if tables.len() <= table {
            tables.resize(table + 1, Vec::new());
        }
        let widths = &mut tables[table];
        for (column, cell) in written_cells(line.trimmed).cells.iter().enumerate() {
            if widths.len() <= column {
                widths.push(0);
            }
            widths[column] = widths[column].max(cell.width());
        }
    }
    tables
}

/// A row, each cell filled up to the width of its column. What stands behind the last `|` is kept.
pub(super) fn row(line: Line<'_>, widths: &[usize]) -> String {
    let Row { cells, rest } = written_cells(line.trimmed);
    let mut text = String::from("|");
    for (cell, width) in cells.iter().zip(widths) {
        text.push(' ');
        text.push_str(cell);
        text.extend(std::iter::repeat_n(' ', width - cell.width() + 1));
        text.push('|');
    }
    if !rest.is_empty() {
        text.push(' ');
        text.push_str(rest);
    }
    text
}

/// A row taken apart without reading its escapes.
struct Row<'s> {
    cells: Vec<&'s str>,
    rest: &'s str,
}

fn written_cells(text: &str) -> Row<'_> {
    let mut row = Row { cells: Vec::new(), rest: "" };
    let mut start = None;
    let mut escaped = false;
    for (at, c) in text.char_indices() {
        if c == '|'
            && !escaped
            && let Some(start) = start.replace(at + 1)
        {
            row.cells.push(text[start..at].trim());
        }
        escaped = c == '\\' && !escaped;
    }
    row.rest = start.map_or("", |start| text[start..].trim());
    row
}
