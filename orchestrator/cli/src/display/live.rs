//! The progress of a run on a terminal: decisive events scroll by, and below them stand the tasks at work with what they
//! do and for how long, and the run's sum.

use std::{
    collections::BTreeMap,
    io::{self, IsTerminal},
    time::Duration,
};

use indicatif::{MultiProgress, ProgressBar, ProgressStyle};
use mycelium_schemas::{
    event::{Event, EventKind},
    id::TaskId,
    state::{RunView, TaskStatus, Usage},
};

use super::screen;
use crate::{
    output::{self, Output},
    render,
};

/// Between two looks at the clock.
const TICK: Duration = Duration::from_millis(250);

/// The display; dropping it clears the part that moves.
pub(crate) struct Live {
    screen: MultiProgress,
    sum: ProgressBar,
    tasks: BTreeMap<TaskId, ProgressBar>,
    /// The landing of the open batch, while one is under way.
    landing: Option<ProgressBar>,
    /// Tasks of the open batch that have passed their gates and wait.
    waiting: Vec<TaskId>,
    planned: usize,
    landed: usize,
    usage: Usage,
}

impl Live {
    /// On standard error, where it is a terminal and people want to see it. A run that goes on does not say again how
    /// many tasks it has and what became of them: that is known from how it stood.
    pub(crate) fn on_terminal(output: Output, before: Option<&RunView>) -> Option<Self> {
        if output.quiet || !io::stderr().is_terminal() {
            return None;
        }
        let screen = MultiProgress::with_draw_target(screen::stderr());
        let sum = screen.add(ProgressBar::no_length());
        sum.set_style(ProgressStyle::with_template("{prefix} · {msg} · {elapsed}").ok()?);
        sum.set_prefix("run");
        sum.set_message("begins");
        sum.enable_steady_tick(TICK);
        Some(Self {
            screen,
            sum,
            tasks: BTreeMap::new(),
            landing: None,
            waiting: Vec::new(),
            planned: before.map_or(0, |run| run.tasks.len()),
            landed: before.map_or(0, landed),
            usage: before.map_or_else(Usage::default, |run| run.usage),
        })
    }

    /// Shows an event, given its line if it is a decisive one.
    pub(crate) fn event(&mut self, event: &Event, line: Option<&str>) {
        if let Some(line) = line {
            // What scrolls by is no part of what is cleared away later.
            self.screen.suspend(|| output::complain(line));
        }
        if let Some(task) = &event.task_id {
            self.task(task, event);
        }
        self.run(event);
        let of_all = if self.planned > 0 { format!("/{}", self.planned) } else { String::new() };
        self.sum.set_message(format!(
            "{}{of_all} landed · {} at work · {}",
            self.landed,
            self.tasks.len(),
            render::state::usage(self.usage, None)
        ));
    }

    fn task(&mut self, task: &TaskId, event: &Event) {
        let phase = match &event.kind {
            EventKind::TaskStart(_) => "prepares its workspace",
            EventKind::WorkerStart(_) | EventKind::WorkerReattach(_) => "agent works",
            EventKind::WorkerExit(_) => "goes through its gates",
            EventKind::TaskValidated(_) => {
                self.waiting.push(task.clone());
                return self.end(task);
            }
            EventKind::TaskRetry(_)
            | EventKind::TaskRescope(_)
            | EventKind::WorkerLost(_)
            | EventKind::TaskFail(_)
            | EventKind::TaskReview(_) => return self.end(task),
            _ => return,
        };
        let name = format!("task {task}#{}", event.attempt.unwrap_or(1));
        let (screen, sum) = (&self.screen, &self.sum);
        let bar = self.tasks.entry(task.clone()).or_insert_with(|| spinner(screen, sum, name));
        bar.set_message(phase);
    }

    fn end(&mut self, task: &TaskId) {
        if let Some(bar) = self.tasks.remove(task) {
            bar.finish_and_clear();
            self.screen.remove(&bar);
        }
        if self.tasks.is_empty() && !self.waiting.is_empty() && self.landing.is_none() {
            self.begin_landing();
        }
    }

    /// What passed its gates is merged and goes to the doctor.
    fn begin_landing(&mut self) {
        let ids = render::ids(&self.waiting);
        let bar = spinner(&self.screen, &self.sum, format!("landing {ids}"));
        bar.set_message("merges and asks the doctor");
        self.landing = Some(bar);
    }

    fn run(&mut self, event: &Event) {
        match &event.kind {
            EventKind::RunStart(start) => {
                self.planned = start.tasks.len();
                self.sum.set_prefix(format!("run {}", event.run_id));
            }
            EventKind::RunResume(_) => self.sum.set_prefix(format!("run {}", event.run_id)),
            EventKind::UsageUpdate(update) => self.usage = update.run_total,
            EventKind::LandingDone(done) => self.landed += done.tasks.len(),
            EventKind::BatchComplete(_) | EventKind::RunStop(_) => {
                self.waiting.clear();
                if let Some(bar) = self.landing.take() {
                    bar.finish_and_clear();
                    self.screen.remove(&bar);
                }
            }
            _ => {}
        }
    }
}

fn landed(run: &RunView) -> usize {
    run.tasks.values().filter(|task| task.status == TaskStatus::Landed).count()
}

/// A line above the sum that moves.
fn spinner(screen: &MultiProgress, sum: &ProgressBar, name: String) -> ProgressBar {
    let bar = screen.insert_before(sum, ProgressBar::new_spinner());
    // A template of ours is sound; with the usual style the line only looks different.
    if let Ok(style) = ProgressStyle::with_template("{spinner} {prefix}  {msg}  {elapsed}") {
        bar.set_style(style);
    }
    bar.set_prefix(name);
    bar.enable_steady_tick(TICK);
    bar
}

impl Drop for Live {
    fn drop(&mut self) {
        for bar in self.tasks.values().chain(&self.landing).chain([&self.sum]) {
            bar.finish_and_clear();
        }
        // A terminal that is gone needs no clearing.
        let _ = self.screen.clear();
    }
}
