//! The batches that a run forms if every task lands at once.

use std::fmt::Write;

use comfy_table::{ContentArrangement, Table, presets};
use mycelium_schemas::{
    answer::{PlanAsked, Planned},
    id::TaskId,
    manifest::Manifest,
};

use super::{lines, problem::plain, state::usage};

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

/// The batches, and a table of their tasks with what each holds and may write.
pub(crate) fn table(planned: &Planned) -> String {
    let mut table = Table::new();
    table.load_style(presets::NOTHING);
    table.set_content_arrangement(ContentArrangement::Disabled);
    table.set_header(["TASK", "BATCH", "NAME", "AFTER", "LOCKS", "WRITES"]);
    for task in &planned.tasks {
        let batch = planned.batches.iter().position(|batch| batch.contains(&task.id));
        let reads = task.locks.reads.iter().map(|lock| format!("{lock} (read)"));
        let writes = task.locks.writes.iter().map(|lock| format!("{lock} (write)"));
        table.add_row([
            task.id.to_string(),
            batch.map_or_else(|| "-".to_owned(), |index| (index + 1).to_string()),
            plain(&task.name),
            or_dash(task.dependencies.iter().map(TaskId::to_string)),
            or_dash(reads.chain(writes)),
            plain(&or_dash(task.files.writes.iter().map(ToString::to_string))),
        ]);
    }
    let rows = lines(table.lines().map(|row| row.trim().to_owned()));
    format!("{}\n{rows}", batches(&planned.batches, &planned.tasks))
}

fn or_dash(words: impl Iterator<Item = String>) -> String {
    let all = words.collect::<Vec<_>>().join(", ");
    if all.is_empty() { "-".to_owned() } else { all }
}

/// How a plan came about, and what it cost.
pub(crate) fn asked(asked: &PlanAsked) -> String {
    let attempts = asked.attempts.len();
    let model = asked.model.as_ref().map(|model| format!(" ({})", plain(model))).unwrap_or_default();
    let used = asked
        .usage
        .map_or_else(|| "it told no usage".to_owned(), |used| usage(used, asked.prices_as_of.as_deref()));
    format!(
        "planned by {}{model} in {attempts} {}: {used}; prompts and answers are in {}",
        asked.provider,
        if attempts == 1 { "attempt" } else { "attempts" },
        asked.artifacts,
    )
}
