//! `accept` alone: all that this machine can run, judged.

use std::path::PathBuf;

use mycelium_schemas::goal::gates::ProfileName;
use serde::Serialize;

use super::{
    report,
    run::{Done, Ran, Request, conduct},
};
use crate::{
    cli::{
        args::{DEFAULT_OUT, FilterArgs},
        console::{Console, width},
        error::CliError,
        judge::{Question, Wanted, judge},
        project::Project,
        render,
        summary::RunSummary,
    },
    context::Lane,
};

#[derive(Debug, Serialize)]
struct Whole<'a> {
    run: RunSummary,
    gates: &'a mycelium_schemas::verdict::Evaluation,
    report: String,
}

pub(in crate::cli) fn run(console: &Console, scratch: PathBuf) -> Result<u8, CliError> {
    let project = Project::locate()?;
    let request = Request {
        filter: FilterArgs { targets: Vec::new(), tags: None, name: None },
        lane: Lane::Mock,
        jobs: None,
        seed: None,
        fail_fast: false,
        timeout: None,
        bin: None,
        keep: false,
        scratch,
        out: project.root.join(DEFAULT_OUT),
    };
    let Done { exit_code: run_code, program, out, seed, result, lock: _lock } =
        match conduct(console, &project, request)? {
            Ran::Refused { exit_code } => return Ok(exit_code),
            Ran::Done(done) => *done,
        };
    let question = Question {
        out: &out,
        profile: ProfileName::Local,
        binary_digest: Some(program.digest),
        results: Wanted::Required,
    };
    let judged = judge(&project, question)?;
    let page = report::write(&judged, &out)?;
    console.print(render::terminal(&judged, width()))?;
    console.say(format_args!("report: {}", page.display()));
    // An interrupted run is no answer; one that failed is red whatever the gates say.
    let exit_code =
        if result.interrupted.is_some() { run_code } else { judged.evaluation.outcome.code().max(run_code) };
    console.document(&Whole {
        run: RunSummary::of_run(&result, run_code, seed, &out),
        gates: &judged.evaluation,
        report: page.display().to_string(),
    })?;
    Ok(exit_code)
}
