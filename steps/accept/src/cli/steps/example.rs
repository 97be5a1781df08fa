//! A step as it stands in a feature file.

use mycelium_schemas::messages::{PickleStep, PickleStepArgument};

use super::Example;
use crate::{
    catalogue::Keyword,
    runner::suite::{Feature, FeatureFile},
};

/// The step with the table and text that it has been given, under its own keyword instead of `And`.
pub(super) fn of(
    file: &FeatureFile,
    feature: &Feature,
    step: &PickleStep,
    keyword: Keyword,
) -> Option<Example> {
    let line = feature.step_node(step)?.location.line;
    let mut text = format!("{keyword} {}", step.text);
    for line in step.argument.iter().flat_map(argument) {
        text.push_str("\n  ");
        text.push_str(&line);
    }
    Some(Example { place: format!("{}:{line}", file.uri), text })
}

/// Its lines; columns as wide as their widest cell.
fn argument(argument: &PickleStepArgument) -> Vec<String> {
    let mut lines = Vec::new();
    if let Some(table) = &argument.data_table {
        let rows: Vec<Vec<String>> = table
            .rows
            .iter()
            .map(|row| row.cells.iter().map(|cell| escaped(&cell.value)).collect())
            .collect();
        let width =
            |column: usize| rows.iter().filter_map(|row| row.get(column)).map(|c| c.chars().count()).max();
        for row in &rows {
            let cells = row.iter().enumerate();
            let cells: Vec<String> =
                cells.map(|(column, cell)| format!(" {cell:<w$} ", w = width(column).unwrap_or(0))).collect();
            lines.push(format!("|{}|", cells.join("|")));
        }
    }
    if let Some(doc_string) = &argument.doc_string {
        let fence = if doc_string.content.contains("\"\"\"") { "```" } else { "\"\"\"" };
        lines.push(format!("{fence}{}", doc_string.media_type.as_deref().unwrap_or_default()));
        lines.extend(doc_string.content.lines().map(str::to_owned));
        lines.push(fence.to_owned());
    }
    lines
}

fn escaped(cell: &str) -> String {
    cell.replace('\\', "\\\\").replace('|', "\\|").replace('\n', "\\n")
}
