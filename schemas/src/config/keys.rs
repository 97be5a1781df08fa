//! The one table of configuration keys: it names what the decoder accepts, and the reference and the JSON Schema of
//! the file are made from it.

/// What a key's value may be.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum Kind {
    /// Text that is not empty.
    Text,
    /// A path below the repository's root.
    Path,
    /// A glob over such paths.
    Glob,
    /// An id: letters, digits, `.`, `_` and `-`.
    Id,
    /// A whole number within bounds.
    Whole {
        /// Smallest accepted.
        min: u64,
        /// Largest accepted.
        max: u64,
    },
    /// Minutes with at most three decimals.
    Minutes,
    /// `true` or `false`.
    Flag,
    /// One of several words.
    Choice(&'static [&'static str]),
    /// US dollars with at most six decimals.
    Dollars,
    /// A list.
    List(&'static Kind),
    /// Keys that are described below it.
    Mapping,
}

/// What happens without the key.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum Fallback {
    /// It must be there.
    Required,
    /// There is no value: no limit, no command, an empty list.
    Nothing,
    /// This value, as it would be written.
    Value(&'static str),
    /// What this sentence fragment says.
    Rule(&'static str),
}

/// One key.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub struct KeyDoc {
    /// Where it stands: `worker.agent`, `resources[].name`, `budgets.prices.<model>.input`.
    pub key: &'static str,
    /// What it may be.
    pub kind: Kind,
    /// What it is when left out.
    pub fallback: Fallback,
    /// A line that sets it.
    pub example: &'static str,
    /// What it means.
    pub doc: &'static str,
}

/// Who can be asked for an answer.
const ANSWERERS: &[&str] = &["mock", "command", "openai", "anthropic", "compatible", "codex", "claude"];
const MODES: &[&str] = &["off", "warn", "block"];
const CLEANUP: &[&str] = &["never", "on_success", "always"];
const LIMIT: Kind = Kind::Whole { min: 0, max: 1_000_000_000_000_000 };

const fn key(
    key: &'static str,
    kind: Kind,
    fallback: Fallback,
    example: &'static str,
    doc: &'static str,
) -> KeyDoc {
    KeyDoc { key, kind, fallback, example, doc }
}

macro_rules! validator {
    ($name:literal, $what:literal) => {
        [
            key($name, Kind::Mapping, Fallback::Nothing, concat!($name, ": { mode: block }"), $what),
            key(
                concat!($name, ".mode"),
                Kind::Choice(MODES),
                Fallback::Value("off"),
                "mode: block",
                "`warn` judges and logs; with `block`, work that does not pass does not land.",
            ),
            key(
                concat!($name, ".provider"),
                Kind::Choice(ANSWERERS),
                Fallback::Value("mock"),
                "provider: command",
                "Who judges. `mock` reads a report from `MOCK_LLM_OUTPUT` or the file `MOCK_LLM_OUTPUT_PATH`; `command` runs `command`; the others ask a model as a planner's do, with the prompt of `.mycelium/prompts/` if it is there.",
            ),
            key(
                concat!($name, ".model"),
                Kind::Text,
                Fallback::Nothing,
                "model: gpt-5.5",
                "Model by its provider's name, and the entry of `budgets.prices` to count cost with. Required for a provider that asks a model.",
            ),
            key(
                concat!($name, ".program"),
                Kind::Text,
                Fallback::Rule("`codex` or `claude`, looked for in `PATH`"),
                "program: /opt/agents/codex",
                "The program of `provider: codex` or `provider: claude`.",
            ),
            key(
                concat!($name, ".command"),
                Kind::Text,
                Fallback::Nothing,
                "command: ./validate.sh",
                "Shell command run in the workspace; prints one JSON report `{\"pass\", \"summary\", \"issues\"}`. Required with `provider: command`.",
            ),
        ]
    };
}

