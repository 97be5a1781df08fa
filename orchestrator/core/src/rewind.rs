//! What a run landed must stay on its branch: where somebody took it off, whatever depends on it would land without it,
//! and the run would end as complete though the branch lacks its work.

use mycelium_schemas::{
    event::{LandingDone, RunStop},
    id::TaskId,
    state::{RunStatus, StopReason},
};

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
