//! What a run landed must stay on its branch: where somebody took it off, whatever depends on it would land without it,
//! and the run would end as complete though the branch lacks its work.

use mycelium_schemas::{
    event::{LandingDone, RunStop},
    id::TaskId,
    state::{RunStatus, StopReason, TaskStatus},
};

use crate::{decide::Action, state::RunState};

/// What is done of what was decided. Where it supposes that what landed is on the branch, and no attempt is under way
/// that the run would wait for, the branch is looked at; where it does not hold what landed, the run stops instead.
/// `lost` gives those of these landings that it does not hold.
pub fn unless_rewound<E>(
    state: &RunState,
    actions: Vec<Action>,
    lost: impl FnOnce(&[LandingDone]) -> Result<Vec<LandingDone>, E>,
) -> Result<Vec<Action>, E> {
    let runs = state.tasks.values().any(|facts| facts.status == TaskStatus::Running);
    if runs || state.landed.is_empty() || !actions.iter().any(builds_on_landed) {
        return Ok(actions);
    }
    let stop = rewound(&state.integration_branch, &lost(&state.landed)?);
    Ok(stop.map_or(actions, |stop| vec![Action::Stop(stop)]))
}

/// Whether an action supposes that what landed is on the branch. A landing does too: it looks at the very head that it
/// builds on.
fn builds_on_landed(action: &Action) -> bool {
    matches!(action, Action::StartBatch { .. } | Action::StartAttempt { .. } | Action::Complete)
}

/// How the run ends where the branch no longer holds these landings; none where it holds them all.
pub fn rewound(branch: &str, lost: &[LandingDone]) -> Option<RunStop> {
    let newest = lost.last()?;
    let landings: Vec<String> = lost
        .iter()
        .map(|done| {
            let tasks = done.tasks.iter().map(TaskId::as_str).collect::<Vec<_>>().join(", ");
            format!("landing {} of {tasks} ({})", done.landing, done.commit.short())
        })
        .collect();
    let message = format!(
        "the branch {branch} was moved and no longer holds {}; nothing lands on top of that: put {branch} back to where \
         it holds {} and resume, or run again",
        landings.join(" and "),
        newest.commit.short()
    );
    Some(RunStop { status: RunStatus::NeedsHumanReview, stop_reason: StopReason::BranchRewound, message })
}
