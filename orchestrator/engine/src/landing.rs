//! Landing: candidate merged in memory, doctor on exactly that tree, then compare-and-swap (design 3.2).

use std::{
    collections::BTreeMap,
    path::{Path, PathBuf},
    sync::Arc,
    time::Duration,
};

use mycelium_core::{permit::MergePermit, settle::LandingOutcome};
use mycelium_schemas::{
    event::{
        DoctorResult, ExitReason, LandingConflict, LandingDone, LandingIntent, LandingRefused, Local,
        RefusalReason, ValidatorVerdict,
    },
    id::{CommitId, TaskId},
};
use serde::Serialize;
use tokio::sync::watch;

use crate::{
    error::Error,
    git::{self, Branch, CheckedOut, Conflict, Ends, GitError, MergeError, Quarantine, Upstream},
    job::{AGAIN_MAX, Exit, Ignore, Job, Program, Purpose, StopLevel},
    launcher::Launcher,
    off_loop::{blocking, end_all_in, ends, tidy_all},
    redact::Redactor,
    runlock::RunLock,
    saboteur,
    start::some_of,
    store::{self, RunPaths, make_private_dir, remove_dir_unless},
};

/// What landings of a run work with.
#[derive(Debug)]
pub struct Lander {
    /// The user's repository.
    pub upstream: Upstream,
    /// The branch.
    pub branch: Branch,
    /// Where the tasks' commits are.
    pub quarantine: Quarantine,
    /// The run's places.
    pub paths: RunPaths,
    /// The doctor script as it was frozen.
    pub doctor: Arc<[u8]>,
    /// Starts the doctor.
    pub launcher: Launcher,
    /// What the doctor is told.
    pub env: BTreeMap<String, String>,
    /// How long the doctor may take.
    pub doctor_timeout: Duration,
    /// Message and time of merge commits.
    pub merge_message: String,
    /// The run's start.
    pub time: jiff::Timestamp,
    /// Keeps secrets out of its artifacts.
    pub redactor: Redactor,
    /// When the doctor must end.
    pub stop: watch::Receiver<StopLevel>,
    /// Held as long as the run works.
    pub lock: RunLock,
}

/// A candidate that the doctor let through: the only thing that [`Lander::move_ref`] takes.
#[derive(Debug)]
pub struct Tested {
    intent: LandingIntent,
    pass: DoctorResult,
}

impl Tested {
    /// What is about to be done.
    pub fn intent(&self) -> &LandingIntent {
        &self.intent
    }

    /// The doctor's verdict.
    pub fn pass(&self) -> &DoctorResult {
        &self.pass
    }
}

/// How building and testing a candidate went.
#[derive(Debug)]
pub enum Tried {
    /// It may land.
    Tested(Box<Tested>),
    /// It may not.
    Not(LandingOutcome),
    /// The branch no longer holds these landings of the run: nothing lands on top of that.
    Rewound(Vec<LandingDone>),
    /// The run was stopped while the checkout was waited for or the doctor ran: nothing is known.
    Stopped,
}

/// What the user's checkout lets a landing do.
enum Look {
    /// It may go on.
    Clear,
    /// It may not.
    Refused(Box<LandingOutcome>),
    /// The run was stopped while another git process held the index.
    Stopped,
}

/// `conflict.json`.
#[derive(Serialize)]
struct ConflictReport<'a> {
    #[serde(flatten)]
    event: &'a LandingConflict,
    files: &'a [git::ConflictFile],
}

/// A task whose base is no longer in the branch's history: there is no path to name.
fn base_gone(permit: &MergePermit, task: TaskId, base: CommitId, onto: CommitId) -> LandingConflict {
    let commit = permit.tasks().iter().find(|(id, _)| *id == task).map_or(base, |(_, commit)| commit.clone());
    LandingConflict { landing: permit.landing(), task, commit, onto, paths: Vec::new() }
}

impl Lander {
    /// Those of the run's landings that the branch does not hold at this head, or at all.
    pub fn lost(&self, landed: &[LandingDone], head: Option<&CommitId>) -> Result<Vec<LandingDone>, Error> {
        let commits: Vec<CommitId> = landed.iter().map(|done| done.commit.clone()).collect();
        let outside = match head {
            Some(_) if commits.is_empty() => return Ok(Vec::new()),
            Some(head) => self.upstream.outside(&commits, head)?,
            None => commits,
        };
        Ok(landed.iter().filter(|done| outside.contains(&done.commit)).cloned().collect())
    }

