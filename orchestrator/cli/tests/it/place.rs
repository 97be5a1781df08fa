//! Where the program is run, and what it did there.

use std::{
    fs,
    os::unix::fs::PermissionsExt,
    path::{Path, PathBuf},
    process::Command,
};

use mycelium_fixtures::{
    Fixture,
    models::agent,
    process::Ending,
    repository::FixtureRepository,
    sandbox::{Finished, Sandbox},
};
use serde_json::Value;
use tempfile::TempDir;

/// A sandbox with the toy repository in it; removed at the end.
pub(crate) struct Place {
    folder: TempDir,
    pub(crate) sandbox: Sandbox,
    pub(crate) repository: FixtureRepository,
}

/// What a command did.
#[derive(Debug)]
pub(crate) struct Done {
    pub(crate) code: i32,
    pub(crate) stdout: String,
    pub(crate) stderr: String,
}

impl Done {
    /// The one JSON document on standard output.
    pub(crate) fn json(&self) -> Value {
        serde_json::from_str(&self.stdout).unwrap_or_else(|why| panic!("{why}: {self:#?}"))
    }

    /// Asserts the exit code; a failure shows everything.
    #[track_caller]
    pub(crate) fn exits(self, code: i32) -> Self {
        assert_eq!(self.code, code, "{self:#?}");
        self
    }

    /// Asserts that standard error contains each of these.
    #[track_caller]
    pub(crate) fn complains(self, parts: &[&str]) -> Self {
        for part in parts {
            assert!(self.stderr.contains(part), "{part:?} is not said: {self:#?}");
        }
        self
    }
}

impl From<Finished> for Done {
    fn from(finished: Finished) -> Self {
        let Ending::Exited(code) = finished.ending else { panic!("{:?}", finished.ending) };
        let text = |bytes| String::from_utf8(bytes).unwrap();
        Self { code, stdout: text(finished.stdout), stderr: text(finished.stderr) }
    }
}

impl Place {
    pub(crate) fn new() -> Self {
        let folder = tempfile::tempdir().unwrap();
        let sandbox = Sandbox::create(folder.path()).unwrap();
        let repository = Fixture::Toy.build(&folder.path().join("toy-repo")).unwrap();
        Self { folder, sandbox, repository }
    }

    /// A place whose repository is initialized, with the toy repository's doctor and more configuration.
    pub(crate) fn with_config(more: &str) -> Self {
        let mut place = Self::new();
        place.run(&["init"]).exits(0);
        let text = format!("integration_branch: main\ndoctor: {}\n{more}", Fixture::Toy.doctor());
        place.write(".mycelium/config.yaml", &text);
        place
    }

    /// A place with these tasks planned.
    pub(crate) fn with_plan(more: &str, plan: &str) -> Self {
        let mut place = Self::with_config(more);
        place.sandbox.set("MOCK_LLM_OUTPUT", plan);
        place.run(&["plan", "--input", ".mycelium/plan.md"]).exits(0);
        place
    }

    /// Runs the program in the repository.
    pub(crate) fn run(&mut self, words: &[&str]) -> Done {
        let folder = self.repository.path().to_owned();
        self.run_in(&folder, words)
    }

    /// Runs the program in a folder.
    pub(crate) fn run_in(&mut self, folder: &Path, words: &[&str]) -> Done {
        let words: Vec<String> = words.iter().map(|word| (*word).to_owned()).collect();
        self.sandbox.run(program(), &words, folder).unwrap().into()
    }

    /// The program ready to be started in the repository beside what else runs.
    pub(crate) fn command(&self, words: &[&str]) -> Command {
        let words: Vec<String> = words.iter().map(|word| (*word).to_owned()).collect();
        self.sandbox.command(program(), &words, self.repository.path())
    }

    /// Where the project's runs and workspaces lie; there must have been a run.
    pub(crate) fn project_dir(&self) -> PathBuf {
        let mut projects = fs::read_dir(self.sandbox.mycelium_home().join("projects")).unwrap();
        projects.next().unwrap().unwrap().path()
    }

    /// Asserts that a document is as the schema of this name says, asking the program itself.
    #[track_caller]
    pub(crate) fn assert_valid(&mut self, schema: &str, document: &Value) {
        let schema = self.run(&["schema", schema]).exits(0).json();
        let validator = jsonschema::validator_for(&schema).unwrap();
        let flaws: Vec<String> =
            validator.iter_errors(document).map(|flaw| format!("{}: {flaw}", flaw.instance_path())).collect();
        assert!(flaws.is_empty(), "{flaws:#?}\n{document:#}");
    }

    /// Writes a file of the repository.
    pub(crate) fn write(&self, path: &str, text: &str) {
        fs::write(self.repository.path().join(path), text).unwrap();
    }

    /// Reads a file of the repository.
    pub(crate) fn read(&self, path: &str) -> String {
        fs::read_to_string(self.repository.path().join(path)).unwrap()
    }

    /// A folder outside every repository.
    pub(crate) fn outside(&self) -> PathBuf {
        let folder = self.folder.path().join("outside");
        fs::create_dir_all(&folder).unwrap();
        folder
    }

    /// A scripted agent that is started by this name, outside of the repository.
    pub(crate) fn scripted_agent(&self, name: &str) -> PathBuf {
        let path = self.outside().join(name);
        fs::write(&path, agent::launcher(name, program())).unwrap();
        fs::set_permissions(&path, fs::Permissions::from_mode(0o755)).unwrap();
        path
    }

    /// The head of the integration branch.
    pub(crate) fn head(&self) -> String {
        self.repository.head_of("main").unwrap().unwrap().to_string()
    }

    /// Runs git in the repository; gives what it says.
    #[track_caller]
    pub(crate) fn git(&self, words: &str) -> String {
        git_in(self.repository.path(), words)
    }

    /// Asserts that a task's work is in the branch once, and that the repository is sound.
    #[track_caller]
    pub(crate) fn landed_once(&self, task: &str) {
        let found = self.git(&format!("log --format=%s --grep=Mycelium-Task:.{task} main"));
        assert_eq!(found.lines().count(), 1, "{task}: {found}");
        self.git("fsck --full --strict");
    }

    /// Whether any run left a trace.
    pub(crate) fn ran(&self) -> bool {
        fs::read_dir(self.sandbox.mycelium_home()).unwrap().next().is_some()
    }
}

/// Runs git in a folder, without the configuration of this machine; gives what it says.
#[track_caller]
pub(crate) fn git_in(folder: &Path, words: &str) -> String {
    let mut command = Command::new("git");
    command.args(words.split(' ')).current_dir(folder);
    command.envs([("GIT_CONFIG_GLOBAL", "/dev/null"), ("GIT_CONFIG_NOSYSTEM", "1")]);
    let output = command.output().unwrap();
    assert!(output.status.success(), "git {words}: {}", String::from_utf8_lossy(&output.stderr));
    String::from_utf8(output.stdout).unwrap().trim().to_owned()
}

/// The program under test.
pub(crate) fn program() -> &'static Path {
    Path::new(env!("CARGO_BIN_EXE_mycelium"))
}
