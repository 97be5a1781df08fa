//! Every legal move of a task: one table for live runs and recovery (design 3.1).

use mycelium_schemas::state::TaskStatus;

/// What an event does to its task.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum Move {
    /// `task.start`
    Start,
    /// `task.retry`, also after a conflict.
    Retry,
    /// `task.rescope`
    Rescope,
    /// `task.validated`
    Validate,
    /// `task.landed`
    Land,
    /// `task.fail`, also by the doctor.
    Fail,
    /// `task.review`, also after the last conflict.
    Review,
    /// `worker.lost`: the attempt, or the commit that it made, is gone.
    Lose,
    /// `review.approve`
    Approve,
    /// `review.retry`
    Redo,
    /// `review.reject`
    Reject,
}

/// Where the move leads; none if it is not legal from there.
pub fn next(from: TaskStatus, by: Move) -> Option<TaskStatus> {
    use TaskStatus::{Failed, Landed, NeedsHumanReview, Pending, Running, Validated};
    match (from, by) {
        (Pending, Move::Start) => Some(Running),
        (Running | Validated, Move::Retry | Move::Lose)
        | (Running, Move::Rescope)
        // From `Pending` where a human has it done again under yet another configuration.
        | (NeedsHumanReview | Failed | Pending, Move::Redo) => Some(Pending),
        (Running, Move::Validate) | (NeedsHumanReview, Move::Approve) => Some(Validated),
        (Validated, Move::Land) => Some(Landed),
        (Running | Validated, Move::Fail) | (NeedsHumanReview, Move::Reject) => Some(Failed),
        (Running | Validated, Move::Review) => Some(NeedsHumanReview),
        _ => None,
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    const MOVES: [Move; 11] = [
        Move::Start,
        Move::Retry,
        Move::Rescope,
        Move::Validate,
        Move::Land,
        Move::Fail,
        Move::Review,
        Move::Lose,
        Move::Approve,
        Move::Redo,
        Move::Reject,
    ];

    #[test]
    fn only_a_validated_task_lands_and_only_a_human_reopens_what_ended() {
        use TaskStatus::{Failed, Landed, NeedsHumanReview, Pending, Running, Skipped, Validated};
        for from in [Pending, Running, Validated, Landed, Failed, NeedsHumanReview, Skipped] {
            assert_eq!(next(from, Move::Land).is_some(), from == Validated, "{from} lands");
            for by in MOVES.into_iter().filter(|by| next(from, *by).is_some()) {
                match from {
                    Landed | Skipped => panic!("{from} moved on by {by:?}"),
                    Failed => assert_eq!(by, Move::Redo),
                    NeedsHumanReview => {
                        assert!(matches!(by, Move::Approve | Move::Redo | Move::Reject), "{by:?}");
                    }
                    Pending => assert!(matches!(by, Move::Start | Move::Redo), "{by:?}"),
                    Running | Validated => {}
                }
            }
        }
    }
}