    /// Builds the candidate and lets the doctor judge it. Consumes the permit: one permit, one try. What the run landed
    /// before must be in the branch that the candidate is built on. Of tasks that do not merge with one another only the
    /// first are in it; the others are for the next permit.
    pub async fn try_candidate(&self, permit: MergePermit, landed: &[LandingDone]) -> Result<Tried, Error> {
        let landing = permit.landing();
        let dir = self.paths.landing(landing);
        make_private_dir(&dir)?;
        let Some(old_head) = self.upstream.find_head(&self.branch)? else {
            return Err(self
                .upstream
                .head(&self.branch)
                .err()
                .map_or(Error::Lost("the branch"), Error::from));
        };
        let lost = self.lost(landed, Some(&old_head))?;
        if !lost.is_empty() {
            return Ok(Tried::Rewound(lost));
        }
        let candidate = match self.merge(&permit, &old_head).await {
            Ok(candidate) => candidate,
            Err(MergeError::Conflict(conflict)) => return self.conflict(&permit, &conflict).map(Tried::Not),
            Err(MergeError::Git(GitError::Stopped)) => return Ok(Tried::Stopped),
            Err(MergeError::Git(error)) => return Err(error.into()),
            // Somebody rewound the branch: merging would bring the removed commits back. Like a conflict, the task is
            // done again from the new head.
            Err(MergeError::BaseGone { task, base }) => {
                let conflict = base_gone(&permit, task, base, old_head);
                store::write_artifact(&dir.join("conflict.json"), &conflict, &self.redactor)?;
                return Ok(Tried::Not(LandingOutcome::Conflict(conflict)));
            }
        };
        let intent = LandingIntent {
            landing,
            tasks: candidate.tasks,
            old_tree: self.upstream.tree_of(&old_head)?,
            old_head,
            commit: candidate.commit,
            tree: candidate.tree,
        };
        store::write_artifact(&dir.join("candidate.json"), &intent, &self.redactor)?;
        self.quarantine.keep_candidate(landing, &intent.commit)?;
        match self.look_at_checkout(&intent).await? {
            Look::Clear => {}
            Look::Refused(refused) => return Ok(Tried::Not(*refused)),
            Look::Stopped => return Ok(Tried::Stopped),
        }
        if saboteur::is!("land-before-doctor") {
            let (old, new) = (&intent.old_head, &intent.commit);
            let _ = git::land(&self.upstream, &self.quarantine, &self.branch, old, new, &|| false);
        }
        let pass = match self.run_doctor(&intent, dir.join("doctor.log")).await {
            Err(Error::Git(GitError::Stopped)) => return Ok(Tried::Stopped),
            pass => pass?,
        };
        Ok(match (pass.reason, pass.exit_code) {
            (ExitReason::Exited, Some(0)) => Tried::Tested(Box::new(Tested { intent, pass })),
            (ExitReason::Stopped, _) => Tried::Stopped,
            _ => Tried::Not(LandingOutcome::DoctorFailed(pass)),
        })
    }

    async fn merge(&self, permit: &MergePermit, head: &CommitId) -> Result<git::Candidate, MergeError> {
        let (quarantine, head, tasks) = (self.quarantine.clone(), head.clone(), permit.tasks().to_vec());
        let (message, time, ends) = (self.merge_message.clone(), self.time, ends(&self.stop));
        let merged = tokio::task::spawn_blocking(move || {
            git::candidate(&quarantine, &head, &tasks, &message, time, &ends)
        });
        match merged.await {
            Ok(result) => result,
            Err(panicked) => std::panic::resume_unwind(panicked.into_panic()),
        }
    }

