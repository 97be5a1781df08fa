//! `mycelium init`: the first files of a project.

use mycelium_engine::init;
use mycelium_schemas::answer::{InitFile, Initialized, Written};

use super::Context;
use crate::{args, error::CliError, exit::Exit, render};

/// Writes them and says what became of each.
pub(crate) fn run(context: &Context, args: &args::InitArgs) -> Result<Exit, CliError> {
    let project = context.project()?;
    let files = init::init(&project, args.force)?;
    let files =
        files.into_iter().map(|(path, written)| InitFile { path: project.display(&path), written }).collect();
    let answer = Initialized { project: project.name, files };
    context.output.data(&answer, || {
        let line = |file: &InitFile| format!("{:8} {}", word(file.written), file.path);
        render::lines(answer.files.iter().map(line))
    })?;
    if answer.files.iter().any(|file| file.written == Written::Kept) {
        context.output.say("files that were there are kept; --force replaces them");
    }
    context.output.say("next: make .mycelium/doctor.sh test your project, then `mycelium plan --input FILE`");
    Ok(Exit::Done)
}

fn word(written: Written) -> &'static str {
    match written {
        Written::Created => "created",
        Written::Kept => "kept",
        Written::Replaced => "replaced",
    }
}
