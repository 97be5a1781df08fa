//! From a journal's last word and the world as it is found to the events that make the two agree again
//! (docs/resume.md).

use std::collections::{BTreeMap, BTreeSet};

use mycelium_schemas::{
    config::Config,
    event::{
        CheckoutUpdate, EventKind, LandingDone, LandingIntent, LandingRefused, Local, RefusalReason,
        RunResume, WorkerLost, WorkerStart,
    },
    id::{CommitId, TaskId},
    state::{TaskStatus, Usage},
};

use crate::{
    settle::{self, AttemptFacts, Draft, LandingOutcome, Outcome},
    state::RunState,
};

/// What is found of a landing whose intent is the journal's last word about it.
#[derive(Debug, Clone, PartialEq, Eq)]
pub enum IntentFound {
    /// The branch holds the candidate: the ref was moved. Says what became of the checkout.
    Moved(CheckoutUpdate),
    /// The branch is where the candidate was built on.
    NotMoved,
    /// Somebody else's commit is there, or none.
    MovedAway(Option<CommitId>),
}

/// The world as resume finds it.
#[derive(Debug, Clone, Default)]
pub struct Found {
    /// The integration branch's head.
    pub head: Option<CommitId>,
    /// The open landing, where there is one.
    pub intent: Option<IntentFound>,
    /// What the agents of attempts that were under way had reported.
    pub usage: BTreeMap<TaskId, Usage>,
    /// The same of their validators, by their names.
    pub validators: BTreeMap<TaskId, BTreeMap<String, Usage>>,
    /// Tasks whose agent is still at work, or came to its end, where it can be followed.
    pub followed: BTreeSet<TaskId>,
    /// Name of the agent.
    pub agent: String,
    /// Validated tasks whose commit is gone.
    pub missing: BTreeSet<TaskId>,
    /// Process and host.
    pub local: Local,
}

/// The events that go on with a run, in order and in groups that belong together. After them no task runs but those
/// whose agents are followed, no intent is open, and `decide` says what to do.
pub fn recover(state: &RunState, config: &Config, found: &Found) -> Vec<Vec<Draft>> {
    let resume = RunResume { head_commit: found.head.clone(), local: found.local.clone() };
    let mut groups = vec![vec![Draft::run(EventKind::RunResume(resume))]];
    if let (Some((batch, intent)), Some(found)) = (&state.open_intent, &found.intent) {
        groups.push(settle::landing(state, config, *batch, close(intent, found)));
    }
    // What turns out to have landed needs its own commit no more.
    let landed = match (&state.open_intent, &found.intent) {
        (Some((_, intent)), Some(IntentFound::Moved(_))) => intent.tasks.as_slice(),
        _ => &[],
    };
    let batch = state.open_batch().map_or(0, |(number, _)| number);
    // Totals grow from one lost attempt to the next: each is judged with what the ones before it had used.
    let mut run_total = state.usage;
    for (id, facts) in &state.tasks {
        match facts.status {
            TaskStatus::Running if found.followed.contains(id) => {
                let start = WorkerStart { agent: found.agent.clone(), local: Local::default() };
                let kind = EventKind::WorkerReattach(start);
                groups.push(vec![Draft::task(batch, id, facts.attempts, kind)]);
            }
            TaskStatus::Running => {
                let why =
                    "the attempt was lost with its orchestrator or its container engine, which does not count"
                        .to_owned();
                let lost = AttemptFacts {
                    usage: found.usage.get(id).copied(),
                    validators: found.validators.get(id).cloned().unwrap_or_default(),
                    refused: Vec::new(),
                    violations: Vec::new(),
                    over: None,
                    outcome: Outcome::Lost(why),
                };
                let used = lost.used();
                groups.push(settle::attempt_with(config, batch, id, facts, run_total, lost));
                run_total = run_total.plus(used);
            }
            TaskStatus::Validated if found.missing.contains(id) && !landed.contains(id) => {
                let reason = "the commit that it had made is gone".to_owned();
                let kind = EventKind::WorkerLost(WorkerLost { reason });
                let draft = Draft::task(batch, id, facts.attempts, kind);
                groups.push(vec![Draft { batch: (batch > 0).then_some(batch), ..draft }]);
            }
            _ => {}
        }
    }
    groups
}

/// What an open intent comes to.
fn close(intent: &LandingIntent, found: &IntentFound) -> LandingOutcome {
    let refused = |reason, found| {
        LandingOutcome::Refused(LandingRefused {
            landing: intent.landing,
            tasks: intent.tasks.clone(),
            reason,
            expected: intent.old_head.clone(),
            found,
            paths: Vec::new(),
        })
    };
    match found {
        IntentFound::Moved(checkout) => LandingOutcome::Done(LandingDone {
            landing: intent.landing,
            tasks: intent.tasks.clone(),
            old_head: intent.old_head.clone(),
            commit: intent.commit.clone(),
            checkout: *checkout,
        }),
        IntentFound::NotMoved => refused(RefusalReason::Interrupted, Some(intent.old_head.clone())),
        IntentFound::MovedAway(head) => refused(RefusalReason::HeadMoved, head.clone()),
    }
}
