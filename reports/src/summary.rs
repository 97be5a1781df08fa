//! For a pull request's page: the answer, the gates, what is not verified. CI systems cut long pages without a word, so
//! the page stays below a limit and says what it leaves out.

use mycelium_schemas::{
    matrix::{Row, Status},
    verdict::GateVerdict,
};

use crate::{
    failure::{self, Failure, reproduce},
    report::{Report, passed_of, sign, tier_line, verdict_sign},
    text::{self, counted},
};

/// Most bytes of a summary: what the tightest place, a comment, accepts.
const BYTES_MAX: usize = 60_000;
/// Where the gates end at the latest, and where the failures: each leaves room for what comes behind it.
const GATES_END: usize = 20_000;
const FAILURES_END: usize = 40_000;
/// Most characters of a sentence, and of what a failed step said.
const SENTENCE_MAX: usize = 300;
/// Most sentences of a table's cell.
const SENTENCES_MAX: usize = 12;

/// Renders a summary of a run as Markdown.
pub fn summary(report: &Report<'_>) -> String {
    let mut page = Page::default();
    page.push(&head(report));
    page.push("| Gate | Verdict | Why | Mend |\n| --- | --- | --- | --- |\n");
    page.push_lines(gates(report), "gates", GATES_END);
    let failures = failures(report);
    if !failures.is_empty() {
        page.push(&format!("\n### {} failed\n\n", counted(failures.len(), "scenario", "scenarios")));
        page.push_lines(failures, "failures", FAILURES_END);
    }
    page.push(&totals(report));
    page.push("| Goal | Status | Promise | Scenarios | Why |\n| --- | --- | --- | --- | --- |\n");
    page.push_lines(goals(report), "goals", BYTES_MAX);
    page.push(&foot(report));
    page.text
}

/// A page that knows when it is full.
#[derive(Default)]
struct Page {
    text: String,
}

impl Page {
    fn push(&mut self, text: &str) {
        self.text.push_str(text);
    }

    /// Appends the lines that fit before an end, and says how many did not.
    fn push_lines(&mut self, lines: Vec<String>, what: &str, end: usize) {
        let mut left_out = 0;
        for line in lines {
            if left_out == 0 && self.text.len() + line.len() <= end {
                self.push(&line);
            } else {
                left_out += 1;
            }
        }
        if left_out > 0 {
            self.push(&format!("\n{left_out} {what} are left out here; the report has them all.\n"));
        }
    }
}

fn head(report: &Report<'_>) -> String {
    let red = report.red_line().map(|line| line + "\n\n").unwrap_or_default();
    let tiers: Vec<String> =
        report.evaluation.coverage.iter().map(|tier| format!("* {}\n", tier_line(tier))).collect();
    let [headline, provenance] =
        [report.headline(), report.provenance()].map(|line| text::markdown(&text::cut(&line, SENTENCE_MAX)));
    format!("## {headline}\n\n{red}{}\n{provenance}\n\n", tiers.concat())
}

fn gates(report: &Report<'_>) -> Vec<String> {
    let line = |verdict: &GateVerdict| {
        let mend = verdict.mend.as_deref().map(text::markdown).unwrap_or_default();
        let (sign, why) = (verdict_sign(verdict.verdict), lines_of(&verdict.reasons));
        format!("| {} | {sign} {} | {why} | {mend} |\n", verdict.gate, verdict.verdict)
    };
    report.verdicts().map(line).collect()
}

/// Each failure with the command that shows it again.
fn failures(report: &Report<'_>) -> Vec<String> {
    let line = |failure: &Failure<'_>| {
        let Failure { scenario, lane, outcome, .. } = failure;
        let [name, place, lane_word] = [&scenario.name, &scenario.key.to_string(), *lane].map(text::markdown);
        let step = failure.step().map(|step| format!(" at _{}_", text::markdown(&step.text)));
        let said = text::markdown(&text::cut(failure.message(), SENTENCE_MAX));
        let again = text::markdown(&reproduce(report.matrix.run.as_ref(), scenario, lane));
        let step = step.unwrap_or_default();
        format!("* **{name}** ({place}, {lane_word}): {outcome}{step}<br>{said}<br>again: {again}\n")
    };
    failure::failures(report.matrix).iter().map(line).collect()
}

fn totals(report: &Report<'_>) -> String {
    let totals: Vec<String> =
        report.totals().iter().map(|(status, count)| format!("{count} {status}")).collect();
    let goals = counted(report.matrix.rows.len(), "goal", "goals");
    format!("\n{goals}: {}.\n\n", totals.join(", "))
}

/// What needs somebody's eyes comes first, so that it is the last to be left out.
fn goals(report: &Report<'_>) -> Vec<String> {
    let mut rows: Vec<&Row> = report.matrix.rows.iter().collect();
    rows.sort_by_key(|row| (row.status == Status::Verified, row.goal));
    let line = |row: &Row| {
        let (passed, total) = passed_of(report.matrix, row);
        let (sign, why) = (sign(row.status), lines_of(&row.reasons));
        let title = text::markdown(&text::cut(&row.title, SENTENCE_MAX));
        format!("| {} | {sign} {} | {title} | {passed}/{total} | {why} |\n", row.goal, row.status)
    };
    rows.into_iter().map(line).collect()
}

fn foot(report: &Report<'_>) -> String {
    let matrix = report.matrix;
    let (orphans, dead, backlog) = (matrix.orphans.len(), matrix.dead_quarantine.len(), matrix.backlog.len());
    let (steps, fixtures) = (matrix.unused.steps.len(), matrix.unused.fixtures.len());
    format!(
        "\nScenarios that serve no goal: {orphans}. Used by no scenario: {}, {}. Quarantine entries that fit nothing: \
         {dead}. Goals that are promised and not automated yet: {backlog}; none of them counts as covered.\n",
        counted(steps, "step", "steps"),
        counted(fixtures, "fixture", "fixtures")
    )
}

/// Sentences of a cell, as many as fit into one.
fn lines_of(reasons: &[String]) -> String {
    let shown = reasons.iter().take(SENTENCES_MAX).map(|r| text::markdown(&text::cut(r, SENTENCE_MAX)));
    let left_out = reasons.len().saturating_sub(SENTENCES_MAX);
    let more = (left_out > 0).then(|| format!("… and {left_out} more, which the report has."));
    shown.chain(more).collect::<Vec<_>>().join("<br>")
}
