//! What concerns several tasks: ids, dependencies, cycles, locks, size. Pure; every problem is reported at its place.

use std::collections::{HashMap, HashSet};

use super::{Placed, PlanDraft, TASKS_MAX, TaskDraft};
use crate::{
    id::{LockName, TaskId},
    manifest::Manifest,
    problem::{Problem, did_you_mean},
};

pub(super) fn check(draft: PlanDraft, known_locks: &[LockName]) -> Result<Vec<Manifest>, Vec<Problem>> {
    let PlanDraft { index, tasks, mut problems } = draft;
    if tasks.is_empty() && problems.is_empty() {
        problems.push(Problem {
            source: index.clone(),
            span: 0..0,
            message: "the plan has no task".to_owned(),
            help: "plan at least one task".to_owned(),
        });
    }
    if tasks.len() > TASKS_MAX {
        problems.push(Problem {
            source: index,
            span: 0..0,
            message: format!("the plan has {} tasks, more than {TASKS_MAX}", tasks.len()),
            help: "split it into several plans".to_owned(),
        });
        return Err(problems);
    }
    let unreadable = !problems.is_empty() || tasks.iter().any(|task| task.id.is_none());
    for task in &tasks {
        problems.extend(task.problems.iter().cloned());
    }
    let by_id = unique_ids(&tasks, &mut problems);
    let locks: HashSet<&str> = known_locks.iter().map(LockName::as_str).collect();
    for task in &tasks {
        check_dependencies(task, &by_id, unreadable, &mut problems);
        check_locks(task, &locks, known_locks, &mut problems);
    }
    report_cycles(&tasks, &by_id, &mut problems);
    if !problems.is_empty() {
        return Err(in_order(problems));
    }
    let mut manifests: Vec<Manifest> = tasks.into_iter().filter_map(|task| task.manifest).collect();
    manifests.sort_by(|a, b| a.id.cmp(&b.id));
    Ok(manifests)
}

/// By text in the order in which the texts first appear, then by place.
fn in_order(mut problems: Vec<Problem>) -> Vec<Problem> {
    let mut order: HashMap<std::sync::Arc<str>, usize> = HashMap::new();
    for problem in &problems {
        let next = order.len();
        order.entry(problem.source.name.clone()).or_insert(next);
    }
    problems.sort_by_key(|problem| (order.get(&problem.source.name).copied(), problem.span.start));
    problems
}

fn at<T>(task: &TaskDraft, placed: &Placed<T>, message: String, help: impl Into<String>) -> Problem {
    Problem { source: task.source.clone(), span: placed.span.clone(), message, help: help.into() }
}

/// The position of each id; the first one wins, every further one is a problem.
fn unique_ids<'t>(tasks: &'t [TaskDraft], problems: &mut Vec<Problem>) -> HashMap<&'t TaskId, usize> {
    let mut by_id = HashMap::new();
    // File systems that ignore case would give two such tasks one folder.
    let mut folded: HashMap<String, &TaskId> = HashMap::new();
    for (position, task) in tasks.iter().enumerate() {
        let Some(id) = &task.id else { continue };
        if let Some(first) = by_id.get(&id.value) {
            let first: &TaskDraft = &tasks[*first];
            let place = first.source.line_column(first.span.start).0;
            let message = format!(
                "the task id \"{}\" stands here twice; it is first used at {}:{place}",
                id.value, first.source.name
            );
            problems.push(at(task, id, message, "give one of the two tasks another id"));
            continue;
        }
        if let Some(other) = folded.insert(id.value.as_str().to_lowercase(), &id.value) {
            let message = format!("the task ids \"{other}\" and \"{}\" differ only in case", id.value);
            problems.push(at(task, id, message, "give one of the two tasks another id"));
        }
        by_id.insert(&id.value, position);
    }
    by_id
}

