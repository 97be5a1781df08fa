//! From the message stream of a run to matrix, gates and reports. Always from the stream, never from a rendered file.

use std::{collections::BTreeSet, path::Path};

use jiff::civil::Date;
use mycelium_schemas::{
    goal::gates::ProfileName,
    matrix::{Matrix, ScenarioKey, Subject},
    verdict::Evaluation,
};
use mycelium_traceability::{Inputs, build, evaluate, excused_for_all};

use super::{
    bench,
    error::CliError,
    flake::history,
    history::Earlier,
    mutation,
    project::{Project, catalogue},
    sabotage,
    steps::unused,
    stream,
};
use crate::runner::Vocabulary;

/// What the gates are asked about.
#[derive(Debug)]
pub(super) struct Question<'a> {
    /// What the step library has.
    pub(super) vocabulary: &'a Vocabulary,
    /// The output folder of the run.
    pub(super) out: &'a Path,
    /// What is required.
    pub(super) profile: ProfileName,
    /// SHA-256 of the program under test as it is now.
    pub(super) binary_digest: Option<String>,
    /// The day that deadlines are compared with.
    pub(super) today: Date,
    /// Whether it is an error that nothing ran.
    pub(super) results: Wanted,
}

/// Whether results have to be there.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(super) enum Wanted {
    Required,
    IfThere,
}

/// What came of it.
#[derive(Debug)]
pub(super) struct Judged {
    pub(super) matrix: Matrix,
    pub(super) evaluation: Evaluation,
    /// The scenarios whose failures a quarantine excuses.
    pub(super) excused: BTreeSet<ScenarioKey>,
}

/// Builds the matrix and judges it, with the history of flakes where it stands by itself.
pub(super) fn judge(project: &Project, question: Question<'_>) -> Result<Judged, CliError> {
    judge_with(project, question, &history::default_path(project))
}

/// The same with a history of the caller's.
pub(super) fn judge_with(
    project: &Project,
    question: Question<'_>,
    history: &Path,
) -> Result<Judged, CliError> {
    let registry = project.registry()?;
    let suite = project.parsed_suite(&[])?;
    let catalogue = catalogue(&suite)?;
    let run = match question.results {
        Wanted::Required => Some(stream::required_run(question.out)?),
        Wanted::IfThere => stream::run(question.out)?,
    };
    let history = history::read(history)?;
    let Earlier { locked, quarantined, measured } = project.earlier()?;
    let tree = project.tree();
    let subject = Subject {
        tree: tree.id,
        dirty: tree.dirty,
        binary_digest: question.binary_digest,
        source_digest: tree.source_digest,
    };
    let sabotage = sabotage::read(question.out)?;
    let bench = bench::read(question.out)?;
    let mutation = mutation::read(project)?;
    let inputs = Inputs {
        registry: &registry,
        profile: registry.rules.profile(question.profile),
        locked: &locked,
        quarantined: &quarantined,
        measured: &measured,
        catalogue: &catalogue,
        unused: &unused(question.vocabulary, &suite),
        results: run.as_ref().map(|run| &run.results),
        history: &history,
        sabotage: sabotage.as_ref(),
        bench: bench.as_ref(),
        mutation: mutation.as_ref(),
        subject: &subject,
        today: question.today,
    };
    let matrix = build(&inputs);
    let evaluation = evaluate(&matrix, &registry.rules, question.profile);
    Ok(Judged { matrix, evaluation, excused: excused_for_all(&inputs) })
}
