//! Asks for a plan (design 3.6): the description of the work and a bounded list of the repository's files become tasks, in
//! a form that is checked; what is wrong with an answer is given back to be corrected, a bounded number of times. Each
//! prompt and answer is kept.

use std::{
    collections::BTreeMap,
    fmt::Write,
    path::{Path, PathBuf},
};

use mycelium_gateway::{Client, Form};
use mycelium_schemas::{
    answer::{PlanAsked, PlanAttempt},
    config::Answerer,
    event::World,
    id::LockName,
    manifest::Manifest,
    plan,
    problem::{Problem, Source},
    state::Usage,
};
use serde_json::{Value, json};
use tokio::sync::watch;

use crate::{
    asking::{Answered, Asking, Fault},
    candidates::{Look, nothing_wrong},
    cassette::{self, Of},
    environment::Environment,
    error::Error,
    git::Upstream,
    job::{Job, Program, Purpose, StopLevel},
    launcher::Launcher,
    models::Models,
    orphans,
    project::Project,
    prompt,
    redact::Redactor,
    saboteur,
    settings::Settings,
    signals::Listening,
    start::new_run_id,
    store,
};

/// Bytes of the list of files; how many are left out is told.
const TREE_BYTES_MAX: usize = 64 * 1024;
/// Problems that are told to whoever is asked again: more than these come from the first ones.
const PROBLEMS_TOLD_MAX: usize = 50;

/// A planner, and what it is asked with.
pub(crate) struct Planner<'a> {
    project: &'a Project,
    environment: &'a Environment,
    settings: &'a Settings,
    redactor: &'a Redactor,
    /// Where everything is kept.
    folder: PathBuf,
    /// What is shown of that.
    shown: String,
    asked: PlanAsked,
}

/// A plan that keeps to its form, with how it came about.
pub(crate) type Plan = (Vec<Manifest>, PlanAsked);

impl<'a> Planner<'a> {
    /// Checks that the planner can be asked.
    pub(crate) fn new(
        project: &'a Project,
        environment: &'a Environment,
        settings: &'a Settings,
        redactor: &'a Redactor,
        listening: &mut Listening,
    ) -> Result<Self, Error> {
        let (config, answering) = (&settings.config, &settings.config.planner.asked);
        let wrong = |keys: &[&str], message, help: &str| settings.wrong(keys, message, help);
        let mut look = Look { project, config, environment, listening, wrong: &wrong };
        nothing_wrong(|hear| look.at_plan(hear))?;
        let folder = project.dir().join("plans").join(new_run_id(environment.now()?)?.as_str());
        let asked = PlanAsked {
            provider: name_of(answering.provider),
            model: answering.model.clone().filter(|_| answering.provider.asks_a_model()),
            prices_as_of: config.budgets.prices_as_of.clone(),
            artifacts: project.display(&folder),
            ..PlanAsked::default()
        };
        let shown = asked.artifacts.clone();
        Ok(Self { project, environment, settings, redactor, folder, shown, asked })
    }

    /// Asks until there is a plan. A signal ends it in order.
    pub(crate) fn plan(self, input: &str, listening: &mut Listening) -> Result<Plan, Error> {
        let prompt = self.prompt(input)?;
        let Listening { runtime, signals } = listening;
        let (stop, stopped) = watch::channel(StopLevel::None);
        let planned = runtime.block_on(async {
            let mut asking = std::pin::pin!(self.ask(prompt, stopped));
            let signal = tokio::select! {
                planned = &mut asking => return planned,
                signal = signals.next() => signal,
            };
            stop.send_replace(StopLevel::Graceful);
            tokio::select! {
                _ = &mut asking => {}
                _ = signals.next() => {
                    stop.send_replace(StopLevel::AtOnce);
                    let _ended = asking.await;
                }
            }
            Err(Error::Signalled { signal })
        });
        // Nothing that was asked outlives its answer.
        orphans::end_descendants()?;
        planned
    }

