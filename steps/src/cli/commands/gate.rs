//! `accept gate`: is what was proved enough?

use crate::cli::{
    args::GateArgs,
    console::{Console, width},
    error::CliError,
    judge::{Question, Wanted, judge},
    project::Project,
    render,
};

pub(in crate::cli) fn run(console: &Console, args: &GateArgs) -> Result<u8, CliError> {
    let project = Project::locate()?;
    let judged = judge(
        &project,
        Question {
            out: &project.resolve(&args.result.out.out),
            profile: args.profile,
            binary_digest: args.result.binary_digest(&project)?,
            today: args.result.day.date(),
            results: Wanted::Required,
        },
    )?;
    console.document(&judged.evaluation)?;
    console.print(render::terminal(&judged, width()))?;
    Ok(judged.evaluation.outcome.code())
}
