//! `mycelium doctor`: whether a run would work here. Changes nothing.

use mycelium_engine::{checkup, signals::Listening};
use mycelium_schemas::answer::{CheckArea, CheckStatus};

use super::Context;
use crate::{args, error::CliError, exit::Exit, render};

/// Shows every check. The machine's failures weigh more than the project's.
pub(crate) fn run(context: &Context, args: &args::DoctorArgs) -> Result<Exit, CliError> {
    let mut listening = Listening::begin()?;
    // For its secrets, which are kept out of what is said from here on. Why it is not found is among the checks.
    let _project = context.project();
    let world = args.world.into();
    let found = checkup::checkup(&context.locator, &context.environment, world, &mut listening)?;
    let shown = context.output.data(&found, || render::doctor::text(&found));
    let failed =
        |area| found.checks.iter().any(|check| check.area == area && check.status == CheckStatus::Fail);
    if failed(CheckArea::Environment) {
        return Ok(Exit::Environment);
    }
    if failed(CheckArea::Configuration) {
        return Ok(Exit::Input);
    }
    shown?;
    Ok(Exit::Done)
}