const GENERAL: [KeyDoc; 15] = [
    key(
        "integration_branch",
        Kind::Text,
        Fallback::Required,
        "integration_branch: main",
        "Local branch that work lands on. It must exist; Mycelium never makes it.",
    ),
    key(
        "doctor",
        Kind::Path,
        Fallback::Required,
        "doctor: .mycelium/doctor.sh",
        "Script that decides whether a candidate may land: it is run with the candidate's files as working directory and must exit 0.",
    ),
    key(
        "doctor_timeout",
        Kind::Minutes,
        Fallback::Value("30"),
        "doctor_timeout: 30",
        "Minutes the doctor may take.",
    ),
    key(
        "doctor_canary",
        Kind::Flag,
        Fallback::Value("false"),
        "doctor_canary: true",
        "Whether the doctor is first run on an empty folder, where it must fail: one that passes there can refuse nothing, which is reported.",
    ),
    key(
        "max_parallel",
        Kind::Whole { min: 1, max: 256 },
        Fallback::Value("4"),
        "max_parallel: 4",
        "Tasks at once.",
    ),
    key(
        "max_retries",
        Kind::Whole { min: 0, max: 100 },
        Fallback::Value("2"),
        "max_retries: 2",
        "Attempts after the first one, for a task that fails.",
    ),
    key(
        "timeout_minutes",
        Kind::Minutes,
        Fallback::Value("60"),
        "timeout_minutes: 60",
        "Minutes an attempt's agent, a planner or a validator may take.",
    ),
    key(
        "idle_timeout_minutes",
        Kind::Minutes,
        Fallback::Value("15"),
        "idle_timeout_minutes: 15",
        "Minutes an agent may be silent: what it asks its model, and what of the answer comes, is no silence.",
    ),
    key(
        "first_event_timeout_minutes",
        Kind::Minutes,
        Fallback::Value("0.5"),
        "first_event_timeout_minutes: 0.5",
        "Minutes within which an agent that asks a model must have said or asked something.",
    ),
    key(
        "bootstrap",
        Kind::List(&Kind::Text),
        Fallback::Nothing,
        "bootstrap: [\"npm ci\"]",
        "Shell commands run in a fresh workspace before the agent.",
    ),
    key(
        "resources",
        Kind::List(&Kind::Mapping),
        Fallback::Nothing,
        "resources: [{ name: database, paths: [\"migrations/**\"] }]",
        "Named resources that tasks lock.",
    ),
    key("resources[].name", Kind::Id, Fallback::Required, "name: database", "Name used in `locks`."),
    key(
        "resources[].paths",
        Kind::List(&Kind::Glob),
        Fallback::Nothing,
        "paths: [\"migrations/**\"]",
        "A change to one of these paths needs the resource's write lock.",
    ),
    key(
        "manifest_enforcement",
        Kind::Choice(MODES),
        Fallback::Value("warn"),
        "manifest_enforcement: warn",
        "What a change outside a task's manifest means: `off` records it, `warn` widens the manifest and tries again, `block` blocks the task.",
    ),
    key(
        "task_failure_policy",
        Kind::Choice(&["retry", "fail_fast"]),
        Fallback::Value("retry"),
        "task_failure_policy: retry",
        "`retry` tries a failed task up to `max_retries` more times and lets others go on; `fail_fast` starts nothing more.",
    ),
];

