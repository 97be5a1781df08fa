//! Runs features from text with the tiny world, and reads the stream back.

use std::{
    fs,
    num::NonZeroUsize,
    path::{Path, PathBuf},
    sync::{Mutex, MutexGuard, PoisonError},
    time::Duration,
};

use mycelium_accept::{
    catalogue::{Catalogue, Definition, Keyword, Parameter, Pattern},
    context::Lane,
    runner::{Facts, Filter, Library, Limits, RunResult, ScenarioResult, Settings, run, suite::Suite},
};
use mycelium_fixtures::sandbox::Locality;
use mycelium_schemas::{
    evidence::{RUN_INFO_MEDIA_TYPE, RunInfo},
    messages::{Envelope, TestStepResultStatus},
};
use tempfile::TempDir;

use crate::world::{INTERRUPTER, TinyWorld};

/// The catalogue of the steps in this folder.
pub(crate) static CATALOGUE: Catalogue = include!(concat!(env!("OUT_DIR"), "/test_catalogue.rs"));

/// Panics on threads of no scenario, and the interrupter, are of the whole process, so one run at a time.
static ONE_AT_A_TIME: Mutex<()> = Mutex::new(());

/// A folder of features and the settings to run them with.
pub(crate) struct Bench {
    root: TempDir,
    pub(crate) settings: Settings,
    pub(crate) filter: Filter,
    _alone: MutexGuard<'static, ()>,
}

impl Bench {
    /// An empty folder.
    pub(crate) fn new() -> Self {
        let alone = ONE_AT_A_TIME.lock().unwrap_or_else(PoisonError::into_inner);
        let root = tempfile::tempdir().unwrap();
        fs::create_dir(root.path().join("features")).unwrap();
        fs::create_dir(root.path().join("scratch")).unwrap();
        let settings = Settings {
            bin: PathBuf::from("mycelium"),
            lane: Lane::Mock,
            jobs: NonZeroUsize::new(4).unwrap(),
            seed: 1,
            limits: Limits { step: Duration::from_secs(60), scenario: Duration::from_secs(60), times: 1 },
            run_timeout: None,
            fail_fast: false,
            every_then: false,
            keep: false,
            scratch: root.path().join("scratch"),
            locality: Locality::default(),
            containers: None,
            out: root.path().join("out"),
        };
        Self { root, settings, filter: Filter::default(), _alone: alone }
    }

    /// A folder with one feature of mock scenarios.
    pub(crate) fn with(scenarios: &str) -> Self {
        let bench = Self::new();
        bench.write("a.feature", &format!("@mock\nFeature: A\n{scenarios}"));
        bench
    }

    /// Writes a feature file.
    pub(crate) fn write(&self, name: &str, text: &str) {
        fs::write(self.root.path().join("features").join(name), text).unwrap();
    }

    /// The folder of the features.
    pub(crate) fn features(&self) -> PathBuf {
        self.root.path().join("features")
    }

    /// The output folder.
    pub(crate) fn out(&self) -> &Path {
        &self.settings.out
    }

    /// Reads the features.
    pub(crate) fn suite(&self) -> Suite {
        Suite::load(self.root.path(), &[PathBuf::from("features")]).unwrap()
    }

    /// Runs them.
    pub(crate) fn run(&self) -> RunResult {
        self.run_and_tell(|_, _| {})
    }

    /// Runs them, and tells each as it ends.
    pub(crate) fn run_and_tell(&self, tell: impl FnMut(&ScenarioResult, usize)) -> RunResult {
        let library = Library::load::<TinyWorld>(CATALOGUE).unwrap();
        let prepare = |interrupter| {
            *INTERRUPTER.lock().unwrap_or_else(PoisonError::into_inner) = Some(interrupter);
            Ok(())
        };
        let facts = || Facts {
            tree: None,
            dirty: false,
            source_digest: None,
            binary_digest: "0".repeat(64),
            binary_version: serde_json::Value::Null,
        };
        run(&library, &self.suite(), &self.filter, &self.settings, prepare, tell, facts).unwrap()
    }

    /// The stream of the last run.
    pub(crate) fn messages(&self) -> Vec<Envelope> {
        let text = fs::read_to_string(self.out().join("messages.ndjson")).unwrap();
        text.lines().map(|line| serde_json::from_str(line).unwrap()).collect()
    }

    /// What the stream says of the run.
    pub(crate) fn run_info(&self) -> RunInfo {
        let info = self.messages().into_iter().find_map(|envelope| match envelope {
            Envelope::Attachment(attachment) if attachment.media_type == RUN_INFO_MEDIA_TYPE => {
                Some(attachment.body)
            }
            _ => None,
        });
        serde_json::from_str(&info.unwrap()).unwrap()
    }

    /// Statuses of all steps, in the order of the stream.
    pub(crate) fn step_statuses(&self) -> Vec<TestStepResultStatus> {
        self.messages()
            .into_iter()
            .filter_map(|envelope| match envelope {
                Envelope::TestStepFinished(finished) => Some(finished.test_step_result.status),
                _ => None,
            })
            .collect()
    }
}
