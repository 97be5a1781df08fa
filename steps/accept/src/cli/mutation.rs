//! What `.ci/mutants` left: what the tests of the gates notice.

use std::{fs, io, path::PathBuf};

use mycelium_schemas::{
    SCHEMA_VERSION,
    mutation::{MUTATION, Mutation},
};

use super::{error::CliError, project::Project};

/// The answer of the tests of the gates cannot be read.
#[derive(Debug, thiserror::Error)]
#[error("{} was written in the format version {version}; this accept reads {SCHEMA_VERSION}", path.display())]
pub(super) struct OtherVersion {
    path: PathBuf,
    version: u32,
}

/// What the tests of the gates notice; none where nobody asked.
pub(super) fn read(project: &Project) -> Result<Option<Mutation>, CliError> {
    let path = project.root.join(MUTATION);
    let failed = |action, source| CliError::File { action, path: path.clone(), source };
    let text = match fs::read_to_string(&path) {
        Err(error) if error.kind() == io::ErrorKind::NotFound => return Ok(None),
        result => result.map_err(|source| failed("read", source))?,
    };
    let mutation: Mutation =
        serde_json::from_str(&text).map_err(|error| failed("understand", error.into()))?;
    if mutation.schema_version != SCHEMA_VERSION {
        return Err(OtherVersion { path, version: mutation.schema_version }.into());
    }
    Ok(Some(mutation))
}
