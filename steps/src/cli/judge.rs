//! From the message stream of a run to matrix, gates and reports. Always from the stream, never from a rendered file.

use std::{
    fs, io,
    path::{Path, PathBuf},
};

use jiff::{Timestamp, tz::Offset};
use mycelium_schemas::{
    goal::gates::ProfileName,
    matrix::{Matrix, Subject},
    verdict::Evaluation,
};
use mycelium_traceability::{Inputs, Results, build, evaluate};

use super::{error::CliError, evidence, project::Project};
use crate::runner::store::MESSAGES;

/// What the gates are asked about.
#[derive(Debug)]
pub(super) struct Question<'a> {
    /// The output folder of the run.
    pub(super) out: &'a Path,
    /// What is required.
    pub(super) profile: ProfileName,
    /// SHA-256 of the program under test as it is now.
    pub(super) binary_digest: Option<String>,
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
}

/// Builds the matrix and judges it.
pub(super) fn judge(project: &Project, question: Question<'_>) -> Result<Judged, CliError> {
    let registry = project.registry()?;
    let catalogue = project.catalogue()?;
    let results = read_results(&question.out.join(MESSAGES), question.results)?;
    if let Some(results) = &results {
        evidence::check(question.out, results.evidence_files()).map_err(CliError::BadEvidence)?;
    }
    let tree = project.tree();
    let subject = Subject { tree: tree.id, dirty: tree.dirty, binary_digest: question.binary_digest };
    let matrix = build(&Inputs {
        registry: &registry,
        profile: registry.rules.profile(question.profile),
        catalogue: &catalogue,
        results: results.as_ref(),
        subject: &subject,
        today: Offset::UTC.to_datetime(Timestamp::now()).date(),
    });
    let evaluation = evaluate(&matrix, &registry.rules, question.profile);
    Ok(Judged { matrix, evaluation })
}

fn read_results(path: &Path, wanted: Wanted) -> Result<Option<Results>, CliError> {
    let text = match fs::read_to_string(path) {
        Ok(text) => text,
        Err(error) if error.kind() == io::ErrorKind::NotFound => {
            return match wanted {
                Wanted::Required => Err(CliError::NoResults(path.to_owned())),
                Wanted::IfThere => Ok(None),
            };
        }
        Err(source) => return Err(CliError::File { action: "read", path: path.to_owned(), source }),
    };
    Results::read(&text)
        .map(Some)
        .map_err(|problems| CliError::BadResults { path: PathBuf::from(path), problems })
}
