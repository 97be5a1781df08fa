//! The reports of a judged run. What they look like is decided in the crate of the reports; which file they are, here.

use super::{error::CliError, judge::Judged};

/// The page for people.
pub(super) const PAGE: &str = "report.html";

pub(super) fn files(judged: &Judged) -> Result<Vec<(&'static str, Vec<u8>)>, CliError> {
    let matrix = serde_json::to_vec_pretty(&judged.matrix).map_err(|error| CliError::Render(error.into()))?;
    Ok(vec![("matrix.json", matrix)])
}

pub(super) fn committed(_judged: &Judged) -> String {
    String::new()
}

pub(super) fn matrix(judged: &Judged, _width: u16) -> String {
    let rows: Vec<String> = judged
        .matrix
        .rows
        .iter()
        .map(|row| format!("{} {} {:?}", row.goal, row.status, row.reasons))
        .collect();
    rows.join("\n")
}

pub(super) fn gates(judged: &Judged, _width: u16) -> String {
    let rows: Vec<String> = judged
        .evaluation
        .verdicts
        .iter()
        .map(|v| format!("{} {} {:?}", v.gate, v.verdict, v.reasons))
        .collect();
    rows.join("\n")
}
