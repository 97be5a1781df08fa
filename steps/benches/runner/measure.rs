//! Figures, and how they are taken.

use std::{fs, time::Duration};

use rustix::time::{ClockId, clock_gettime};

pub(crate) type Failed = Box<dyn std::error::Error>;

/// What was measured, each with its goal.
#[derive(Debug, Default)]
pub(crate) struct Figures {
    missed: Vec<String>,
}

impl Figures {
    /// Prints a figure; it should not be above its goal.
    pub(crate) fn add(&mut self, what: &str, found: f64, goal: f64, unit: &str) {
        let missed = found > goal;
        let mark = if missed { "  MISSED" } else { "" };
        println!("{what:<58} {found:>9.2} {unit:<5} (at most {goal} {unit}){mark}");
        if missed {
            self.missed.push(what.to_owned());
        }
    }

    /// An error where a goal is missed.
    pub(crate) fn judge(self) -> Result<(), Failed> {
        if self.missed.is_empty() {
            return Ok(());
        }
        Err(format!("missed: {}", self.missed.join(", ")).into())
    }
}

/// The CPU time that this process spent so far, all of its threads together.
pub(crate) fn cpu() -> Duration {
    let time = clock_gettime(ClockId::ProcessCPUTime);
    let seconds = u64::try_from(time.tv_sec).unwrap_or_default();
    Duration::from_secs(seconds) + Duration::from_nanos(u64::try_from(time.tv_nsec).unwrap_or_default())
}

/// The most memory that this process held so far, in MiB.
pub(crate) fn peak_memory() -> Result<f64, Failed> {
    let status = fs::read_to_string("/proc/self/status")?;
    let kib = status
        .lines()
        .find_map(|line| line.strip_prefix("VmHWM:")?.trim().strip_suffix(" kB")?.trim().parse::<f64>().ok())
        .ok_or("the system does not tell the memory of a process")?;
    Ok(kib / 1024.0)
}

/// The middle of some times.
pub(crate) fn middle(mut times: Vec<Duration>) -> Duration {
    times.sort();
    times[times.len() / 2]
}

pub(crate) fn milliseconds(time: Duration) -> f64 {
    time.as_secs_f64() * 1e3
}
