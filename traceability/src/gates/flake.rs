//! Flakes: the suite ran often enough, of this tree and this program, in every lane that is required, and nothing failed
//! at the first attempt.

use mycelium_schemas::{
    flake::{LaneFlakes, RunKind, SuiteRun},
    matrix::Matrix,
};

use super::judge::Judgement;
use crate::flake::{Counts, sentences};

/// Clean runs that are required. They prove little by themselves, so the bound is printed with them.
const RUNS_MIN: usize = 10;

pub(super) fn judge(matrix: &Matrix) -> Judgement {
    let flakes = &matrix.flakes;
    let mut reasons = Vec::new();
    if flakes.executions == 0 {
        let others = match flakes.others {
            0 => String::new(),
            others => {
                format!(
                    " {others} lines of the history are about another tree, program or text, or a dirty tree."
                )
            }
        };
        reasons
            .push(format!("Nothing counted how often the scenarios of this tree and program fail.{others}"));
    }
    if flakes.lanes.is_empty() {
        reasons.push("No lane is required, so nothing was counted.".to_owned());
    }
    let mut green = Vec::new();
    for lane in &flakes.lanes {
        match of_lane(lane) {
            Ok(said) => green.push(said),
            Err(why) => reasons.extend(why),
        }
    }
    if reasons.is_empty() {
        let torn = match flakes.torn {
            0 => String::new(),
            torn => format!(" {torn} lines of the history were cut off and not counted."),
        };
        return Judgement::Green(green.join(" ") + &torn);
    }
    Judgement::red(reasons, "run `accept flake` on what is checked out, and find the cause of what it shows")
}

/// What is proved in a lane, or everything that is missing for it.
fn of_lane(lane: &LaneFlakes) -> Result<String, Vec<String>> {
    let name = &lane.lane;
    if lane.scenarios == 0 {
        return Err(vec![format!("{name}: no scenario runs in it, so nothing was counted.")]);
    }
    let mut reasons: Vec<String> = lane.runs.iter().filter_map(|run| failure(name, run)).collect();
    let clean: Vec<&SuiteRun> = lane.runs.iter().filter(|run| run.kind == RunKind::Clean).collect();
    if clean.len() < RUNS_MIN {
        let incomplete = lane.runs.iter().filter(|run| run.kind == RunKind::Incomplete).count();
        let incomplete = match incomplete {
            0 => String::new(),
            n => format!("; {n} more were not whole"),
        };
        let found = clean.len();
        reasons.push(format!(
            "{name}: {found} clean runs of all {} scenarios, {RUNS_MIN} are required{incomplete}.",
            lane.scenarios
        ));
    }
    if !reasons.is_empty() {
        return Err(reasons);
    }
    let executions: usize = clean.iter().map(|run| run.passed + run.excused.len()).sum();
    let failures: usize = clean.iter().map(|run| run.excused.len()).sum();
    let [suite, mean] = sentences(Counts {
        runs: clean.len() as u64,
        runs_failed: 0,
        executions: executions as u64,
        failures: failures as u64,
        scenarios: lane.scenarios,
    });
    let excused = match failures {
        0 => String::new(),
        n => format!(" {n} failures of scenarios in quarantine are excused."),
    };
    let machine = lane.runs.iter().filter(|run| run.kind == RunKind::Infrastructure);
    let machine: Vec<&str> = machine.map(|run| run.run.as_str()).collect();
    let machine = if machine.is_empty() {
        String::new()
    } else {
        format!(" Not counted, because nearly all failed at once: {}.", machine.join(", "))
    };
    Ok(format!("{name}: {suite} {mean}{excused}{machine}"))
}

/// Why a run is not clean; none where it is, and where it says nothing about its scenarios.
fn failure(lane: &str, run: &SuiteRun) -> Option<String> {
    let SuiteRun { run: name, seed, environment, kind, failed, flaws, .. } = run;
    if *kind != RunKind::Failed {
        return None;
    }
    let failed = failed.iter().map(|key| format!("{key} failed"));
    let what: Vec<String> = failed.chain(flaws.iter().cloned()).collect();
    Some(format!("{lane}: run {name} (seed {seed}, {environment}) was not clean: {}.", what.join("; ")))
}
