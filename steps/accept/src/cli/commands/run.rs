//! `accept run`: lint, build, run, report; once or again and again.

use std::{
    collections::BTreeSet,
    num::NonZeroUsize,
    path::{Path, PathBuf},
};

use mycelium_schemas::goal::gates::ProfileName;
use mycelium_traceability::deadlines;

use super::report;
use crate::{
    cli::{
        args::{RunArgs, today},
        conduct::{Done, Prepared, Ready, Request, new_seed, prepare},
        console::{Console, Tone},
        error::CliError,
        judge::{Judged, Question, Wanted, judge},
        last_run,
        project::Project,
        repeat::Repetitions,
        summary::RunSummary,
        tell::Detail,
    },
    context::Lane,
    runner::{Cause, Loader, store::REPETITIONS},
};

pub(in crate::cli) fn run(
    console: &Console,
    load: Loader,
    args: RunArgs,
    scratch: PathBuf,
) -> Result<u8, CliError> {
    let project = Project::locate()?;
    let out = args.out.folder(&project);
    let left = if args.rerun { Some(last_run::left(&out)?) } else { None };
    if let Some(why) = left.as_ref().and_then(|left| left.beside.as_ref()) {
        console.say(format_args!("the last run failed by what belongs to no scenario: {why}"));
        console.say("so all of its scenarios are run again");
    }
    let lane = match (args.world, left.as_ref().and_then(|left| left.lane)) {
        (Some(here), Some(there)) if here != there => {
            return Err(CliError::OtherLane { there: there.as_str(), here: here.as_str() });
        }
        (here, there) => here.or(there).unwrap_or(Lane::Mock),
    };
    let again = left.map(|left| left.scenarios);
    let count_left = again.as_ref().map_or(0, BTreeSet::len);
    if again.as_ref().is_some_and(BTreeSet::is_empty) {
        // The results stay: they are what says so.
        console.say("every scenario of the last run passed, so there is nothing to run again");
        console.document(&RunSummary::of_cause(&Cause::NothingSelected, 1))?;
        return Ok(1);
    }
    let request = Request {
        library: load,
        filter: args.filter,
        again,
        shard: args.shard,
        lane,
        jobs: args.jobs,
        fail_fast: args.fail_fast,
        timeout: args.timeout,
        bin: args.bin.map(|path| project.resolve(&path)),
        keep: args.keep,
        scratch,
    };
    let prepared = match prepare(console, &project, request, &out)? {
        Ready::Refused { exit_code } => return Ok(exit_code),
        Ready::Go(prepared) => prepared,
    };
    let passed_over = count_left.saturating_sub(prepared.selected().len());
    if passed_over > 0 {
        console.say(format_args!(
            "note: {passed_over} more of what the last run left {} not selected; this run's results say nothing of that",
            if passed_over == 1 { "is" } else { "are" }
        ));
    }
    let seed = args.seed.unwrap_or_else(new_seed);
    if let Some(times) = args.repeat {
        return repeat(console, &project, &prepared, times, seed, &out, args.fail_fast);
    }
    let mut done = prepared.run(console, seed, out, Detail::Everything)?;
    let judged = judge_run(&project, &prepared, &done)?;
    done.excuse(&judged);
    done.tell_excused(console);
    for warning in deadlines(&judged.matrix) {
        console.say(warning);
    }
    let page = report::write(&judged, &done.out)?;
    console.say(format_args!("report: {}", page.display()));
    console.document(&done.summary())?;
    Ok(done.exit_code)
}

/// Runs the same again and again, each time in another order and into a folder of its own. Failures of the first
/// repetition that has some are told in full, those after it are counted.
fn repeat(
    console: &Console,
    project: &Project,
    prepared: &Prepared,
    times: NonZeroUsize,
    seed: u64,
    out: &Path,
    fail_fast: bool,
) -> Result<u8, CliError> {
    let mut repetitions = Repetitions::default();
    for number in 1..=times.get() {
        let detail = if repetitions.first_failure().is_none() { Detail::Cards } else { Detail::Nothing };
        let folder = out.join(REPETITIONS).join(number.to_string());
        let mut done = prepared.run(console, seed.wrapping_add(number as u64 - 1), folder, detail)?;
        let judged = judge_run(project, prepared, &done)?;
        report::write(&judged, &done.out)?;
        done.excuse(&judged);
        let passed = done.result.passed();
        let word = console
            .paint(if passed { Tone::Good } else { Tone::Bad }, if passed { "passed" } else { "failed" });
        console.say(format_args!("repetition {number} of {times}: {word} (seed {})", done.seed));
        for cause in &done.result.causes {
            console.say(format_args!("  {cause}"));
        }
        done.tell_excused(console);
        let (is_failure, interrupted) = (done.exit_code != 0, done.result.interrupted.is_some());
        repetitions.add(done);
        if interrupted || (fail_fast && is_failure) {
            break;
        }
    }
    let summary = repetitions.summary(times.get());
    console.say(&summary);
    console.document(&summary)?;
    Ok(summary.exit_code)
}

/// Judges what just ran.
pub(super) fn judge_run(project: &Project, prepared: &Prepared, done: &Done) -> Result<Judged, CliError> {
    let question = Question {
        vocabulary: prepared.stage.library.vocabulary(),
        out: &done.out,
        profile: ProfileName::Local,
        binary_digest: Some(prepared.stage.program.digest.clone()),
        today: today(),
        results: Wanted::Required,
    };
    judge(project, question)
}
