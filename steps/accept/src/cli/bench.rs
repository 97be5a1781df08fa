//! What `accept bench` measures and keeps (docs/benchmarks.md): each case by turns with its floor, the figures as a file,
//! and a table of them beside their baselines.

pub(super) mod cases;
mod cost;
mod place;

use std::{
    env, fs, io,
    path::{Path, PathBuf},
};

use mycelium_fixtures::{FixtureError, process::Ending};
use mycelium_schemas::{
    SCHEMA_VERSION,
    bench::{BENCH, Bench, Figure, Measure},
    matrix::Comparison,
};

use self::{cases::Case, cost::Counter, place::Place};
use super::{
    console::{Console, Stream, Tone},
    error::CliError,
    project::write,
};

/// Rounds of a ratio; the middle one counts.
const ROUNDS: usize = 7;
/// Those of a first look.
const ROUNDS_QUICK: usize = 3;

/// Nothing can be measured.
#[derive(Debug, thiserror::Error)]
pub(super) enum BenchError {
    #[error("no figure has one of these texts in its name; the names are {}", .0.join(", "))]
    NothingSelected(Vec<&'static str>),
    #[error("{what}: it ended with {ending:?} instead of exit code {expected}\n{said}")]
    Unexpected { what: String, ending: Ending, expected: i32, said: String },
    #[error("the system does not tell how much CPU time commands used")]
    NoCpuTime(#[source] nix::Error),
    #[error("valgrind counted no instructions in {}", .0.display())]
    NotCounted(PathBuf),
    #[error("{} was written in the format version {version}; this accept reads {SCHEMA_VERSION}", path.display())]
    OtherVersion { path: PathBuf, version: u32 },
    #[error(transparent)]
    Fixture(#[from] FixtureError),
}

/// The figures in an output folder; none where nothing was measured.
pub(super) fn read(out: &Path) -> Result<Option<Bench>, CliError> {
    let path = out.join(BENCH);
    let failed = |action, source| CliError::File { action, path: path.clone(), source };
    let text = match fs::read_to_string(&path) {
        Err(error) if error.kind() == io::ErrorKind::NotFound => return Ok(None),
        result => result.map_err(|source| failed("read", source))?,
    };
    let bench: Bench = serde_json::from_str(&text).map_err(|error| failed("understand", error.into()))?;
    if bench.schema_version != SCHEMA_VERSION {
        return Err(BenchError::OtherVersion { path, version: bench.schema_version }.into());
    }
    Ok(Some(bench))
}

/// Removes them: nobody may take earlier ones for what is being measured.
pub(super) fn clear(out: &Path) -> Result<(), CliError> {
    match fs::remove_file(out.join(BENCH)) {
        Err(source) if source.kind() != io::ErrorKind::NotFound => {
            Err(CliError::File { action: "remove", path: out.join(BENCH), source })
        }
        _ => Ok(()),
    }
}

/// Writes them.
pub(super) fn keep(out: &Path, bench: &Bench) -> Result<PathBuf, CliError> {
    let path = out.join(BENCH);
    let text = serde_json::to_string_pretty(bench).map_err(|error| CliError::Output(error.into()))?;
    write(&path, format!("{text}\n").as_bytes())?;
    Ok(path)
}

/// The class of this machine. Figures of two machines of one class are close enough to be compared: instructions are the
/// same, and a ratio is taken against a floor on the same machine.
pub(super) fn machine() -> String {
    format!("{}-{}", env::consts::OS, env::consts::ARCH)
}

/// Measures cases of a program, in a folder that is somebody else's to remove.
pub(super) struct Bencher<'a> {
    pub(super) console: &'a Console,
    pub(super) program: &'a Path,
    pub(super) folder: &'a Path,
    pub(super) quick: bool,
    /// Why not everything was measured, in sentences.
    pub(super) partial: Vec<String>,
    counter: Option<Counter>,
}

impl<'a> Bencher<'a> {
    pub(super) fn new(console: &'a Console, program: &'a Path, folder: &'a Path, quick: bool) -> Self {
        let mut partial = Vec::new();
        let counter = if quick {
            partial.push("It was a quick look: fewer rounds, and no instructions were counted.".to_owned());
            None
        } else {
            let found = Counter::find();
            if found.is_none() {
                let message =
                    "Instructions were not counted: there is no valgrind. CPU time alone was measured.";
                partial.push(message.to_owned());
            }
            found
        };
        Self { console, program, folder, quick, partial, counter }
    }

    /// The figures of a case.
    pub(super) fn measure(&self, case: &Case) -> Result<Vec<Figure>, BenchError> {
        let mut place = Place::new(case, self.program, self.folder)?;
        let rounds = if self.quick { ROUNDS_QUICK } else { ROUNDS };
        let mut ratios = Vec::new();
        for _ in 0..rounds {
            let program = place.program_cpu()?;
            let floor = place.floor_cpu()?;
            ratios.push(thousandths(program, floor));
        }
        let mut figures = Vec::new();
        if let Some(counter) = &self.counter {
            figures.push(figure(case, Measure::Instructions, vec![place.instructions(counter)?]));
        }
        figures.push(figure(case, Measure::CpuRatio, ratios));
        place.remove()?;
        for figure in &figures {
            self.console.say(format_args!("{} {}: {}", figure.name, figure.measure, spread(figure)));
        }
        Ok(figures)
    }
}

/// One number as a multiple of another, in thousandths; the least that there is counts as one microsecond.
fn thousandths(program: u64, floor: u64) -> u64 {
    program.saturating_mul(1000) / floor.max(1)
}

fn figure(case: &Case, measure: Measure, mut values: Vec<u64>) -> Figure {
    values.sort_unstable();
    Figure {
        name: case.name.to_owned(),
        measure,
        value: values.get(values.len() / 2).copied().unwrap_or_default(),
        least: values.first().copied().unwrap_or_default(),
        most: values.last().copied().unwrap_or_default(),
        rounds: values.len(),
    }
}

fn spread(figure: &Figure) -> String {
    let Figure { measure, value, least, most, rounds, .. } = figure;
    let value = measure.shown(*value);
    match rounds {
        0 | 1 => value,
        _ => format!("{value} ({} to {} in {rounds} rounds)", measure.shown(*least), measure.shown(*most)),
    }
}

/// The figures beside their baselines, for a terminal.
pub(super) fn table(console: &Console, bench: &Bench, comparisons: &[Comparison]) -> String {
    let names = comparisons.iter().map(|found| found.figure.len()).max().unwrap_or(0);
    let head = format!(
        "{:names$}  {:12}  {:>14}  {:>14}  {:>14}  rounds",
        "figure", "measure", "value", "baseline", "limit"
    );
    let mut lines = vec![head];
    for Comparison { figure: name, measure, value, baseline, limit } in comparisons {
        let shown = |value: Option<u64>| value.map_or_else(|| "-".to_owned(), |value| measure.shown(value));
        let over = value.zip(*limit).is_none_or(|(value, limit)| value > limit);
        let found = bench.figures.iter().find(|found| (&found.name, found.measure) == (name, *measure));
        let rounds = found.map_or_else(String::new, |found| match found.rounds {
            0 | 1 => found.rounds.to_string(),
            n => format!("{n}, {} to {}", measure.shown(found.least), measure.shown(found.most)),
        });
        let padded = format!("{:>14}", shown(*value));
        let value = if over { console.paint_for(Stream::Out, Tone::Bad, &padded) } else { padded };
        let line = format!(
            "{name:names$}  {measure:12}  {value}  {:>14}  {:>14}  {rounds}",
            shown(*baseline),
            shown(*limit)
        );
        lines.push(line.trim_end().to_owned());
    }
    lines.join("\n")
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn the_middle_counts_and_the_spread_is_told() {
        let case = &cases::CASES[0];
        let found = figure(case, Measure::CpuRatio, vec![3_000, 1_000, 1_500]);
        assert_eq!((found.value, found.least, found.most, found.rounds), (1_500, 1_000, 3_000, 3));
        assert_eq!(spread(&found), "1.500x (1.000x to 3.000x in 3 rounds)");
        assert_eq!(thousandths(3, 2), 1_500);
        assert_eq!(thousandths(3, 0), 3_000);
    }
}
