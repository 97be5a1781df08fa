//! The gates of an attempt: what its workspace holds is judged by its manifest, by verify and by validators.

use std::{collections::BTreeMap, io::ErrorKind, path::PathBuf};

use mycelium_core::{
    manifest::{self, BlockCause, Change, Compliance, Scope},
    settle::{Judgement, Outcome},
};
use mycelium_schemas::{
    config::Mode,
    event::{BudgetVerdict, ChangeKind, PathRefused, TaskValidated, Violation, ViolationKind, Violations},
    id::CommitId,
    path::RepoGlob,
    state::Usage,
};

use super::Attempt;
use crate::{
    asking::Asking,
    error::{Error, IoContext},
    fault,
    git::{self, GitError},
    job::{AGAIN_MAX, Purpose},
    off_loop::{blocking, ends},
    private, saboteur, store, validator,
};

/// What validators used, and the budget that an attempt reached.
pub(super) struct Spent {
    pub(super) over: Option<BudgetVerdict>,
    pub(super) validators: BTreeMap<String, Usage>,
}

/// What the workspace holds after the agent.
pub(super) struct Judged {
    pub(super) snapshot: git::Snapshot,
    pub(super) refused: Vec<PathRefused>,
    pub(super) violations: Vec<Violation>,
    compliance: Compliance,
}

impl Attempt {
    pub(super) async fn snapshot(&self) -> Result<git::Snapshot, Error> {
        let (workspace, base, quarantine) =
            (self.workspace.clone(), self.base.clone(), self.quarantine.clone());
        if saboteur::is!("trust-workspace-git") {
            let git = std::process::Command::new("git").current_dir(&self.workspace).arg("status").output();
            git.at("ask git about", &self.workspace)?;
        }
        let ends = ends(&self.stop);
        blocking(move || Ok(git::snapshot(&workspace, &base, &quarantine, &ends)?)).await
    }

    /// Whether an error lies in what the agent did to its workspace, not in the machine.
    pub(super) fn is_of_the_workspace(&self, error: &Error) -> bool {
        match error {
            Error::Git(GitError::WorkspaceGone { .. }) => true,
            Error::Git(GitError::Io { path, source, .. }) => {
                path.starts_with(&self.workspace)
                    && matches!(
                        source.kind(),
                        ErrorKind::PermissionDenied | ErrorKind::NotFound | ErrorKind::NotADirectory
                    )
            }
            _ => false,
        }
    }

    /// What changed, and whether the manifest allows it.
    pub(super) async fn judge(&self) -> Result<Judged, Error> {
        let snapshot = self.snapshot().await?;
        let patch = {
            let (quarantine, base, tree) =
                (self.quarantine.clone(), self.base.clone(), snapshot.tree.clone());
            let ends = ends(&self.stop);
            blocking(move || Ok(git::patch(&quarantine, &quarantine.tree_of(&base)?, &tree, &ends)?)).await?
        };
        let path = self.dir.join("diff.patch");
        let redactor = self.redactor.clone();
        blocking(move || {
            let patch = redactor.bytes(&path, patch);
            fault::point!("attempt.diff", private::write(&path, patch)).at("write", path)
        })
        .await?;

        let scope = Scope::new(&self.writes, &self.write_locks, &self.config.resources).map_err(|error| {
            Error::Request { message: error.to_string(), help: "correct the glob".into() }
        })?;
        let changes: Vec<Change> =
            snapshot.changes.iter().map(|c| Change { path: c.path.clone(), kind: c.kind }).collect();
        let mut violations = scope.violations(&changes);
        violations.extend(snapshot.refused.iter().map(|refused| Violation {
            path: refused.path.clone(),
            change: ChangeKind::Added,
            kind: ViolationKind::Refused,
            resource: None,
        }));
        violations.sort();
        if saboteur::is!("skip-manifest-check") {
            violations.clear();
        }
        let mode = self.config.manifest_enforcement;
        let compliance =
            manifest::judge(&violations, mode, |lock| self.held_by_others.contains(lock), self.rescopes);
        store::write_artifact(
            &self.dir.join("compliance.json"),
            &Violations { violations: violations.clone() },
            &self.redactor,
        )?;
        let refused = snapshot
            .refused
            .iter()
            .map(|refused| PathRefused { path: refused.path.clone(), why: refused.why.clone() })
            .collect();
        Ok(Judged { snapshot, refused, violations, compliance })
    }

    /// Where the manifest blocks, verify and validators judge nevertheless, so that a human who lets the work through
    /// overrides the manifest alone.
    pub(super) async fn outcome(&self, judged: &Judged, spent: &mut Spent) -> Result<Outcome, Error> {
        let compliance = match &judged.compliance {
            Compliance::Goes => return self.check(&judged.snapshot, spent).await,
            compliance => compliance.clone(),
        };
        if matches!(compliance, Compliance::Rescope(_) | Compliance::Block(BlockCause::Forbidden)) {
            return Ok(Outcome::OutOfManifest { compliance, validators: Vec::new(), commit: None });
        }
        let (validators, commit) = match self.check(&judged.snapshot, spent).await? {
            Outcome::Judged { validators, work } => (validators, Some(work.commit)),
            _ => (Vec::new(), None),
        };
        Ok(Outcome::OutOfManifest { compliance, validators, commit })
    }

