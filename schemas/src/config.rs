//! The configuration in effect: every key present, typed and bounded (design 3.7). [`crate::config::parse`] makes it
//! from the text that a user wrote.

mod address;
mod decimal;
mod dollars;
mod keys;
mod minutes;
mod parse;
mod place;
mod reference;

use std::collections::BTreeMap;

use serde::{Deserialize, Serialize};

use crate::{
    id::{CassetteName, LockName},
    path::{RepoGlob, RepoPath},
};

pub use keys::{Fallback, KeyDoc, Kind};
pub use minutes::{Minutes, NotMinutes};
pub use parse::parse;
pub use place::{key_at, place_of};
pub(crate) use reference::file_schema;
pub use reference::{reference, reference_markdown};

/// `config.yaml`, with every default filled in.
#[derive(Debug, Clone, PartialEq, Serialize)]
pub struct Config {
    /// Local branch that work lands on. Required.
    pub integration_branch: String,
    /// Script that decides whether a candidate may land, relative to the repository's root. Required.
    pub doctor: RepoPath,
    /// Minutes the doctor may take. Default 30.
    pub doctor_timeout: Minutes,
    /// Whether the doctor is first run on an empty folder, where it must fail. Default false.
    pub doctor_canary: bool,
    /// Tasks at once. Default 4.
    pub max_parallel: u32,
    /// Attempts after the first one, for a task that fails. Default 2.
    pub max_retries: u32,
    /// Minutes an attempt's agent may take. Default 60.
    pub timeout_minutes: Minutes,
    /// Minutes an agent may be silent. Default 15.
    pub idle_timeout_minutes: Minutes,
    /// Minutes within which an agent that asks a model must have said or asked something. Default 0.5.
    pub first_event_timeout_minutes: Minutes,
    /// Shell commands run in a fresh workspace before the agent. Default none.
    pub bootstrap: Vec<String>,
    /// Named resources that tasks lock. Default none.
    pub resources: Vec<Resource>,
    /// What a change outside the manifest means. Default `warn`.
    pub manifest_enforcement: Mode,
    /// What a failed attempt means. Default `retry`.
    pub task_failure_policy: FailurePolicy,
    /// Who makes the plan.
    pub planner: Planner,
    /// Who does the work.
    pub worker: Worker,
    /// Judges tests. Default off.
    pub test_validator: Validator,
    /// Judges style. Default off.
    pub style_validator: Validator,
    /// Judges architecture. Default off.
    pub architecture_validator: Validator,
    /// Judges whether the doctor would notice wrong work. Default off.
    pub doctor_validator: Validator,
    /// Limits of usage.
    pub budgets: Budgets,
    /// The providers of models.
    pub gateway: Gateway,
    /// How containers are made, for runs in containers.
    pub docker: Docker,
    /// What is removed, and when.
    pub cleanup: Cleanup,
    /// Variables whose values are redacted in everything that is written or said. Default none.
    pub secrets: Vec<String>,
}

impl Config {
    /// The validators by their short names, in the order in which they run.
    pub fn validators(&self) -> [(&'static str, &Validator); 4] {
        [
            ("test", &self.test_validator),
            ("style", &self.style_validator),
            ("architecture", &self.architecture_validator),
            ("doctor", &self.doctor_validator),
        ]
    }

    /// Who judges in a run: the validators that are on, by their short names.
    pub fn judges(&self) -> impl Iterator<Item = (&'static str, &Validator)> {
        self.validators().into_iter().filter(|(_, validator)| validator.mode != Mode::Off)
    }

    /// Whether anybody in a run reaches a model by way of the gateway.
    pub fn run_asks_a_model(&self) -> bool {
        self.worker.agent.asks_a_model()
            || self.judges().any(|(_, judge)| judge.asked.provider.asks_a_model())
    }

    /// Whether an agent that asks a model works in a run, as a worker or as a validator.
    pub fn run_hires_an_agent(&self) -> bool {
        self.worker.agent.asks_a_model() || self.judges().any(|(_, judge)| judge.asked.provider.is_program())
    }
}

/// A gate's mode.
#[derive(Debug, Clone, Copy, Default, PartialEq, Eq, Serialize, Deserialize)]
#[serde(rename_all = "snake_case")]
pub enum Mode {
    /// Not judged; a manifest's violations are still recorded.
    #[default]
    Off,
    /// Judged and logged; never stops anything.
    Warn,
    /// What fails does not land.
    Block,
}

/// What happens after an attempt fails.
#[derive(Debug, Clone, Copy, Default, PartialEq, Eq, Serialize, Deserialize)]
#[serde(rename_all = "snake_case")]
pub enum FailurePolicy {
    /// Up to `max_retries` more attempts; other tasks go on.
    #[default]
    Retry,
    /// No retry, and no new batch.
    FailFast,
}

/// A named resource and the paths that belong to it.
#[derive(Debug, Clone, PartialEq, Eq, Serialize)]
pub struct Resource {
    /// Name used in `locks`.
    pub name: LockName,
    /// A change to one of these paths needs the resource's write lock. May be empty.
    pub paths: Vec<RepoGlob>,
}

/// Who answers a question in a given form: a plan, or a validator's report.
#[derive(Debug, Clone, Copy, Default, PartialEq, Eq, Serialize, Deserialize)]
#[serde(rename_all = "snake_case")]
pub enum Answerer {
    /// Reads `MOCK_LLM_OUTPUT` or the file `MOCK_LLM_OUTPUT_PATH`.
    #[default]
    Mock,
    /// A shell command, which prints the answer.
    Command,
    /// A model by `OpenAI` Responses.
    Openai,
    /// A model by Anthropic Messages.
    Anthropic,
    /// A model by chat completions, of whoever speaks them at the address of `gateway.openai`.
    Compatible,
    /// Codex CLI.
    Codex,
    /// Claude Code.
    Claude,
}

impl Answerer {
    /// Whether it reaches a model by way of the gateway.
    pub fn asks_a_model(self) -> bool {
        !matches!(self, Self::Mock | Self::Command)
    }

