//! `mycelium demo`: what a user would do, done in a toy repository by this very program, each command with its real
//! output. Needs no key, no Docker and no network.

use std::{
    fs,
    io::{self, BufRead, BufReader},
    path::{Path, PathBuf},
    process::Command,
};

use mycelium_fixtures::{
    FixtureError,
    demo::{self, Demo, HiredAgent},
    models::{
        ModelServer,
        agent::{self, Voice},
    },
};
use mycelium_schemas::answer::{DemoStep, Demonstrated};
use tempfile::TempDir;

use super::Context;
use crate::{
    args::{self, DemoAgent},
    error::CliError,
    exit::Exit,
    output::{self, Output},
    render,
};

/// Why the scripted agent did not work.
#[derive(Debug, thiserror::Error)]
pub(crate) enum ScriptedAgentError {
    /// Nobody speaks like that.
    #[error("there is no scripted agent {0:?}: name codex or claude")]
    Unknown(String),
    /// It could not read, write or ask.
    #[error("the scripted agent could not go on: {0}")]
    Failed(#[source] io::Error),
}

impl ScriptedAgentError {
    /// The exit code.
    pub(crate) fn exit(&self) -> Exit {
        match self {
            Self::Unknown(_) => Exit::Input,
            Self::Failed(_) => Exit::Environment,
        }
    }
}

/// The toy repository could not be made or read.
#[derive(Debug, thiserror::Error)]
#[error(transparent)]
pub(crate) struct DemoError(FixtureError);

/// Variables of the operator that the demonstration's commands get; nothing else of the machine decides its outcome.
const HANDED_ON: [&str; 4] = ["PATH", "TMPDIR", "LANG", "MYCELIUM_NOW"];

/// The variable of the model's key, and a key that no provider knows: the model of the demonstration wants none.
const KEY_VARIABLE: &str = "DEMO_MODEL_KEY";
const KEY: &str = "no-key-is-needed-for-the-demonstration";

/// The commands, as typed after `mycelium`.
const STEPS: [&[&str]; 4] = [
    &["init"],
    &["plan", "--input", ".mycelium/plan.md"],
    &["run", "--run-id", "demo"],
    &["status", "--run-id", "demo"],
];

/// Runs the whole way.
pub(crate) fn run(context: &Context, args: &args::DemoArgs) -> Result<Exit, CliError> {
    let place = Place::new(context, args)?;
    let demo = Demo::create(place.path()).map_err(DemoError)?;
    let model = Model::of(args.agent, context, place.path())?;
    let output = context.output;
    let narrate = |text: &str| if output.json { Ok(()) } else { output::text(text) };
    narrate(&format!(
        "$ cd {}\n$ export MOCK_LLM_OUTPUT_PATH={}\n",
        demo.repository.display(),
        demo.planner_output.display()
    ))?;
    let mut steps = Vec::new();
    for words in STEPS {
        let command = format!("mycelium {}", words.join(" "));
        narrate(&format!("\n$ {command}\n"))?;
        let printed = step(context, &demo, model.as_ref(), words, &command)?;
        steps.push(DemoStep { command, output: printed });
        if words == ["init"] {
            let [config, work] =
                demo.fill_in(model.as_ref().map(Model::agent).as_ref()).map_err(DemoError)?;
            narrate(&format!("\n# the demonstration now fills in {config} and {work}\n"))?;
        }
    }
    let log = demo.log().map_err(DemoError)?;
    let kept = place.kept();
    if output.json {
        let repository = demo.repository.display().to_string();
        output::document(&Demonstrated { repository, kept, steps, log })?;
        return Ok(Exit::Done);
    }
    output::text(&format!("\n# the branch {0} now, as `git log --oneline {0}` shows it\n", demo.branch))?;
    output::text(&render::lines(&log))?;
    place.leave(output)?;
    Ok(Exit::Done)
}

/// Runs one command to its end. What it prints is shown as it comes and given back.
fn step(
    context: &Context,
    demo: &Demo,
    model: Option<&Model>,
    words: &[&str],
    command: &str,
) -> Result<String, CliError> {
    let failed = |source| CliError::File { action: "run", path: context.environment.program.clone(), source };
    let (reader, writer) = io::pipe().map_err(failed)?;
    let mut child = {
        // Dropped with the block: the pipe ends when the child does.
        let mut program = Command::new(&context.environment.program);
        program.args(words).args(["--color", "never"]).current_dir(&demo.repository).env_clear();
        program.env("HOME", demo.repository.parent().unwrap_or(&demo.repository));
        program.env("MOCK_LLM_OUTPUT_PATH", &demo.planner_output);
        program.envs(model.map(|_| (KEY_VARIABLE, KEY)));
        program.envs(HANDED_ON.iter().filter_map(|name| Some((name, context.environment.get(name)?))));
        program.stdin(std::process::Stdio::null());
        program.stdout(writer.try_clone().map_err(failed)?).stderr(writer);
        program.spawn().map_err(failed)?
    };
    let mut printed = String::new();
    let mut shown = Ok(());
    for line in BufReader::new(reader).lines() {
        let line = format!("{}\n", line.map_err(failed)?);
        if !context.output.json && shown.is_ok() {
            shown = output::text(&line);
        }
        printed.push_str(&line);
    }
    let status = child.wait().map_err(failed)?;
    shown?;
    if status.success() {
        return Ok(printed);
    }
    if context.output.json {
        output::complain(printed.trim_end());
    }
    Err(CliError::DemoStep { command: command.to_owned(), ended: status.to_string() })
}

/// An agent that asks a model, and its model: both are scripted, and the gateway between them is the real one.
struct Model {
    name: &'static str,
    provider: &'static str,
    program: PathBuf,
    base_url: String,
    /// Answers as long as it is kept.
    _server: ModelServer,
}

impl Model {
    /// None for the mock agent, which asks none.
    fn of(agent: DemoAgent, context: &Context, folder: &Path) -> Result<Option<Self>, CliError> {
        let (name, provider) = match agent {
            DemoAgent::Mock => return Ok(None),
            DemoAgent::Codex => ("codex", "openai"),
            DemoAgent::Claude => ("claude", "anthropic"),
        };
        let server = ModelServer::start(demo::script()).map_err(|source| CliError::File {
            action: "start a model server for",
            path: folder.to_owned(),
            source,
        })?;
        let program = folder.join("agents").join(name);
        let text = agent::launcher(name, &context.environment.program);
        mycelium_fixtures::files::write_file(&program, text.as_bytes(), true).map_err(DemoError)?;
        Ok(Some(Self { name, provider, program, base_url: server.base_url(), _server: server }))
    }

