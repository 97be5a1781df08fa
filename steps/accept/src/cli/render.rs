//! The reports of a judged run. What they look like is decided in the crate of the reports; which file is which, here.

use jiff::Timestamp;
use mycelium_reports::{
    Report, csv, github, goals, html, json, junit, markdown, summary, terminal as terminal_report,
};
use mycelium_traceability::Registry;

use super::{error::CliError, judge::Judged};

/// The page for people.
pub(super) const PAGE: &str = "report.html";

/// Everything that is derived from a run: names and contents.
pub(super) fn files(judged: &Judged) -> Result<[(&'static str, String); 5], CliError> {
    let stamp = format!("{:.0} by accept {}", Timestamp::now(), env!("CARGO_PKG_VERSION"));
    let report = Report { matrix: &judged.matrix, evaluation: &judged.evaluation, stamp: &stamp };
    Ok([
        ("matrix.json", json(&judged.matrix)?),
        (PAGE, html(&report)?),
        ("junit.xml", junit(&judged.matrix)?),
        ("summary.md", summary(&report)),
        ("matrix.csv", csv(&judged.matrix)),
    ])
}

/// The pages that are committed, by their paths: what is promised in full, and what it is linked to, without results.
pub(super) fn committed(judged: &Judged, registry: &Registry) -> [(&'static str, String); 2] {
    [
        ("docs/traceability-matrix.md", markdown(&judged.matrix)),
        ("docs/acceptance-goals.md", goals(&registry.goals, &registry.backlog)),
    ]
}

/// What is red, as annotations of a pull request.
pub(super) fn annotations(judged: &Judged) -> String {
    github(&Report { matrix: &judged.matrix, evaluation: &judged.evaluation, stamp: "" })
}

/// Matrix and gates for a terminal.
pub(super) fn terminal(judged: &Judged, width: u16) -> String {
    terminal_report(&Report { matrix: &judged.matrix, evaluation: &judged.evaluation, stamp: "" }, width)
}
