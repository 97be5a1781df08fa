//! `accept report`: the reports of the last run, written again.

use std::path::{Path, PathBuf};

use crate::{
    cli::{
        args::{ReportArgs, ReportFormat},
        console::Console,
        error::CliError,
        judge::{Judged, Question, Wanted, judge_with},
        project::{Project, write as write_file},
        render,
    },
    runner::{Loader, OutLock},
};

pub(in crate::cli) fn run(console: &Console, load: Loader, args: &ReportArgs) -> Result<u8, CliError> {
    let library = load()?;
    let project = Project::locate()?;
    let out = args.result.out.folder(&project);
    // Nobody replaces the results while they are read and reported.
    let _lock = OutLock::take_results(&out)?;
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
    let report = write(&judged, &out)?;
    console.say(format_args!("report: {}", report.display()));
    let annotations = render::annotations(&judged);
    if args.format == ReportFormat::Github && !annotations.is_empty() {
        console.print(annotations)?;
    }
    console.document(&judged.matrix)?;
    if args.open {
        open::that_detached(&report).map_err(|source| CliError::NoBrowser { page: report, source })?;
    }
    Ok(0)
}

/// Writes everything that is derived from a run, and says where its page is.
pub(super) fn write(judged: &Judged, out: &Path) -> Result<PathBuf, CliError> {
    for (name, text) in render::files(judged)? {
        write_file(&out.join(name), text.as_bytes())?;
    }
    Ok(out.join(render::PAGE))
}
