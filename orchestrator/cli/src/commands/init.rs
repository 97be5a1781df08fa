//! `mycelium init`: the first files of a project.

use mycelium_engine::init::{self, Written};
use serde_json::{Value, json};

use super::Context;
use crate::{args, error::CliError, exit::Exit, render};

/// Writes them and says what became of each.
pub(crate) fn run(context: &Context, args: &args::InitArgs) -> Result<Exit, CliError> {
    let project = context.project()?;
    let files = init::init(&project, args.force)?;
    let listed: Vec<(String, &str)> =
        files.iter().map(|(path, written)| (project.display(path), word(*written))).collect();
    let document: Vec<Value> =
        listed.iter().map(|(path, written)| json!({ "path": path, "written": written })).collect();
    context.output.data(&json!({ "project": project.name, "files": document }), || {
        render::lines(listed.iter().map(|(path, written)| format!("{written:8} {path}")))
    })?;
    if files.iter().any(|(_, written)| *written == Written::Kept) {
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
