//! `accept fmt`: feature files laid out as all of them are. Each file is replaced as a whole or not touched.

use std::path::PathBuf;

use mycelium_gherkin::{IdGenerator, format};
use serde::Serialize;

use super::lint::tell;
use crate::{
    cli::{
        args::FmtArgs,
        console::{Console, counted},
        diff,
        error::{BAD_INPUT, CliError},
        project::{Project, replace},
    },
    lint::{LintProblem, syntax},
};

/// What `accept fmt --json` prints.
#[derive(Debug, Default, Serialize)]
struct Formatted {
    /// Files that were laid out anew, or would be with `--check`.
    changed: Vec<String>,
    unchanged: usize,
    /// Files that were left alone, because they do not parse: `uri:line:column: what is wrong`.
    refused: Vec<String>,
}

pub(in crate::cli) fn run(console: &Console, args: &FmtArgs) -> Result<u8, CliError> {
    let project = Project::locate()?;
    let paths: Vec<PathBuf> = args.paths.iter().map(|path| project.relative_to_root(path)).collect();
    let suite = project.suite(&paths)?;
    let mut formatted = Formatted::default();
    let mut problems: Vec<LintProblem> = Vec::new();
    for file in &suite.files {
        // The source of a file that is not UTF-8 or cannot be read is not what stands on the disk.
        let text = file.parse(&mut IdGenerator::new()).and_then(|_| format(&file.source));
        match text {
            Err(errors) => problems.extend(syntax(file, &errors)),
            Ok(text) if text == file.source => formatted.unchanged += 1,
            Ok(text) => {
                if args.check {
                    console.print(diff::unified(console, &file.uri, &file.source, &text))?;
                } else {
                    replace(&project.root.join(&file.uri), &text)?;
                    console.say(format_args!("formatted {}", file.uri));
                }
                formatted.changed.push(file.uri.clone());
            }
        }
    }
    formatted.refused = problems.iter().map(LintProblem::summary).collect();
    tell(console, &problems);
    tell_counts(console, args, &formatted);
    console.document(&formatted)?;
    Ok(if problems.is_empty() { u8::from(args.check && !formatted.changed.is_empty()) } else { BAD_INPUT })
}

fn tell_counts(console: &Console, args: &FmtArgs, formatted: &Formatted) {
    let changed = counted(formatted.changed.len(), "file");
    match (args.check, formatted.changed.is_empty()) {
        (true, false) => console.say(format_args!("{changed} not formatted; run `cargo accept fmt`")),
        (_, true) => console.say(format_args!("{} formatted already", counted(formatted.unchanged, "file"))),
        (false, false) => console.say(format_args!("{changed} formatted, {} already", formatted.unchanged)),
    }
}
