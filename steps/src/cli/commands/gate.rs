//! `accept gate`: is what was proved enough?

use mycelium_schemas::verdict::Outcome;

use crate::{
    cli::{
        args::GateArgs,
        console::{Console, width},
        error::CliError,
        judge::{Question, Wanted, judge},
        project::Project,
        render,
    },
    runner::store::MESSAGES,
};

pub(in crate::cli) fn run(console: &Console, args: &GateArgs) -> Result<u8, CliError> {
    let project = Project::locate()?;
    let out = project.resolve(&args.result.out.out);
    let judged = judge(
        &project,
        Question {
            out: &out,
            profile: args.profile,
            binary_digest: args.result.binary_digest(&project)?,
            today: args.result.day.date(),
            results: Wanted::Required,
        },
    )?;
    console.document(&judged.evaluation)?;
    console.print(render::terminal(&judged, width()))?;
    let outcome = judged.evaluation.outcome;
    if outcome == Outcome::BadInput {
        console.say(format_args!("nothing can be judged by {}", out.join(MESSAGES).display()));
    }
    Ok(outcome.code())
}