    /// Whether it is a program that is installed beside Mycelium.
    pub fn is_program(self) -> bool {
        matches!(self, Self::Codex | Self::Claude)
    }
}

/// Who is asked, and how.
#[derive(Debug, Clone, Default, PartialEq, Eq, Serialize)]
pub struct Answering {
    /// Default `mock`.
    pub provider: Answerer,
    /// The model, and the price list entry to count cost with. Required for one that asks a model.
    pub model: Option<String>,
    /// The shell command, for `command`; required there.
    pub command: Option<String>,
    /// The program, for `codex` and `claude`. Default its own name.
    pub program: Option<String>,
}

/// `planner`.
#[derive(Debug, Clone, Default, PartialEq, Eq, Serialize)]
pub struct Planner {
    /// Who is asked.
    #[serde(flatten)]
    pub asked: Answering,
    /// Times that a flawed answer is given back for repair. Default 2.
    pub max_repairs: u32,
}

/// Who does the work.
#[derive(Debug, Clone, Copy, Default, PartialEq, Eq, Serialize, Deserialize)]
#[serde(rename_all = "snake_case")]
pub enum Agent {
    /// Appends a line with the task's id to each path it may write.
    #[default]
    Mock,
    /// A shell command run in the workspace.
    Command,
    /// Codex CLI.
    Codex,
    /// Claude Code.
    Claude,
}

impl Agent {
    /// Whether it talks to a model itself, by way of the gateway.
    pub fn asks_a_model(self) -> bool {
        matches!(self, Self::Codex | Self::Claude)
    }
}

/// `worker`.
#[derive(Debug, Clone, Default, PartialEq, Eq, Serialize)]
pub struct Worker {
    /// Default `mock`.
    pub agent: Agent,
    /// The shell command, for `command`; required there.
    pub command: Option<String>,
    /// The agent's model, and the price list entry to count cost with. Default `default`; required for an agent that
    /// asks a model.
    pub model: String,
    /// The agent's program, for one that asks a model. Default its own name.
    pub program: Option<String>,
    /// More arguments for it. Default none.
    pub args: Vec<String>,
    /// More environment for agent, bootstrap, verify, validators and doctor: `NAME` hands on the operator's value,
    /// `NAME=value` sets one. Default none.
    pub env: Vec<String>,
}

/// A provider of models, behind the gateway.
#[derive(Debug, Clone, PartialEq, Eq, Serialize)]
pub struct Provider {
    /// Its address, without the version of its interface and without a slash at the end.
    pub base_url: String,
    /// Variable of the operator that holds its key; none where it wants none.
    pub key: Option<String>,
}

/// `gateway`.
#[derive(Debug, Clone, PartialEq, Eq, Serialize)]
pub struct Gateway {
    /// OpenAI, or whoever speaks its interfaces.
    pub openai: Provider,
    /// Anthropic, or whoever speaks its interface.
    pub anthropic: Provider,
    /// What models answer is kept, or was. Default neither.
    pub cassette: Option<Cassette>,
}

/// `gateway.record` or `gateway.replay`.
#[derive(Debug, Clone, PartialEq, Eq, Serialize)]
#[serde(rename_all = "snake_case")]
pub enum Cassette {
    /// Models are asked, and what they answer is kept.
    Record(CassetteName),
    /// No model is asked: what was kept answers.
    Replay(CassetteName),
}

impl Gateway {
    /// Variables that hold keys.
    pub fn keys(&self) -> impl Iterator<Item = &str> {
        [&self.openai, &self.anthropic].into_iter().filter_map(|provider| provider.key.as_deref())
    }

