//! The batches that a run forms if every task lands at once.

use std::fmt::Write;

use mycelium_schemas::{id::TaskId, manifest::Manifest};

/// One line a batch, with the names of its tasks where they are known.
pub(crate) fn batches(batches: &[Vec<TaskId>], tasks: &[Manifest]) -> String {
    let mut text = String::new();
    for (index, batch) in batches.iter().enumerate() {
        let names: Vec<String> = batch
            .iter()
            .map(|id| match tasks.iter().find(|task| task.id == *id) {
                Some(task) => format!("{id} {}", task.name),
                None => id.to_string(),
            })
            .collect();
        // Writing to a string cannot fail.
        let _ = writeln!(text, "batch {}: {}", index + 1, names.join(" · "));
    }
    text
}
