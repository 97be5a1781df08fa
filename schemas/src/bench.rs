//! How fast the program is: what `accept bench` found (docs/benchmarks.md). Read by the gate `performance`, which compares
//! it with the baselines of `traceability/bench.yaml`.

use std::fmt;

use schemars::JsonSchema;
use serde::{Deserialize, Serialize};

/// Name of the file in the output folder.
pub const BENCH: &str = "bench.json";

/// What was measured of one program on one machine.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize, JsonSchema)]
pub struct Bench {
    /// Version of this layout.
    pub schema_version: u32,
    /// Tree id of the repository that the program was built from; none outside git.
    pub tree: Option<String>,
    /// Digest of that tree and of everything in which the working tree differed from it; none outside git.
    pub source_digest: Option<String>,
    /// SHA-256 of the program that was measured.
    pub binary_digest: String,
    /// What it was built with beyond a release, such as seeded faults.
    pub features: Vec<String>,
    /// Class of the machine: system and architecture, for example `linux-x86_64`.
    pub machine: String,
    /// Why not everything was measured, in sentences; empty where it was.
    pub partial: Vec<String>,
    /// The figures, sorted by name and measure.
    pub figures: Vec<Figure>,
}

/// One thing that was measured in one way.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize, JsonSchema)]
pub struct Figure {
    /// What the program did, for example `plan/100`.
    pub name: String,
    /// In which way it was measured.
    pub measure: Measure,
    /// The middle of all rounds; a ratio in thousandths.
    pub value: u64,
    /// The least of them.
    pub least: u64,
    /// The most of them.
    pub most: u64,
    /// How many there were.
    pub rounds: usize,
}

/// A way of measuring.
#[derive(Debug, Clone, Copy, PartialEq, Eq, PartialOrd, Ord, Hash, Serialize, Deserialize, JsonSchema)]
#[serde(rename_all = "kebab-case")]
pub enum Measure {
    /// Instructions that the program's own process executes in user space, counted by valgrind.
    Instructions,
    /// CPU time of the program and of all that it starts, as a multiple of the floor that takes turns with it.
    CpuRatio,
}

impl Measure {
    /// Every measure, the steadiest first.
    pub const ALL: [Self; 2] = [Self::Instructions, Self::CpuRatio];

    /// Its name in files and tables.
    pub fn name(self) -> &'static str {
        match self {
            Self::Instructions => "instructions",
            Self::CpuRatio => "cpu-ratio",
        }
    }

    /// A value as a person reads it: `12,345` instructions, `1.234x` the floor.
    pub fn shown(self, value: u64) -> String {
        match self {
            Self::Instructions => grouped(value),
            Self::CpuRatio => format!("{}.{:03}x", value / 1000, value % 1000),
        }
    }
}

impl fmt::Display for Measure {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.pad(self.name())
    }
}

/// The digits in groups of three.
fn grouped(value: u64) -> String {
    let digits = value.to_string();
    let mut text = String::with_capacity(digits.len() + digits.len() / 3);
    for (index, digit) in digits.chars().enumerate() {
        if index > 0 && (digits.len() - index).is_multiple_of(3) {
            text.push(',');
        }
        text.push(digit);
    }
    text
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn values_are_shown_with_their_unit() {
        assert_eq!(Measure::Instructions.shown(7), "7");
        assert_eq!(Measure::Instructions.shown(123_456), "123,456");
        assert_eq!(Measure::Instructions.shown(1_234_567), "1,234,567");
        assert_eq!(Measure::CpuRatio.shown(12_034), "12.034x");
        assert_eq!(Measure::CpuRatio.shown(9), "0.009x");
    }
}
