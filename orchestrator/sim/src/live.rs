//! A life of the orchestrator: the loop of `mycelium run`, each effect a place to die.

use mycelium_core::{
    decide::Action,
    settle::{self, Draft},
};
use mycelium_schemas::event::{BatchStart, EventKind, RunComplete};

use crate::{
    mutant::Mutant,
    sim::{Sim, Step, broken},
};

impl Sim {
    /// Decides and acts until there is nothing more to do.
    pub(crate) fn live(&mut self) -> Step {
        loop {
            self.step()?;
            self.world.colleague(&mut self.dice);
            let actions = self.decide();
            if actions != self.decide() {
                return broken("deciding twice gives two answers");
            }
            let actions = self.unless_rewound(actions);
            if actions.is_empty() && self.running.is_empty() {
                // The view is written: it depends on the journal, and nothing depends on it.
                return self.effect();
            }
            if actions.is_empty() {
                self.wait()?;
            }
            for action in actions {
                self.act(action)?;
            }
        }
    }

    fn act(&mut self, action: Action) -> Step {
        match action {
            Action::StartBatch { batch, tasks } => {
                self.check_batch(&tasks)?;
                let start = BatchStart { tasks, base_commit: self.world.head().clone() };
                self.report(vec![Draft::batch(batch, EventKind::BatchStart(start))])
            }
            Action::StartAttempt { batch, task, attempt } => self.start_attempt(batch, &task, attempt),
            Action::Land(permit) => self.land(&permit),
            Action::CloseBatch { .. } if self.is(Mutant::BatchNeverCloses) => Ok(()),
            Action::CloseBatch { batch, result } => self.report(vec![settle::close_batch(batch, result)]),
            Action::Complete => {
                self.check_holds_landed("the run completes")?;
                let head_commit = self.state.head.clone();
                self.record(vec![Draft::run(EventKind::RunComplete(RunComplete { head_commit }))])
            }
            Action::Stop(stop) => {
                self.check_stop(&stop)?;
                self.record(vec![Draft::run(EventKind::RunStop(stop))])
            }
        }
    }
}