    /// The first prompt, without secrets.
    fn prompt(&self, input: &str) -> Result<String, Error> {
        let template = prompt::PLANNER.load(self.project)?;
        let resources: Vec<String> = self.locks().iter().map(|lock| format!("- {lock}")).collect();
        let resources = if resources.is_empty() { "none".to_owned() } else { resources.join("\n") };
        let tree = self.tree()?;
        let values = [("input", input.trim_end()), ("tree", &tree), ("resources", &resources)];
        Ok(self.redactor.text(&prompt::fill(&template.text, &values)).into_owned())
    }

    fn locks(&self) -> Vec<LockName> {
        self.settings.config.resources.iter().map(|resource| resource.name.clone()).collect()
    }

    /// The files of the integration branch.
    fn tree(&self) -> Result<String, Error> {
        let upstream = Upstream::discover(&self.project.root)?;
        let branch = upstream.branch(&self.settings.config.integration_branch)?;
        Ok(bounded(&upstream.files(&upstream.head(&branch)?)?))
    }

    async fn ask(mut self, first: String, stop: watch::Receiver<StopLevel>) -> Result<Plan, Error> {
        let (models, launcher) = match self.open().await {
            Ok(opened) => opened,
            Err(error) => {
                // Where nobody can be asked there is nothing to keep.
                store::tidy_dir(&self.folder);
                return Err(error);
            }
        };
        let is_signalled = stop.clone();
        let planned = self.ask_until_it_fits(first, models.as_ref(), &launcher, stop).await;
        // A question that a signal or the machine cut short has no end that could be replayed.
        let is_answer = matches!(&planned, Ok(_) | Err(Error::NoPlan { .. } | Error::Unplanned { .. }));
        if let Some(models) = models.filter(|_| is_answer && *is_signalled.borrow() == StopLevel::None) {
            models.finish()?;
        }
        planned.map(|manifests| (manifests, self.asked))
    }

    /// Makes the folder of this plan, and opens the ways to whoever is asked.
    async fn open(&self) -> Result<(Option<Models>, Launcher), Error> {
        let config = &self.settings.config;
        store::make_private_dir(&self.folder)?;
        // What was said is nobody's work, whatever the project ignores.
        store::restore(&store::folder_of(&self.folder).join(".gitignore"), b"*\n")?;
        let models = if config.planner.asked.provider.asks_a_model() {
            let tape = cassette::tape(self.project, config, self.environment, self.redactor, Of::Plan)?;
            let ledger = self.folder.join("models.jsonl");
            Some(Models::open_for_a_plan(config, self.environment, ledger, tape).await?)
        } else {
            None
        };
        Ok((models, self.launcher().await?))
    }

    async fn ask_until_it_fits(
        &mut self,
        first: String,
        models: Option<&Models>,
        launcher: &Launcher,
        stop: watch::Receiver<StopLevel>,
    ) -> Result<Vec<Manifest>, Error> {
        let mut prompt = first.clone();
        let mut attempt = 1;
        loop {
            let folder = self.folder.join(format!("attempt-{attempt}"));
            store::make_private_dir(&folder)?;
            self.keep(&folder.join("prompt.md"), &prompt)?;
            let answered = self.ask_once(attempt, &prompt, &folder, models, launcher, stop.clone()).await?;
            let usage = answered.used.usage;
            let answer = match answered.answer {
                Ok(answer) => answer,
                Err(none) => {
                    self.note(usage, None)?;
                    return Err(self.no_plan(none.fault, &none.message));
                }
            };
            let path = folder.join("answer.json");
            self.keep(&path, &answer)?;
            let source = Source::new(self.project.display(&path), self.redactor.text(&answer));
            let problems = match read(&source, &self.locks()) {
                Ok(manifests) => {
                    self.note(usage, Some(0))?;
                    return Ok(manifests);
                }
                Err(problems) => problems,
            };
            self.note(usage, Some(problems.len()))?;
            let told = told(&problems);
            self.keep(&folder.join("problems.txt"), &told)?;
            let repairs =
                self.settings.config.planner.max_repairs + u32::from(saboteur::is!("ask-once-more"));
            if attempt > repairs {
                return Err(Error::Unplanned { problems, attempts: attempt, artifacts: self.shown.clone() });
            }
            let told = if saboteur::is!("swallow-problems") { String::new() } else { told };
            prompt = repair(&first, &source.text, &told);
            attempt += 1;
        }
    }