    fn conflict(&self, permit: &MergePermit, conflict: &Conflict) -> Result<LandingOutcome, Error> {
        let event = LandingConflict {
            landing: permit.landing(),
            task: conflict.task.clone(),
            commit: conflict.commit.clone(),
            onto: conflict.onto.clone(),
            paths: conflict.paths(),
        };
        let path = self.paths.landing(permit.landing()).join("conflict.json");
        let report = ConflictReport { event: &event, files: &conflict.files };
        store::write_artifact(&path, &report, &self.redactor)?;
        Ok(LandingOutcome::Conflict(event))
    }

    /// The user's checkout of the branch must be as git left it, and nothing untracked may be in the way.
    async fn look_at_checkout(&self, intent: &LandingIntent) -> Result<Look, Error> {
        let (upstream, branch, quarantine, commit, ends) = (
            self.upstream.clone(),
            self.branch.clone(),
            self.quarantine.clone(),
            intent.commit.clone(),
            ends(&self.stop),
        );
        let look = blocking(move || {
            let paths = match upstream.checked_out(&branch)? {
                CheckedOut::No => Vec::new(),
                CheckedOut::Here => match git::dirty_unless(&upstream, Some((&quarantine, &commit)), &ends) {
                    Err(GitError::Locked { .. }) if ends() => return Ok(None),
                    paths => paths?,
                },
                // Somebody checked it out while work went on; its files are not ours to follow.
                CheckedOut::Elsewhere(worktree) => vec![format!("checked out in {}", worktree.display())],
            };
            Ok(Some(paths))
        });
        Ok(match look.await? {
            None => Look::Stopped,
            Some(_) if saboteur::is!("ignore-dirty-checkout") => Look::Clear,
            Some(paths) if paths.is_empty() => Look::Clear,
            Some(paths) => Look::Refused(Box::new(LandingOutcome::Refused(LandingRefused {
                landing: intent.landing,
                tasks: intent.tasks.clone(),
                reason: RefusalReason::CheckoutDirty,
                expected: intent.old_head.clone(),
                found: Some(intent.old_head.clone()),
                paths,
            }))),
        })
    }

    async fn run_doctor(&self, intent: &LandingIntent, log: PathBuf) -> Result<DoctorResult, Error> {
        let scratch = self.paths.workspaces.join(format!(".landing-{}", intent.landing));
        let mut left = AGAIN_MAX;
        let exit = loop {
            {
                let (scratch, commit, objects) =
                    (scratch.clone(), intent.commit.clone(), self.quarantine.objects_dir());
                let (ends, reach) = (ends(&self.stop), self.launcher.reach());
                blocking(move || {
                    remove_dir_unless(&scratch, &ends)?;
                    Ok(git::workspace::create(&scratch, &commit, &objects, reach, &ends)?)
                })
                .await?;
            }
            let exit = self.start_doctor(&scratch, log.clone()).await?;
            if !self.launcher.runs_again(&exit, &mut left) {
                break exit;
            }
        };
        tidy_all(vec![scratch], ends(&self.stop)).await?;
        Ok(DoctorResult {
            landing: intent.landing,
            tasks: intent.tasks.clone(),
            commit: intent.commit.clone(),
            tree: intent.tree.clone(),
            reason: exit.reason,
            exit_code: exit.code,
            local: Local {
                duration_ms: u64::try_from(exit.duration.as_millis()).ok(),
                detail: exit.detail,
                ..Local::default()
            },
        })
    }

    /// Runs the doctor on an empty folder. One that passes there can refuse nothing. None where a stop came first.
    pub async fn canary(&self) -> Result<Option<ValidatorVerdict>, Error> {
        let folder = self.paths.workspaces.join(".canary");
        make_private_dir(&self.paths.landing)?;
        let mut left = AGAIN_MAX;
        let exit = loop {
            {
                let (folder, ends) = (folder.clone(), ends(&self.stop));
                blocking(move || remove_dir_unless(&folder, &ends)).await?;
            }
            make_private_dir(&folder)?;
            let exit = self.start_doctor(&folder, self.paths.landing.join("canary.log")).await?;
            if !self.launcher.runs_again(&exit, &mut left) {
                break exit;
            }
        };
        tidy_all(vec![folder], ends(&self.stop)).await?;
        if exit.reason == ExitReason::Stopped {
            return Ok(None);
        }
        let summary = if exit.is_success() {
            "the doctor passes on an empty folder, so it can refuse nothing"
        } else {
            "the doctor fails on an empty folder, as it must"
        };
        Ok(Some(ValidatorVerdict {
            validator: "doctor_canary".to_owned(),
            summary: summary.to_owned(),
            issues: Vec::new(),
            error: exit.is_success(),
        }))
    }

