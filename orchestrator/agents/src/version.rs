//! Whether an installed agent is one whose behaviour is known.

use std::fmt;

/// `MAJOR.MINOR.PATCH`.
#[derive(Debug, Clone, Copy, PartialEq, Eq, PartialOrd, Ord)]
pub struct Version {
    major: u32,
    minor: u32,
    patch: u32,
}

/// A range of versions, both ends in it.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub struct Tested {
    /// The oldest.
    pub from: Version,
    /// The newest.
    pub to: Version,
}

/// What a version is, beside the tested ones.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum Standing {
    /// Its events were recorded, or lie between two that were.
    Tested,
    /// It speaks otherwise, as far as is known: refused.
    TooOld,
    /// Nobody has tried it: said, and tried.
    Newer,
}

impl Version {
    /// A version by its parts.
    pub const fn new(major: u32, minor: u32, patch: u32) -> Self {
        Self { major, minor, patch }
    }

    /// The first version in what `--version` prints, as in `codex-cli 0.169.0` or `2.1.330 (Claude Code)`.
    pub fn find(text: &str) -> Option<Self> {
        text.split(|c: char| !(c.is_ascii_digit() || c == '.')).find_map(|word| {
            let mut parts = word.split('.').map(str::parse::<u32>);
            let mut next = || parts.next()?.ok();
            Some(Self { major: next()?, minor: next()?, patch: next()? })
        })
    }
}

impl Tested {
    /// Where a version stands.
    pub fn standing(self, version: Version) -> Standing {
        if version < self.from {
            Standing::TooOld
        } else if version > self.to {
            Standing::Newer
        } else {
            Standing::Tested
        }
    }
}

impl fmt::Display for Version {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        write!(f, "{}.{}.{}", self.major, self.minor, self.patch)
    }
}

impl fmt::Display for Tested {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        if self.from == self.to {
            write!(f, "{}", self.from)
        } else {
            write!(f, "{} to {}", self.from, self.to)
        }
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::agent::Agent;

    #[test]
    fn the_version_is_found_in_what_the_agents_print() {
        assert_eq!(Version::find("codex-cli 0.169.0\n"), Some(Version::new(0, 169, 0)));
        assert_eq!(Version::find("2.1.330 (Claude Code)\n"), Some(Version::new(2, 1, 330)));
        assert_eq!(Version::find("codex-cli 0.170.0-alpha.3"), Some(Version::new(0, 170, 0)));
        for text in ["", "codex", "1.2", "99999999999.1.1", "v1..2"] {
            assert_eq!(Version::find(text), None, "{text}");
        }
    }

    #[test]
    fn a_version_stands_before_in_or_behind_the_tested_ones() {
        let tested = Agent::Codex.tested();
        assert_eq!(tested.standing(Version::new(0, 99, 9)), Standing::TooOld);
        assert_eq!(tested.standing(tested.from), Standing::Tested);
        assert_eq!(tested.standing(tested.to), Standing::Tested);
        assert_eq!(tested.standing(Version::new(0, 169, 1)), Standing::Newer);
        assert_eq!(tested.standing(Version::new(1, 0, 0)), Standing::Newer);
    }
}
