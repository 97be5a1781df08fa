//! Work that waits for a human, as text.

use std::{fmt::Write as _, path::Path};

use mycelium_schemas::{
    answer::{TaskShown, Waiting},
    state::TaskStatus,
};

use super::reason;

/// One line a task.
pub(crate) fn list(waiting: &[Waiting]) -> String {
    waiting.iter().fold(String::new(), |mut text, task| {
        let why = task.reason.as_ref().map_or_else(|| "no reason on record".to_owned(), reason);
        let stands = match task.status {
            TaskStatus::Validated => "approved".to_owned(),
            TaskStatus::Pending => "to be done again".to_owned(),
            status => status.to_string(),
        };
        // Writing to a String cannot fail.
        let _ = writeln!(text, "{}  {stands}  {why}", task.task);
        text
    })
}

/// Everything about one.
pub(crate) fn task(shown: &TaskShown, run_dir: &Path) -> String {
    let task = &shown.state;
    let mut text = format!("task {}: {} after {} attempts\n", shown.task, task.status, task.attempts);
    for found in &task.reasons {
        // Writing to a String cannot fail.
        let _ = writeln!(text, "  {}: {}", found.code, reason(found));
    }
    let commit = task.commit.as_ref().map_or("none that could land", |commit| commit.as_str());
    let _ = writeln!(text, "commit     {commit}");
    let _ = writeln!(text, "artifacts  {}", shown.attempt_dir);
    let _ = writeln!(text, "run        {}", run_dir.display());
    text
}
