//! What the program is disturbed at.

use std::{
    os::unix::fs::symlink,
    path::{Path, PathBuf},
};

use git2::{Repository, Signature, Time};
use mycelium_fixtures::{
    FixtureError,
    config::ConfigDraft,
    containers::{Containers, tunnel},
    files::write_file,
    fixture::Fixture,
    models::{ModelServer, Script, Track, Turn, agent},
    planner::{PlanDraft, TaskDraft},
    repository::{BRANCH, COMMIT_SECONDS, FixtureRepository},
    sandbox::Sandbox,
    script::Scripts,
};

/// The one run of a scene.
pub(crate) const RUN: &str = "r1";
/// Its tasks.
pub(crate) const TASKS: [&str; 3] = ["001", "002", "003"];
/// The configuration, in the repository.
pub(crate) const CONFIG: &str = ".mycelium/config.yaml";

const PLAN_IT: &[&str] = &["plan", "--input", ".mycelium/plan.md"];
const RUN_IT: &[&str] = &["run", "--run-id", RUN];
/// Decides under the configuration as it is then.
pub(crate) const RETRY_IT: &[&str] = &["review", "retry", "002", "--run-id", RUN];

/// A repository, a plan, and the command that is disturbed.
#[derive(Debug, Clone, Copy, PartialEq, Eq, PartialOrd, Ord)]
pub(crate) enum Scene {
    /// `run` with the mock agent, the integration branch checked out, home in the checkout.
    Mock,
    /// `run` with a command agent, the integration branch checked out: a widened manifest, a removed file.
    Command,
    /// The same with another branch checked out.
    Aside,
    /// `review retry` of a task that failed, under another configuration; then `resume`.
    Retry,
    /// The `resume` after that.
    Redo,
    /// `review approve` of work that its manifest blocks; then `resume`.
    Approve,
    /// `review reject` of such work; then `resume`.
    Reject,
    /// `clean --all` after a run.
    Clean,
    /// The first `plan`.
    FirstPlan,
    /// `plan --force` over an older plan.
    Plan,
    /// `init` of a repository.
    Init,
    /// `init --force` over an older configuration.
    InitForce,
    /// `run` with an agent that asks a model through the gateway, which is recorded.
    Hired,
    /// The same without a recording: an interrupted agent goes on with its conversation.
    Talk,
    /// `run` with a command agent in containers; only where there is an engine.
    Containers,
    /// The same at an engine to which workspaces are carried.
    Far,
}

/// What the names of the points begin with that only a run in containers passes.
pub(crate) const IN_CONTAINERS: &str = "engine.";
/// And those that it passes where workspaces are carried.
pub(crate) const CARRIED: &str = "carried.";

/// What the names of the points begin with that only a run with a model passes.
const OF_MODELS: [&str; 2] = ["models.", "cassette."];
/// And those at which a conversation may be in its middle.
const OF_CONVERSATIONS: [&str; 2] = ["models.", "conversation."];
/// The key of its model.
const KEY: &str = "OPERATORS_MODEL_KEY";

/// How the run of a scene ends.
#[derive(Debug, Clone, Copy)]
pub(crate) struct Outcome {
    /// Its status.
    pub(crate) status: &'static str,
    /// The exit code that says so.
    pub(crate) exit: i32,
    /// The tasks that landed.
    pub(crate) landed: &'static [&'static str],
}

impl Scene {
    pub(crate) const ALL: [Self; 16] = [
        Self::Mock,
        Self::Command,
        Self::Aside,
        Self::Retry,
        Self::Redo,
        Self::Approve,
        Self::Reject,
        Self::Clean,
        Self::FirstPlan,
        Self::Plan,
        Self::Init,
        Self::InitForce,
        Self::Hired,
        Self::Talk,
        Self::Containers,
        Self::Far,
    ];