    /// The planner's own environment holds nothing for agents, where it is one.
    async fn launcher(&self) -> Result<Launcher, Error> {
        let mut config = self.settings.config.clone();
        if config.planner.asked.provider.is_program() {
            config.worker.env.clear();
        }
        // It runs on this machine.
        let labels = || Err(Error::Lost("the containers of a planner"));
        Launcher::open(World::Local, self.environment, &config, labels).await
    }

    async fn ask_once(
        &self,
        attempt: u32,
        prompt: &str,
        folder: &Path,
        models: Option<&Models>,
        launcher: &Launcher,
        stop: watch::Receiver<StopLevel>,
    ) -> Result<Answered, Error> {
        let config = &self.settings.config;
        let answering = &config.planner.asked;
        let patience = config.timeout_minutes.duration();
        // An agent has a folder to itself, so that it changes nothing; a command works in the repository.
        let is_program = answering.provider.is_program();
        let cwd = if is_program { folder.join("work") } else { self.project.root.clone() };
        store::make_private_dir(&cwd)?;
        let job = |program: Program| Job {
            purpose: Purpose::Planner,
            attempt: None,
            program,
            cwd: cwd.clone(),
            env: BTreeMap::new(),
            files: Vec::new(),
            stdin: Vec::new(),
            timeout: patience,
            idle_timeout: None,
            first_event_timeout: None,
            relay: None,
            stop_signal: rustix::process::Signal::TERM,
            log: folder.join("planner.log"),
            redactor: self.redactor.clone(),
        };
        let asking = Asking {
            who: "planner",
            answering,
            client: Client {
                task: "plan".to_owned(),
                attempt,
                turn: attempt,
                by: "planner".to_owned(),
                model: answering.model.clone().unwrap_or_default(),
            },
            models,
            gateway: None,
            config,
            environment: self.environment,
            launcher,
            job: &job,
            tells_commands: true,
            home: &folder.join("home"),
            patience,
            stop,
            notes: None,
        };
        asking.ask(prompt, &form()).await
    }

    fn keep(&self, path: &Path, text: &str) -> Result<(), Error> {
        store::write_atomic(path, &self.redactor.bytes(path, text.as_bytes().to_vec()))
    }

    /// Adds an attempt to the account, which is kept whatever comes after.
    fn note(&mut self, usage: Option<Usage>, problems: Option<usize>) -> Result<(), Error> {
        self.asked.attempts.push(PlanAttempt { usage, problems });
        self.asked.usage = match (self.asked.usage, usage) {
            (Some(before), Some(usage)) => Some(before.plus(usage)),
            (before, usage) => before.or(usage),
        };
        store::write_artifact(&self.folder.join("asked.json"), &self.asked, self.redactor)
    }

    fn no_plan(&self, fault: Fault, message: &str) -> Error {
        let message = self.redactor.text(message).into_owned();
        Error::NoPlan { later: fault == Fault::Provider, message, artifacts: self.shown.clone() }
    }
}

fn name_of(provider: Answerer) -> String {
    // Serialization of a unit variant is its name; it cannot fail.
    serde_json::to_value(provider).ok().and_then(|name| name.as_str().map(str::to_owned)).unwrap_or_default()
}

/// An answer as a plan that keeps to its form, or all that is wrong with it.
fn read(source: &Source, locks: &[LockName]) -> Result<Vec<Manifest>, Vec<Problem>> {
    if let Err(error) = serde_json::from_str::<Value>(&source.text) {
        let before: usize =
            source.text.split_inclusive('\n').take(error.line().saturating_sub(1)).map(str::len).sum();
        let at = (before + error.column().saturating_sub(1)).min(source.text.len());
        return Err(vec![Problem {
            source: source.clone(),
            span: at..at,
            message: format!("the answer is not JSON: {error}"),
            help: "answer with one JSON object {\"tasks\": [...]} and nothing else".to_owned(),
        }]);
    }
    plan::parse(source).and_then(|draft| draft.check(locks))
}

/// The problems, a line each with its place.
fn told(problems: &[Problem]) -> String {
    let mut text = String::new();
    for problem in problems.iter().take(PROBLEMS_TOLD_MAX) {
        let (line, column) = problem.source.line_column(problem.span.start);
        // Writing to a string cannot fail.
        let _infallible =
            writeln!(text, "line {line}, column {column}: {}; {}", problem.message, problem.help);
    }
    if problems.len() > PROBLEMS_TOLD_MAX {
        let _infallible = writeln!(text, "and {} more", problems.len() - PROBLEMS_TOLD_MAX);
    }
    text
}

