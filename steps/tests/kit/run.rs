//! Runs the features of a sample with the steps of its world.

use std::{
    fs, io,
    num::NonZeroUsize,
    path::{Path, PathBuf},
    time::Duration,
};

use cucumber::{World, codegen::WorldInventory};
use mycelium_accept::{
    catalogue::{Catalogue, Definition, Keyword, Parameter, Pattern},
    context::Lane,
    runner::{
        Facts, Filter, Interrupter, Library, Limits, RunError, Settings, run as run_suite, suite::Suite,
    },
};
use mycelium_fixtures::sandbox::Locality;
use mycelium_schemas::messages::Envelope;

/// The steps of all samples.
static KIT: Catalogue = include!(concat!(env!("OUT_DIR"), "/kit_catalogue.rs"));

/// The world of a sample.
pub(crate) trait Sample: World + WorldInventory {
    /// The file that holds its steps.
    const FILE: &str;
}

/// Runs a sample.
pub(crate) fn run<W: Sample>(folder: &Path) -> Vec<Envelope> {
    let (messages, result) = conduct::<W>(folder, |_| Ok(()));
    result.unwrap();
    messages
}

/// Runs a sample whose run ends before its first scenario.
pub(crate) fn run_that_cannot_begin<W: Sample>(folder: &Path) -> Vec<Envelope> {
    let (messages, result) = conduct::<W>(folder, |_| Err(io::Error::other("Whoops!")));
    result.unwrap_err();
    messages
}

fn conduct<W: Sample>(
    folder: &Path,
    prepare: impl FnOnce(Interrupter) -> io::Result<()>,
) -> (Vec<Envelope>, Result<(), RunError>) {
    let library = Library::load::<W>(catalogue::<W>()).unwrap();
    let suite = Suite::load(folder, &[PathBuf::from(".")]).unwrap();
    let place = tempfile::tempdir().unwrap();
    let out = place.path().join("out");
    let scratch = place.path().join("scratch");
    fs::create_dir(&scratch).unwrap();
    let limit = Duration::from_secs(60);
    let settings = Settings {
        bin: folder.to_owned(),
        lane: Lane::Mock,
        jobs: NonZeroUsize::MIN,
        seed: 1,
        limits: Limits { step: limit, scenario: limit, times: 1 },
        run_timeout: None,
        fail_fast: false,
        every_then: false,
        keep: false,
        scratch,
        locality: Locality::default(),
        containers: None,
        out: out.clone(),
    };
    let filter = Filter { any_lane: true, ..Filter::default() };
    let facts = || Facts {
        tree: None,
        dirty: false,
        source_digest: None,
        binary_digest: "0".repeat(64),
        binary_version: serde_json::Value::Null,
    };
    let result = run_suite(&library, &suite, &filter, &settings, prepare, |_, _| {}, facts).map(|_| ());
    let text = fs::read_to_string(out.join("messages.ndjson")).unwrap();
    (text.lines().map(|line| serde_json::from_str(line).unwrap()).collect(), result)
}

/// The part of the catalogue that stands in the sample's file.
fn catalogue<W: Sample>() -> Catalogue {
    let file = W::FILE.replace('\\', "/");
    let definitions = || KIT.definitions.iter();
    let first = definitions().position(|definition| definition.file == file).unwrap_or_default();
    let count = definitions().filter(|definition| definition.file == file).count();
    let first_parameter =
        KIT.parameters.iter().position(|parameter| parameter.file == file).unwrap_or_default();
    let parameters = KIT.parameters.iter().filter(|parameter| parameter.file == file).count();
    Catalogue {
        definitions: &KIT.definitions[first..first + count],
        parameters: &KIT.parameters[first_parameter..first_parameter + parameters],
        assertions: KIT.assertions,
    }
}
