//! What a command costs: CPU time of all that it starts, or instructions of its own process.

use std::{
    env, fs,
    path::{Path, PathBuf},
    process::Command,
};

use nix::sys::{
    resource::{UsageWho, getrusage},
    time::TimeValLike,
};

use super::BenchError;

/// CPU time in microseconds, user and system, of every command that this process waited for so far, with all that those
/// waited for. Two commands at a time cannot be told apart.
pub(super) fn cpu_of_commands() -> Result<u64, BenchError> {
    let usage = getrusage(UsageWho::RUSAGE_CHILDREN).map_err(BenchError::NoCpuTime)?;
    let spent = usage.user_time().num_microseconds() + usage.system_time().num_microseconds();
    Ok(u64::try_from(spent).unwrap_or_default())
}

/// Counts instructions, the same on every machine of an architecture.
#[derive(Debug)]
pub(super) struct Counter {
    valgrind: PathBuf,
}

impl Counter {
    /// None where there is no valgrind.
    pub(super) fn find() -> Option<Self> {
        let path = env::var_os("PATH")?;
        let valgrind =
            env::split_paths(&path).map(|folder| folder.join("valgrind")).find(|path| path.is_file())?;
        Some(Self { valgrind })
    }

    /// The command that runs a program and writes how many instructions it executed to a file. Children run as they are.
    pub(super) fn words(&self, program: &Path, report: &Path) -> Vec<String> {
        let mut words = vec![self.valgrind.display().to_string()];
        let options =
            ["--tool=cachegrind", "--cache-sim=no", "--branch-sim=no", "--cachegrind-out-file=/dev/null"];
        words.extend(options.map(str::to_owned));
        words.push(format!("--log-file={}", report.display()));
        words.push(program.display().to_string());
        words
    }

    /// Reads that file.
    pub(super) fn read(report: &Path) -> Result<u64, BenchError> {
        let text = fs::read_to_string(report).unwrap_or_default();
        instructions(&text).ok_or_else(|| BenchError::NotCounted(report.to_owned()))
    }
}

/// `==1== I   refs:      63,985,106`, the only such line.
fn instructions(report: &str) -> Option<u64> {
    let counted =
        report.lines().find_map(|line| line.split_once("refs:").filter(|(head, _)| head.contains(" I ")));
    let digits: String = counted?.1.chars().filter(char::is_ascii_digit).collect();
    digits.parse().ok().filter(|count| *count > 0)
}

/// A shell script as a command.
pub(super) fn shell(script: &str) -> (&'static Path, Vec<String>) {
    (Path::new("/bin/sh"), vec!["-euc".to_owned(), script.to_owned()])
}

/// How a command reads in an error.
pub(super) fn shown(command: &Command) -> String {
    let words = std::iter::once(command.get_program()).chain(command.get_args());
    words.map(|word| word.to_string_lossy()).collect::<Vec<_>>().join(" ")
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn what_valgrind_counted_is_read_and_nothing_is_no_count() {
        assert_eq!(instructions("==7== Cachegrind\n==7== I   refs:      63,985,106\n"), Some(63_985_106));
        for none in ["", "==7== I   refs:      0\n", "==7== I   refs:\n", "==7== D   refs:      5\n"] {
            assert_eq!(instructions(none), None, "{none}");
        }
    }
}
