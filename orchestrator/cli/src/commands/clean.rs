//! `mycelium clean`: what runs left behind goes.

use mycelium_engine::{
    clean::{self, CleanRequest, Scope},
    signals::Listening,
};

use super::Context;
use crate::{args, error::CliError, exit::Exit, output, render};

/// Removes, or lists what would be removed.
pub(crate) fn run(context: &Context, args: args::CleanArgs) -> Result<Exit, CliError> {
    // Before anything is looked at: a signal from now on stops it in order, a second one at once.
    let watch = Listening::begin()?.watch(|signal| std::process::exit(Exit::from(signal) as i32));
    let project = context.project()?;
    let scope = match args.run_id {
        Some(run_id) => Scope::One(run_id),
        None if args.all => Scope::All,
        None => Scope::Finished,
    };
    let request = CleanRequest { scope, dry_run: args.dry_run, force: args.force };
    let cleaned = clean::clean(&project, &context.environment, &request, &watch)?;
    let output = context.output;
    let shown = output.data(&cleaned, || render::clean::removed(&cleaned));
    output.say(render::clean::rest(&cleaned).trim_end());
    if !cleaned.failed.is_empty() {
        output::complain(render::clean::failed(&cleaned).trim_end());
    }
    if let Some(unreached) = &cleaned.unreached {
        output::complain(render::clean::unreached(unreached).trim_end());
    }
    // That a signal comes when all is done changes nothing.
    if let Some(signal) = watch.signal().filter(|_| !cleaned.left.is_empty()) {
        output::complain(&render::clean::stopped(&cleaned, signal));
        return Ok(signal.into());
    }
    if !cleaned.failed.is_empty() || cleaned.unreached.is_some() {
        return Ok(Exit::Environment);
    }
    shown?;
    Ok(Exit::Done)
}
