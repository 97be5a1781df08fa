//! `accept bench`: builds the program as fast as a release, measures it by turns with its floors, and compares the figures
//! with the baselines.

use std::{fs, path::Path};

use mycelium_schemas::{
    SCHEMA_VERSION,
    bench::{Bench, Figure},
    goal::baselines::{self, Baselines},
    problem::Source,
};
use mycelium_traceability::{baseline, compare, too_slow};

use crate::{
    cli::{
        args::BenchArgs,
        bench::{self, BenchError, Bencher, cases},
        console::{Console, Tone},
        error::CliError,
        program::{Build, Program},
        project::{Project, write},
        tree::Tree,
    },
    runner::OutLock,
};

pub(in crate::cli) fn run(console: &Console, args: &BenchArgs, scratch: &Path) -> Result<u8, CliError> {
    let project = Project::locate()?;
    let out = args.out.folder(&project);
    // Before anything of them is read.
    let Tree { id: tree, source_digest, .. } = project.tree();
    let file = source(&project, args)?;
    let mut baselines = baselines::parse(&file).map_err(CliError::Registry)?;
    let cases = cases::selected(&args.names);
    if cases.is_empty() {
        return Err(BenchError::NothingSelected(cases::CASES.iter().map(|case| case.name).collect()).into());
    }
    let mut lock = OutLock::take(&out)?;
    bench::clear(&out)?;
    lock.create()?;
    let bin = args.bin.as_ref().map(|path| project.resolve(path));
    let program = Program::take(&project.root, bin, Build::Fast, scratch)?;
    let bencher = Bencher::new(console, &program.path, scratch, args.quick);
    let mut figures: Vec<Figure> = Vec::new();
    for case in cases {
        figures.extend(bencher.measure(case)?);
    }
    figures.sort_by(|one, other| (&one.name, one.measure).cmp(&(&other.name, other.measure)));
    let mut partial = bencher.partial;
    partial.extend(selection(args));
    if project.tree().source_digest != source_digest {
        partial.push("The sources changed while the program was measured.".to_owned());
    }
    let found = Bench {
        schema_version: SCHEMA_VERSION,
        tree,
        source_digest,
        binary_digest: program.digest.clone(),
        features: features(&program),
        machine: bench::machine(),
        partial,
        figures,
    };
    let path = bench::keep(&out, &found)?;
    if args.save {
        save(&project, &file, &found, &mut baselines)?;
        console.say(format_args!("baselines: {}", file.name));
    }
    let objections = tell(console, args, &found, &baselines)?;
    console.say(format_args!("figures: {}", path.display()));
    Ok(u8::from(objections > 0))
}

/// Prints everything; how many figures are not within their limits.
fn tell(
    console: &Console,
    args: &BenchArgs,
    found: &Bench,
    baselines: &Baselines,
) -> Result<usize, CliError> {
    let mut comparisons = compare(&found.machine, &found.figures, baselines);
    // What was not asked for is not missed here; the gate does miss it.
    if args.quick || !args.names.is_empty() {
        comparisons.retain(|comparison| comparison.value.is_some());
    }
    console.print(bench::table(console, found, &comparisons))?;
    console.document(found)?;
    for why in &found.partial {
        console.say(format_args!("note: {why}"));
    }
    let objections = too_slow(&found.machine, &comparisons);
    for objection in &objections {
        console.say(format_args!("{} {objection}", console.paint(Tone::Bad, "too slow:")));
    }
    if objections.is_empty() {
        console.say("every figure is within its limit");
    }
    Ok(objections.len())
}

/// The file of baselines, which need not be there yet.
fn source(project: &Project, args: &BenchArgs) -> Result<Source, CliError> {
    let Some(path) = &args.baselines else { return project.baselines() };
    let path = project.resolve(path);
    match fs::read_to_string(&path) {
        Ok(text) => Ok(Source::new(path.display().to_string(), text)),
        Err(error) if args.save && error.kind() == std::io::ErrorKind::NotFound => {
            Ok(Source::new(path.display().to_string(), ""))
        }
        Err(source) => Err(CliError::File { action: "read", path, source }),
    }
}

fn save(project: &Project, file: &Source, found: &Bench, baselines: &mut Baselines) -> Result<(), CliError> {
    baselines.save(&found.machine, found.figures.iter().map(baseline));
    // A name from the root stays below it, one from elsewhere is whole.
    write(&project.root.join(&*file.name), baselines.to_yaml().as_bytes())
}

/// Why what was chosen is not all that there is to measure.
fn selection(args: &BenchArgs) -> Vec<String> {
    let mut partial = Vec::new();
    if !args.names.is_empty() {
        partial.push(format!("Only figures with {} in their name were measured.", args.names.join(" or ")));
    }
    if args.bin.is_some() {
        partial.push("The program was given, not built from these sources.".to_owned());
    }
    partial
}

/// What the program says that it was built with; nothing said is told as such.
fn features(program: &Program) -> Vec<String> {
    let features = program.version.get("features").and_then(|features| features.as_array());
    let Some(features) = features else { return vec!["(it does not say which)".to_owned()] };
    features.iter().map(|name| name.as_str().map_or_else(|| name.to_string(), str::to_owned)).collect()
}
