//! `accept doctor`: which worlds this machine can run, and what to do about those that it cannot.

use std::{
    env,
    error::Error,
    fs, io, iter,
    os::unix::fs::PermissionsExt,
    path::Path,
    process::{Command, Stdio},
};

use mycelium_fixtures::containers::Containers;
use serde::Serialize;

use crate::cli::{
    args::DoctorArgs,
    console::{Console, Stream, Tone},
    error::CliError,
    program::{Program, ProgramError},
};

/// The programs that scenarios of the mock world and their scripts call.
const PROGRAMS: [(&str, &[&str]); 2] = [("git", &["--version"]), ("sh", &["-c", "echo a POSIX shell"])];

/// What `accept doctor --json` prints.
#[derive(Debug, Serialize)]
struct Examination {
    /// Whether everything is there that `accept` needs today.
    ready: bool,
    checks: Vec<Check>,
}

/// One thing that a world needs.
#[derive(Debug, Serialize)]
struct Check {
    name: &'static str,
    /// The world that needs it.
    world: &'static str,
    ok: bool,
    /// What was found.
    found: String,
    /// What to do where it is not well.
    #[serde(skip_serializing_if = "Option::is_none")]
    mend: Option<&'static str>,
}

impl Check {
    fn new(
        name: &'static str,
        world: &'static str,
        found: Result<String, String>,
        mend: &'static str,
    ) -> Self {
        match found {
            Ok(found) => Self { name, world, ok: true, found, mend: None },
            Err(found) => Self { name, world, ok: false, found, mend: Some(mend) },
        }
    }
}

pub(in crate::cli) fn run(console: &Console, args: &DoctorArgs) -> Result<u8, CliError> {
    let mut checks: Vec<Check> = PROGRAMS
        .into_iter()
        .map(|(name, arguments)| {
            Check::new(name, "mock", answer(name, arguments), "install it, and have its folder in PATH")
        })
        .collect();
    checks.push(Check::new(
        "temporary folder",
        "mock",
        temporary_folder(),
        "set TMPDIR to a folder that can be written and that programs may run from",
    ));
    if args.bin.is_none() {
        let cargo = env::var("CARGO").unwrap_or_else(|_| "cargo".to_owned());
        let mend = "install Rust, or give the program under test with --bin PATH";
        checks.push(Check::new("cargo", "mock", answer(&cargo, &["--version"]), mend));
    }
    let program = match &args.bin {
        Some(bin) => given(bin),
        None => Program::place().map(|place| format!("is built as {}", place.display())),
    };
    checks.push(Check::new(
        "program under test",
        "mock",
        program.map_err(|error| on_one_line(&error)),
        "give the path of a built mycelium with --bin PATH",
    ));
    let mend = "start a container engine of this machine, set DOCKER_HOST to it, and install busybox-static";
    checks.push(Check::new("container engine", "docker", container_engine(), mend));
    let ready = checks.iter().all(|check| check.ok || check.world == "docker");
    for check in &checks {
        let (tone, word) = if check.ok { (Tone::Good, "ok") } else { (Tone::Bad, "missing") };
        let word = console.paint_for(Stream::Out, tone, &format!("{word:<8}"));
        console.print(format_args!("{word} {:<7} {}: {}", check.world, check.name, check.found))?;
        if let Some(mend) = check.mend {
            console.print(format_args!("         mend    {mend}"))?;
        }
    }
    let all_well = checks.iter().all(|check| check.ok);
    let can = |can| if can { "can run" } else { "cannot run" };
    console.print(format_args!("\nmock world: {}\ndocker world: {}", can(ready), can(all_well)))?;
    console.document(&Examination { ready, checks })?;
    Ok(u8::from(!ready))
}

/// The first line that a program says.
fn answer(program: &str, arguments: &[&str]) -> Result<String, String> {
    let output = Command::new(program)
        .args(arguments)
        .stdin(Stdio::null())
        .output()
        .map_err(|error| format!("{program} does not start: {error}"))?;
    if !output.status.success() {
        return Err(format!("{program} ended with {}", output.status));
    }
    Ok(String::from_utf8_lossy(&output.stdout).lines().next().unwrap_or_default().to_owned())
}

/// What a program says of itself, where a run would take it.
fn given(bin: &Path) -> Result<String, ProgramError> {
    let path =
        fs::canonicalize(bin).map_err(|source| ProgramError::Unreadable { path: bin.to_owned(), source })?;
    let version = Program::version(&path, None)?;
    Ok(match (version["name"].as_str(), version["version"].as_str()) {
        (Some(name), Some(number)) => format!("{} is {name} {number}", path.display()),
        _ => format!("{} is {version}", path.display()),
    })
}

/// An error with its causes.
fn on_one_line(error: &dyn Error) -> String {
    let chain = iter::successors(Some(error), |error| (*error).source());
    chain.map(ToString::to_string).collect::<Vec<_>>().join(": ")
}

/// Scenarios write there and run their agents from there.
fn temporary_folder() -> Result<String, String> {
    let place = env::temp_dir();
    let at = |error: io::Error| format!("{}: {error}", place.display());
    let folder = tempfile::Builder::new().prefix("accept-doctor-").tempdir().map_err(at)?;
    let script = folder.path().join("script");
    fs::write(&script, "#!/bin/sh\nexit 0\n").map_err(at)?;
    fs::set_permissions(&script, fs::Permissions::from_mode(0o755)).map_err(at)?;
    // Through a shell of its own: a file that was just written may still be open in a child of this process.
    let status = Command::new("sh")
        .args(["-c", "exec \"$0\""])
        .arg(&script)
        .stdin(Stdio::null())
        .stderr(Stdio::null())
        .status()
        .map_err(at)?;
    if status.success() {
        Ok(format!("{} can be written and run from", place.display()))
    } else {
        Err(format!("{}: programs cannot run from it", place.display()))
    }
}

/// The engine that a run would take, with the image of scenarios made there.
fn container_engine() -> Result<String, String> {
    Containers::find().map(|found| format!("{} answers and has the image {}", found.host, found.image))
}
