//! A landing: candidate, doctor, intent, compare-and-swap, checkout; a colleague or a crash in between anywhere.

use mycelium_core::{
    permit::MergePermit,
    settle::{Draft, LandingOutcome},
};
use mycelium_schemas::{
    event::{
        CheckoutUpdate, DoctorResult, EventKind, ExitReason, LandingConflict, LandingDone, LandingIntent,
        LandingRefused, Local, RefusalReason, ValidatorVerdict,
    },
    id::CommitId,
};

use crate::{
    ledger::CANARY,
    mutant::Mutant,
    sim::{Sim, Step, broken},
};

impl Sim {
    /// Tries to land what the permit allows.
    pub(crate) fn land(&mut self, permit: &MergePermit) -> Step {
        let batch = permit.batch();
        self.canary(batch)?;
        if let Some(stop) = self.rewound() {
            self.check_stop(&stop)?;
            return self.record(vec![Draft::run(EventKind::RunStop(stop))]);
        }
        let outcome = match self.candidate(permit)? {
            Err(outcome) => outcome,
            Ok(intent) if self.dice.roll(8) == 1 => LandingOutcome::DoctorFailed(doctor(&intent, 1)),
            Ok(intent) => {
                self.effect()?;
                let moved_before = self.state.open_batch().is_some_and(|(_, open)| open.head_moves > 0);
                if !(moved_before && self.is(Mutant::DoctorSkippedAfterMove)) {
                    self.world.note_doctored(&intent.commit);
                }
                self.world.colleague(&mut self.dice);
                self.machine_fails()?;
                let mut drafts = vec![Draft::batch(batch, EventKind::LandingDoctorPass(doctor(&intent, 0)))];
                if !self.is(Mutant::IntentNotJournaled) {
                    drafts.push(Draft::batch(batch, EventKind::LandingIntent(intent.clone())));
                }
                self.record(drafts)?;
                self.move_ref(intent)?
            }
        };
        // The branch itself is the durable record of a landing.
        let landed = matches!(outcome, LandingOutcome::Done(_));
        let drafts = self.settle_landing(batch, outcome);
        if landed { self.report(drafts) } else { self.record(drafts) }
    }

    /// Before the first landing of a life, if asked for: can the doctor fail at all?
    fn canary(&mut self, batch: u32) -> Step {
        let asked = self.scene.config.doctor_canary && !self.is(Mutant::CanarySkipped);
        if !asked || std::mem::replace(&mut self.canary_ran, true) {
            return Ok(());
        }
        self.effect()?;
        self.machine_fails()?;
        let error = self.dice.once_in(4);
        let verdict = ValidatorVerdict {
            validator: CANARY.to_owned(),
            summary: String::new(),
            issues: Vec::new(),
            error,
        };
        let kind = if error { EventKind::ValidatorWarn(verdict) } else { EventKind::ValidatorPass(verdict) };
        self.record(vec![Draft::batch(batch, kind)])
    }

    fn candidate(&mut self, permit: &MergePermit) -> Step<Result<LandingIntent, LandingOutcome>> {
        self.effect()?;
        let (landing, head) = (permit.landing(), self.world.head().clone());
        let mut parts = permit.tasks();
        for (place, (task, commit)) in permit.tasks().iter().enumerate() {
            if !self.world.holds(commit) {
                return broken(format!("{task} is to land, and its commit is gone"));
            }
            let base_gone =
                self.world.base_of(commit).is_none_or(|base| !self.world.is_ancestor(base, &head));
            let made_on_head = self.world.base_of(commit) == Some(&head);
            let merges = !made_on_head || permit.tasks().len() > 1;
            let conflicts = !base_gone && merges && self.dice.once_in(self.scene.conflict_once_in);
            // With the task before it, which may not land at all: this one and all that follow have to wait.
            let with_earlier = conflicts && place > 0 && (made_on_head || self.dice.once_in(2));
            let blamed = with_earlier && self.is(Mutant::ConflictWithUnlanded);
            if with_earlier && !blamed {
                self.saw("a candidate cut");
                parts = parts.get(..place).unwrap_or_default();
                break;
            }
            if base_gone || blamed || (conflicts && !made_on_head) {
                return Ok(Err(LandingOutcome::Conflict(LandingConflict {
                    landing,
                    task: task.clone(),
                    commit: commit.clone(),
                    onto: head,
                    paths: Vec::new(),
                })));
            }
        }
        let works: Vec<CommitId> = parts.iter().map(|(_, commit)| commit.clone()).collect();
        let commit = self.world.merge(&head, &works);
        let intent = LandingIntent {
            landing,
            tasks: parts.iter().map(|(task, _)| task.clone()).collect(),
            old_tree: head.clone(),
            old_head: head,
            tree: commit.clone(),
            commit,
        };
        Ok(if self.world.is_dirty() { Err(dirty(&intent)) } else { Ok(intent) })
    }

