//! Asks for one answer in a given form, a plan or a validator's report: a model through the gateway, an agent that is
//! told to answer and do nothing else, or a command.

use std::{path::Path, time::Duration};

use mycelium_agents::{
    agent::Agent as Adapter,
    invocation::Session,
    outcome::{FailureClass, Outcome},
    reader::answer_in,
};
use mycelium_gateway::{AskError, Client, Form, Question, protocol::Protocol};
use mycelium_schemas::{
    config::{Answerer, Answering, Config},
    event::EventKind,
};
use tokio::{sync::watch, time::Instant};

use crate::{
    agent::Notes,
    environment::Environment,
    error::Error,
    hired::{self, Call, Place, Said, Wanted},
    job::{AGAIN_MAX, Job, Program, StopLevel, Watcher, stopped},
    launcher::Launcher,
    models::{Models, Used},
    store,
};

/// Bytes that a command may print as its answer.
const ANSWER_BYTES_MAX: usize = 4 * 1024 * 1024;

/// Whoever is asked, and how it is reached.
pub(crate) struct Asking<'a> {
    /// What it is asked as, in what is said of it.
    pub(crate) who: &'static str,
    /// Who is asked.
    pub(crate) answering: &'a Answering,
    /// Who asks, for the account.
    pub(crate) client: Client,
    /// Where a model is reached, for one that asks a model.
    pub(crate) models: Option<&'a Models>,
    /// The folder of the gateway's socket, where commands run in containers.
    pub(crate) gateway: Option<&'a Path>,
    /// The configuration.
    pub(crate) config: &'a Config,
    /// Where programs are looked for.
    pub(crate) environment: &'a Environment,
    /// Starts commands and programs.
    pub(crate) launcher: &'a Launcher,
    /// Makes the job of a command or program; its input is added where it is told the prompt.
    pub(crate) job: &'a (dyn Fn(Program) -> Job + Send + Sync),
    /// Whether a command is told the prompt, too.
    pub(crate) tells_commands: bool,
    /// A folder that a program has to itself. It is made, and is gone afterwards.
    pub(crate) home: &'a Path,
    /// How long an answer may take.
    pub(crate) patience: Duration,
    /// When it must end.
    pub(crate) stop: watch::Receiver<StopLevel>,
    /// Hears of containers.
    pub(crate) notes: Option<Notes>,
}

/// What became of a question.
#[derive(Debug)]
pub(crate) struct Answered {
    /// The answer as it came, or why there is none.
    pub(crate) answer: Result<String, NoAnswer>,
    /// What it used.
    pub(crate) used: Used,
}

/// Why there is no answer.
#[derive(Debug, Clone, PartialEq, Eq)]
pub(crate) struct NoAnswer {
    /// Whose fault it is.
    pub(crate) fault: Fault,
    /// What happened.
    pub(crate) message: String,
}

/// Whose fault it is that there is no answer.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(crate) enum Fault {
    /// The configuration's: key, model, address, command.
    Configuration,
    /// The provider's or the network's: later it may work.
    Provider,
    /// The answer's: the model would not, or could not say it all.
    Answer,
}

/// The adapter of whoever answers; none for one that is no agent.
pub(crate) fn adapter(answerer: Answerer) -> Option<Adapter> {
    match answerer {
        Answerer::Codex => Some(Adapter::Codex),
        Answerer::Claude => Some(Adapter::Claude),
        Answerer::Mock
        | Answerer::Command
        | Answerer::Openai
        | Answerer::Compatible
        | Answerer::Anthropic => None,
    }
}

impl NoAnswer {
    fn new(fault: Fault, message: impl Into<String>) -> Self {
        Self { fault, message: message.into() }
    }
}

