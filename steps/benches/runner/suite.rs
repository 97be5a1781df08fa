//! Features of many small scenarios, and the way to run them with our runner.

use std::{
    fmt::Write as _,
    fs,
    num::NonZeroUsize,
    path::{Path, PathBuf},
    time::Duration,
};

use mycelium_accept::{
    context::Lane,
    runner::{Facts, Filter, Library, Limits, Settings, run, suite::Suite},
};
use mycelium_fixtures::sandbox::Locality;
use tempfile::TempDir;

use crate::{
    measure::Failed,
    world::{CATALOGUE, NoWorld},
};

/// Scenarios in a feature file.
const SCENARIOS_A_FILE: usize = 100;

/// A scenario of three steps that do nothing.
pub(crate) const TRIVIAL: &str = "Given nothing\n    When 1 of nothing\n    And 2 of nothing";

/// A folder with features.
pub(crate) struct Features {
    root: TempDir,
}

impl Features {
    /// Writes features with that many scenarios of these steps.
    pub(crate) fn write(scenarios: usize, steps: &str) -> Result<Self, Failed> {
        let root = tempfile::tempdir()?;
        let folder = root.path().join("features");
        fs::create_dir(&folder)?;
        for first in (0..scenarios).step_by(SCENARIOS_A_FILE) {
            let mut text = format!("@mock\nFeature: From {first}\n");
            for number in first..(first + SCENARIOS_A_FILE).min(scenarios) {
                write!(text, "\n  Scenario: Number {number}\n    {steps}\n")?;
            }
            fs::write(folder.join(format!("{first:06}.feature")), text)?;
        }
        Ok(Self { root })
    }

    /// The folder of the feature files.
    pub(crate) fn folder(&self) -> PathBuf {
        self.root.path().join("features")
    }

    /// Runs them with our runner, from reading the files to the last message; returns the bytes of messages.
    pub(crate) fn run(&self, jobs: usize) -> Result<u64, Failed> {
        let library = Library::load::<NoWorld>(CATALOGUE)?;
        let suite = Suite::load(self.root.path(), &[PathBuf::from("features")])?;
        let scratch = tempfile::tempdir()?;
        let out = self.root.path().join("out");
        let settings = settings(jobs, scratch.path(), &out);
        let facts = || Facts {
            tree: None,
            dirty: false,
            source_digest: None,
            binary_digest: "0".repeat(64),
            binary_version: serde_json::Value::Null,
        };
        let result = run(&library, &suite, &Filter::default(), &settings, |_| Ok(()), |_, _| {}, facts)?;
        if !result.passed() {
            return Err(format!("the scenarios of the benchmark failed: {:?}", result.causes).into());
        }
        Ok(fs::metadata(out.join("messages.ndjson"))?.len())
    }
}

fn settings(jobs: usize, scratch: &Path, out: &Path) -> Settings {
    Settings {
        bin: PathBuf::from("mycelium"),
        lane: Lane::Mock,
        jobs: NonZeroUsize::new(jobs).unwrap_or(NonZeroUsize::MIN),
        seed: 1,
        limits: Limits { step: Duration::from_secs(60), scenario: Duration::from_secs(60), times: 1 },
        run_timeout: None,
        fail_fast: false,
        every_then: false,
        keep: false,
        scratch: scratch.to_owned(),
        locality: Locality::default(),
        containers: None,
        out: out.to_owned(),
    }
}
