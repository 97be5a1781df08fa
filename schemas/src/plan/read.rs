//! Reading: shape and single values. What concerns several tasks is judged in `check`.

use std::{fmt::Display, ops::Range, str::FromStr};

use super::{Placed, PlanDraft, TaskDraft, glob_flaw};
use crate::{
    SCHEMA_VERSION,
    decode::{Decoder, Field, Section},
    id::{LockName, TaskId},
    manifest::{Files, Locks, Manifest, PlanIndex, PlanIndexEntry, Verify},
    path::{RepoGlob, RepoPath},
    problem::{Problem, Source},
    yaml::{self, Node, Value},
};

/// Longest name of a task, in characters.
const NAME_CHARS_MAX: usize = 200;

const MANIFEST_KEYS: &[&str] =
    &["id", "name", "description", "dependencies", "locks", "files", "verify", "spec"];

const PLAN_HELP: &str = "write `{\"tasks\": [{\"id\": …, \"name\": …, …}]}`";
const TEXT_HELP: &str = "write text in quotes";
const LIST_HELP: &str = "write a list of texts: [\"…\", \"…\"]";
const ID_HELP: &str = "write a short id such as \"001\"";
const PATH_HELP: &str = "write a path below the repository's root, such as \"src/main.rs\" or \"src/**\"";

/// Reads what a planner printed: `{"tasks": [manifest…]}`. Fails only where there is no list of tasks to check; all
/// else that is wrong is reported by [`PlanDraft::check`].
pub fn parse(source: &Source) -> Result<PlanDraft, Vec<Problem>> {
    let root = yaml::parse(source).map_err(|problem| vec![problem])?;
    let mut decoder = Decoder::new(source);
    let section = decoder.section("", &root, &["tasks"]);
    let Some(tasks) = section.get("tasks") else {
        if matches!(root.value, Value::Map(_) | Value::Null) {
            decoder.missing(&section, "tasks", PLAN_HELP);
        }
        return Err(decoder.finish());
    };
    let items = decoder.items(&tasks, PLAN_HELP);
    let tasks = items.iter().map(|item| task(source, &item.label, item.node)).collect();
    Ok(PlanDraft { index: source.clone(), tasks, problems: decoder.finish() })
}

/// Reads one `manifest.json`. Fails only on a syntax error; all else is reported by [`PlanDraft::check`].
pub fn parse_manifest(source: &Source) -> Result<TaskDraft, Vec<Problem>> {
    let root = yaml::parse(source).map_err(|problem| vec![problem])?;
    Ok(task(source, "", &root))
}

/// Reads `plan.json`.
pub fn parse_index(source: &Source) -> Result<PlanIndex, Vec<Problem>> {
    let root = yaml::parse(source).map_err(|problem| vec![problem])?;
    let mut decoder = Decoder::new(source);
    let section = decoder.section("", &root, &["schema_version", "tasks"]);
    match section.get("schema_version") {
        Some(field) => {
            let version = u64::from(SCHEMA_VERSION);
            decoder.whole(&field, version, version, "the file was written by another version of Mycelium");
        }
        None => decoder.missing(&section, "schema_version", "make the plan again with `mycelium plan`"),
    }
    let mut tasks = Vec::new();
    match section.get("tasks") {
        Some(field) => {
            for item in decoder.items(&field, PLAN_HELP) {
                let entry = decoder.section(&item.label, item.node, &["id", "dir"]);
                let id = required(&mut decoder, &entry, "id", ID_HELP);
                let dir: Option<RepoPath> = required(&mut decoder, &entry, "dir", PATH_HELP);
                if let (Some(id), Some(dir)) = (id, dir) {
                    tasks.push(PlanIndexEntry { id, dir });
                }
            }
        }
        None => decoder.missing(&section, "tasks", PLAN_HELP),
    }
    let problems = decoder.finish();
    if problems.is_empty() { Ok(PlanIndex { schema_version: SCHEMA_VERSION, tasks }) } else { Err(problems) }
}

fn required<T: FromStr<Err: Display>>(
    decoder: &mut Decoder<'_>,
    section: &Section<'_>,
    key: &str,
    help: &str,
) -> Option<T> {
    let field = section.get(key);
    if field.is_none() {
        decoder.missing(section, key, help);
    }
    decoder.parsed(&field?, help)
}

