//! Every artifact of the scenario's runs against its schema, as the program under test prints it.

use std::{
    collections::BTreeMap,
    fs,
    path::{Path, PathBuf},
    process::Command,
    sync::{Arc, Mutex, PoisonError},
};

use jsonschema::Validator;
use mycelium_fixtures::process::Ending;
use mycelium_schemas::evidence::AssertionKind::Fs;
use serde_json::Value;
use walkdir::WalkDir;

use super::{Claim, CommandRun, MyceliumWorld, Verdict, WorldError, answer, lines};

/// File names, the form of their content and the schema of each document in them. A `*` stands for anything.
const KINDS: [(&str, Form, &str); 13] = [
    ("orchestrator.jsonl", Form::JsonLines, "event"),
    ("events.jsonl", Form::JsonLines, "event"),
    ("models.jsonl", Form::JsonLines, "model-response"),
    ("state.json", Form::Json, "state"),
    ("plan.snapshot.json", Form::Json, "plan-snapshot"),
    // The operator's own text, frozen.
    ("config.snapshot.yaml", Form::Yaml, "config"),
    ("config.next.yaml", Form::Yaml, "config"),
    ("compliance.json", Form::Json, "compliance"),
    ("manifest.json", Form::Json, "manifest"),
    ("validator-*.json", Form::Json, "validator-report"),
    ("candidate.json", Form::Json, "candidate"),
    ("conflict.json", Form::Json, "conflict"),
    ("plan.json", Form::Json, "plan-index"),
];
/// Data in one of these forms must have a schema.
const DATA: [&str; 3] = ["json", "jsonl", "yaml"];

/// What the name of a file begins with whose content is on its way into another file.
const TEMPORARY: &str = ".tmp-";

/// Which command of a scenario was killed.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(crate) enum Crash {
    Never,
    Earlier,
    Last,
}

#[derive(Debug, Clone, Copy)]
enum Form {
    Json,
    JsonLines,
    Yaml,
}

/// What was found in a folder of artifacts.
#[derive(Debug, Default)]
pub(crate) struct Artifacts {
    /// The path of each artifact, relative to the folder.
    pub(crate) paths: Vec<String>,
    /// What breaks its schema, one line a flaw.
    pub(crate) flaws: Vec<String>,
}

impl Artifacts {
    /// Looks at every artifact below a folder. After a crash the last line of a journal may be torn, and the new content
    /// of a file that was about to be replaced may lie beside it.
    pub(crate) fn below(folder: &Path, schemas: &Schemas, crash: Crash, damaged: &Damaged) -> Self {
        let mut artifacts = Self::default();
        for entry in WalkDir::new(folder).sort_by_file_name() {
            match entry {
                Ok(entry) if is_as_damaged(entry.path(), damaged) => {}
                Ok(entry) if entry.file_type().is_file() => {
                    artifacts.look_at(folder, entry.path(), schemas, crash);
                }
                Ok(_) => {}
                Err(error) => artifacts.flaws.push(error.to_string()),
            }
        }
        artifacts
    }

    fn look_at(&mut self, folder: &Path, path: &Path, schemas: &Schemas, crash: Crash) {
        let name = path.file_name().unwrap_or_default().to_string_lossy();
        if crash != Crash::Never && name.starts_with(TEMPORARY) {
            return;
        }
        let shown = path.strip_prefix(folder).unwrap_or(path).display().to_string();
        let Some((_, form, schema)) = KINDS.iter().find(|(pattern, ..)| matches(pattern, &name)) else {
            if path.extension().is_some_and(|e| DATA.iter().any(|data| e == *data)) {
                self.flaws.push(format!("{shown}: it has no schema"));
            }
            return;
        };
        let documents = match fs::read_to_string(path) {
            Ok(text) => documents(*form, &text, crash == Crash::Last),
            Err(error) => vec![(0, Err(error.to_string()))],
        };
        for (line, document) in documents {
            let flaw = document.and_then(|document| schemas.check(schema, &document));
            if let Err(flaw) = flaw {
                self.flaws.push(format!("{shown}:{line}: {flaw}"));
            }
        }
        self.paths.push(shown);
    }
}

/// What a scenario damaged, with the content that it left.
type Damaged = BTreeMap<PathBuf, Vec<u8>>;

/// Whether a file still is as the scenario left it.
fn is_as_damaged(path: &Path, damaged: &Damaged) -> bool {
    damaged.get(path).is_some_and(|left| fs::read(path).is_ok_and(|found| found == *left))
}

