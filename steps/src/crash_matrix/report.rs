//! Every red cell with what is wrong in it, and the matrix as a table.

use std::{
    collections::{BTreeMap, BTreeSet},
    io::Write,
};

use crate::{
    cell::{Cell, Depth, MODES, Plan, Tried, Undisturbed},
    program::Program,
    scene::{CARRIED, IN_CONTAINERS, Scene},
};

/// Says something to whoever looks on; that nobody does changes nothing.
pub(crate) fn say(text: &str) {
    let _unheard = writeln!(std::io::stdout(), "{text}");
}

#[derive(Default, Clone, Copy)]
struct Count {
    green: usize,
    red: usize,
}

/// Prints what is wrong in a cell.
pub(crate) fn red(tried: &Tried) {
    let kept = tried.kept.iter().map(|kept| format!("kept in {}", kept.display()));
    let lines: Vec<String> =
        tried.wrong.iter().cloned().chain(kept).map(|line| format!("\n     {line}")).collect();
    let text = format!("\nRED  {}{}", tried.cell.name(), lines.concat());
    say(&text);
}

/// Prints the table; gives whether all is green. Where all cells are asked for, every point must be reached; and of those
/// that are asked for, there must be one in which the fault came.
pub(crate) fn print(
    program: &Program,
    scenes: &BTreeMap<Scene, Undisturbed>,
    results: &[Tried],
    plan: Plan<'_>,
) -> bool {
    let mut table: BTreeMap<&str, BTreeMap<&str, Count>> =
        program.points.iter().map(|point| (point.name.as_str(), BTreeMap::new())).collect();
    for tried in results.iter().filter(|tried| tried.came || !tried.wrong.is_empty()) {
        let Cell { first, also, second, .. } = &tried.cell;
        let fault = second.as_ref().or(also.as_ref()).unwrap_or(first);
        let count = table.entry(&fault.point).or_default().entry(fault.mode).or_default();
        if tried.wrong.is_empty() { count.green += 1 } else { count.red += 1 }
    }
    say(&format!("{:<26}{}", "point", MODES.map(|mode| format!("{mode:>12}")).concat()));
    for (point, row) in &table {
        let cells = MODES.map(|mode| format!("{:>12}", row.get(mode).map_or("-".to_owned(), shown)));
        say(&format!("{point:<26}{}", cells.concat()));
    }
    let red = results.iter().filter(|tried| !tried.wrong.is_empty()).count();
    let unreached = unreached(program, scenes, results, plan);
    for point in &unreached {
        say(&format!("\nRED  the point {point} is never reached"));
    }
    let came = results.iter().filter(|tried| tried.came).count();
    let nothing = nothing_tried(results, plan.only);
    if let Some(why) = &nothing {
        say(&format!("\nRED  {why}"));
    }
    if program.engine.is_none() {
        let apart = program.points.iter().filter(|point| is_apart(&point.name)).count();
        say(&format!("\nNOT RUN  {apart} points of runs in containers: there is no engine here"));
    }
    let double = results.iter().filter(|tried| tried.came && tried.cell.is_double()).count();
    say(&format!(
        "\n{} points, {} cells, {came} in which the fault came ({double} of them double faults), {} red",
        program.points.len(),
        results.len(),
        red + unreached.len() + usize::from(nothing.is_some())
    ));
    red == 0 && unreached.is_empty() && nothing.is_none()
}

/// Why what was tried proves nothing.
fn nothing_tried(results: &[Tried], only: &str) -> Option<String> {
    if results.is_empty() {
        return Some(format!("no cell has a name that contains {only:?}"));
    }
    let came = results.iter().any(|tried| tried.came);
    (!came).then(|| "in no cell the fault came".to_owned())
}

fn shown(count: &Count) -> String {
    match count {
        Count { green, red: 0 } => format!("{green} ok"),
        Count { green: 0, red } => format!("{red} RED"),
        Count { green, red } => format!("{red} RED/{}", green + red),
    }
}

/// Whether only a run in containers passes a point.
fn is_apart(point: &str) -> bool {
    [IN_CONTAINERS, CARRIED].iter().any(|beginning| point.starts_with(beginning))
}

/// Points that nothing passes, where all cells are asked for, or all of the scene in containers. Of those in containers
/// none is expected without an engine, and none of a sample.
fn unreached<'a>(
    program: &'a Program,
    scenes: &BTreeMap<Scene, Undisturbed>,
    results: &[Tried],
    plan: Plan<'_>,
) -> Vec<&'a str> {
    // One of them is passed only where an agent is followed again, which no cell of a sample is sure to bring about.
    let in_containers = program.engine.is_some() && plan.depth != Depth::Quick;
    let expected = |name: &str| match (plan.only.trim_end(), is_apart(name)) {
        ("", false) => true,
        ("", true) => in_containers,
        (only, true) if only == Scene::Containers.name() => in_containers && name.starts_with(IN_CONTAINERS),
        (only, true) if only == Scene::Far.name() => in_containers && name.starts_with(CARRIED),
        _ => false,
    };
    let in_scenes = scenes.values().flat_map(|scene| scene.hits.keys());
    let reached: BTreeSet<&String> =
        in_scenes.chain(results.iter().flat_map(|tried| &tried.reached)).collect();
    program
        .points
        .iter()
        .filter(|point| !reached.contains(&point.name) && expected(&point.name))
        .map(|point| point.name.as_str())
        .collect()
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::{cell, check::Facts, program::Point};

    fn program() -> Program {
        let point = |name: &str, fails| Point { name: name.to_owned(), fails, writes: false, locks: false };
        let points = vec![point("checkout.file", false), point("ref.move", true)];
        Program { path: "mycelium".into(), points, engine: None }
    }

    /// Both points are passed once, in one scene.
    fn cells(only: &str) -> Vec<Cell> {
        let program = program();
        let hits = program.points.iter().map(|point| (point.name.clone(), 1)).collect();
        let scenes = BTreeMap::from([(Scene::Mock, Undisturbed { facts: Facts::default(), hits })]);
        cell::first_faults(&program, &scenes, Plan { depth: cell::Depth::Every, only })
    }

    fn verdict(only: &str, came: bool) -> bool {
        let tried = |cell| Tried { came, ..Tried::new(cell) };
        let results: Vec<Tried> = cells(only).into_iter().map(tried).collect();
        print(&program(), &BTreeMap::new(), &results, Plan { depth: cell::Depth::Every, only })
    }

    #[test]
    fn a_name_that_no_cell_has_and_a_fault_that_never_comes_are_red() {
        assert!(verdict("kill@ref.move:1", true));
        assert!(!verdict("kil@ref.move:1", true), "nothing was tried");
        assert!(!verdict("kill@ref.move:1", false), "no fault came");
    }

    #[test]
    fn what_can_not_fail_is_not_made_to_fail() {
        let names = |only| cells(only).iter().map(|cell| cell.first.mode).collect::<Vec<_>>();
        assert_eq!(names("@checkout.file"), ["kill", "kill-after", "kill-group", "erofs"]);
        assert_eq!(
            names("@ref.move"),
            ["kill", "kill-after", "kill-group", "panic", "enospc", "eio", "erofs"]
        );
    }
}
