//! Which tasks form the next batch. Deterministic: by id, greedy, no two of a batch conflict.

use std::collections::BTreeSet;

use mycelium_schemas::id::TaskId;

use crate::{
    lock::LockSet,
    plan::{Plan, locks_of},
};

/// A task that waits for a batch.
#[derive(Debug, Clone)]
pub struct Waiting<'a> {
    /// The task.
    pub id: &'a TaskId,
    /// Tasks that must have landed first.
    pub dependencies: &'a [TaskId],
    /// What it holds while it runs.
    pub locks: LockSet,
}

/// The next batch out of the waiting tasks, given in order of id.
///
/// The first ready task is always taken, so that none starves: every batch ends, and then the same order applies.
pub fn next_batch(waiting: &[Waiting<'_>], landed: &BTreeSet<TaskId>, limit: usize) -> Vec<TaskId> {
    let mut batch: Vec<&Waiting<'_>> = Vec::new();
    for task in waiting {
        if batch.len() >= limit.max(1) {
            break;
        }
        let ready = task.dependencies.iter().all(|dependency| landed.contains(dependency));
        if ready && !batch.iter().any(|other| other.locks.conflicts_with(&task.locks)) {
            batch.push(task);
        }
    }
    batch.into_iter().map(|task| task.id.clone()).collect()
}

/// The batches that a run forms if every task that has not landed yet lands at its first attempt: what `plan` and a dry
/// run print.
pub fn batch_plan(plan: &Plan, landed_before: &BTreeSet<TaskId>, limit: usize) -> Vec<Vec<TaskId>> {
    let mut landed = landed_before.clone();
    let mut batches = Vec::new();
    loop {
        let waiting: Vec<Waiting<'_>> = plan
            .tasks()
            .filter(|task| !landed.contains(&task.manifest.id))
            .map(|task| Waiting {
                id: &task.manifest.id,
                dependencies: &task.manifest.dependencies,
                locks: locks_of(&task.manifest),
            })
            .collect();
        let batch = next_batch(&waiting, &landed, limit);
        if batch.is_empty() {
            return batches;
        }
        landed.extend(batch.iter().cloned());
        batches.push(batch);
    }
}

#[cfg(test)]
pub(crate) mod tests {
    use mycelium_schemas::manifest::{Manifest, PlannedTask};
    use proptest::prelude::*;

    use super::*;

    /// A task from `id`, dependencies, read locks and write locks, each a list separated by blanks.
    pub(crate) fn task(id: &str, dependencies: &str, reads: &str, writes: &str) -> PlannedTask {
        fn list<T: std::str::FromStr<Err: std::fmt::Debug>>(text: &str) -> Vec<T> {
            text.split_whitespace().map(|word| word.parse().unwrap()).collect()
        }
        let mut manifest: Manifest = serde_json_manifest(id).unwrap_or_else(|| panic!("{id} is a valid id"));
        manifest.dependencies = list(dependencies);
        manifest.locks.reads = list(reads);
        manifest.locks.writes = list(writes);
        PlannedTask { dir: format!("{id}-x").parse().unwrap(), manifest, spec_text: String::new() }
    }

    fn serde_json_manifest(id: &str) -> Option<Manifest> {
        Some(Manifest {
            id: id.parse().ok()?,
            name: format!("task {id}"),
            description: String::new(),
            dependencies: Vec::new(),
            locks: mycelium_schemas::manifest::Locks::default(),
            files: mycelium_schemas::manifest::Files::default(),
            verify: mycelium_schemas::manifest::Verify::default(),
            spec: String::new(),
        })
    }

    fn batches(tasks: Vec<PlannedTask>, limit: usize) -> Vec<Vec<String>> {
        batch_plan(&Plan::new(tasks), &BTreeSet::new(), limit)
            .into_iter()
            .map(|batch| batch.into_iter().map(|id| id.to_string()).collect())
            .collect()
    }

    #[test]
    fn two_writers_of_one_resource_are_serialized() {
        let plan = vec![task("001", "", "", "repo"), task("002", "", "", "repo")];
        assert_eq!(batches(plan, 4), [["001"], ["002"]]);
    }

    #[test]
    fn a_reader_and_a_writer_are_serialized() {
        let plan =
            vec![task("001", "", "repo", ""), task("002", "", "", "repo"), task("003", "", "repo", "")];
        assert_eq!(batches(plan, 4), [vec!["001", "003"], vec!["002"]]);
    }

    #[test]
    fn disjoint_tasks_run_together_up_to_the_limit() {
        let plan = || (1..=5).map(|n| task(&format!("00{n}"), "", "", "")).collect::<Vec<_>>();
        assert_eq!(batches(plan(), 4), [vec!["001", "002", "003", "004"], vec!["005"]]);
        assert_eq!(batches(plan(), 1).len(), 5);
    }

    #[test]
    fn what_landed_before_is_not_scheduled_and_holds_nobody_up() {
        let plan = Plan::new([task("001", "", "", ""), task("002", "001", "", "")]);
        let landed = BTreeSet::from(["001".parse().unwrap()]);
        assert_eq!(batch_plan(&plan, &landed, 4), [["002".parse::<TaskId>().unwrap()]]);
    }

    #[test]
    fn a_dependent_waits_for_what_it_depends_on() {
        let plan = vec![task("001", "002", "", ""), task("002", "", "", ""), task("003", "001 002", "", "")];
        assert_eq!(batches(plan, 4), [["002"], ["001"], ["003"]]);
    }

    proptest! {
        /// Any acyclic plan: every task is scheduled once, after its dependencies, never beside a conflicting one.
        #[test]
        fn a_batch_plan_is_complete_ordered_and_free_of_conflicts(
            shape in prop::collection::vec((prop::collection::vec(0usize..20, 0..3), 0u8..4, 0u8..4), 1..20),
            limit in 1usize..6,
        ) {
            let name = |n: usize| format!("t{n:02}");
            let lock = |bits: u8| ["a", "b"].iter().enumerate()
                .filter(|(i, _)| bits & (1 << i) != 0).map(|(_, l)| *l).collect::<Vec<_>>().join(" ");
            let tasks: Vec<PlannedTask> = shape.iter().enumerate().map(|(n, (deps, reads, writes))| {
                let deps = deps.iter().filter(|d| **d < n).map(|d| name(*d)).collect::<Vec<_>>().join(" ");
                task(&name(n), &deps, &lock(*reads), &lock(*writes))
            }).collect();
            let plan = Plan::new(tasks);
            let mut landed = BTreeSet::new();
            for batch in batch_plan(&plan, &BTreeSet::new(), limit) {
                prop_assert!(batch.len() <= limit);
                for (i, id) in batch.iter().enumerate() {
                    let manifest = &plan.get(id).unwrap().manifest;
                    prop_assert!(manifest.dependencies.iter().all(|d| landed.contains(d)));
                    for other in &batch[i + 1..] {
                        let other = locks_of(&plan.get(other).unwrap().manifest);
                        prop_assert!(!locks_of(manifest).conflicts_with(&other));
                    }
                }
                for id in batch {
                    prop_assert!(landed.insert(id), "scheduled twice");
                }
            }
            prop_assert_eq!(landed.len(), plan.len());
        }
    }
}
