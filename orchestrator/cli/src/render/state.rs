//! How a run stands: a line, and a table of its tasks.

use comfy_table::{CellAlignment, ContentArrangement, Table, presets};
use mycelium_schemas::{
    answer::{LiveUsage, PlanAsked, RunShown},
    state::{RunStatus, RunView, TaskStatus, Usage},
};

use super::{lines, plan, problem::plain, reason, stamp};

/// A run as its watcher sees it.
#[derive(Debug)]
pub(crate) struct Seen {
    /// Its state.
    pub(crate) view: RunView,
    /// What is counted and not settled.
    pub(crate) live: Option<LiveUsage>,
}

/// For people.
pub(crate) fn text(run: &RunShown) -> String {
    let RunShown { view, paths, live, prices_as_of, planned } = run;
    let places = [
        format!("journal    {}", paths.journal),
        format!("state      {}", paths.state),
        format!("artifacts  {}", paths.run_dir),
    ];
    let notes = notes(view, live.as_ref(), planned.as_ref());
    format!("{}{notes}\n{}", whole(view, live.as_ref(), prices_as_of.as_deref()), lines(places))
}

/// For a table that is replaced as the run goes on.
pub(crate) fn live(seen: &Seen) -> String {
    let live = seen.live.as_ref();
    format!("{}{}", whole(&seen.view, live, None), notes(&seen.view, live, None))
}

fn whole(view: &RunView, live: Option<&LiveUsage>, prices_as_of: Option<&str>) -> String {
    let rows = table(view, live);
    format!("{}\n\n{}", line(view, live, prices_as_of), lines(rows.lines().map(|row| row.trim().to_owned())))
}

/// What is different from what was shown before, a line each; everything where nothing was.
pub(crate) fn changes(before: Option<&Seen>, now: &Seen) -> String {
    let Seen { view: now, live } = now;
    let live_before = before.and_then(|before| before.live.as_ref());
    let before = before.map(|before| &before.view);
    let head = before.is_none_or(|before| before.status != now.status);
    let when = stamp(now.updated_at);
    let head = head.then(|| format!("{when} {}", line(now, live.as_ref(), None)));
    let tasks = now.tasks.iter().filter_map(|(id, task)| {
        let old = before.and_then(|before| before.tasks.get(id));
        let news = old.is_none_or(|old| (old.status, old.attempts) != (task.status, task.attempts));
        let why = task.reasons.last().filter(|_| old.is_none_or(|old| old.reasons != task.reasons));
        let why = why.map(|found| format!(": {}", reason(found))).unwrap_or_default();
        let text = format!("{when} task {id}: {}, attempts {}{why}", task.status, task.attempts);
        news.then(|| plain(&text).replace('\n', " "))
    });
    // The stamp of the last event says nothing of when this was counted.
    let counted = live.iter().flat_map(|live| &live.tasks).filter_map(|(id, used)| {
        let old = live_before.and_then(|live| live.tasks.get(id));
        (old != Some(used)).then(|| format!("task {id}: {} so far", usage(*used, None)))
    });
    lines(tasks.chain(counted).chain(head))
}

/// What the table has no column for: what is not settled yet, what validators used, attempts of which nothing is known, and
/// what the plan used before there was a run.
fn notes(view: &RunView, live: Option<&LiveUsage>, planned: Option<&PlanAsked>) -> String {
    let open = match view.status {
        RunStatus::Running => "counted so far in its attempt, which goes on",
        _ => "of an attempt that was cut off, and settled by `mycelium resume`",
    };
    let live = live.into_iter().flat_map(|live| &live.tasks);
    let live = live.map(|(id, used)| format!("task {id}: {} are {open}", usage(*used, None)));
    let validators = view
        .validators
        .iter()
        .map(|(name, used)| format!("of these, the {name} validator used {}", usage(*used, None)));
    let silent = view.tasks.iter().filter(|(_, task)| task.unmetered_attempts > 0).map(|(id, task)| {
        let count = task.unmetered_attempts;
        let attempts = if count == 1 { "attempt" } else { "attempts" };
        if task.status == TaskStatus::Running {
            return format!("task {id}: its agent has told no usage so far in {count} {attempts}");
        }
        format!("task {id}: its agent told no usage in {count} {attempts}, which time alone bounded")
    });
    let planned = planned.map(|planned| format!("not counted in this: {}", plan::asked(planned)));
    let notes: Vec<String> = live.chain(validators).chain(silent).chain(planned).collect();
    if notes.is_empty() { String::new() } else { format!("\n{}", lines(notes)) }
}

fn line(view: &RunView, live: Option<&LiveUsage>, prices_as_of: Option<&str>) -> String {
    let used = live.map_or(view.usage, |live| view.usage.plus(live.usage));
    let why = view.stop_reason.map(|reason| format!(" ({reason})")).unwrap_or_default();
    format!(
        "run {} of {}: {}{why} · {} at {} · {}",
        view.run_id,
        view.project,
        view.status,
        plain(&view.integration_branch),
        view.head_commit.short(),
        usage(used, prices_as_of),
    )
}

/// Tokens, cached and reasoning ones apart where there are any, and what they cost where that is known, with the day of
/// the prices.
pub(crate) fn usage(usage: Usage, prices_as_of: Option<&str>) -> String {
    let parts = [
        ("cached", usage.cached_input_tokens),
        ("written to the cache", usage.cache_write_input_tokens),
        ("reasoning", usage.reasoning_output_tokens),
    ];
    let parts: Vec<String> =
        parts.iter().filter(|(_, count)| *count > 0).map(|(what, count)| format!("{count} {what}")).collect();
    let parts = if parts.is_empty() { String::new() } else { format!(" ({})", parts.join(", ")) };
    let tokens = format!("{} tokens{parts}", usage.tokens());
    if usage.cost_microusd == 0 {
        return tokens;
    }
    let day = prices_as_of.map(|day| format!(" at the prices of {day}")).unwrap_or_default();
    let (dollars, rest) = (usage.cost_microusd / 1_000_000, usage.cost_microusd % 1_000_000);
    format!("{tokens}, ${dollars}.{rest:06}{day}")
}

/// What is counted live is part of its tokens.
fn table(view: &RunView, live: Option<&LiveUsage>) -> Table {
    let mut table = Table::new();
    table.load_style(presets::NOTHING);
    table.set_content_arrangement(ContentArrangement::Disabled);
    table.set_header(["TASK", "STATUS", "ATTEMPTS", "TOKENS", "COMMIT", "REASON"]);
    for (id, task) in &view.tasks {
        let commit = task.commit.as_ref().map_or("-", |commit| commit.short());
        let why = task.reasons.last().map_or_else(String::new, |found| plain(&reason(found)));
        let live = live.and_then(|live| live.tasks.get(id)).copied().unwrap_or_default();
        table.add_row([
            id.to_string(),
            task.status.to_string(),
            task.attempts.to_string(),
            task.usage.plus(live).tokens().to_string(),
            commit.to_owned(),
            why.replace('\n', " "),
        ]);
    }
    for numbers in [2, 3] {
        if let Some(column) = table.column_mut(numbers) {
            column.set_cell_alignment(CellAlignment::Right);
        }
    }
    table
}