    fn move_ref(&mut self, intent: LandingIntent) -> Step<LandingOutcome> {
        self.world.colleague(&mut self.dice);
        if self.world.is_dirty() {
            return Ok(dirty(&intent));
        }
        self.effect()?;
        self.machine_fails()?;
        if !self.ledger.blocked().is_empty() {
            return broken("the branch is about to move, and a gate blocks");
        }
        let mut works = intent.tasks.iter().filter_map(|id| self.state.tasks.get(id)?.commit.as_ref());
        let held_back =
            |work: &&CommitId| self.world.refused.contains(*work) && !self.ledger.approved.contains(*work);
        if let Some(work) = works.find(held_back) {
            return broken(format!("{work} is about to land, which a gate refused"));
        }
        let forced = self.is(Mutant::BranchForced).then(|| self.world.head().clone());
        let old = forced.as_ref().unwrap_or(&intent.old_head);
        if self.world.head() == old {
            self.check_holds_landed("a candidate lands")?;
        }
        if let Err(found) = self.world.land(old, &intent.commit, &intent.tasks).or_else(broken)? {
            return Ok(refused(&intent, RefusalReason::HeadMoved, found));
        }
        self.story.push(format!("     the branch is at {}", intent.commit.short()));
        self.effect()?;
        self.machine_fails()?;
        self.world.colleague(&mut self.dice);
        let checkout = self.follow(&intent)?;
        Ok(LandingOutcome::Done(LandingDone {
            landing: intent.landing,
            tasks: intent.tasks,
            old_head: intent.old_head,
            commit: intent.commit,
            checkout,
        }))
    }

    /// Disk or git may fail where nothing is decided yet: the run stops in order, the landing stays open.
    fn machine_fails(&mut self) -> Step {
        if self.dice.once_in(60) { self.stop() } else { Ok(()) }
    }

    /// Brings the checkout along.
    pub(crate) fn follow(&mut self, intent: &LandingIntent) -> Step<CheckoutUpdate> {
        self.effect()?;
        if !self.world.checked_out {
            return Ok(CheckoutUpdate::NotCheckedOut);
        }
        let forced = self.is(Mutant::CheckoutOverwritten);
        let follows = self.world.fast_forward(&intent.old_head, &intent.commit, forced).or_else(broken)?;
        Ok(if follows { CheckoutUpdate::FastForwarded } else { CheckoutUpdate::LeftPartly })
    }
}

fn doctor(intent: &LandingIntent, exit_code: i32) -> DoctorResult {
    DoctorResult {
        landing: intent.landing,
        tasks: intent.tasks.clone(),
        commit: intent.commit.clone(),
        tree: intent.tree.clone(),
        reason: ExitReason::Exited,
        exit_code: Some(exit_code),
        local: Local::default(),
    }
}

fn dirty(intent: &LandingIntent) -> LandingOutcome {
    refused(intent, RefusalReason::CheckoutDirty, intent.old_head.clone())
}

fn refused(intent: &LandingIntent, reason: RefusalReason, found: CommitId) -> LandingOutcome {
    LandingOutcome::Refused(LandingRefused {
        landing: intent.landing,
        tasks: intent.tasks.clone(),
        reason,
        expected: intent.old_head.clone(),
        found: Some(found),
        paths: Vec::new(),
    })
}