impl Asking<'_> {
    /// Asks. An error is the machine's or Mycelium's fault.
    pub(crate) async fn ask(self, prompt: &str, form: &Form) -> Result<Answered, Error> {
        let free = |answer| Answered { answer, used: Used::default() };
        match (self.answering.provider, self.models) {
            (Answerer::Command, _) => self.command(prompt).await.map(free),
            (Answerer::Openai, Some(models)) => self.model(models, Protocol::Responses, prompt, form).await,
            (Answerer::Compatible, Some(models)) => self.model(models, Protocol::Chat, prompt, form).await,
            (Answerer::Anthropic, Some(models)) => self.model(models, Protocol::Messages, prompt, form).await,
            (Answerer::Codex, Some(models)) => self.program(models, Adapter::Codex, prompt, form).await,
            (Answerer::Claude, Some(models)) => self.program(models, Adapter::Claude, prompt, form).await,
            // Whoever opens no gateway asks no model, and a mock is read where it is configured.
            _ => Err(Error::Lost("the model gateway")),
        }
    }

    async fn command(mut self, prompt: &str) -> Result<Result<String, NoAnswer>, Error> {
        let mut left = AGAIN_MAX;
        let (exit, output) = loop {
            let mut job = (self.job)(Program::Shell(self.answering.command.clone().unwrap_or_default()));
            if self.tells_commands {
                job.stdin = prompt.as_bytes().to_vec();
            }
            let mut output = Output { notes: self.notes.take(), ..Output::default() };
            let exit = self.launcher.run(job, self.stop.clone(), &mut output).await?;
            if !self.launcher.runs_again(&exit, &mut left) {
                break (exit, output);
            }
            self.notes = output.notes.take();
        };
        let who = self.who;
        let failed = |message: String| Ok(Err(NoAnswer::new(Fault::Configuration, message)));
        if !exit.is_success() {
            return failed(format!("the {who}'s command {}", exit.describe()));
        }
        if output.overflow {
            return failed(format!(
                "the {who} printed more than {ANSWER_BYTES_MAX} bytes, which is no answer"
            ));
        }
        match String::from_utf8(output.bytes) {
            Ok(text) => Ok(Ok(text)),
            Err(_) => failed(format!("the {who}'s output is not UTF-8")),
        }
    }

    async fn model(
        self,
        models: &Models,
        protocol: Protocol,
        prompt: &str,
        form: &Form,
    ) -> Result<Answered, Error> {
        let lease = models.admit_client(self.client.clone())?;
        let question = Question { protocol, model: &self.client.model, prompt, form };
        let mut stop = self.stop;
        let answer = tokio::select! {
            answer = lease.ask(&question) => answer.map_err(NoAnswer::from),
            () = tokio::time::sleep(self.patience) => {
                let message = format!("there was no answer within {} s", self.patience.as_secs());
                Err(NoAnswer::new(Fault::Provider, message))
            }
            _ = stopped(&mut stop, false) => Err(NoAnswer::new(Fault::Provider, "the question was stopped")),
        };
        lease.close().await;
        Ok(Answered { answer, used: models.used_by(&self.client)? })
    }

    /// An agent that is to answer: its own folder holds nothing else, and its last words are the answer.
    async fn program(
        mut self,
        models: &Models,
        adapter: Adapter,
        prompt: &str,
        form: &Form,
    ) -> Result<Answered, Error> {
        store::remove_dir(self.home)?;
        store::make_private_dir(self.home)?;
        let lease = models.admit_client(self.client.clone())?;
        let mut job = (self.job)(Program::Shell(String::new()));
        let place = Place {
            workspace: job.cwd.clone(),
            home: self.home.to_owned(),
            env: job.env.clone(),
            gateway: self.gateway.map(Path::to_owned),
        };
        let session = hired::session_of(&format!("{}\0{}", self.home.display(), self.client.attempt));
        let wanted = Wanted {
            program: self.answering.program.as_deref(),
            model: &self.client.model,
            session: Session::New(&session),
            answer: Some(&form.schema.to_string()),
            more: &[],
        };
        let call = Call::of(adapter, self.config, self.environment, &lease, &place, &wanted)?;
        job.program = call.program;
        job.env.extend(call.env);
        job.relay = call.relay;
        job.stdin = prompt.as_bytes().to_vec();
        job.stop_signal = hired::stop_signal(adapter);
        job.first_event_timeout = Some(self.config.first_event_timeout_minutes.duration());
        job.idle_timeout = Some(self.config.idle_timeout_minutes.duration());
        let mut listener = Listener {
            adapter,
            said: Said::of(adapter, self.config, &lease),
            answer: None,
            notes: self.notes.take(),
        };
        let exit = self.launcher.run(job, self.stop, &mut listener).await?;
        lease.close().await;
        store::remove_dir(self.home)?;
        let used = models.used_by(&self.client)?;
        let counted = used.usage.map_or(0, |usage| usage.tokens());
        let asked_as = format!("the {} of task {}", self.client.by, self.client.task);
        listener.said.compare(&asked_as, counted);
        let answer = match listener.said.outcome(&exit, false, counted) {
            Outcome::Completed => listener.answer.ok_or_else(|| {
                NoAnswer::new(Fault::Answer, format!("{} did not answer in the form", adapter.name()))
            }),
            Outcome::SessionLost => Err(NoAnswer::new(Fault::Provider, "the conversation is lost")),
            Outcome::Failed(failure) => {
                let fault = match failure.class {
                    FailureClass::Auth | FailureClass::Config => Fault::Configuration,
                    FailureClass::Context | FailureClass::Empty => Fault::Answer,
                    _ => Fault::Provider,
                };
                let message = listener.said.shown(&failure.message);
                let how = hired::ended(&exit);
                let message = format!("{}: {how}{message} ({})", adapter.name(), failure.class);
                Err(NoAnswer::new(fault, message))
            }
        };
        Ok(Answered { answer, used })
    }
}

