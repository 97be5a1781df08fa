//! For product owners and auditors: one page, offline, the answer first. It loads nothing. Verdict, gates, failures and
//! matrix are there without scripts; the script adds the filter, the keys and the steps of scenarios, which are packed
//! ([`details`]) and unpacked when somebody opens one.

mod details;
mod flakes;
mod view;

use std::sync::LazyLock;

use askama::Template;
use base64::{Engine as _, engine::general_purpose::STANDARD};
use mycelium_schemas::verdict::Verdict;
use sha2::{Digest, Sha256};

use self::{
    details::Packed,
    flakes::FlakesView,
    view::{EvidenceView, FailureView, FileView, GateView, GoalView, TierView, Total},
};
use crate::{RenderError, Report, failure::failures};

static STYLE: LazyLock<String> = LazyLock::new(|| lean_style(include_str!("../templates/report.css")));
static SCRIPT: LazyLock<String> = LazyLock::new(|| lean(include_str!("../templates/report.js")));

/// Most failures that are shown in full without scripts; the others stand in the matrix.
const FAILURES_MAX: usize = 10;

#[derive(Template)]
#[template(path = "report.html")]
struct Page<'a> {
    style: &'a str,
    style_hash: String,
    script: &'a str,
    script_hash: String,
    report: &'a Report<'a>,
    answer: &'static str,
    headline: String,
    outcome: &'static str,
    provenance: String,
    tiers: Vec<TierView>,
    failures: Vec<FailureView<'a>>,
    failures_left_out: usize,
    gates: Vec<GateView<'a>>,
    not_required: Vec<GateView<'a>>,
    totals: Vec<Total>,
    goals: Vec<GoalView<'a>>,
    files: Vec<FileView<'a>>,
    problems: Vec<&'a str>,
    history: FlakesView<'a>,
    evidence: EvidenceView<'a>,
    details: Packed,
}

/// Renders a report as one self-contained HTML page. Equal reports with equal stamps are equal byte for byte.
pub fn html(report: &Report<'_>) -> Result<String, RenderError> {
    let matrix = report.matrix;
    let (not_required, gates) =
        report.verdicts().map(GateView::new).partition(|view| view.verdict.verdict == Verdict::NotRequired);
    let failed = failures(matrix);
    let page = Page {
        style: &STYLE,
        style_hash: content_hash(&STYLE),
        script: &SCRIPT,
        script_hash: content_hash(&SCRIPT),
        report,
        answer: view::answer(report.evaluation.outcome),
        headline: report.headline(),
        outcome: view::outcome_tone(report.evaluation.outcome),
        provenance: report.provenance(),
        tiers: report.evaluation.coverage.iter().map(|tier| TierView::new(matrix, tier)).collect(),
        failures_left_out: failed.len().saturating_sub(FAILURES_MAX),
        failures: failed.into_iter().take(FAILURES_MAX).map(|f| FailureView::new(matrix, f)).collect(),
        gates,
        not_required,
        totals: report.totals().into_iter().map(Total::new).collect(),
        goals: matrix.rows.iter().map(|row| GoalView::new(matrix, row)).collect(),
        files: FileView::all(matrix),
        problems: view::problems(matrix),
        history: FlakesView::new(matrix),
        evidence: EvidenceView::new(matrix),
        details: details::packed(matrix)?,
    };
    Ok(page.render()?)
}

/// A style or a script without what only its authors read: indentation, empty lines and lines of comment. No text in
/// either goes on over the end of its line.
fn lean(text: &str) -> String {
    let is_comment = |line: &&str| line.starts_with("//") || (line.starts_with("/*") && line.ends_with("*/"));
    let lines = text.lines().map(str::trim).filter(|line| !line.is_empty() && !is_comment(line));
    lines.collect::<Vec<_>>().join("\n")
}

/// A style, without the blanks that no rule needs either. No text in it has any of these.
fn lean_style(text: &str) -> String {
    let needless =
        [(": ", ":"), (", ", ","), (" {", "{"), ("{ ", "{"), ("; ", ";"), (" }", "}"), (";}", "}")];
    needless.iter().fold(lean(text), |style, (found, enough)| style.replace(found, enough))
}

/// The hash by which the page's content security policy admits its own style and script, and nothing else.
fn content_hash(text: &str) -> String {
    format!("sha256-{}", STANDARD.encode(Sha256::digest(text.as_bytes())))
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn no_text_of_the_script_spans_lines_so_that_indentation_means_nothing() {
        for line in include_str!("../templates/report.js").lines() {
            assert!(line.matches('`').count().is_multiple_of(2) && !line.ends_with('\\'), "{line}");
        }
        for text in include_str!("../templates/report.css").split('"').skip(1).step_by(2) {
            assert!([":", ",", "{", "}", ";"].iter().all(|sign| !text.contains(sign)), "{text}");
        }
        assert_eq!(
            lean_style("a > b, c { d: e f; }\n@media (g: h) { i { j: k } }"),
            "a > b,c{d:e f}\n@media (g:h){i{j:k}}"
        );
        assert_eq!(lean("/* a */\n a {\n\n  b: c; /* d */\n// e\n }\n"), "a {\nb: c; /* d */\n}");
    }
}