    /// Whether nobody is asked, so that neither key nor network is needed.
    pub fn is_replayed(&self) -> bool {
        matches!(self.cassette, Some(Cassette::Replay(_)))
    }
}

impl Default for Gateway {
    fn default() -> Self {
        let of =
            |base_url: &str, key: &str| Provider { base_url: base_url.to_owned(), key: Some(key.to_owned()) };
        Self {
            openai: of("https://api.openai.com", "OPENAI_API_KEY"),
            anthropic: of("https://api.anthropic.com", "ANTHROPIC_API_KEY"),
            cassette: None,
        }
    }
}

/// `test_validator`, `style_validator`, `architecture_validator`, `doctor_validator`.
#[derive(Debug, Clone, Default, PartialEq, Eq, Serialize)]
pub struct Validator {
    /// Default `off`.
    pub mode: Mode,
    /// Who is asked.
    #[serde(flatten)]
    pub asked: Answering,
}

/// `budgets`. A limit that is not set is none.
#[derive(Debug, Clone, Default, PartialEq, Serialize)]
pub struct Budgets {
    /// `block` where a limit is set, else `off`; `off` itself cannot be configured.
    pub mode: Mode,
    /// Input plus output tokens of a task, all attempts.
    pub max_tokens_per_task: Option<u64>,
    /// Input plus output tokens of the run.
    pub max_tokens_per_run: Option<u64>,
    /// Cost of a task in millionths of a US dollar; written in dollars.
    pub max_cost_microusd_per_task: Option<u64>,
    /// Cost of the run in millionths of a US dollar; written in dollars.
    pub max_cost_microusd_per_run: Option<u64>,
    /// Price list by model. A cost limit needs the models of worker and validators in it.
    pub prices: BTreeMap<String, Price>,
    /// The day of the price list, `YYYY-MM-DD`.
    pub prices_as_of: Option<String>,
}

impl Budgets {
    /// True where any limit is set and judged.
    pub fn is_limited(&self) -> bool {
        let limits = [
            self.max_tokens_per_task,
            self.max_tokens_per_run,
            self.max_cost_microusd_per_task,
            self.max_cost_microusd_per_run,
        ];
        self.mode != Mode::Off && limits.iter().any(Option::is_some)
    }
}

/// Price of a million tokens, in millionths of a US dollar; written in dollars.
#[derive(Debug, Clone, Copy, Default, PartialEq, Eq, Serialize)]
pub struct Price {
    /// Input tokens that were not cached.
    pub input: u64,
    /// Input tokens that the provider served from its cache. Default `input`.
    pub cached_input: u64,
    /// Input tokens that the provider wrote to its cache. Default `input`.
    pub cache_write_input: u64,
    /// Output tokens.
    pub output: u64,
}

/// `docker`.
#[derive(Debug, Clone, PartialEq, Eq, Serialize)]
pub struct Docker {
    /// Image of every container. Required for runs in containers.
    pub image: Option<String>,
    /// `none`, `bridge` or a network's name. Default `bridge`.
    pub network_mode: String,
    /// User and group in the container. Default those of the caller.
    pub user: Option<String>,
    /// Memory of a container in MiB; swap is not to be had. Default 8192.
    pub memory_mb: u32,
    /// Processors of a container. Default all.
    pub cpus: Option<u32>,
    /// Processes at once in a container. Default 2048.
    pub pids_limit: u32,
}

impl Default for Docker {
    fn default() -> Self {
        Self {
            image: None,
            network_mode: "bridge".to_owned(),
            user: None,
            memory_mb: 8192,
            cpus: None,
            pids_limit: 2048,
        }
    }
}

/// When something is removed.
#[derive(Debug, Clone, Copy, Default, PartialEq, Eq, Serialize, Deserialize)]
#[serde(rename_all = "snake_case")]
pub enum CleanupWhen {
    /// Kept.
    Never,
    /// Removed once the task landed.
    #[default]
    OnSuccess,
    /// Removed when the attempt is over.
    Always,
}

/// `cleanup`.
#[derive(Debug, Clone, Copy, Default, PartialEq, Eq, Serialize)]
pub struct Cleanup {
    /// Workspaces. Default `on_success`.
    pub workspaces: CleanupWhen,
    /// Containers. Default `on_success`.
    pub containers: CleanupWhen,
}
