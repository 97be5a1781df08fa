//! A run happens in a process of its own, so that nothing a step does can be taken for a result: a step that exits the
//! process with 0, a stack overflow, a kill. The run signs its exit code; without the signature it failed.

use std::{
    env, fs, io,
    path::{Path, PathBuf},
    process::{ExitStatus, Stdio},
};

use rustix::process::{Pid, Signal, kill_process};
use tempfile::TempDir;
use tokio::{
    process::{Child, Command},
    runtime::Runtime,
    signal::unix::{SignalKind, signal},
};

use super::{
    console::{Console, Tone},
    error::{CliError, INTERNAL},
    summary::RunSummary,
};
use crate::runner::leftovers;

/// Names the folder of scenarios to the supervised process.
pub(super) const SCRATCH_VARIABLE: &str = "MYCELIUM_ACCEPT_SCRATCH";
const RECEIPT: &str = "receipt";

/// The folder of scenarios, in a supervised process.
pub(super) fn scratch() -> Option<PathBuf> {
    env::var_os(SCRATCH_VARIABLE).map(PathBuf::from)
}

/// Signs the exit code of a supervised run.
pub(super) fn sign(scratch: &Path, exit_code: u8) -> Result<(), CliError> {
    super::project::write(&scratch.join(RECEIPT), exit_code.to_string().as_bytes())
}

/// Runs this very command line in a process of its own.
pub(super) fn supervise(console: &Console) -> Result<u8, CliError> {
    let scratch = tempfile::Builder::new().prefix("accept-").tempdir().map_err(CliError::Supervise)?;
    let runtime =
        tokio::runtime::Builder::new_current_thread().enable_all().build().map_err(CliError::Supervise)?;
    let status = run_child(&runtime, &scratch).map_err(CliError::Supervise)?;
    leftovers::kill_inside(scratch.path());
    let signed = fs::read_to_string(scratch.path().join(RECEIPT)).ok().and_then(|text| text.parse().ok());
    if let Err(error) = scratch.close() {
        console.say(format_args!("note: the folder of the scenarios is not removed: {error}"));
    }
    if let Some(exit_code) = signed {
        return Ok(exit_code);
    }
    let message =
        format!("the run did not come to its end ({status}): a step ended the process, or it was killed");
    console.say(format_args!("{} {message}", console.paint(Tone::Bad, "failed:")));
    console.document(&RunSummary::of_death(message, INTERNAL))?;
    Ok(INTERNAL)
}

fn run_child(runtime: &Runtime, scratch: &TempDir) -> io::Result<ExitStatus> {
    let _in_runtime = runtime.enter();
    let mut int = signal(SignalKind::interrupt())?;
    let mut term = signal(SignalKind::terminate())?;
    let mut child = Command::new(env::current_exe()?)
        .args(env::args_os().skip(1))
        .env(SCRATCH_VARIABLE, scratch.path())
        .stdin(Stdio::null())
        .spawn()?;
    runtime.block_on(async {
        loop {
            tokio::select! {
                status = child.wait() => return status,
                // A terminal sends Ctrl-C to both; once more does no harm.
                Some(()) = int.recv() => forward(&child, Signal::INT),
                Some(()) = term.recv() => forward(&child, Signal::TERM),
            }
        }
    })
}

fn forward(child: &Child, signal: Signal) {
    let pid = child.id().and_then(|id| i32::try_from(id).ok()).and_then(Pid::from_raw);
    if let Some(pid) = pid {
        // It may have ended this very moment; then its status says so.
        let _ = kill_process(pid, signal);
    }
}
