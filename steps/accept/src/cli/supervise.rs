//! A run happens in a process of its own, so that nothing a step does can be taken for a result: a step that exits the
//! process with 0, a stack overflow, a kill. The run signs its exit code; without the signature it failed.

use std::{
    env,
    fs::{self, File},
    io,
    path::{Path, PathBuf},
    process::{ExitStatus, Stdio},
};

use rustix::process::{self, Pid, kill_process};
use tokio::{
    process::{Child, Command},
    runtime::Runtime,
};

use super::{
    console::{Console, Tone},
    error::{CliError, INTERNAL},
    scratch::{self, Scratch},
    summary::RunSummary,
};
use crate::runner::{Interrupt, leftovers, signal::Signals};

/// Names the folder of scenarios to the supervised process.
pub(super) const SCRATCH_VARIABLE: &str = "MYCELIUM_ACCEPT_SCRATCH";
const RECEIPT: &str = "receipt";

/// The folder of scenarios, in a supervised process.
pub(super) fn scratch() -> Option<PathBuf> {
    env::var_os(SCRATCH_VARIABLE).map(PathBuf::from)
}

/// Binds this supervised process to its supervisor: where that dies, this one ends as if it were asked to, with all that
/// it writes. Its folder counts as in use as long as what is returned is kept.
pub(super) fn attend(scratch: &Path) -> Result<File, CliError> {
    process::set_parent_process_death_signal(Some(process::Signal::TERM))
        .map_err(|error| CliError::Supervise(error.into()))?;
    scratch::hold(scratch).map_err(CliError::Supervise)
}

/// Signs the exit code of a supervised run.
pub(super) fn sign(scratch: &Path, exit_code: u8) -> Result<(), CliError> {
    super::project::write(&scratch.join(RECEIPT), exit_code.to_string().as_bytes())
}

/// Runs this very command line in a process of its own.
pub(super) fn supervise(console: &Console) -> Result<u8, CliError> {
    let runtime =
        tokio::runtime::Builder::new_current_thread().enable_all().build().map_err(CliError::Supervise)?;
    // First of all: a signal from here on is answered with its exit code.
    let mut signals = Signals::listen(&runtime).map_err(CliError::Supervise)?;
    for folder in scratch::clear_dead() {
        console.say(format_args!("note: removed {}, which a run that died had left", folder.display()));
    }
    let scratch = Scratch::create().map_err(CliError::Supervise)?;
    let Ended { status, interrupt } =
        run_child(&runtime, &mut signals, &scratch).map_err(CliError::Supervise)?;
    leftovers::kill_inside(scratch.path());
    let signed = fs::read_to_string(scratch.path().join(RECEIPT)).ok().and_then(|text| text.parse().ok());
    if let Err(error) = scratch.close() {
        console.say(format_args!("note: the folder of the scenarios is not removed: {error}"));
    }
    match End::of(signed, interrupt) {
        End::Signed(exit_code) => Ok(exit_code),
        End::Interrupted(interrupt) => {
            let summary = RunSummary::of_interrupt(interrupt);
            console.say(format_args!(
                "ended by {interrupt} before a scenario ran to its end; nothing was written"
            ));
            console.document(&summary)?;
            Ok(interrupt.exit_code())
        }
        End::Died => {
            let message = format!(
                "the run did not come to its end ({status}): a step ended the process, or it was killed"
            );
            console.say(format_args!("{} {message}", console.paint(Tone::Bad, "failed:")));
            console.document(&RunSummary::of_death(message, INTERNAL))?;
            Ok(INTERNAL)
        }
    }
}

/// How a supervised run ended. The status of its process says nothing: a step may have exited with any.
#[derive(Debug, PartialEq, Eq)]
enum End {
    /// It came to its end and signed for it.
    Signed(u8),
    /// It was told to end before it could listen, for example while it built the program.
    Interrupted(Interrupt),
    /// It did not come to its end.
    Died,
}

impl End {
    fn of(signed: Option<u8>, interrupt: Option<Interrupt>) -> Self {
        signed.map(Self::Signed).or(interrupt.map(Self::Interrupted)).unwrap_or(Self::Died)
    }
}

/// How the supervised process ended, and the first signal that came meanwhile.
struct Ended {
    status: ExitStatus,
    interrupt: Option<Interrupt>,
}

fn run_child(runtime: &Runtime, signals: &mut Signals, scratch: &Scratch) -> io::Result<Ended> {
    let _in_runtime = runtime.enter();
    let mut child = Command::new(env::current_exe()?)
        .args(env::args_os().skip(1))
        .env(SCRATCH_VARIABLE, scratch.path())
        .stdin(Stdio::null())
        .spawn()?;
    let mut interrupt = None;
    runtime.block_on(async {
        loop {
            tokio::select! {
                // A child that a signal ended is not collected before the signal that asked for it.
                biased;
                next = signals.next() => {
                    // A terminal sends Ctrl-C to both; once more does no harm.
                    forward(&child, next);
                    interrupt.get_or_insert(next);
                }
                status = child.wait() => return status.map(|status| Ended { status, interrupt }),
            }
        }
    })
}

fn forward(child: &Child, interrupt: Interrupt) {
    let signal = match interrupt {
        Interrupt::Sigint => process::Signal::INT,
        Interrupt::Sigterm => process::Signal::TERM,
    };
    let pid = child.id().and_then(|id| i32::try_from(id).ok()).and_then(Pid::from_raw);
    if let Some(pid) = pid {
        // It may have ended this very moment; then its status says so.
        let _ = kill_process(pid, signal);
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_run_that_did_not_sign_has_died_whatever_its_process_exited_with() {
        assert_eq!(End::of(None, None), End::Died);
        assert_eq!(End::of(Some(0), Some(Interrupt::Sigint)), End::Signed(0));
        assert_eq!(End::of(None, Some(Interrupt::Sigint)), End::Interrupted(Interrupt::Sigint));
    }
}
