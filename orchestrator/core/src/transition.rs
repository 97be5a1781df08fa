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
}

/// Where the move leads; none if it is not legal from there.
pub fn next(from: TaskStatus, by: Move) -> Option<TaskStatus> {
    use TaskStatus::{Failed, Landed, NeedsHumanReview, Pending, Running, Validated};
    match (from, by) {
        (Pending, Move::Start) => Some(Running),
        (Running | Validated, Move::Retry) | (Running, Move::Rescope) => Some(Pending),
        (Running, Move::Validate) => Some(Validated),
        (Validated, Move::Land) => Some(Landed),
        (Running | Validated, Move::Fail) => Some(Failed),
        (Running | Validated, Move::Review) => Some(NeedsHumanReview),
        _ => None,
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn only_a_validated_task_lands_and_what_ended_stays_ended() {
        use TaskStatus::{Failed, Landed, NeedsHumanReview, Pending, Running, Skipped, Validated};
        let moves =
            [Move::Start, Move::Retry, Move::Rescope, Move::Validate, Move::Land, Move::Fail, Move::Review];
        for from in [Pending, Running, Validated, Landed, Failed, NeedsHumanReview, Skipped] {
            assert_eq!(next(from, Move::Land).is_some(), from == Validated, "{from} lands");
            if matches!(from, Landed | Failed | NeedsHumanReview | Skipped) {
                assert!(moves.iter().all(|by| next(from, *by).is_none()), "{from} moved on");
            }
        }
        assert_eq!(moves.iter().filter(|by| next(Pending, **by).is_some()).count(), 1);
    }
}
