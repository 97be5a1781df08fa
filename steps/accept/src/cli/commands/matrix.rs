//! `accept matrix`: which promise is tested by what, and how far it is proved.

use std::fs;

use mycelium_schemas::goal::gates::ProfileName;

use crate::{
    cli::{
        args::MatrixArgs,
        console::{Console, width},
        error::CliError,
        judge::{Question, Wanted, judge_with},
        project::{Project, write},
        render,
    },
    runner::Loader,
};

pub(in crate::cli) fn run(console: &Console, load: Loader, args: &MatrixArgs) -> Result<u8, CliError> {
    let library = load()?;
    let project = Project::locate()?;
    let judged = judge_with(
        &project,
        Question {
            vocabulary: library.vocabulary(),
            out: &args.result.out.folder(&project),
            profile: ProfileName::Local,
            binary_digest: args.result.binary_digest(&project)?,
            today: args.result.day.date(),
            results: Wanted::IfThere,
        },
        &args.result.history(&project),
    )?;
    let pages = render::committed(&judged, &project.registry()?);
    console.document(&judged.matrix)?;
    if args.check {
        return Ok(check(console, &project, &pages));
    }
    console.print(render::terminal(&judged, width()))?;
    for (name, fresh) in &pages {
        write(&project.root.join(name), fresh.as_bytes())?;
        console.say(format_args!("wrote {name}"));
    }
    Ok(0)
}

/// Says of each committed page whether it is what would be written now.
fn check(console: &Console, project: &Project, pages: &[(&str, String)]) -> u8 {
    let mut exit_code = 0;
    for (name, fresh) in pages {
        if fs::read(project.root.join(name)).ok().as_deref() == Some(fresh.as_bytes()) {
            console.say(format_args!("{name} is up to date"));
        } else {
            console.say(format_args!("{name} is not up to date; run `cargo accept matrix` and commit it"));
            exit_code = 1;
        }
    }
    exit_code
}
