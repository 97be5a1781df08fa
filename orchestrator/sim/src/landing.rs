//! A landing: candidate, doctor, intent, compare-and-swap, checkout; a colleague or a crash in between anywhere.

use mycelium_core::{
    permit::MergePermit,
    settle::{self, Draft, LandingOutcome},
};
use mycelium_schemas::{
    event::{
        CheckoutUpdate, DoctorResult, EventKind, ExitReason, LandingConflict, LandingDone, LandingIntent,
        LandingRefused, Local, RefusalReason,
    },
    id::CommitId,
};

use crate::sim::{Sim, Step, broken};

impl Sim {
    /// Tries to land what the permit allows.
    pub(crate) fn land(&mut self, permit: &MergePermit) -> Step {
        let batch = permit.batch();
        let outcome = match self.candidate(permit)? {
            Err(outcome) => outcome,
            Ok(intent) if self.dice.roll(8) == 1 => LandingOutcome::DoctorFailed(doctor(&intent, 1)),
            Ok(intent) => {
                self.effect()?;
                self.world.note_doctored(&intent.commit);
                self.world.colleague(&mut self.dice);
                self.machine_fails()?;
                self.record(vec![
                    Draft::batch(batch, EventKind::LandingDoctorPass(doctor(&intent, 0))),
                    Draft::batch(batch, EventKind::LandingIntent(intent.clone())),
                ])?;
                self.move_ref(intent)?
            }
        };
        let drafts = settle::landing(&self.state, &self.scene.config, batch, outcome);
        self.record(drafts)
    }

    fn candidate(&mut self, permit: &MergePermit) -> Step<Result<LandingIntent, LandingOutcome>> {
        self.effect()?;
        let (landing, head) = (permit.landing(), self.world.head().clone());
        for (task, commit) in permit.tasks() {
            if !self.world.holds(commit) {
                return broken(format!("{task} is to land, and its commit is gone"));
            }
            let base_gone =
                self.world.base_of(commit).is_none_or(|base| !self.world.is_ancestor(base, &head));
            let merges = self.world.base_of(commit) != Some(&head) || permit.tasks().len() > 1;
            if base_gone || (merges && self.dice.roll(12) == 1) {
                return Ok(Err(LandingOutcome::Conflict(LandingConflict {
                    landing,
                    task: task.clone(),
                    commit: commit.clone(),
                    onto: head,
                    paths: Vec::new(),
                })));
            }
        }
        let works: Vec<CommitId> = permit.tasks().iter().map(|(_, commit)| commit.clone()).collect();
        let commit = self.world.merge(&head, &works);
        let intent = LandingIntent {
            landing,
            tasks: permit.task_ids(),
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
        if let Err(found) = self.world.land(&intent.old_head, &intent.commit).or_else(broken)? {
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
        let follows = self.world.fast_forward(&intent.old_head, &intent.commit);
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
