//! The mocks' inputs: `MOCK_LLM_OUTPUT` (inline) wins over `MOCK_LLM_OUTPUT_PATH`; both are read at each call
//! (design 3.6).

use std::{fs, path::PathBuf};

use mycelium_schemas::problem::Source;

use crate::environment::Environment;

/// Why a mock has no answer.
#[derive(Debug, thiserror::Error)]
pub enum MockError {
    /// Neither variable is set.
    #[error("neither MOCK_LLM_OUTPUT nor MOCK_LLM_OUTPUT_PATH is set")]
    NotSet,
    /// The file cannot be read.
    #[error("MOCK_LLM_OUTPUT_PATH names {}, which cannot be read: {source}", path.display())]
    Unreadable {
        /// The file.
        path: PathBuf,
        /// Why.
        source: std::io::Error,
    },
}

/// What the mock model answers now.
pub fn llm_output(environment: &Environment) -> Result<Source, MockError> {
    if let Some(text) = environment.get("MOCK_LLM_OUTPUT") {
        return Ok(Source::new("MOCK_LLM_OUTPUT", text));
    }
    let name = environment.get("MOCK_LLM_OUTPUT_PATH").ok_or(MockError::NotSet)?;
    let path = environment.current_dir.join(name);
    let text = fs::read_to_string(&path).map_err(|source| MockError::Unreadable { path, source })?;
    Ok(Source::new(name, text))
}
