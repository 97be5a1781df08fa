//! `accept gate`: is what was proved enough?

use mycelium_schemas::verdict::Outcome;

use crate::{
    cli::{
        args::GateArgs,
        console::{Console, width},
        error::CliError,
        judge::{Question, Wanted, judge_with},
        project::Project,
        render,
    },
    runner::{Loader, store::MESSAGES},
};

pub(in crate::cli) fn run(console: &Console, load: Loader, args: &GateArgs) -> Result<u8, CliError> {
    let library = load()?;
    let project = Project::locate()?;
    let out = args.result.out.folder(&project);
    let judged = judge_with(
        &project,
        Question {
            vocabulary: library.vocabulary(),
            out: &out,
            profile: args.profile,
            binary_digest: args.result.binary_digest(&project)?,
            today: args.result.day.date(),
            results: Wanted::Required,
        },
        &args.result.history(&project),
    )?;
    console.document(&judged.evaluation)?;
    console.print(render::terminal(&judged, width()))?;
    let outcome = judged.evaluation.outcome;
    if outcome == Outcome::BadInput {
        console.say(format_args!("nothing can be judged by {}", out.join(MESSAGES).display()));
    }
    Ok(outcome.code())
}
