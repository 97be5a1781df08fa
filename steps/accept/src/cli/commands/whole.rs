//! `accept` alone: all that this machine can run, judged.

use std::path::PathBuf;

use serde::Serialize;

use super::{report, run::judge_run};
use crate::{
    cli::{
        args::DEFAULT_OUT,
        conduct::{Ready, Request, new_seed, prepare},
        console::{Console, width},
        error::CliError,
        project::Project,
        render,
        summary::RunSummary,
        tell::Detail,
    },
    runner::Loader,
};

#[derive(Debug, Serialize)]
struct Whole<'a> {
    run: RunSummary,
    gates: &'a mycelium_schemas::verdict::Evaluation,
    report: String,
}

pub(in crate::cli) fn run(console: &Console, load: Loader, scratch: PathBuf) -> Result<u8, CliError> {
    let project = Project::locate()?;
    let out = project.root.join(DEFAULT_OUT);
    let prepared = match prepare(console, &project, Request::everything(load, scratch), &out)? {
        Ready::Refused { exit_code } => return Ok(exit_code),
        Ready::Go(prepared) => prepared,
    };
    let mut done = prepared.run(console, new_seed(), out, Detail::Everything)?;
    let judged = judge_run(&project, &prepared, &done)?;
    done.excuse(&judged);
    done.tell_excused(console);
    let page = report::write(&judged, &done.out)?;
    console.print(render::terminal(&judged, width()))?;
    console.say(format_args!("report: {}", page.display()));
    // An interrupted run is no answer; one that failed is red whatever the gates say.
    let gates = judged.evaluation.outcome.code();
    let exit_code =
        if done.result.interrupted.is_some() { done.exit_code } else { gates.max(done.exit_code) };
    console.document(&Whole {
        run: done.summary(),
        gates: &judged.evaluation,
        report: page.display().to_string(),
    })?;
    Ok(exit_code)
}
