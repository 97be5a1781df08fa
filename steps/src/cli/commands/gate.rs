//! `accept gate`: is what was proved enough?

use crate::cli::{
    args::GateArgs,
    console::{Console, width},
    error::CliError,
    flake::history,
    judge::{Question, Wanted, judge_with},
    project::Project,
    render,
};

pub(in crate::cli) fn run(console: &Console, args: &GateArgs) -> Result<u8, CliError> {
    let project = Project::locate()?;
    let history =
        args.history.as_ref().map_or_else(|| history::default_path(&project), |path| project.resolve(path));
    let judged = judge_with(
        &project,
        Question {
            out: &project.resolve(&args.result.out.out),
            profile: args.profile,
            binary_digest: args.result.binary_digest(&project)?,
            results: Wanted::Required,
        },
        &history,
    )?;
    console.document(&judged.evaluation)?;
    console.print(render::terminal(&judged, width()))?;
    Ok(judged.evaluation.outcome.code())
}
