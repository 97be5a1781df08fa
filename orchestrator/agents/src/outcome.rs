//! What became of an invocation. No exit code and no sentence of an agent is believed alone: it did its work only if it
//! says so, exited so, and left something behind.

use std::fmt;

use crate::{
    agent::Agent,
    claude, codex,
    reader::{Report, Terminal, shortened},
};

/// Why an attempt of an agent failed.
#[derive(Debug, Clone, Copy, PartialEq, Eq, PartialOrd, Ord, Hash)]
pub enum FailureClass {
    /// The provider knows no such key, or there is none.
    Auth,
    /// Money or quota is used up: trying again does not help.
    Quota,
    /// Too many requests: later it may work.
    RateLimit,
    /// The conversation or the answer is too long for the model.
    Context,
    /// The provider failed.
    Provider,
    /// The provider was not reached, or the connection broke.
    Network,
    /// The agent was started wrongly, or asked the provider for what there is not.
    Config,
    /// It was ended before it had ended.
    Killed,
    /// It says that it is done, and neither said nor changed anything; or it gave no answer in the form that was asked for.
    Empty,
}

impl FailureClass {
    /// True where no other attempt would change it: somebody has to mend key, account or configuration first.
    pub fn is_lasting(self) -> bool {
        matches!(self, Self::Auth | Self::Quota | Self::Config)
    }

    /// Its name in events and reasons.
    pub fn name(self) -> &'static str {
        match self {
            Self::Auth => "auth",
            Self::Quota => "quota",
            Self::RateLimit => "rate_limit",
            Self::Context => "context",
            Self::Provider => "provider",
            Self::Network => "network",
            Self::Config => "config",
            Self::Killed => "killed",
            Self::Empty => "empty",
        }
    }
}

impl fmt::Display for FailureClass {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str(self.name())
    }
}

/// A failure, with what the agent or the provider said of it.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Failure {
    /// Why.
    pub class: FailureClass,
    /// The words, at most some thousand characters.
    pub message: String,
}

/// How the process ended.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum Ending {
    /// By itself, with a code.
    Exited(i32),
    /// By a signal that was not ours.
    Signalled(i32),
    /// We ended it: a limit of time or silence, a budget, an operator.
    Stopped,
    /// We ended it because it stayed after it had said its end, as an agent does whose command runs on.
    Lingered,
}

/// What is known of an invocation besides its own words.
#[derive(Debug, Clone, Copy)]
pub struct Facts<'a> {
    /// How its process ended.
    pub ending: Ending,
    /// True if it left a change in the workspace.
    pub changed: bool,
    /// The conversation that it was asked to go on with.
    pub asked_session: Option<&'a str>,
    /// The tokens that were counted on its way to the model; none where nobody counts.
    pub counted: Option<u64>,
    /// The end of what it printed on standard error.
    pub stderr: &'a str,
}

/// What became of an invocation.
#[derive(Debug, Clone, PartialEq, Eq)]
pub enum Outcome {
    /// It did its work, as far as the agent goes: gates judge the work itself.
    Completed,
    /// It did not.
    Failed(Failure),
    /// The conversation that it was to go on with is gone, or it went on with another one: it has to begin anew.
    SessionLost,
}

