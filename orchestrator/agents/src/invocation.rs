//! What an agent is started with. The prompt comes on standard input, which is then closed: an open one makes Codex wait
//! for ever.

use std::{collections::BTreeMap, path::Path};

use crate::{agent::Agent, claude, codex};

/// What is asked of an agent, and where.
#[derive(Debug, Clone, Copy)]
pub struct Start<'a> {
    /// The model, by the provider's name.
    pub model: &'a str,
    /// Where it works, as it is called in the world in which the agent runs.
    pub workspace: &'a Path,
    /// A folder of the task's own, outside of the workspace, for its conversations and settings.
    pub home: &'a Path,
    /// The model interface that it talks to, without the version and the name of a method: `http://127.0.0.1:4000/t/001`.
    /// It needs no key there.
    pub base_url: &'a str,
    /// The conversation.
    pub session: Session<'a>,
    /// Variables that each command of the agent gets, by which it is found when it outlives the agent.
    pub marks: &'a BTreeMap<String, String>,
    /// True if it runs as root.
    pub as_root: bool,
    /// The form of the answer that is wanted, as a JSON Schema.
    pub answer: Option<Answer<'a>>,
    /// More arguments, of the operator's.
    pub more: &'a [String],
}

/// A conversation with an agent.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum Session<'a> {
    /// A new one. Where the agent lets its id be chosen, this one is: it is kept before the agent is started.
    New(&'a str),
    /// One that there is.
    Resume(&'a str),
}

/// Whether a conversation can be asked for by this id: it is a UUID, as both agents give. Codex begins a new conversation
/// under any other name that it does not know; and an id becomes an argument.
pub fn is_session_id(id: &str) -> bool {
    let is_dash = |at: usize| matches!(at, 8 | 13 | 18 | 23);
    id.len() == 36
        && id
            .bytes()
            .enumerate()
            .all(|(at, byte)| if is_dash(at) { byte == b'-' } else { byte.is_ascii_hexdigit() })
}

/// The form of an answer, as text and as a file: each agent wants another one.
#[derive(Debug, Clone, Copy)]
pub struct Answer<'a> {
    /// The JSON Schema.
    pub schema: &'a str,
    /// A file that holds it.
    pub file: &'a Path,
}

/// Arguments, environment and files, beside what every command gets.
#[derive(Debug, Clone, Default, PartialEq, Eq)]
pub struct Invocation {
    /// Behind the program's name.
    pub args: Vec<String>,
    /// More environment.
    pub env: BTreeMap<String, String>,
    /// What stands in its own folder before it starts, by name. Nobody but its user may read that.
    pub files: BTreeMap<String, String>,
}

impl Invocation {
    /// How an agent is started for this.
    pub fn of(agent: Agent, start: &Start<'_>) -> Self {
        match agent {
            Agent::Codex => codex::invocation::of(start),
            Agent::Claude => claude::invocation::of(start),
        }
    }

    pub(crate) fn arg(&mut self, arg: impl Into<String>) -> &mut Self {
        self.args.push(arg.into());
        self
    }

    pub(crate) fn args<const N: usize>(&mut self, args: [&str; N]) -> &mut Self {
        self.args.extend(args.map(str::to_owned));
        self
    }

    pub(crate) fn env(&mut self, name: &str, value: impl Into<String>) -> &mut Self {
        self.env.insert(name.to_owned(), value.into());
        self
    }
}
