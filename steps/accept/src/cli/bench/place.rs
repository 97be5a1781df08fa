//! Where a case is measured: a sandbox with a repository of its own, set up outside of what is measured.

use std::{
    fmt::Write as _,
    fs,
    path::{Path, PathBuf},
    time::Duration,
};

use mycelium_fixtures::{
    FixtureError,
    config::ConfigDraft,
    files::write_file,
    fixture::Fixture,
    planner::{PlanDraft, TaskDraft},
    process::Ending,
    repository::FixtureRepository,
    sandbox::Sandbox,
};

use super::{
    BenchError,
    cases::Case,
    cost::{Counter, cpu_of_commands, shell, shown},
};

/// How long one command may take; under valgrind on a busy machine that is long.
const LIMIT: Duration = Duration::from_secs(1800);
/// Where the plan's description is, from the root of the repository.
const PLAN: &str = ".mycelium/plan.md";

/// The place of one case.
pub(super) struct Place<'c> {
    case: &'c Case,
    program: PathBuf,
    folder: PathBuf,
    sandbox: Sandbox,
    repository: FixtureRepository,
}

impl<'c> Place<'c> {
    /// Makes one below a folder.
    pub(super) fn new(case: &'c Case, program: &Path, folder: &Path) -> Result<Self, BenchError> {
        let folder = folder.join(case.name.replace('/', "-"));
        let mut sandbox = Sandbox::create(&folder.join("sandbox"))?;
        let fixture = if case.large { Fixture::Large } else { Fixture::Toy };
        let repository = fixture.build(&folder.join("repository"))?;
        let root = repository.path();
        let mut config = ConfigDraft::new(fixture.doctor());
        config.merge_yaml(case.config)?;
        write_file(&root.join(".mycelium/config.yaml"), config.to_yaml()?.as_bytes(), false)?;
        write_file(&root.join(PLAN), b"# What is to be done\n", false)?;
        let answer = folder.join("planner-output.json");
        write_file(&answer, plan(case.tasks).to_json().as_bytes(), false)?;
        sandbox.set("MOCK_LLM_OUTPUT_PATH", &answer);
        sandbox.set("program", program);
        sandbox.set("place", &folder);
        let mut place = Self { case, program: program.to_owned(), folder, sandbox, repository };
        place.prepare()?;
        Ok(place)
    }

    fn prepare(&mut self) -> Result<(), BenchError> {
        self.script(self.case.prepare)?;
        if self.case.log_lines > 0 {
            self.write_log(self.case.log_lines)?;
        }
        Ok(())
    }

    /// CPU time of the program, in microseconds.
    pub(super) fn program_cpu(&mut self) -> Result<u64, BenchError> {
        self.script(self.case.before)?;
        let arguments = words(self.case.arguments);
        let begun = cpu_of_commands()?;
        self.command(&self.program.clone(), &arguments, self.case.exit)?;
        let spent = cpu_of_commands()?.saturating_sub(begun);
        self.script(self.case.after)?;
        Ok(spent)
    }

    /// CPU time of the floor, in microseconds.
    pub(super) fn floor_cpu(&mut self) -> Result<u64, BenchError> {
        self.script(self.case.floor_before)?;
        let begun = cpu_of_commands()?;
        self.script(self.case.floor)?;
        let spent = cpu_of_commands()?.saturating_sub(begun);
        self.script(self.case.floor_after)?;
        Ok(spent)
    }

    /// Instructions of the program's own process.
    pub(super) fn instructions(&mut self, counter: &Counter) -> Result<u64, BenchError> {
        self.script(self.case.before)?;
        let report = self.folder.join("valgrind");
        let mut all = counter.words(&self.program, &report);
        all.extend(words(self.case.arguments));
        let first = PathBuf::from(all.remove(0));
        self.command(&first, &all, self.case.exit)?;
        self.script(self.case.after)?;
        Counter::read(&report)
    }

    /// Removes all of it.
    pub(super) fn remove(self) -> Result<(), BenchError> {
        Ok(fs::remove_dir_all(&self.folder).map_err(FixtureError::file("remove", &self.folder))?)
    }

    /// Runs a script of the case in the repository; one without words does nothing.
    fn script(&mut self, script: &str) -> Result<(), BenchError> {
        if script.is_empty() {
            return Ok(());
        }
        let (shell, arguments) = shell(script);
        self.command(shell, &arguments, 0)
    }

    fn command(&mut self, program: &Path, arguments: &[String], exit: i32) -> Result<(), BenchError> {
        let folder = self.repository.path().to_owned();
        let finished = self.sandbox.run_within(program, arguments, &folder, LIMIT)?;
        if finished.ending == Ending::Exited(exit) {
            return Ok(());
        }
        let what =
            format!("{}: {}", self.case.name, shown(&self.sandbox.command(program, arguments, &folder)));
        let said = String::from_utf8_lossy(&finished.stderr).into_owned();
        Err(BenchError::Unexpected { what, ending: finished.ending, expected: exit, said })
    }

    /// Replaces what the agent of the one task of the run said by so many lines.
    fn write_log(&self, lines: usize) -> Result<(), BenchError> {
        let projects = self.sandbox.mycelium_home().join("projects");
        let project =
            fs::read_dir(&projects).map_err(FixtureError::file("list", &projects))?.flatten().next();
        let project = project.map_or(projects, |entry| entry.path());
        let path = project.join("runs/r1/tasks/0001/attempt-1/events.jsonl");
        let mut text = String::new();
        for line in 1..=lines {
            let (second, milli) = (line / 1000 % 60, line % 1000);
            // Writing to a String cannot fail.
            let _ = writeln!(
                text,
                r#"{{"v":1,"ts":"2026-01-02T03:04:{second:02}.{milli:03}Z","seq":{line},"run_id":"r1","task_id":"0001","attempt":1,"batch":1,"type":"agent.event","payload":{{"event":{{"type":"item.completed","text":"reading src/module_{line} and changing the function that parses a header"}}}}}}"#
            );
        }
        Ok(fs::write(&path, text).map_err(FixtureError::file("write", &path))?)
    }
}

fn words(line: &str) -> Vec<String> {
    line.split_whitespace().map(str::to_owned).collect()
}

/// Tasks that need nothing of each other, each with a file of its own.
fn plan(tasks: usize) -> PlanDraft {
    let task = |number: usize| TaskDraft {
        id: format!("{number:04}"),
        name: format!("task-{number:04}"),
        writes: vec![format!("out/{number:04}.txt")],
        verify: Some("true".to_owned()),
        spec: format!("Write the file number {number}."),
        ..TaskDraft::default()
    };
    PlanDraft((1..=tasks).map(task).collect())
}