/// The documents of a file with the line of each.
fn documents(form: Form, text: &str, crashed: bool) -> Vec<(usize, Result<Value, String>)> {
    let json = |text: &str| serde_json::from_str::<Value>(text).map_err(|e| e.to_string());
    match form {
        Form::Json => vec![(1, json(text))],
        Form::Yaml => vec![(1, serde_saphyr::from_str(text).map_err(|e| e.to_string()))],
        Form::JsonLines => {
            let whole = match text.rfind('\n') {
                _ if !crashed => text,
                Some(end) => &text[..=end],
                None => "",
            };
            let torn = !whole.is_empty() && !whole.ends_with('\n');
            let mut found: Vec<_> =
                whole.lines().enumerate().map(|(at, line)| (at + 1, json(line))).collect();
            if torn {
                found.push((found.len(), Err("the last line does not end".to_owned())));
            }
            found
        }
    }
}

/// Whether a name is what a pattern with at most one `*` says.
fn matches(pattern: &str, name: &str) -> bool {
    match pattern.split_once('*') {
        None => pattern == name,
        Some((start, end)) => {
            name.len() >= start.len() + end.len() && name.starts_with(start) && name.ends_with(end)
        }
    }
}

/// The schemas of one program, each asked for once.
#[derive(Debug)]
pub(crate) struct Schemas {
    program: PathBuf,
    compiled: Mutex<BTreeMap<String, Arc<Validator>>>,
}

impl Schemas {
    /// Those of a program; scenarios share them.
    pub(crate) fn of(program: &Path) -> Arc<Self> {
        static ALL: Mutex<BTreeMap<PathBuf, Arc<Schemas>>> = Mutex::new(BTreeMap::new());
        let mut all = ALL.lock().unwrap_or_else(PoisonError::into_inner);
        let new = || Arc::new(Self { program: program.to_owned(), compiled: Mutex::default() });
        Arc::clone(all.entry(program.to_owned()).or_insert_with(new))
    }

    pub(super) fn check(&self, name: &str, document: &Value) -> Result<(), String> {
        let flaw = |error: jsonschema::ValidationError<'_>| format!("{error} (at {})", error.instance_path());
        self.validator(name)?.validate(document).map_err(flaw)
    }

    fn validator(&self, name: &str) -> Result<Arc<Validator>, String> {
        let mut compiled = self.compiled.lock().unwrap_or_else(PoisonError::into_inner);
        if let Some(validator) = compiled.get(name) {
            return Ok(Arc::clone(validator));
        }
        let failed = |why: String| format!("`mycelium schema {name}` gives no schema: {why}");
        let output = Command::new(&self.program).args(["schema", name]).env_clear().output();
        let output = output.map_err(|e| failed(e.to_string()))?;
        let schema: Value = serde_json::from_slice(&output.stdout).map_err(|e| failed(e.to_string()))?;
        let validator = Arc::new(jsonschema::validator_for(&schema).map_err(|e| failed(e.to_string()))?);
        compiled.insert(name.to_owned(), Arc::clone(&validator));
        Ok(validator)
    }
}

impl MyceliumWorld {
    /// Everything that the commands so far have written, each run with its project and number in front.
    pub(crate) fn artifacts(&self) -> Result<Artifacts, WorldError> {
        let last = self.last()?;
        let schemas = Schemas::of(&self.context.bin);
        let killed = |run: &CommandRun| !matches!(run.finished.ending, Ending::Exited(_));
        let crash = match (killed(last), self.commands.iter().any(killed)) {
            (true, _) => Crash::Last,
            (false, true) => Crash::Earlier,
            (false, false) => Crash::Never,
        };
        let mut all = Artifacts::default();
        let mut folders: Vec<PathBuf> = last.after.runs.iter().cloned().collect();
        // What a scenario planted among the tasks is none of the program's.
        if self.commands()?.1.iter().any(|run| run.before.tasks != run.after.tasks) {
            folders.push(self.stage()?.path().join(".mycelium/tasks"));
        }
        for folder in folders {
            let found = Artifacts::below(&folder, &schemas, crash, &self.damaged);
            all.paths.extend(found.paths);
            all.flaws.extend(found.flaws);
        }
        Ok(all)
    }

    /// What is wrong with a document by a schema of the program.
    pub(crate) fn flaw_of(&self, schema: &str, document: &Value) -> Option<String> {
        Schemas::of(&self.context.bin).check(schema, document).err()
    }

    /// After each command: nothing that the program wrote or answered breaks its schema. While another command runs, files are half
    /// written; its end is the time to look.
    pub(super) fn check_artifacts(&self) -> Result<(), WorldError> {
        if self.started.is_some() { Ok(()) } else { self.never_broken_artifacts() }
    }