/// Judges an invocation by all that is known of it.
pub fn judge(agent: Agent, report: &Report, facts: Facts<'_>) -> Outcome {
    if facts.asked_session.is_some()
        && (is_lost(agent, report, facts.stderr) || never_began(report, facts.ending))
    {
        return Outcome::SessionLost;
    }
    if let (Some(asked), Some(session)) = (facts.asked_session, &report.session)
        && asked != session
    {
        // Codex begins a new conversation under a name that it does not know, and says nothing.
        return Outcome::SessionLost;
    }
    if let Some(told) = uncounted(report, &facts) {
        let why = format!(
            "told {told} tokens, none of which passed the gateway: it asks a model that is not counted"
        );
        return failed(FailureClass::Config, &why);
    }
    match (&report.terminal, facts.ending) {
        (Some(Terminal::Failed(failure)), _) => Outcome::Failed(failure.clone()),
        (Some(Terminal::Completed), Ending::Exited(0) | Ending::Lingered) => {
            if report.answer.is_none() && report.structured.is_none() && !facts.changed {
                failed(FailureClass::Empty, "says that it is done, and neither said nor changed anything")
            } else {
                Outcome::Completed
            }
        }
        (Some(Terminal::Completed), Ending::Exited(code)) => {
            failed(FailureClass::Killed, &format!("says that it is done, and exited with {code}"))
        }
        (Some(Terminal::Completed), Ending::Signalled(signal)) => {
            failed(FailureClass::Killed, &format!("says that it is done, and was ended by signal {signal}"))
        }
        (Some(Terminal::Completed), Ending::Stopped) => {
            failed(FailureClass::Killed, "was ended before it had ended")
        }
        (None, ending) => Outcome::Failed(unfinished(report, ending, facts.stderr)),
    }
}

/// What it tells that it used, where nothing of that was counted.
fn uncounted(report: &Report, facts: &Facts<'_>) -> Option<u64> {
    // What an older conversation used is in what it tells, also where this invocation was refused its first question.
    let is_of_this_one = facts.asked_session.is_none() || report.terminal == Some(Terminal::Completed);
    report.told().filter(|told| *told > 0 && facts.counted == Some(0) && is_of_this_one)
}

fn failed(class: FailureClass, message: &str) -> Outcome {
    Outcome::Failed(Failure { class, message: shortened(message) })
}

/// Why it never said how it ended.
fn unfinished(report: &Report, ending: Ending, stderr: &str) -> Failure {
    let began = report.session.is_some();
    match (ending, &report.trouble) {
        // It was at its third attempt, or waited for a network, when our patience ended.
        (Ending::Stopped, Some(trouble)) => trouble.clone(),
        (Ending::Exited(code), _) if !began => {
            let said =
                stderr.lines().map(str::trim).filter(|line| !is_notice(line)).find(|line| !line.is_empty());
            let message = said.map_or_else(|| format!("exited with {code} and said nothing"), shortened);
            Failure { class: FailureClass::Config, message }
        }
        (Ending::Exited(code), _) => {
            match stderr.lines().find_map(|line| line.trim().strip_prefix("Error: ")) {
                Some(said) if said.contains("exceeds the maximum length") => {
                    Failure { class: FailureClass::Context, message: shortened(said) }
                }
                Some(said) => Failure { class: FailureClass::Config, message: shortened(said) },
                None => Failure {
                    class: FailureClass::Killed,
                    message: format!("exited with {code} without saying how it ended"),
                },
            }
        }
        (Ending::Signalled(signal), _) => {
            Failure { class: FailureClass::Killed, message: format!("was ended by signal {signal}") }
        }
        (Ending::Stopped | Ending::Lingered, _) => {
            Failure { class: FailureClass::Killed, message: "was ended before it had ended".to_owned() }
        }
    }
}

/// What Codex says on standard error whether or not something is wrong.
fn is_notice(line: &str) -> bool {
    line.starts_with("Reading ") && line.ends_with("from stdin...") || line.starts_with("WARNING:")
}

/// Whether it ended by itself before it said anything: one that is to go on with a conversation and cannot read it does so
/// in words of its own, and one that begins anew shows whether it was that.
fn never_began(report: &Report, ending: Ending) -> bool {
    let by_itself = matches!(ending, Ending::Exited(_) | Ending::Signalled(_));
    by_itself && report.session.is_none() && report.terminal.is_none()
}

fn is_lost(agent: Agent, report: &Report, stderr: &str) -> bool {
    match agent {
        Agent::Codex => report.session.is_none() && codex::lost_session(stderr),
        Agent::Claude => claude::lost_session(report),
    }
}
