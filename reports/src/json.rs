//! For scripts: the matrix itself.

use mycelium_schemas::matrix::Matrix;

use crate::RenderError;

/// Renders the matrix as a JSON document.
pub fn json(matrix: &Matrix) -> Result<String, RenderError> {
    Ok(serde_json::to_string_pretty(matrix)? + "\n")
}