/// The first prompt again, which providers have in their caches, with the last answer and what is wrong with it.
fn repair(first: &str, answer: &str, problems: &str) -> String {
    format!(
        "{first}\n\nYour last answer was:\n\n{answer}\n\nIt cannot be used:\n\n{problems}\nAnswer again, with the whole plan, corrected.\n"
    )
}

/// As many paths as fit, and how many do not.
fn bounded(files: &[String]) -> String {
    let mut text = String::new();
    for (index, file) in files.iter().enumerate() {
        if text.len() + file.len() + 1 > TREE_BYTES_MAX {
            let left = files.len() - index;
            let _infallible = writeln!(text, "[and {left} more, in the order of their names]");
            break;
        }
        text.push_str(file);
        text.push('\n');
    }
    if text.is_empty() { "none yet".to_owned() } else { text.trim_end().to_owned() }
}

/// A plan as a strict provider wants its schema.
fn form() -> Form {
    let texts = || json!({"type": "array", "items": {"type": "string"}});
    let both = || {
        json!({
            "type": "object",
            "properties": {"reads": texts(), "writes": texts()},
            "required": ["reads", "writes"],
            "additionalProperties": false,
        })
    };
    let task = json!({
        "type": "object",
        "properties": {
            "id": {"type": "string"},
            "name": {"type": "string"},
            "description": {"type": "string"},
            "dependencies": texts(),
            "locks": both(),
            "files": both(),
            "verify": {
                "type": "object",
                "properties": {"doctor": {"type": ["string", "null"]}},
                "required": ["doctor"],
                "additionalProperties": false,
            },
            "spec": {"type": "string"},
        },
        "required": ["id", "name", "description", "dependencies", "locks", "files", "verify", "spec"],
        "additionalProperties": false,
    });
    let schema = json!({
        "type": "object",
        "properties": {"tasks": {"type": "array", "items": task}},
        "required": ["tasks"],
        "additionalProperties": false,
    });
    Form { name: "plan", schema }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn an_answer_that_is_no_json_is_placed_where_it_stops_being_some() {
        let source = Source::new("answer.json", "{\"tasks\": [\n  oops]}");
        let problems = read(&source, &[]).unwrap_err();
        assert!(
            problems[0].to_string().starts_with("answer.json:2:3: the answer is not JSON"),
            "{}",
            problems[0]
        );
        let fenced = Source::new("answer.json", "```json\n{\"tasks\": []}\n```");
        assert_eq!(read(&fenced, &[]).unwrap_err().len(), 1);
    }

    #[test]
    fn an_answer_in_the_form_that_is_asked_for_is_a_plan() {
        let text = json!({"tasks": [{
            "id": "001", "name": "One", "description": "", "dependencies": [],
            "locks": {"reads": [], "writes": []}, "files": {"reads": [], "writes": ["a"]},
            "verify": {"doctor": null}, "spec": "Do it.",
        }]});
        let source = Source::new("answer.json", text.to_string());
        assert_eq!(read(&source, &[]).unwrap().len(), 1);
        // Every property of the form is in it, and no other.
        let form = form().schema;
        let properties = form.pointer("/properties/tasks/items/properties").unwrap().as_object().unwrap();
        let task = text["tasks"][0].as_object().unwrap();
        assert_eq!(properties.keys().collect::<Vec<_>>(), task.keys().collect::<Vec<_>>());
    }

    #[test]
    fn a_list_of_files_that_is_too_long_says_how_many_are_left_out() {
        let files: Vec<String> = (0..20_000).map(|number| format!("src/file-{number:05}.rs")).collect();
        let text = bounded(&files);
        let shown = text.lines().count() - 1;
        assert!(text.len() < TREE_BYTES_MAX + 100 && shown > 1000);
        assert!(text.ends_with(&format!("[and {} more, in the order of their names]", 20_000 - shown)));
        assert_eq!(bounded(&[]), "none yet");
    }
}