impl From<AskError> for NoAnswer {
    fn from(error: AskError) -> Self {
        let fault = match &error {
            AskError::Refused { status: 400..=404 | 413 | 422, .. } => Fault::Configuration,
            AskError::CutOff | AskError::Declined(_) => Fault::Answer,
            AskError::Refused { .. } | AskError::Failed(_) | AskError::Broken | AskError::Closed => {
                Fault::Provider
            }
        };
        let key = matches!(&error, AskError::Refused { status: 401 | 403, .. });
        let message = if key { format!("{error}; the key was not accepted") } else { error.to_string() };
        Self::new(fault, message)
    }
}

/// Hears what an agent says.
struct Listener {
    adapter: Adapter,
    said: Said,
    /// The last one that came.
    answer: Option<String>,
    notes: Option<Notes>,
}

impl Watcher for Listener {
    fn line(&mut self, line: &[u8]) -> Result<(), Error> {
        if let Ok(event) = serde_json::from_slice(line) {
            self.said.event(&event);
            self.answer = answer_in(self.adapter, &event).or(self.answer.take());
        }
        Ok(())
    }

    fn error_output(&mut self, chunk: &[u8]) {
        self.said.error_output(chunk);
    }

    fn has_ended(&self) -> bool {
        self.said.has_ended()
    }

    fn has_begun(&self) -> bool {
        self.said.has_begun()
    }

    fn sign_of_life(&self) -> Option<Instant> {
        self.said.sign_of_life()
    }

    fn container(&mut self, kind: EventKind) {
        if let Some(notes) = &mut self.notes {
            notes.container(kind);
        }
    }
}

/// Collects standard output. What does not fit makes it invalid: a part of an output is no answer.
#[derive(Default)]
struct Output {
    bytes: Vec<u8>,
    overflow: bool,
    notes: Option<Notes>,
}

impl Watcher for Output {
    fn line(&mut self, line: &[u8]) -> Result<(), Error> {
        if self.bytes.len() + line.len() < ANSWER_BYTES_MAX {
            self.bytes.extend_from_slice(line);
            self.bytes.push(b'\n');
        } else {
            self.overflow = true;
        }
        Ok(())
    }

    fn too_long(&mut self) {
        self.overflow = true;
    }

    fn container(&mut self, kind: EventKind) {
        if let Some(notes) = &mut self.notes {
            notes.container(kind);
        }
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn an_output_that_does_not_fit_is_no_answer_whatever_comes_after() {
        let mut output = Output::default();
        output.line(&vec![b' '; ANSWER_BYTES_MAX]).unwrap();
        output.line(br#"{"pass": true}"#).unwrap();
        assert!(output.overflow);
        let mut output = Output::default();
        output.too_long();
        assert!(output.overflow);
    }

    #[test]
    fn whose_fault_a_missing_answer_is_decides_what_helps() {
        let refused = |status| NoAnswer::from(AskError::Refused { status, message: "m".to_owned() }).fault;
        assert_eq!([400, 401, 404].map(refused), [Fault::Configuration; 3]);
        assert_eq!([429, 500, 502, 529].map(refused), [Fault::Provider; 4]);
        assert_eq!(NoAnswer::from(AskError::CutOff).fault, Fault::Answer);
    }
}
