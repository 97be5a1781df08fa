//! Tells how a run goes: on a terminal a bar with what went wrong above it, elsewhere one plain line a scenario.

use std::{num::NonZeroUsize, time::Duration};

use indicatif::{ProgressBar, ProgressStyle};
use mycelium_schemas::messages::TestStepResultStatus as Status;

use super::{
    again::Again,
    card::failure_card,
    console::{Console, Tone, counted},
    summary::status_word,
};
use crate::{
    runner::{RunResult, ScenarioResult},
    visible::visible,
};

/// How much of a run is told.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(super) enum Detail {
    /// Every scenario, every failure with its card, and the end.
    Everything,
    /// The cards alone, for a run among others.
    Cards,
    /// Nothing but the bar.
    Nothing,
}

/// How often the bar shows the time.
const TICK: Duration = Duration::from_millis(250);

/// Tells one run.
pub(super) struct Teller<'a> {
    console: &'a Console,
    detail: Detail,
    bar: Option<ProgressBar>,
}

impl<'a> Teller<'a> {
    pub(super) fn start(
        console: &'a Console,
        detail: Detail,
        seed: u64,
        jobs: NonZeroUsize,
        scenarios: usize,
    ) -> Self {
        if detail == Detail::Everything {
            console.say(format_args!("seed {seed}, {} at a time", counted(jobs.get(), "scenario")));
        }
        Self { console, detail, bar: console.is_watched().then(|| bar(scenarios)) }
    }

    /// A scenario ended.
    pub(super) fn scenario(&self, scenario: &ScenarioResult, to_come: usize) {
        let passed = scenario.status == Status::Passed;
        if self.detail == Detail::Everything && (self.bar.is_none() || !passed) {
            self.above_the_bar(|| self.console.say(line(self.console, scenario, to_come)));
        }
        if let Some(bar) = &self.bar {
            bar.inc(1);
        }
    }

    /// The run ended.
    pub(super) fn end(self, result: &RunResult, again: &Again) {
        let Self { console, detail, bar } = self;
        if let Some(bar) = bar {
            bar.finish_and_clear();
        }
        if detail == Detail::Nothing {
            return;
        }
        for scenario in &result.scenarios {
            if scenario.failure.is_some() {
                console.say(failure_card(console, scenario, again));
            }
        }
        if detail == Detail::Everything {
            tell_end(console, result);
        }
    }

    fn above_the_bar(&self, say: impl FnOnce()) {
        match &self.bar {
            Some(bar) => bar.suspend(say),
            None => say(),
        }
    }
}

fn bar(scenarios: usize) -> ProgressBar {
    // The template is constant; if it were wrong, the plain bar would still do.
    let style = ProgressStyle::with_template("{bar:30} {pos} of {len} scenarios, {elapsed}")
        .unwrap_or_else(|_| ProgressStyle::default_bar());
    let bar = ProgressBar::new(scenarios as u64).with_style(style);
    bar.enable_steady_tick(TICK);
    bar
}

fn line(console: &Console, scenario: &ScenarioResult, to_come: usize) -> String {
    let tone = if scenario.status == Status::Passed { Tone::Good } else { Tone::Bad };
    let seconds = scenario.duration.as_secs_f64();
    // The folder of one that failed stands on its card.
    let kept = scenario.kept.as_ref().filter(|_| scenario.failure.is_none());
    let kept = kept.map(|folder| format!("\n       its folder: {}", folder.display()));
    format!(
        "{} {}  {} {}{}",
        console.paint(tone, &format!("{:<6}", status_word(scenario))),
        scenario.place,
        visible(&scenario.name),
        console.paint(Tone::Dim, &format!("({seconds:.1} s, {to_come} to come)")),
        kept.unwrap_or_default(),
    )
}

fn tell_end(console: &Console, result: &RunResult) {
    let passed = result.scenarios.iter().filter(|scenario| scenario.status == Status::Passed).count();
    console.say(format_args!("\n{} ran, {passed} passed", counted(result.scenarios.len(), "scenario")));
    for note in &result.notes {
        console.say(format_args!("note: {note}"));
    }
    for cause in &result.causes {
        console.say(format_args!("{} {}", console.paint(Tone::Bad, "failed:"), visible(&cause.to_string())));
    }
    if let Some(interrupt) = result.interrupted {
        console.say(format_args!("ended by {interrupt}; what is known so far was written"));
    }
}
