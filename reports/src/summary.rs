//! For a pull request's page: the answer, the gates, what is not verified. CI systems cut long pages without a word, so
//! the page stays below a limit and says what it leaves out.

use mycelium_schemas::matrix::Status;

use crate::{
    report::{Report, passed_of, sign, tier_line, verdict_sign},
    text::{self, counted},
};

/// Most bytes of a summary: what the tightest place, a comment, accepts.
const BYTES_MAX: usize = 60_000;

/// Renders a summary of a run as Markdown.
pub fn summary(report: &Report<'_>) -> String {
    let mut page = format!("## {}\n\n", text::markdown(&report.headline()));
    for tier in &report.evaluation.coverage {
        page.push_str(&format!("* {}\n", tier_line(tier)));
    }
    page.push_str(&format!("\n{}\n\n", text::markdown(&report.provenance())));
    page.push_str("| Gate | Verdict | Why | Mend |\n| --- | --- | --- | --- |\n");
    let gates = report.verdicts().map(|verdict| {
        let reasons: Vec<String> = verdict.reasons.iter().map(|reason| text::markdown(reason)).collect();
        let mend = verdict.mend.as_deref().map(text::markdown).unwrap_or_default();
        let sign = verdict_sign(verdict.verdict);
        format!("| {} | {sign} {} | {} | {mend} |\n", verdict.gate, verdict.verdict, reasons.join("<br>"))
    });
    append(&mut page, gates.collect(), "gates");

    let totals: Vec<String> = report.totals().iter().map(|(status, count)| format!("{count} {status}")).collect();
    page.push_str(&format!("\n{}: {}.\n\n", counted(report.matrix.rows.len(), "goal"), totals.join(", ")));
    page.push_str("| Goal | Status | Promise | Scenarios | Why |\n| --- | --- | --- | --- | --- |\n");
    // What needs somebody's eyes comes first, so that it is the last to be left out.
    let mut rows: Vec<_> = report.matrix.rows.iter().collect();
    rows.sort_by_key(|row| (row.status == Status::Verified, row.goal));
    let rows = rows.into_iter().map(|row| {
        let (passed, total) = passed_of(report.matrix, row);
        let reasons: Vec<String> = row.reasons.iter().map(|reason| text::markdown(reason)).collect();
        let (sign, title) = (sign(row.status), text::markdown(&row.title));
        format!("| {} | {sign} {} | {title} | {passed}/{total} | {} |\n", row.goal, row.status, reasons.join("<br>"))
    });
    append(&mut page, rows.collect(), "goals");

    let matrix = report.matrix;
    page.push_str(&format!(
        "\nScenarios that serve no goal: {}. Goals that are promised and not automated yet: {}; none of them counts as covered.\n",
        matrix.orphans.len(),
        matrix.backlog.len()
    ));
    page
}

/// Appends the lines that fit, and says how many did not.
fn append(page: &mut String, lines: Vec<String>, what: &str) {
    let mut left_out = 0;
    for line in lines {
        if left_out == 0 && page.len() + line.len() <= BYTES_MAX {
            page.push_str(&line);
        } else {
            left_out += 1;
        }
    }
    if left_out > 0 {
        page.push_str(&format!("\n{left_out} {what} are left out here; the report has them all.\n"));
    }
}
