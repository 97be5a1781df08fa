//! What the crate promises to those who write its inputs and read its outputs.
#![expect(clippy::unwrap_used, reason = "a failed unwrap is a failed test")]

mod config;
mod goal;
mod plan;
mod samples;
mod schemas;

use std::path::PathBuf;

use mycelium_schemas::problem::Problem;

/// Every problem as `place: message | help`.
fn lines(problems: &[Problem]) -> Vec<String> {
    problems.iter().map(|problem| format!("{problem} | {}", problem.help)).collect()
}

/// A file of this crate.
fn file(relative: &str) -> PathBuf {
    PathBuf::from(env!("CARGO_MANIFEST_DIR")).join(relative)
}

/// Compares a committed file with what is generated; with `UPDATE_SCHEMAS=1` it is written instead.
fn assert_fresh(path: &std::path::Path, generated: &str) {
    if std::env::var_os("UPDATE_SCHEMAS").is_some() {
        std::fs::create_dir_all(path.parent().unwrap()).unwrap();
        std::fs::write(path, generated).unwrap();
    }
    let committed = std::fs::read_to_string(path).unwrap_or_default();
    assert!(committed == generated, "{} is stale: run the tests with UPDATE_SCHEMAS=1", path.display());
}