    fn agent(&self) -> HiredAgent<'_> {
        let Self { name, provider, program, base_url, .. } = self;
        HiredAgent { name, provider, program, base_url, key: KEY_VARIABLE }
    }
}

/// `mycelium scripted-agent codex|claude …`, hidden: the agent that the demonstration hires.
pub(crate) fn scripted_agent(args: &args::ScriptedAgentArgs) -> Result<Exit, CliError> {
    let voice = Voice::of(&args.voice).ok_or_else(|| ScriptedAgentError::Unknown(args.voice.clone()))?;
    let code = agent::run(voice, &args.args).map_err(ScriptedAgentError::Failed)?;
    Ok(if code == 0 { Exit::Done } else { Exit::Failed })
}

/// Where the demonstration takes place.
enum Place {
    /// In a folder that is removed at the end.
    Temporary(TempDir),
    /// In a folder of the user's.
    Kept(PathBuf),
}

impl Place {
    fn new(context: &Context, args: &args::DemoArgs) -> Result<Self, CliError> {
        let Some(folder) = &args.keep else {
            let folder = tempfile::Builder::new().prefix("mycelium-demo-").tempdir();
            return folder.map(Self::Temporary).map_err(|source| CliError::File {
                action: "create a folder in",
                path: std::env::temp_dir(),
                source,
            });
        };
        let folder = context.environment.current_dir.join(folder);
        let failed = |action| {
            let path = folder.clone();
            move |source| CliError::File { action, path, source }
        };
        fs::create_dir_all(&folder).map_err(failed("create"))?;
        if fs::read_dir(&folder).map_err(failed("list"))?.next().is_some() {
            return Err(CliError::FolderInUse { path: folder });
        }
        Ok(Self::Kept(folder))
    }

    fn path(&self) -> &Path {
        match self {
            Self::Temporary(folder) => folder.path(),
            Self::Kept(folder) => folder,
        }
    }

    fn kept(&self) -> bool {
        matches!(self, Self::Kept(_))
    }

    /// Says where everything is, or removes it.
    fn leave(self, output: Output) -> Result<(), CliError> {
        match self {
            Self::Kept(folder) => {
                output.say(&format!("everything is in {}", folder.display()));
                Ok(())
            }
            Self::Temporary(folder) => {
                let path = folder.path().to_owned();
                folder.close().map_err(|source| CliError::File { action: "remove", path, source })?;
                output.say("the folder is removed; `mycelium demo --keep DIR` leaves it");
                Ok(())
            }
        }
    }
}