    /// Verify and validators, on work that keeps to its manifest.
    async fn check(&self, snapshot: &git::Snapshot, spent: &mut Spent) -> Result<Outcome, Error> {
        if snapshot.changes.is_empty() && !self.writes.is_empty() {
            return Ok(Outcome::Failed("the agent exited with 0 but changed nothing".to_owned()));
        }
        if let Some(command) = &self.task.manifest.verify.doctor {
            let mut left = AGAIN_MAX;
            let exit = loop {
                let job = self.shell_job(Purpose::Verify, command, "verify.log");
                let exit = self.launcher.run(job, self.stop.clone(), &mut self.notes()).await?;
                if !self.launcher.runs_again(&exit, &mut left) {
                    break exit;
                }
            };
            if !exit.is_success() {
                return Ok(Outcome::Failed(format!("the task's verify command {}", exit.describe())));
            }
        }
        let validators = self.validate(spent).await?;
        let commit = self.commit(snapshot).await?;
        let changed = snapshot.changes.iter().map(|change| change.path.clone()).collect();
        Ok(Outcome::Judged { validators, work: TaskValidated { commit, changed } })
    }

    async fn validate(&self, spent: &mut Spent) -> Result<Vec<Judgement>, Error> {
        let mut judgements = Vec::new();
        for (name, validator) in self.config.judges() {
            let question = self.question(name)?;
            let doctor = self.doctor_for(name)?;
            let log = format!("validator-{name}.log");
            let asking = Asking {
                who: "validator",
                answering: &validator.asked,
                client: validator::client(&self.key, name, validator),
                models: self.models.as_deref(),
                gateway: self.launcher.engine().map(|_| self.gateway.as_path()),
                config: &self.config,
                environment: &self.environment,
                launcher: &self.launcher,
                job: &|program| {
                    let mut job = self.job(Purpose::Validator, program, self.dir.join(&log));
                    job.files.extend(doctor.clone().map(|path| ("MYCELIUM_DOCTOR", path)));
                    job
                },
                tells_commands: false,
                home: &self.agent_home.join(format!("{name}-validator")),
                patience: self.config.timeout_minutes.duration(),
                stop: self.stop.clone(),
                notes: Some(self.notes()),
            };
            let validator::Judged { report, used } = validator::ask(asking, &question).await?;
            let usage = used.usage.filter(|_| !saboteur::is!("forget-judges"));
            spent.validators.extend(usage.map(|usage| (name.to_owned(), usage)));
            spent.over = spent.over.take().or(used.over);
            let path = self.dir.join(format!("validator-{name}.json"));
            match &report {
                Ok(report) => store::write_artifact(&path, report, &self.redactor)?,
                Err(why) => store::write_artifact(&path, &validator::no_report(why), &self.redactor)?,
            }
            let mode = if saboteur::is!("ignore-validator-block") { Mode::Warn } else { validator.mode };
            judgements.push(Judgement { validator: name, mode, report });
        }
        Ok(judgements)
    }

    /// The doctor's script, for who judges it.
    fn doctor_for(&self, validator: &str) -> Result<Option<PathBuf>, Error> {
        if validator != validator::DOCTOR {
            return Ok(None);
        }
        let path = self.dir.join("doctor");
        store::write_atomic(&path, &self.doctor)?;
        Ok(Some(path))
    }

    /// What a validator that asks a model is told: it is kept beside its report.
    fn question(&self, name: &str) -> Result<String, Error> {
        let Some(prompt) = self.prompts.get(name) else { return Ok(String::new()) };
        let path = self.dir.join("diff.patch");
        // As it is kept, without secrets.
        let diff = store::read_file(&path).at("read", &path)?;
        let writes = self.writes.iter().map(RepoGlob::as_str).collect::<Vec<_>>().join(", ");
        let (doctor, diff) = (String::from_utf8_lossy(&self.doctor), String::from_utf8_lossy(&diff));
        let question = validator::question(prompt, &self.task, &writes, &doctor, &diff);
        let path = self.dir.join(format!("validator-{name}.prompt.md"));
        store::write_atomic(&path, &self.redactor.bytes(&path, question.clone().into_bytes()))?;
        Ok(question)
    }

    async fn commit(&self, snapshot: &git::Snapshot) -> Result<CommitId, Error> {
        let message = format!(
            "{}: {}\n\nMycelium-Run: {}\nMycelium-Task: {}\n",
            self.key.task, self.task.manifest.name, self.run_id, self.key.task
        );
        let (quarantine, tree, base, time) =
            (self.quarantine.clone(), snapshot.tree.clone(), self.base.clone(), self.time);
        let (task, attempt) = (self.key.task.clone(), self.key.attempt);
        blocking(move || {
            let commit = git::commit(&quarantine, &tree, &[base], &message, time)?;
            quarantine.keep_task(&task, attempt, &commit)?;
            Ok(commit)
        })
        .await
    }
}