const PEOPLE: [KeyDoc; 13] = [
    key("planner", Kind::Mapping, Fallback::Nothing, "planner: { provider: mock }", "Who makes the plan."),
    key(
        "planner.provider",
        Kind::Choice(ANSWERERS),
        Fallback::Value("mock"),
        "provider: openai",
        "`mock` reads the plan from `MOCK_LLM_OUTPUT` or the file `MOCK_LLM_OUTPUT_PATH`; `command` runs `command`; `openai` asks by the Responses interface, `compatible` by chat completions at the address of `gateway.openai`, `anthropic` by Messages; `codex` and `claude` run Codex CLI and Claude Code.",
    ),
    key(
        "planner.model",
        Kind::Text,
        Fallback::Nothing,
        "model: gpt-5.5",
        "Model by its provider's name, and the entry of `budgets.prices` to count cost with. Required for a provider that asks a model.",
    ),
    key(
        "planner.program",
        Kind::Text,
        Fallback::Rule("`codex` or `claude`, looked for in `PATH`"),
        "program: /opt/agents/codex",
        "The program of `provider: codex` or `provider: claude`.",
    ),
    key(
        "planner.command",
        Kind::Text,
        Fallback::Nothing,
        "command: ./plan.sh",
        "Shell command run in the repository's root; it gets the prompt on standard input and prints one plan `{\"tasks\": […]}`. Required with `provider: command`.",
    ),
    key(
        "planner.max_repairs",
        Kind::Whole { min: 0, max: 20 },
        Fallback::Value("2"),
        "max_repairs: 2",
        "Times that a plan with problems is given back to be corrected; `mock` is never asked again.",
    ),
    key("worker", Kind::Mapping, Fallback::Nothing, "worker: { agent: mock }", "Who does the work."),
    key(
        "worker.agent",
        Kind::Choice(&["mock", "command", "codex", "claude"]),
        Fallback::Value("mock"),
        "agent: codex",
        "`mock` appends a line with the task's id to each path it may write; `command` runs `command` in the workspace; `codex` and `claude` run Codex CLI and Claude Code, which reach their model through the gateway.",
    ),
    key(
        "worker.model",
        Kind::Text,
        Fallback::Value("default"),
        "model: gpt-5.5",
        "The agent's model, by its provider's name, and the entry of `budgets.prices` to count cost with. Required with `agent: codex` and `agent: claude`.",
    ),
    key(
        "worker.program",
        Kind::Text,
        Fallback::Rule("`codex` or `claude`, looked for in `PATH`"),
        "program: /opt/agents/codex",
        "The program of `agent: codex` or `agent: claude`.",
    ),
    key(
        "worker.args",
        Kind::List(&Kind::Text),
        Fallback::Nothing,
        "args: [\"-c\", \"model_reasoning_effort=high\"]",
        "More arguments for `agent: codex` or `agent: claude`.",
    ),
    key(
        "worker.command",
        Kind::Text,
        Fallback::Nothing,
        "command: ./agent.sh",
        "Shell command run in the workspace; it gets the specification on standard input. Required with `agent: command`.",
    ),
    key(
        "worker.env",
        Kind::List(&Kind::Text),
        Fallback::Nothing,
        "env: [PATH_TO_TOOL, MODE=fast]",
        "More environment for agent, bootstrap, verify, validators and doctor: `NAME` hands on the operator's value, `NAME=value` sets one.",
    ),
];

const TEST_VALIDATOR: [KeyDoc; 6] = validator!("test_validator", "Judges tests.");
const STYLE_VALIDATOR: [KeyDoc; 6] = validator!("style_validator", "Judges style.");
const ARCHITECTURE_VALIDATOR: [KeyDoc; 6] = validator!("architecture_validator", "Judges architecture.");
const DOCTOR_VALIDATOR: [KeyDoc; 6] = validator!(
    "doctor_validator",
    "Judges whether the doctor would notice if the work was wrong. A command finds the doctor's script in the file `MYCELIUM_DOCTOR`."
);

