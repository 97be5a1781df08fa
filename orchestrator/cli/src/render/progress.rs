//! The decisive events of a run, one plain line each; `None` for those that only matter afterwards.

use mycelium_core::budget::spoken;
use mycelium_schemas::{
    event::{Event, EventKind, LandingConflict, LandingRefused, RefusalReason, Violations},
    state::Reason,
};

use super::{brief, ids, problem::plain, reason, some};

/// Where an attempt's changes outside its manifest are, in its folder.
const COMPLIANCE: &str = "compliance.json";

/// The line of an event.
pub(crate) fn line(event: &Event) -> Option<String> {
    let text = what(&event.kind)?;
    let who = match (&event.task_id, event.batch) {
        (Some(task), _) => format!("task {task}"),
        (None, Some(batch)) => format!("batch {batch}"),
        (None, None) => format!("run {}", event.run_id),
    };
    Some(plain(&format!("{who}: {text}")).replace('\n', " "))
}

/// What an event says, without who it is about.
#[expect(clippy::too_many_lines, reason = "one arm an event, and the compiler sees that none is forgotten")]
pub(crate) fn what(kind: &EventKind) -> Option<String> {
    Some(match kind {
        EventKind::RunStart(start) => format!(
            "{} from {} at {}, {} at once",
            count(start.tasks.len(), "task"),
            start.integration_branch,
            start.base_commit.short(),
            start.max_parallel
        ),
        EventKind::RunStop(stop) => format!("{} ({}): {}", stop.status, stop.stop_reason, stop.message),
        EventKind::RunComplete(done) => format!("complete at {}", done.head_commit.short()),
        EventKind::RunResume(_) => "goes on".to_owned(),
        EventKind::JournalTruncated(cut) => {
            format!(
                "the torn end of its journal was cut off ({})",
                count(usize::try_from(cut.bytes).unwrap_or(usize::MAX), "byte")
            )
        }
        EventKind::WorkerReattach(_) => "its agent went on, and is followed again".to_owned(),
        EventKind::WorkerLost(lost) => format!("its attempt is lost: {}", lost.reason),
        EventKind::ReviewApprove(_) => "approved by a human".to_owned(),
        EventKind::ReviewRetry(_) => "a human has it done again".to_owned(),
        EventKind::ReviewReject(_) => "given up by a human".to_owned(),
        EventKind::BatchStart(batch) => format!("starts with {}", ids(&batch.tasks)),
        EventKind::BatchComplete(_)
        | EventKind::WorkerStart(_)
        | EventKind::ContainerCreate(_)
        | EventKind::ContainerStart(_)
        | EventKind::ContainerExit(_)
        | EventKind::ContainerRemove(_)
        | EventKind::ContainerReattach(_)
        | EventKind::WorkerExit(_)
        | EventKind::AgentEvent(_)
        | EventKind::UsageUpdate(_)
        | EventKind::ValidatorPass(_)
        | EventKind::LandingIntent(_)
        | EventKind::LandingDoctorPass(_)
        | EventKind::TaskLanded(_) => return None,
        EventKind::TaskStart(start) => match (start.continues, &start.anew) {
            (Some(attempt), _) => format!("goes on with the conversation of attempt {attempt}"),
            (None, Some(why)) => format!("starts again: {why}"),
            (None, None) => "starts".to_owned(),
        },
        EventKind::TaskRetry(retry) => {
            format!("tried again ({} left): {}", retry.attempts_left, brief(&retry.reason))
        }
        EventKind::TaskRescope(rescope) => {
            let files = rescope.files.iter().map(ToString::to_string);
            let locks = rescope.locks.iter().map(|lock| format!("lock {lock}"));
            format!("manifest widened by {}", some(files.chain(locks), COMPLIANCE))
        }
        EventKind::TaskValidated(done) => {
            format!("passed its gates with {}", count(done.changed.len(), "changed file"))
        }
        EventKind::TaskFail(reason) => format!("failed: {}", reason.message),
        EventKind::TaskReview(review) => {
            let why = Reason { code: review.code.clone(), message: review.message.clone() };
            format!("needs a human: {}", reason(&why))
        }
        EventKind::ManifestWarn(found) => format!("outside its manifest: {}", paths(found)),
        EventKind::ManifestBlock(found) => format!("blocked, outside its manifest: {}", paths(found)),
        EventKind::ValidatorWarn(verdict) => {
            format!("{} validator warns: {}", verdict.validator, verdict.summary)
        }
        EventKind::ValidatorBlock(verdict) => {
            format!("blocked by the {} validator: {}", verdict.validator, verdict.summary)
        }
        EventKind::BudgetWarn(budget) => format!("over budget: {}", spoken(budget)),
        EventKind::BudgetBlock(budget) => {
            format!("blocked by the budget: {}", spoken(budget))
        }
        EventKind::LandingConflict(conflict) => conflicting(conflict),
        EventKind::LandingDoctorFail(doctor) => {
            format!("the doctor refuses {} (landing {})", ids(&doctor.tasks), doctor.landing)
        }
        EventKind::LandingBisect(halves) => {
            format!("looking for the culprit: {} | {}", ids(&halves.left), ids(&halves.right))
        }
        EventKind::LandingDone(done) => format!("{} landed as {}", ids(&done.tasks), done.commit.short()),
        EventKind::LandingRefused(refused) => refusal(refused),
        EventKind::SecretRedacted(kept) => {
            format!("the secret {} was kept out of {}", kept.name, kept.place)
        }
        EventKind::PathRefused(refused) => format!("refused {}: {}", refused.path, refused.why),
    })
}

/// Without a path it is the base of the work that is gone.
fn conflicting(conflict: &LandingConflict) -> String {
    let onto = conflict.onto.short();
    let paths = some(&conflict.paths, &format!("landing/{}/conflict.json", conflict.landing));
    match paths.as_str() {
        "" => format!("was made on a commit that is no longer in the history of {onto}"),
        paths => format!("conflicts with {onto} in {paths}"),
    }
}

fn refusal(refused: &LandingRefused) -> String {
    match refused.reason {
        RefusalReason::HeadMoved => "the branch was moved by somebody else; building again".to_owned(),
        RefusalReason::Interrupted => "the landing was interrupted before the branch moved; again".to_owned(),
        RefusalReason::CheckoutDirty => {
            let paths = some(&refused.paths, "`git status`");
            format!("not landed: the checkout of the branch is not clean ({paths})")
        }
    }
}

fn paths(found: &Violations) -> String {
    some(found.violations.iter().map(|violation| violation.path.as_str()), COMPLIANCE)
}

fn count(n: usize, what: &str) -> String {
    format!("{n} {what}{}", if n == 1 { "" } else { "s" })
}
