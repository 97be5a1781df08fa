//! The agent's part of an attempt: it is started or followed, listened to, and ended with all that it left running.

use std::{fs, io::ErrorKind, path::Path};

use mycelium_core::settle::Outcome;
use mycelium_schemas::{
    event::{BudgetVerdict, EventKind, ExitReason, Local, WorkerExit},
    state::Usage,
};

use super::Attempt;
use crate::{
    agent::{self, AgentWatcher, Reading, UsageCount},
    clock::Clock,
    conversation::{self, Keeper},
    error::{Error, IoContext},
    fault,
    hired::{self, Conversation, Hired, Place},
    job::{Exit, Job, Purpose},
    journal::EventFile,
    models::Used,
};

/// Begin of the reason of an attempt whose agent asks a model and failed; what it failed of follows.
pub(crate) const AGENT_FAILED: &str = "the agent failed: ";

/// How the agent's part went.
pub(super) struct Worked {
    exit: Exit,
    reading: Reading,
    pub(super) usage: Option<Usage>,
    pub(super) over: Option<BudgetVerdict>,
}

impl Worked {
    /// Whether the agent could not go on with the conversation that it was asked for.
    pub(super) fn has_lost_its_conversation(&self) -> bool {
        matches!(&self.reading, Reading::Adapter(said) if said.has_lost_its_conversation(&self.exit))
    }
}

impl Attempt {
    /// How the agent's part failed, if it did: by its exit, by what it said, by its usage.
    pub(super) fn agent_failure(&self, worked: &Worked, changed: bool) -> Option<Outcome> {
        let usage_is_unreadable = matches!(&worked.reading, Reading::Usage(usage) if usage.is_unreadable());
        if usage_is_unreadable && self.config.budgets.is_limited() {
            let why = "the agent reported usage that cannot be read, so that its budget cannot be judged";
            return Some(Outcome::Failed(why.to_owned()));
        }
        match &worked.reading {
            Reading::Adapter(said) => {
                let counted = worked.usage.map_or(0, |usage| usage.tokens());
                Some(said.failure(&worked.exit, changed, counted)?.outcome(counted))
            }
            Reading::Usage(_) if worked.exit.is_success() => None,
            Reading::Usage(_) => Some(Outcome::Failed(format!("the agent {}", worked.exit.describe()))),
        }
    }

    /// The agent for this attempt, if it is one that asks a model.
    fn hire(&self) -> Result<Option<Hired>, Error> {
        let Some((adapter, models)) = hired::adapter(self.config.worker.agent).zip(self.models.as_ref())
        else {
            return Ok(None);
        };
        let place = Place {
            workspace: self.workspace.clone(),
            home: self.agent_home.clone(),
            env: self.env(),
            gateway: self.launcher.engine().is_some().then(|| self.gateway.clone()),
        };
        let continues = self.continues.as_deref();
        Hired::new(adapter, &self.config, &self.environment, models, &self.key, &place, continues).map(Some)
    }

    /// What keeps the note of a conversation that begins. An id that is chosen here is kept before the agent is started.
    fn keeper(&self, hired: &Hired) -> Result<Option<Keeper>, Error> {
        let Conversation::New(chosen) = hired.conversation() else { return Ok(None) };
        let (path, model) = (self.conversation.clone(), &self.config.worker.model);
        let mut keeper = Keeper::new(path, hired.adapter(), model, &self.base);
        if let Some(session) = chosen {
            keeper.keep(session)?;
        }
        Ok(Some(keeper))
    }

    /// What the agent is told.
    fn prompt(&self) -> Vec<u8> {
        let spec = &self.task.spec_text;
        match &self.continues {
            Some(_) => conversation::interrupted(spec).into_bytes(),
            None => spec.clone().into_bytes(),
        }
    }

    pub(super) async fn run_agent(&self) -> Result<Worked, Error> {
        let hired = self.hire()?;
        let program = match &hired {
            Some(hired) => hired.call.program.clone(),
            None => agent::program(&self.config, &self.environment),
        };
        let mut job = Job {
            stdin: self.prompt(),
            idle_timeout: Some(self.config.idle_timeout_minutes.duration()),
            ..self.job(Purpose::Agent, program, self.dir.join("agent.log"))
        };
        if let Some(hired) = &hired {
            job.env.extend(hired.call.env.clone());
            job.stop_signal = hired.stop_signal();
            job.first_event_timeout = Some(self.config.first_event_timeout_minutes.duration());
            job.relay.clone_from(&hired.call.relay);
        }
        if let Some(usage) = self.environment.get("MOCK_CODEX_USAGE") {
            job.env.insert("MOCK_CODEX_USAGE".to_owned(), usage.to_owned());
        }
        let clock = Clock::new(self.stepped_from);
        let path = self.dir.join("events.jsonl");
        if self.follows.is_some() {
            forget_events(&path)?;
        }
        let keeper = hired.as_ref().map(|hired| self.keeper(hired)).transpose()?.flatten();
        let mut events = EventFile::create(&path, self.run_id.clone(), clock, self.redactor.clone())?;
        let mut watcher = AgentWatcher {
            key: self.key.clone(),
            events: &mut events,
            journal: self.journal.clone(),
            agent: agent::name(&self.config),
            reading: match &hired {
                Some(hired) => Reading::Adapter(Box::new(hired.listen(&self.config))),
                None => Reading::Usage(UsageCount::new(&self.config)),
            },
            keeper,
        };
        let stop = self.stop.clone();
        let exit = match &self.follows {
            None => self.launcher.run(job, stop, &mut watcher).await?,
            Some(container) => self.launcher.follow(container, job, stop, &mut watcher).await?,
        };
        let reading = watcher.reading;
        // What the agent left running must not change the files that are about to be judged, nor ask its model.
        self.end_all().await?;
        if hired.is_some() && exit.reason != ExitReason::Stopped {
            // It ended by itself or was ended for what it did: there is nothing to go on with, and gates come next.
            conversation::forget(&self.conversation)?;
        }
        let used = match (hired, &self.models, &reading) {
            (Some(hired), Some(models), _) => hired.dismiss(models, &self.key).await?,
            (_, _, Reading::Usage(usage)) => Used { usage: usage.total(), over: None },
            _ => Used::default(),
        };
        if let Reading::Adapter(said) = &reading {
            let who = format!("task {}, attempt {}", self.key.task, self.key.attempt);
            said.compare(&who, used.usage.map_or(0, |usage| usage.tokens()));
        }
        let local = Local {
            duration_ms: u64::try_from(exit.duration.as_millis()).ok(),
            detail: exit.detail.clone(),
            ..Local::default()
        };
        let (reason, exit_code, signal) = (exit.reason, exit.code, exit.signal);
        let kind = EventKind::WorkerExit(WorkerExit { reason, exit_code, signal, local });
        let draft = self.key.draft(kind);
        events.append(vec![draft.clone()])?;
        // Before anything that follows from it is journaled.
        events.finish()?;
        // The receiver is gone only when the run is ending; then nobody reads it any more.
        let _unheard = self.journal.send(draft);
        Ok(Worked { exit, reading, usage: used.usage, over: used.over })
    }
}

/// Makes room for the events of an agent that is followed: what it printed is read again from the beginning, also where a
/// follower before this one came no further. A point of its own, as runs in containers alone are disturbed here.
fn forget_events(path: &Path) -> Result<(), Error> {
    match fault::point!("engine.events_again", fs::remove_file(path)) {
        Err(error) if error.kind() == ErrorKind::NotFound => Ok(()),
        removed => removed.at("remove", path),
    }
}
