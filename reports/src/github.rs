//! For GitHub: workflow commands that it shows at the lines of the features. It shows ten errors a step and drops the
//! rest without a word, so the last one says what is left out.

use mycelium_schemas::{
    evidence::LIMITED,
    matrix::{Row, Status},
    verdict::{GateVerdict, Verdict},
};

use crate::{
    failure::{Failure, failures, reproduce},
    report::Report,
    text::{counted, cut, visible},
};

/// Most errors that GitHub shows of one step.
const ERRORS_MAX: usize = 10;
/// Most characters of an annotation's text; GitHub cuts at 4096 bytes.
const TEXT_MAX: usize = 1000;

/// Renders what is red as workflow commands: failures first, then scenarios without a goal, goals and gates. Nothing where
/// nothing is.
pub fn github(report: &Report<'_>) -> String {
    let mut errors = errors(report);
    if errors.len() > ERRORS_MAX {
        let left_out = errors.len() + 1 - ERRORS_MAX;
        errors.truncate(ERRORS_MAX - 1);
        let text = format!(
            "{} left out here; the report has them all.",
            counted(left_out, "error is", "errors are")
        );
        errors.push(error("", "accept: more", &text));
    }
    errors.extend(part_of(report).map(|why| command("notice", "", "accept: a part", &why)));
    errors.join("\n")
}

/// Why a run says nothing of goals and gates: it was asked for a part, and nobody expects a part to prove them.
fn part_of(report: &Report<'_>) -> Option<String> {
    let partial = report.matrix.run.as_ref().map_or(&[][..], |run| &run.partial);
    let is_asked_for = !partial.is_empty() && partial.iter().all(|why| why.starts_with(LIMITED));
    is_asked_for.then(|| {
        format!("The run was {}, so that nothing is said of goals and gates here.", partial.join(" and "))
    })
}

fn errors(report: &Report<'_>) -> Vec<String> {
    let matrix = report.matrix;
    let failures = failures(matrix);
    let failed = |row: &Row| failures.iter().any(|failure| failure.scenario.goals.contains(&row.goal));
    // A goal that fails is told by its scenarios, one that is not required by nothing.
    let goals = matrix.rows.iter().filter(|row| row.status != Status::Verified && !failed(row));
    let red = report.verdicts().filter(|verdict| verdict.verdict == Verdict::Red);
    let is_part = part_of(report).is_some();
    failures
        .iter()
        .map(|failure| failed_scenario(report, failure))
        .chain(matrix.orphans.iter().map(|orphan| {
            let place = place(&orphan.key.uri, orphan.key.line);
            error(&place, "accept: orphan", &format!("{}\n{}", orphan.name, orphan.reason))
        }))
        .chain(goals.filter(|_| !is_part).map(goal))
        .chain(red.filter(|_| !is_part).map(gate))
        .collect()
}

fn failed_scenario(report: &Report<'_>, failure: &Failure<'_>) -> String {
    let Failure { scenario, lane, outcome, .. } = failure;
    let goals: Vec<String> = scenario.goals.iter().map(ToString::to_string).collect();
    let step = failure.step().map(|step| step.text.as_str()).unwrap_or_default();
    let text = format!(
        "{} ({lane}): {outcome} at {step:?}\n{}\nagain: {}",
        scenario.name,
        cut(failure.message(), TEXT_MAX),
        reproduce(report.matrix.run.as_ref(), scenario, lane)
    );
    error(&place(&scenario.key.uri, scenario.key.line), &format!("accept: {}", goals.join(", ")), &text)
}

/// Shown at the first scenario of the goal, where it has one.
fn goal(row: &Row) -> String {
    let place = row.scenarios.first().map(|key| place(&key.uri, key.line)).unwrap_or_default();
    let text = format!("{}: {}\n{}", row.status, row.title, row.reasons.join("\n"));
    error(&place, &format!("accept: {}", row.goal), &text)
}

fn gate(verdict: &GateVerdict) -> String {
    let mend = verdict.mend.iter().map(|mend| format!("mend: {mend}"));
    let text: Vec<String> = verdict.reasons.iter().cloned().chain(mend).collect();
    error("", &format!("accept gate: {}", verdict.gate), &text.join("\n"))
}

fn place(uri: &str, line: u64) -> String {
    format!("file={},line={line},", property(uri))
}

fn error(place: &str, title: &str, text: &str) -> String {
    command("error", place, title, text)
}

fn command(kind: &str, place: &str, title: &str, text: &str) -> String {
    format!("::{kind} {place}title={}::{}", property(title), data(&cut(text, TEXT_MAX * 2)))
}

/// A text as workflow commands take it.
fn data(text: &str) -> String {
    visible(text).replace('%', "%25").replace('\r', "%0D").replace('\n', "%0A")
}

/// The value of a property, in which `:` and `,` mean something too.
fn property(text: &str) -> String {
    data(text).replace(':', "%3A").replace(',', "%2C")
}