/// `unreadable` says that the plan has a task whose id could not be read: it may be the one that is missed.
fn check_dependencies(
    task: &TaskDraft,
    by_id: &HashMap<&TaskId, usize>,
    unreadable: bool,
    problems: &mut Vec<Problem>,
) {
    for dependency in &task.dependencies {
        if task.id.as_ref().is_some_and(|id| id.value == dependency.value) {
            let message = format!("the task \"{}\" depends on itself", dependency.value);
            problems.push(at(task, dependency, message, "remove this dependency"));
        } else if !by_id.contains_key(&dependency.value) {
            let which = if unreadable { "task that could be read" } else { "task of the plan" };
            let message = format!("no {which} has the id \"{}\"", dependency.value);
            let near = did_you_mean(dependency.value.as_str(), by_id.keys().map(|id| id.as_str()));
            let help = match near {
                _ if unreadable => "correct the tasks that could not be read first".to_owned(),
                Some(near) => format!("did you mean \"{near}\"?"),
                None => "name a task of this plan, or remove the dependency".to_owned(),
            };
            problems.push(at(task, dependency, message, help));
        }
    }
}

fn check_locks(task: &TaskDraft, known: &HashSet<&str>, in_order: &[LockName], problems: &mut Vec<Problem>) {
    for lock in &task.locks {
        if known.contains(lock.value.as_str()) {
            continue;
        }
        let message = format!("no resource of the configuration has the name \"{}\"", lock.value);
        let help = match did_you_mean(lock.value.as_str(), in_order.iter().map(LockName::as_str)) {
            Some(near) => {
                format!(
                    "did you mean \"{near}\"? Otherwise declare it under `resources` in the configuration"
                )
            }
            None => "declare it under `resources` in the configuration, or remove the lock".to_owned(),
        };
        problems.push(at(task, lock, message, help));
    }
}

/// Where a task stands in the search for cycles.
#[derive(Clone, Copy, PartialEq, Eq)]
enum Mark {
    New,
    /// On the path that is being followed.
    Open,
    Done,
}

/// Follows dependencies depth first, without recursion: a plan may be one long chain. Each dependency that leads back
/// to the path closes a cycle, which is reported there.
fn report_cycles(tasks: &[TaskDraft], by_id: &HashMap<&TaskId, usize>, problems: &mut Vec<Problem>) {
    let mut marks = vec![Mark::New; tasks.len()];
    for start in 0..tasks.len() {
        if marks[start] != Mark::New {
            continue;
        }
        marks[start] = Mark::Open;
        // A task and how many of its dependencies were followed.
        let mut path = vec![(start, 0)];
        while let Some((position, followed)) = path.last_mut() {
            let (position, task) = (*position, &tasks[*position]);
            let Some(dependency) = task.dependencies.get(*followed) else {
                marks[position] = Mark::Done;
                path.pop();
                continue;
            };
            *followed += 1;
            let Some(&next) = by_id.get(&dependency.value) else { continue };
            match marks[next] {
                Mark::Done => {}
                Mark::New => {
                    marks[next] = Mark::Open;
                    path.push((next, 0));
                }
                // A task that depends on itself is reported with its dependencies.
                Mark::Open if next == position => {}
                Mark::Open => {
                    let on_path = path.iter().map(|(position, _)| *position).skip_while(|task| *task != next);
                    let names: Vec<&str> =
                        on_path.chain([next]).filter_map(|task| name(tasks, task)).collect();
                    problems.push(at(
                        task,
                        dependency,
                        cycle_message(&names),
                        "remove one of these dependencies",
                    ));
                }
            }
        }
    }
}

fn name(tasks: &[TaskDraft], position: usize) -> Option<&str> {
    tasks[position].id.as_ref().map(|id| id.value.as_str())
}

fn cycle_message(names: &[&str]) -> String {
    const SHOWN_MAX: usize = 12;
    if names.len() <= SHOWN_MAX {
        return format!("the tasks depend on each other in a cycle: {}", names.join(" -> "));
    }
    let (head, tail) = (&names[..SHOWN_MAX - 2], &names[names.len() - 1..]);
    format!(
        "{} tasks depend on each other in a cycle: {} -> … -> {}",
        names.len() - 1,
        head.join(" -> "),
        tail.join(" -> ")
    )
}