    pub(crate) fn name(self) -> &'static str {
        match self {
            Self::Mock => "mock",
            Self::Command => "command",
            Self::Aside => "aside",
            Self::Retry => "retry",
            Self::Redo => "redo",
            Self::Approve => "approve",
            Self::Reject => "reject",
            Self::Clean => "clean",
            Self::FirstPlan => "first-plan",
            Self::Plan => "plan",
            Self::Init => "init",
            Self::InitForce => "init-force",
            Self::Hired => "hired",
            Self::Talk => "talk",
            Self::Containers => "containers",
            Self::Far => "far",
        }
    }

    /// Whether a point is disturbed in it: in containers and with a model, where all takes longer, those that nothing else
    /// passes.
    pub(crate) fn tries(self, point: &str) -> bool {
        match self {
            Self::Containers => point.starts_with(IN_CONTAINERS),
            Self::Far => point.starts_with(CARRIED),
            Self::Hired => OF_MODELS.iter().any(|prefix| point.starts_with(prefix)),
            Self::Talk => OF_CONVERSATIONS.iter().any(|prefix| point.starts_with(prefix)),
            _ => true,
        }
    }

    /// Whether its commands run in containers.
    pub(crate) fn is_contained(self) -> bool {
        matches!(self, Self::Containers | Self::Far)
    }

    /// Whether its agents ask a model.
    fn asks_a_model(self) -> bool {
        matches!(self, Self::Hired | Self::Talk)
    }

    /// Whether a run begins in it.
    pub(crate) fn begins_run(self) -> bool {
        matches!(self, Self::Mock | Self::Command | Self::Aside) || self.asks_a_model() || self.is_contained()
    }

    /// Whether a run begins or goes on in it.
    pub(crate) fn is_run(self) -> bool {
        self.begins_run() || self == Self::Redo || self.decides().is_some()
    }

    /// The task that a human decides about, and its status until the decision is journaled.
    pub(crate) fn decides(self) -> Option<(&'static str, &'static str)> {
        match self {
            Self::Retry => Some(("002", "failed")),
            Self::Approve | Self::Reject => Some(("001", "needs_human_review")),
            _ => None,
        }
    }

    pub(crate) fn outcome(self) -> Outcome {
        if self == Self::Reject {
            Outcome { status: "failed", exit: 1, landed: &["002"] }
        } else {
            Outcome { status: "complete", exit: 0, landed: &TASKS }
        }
    }

    /// The commands that lead up to the one that is disturbed, after the configuration and the planner's answer.
    pub(crate) fn before(self) -> &'static [&'static [&'static str]] {
        match self {
            Self::Init | Self::InitForce | Self::FirstPlan => &[],
            Self::Mock
            | Self::Command
            | Self::Aside
            | Self::Hired
            | Self::Talk
            | Self::Containers
            | Self::Far
            | Self::Plan => &[PLAN_IT],
            Self::Retry | Self::Approve | Self::Reject | Self::Clean => &[PLAN_IT, RUN_IT],
            Self::Redo => &[PLAN_IT, RUN_IT, RETRY_IT],
        }
    }

    /// The exit code of a command that leads up to it: a human decides about what did not land.
    pub(crate) fn exit_before(self, command: &[&str]) -> i32 {
        i32::from(command == RUN_IT && (self.decides().is_some() || self == Self::Redo))
    }

    /// The command that is disturbed.
    pub(crate) fn command(self) -> &'static [&'static str] {
        match self {
            Self::Mock | Self::Command | Self::Aside | Self::Hired | Self::Talk => {
                &["run", "--run-id", RUN, "--json"]
            }
            Self::Containers | Self::Far => &["run", "--run-id", RUN, "--json", "--world", "docker"],
            Self::Retry => RETRY_IT,
            Self::Redo => &["resume", "--run-id", RUN, "--json"],
            Self::Approve => &["review", "approve", "001", "--run-id", RUN],
            Self::Reject => &["review", "reject", "001", "--run-id", RUN],
            Self::Clean => &["clean", "--all"],
            Self::FirstPlan => PLAN_IT,
            Self::Plan => &["plan", "--input", ".mycelium/plan.md", "--force"],
            Self::Init => &["init"],
            Self::InitForce => &["init", "--force"],
        }
    }

    /// Puts everything in place up to the commands that lead up to it. No task may be retried: an attempt that is
    /// charged for a fault fails the run. The engine is that of the scene in containers.
    pub(crate) fn build(
        self,
        sandbox: &mut Sandbox,
        engine: Option<&Containers>,
        model: Option<&Model>,
    ) -> Result<FixtureRepository, FixtureError> {
        let repository = Fixture::Toy.build(&sandbox.root().join("toy-repo"))?;
        if self == Self::Init {
            return Ok(repository);
        }
        let mut config = ConfigDraft::new(Fixture::Toy.doctor());
        config.merge_yaml("max_parallel: 2\nmax_retries: 0\nbootstrap: ['echo ready']\n")?;
        let reviewed = matches!(self, Self::Approve | Self::Reject);
        config.set(&["manifest_enforcement"], if reviewed { "block" } else { "warn" });
        if matches!(self, Self::Mock | Self::FirstPlan | Self::Plan) {
            sandbox.set("MYCELIUM_HOME", "");
        } else {
            add_link(&repository)?;
            if let Some(engine) = engine.filter(|_| self.is_contained()) {
                let far = || tunnel::open(&engine.host).map_err(FixtureError::Engine);
                let host = if self == Self::Far { far()? } else { engine.host.clone() };
                sandbox.set("DOCKER_HOST", host);
                config.set(&["docker", "image"], &engine.image);
                config.set(&["docker", "network_mode"], "none");
            }
            config.set(&["worker", "agent"], "command");
            config.set(&["worker", "command"], &self.agents(sandbox, &repository)?.agent_command()?);
            if let Some(model) = model {
                config.set(&["worker", "agent"], "codex");
                config.set(&["worker", "model"], "scripted-model");
                config.set(&["worker", "program"], &model.agent.to_string_lossy());
                config.set(&["gateway", "openai", "base_url"], &model.server.base_url());
                config.set(&["gateway", "openai", "key"], KEY);
                if self == Self::Hired {
                    config.set(&["gateway", "record"], "kept");
                }
                sandbox.set(KEY, "sk-of-the-operator-0123456789abcdef");
            }
        }
        write_file(&repository.path().join(CONFIG), config.to_yaml()?.as_bytes(), false)?;
        write_file(&repository.path().join(".mycelium/plan.md"), b"# Work\n", false)?;
        sandbox.set("MOCK_LLM_OUTPUT", plan(self == Self::Plan).to_json());
        if self == Self::Aside {
            repository.check_out_new_branch("aside")?;
        }
        Ok(repository)
    }

    /// What the planner answers to the command that is disturbed.
    pub(crate) fn new_plan(self) -> Option<String> {
        (self == Self::Plan).then(|| plan(false).to_json())
    }

    /// Agents that add a line to each file, so that work done twice shows.
    fn agents(self, sandbox: &Sandbox, repository: &FixtureRepository) -> Result<Scripts, FixtureError> {
        let mut scripts = Scripts::new(&sandbox.root().join("scripts"), repository.path(), BRANCH);
        if self.is_contained() {
            scripts.move_into_containers();
        }
        let one =
            "append src/one.js one\nappend docs/one.md one\nappend extra/undeclared.txt one\nusage 10 5\n";
        let name = if self == Self::Far { "ln extra/undeclared.txt extra/again.txt\n" } else { "" };
        scripts.write_agent(Some("001"), &format!("{one}{name}"))?;
        let fails =
            if matches!(self, Self::Retry | Self::Redo) { "if once two; then exit 1; fi\n" } else { "" };
        let two = format!("{fails}append README.md two\nrm src/greet.js\nusage 10 5\n");
        scripts.write_agent(Some("002"), &two)?;
        scripts.write_agent(Some("003"), "append src/one.js three\nappend README.md three\n")?;
        Ok(scripts)
    }
}