const BUDGETS: [KeyDoc; 13] = [
    key(
        "budgets",
        Kind::Mapping,
        Fallback::Nothing,
        "budgets: { max_tokens_per_run: 2000000 }",
        "Limits of usage.",
    ),
    key(
        "budgets.mode",
        Kind::Choice(&["warn", "block"]),
        Fallback::Rule("`block` where a limit is set"),
        "mode: block",
        "`warn` logs what exceeds a limit; `block` stops the run and lands nothing more.",
    ),
    key(
        "budgets.max_tokens_per_task",
        LIMIT,
        Fallback::Nothing,
        "max_tokens_per_task: 200000",
        "Input plus output tokens of a task, all attempts.",
    ),
    key(
        "budgets.max_tokens_per_run",
        LIMIT,
        Fallback::Nothing,
        "max_tokens_per_run: 2000000",
        "Input plus output tokens of the run.",
    ),
    key(
        "budgets.max_cost_per_task",
        Kind::Dollars,
        Fallback::Nothing,
        "max_cost_per_task: 1.50",
        "Cost of a task in US dollars, all attempts. Needs prices for the models of worker and validators.",
    ),
    key(
        "budgets.max_cost_per_run",
        Kind::Dollars,
        Fallback::Nothing,
        "max_cost_per_run: 20",
        "Cost of the run in US dollars. Needs prices for the models of worker and validators.",
    ),
    key(
        "budgets.prices",
        Kind::Mapping,
        Fallback::Nothing,
        "prices: { default: { input: 1.25, cached_input: 0.125, output: 10 } }",
        "Prices by model, in US dollars for a million tokens.",
    ),
    key(
        "budgets.prices.<model>",
        Kind::Mapping,
        Fallback::Nothing,
        "default: { input: 1.25, output: 10 }",
        "A model's prices; the one that a request names counts, or else the one that the configuration names for who asked.",
    ),
    key(
        "budgets.prices.<model>.input",
        Kind::Dollars,
        Fallback::Required,
        "input: 1.25",
        "Input tokens that were not cached.",
    ),
    key(
        "budgets.prices.<model>.cached_input",
        Kind::Dollars,
        Fallback::Rule("the price of `input`"),
        "cached_input: 0.125",
        "Input tokens that the provider served from its cache.",
    ),
    key(
        "budgets.prices.<model>.cache_write_input",
        Kind::Dollars,
        Fallback::Rule("the price of `input`"),
        "cache_write_input: 1.5625",
        "Input tokens that the provider wrote to its cache.",
    ),
    key(
        "budgets.prices.<model>.output",
        Kind::Dollars,
        Fallback::Required,
        "output: 10",
        "Output tokens, reasoning included.",
    ),
    key(
        "budgets.prices_as_of",
        Kind::Text,
        Fallback::Nothing,
        "prices_as_of: \"2026-01-31\"",
        "The day of the prices, which is shown with every cost.",
    ),
];

macro_rules! provider {
    ($name:literal, $last:literal, $what:literal, $url:literal, $variable:literal) => {
        [
            key($name, Kind::Mapping, Fallback::Nothing, concat!($last, ": { key: ", $variable, " }"), $what),
            key(
                concat!($name, ".base_url"),
                Kind::Text,
                Fallback::Value($url),
                "base_url: \"http://models.internal:8080\"",
                "Its address; whether `/v1` stands at its end makes no difference.",
            ),
            key(
                concat!($name, ".key"),
                Kind::Text,
                Fallback::Rule(concat!("`", $variable, "`; with another `base_url` it needs none")),
                concat!("key: ", $variable),
                "Variable of your environment that holds its key. No agent gets it, nor does anything that is written.",
            ),
        ]
    };
}

const GATEWAY: [KeyDoc; 1] = [key(
    "gateway",
    Kind::Mapping,
    Fallback::Nothing,
    "gateway: { openai: { key: OPENAI_API_KEY } }",
    "The providers behind the model gateway, through which agents, planners and validators reach their model.",
)];
const CASSETTE: [KeyDoc; 2] = [
    key(
        "gateway.record",
        Kind::Id,
        Fallback::Nothing,
        "record: first-try",
        "Name of a cassette that is made below `.mycelium/cassettes`: what models answer to `plan`, `run` and `resume` is kept there. One that is whole is never replaced.",
    ),
    key(
        "gateway.replay",
        Kind::Id,
        Fallback::Nothing,
        "replay: first-try",
        "Name of a cassette that answers in the place of models, without a key and without a network. What was not asked when it was recorded is refused.",
    ),
];
const GATEWAY_OPENAI: [KeyDoc; 3] = provider!(
    "gateway.openai",
    "openai",
    "OpenAI, or whoever speaks its interfaces.",
    "https://api.openai.com",
    "OPENAI_API_KEY"
);
const GATEWAY_ANTHROPIC: [KeyDoc; 3] = provider!(
    "gateway.anthropic",
    "anthropic",
    "Anthropic, or whoever speaks its interface.",
    "https://api.anthropic.com",
    "ANTHROPIC_API_KEY"
);

