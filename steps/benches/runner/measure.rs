//! Figures, and how they are taken.

use std::fs;

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

/// The CPU time that this process spent so far, all of its threads together, in milliseconds.
#[expect(clippy::cast_precision_loss, reason = "no process runs for as long as that")]
pub(crate) fn cpu() -> f64 {
    let time = clock_gettime(ClockId::ProcessCPUTime);
    time.tv_sec as f64 * 1e3 + time.tv_nsec as f64 / 1e6
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

/// The middle of some figures.
pub(crate) fn middle(mut figures: Vec<f64>) -> f64 {
    figures.sort_by(f64::total_cmp);
    figures[figures.len() / 2]
}