    /// The assertion itself.
    pub(crate) fn never_broken_artifacts(&self) -> Result<(), WorldError> {
        let claim = Claim::new(Fs, "artifacts_valid", "artifacts that break their schema", "all artifacts");
        let mut flaws = self.artifacts()?.flaws;
        flaws.extend(answer::flaw(self.last()?, &Schemas::of(&self.context.bin)));
        self.never(claim, Verdict::equal("", lines(flaws)))
    }
}

#[cfg(test)]
mod tests {
    use std::os::unix::fs::PermissionsExt;

    use super::*;

    /// A program whose every schema asks for a mapping with `v`.
    fn schemas(folder: &Path) -> Arc<Schemas> {
        let program = folder.join("program");
        let text = "#!/bin/sh\necho '{\"type\": \"object\", \"required\": [\"v\"]}'\n";
        fs::write(&program, text).unwrap();
        fs::set_permissions(&program, fs::Permissions::from_mode(0o755)).unwrap();
        Schemas::of(&program)
    }

    fn flaws(files: &[(&str, &str)], crash: Crash) -> Vec<String> {
        let folder = tempfile::tempdir().unwrap();
        let artifacts = folder.path().join("run");
        for (path, text) in files {
            let path = artifacts.join(path);
            fs::create_dir_all(path.parent().unwrap()).unwrap();
            fs::write(path, text).unwrap();
        }
        Artifacts::below(&artifacts, &schemas(folder.path()), crash, &Damaged::new()).flaws
    }

    #[test]
    fn what_is_as_its_schema_says_has_no_flaw() {
        let files = [
            ("state.json", "{\"v\": 1}"),
            ("orchestrator.jsonl", "{\"v\": 1}\n{\"v\": 2}\n"),
            ("config.snapshot.yaml", "v: 1\n"),
            ("tasks/001/attempt-1/validator-test.json", "{\"v\": 1}"),
            ("tasks/001/attempt-1/agent.log", "{"),
        ];
        assert_eq!(flaws(&files, Crash::Never), Vec::<String>::new());
    }

    #[test]
    fn every_line_of_every_artifact_is_looked_at() {
        for (path, text, place) in [
            ("state.json", "{}", "state.json:1:"),
            ("state.json", "", "state.json:1:"),
            ("config.snapshot.yaml", "w: 1\n", "config.snapshot.yaml:1:"),
            ("orchestrator.jsonl", "{\"v\": 1}\n{\"w\": 2}\n", "orchestrator.jsonl:2:"),
            ("orchestrator.jsonl", "{\"v\": 1}\n\n", "orchestrator.jsonl:2:"),
            ("orchestrator.jsonl", "{\"v\": 1}\n{\"v\": 2}", "orchestrator.jsonl:2:"),
            ("tasks/001/attempt-1/validator-test.json", "[]", "tasks/001/attempt-1/validator-test.json:1:"),
            ("landing/1/surprise.json", "{\"v\": 1}", "landing/1/surprise.json: it has no schema"),
        ] {
            let found = flaws(&[(path, text)], Crash::Never);
            assert!(found.len() == 1 && found[0].starts_with(place), "{path} with {text:?}: {found:?}");
        }
    }

    #[test]
    fn what_a_scenario_damaged_is_a_flaw_once_the_program_wrote_it_again() {
        let folder = tempfile::tempdir().unwrap();
        let (path, schemas) = (folder.path().join("state.json"), schemas(folder.path()));
        let damaged = Damaged::from([(path.clone(), b"{".to_vec())]);
        let flaws = || Artifacts::below(folder.path(), &schemas, Crash::Never, &damaged).flaws.len();
        fs::write(&path, "{").unwrap();
        assert_eq!(flaws(), 0);
        fs::write(&path, "{\"w\"").unwrap();
        assert_eq!(flaws(), 1);
    }

    #[test]
    fn after_a_crash_the_last_line_may_be_torn_and_no_other() {
        assert_eq!(flaws(&[("orchestrator.jsonl", "{\"v\": 1}\n{\"v")], Crash::Last), Vec::<String>::new());
        assert_eq!(flaws(&[("orchestrator.jsonl", "{\"v\n{\"v\": 1}\n")], Crash::Last).len(), 1);
    }

    #[test]
    fn after_a_crash_a_file_that_was_about_to_be_replaced_may_lie_about_and_else_never() {
        let files = [("state.json", "{\"v\": 1}"), (".tmp-state.json", "{\"v")];
        assert_eq!(flaws(&files, Crash::Last), Vec::<String>::new());
        assert_eq!(flaws(&files, Crash::Earlier), Vec::<String>::new());
        assert_eq!(flaws(&files, Crash::Never), [".tmp-state.json: it has no schema"]);
        assert!(!flaws(&[("orchestrator.jsonl", "{\"v\": 1}\n{\"v")], Crash::Earlier).is_empty());
    }
}
