//! Ways for an orchestrator to be wrong. Each breaks a promise that the simulation must notice: `cargo sim --mutant NAME`.

use clap::ValueEnum;

/// One way to be wrong. Everything else of the run is as always.
#[derive(Debug, Clone, Copy, PartialEq, Eq, PartialOrd, Ord, ValueEnum)]
pub enum Mutant {
    /// The locks that manifests declare do not count.
    LocksIgnored,
    /// A lock that a widened manifest added does not count.
    AddedLocksIgnored,
    /// What a task depends on need not have landed.
    DependenciesIgnored,
    /// More tasks at once than `max_parallel`.
    LimitIgnored,
    /// The first ready task waits wherever another one could go.
    FirstOvertaken,
    /// After a failure new tasks begin, though the policy is to fail fast.
    FailFastIgnored,
    /// What fails the same way each time is tried again.
    HopelessRetried,
    /// After a task failed as every other one would, others begin.
    RefusalIgnored,
    /// A batch is never closed.
    BatchNeverCloses,
    /// Failed attempts are not counted.
    FailuresNotCounted,
    /// Conflicts are not counted.
    ConflictsNotCounted,
    /// A conflict is blamed on the later of two tasks of a batch, though the earlier one has not landed.
    ConflictWithUnlanded,
    /// A failed attempt is followed by the next one at once.
    NoBackoff,
    /// What an attempt used is counted twice.
    UsageCountedTwice,
    /// A budget that is exceeded does not block.
    BudgetIgnored,
    /// Work that a validator refuses passes.
    ValidatorIgnored,
    /// Resuming lifts what a gate blocked.
    BlockForgotten,
    /// Nobody asks whether the doctor can fail.
    CanarySkipped,
    /// After the branch moved under a candidate, the next candidate lands without a doctor.
    DoctorSkippedAfterMove,
    /// The branch is moved whoever moved it meanwhile.
    BranchForced,
    /// What somebody took off the branch is not missed.
    RewindIgnored,
    /// The branch moves before the journal says that it is going to.
    IntentNotJournaled,
    /// A checkout with unfinished work is brought along nevertheless.
    CheckoutOverwritten,
    /// The journal is not synced.
    JournalNotSynced,
    /// What is torn at the journal's end stays there.
    TornEndKept,
    /// Events that belong together are not marked as such.
    GroupsNotMarked,
    /// The agents of a dead orchestrator live on.
    OrphanLeftAlive,
    /// A landing that was carried out is not recognized after a crash.
    LandingRepeated,
    /// A landing that was not carried out counts as done after a crash.
    LandingInvented,
    /// What an agent used before a crash is forgotten.
    UsageForgotten,
    /// What an agent used before a crash is counted and not judged.
    BudgetIgnoredInRecovery,
    /// An attempt that a crash ended counts as failed.
    LossBlamed,
    /// Attempts that a crash ended are taken to be still under way.
    RunningForgotten,
    /// A commit that is gone is taken to be there.
    LostCommitIgnored,
}

impl Mutant {
    /// Its name on the command line.
    pub fn name(self) -> String {
        self.to_possible_value().map_or_else(String::new, |value| value.get_name().to_owned())
    }
}