    async fn start_doctor(&self, folder: &Path, log: PathBuf) -> Result<Exit, Error> {
        // Agents run with the operator's rights and may have changed the copy in the run's folder: what is run is what
        // was frozen. Nothing of an agent runs while a candidate is tested.
        end_all_in(&self.paths.workspaces).await?;
        store::restore(&self.paths.doctor, &self.doctor)?;
        let job = Job {
            purpose: Purpose::Doctor,
            attempt: None,
            program: Program::Script(self.paths.doctor.clone()),
            cwd: folder.to_owned(),
            env: self.env.clone(),
            files: Vec::new(),
            stdin: Vec::new(),
            timeout: self.doctor_timeout,
            idle_timeout: None,
            first_event_timeout: None,
            relay: None,
            stop_signal: rustix::process::Signal::TERM,
            log,
            redactor: self.redactor.clone(),
        };
        let exit = self.launcher.run(job, self.stop.clone(), &mut Ignore).await;
        // No process group reaches a daemon in a session of its own.
        end_all_in(folder).await?;
        exit
    }

    /// Moves the ref to the tested commit if it still is where the candidate was built, then follows with the user's
    /// checkout where the branch is checked out. The intent must be in the journal before. None where a stop came before
    /// the ref moved, or before the checkout could follow: `resume` finds out which.
    pub async fn move_ref(&self, tested: Tested) -> Result<Option<LandingOutcome>, Error> {
        let intent = tested.intent;
        // The doctor took its time: look at the checkout again.
        match self.look_at_checkout(&intent).await? {
            Look::Clear => {}
            Look::Refused(refused) => return Ok(Some(*refused)),
            Look::Stopped => return Ok(None),
        }
        // Whoever removed the lock file let another run in beside this one.
        self.lock.still_held()?;
        let (upstream, quarantine, branch, ends) =
            (self.upstream.clone(), self.quarantine.clone(), self.branch.clone(), ends(&self.stop));
        blocking(move || land(&upstream, &quarantine, &branch, intent, &ends)).await
    }
}

/// Moves the ref and follows with the checkout. None where a stop came before the ref moved, or while another git process
/// kept the checkout from following.
fn land(
    upstream: &Upstream,
    quarantine: &Quarantine,
    branch: &Branch,
    intent: LandingIntent,
    ends: Ends<'_>,
) -> Result<Option<LandingOutcome>, Error> {
    match git::land(upstream, quarantine, branch, &intent.old_head, &intent.commit, ends) {
        Ok(_) => {}
        Err(git::LandError::Git(GitError::Stopped)) => return Ok(None),
        Err(git::LandError::HeadMoved { found, .. }) => {
            return Ok(Some(LandingOutcome::Refused(LandingRefused {
                landing: intent.landing,
                tasks: intent.tasks,
                reason: RefusalReason::HeadMoved,
                expected: intent.old_head,
                found,
                paths: Vec::new(),
            })));
        }
        Err(git::LandError::Git(error)) => return Err(error.into()),
        Err(git::LandError::NotBuiltOnHead { .. }) => return Err(Error::Lost("the candidate's parent")),
    }
    let checkout = match git::fast_forward(upstream, branch, &intent.old_head, &intent.commit, ends) {
        Err(GitError::Locked { .. }) if ends() => return Ok(None),
        checkout => checkout?,
    };
    warn_of_left(&checkout);
    Ok(Some(LandingOutcome::Done(LandingDone {
        landing: intent.landing,
        tasks: intent.tasks,
        old_head: intent.old_head,
        commit: intent.commit,
        checkout: checkout.update,
    })))
}

/// Says which files of the checkout do not show what landed.
pub(crate) fn warn_of_left(checkout: &git::FastForward) {
    if !checkout.left.is_empty() {
        let paths = some_of(&checkout.left);
        tracing::warn!(%paths, "files of the checkout changed during the landing and were left alone");
    }
}
