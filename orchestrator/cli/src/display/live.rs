//! The progress of a run on a terminal: decisive events scroll by, and below them stand the tasks at work with what they
//! do and for how long, and the run's sum.

use std::{
    collections::BTreeMap,
    io::{self, IsTerminal},
    time::Duration,
};

use indicatif::{MultiProgress, ProgressBar, ProgressDrawTarget, ProgressStyle};
use mycelium_schemas::{
    event::{Event, EventKind},
    id::TaskId,
    state::Usage,
};

use crate::{output::Output, render};

/// Between two looks at the clock.
const TICK: Duration = Duration::from_millis(250);

/// The display; dropping it clears the part that moves.
#[derive(Debug)]
pub(crate) struct Live {
    screen: MultiProgress,
    style: ProgressStyle,
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
    /// On standard error, where it is a terminal and people want to see it.
    pub(crate) fn on_terminal(output: Output) -> Option<Self> {
        if output.quiet || !io::stderr().is_terminal() {
            return None;
        }
        let style = ProgressStyle::with_template("{spinner} {prefix}  {msg}  {elapsed}").ok()?;
        let screen = MultiProgress::with_draw_target(ProgressDrawTarget::stderr());
        let sum = screen.add(ProgressBar::no_length());
        sum.set_style(ProgressStyle::with_template("{prefix} · {msg} · {elapsed}").ok()?);
        sum.enable_steady_tick(TICK);
        Some(Self {
            screen,
            style,
            sum,
            tasks: BTreeMap::new(),
            landing: None,
            waiting: Vec::new(),
            planned: 0,
            landed: 0,
            usage: Usage::default(),
        })
    }

    /// Shows an event, given its line if it is a decisive one.
    pub(crate) fn event(&mut self, event: &Event, line: Option<&str>) {
        if let Some(line) = line {
            // A terminal that is gone shows nothing; the run goes on.
            let _ = self.screen.println(line);
        }
        if let Some(task) = &event.task_id {
            self.task(task, event);
        }
        self.run(event);
        self.sum.set_message(format!(
            "{}/{} landed · {} at work · {}",
            self.landed,
            self.planned,
            self.tasks.len(),
            render::state::usage(self.usage)
        ));
    }

    fn task(&mut self, task: &TaskId, event: &Event) {
        let phase = match &event.kind {
            EventKind::TaskStart(_) => "prepares its workspace",
            EventKind::WorkerStart(_) => "agent works",
            EventKind::WorkerExit(_) => "goes through its gates",
            EventKind::TaskValidated(_) => {
                self.waiting.push(task.clone());
                return self.end(task);
            }
            EventKind::TaskRetry(_)
            | EventKind::TaskRescope(_)
            | EventKind::TaskFail(_)
            | EventKind::TaskReview(_) => return self.end(task),
            _ => return,
        };
        let bar = self.tasks.entry(task.clone()).or_insert_with(|| {
            let bar = self.screen.insert_before(&self.sum, ProgressBar::new_spinner());
            bar.set_style(self.style.clone());
            bar.enable_steady_tick(TICK);
            bar
        });
        bar.set_prefix(format!("task {task}#{}", event.attempt.unwrap_or(1)));
        bar.set_message(phase);
    }

    fn end(&mut self, task: &TaskId) {
        if let Some(bar) = self.tasks.remove(task) {
            bar.finish_and_clear();
            self.screen.remove(&bar);
        }
        if self.tasks.is_empty() && !self.waiting.is_empty() {
            self.begin_landing();
        }
    }

    /// What passed its gates is merged and goes to the doctor.
    fn begin_landing(&mut self) {
        let ids = self.waiting.iter().map(TaskId::as_str).collect::<Vec<_>>().join(", ");
        let bar = self.screen.insert_before(&self.sum, ProgressBar::new_spinner());
        bar.set_style(self.style.clone());
        bar.set_prefix(format!("landing {ids}"));
        bar.set_message("merges and asks the doctor");
        bar.enable_steady_tick(TICK);
        self.landing = Some(bar);
    }

    fn run(&mut self, event: &Event) {
        match &event.kind {
            EventKind::RunStart(start) => {
                self.planned = start.tasks.len();
                self.sum.set_prefix(format!("run {}", event.run_id));
            }
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

impl Drop for Live {
    fn drop(&mut self) {
        // A terminal that is gone needs no clearing.
        let _ = self.screen.clear();
    }
}