fn task(source: &Source, path: &str, node: &Node) -> TaskDraft {
    let mut decoder = Decoder::new(source);
    let section = decoder.section(path, node, MANIFEST_KEYS);
    let readable = matches!(node.value, Value::Map(_) | Value::Null);
    let id = if readable { placed_id(&mut decoder, &section) } else { None };
    let name = if readable { name(&mut decoder, &section) } else { None };
    let description = prose(&mut decoder, &section, "description");
    let dependencies = placed_list(&mut decoder, section.get("dependencies"), ID_HELP);
    let locks = subsection(&mut decoder, &section, "locks", &["reads", "writes"]);
    let lock_help = "write the names of resources that the configuration declares";
    let lock_reads: Vec<Placed<LockName>> =
        placed_list(&mut decoder, part(locks.as_ref(), "reads"), lock_help);
    let lock_writes = placed_list(&mut decoder, part(locks.as_ref(), "writes"), lock_help);
    let files = subsection(&mut decoder, &section, "files", &["reads", "writes"]);
    let reads = globs(&mut decoder, part(files.as_ref(), "reads"), false);
    let writes = globs(&mut decoder, part(files.as_ref(), "writes"), true);
    let verify = subsection(&mut decoder, &section, "verify", &["doctor"]);
    let doctor = part(verify.as_ref(), "doctor")
        .filter(|field| !matches!(field.node.value, Value::Null))
        .and_then(|field| decoder.text(&field, "write a shell command, or leave it out").map(str::to_owned));
    let spec = prose(&mut decoder, &section, "spec");

    let problems = decoder.finish();
    let manifest = match (&id, name) {
        (Some(id), Some(name)) if problems.is_empty() => Some(Manifest {
            id: id.value.clone(),
            name,
            description,
            dependencies: values(&dependencies),
            locks: Locks { reads: values(&lock_reads), writes: values(&lock_writes) },
            files: Files { reads, writes },
            verify: Verify { doctor },
            spec,
        }),
        _ => None,
    };
    let locks = lock_reads.into_iter().chain(lock_writes).collect();
    TaskDraft {
        source: source.clone(),
        span: first_line(node, source),
        id,
        dependencies,
        locks,
        manifest,
        problems,
    }
}

/// Where a task begins, without running over many lines.
fn first_line(node: &Node, source: &Source) -> Range<usize> {
    let text = source.text.get(node.span.clone()).unwrap_or_default();
    node.span.start..node.span.start + text.find('\n').unwrap_or(text.len())
}

fn values<T: Clone>(placed: &[Placed<T>]) -> Vec<T> {
    placed.iter().map(|placed| placed.value.clone()).collect()
}

fn part<'n>(section: Option<&Section<'n>>, key: &str) -> Option<Field<'n>> {
    section?.get(key)
}

fn subsection<'n>(
    decoder: &mut Decoder<'_>,
    section: &Section<'n>,
    key: &str,
    allowed: &[&str],
) -> Option<Section<'n>> {
    let field = section.get(key)?;
    Some(decoder.section(&field.label, field.node, allowed))
}

fn placed_id(decoder: &mut Decoder<'_>, section: &Section<'_>) -> Option<Placed<TaskId>> {
    let value = required(decoder, section, "id", ID_HELP)?;
    Some(Placed { value, span: section.get("id")?.node.span.clone() })
}

fn name(decoder: &mut Decoder<'_>, section: &Section<'_>) -> Option<String> {
    let help = "write a short name on one line";
    let Some(field) = section.get("name") else {
        decoder.missing(section, "name", help);
        return None;
    };
    let name = decoder.text(&field, help)?;
    let flaw = if name.contains(char::is_control) {
        "has a line break or another control character"
    } else if name.chars().count() > NAME_CHARS_MAX {
        "is longer than 200 characters"
    } else {
        return Some(name.to_owned());
    };
    decoder.report(&field.node.span, format!("`{}` {flaw}", field.label), help);
    None
}

/// Text that may be left out or empty.
fn prose(decoder: &mut Decoder<'_>, section: &Section<'_>, key: &str) -> String {
    match section.get(key) {
        None => String::new(),
        Some(Field { node: Node { value: Value::Text(text), .. }, .. }) => text.clone(),
        Some(field) => {
            decoder.mismatch(&field, "text", TEXT_HELP);
            String::new()
        }
    }
}

fn placed_list<T: FromStr<Err: Display>>(
    decoder: &mut Decoder<'_>,
    field: Option<Field<'_>>,
    help: &str,
) -> Vec<Placed<T>> {
    let Some(field) = field else { return Vec::new() };
    let items = decoder.items(&field, LIST_HELP);
    items
        .iter()
        .filter_map(|item| Some(Placed { value: decoder.parsed(item, help)?, span: item.node.span.clone() }))
        .collect()
}

/// What a task may read or write; it may not plan to write what is Mycelium's own.
fn globs(decoder: &mut Decoder<'_>, field: Option<Field<'_>>, writes: bool) -> Vec<RepoGlob> {
    let Some(field) = field else { return Vec::new() };
    let items = decoder.items(&field, LIST_HELP);
    let mut globs = Vec::new();
    for item in &items {
        let Some(glob) = decoder.parsed::<RepoGlob>(item, PATH_HELP) else { continue };
        if let Some(flaw) = glob_flaw(&glob) {
            let message = format!("`{}`: {:?} is not a valid glob: {flaw}", item.label, glob.as_str());
            decoder.report(&item.node.span, message, PATH_HELP);
        } else if writes && glob.is_mycelium() {
            let message = format!(
                "`{}`: {:?} is Mycelium's own folder, from which nothing ever lands",
                item.label,
                glob.as_str()
            );
            decoder.report(&item.node.span, message, "plan work on the project's own files");
        } else {
            globs.push(glob);
        }
    }
    globs
}
