//! Which tasks may run at the same time (plan 4.5.6).

use std::collections::BTreeSet;

use mycelium_schemas::id::LockName;

/// Resources that a task holds while it runs.
#[derive(Debug, Clone, Default, PartialEq, Eq)]
pub struct LockSet {
    /// Shared with other readers.
    pub reads: BTreeSet<LockName>,
    /// Held alone.
    pub writes: BTreeSet<LockName>,
}

impl LockSet {
    /// True if the two cannot be held at once: somebody writes what the other reads or writes.
    pub fn conflicts_with(&self, other: &Self) -> bool {
        let hits = |writes: &BTreeSet<LockName>, held: &Self| {
            writes.iter().any(|name| held.reads.contains(name) || held.writes.contains(name))
        };
        hits(&self.writes, other) || hits(&other.writes, self)
    }

    /// True if it is held in any way.
    pub fn holds(&self, name: &LockName) -> bool {
        self.reads.contains(name) || self.writes.contains(name)
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    fn locks(reads: &[&str], writes: &[&str]) -> LockSet {
        let set = |names: &[&str]| names.iter().map(|n| n.parse().unwrap()).collect();
        LockSet { reads: set(reads), writes: set(writes) }
    }

    /// All ways in which two tasks can hold one resource, against the rule written as a table.
    #[test]
    fn writers_exclude_everybody_and_readers_exclude_writers() {
        let ways = [locks(&[], &[]), locks(&["r"], &[]), locks(&[], &["r"]), locks(&["r"], &["r"])];
        #[rustfmt::skip]
        let table = [
            // none   read   write  both
            [false, false, false, false], // none
            [false, false, true,  true ], // read
            [false, true,  true,  true ], // write
            [false, true,  true,  true ], // both
        ];
        for (i, a) in ways.iter().enumerate() {
            for (j, b) in ways.iter().enumerate() {
                assert_eq!(a.conflicts_with(b), table[i][j], "{a:?} with {b:?}");
            }
        }
    }

    #[test]
    fn disjoint_resources_never_conflict() {
        assert!(!locks(&["a"], &["b"]).conflicts_with(&locks(&["c"], &["d"])));
    }
}