const SURROUNDINGS: [KeyDoc; 11] = [
    key(
        "docker",
        Kind::Mapping,
        Fallback::Nothing,
        "docker: { image: \"debian:stable\" }",
        "How containers are made, for `run --world docker`.",
    ),
    key(
        "docker.image",
        Kind::Text,
        Fallback::Nothing,
        "image: \"debian:stable\"",
        "Image of every container: it needs `sh` and whatever your commands use. Required for `run --world docker`.",
    ),
    key(
        "docker.network_mode",
        Kind::Text,
        Fallback::Value("bridge"),
        "network_mode: none",
        "Network of the containers: `none`, `bridge` or a network's name.",
    ),
    key(
        "docker.user",
        Kind::Text,
        Fallback::Rule("the caller's"),
        "user: \"1000:1000\"",
        "User and group in the containers.",
    ),
    key(
        "docker.memory_mb",
        Kind::Whole { min: 16, max: 16_777_216 },
        Fallback::Value("8192"),
        "memory_mb: 4096",
        "Memory of a container in MiB, without swap.",
    ),
    key(
        "docker.cpus",
        Kind::Whole { min: 1, max: 1024 },
        Fallback::Rule("all"),
        "cpus: 2",
        "Processors of a container.",
    ),
    key(
        "docker.pids_limit",
        Kind::Whole { min: 16, max: 1_000_000 },
        Fallback::Value("2048"),
        "pids_limit: 512",
        "Processes at once in a container.",
    ),
    key(
        "cleanup",
        Kind::Mapping,
        Fallback::Nothing,
        "cleanup: { workspaces: on_success }",
        "What is removed, and when.",
    ),
    key(
        "cleanup.workspaces",
        Kind::Choice(CLEANUP),
        Fallback::Value("on_success"),
        "workspaces: on_success",
        "Workspaces: kept, removed once the task landed, or removed when the attempt is over.",
    ),
    key(
        "cleanup.containers",
        Kind::Choice(CLEANUP),
        Fallback::Value("on_success"),
        "containers: on_success",
        "Containers: kept, removed once their command succeeded, or removed whatever it did. Kept ones go with `mycelium clean`.",
    ),
    key(
        "secrets",
        Kind::List(&Kind::Text),
        Fallback::Nothing,
        "secrets: [DATABASE_URL]",
        "Variables whose values are redacted in everything that is written or said. Variables of `worker.env` whose names end in `KEY`, `TOKEN` or `SECRET` or hold `PASSWORD` count without being listed, and so do the known shapes of keys.",
    ),
];

/// Every key, in the order of the reference; a section stands before what is in it.
pub(crate) fn all() -> impl Iterator<Item = &'static KeyDoc> {
    GENERAL
        .iter()
        .chain(&PEOPLE)
        .chain(&TEST_VALIDATOR)
        .chain(&STYLE_VALIDATOR)
        .chain(&ARCHITECTURE_VALIDATOR)
        .chain(&DOCTOR_VALIDATOR)
        .chain(&BUDGETS)
        .chain(&GATEWAY)
        .chain(&CASSETTE)
        .chain(&GATEWAY_OPENAI)
        .chain(&GATEWAY_ANTHROPIC)
        .chain(&SURROUNDINGS)
}

/// The keys that stand directly in a section, by their last name; the section's pattern is as in [`KeyDoc::key`], an
/// entry of a list ends in `[]`.
pub(crate) fn below(pattern: &str) -> impl Iterator<Item = (&'static str, &'static KeyDoc)> {
    all().filter_map(move |doc| {
        let name =
            if pattern.is_empty() { doc.key } else { doc.key.strip_prefix(pattern)?.strip_prefix('.')? };
        (!name.contains(['.', '['])).then_some((name, doc))
    })
}