/// The model of a scene, which answers each request by what it says, however often an attempt begins anew.
#[derive(Debug)]
pub(crate) struct Model {
    server: ModelServer,
    agent: PathBuf,
}

impl Model {
    /// That of a scene; none where its agents ask none.
    pub(crate) fn of(scene: Scene, folder: &Path, program: &Path) -> Result<Option<Self>, FixtureError> {
        if !scene.asks_a_model() {
            return Ok(None);
        }
        // One that goes on does not do again what is done.
        let works = "append() {
                mkdir -p \"$(dirname \"$1\")\" && { grep -qsx \"$2\" \"$1\" || echo \"$2\" >>\"$1\"; }
            }
            case $MYCELIUM_TASK_ID in
                001) append src/one.js one; append docs/one.md one;;
                002) append README.md two; rm -f src/greet.js;;
                003) append src/one.js three; append README.md three;;
            esac
            echo \"worked $MYCELIUM_TASK_ID\"";
        let server = ModelServer::start(Script {
            // One that has run its command to the end is done.
            tracks: vec![Track {
                when: "worked 00".to_owned(),
                turns: vec![Turn { text: Some("Done.".to_owned()), ..Turn::default() }],
            }],
            turns: vec![Turn { shell: Some(works.to_owned()), ..Turn::default() }],
        });
        let server = server.map_err(FixtureError::file("start the model server of", folder))?;
        let path = folder.join("agents/codex");
        write_file(&path, agent::launcher("codex", program).as_bytes(), true)?;
        Ok(Some(Self { server, agent: path }))
    }
}

/// Commits a link, which toy-repo has none of.
fn add_link(repository: &FixtureRepository) -> Result<(), FixtureError> {
    let path = repository.path().join("LINK.md");
    symlink("README.md", &path).map_err(FixtureError::file("link", &path))?;
    repository.stage("LINK.md")?;
    let commit = || -> Result<(), git2::Error> {
        let repository = Repository::open(repository.path())?;
        let tree = repository.find_tree(repository.index()?.write_tree()?)?;
        let parent = repository.head()?.peel_to_commit()?;
        let author = Signature::new("Fixture", "fixture@example.invalid", &Time::new(COMMIT_SECONDS, 0))?;
        repository.commit(Some("HEAD"), &author, &author, "Add a link\n", &tree, &[&parent]).map(drop)
    };
    commit().map_err(FixtureError::git("commit a link to", repository.path()))
}

/// Two tasks that run at once, and one that needs both.
fn plan(older: bool) -> PlanDraft {
    let task = |id: &str, writes: &[&str]| TaskDraft {
        id: id.to_owned(),
        name: format!("Task {id}"),
        writes: writes.iter().map(|path| (*path).to_owned()).collect(),
        verify: Some("sh scripts/doctor.sh".to_owned()),
        spec: "Do it.".to_owned(),
        ..TaskDraft::default()
    };
    let one = task("001", &["src/one.js", "docs/one.md"]);
    if older {
        return PlanDraft(vec![one, task("009", &["src/nine.js"])]);
    }
    let three = TaskDraft {
        dependencies: vec!["001".to_owned(), "002".to_owned()],
        ..task("003", &["src/one.js", "README.md"])
    };
    PlanDraft(vec![one, task("002", &["README.md", "src/greet.js"]), three])
}
