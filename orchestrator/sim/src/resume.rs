//! Another life: what the disk holds is folded, the world is looked at, and both are made to agree.

use mycelium_core::{
    recover::{Found, IntentFound},
    settle::Draft,
};
use mycelium_schemas::{
    event::{CheckoutUpdate, EventKind, JournalTruncated, LandingIntent, Local},
    state::TaskStatus,
};

use crate::{
    agent::tokens,
    mutant::Mutant,
    sim::{Sim, Step, broken},
};

impl Sim {
    /// Reads the journal, cuts off what is torn, and says so. False where the run never began.
    pub(crate) fn load(&mut self) -> Step<bool> {
        self.effect()?;
        let length = self.file.bytes().len() as u64;
        let Some((state, ledger, whole)) = self.fold()? else { return Ok(false) };
        if state.last_seq < self.promised {
            return broken(format!(
                "event {} was durable, and the journal ends at {}",
                self.promised, state.last_seq
            ));
        }
        self.story.push(format!("     -- read up to event {}", state.last_seq));
        (self.state, self.ledger) = (state, ledger);
        let torn = length - whole;
        if torn > 0 {
            self.effect()?;
            if !self.is(Mutant::TornEndKept) {
                self.file.cut(usize::try_from(whole).unwrap_or(usize::MAX));
            }
            self.saw("a torn journal");
            let cut = EventKind::JournalTruncated(JournalTruncated { bytes: torn });
            self.record(vec![Draft::run(cut)])?;
        }
        Ok(true)
    }

    /// Goes on with the run. False where there is nothing to go on with.
    pub(crate) fn resume(&mut self) -> Step<bool> {
        self.recovering.get_or_insert(0);
        self.canary_ran = false;
        if !self.load()? {
            return Ok(false);
        }
        if self.state.end.as_ref().is_some_and(|end| !end.is_resumable()) {
            return Ok(true);
        }
        self.effect()?;
        // What a dead orchestrator left running is ended before anything begins.
        if !self.is(Mutant::OrphanLeftAlive) {
            self.world.alive.clear();
        }
        let found = self.look()?;
        self.world.colleague(&mut self.dice);
        for group in self.recover(found) {
            self.record(group)?;
        }
        self.check_recovered()?;
        self.recovering = None;
        self.live()?;
        Ok(true)
    }

    fn look(&mut self) -> Step<Found> {
        let intent = match self.state.open_intent.clone() {
            Some((_, intent)) => Some(self.look_at_intent(&intent)?),
            None => None,
        };
        let mut found = Found {
            head: Some(self.world.head().clone()),
            intent,
            local: Local::default(),
            ..Found::default()
        };
        for (id, facts) in &self.state.tasks {
            match (facts.status, &facts.commit) {
                (TaskStatus::Running, _) => {
                    let report = self.world.reports.get(&(id.clone(), facts.attempts));
                    let kept = report.and_then(|report| report.kept);
                    found.usage.extend(kept.map(|kept| (id.clone(), tokens(kept))));
                }
                (TaskStatus::Validated, Some(commit)) if !self.world.holds(commit) => {
                    found.missing.insert(id.clone());
                }
                _ => {}
            }
        }
        if !found.missing.is_empty() {
            self.saw("a commit gone");
        }
        Ok(found)
    }

    fn look_at_intent(&mut self, intent: &LandingIntent) -> Step<IntentFound> {
        let head = self.world.head().clone();
        if head == intent.old_head {
            self.saw("an intent not carried out");
            return Ok(IntentFound::NotMoved);
        }
        if head == intent.commit {
            self.saw("an intent carried out");
            return self.follow(intent).map(IntentFound::Moved);
        }
        Ok(if self.world.is_ancestor(&intent.commit, &head) {
            self.saw("an intent carried out and built on");
            IntentFound::Moved(CheckoutUpdate::NotCheckedOut)
        } else {
            self.saw("an intent overtaken");
            IntentFound::MovedAway(Some(head))
        })
    }
}
