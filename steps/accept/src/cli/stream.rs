//! The message stream of a run as it stands on the disk, for all who read it.

use std::{fs, io, path::Path};

use mycelium_schemas::messages::Envelope;
use mycelium_traceability::Results;

use super::{error::CliError, evidence};
use crate::runner::store::{MESSAGES, UNFINISHED};

/// A run that came to its end, read strictly, its evidence too.
#[derive(Debug)]
pub(super) struct Run {
    pub(super) results: Results,
    pub(super) text: String,
}

/// The run in an output folder; none where nothing ran.
pub(super) fn run(out: &Path) -> Result<Option<Run>, CliError> {
    let path = out.join(MESSAGES);
    let Some(text) = text(&path)? else { return Ok(None) };
    let results = Results::read(&text).map_err(|problems| CliError::BadResults { path, problems })?;
    evidence::check(out, results.evidence_files()).map_err(CliError::BadEvidence)?;
    Ok(Some(Run { results, text }))
}

/// The run in an output folder, which has to be there.
pub(super) fn required_run(out: &Path) -> Result<Run, CliError> {
    run(out)?.ok_or_else(|| {
        let unfinished = out.join(UNFINISHED);
        if unfinished.exists() { CliError::Died(unfinished) } else { CliError::NoResults(out.join(MESSAGES)) }
    })
}

/// The text of a stream; none where there is no such file.
pub(super) fn text(path: &Path) -> Result<Option<String>, CliError> {
    match fs::read_to_string(path) {
        Ok(text) => Ok(Some(text)),
        Err(error) if error.kind() == io::ErrorKind::NotFound => Ok(None),
        Err(source) => Err(CliError::File { action: "read", path: path.to_owned(), source }),
    }
}

/// The messages of the stream at a path.
pub(super) fn messages(path: &Path, text: &str) -> Result<Vec<Envelope>, CliError> {
    let messages: Result<_, serde_json::Error> = text.lines().map(serde_json::from_str).collect();
    messages.map_err(|error| CliError::File {
        action: "understand",
        path: path.to_owned(),
        source: error.into(),
    })
}
