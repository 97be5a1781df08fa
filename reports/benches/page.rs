//! What the page of a report costs: `cargo bench -p mycelium-reports --bench page [-- DIR]`. Renders 60 goals with 1,000
//! scenarios, and prints CPU and size; a figure that is missed is exit code 1. With a folder it leaves the pages there, for
//! a browser to look at.
#![expect(clippy::print_stdout, reason = "a benchmark talks on standard output")]

use std::{error::Error, fs, path::Path};

use mycelium_reports::{Report, html};
use mycelium_schemas::matrix::Matrix;
use rustix::time::{ClockId, clock_gettime};

#[path = "../tests/support/mod.rs"]
mod support;

/// Most milliseconds of CPU for the page.
const CPU_MAX: f64 = 300.0;
const ROUNDS: usize = 9;

fn main() -> Result<(), Box<dyn Error>> {
    let (mut matrix, evaluation) = support::large();
    let (small, small_evaluation) = support::sample();
    let page = html(&Report { matrix: &matrix, evaluation: &evaluation, stamp: "stamp" })?;
    let mut spent = Vec::new();
    for _ in 0..ROUNDS {
        let begun = cpu();
        html(&Report { matrix: &matrix, evaluation: &evaluation, stamp: "stamp" })?;
        spent.push(cpu() - begun);
    }
    spent.sort_by(f64::total_cmp);
    let middle = spent[ROUNDS / 2];
    // What cargo itself says comes as a flag.
    if let Some(folder) = std::env::args().skip(1).find(|word| !word.starts_with('-')) {
        let folder = Path::new(&folder);
        fs::create_dir_all(folder)?;
        fs::write(folder.join("large.html"), &page)?;
        let sample = html(&Report { matrix: &small, evaluation: &small_evaluation, stamp: "stamp" })?;
        fs::write(folder.join("sample.html"), sample)?;
        let mut long = small.clone();
        lengthen(&mut long);
        let long = html(&Report { matrix: &long, evaluation: &small_evaluation, stamp: "stamp" })?;
        fs::write(folder.join("long.html"), long)?;
    }
    support::drop_evidence(&mut matrix);
    let bare = html(&Report { matrix: &matrix, evaluation: &evaluation, stamp: "stamp" })?.len();
    println!("{} goals, {} scenarios", support::GOALS, support::SCENARIOS);
    println!("CPU to render the page, middle of {ROUNDS}: {middle:.1} ms (at most {CPU_MAX} ms)");
    let bytes_max = support::BYTES_MAX;
    println!("page without evidence: {bare} bytes (at most {bytes_max}); with it: {} bytes", page.len());
    if middle > CPU_MAX || bare > bytes_max { Err("missed".into()) } else { Ok(()) }
}

/// Puts a word that is longer than any line into every text that somebody else writes.
fn lengthen(matrix: &mut Matrix) {
    let word = "x".repeat(5_000);
    for row in &mut matrix.rows {
        (row.title, row.statement, row.reasons) = (word.clone(), word.clone(), vec![word.clone()]);
        let claims = row.must_not.iter_mut().chain(&mut row.witness).chain(&mut row.control);
        claims.for_each(|claim| claim.text.clone_from(&word));
    }
    for goal in &mut matrix.backlog {
        (goal.title, goal.reason) = (word.clone(), word.clone());
    }
    for orphan in &mut matrix.orphans {
        orphan.name.clone_from(&word);
    }
    for scenario in &mut matrix.scenarios {
        scenario.name.clone_from(&word);
        let attempts = scenario.lanes.iter_mut().flat_map(|lane| &mut lane.attempts);
        for step in attempts.flat_map(|attempt| &mut attempt.steps) {
            (step.text, step.message) = (word.clone(), Some(word.clone()));
            step.evidence.iter_mut().for_each(|file| file.name.clone_from(&word));
        }
    }
}

/// The CPU time that this process spent so far, in milliseconds.
#[expect(clippy::cast_precision_loss, reason = "no process runs for as long as that")]
fn cpu() -> f64 {
    let time = clock_gettime(ClockId::ProcessCPUTime);
    time.tv_sec as f64 * 1e3 + time.tv_nsec as f64 / 1e6
}
