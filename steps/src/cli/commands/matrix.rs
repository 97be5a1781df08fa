//! `accept matrix`: which promise is tested by what, and how far it is proved.

use std::fs;

use mycelium_schemas::goal::gates::ProfileName;

use crate::cli::{
    args::MatrixArgs,
    console::{Console, width},
    error::CliError,
    judge::{Question, Wanted, judge},
    project::{Project, write},
    render,
};

/// The committed matrix: what is promised and linked, without results.
const COMMITTED: &str = "docs/traceability-matrix.md";

pub(in crate::cli) fn run(console: &Console, args: &MatrixArgs) -> Result<u8, CliError> {
    let project = Project::locate()?;
    let judged = judge(
        &project,
        Question {
            out: &project.resolve(&args.result.out.out),
            profile: ProfileName::Local,
            binary_digest: args.result.binary_digest(&project)?,
            today: args.result.day.date(),
            results: Wanted::IfThere,
        },
    )?;
    let path = project.root.join(COMMITTED);
    let fresh = render::committed(&judged);
    console.document(&judged.matrix)?;
    if args.check {
        if fs::read(&path).ok().as_deref() == Some(fresh.as_bytes()) {
            console.say(format_args!("{COMMITTED} is up to date"));
            return Ok(0);
        }
        console.say(format_args!("{COMMITTED} is not up to date; run `cargo accept matrix` and commit it"));
        return Ok(1);
    }
    console.print(render::terminal(&judged, width()))?;
    write(&path, fresh.as_bytes())?;
    console.say(format_args!("wrote {COMMITTED}"));
    Ok(0)
}
