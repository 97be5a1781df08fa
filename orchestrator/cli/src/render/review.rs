//! Work that waits for a human, as text.

use std::{fmt::Write as _, path::Path};

use mycelium_schemas::{
    answer::{TaskShown, Waiting},
    state::TaskStatus,
};

/// One line a task.
pub(crate) fn list(waiting: &[Waiting]) -> String {
    waiting.iter().fold(String::new(), |mut text, task| {
        let reason = task.reason.as_ref().map_or("no reason on record", |reason| reason.message.as_str());
        let stands = match task.status {
            TaskStatus::Validated => "approved".to_owned(),
            TaskStatus::Pending => "to be done again".to_owned(),
            status => status.to_string(),
        };
        // Writing to a String cannot fail.
        let _ = writeln!(text, "{}  {stands}  {reason}", task.task);
        text
    })
}

/// Everything about one.
pub(crate) fn task(shown: &TaskShown, run_dir: &Path) -> String {
    let task = &shown.state;
    let mut text = format!("task {}: {} after {} attempts\n", shown.task, task.status, task.attempts);
    for reason in &task.reasons {
        // Writing to a String cannot fail.
        let _ = writeln!(text, "  {}: {}", reason.code, reason.message);
    }
    let commit = task.commit.as_ref().map_or("none that could land", |commit| commit.as_str());
    let _ = writeln!(text, "commit     {commit}");
    let _ = writeln!(text, "artifacts  {}", shown.attempt_dir);
    let _ = writeln!(text, "run        {}", run_dir.display());
    text
}
