//! The cells of the matrix: which faults there are, and how one is tried.

use std::{
    collections::{BTreeMap, BTreeSet},
    path::PathBuf,
};

use mycelium_fixtures::{FixtureError, process::Ending, sandbox::Finished};
use tempfile::TempDir;

use crate::{
    MatrixError,
    check::{Facts, check},
    program::{Point, Program},
    scene::Scene,
    world::{Trace, World},
};

/// How a point is disturbed.
pub(crate) const MODES: [&str; 9] =
    ["kill", "kill-after", "kill-group", "panic", "torn", "lock-left", "enospc", "eio", "erofs"];

/// Modes of second faults.
const SECOND_MODES: [&str; 4] = ["kill", "torn", "lock-left", "enospc"];

/// First faults after which a second one is tried, for each point that recovery passes.
const SECOND_FAULTS: usize = 2;

/// In a quick run a panic is tried at every so manyth point.
const PANIC_EACH: usize = 12;

/// A place in a callback that gives nothing back, of which git2 keeps a panic to itself. The ordinary program, without fault
/// points, has no such callback.
const NO_PANIC: &str = "checkout.file";

/// What a panic makes the program say, and exit with.
const BUG: &str = "error: this is a bug of mycelium";
const BUG_EXIT: i32 = 70;

/// How much is tried.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(crate) enum Depth {
    /// A kill or a failure or both, at one passage of each point.
    Quick,
    /// Every fault at each point in each scene, at passages spread from the first to the last.
    Spread,
    /// Every fault at every passage.
    Every,
}

impl Depth {
    /// How many passages of a point are tried in the scene that passes it most often; a third of that in the others.
    fn passages(self, mode: &str) -> usize {
        match (self, mode) {
            (Self::Every, _) => usize::MAX,
            (_, "kill") => 9,
            (_, "torn") => 6,
            _ => 3,
        }
    }
}

/// What is tried.
#[derive(Debug, Clone, Copy)]
pub(crate) struct Plan<'a> {
    pub(crate) depth: Depth,
    pub(crate) only: &'a str,
}

impl Plan<'_> {
    fn is_quick(self) -> bool {
        self.depth == Depth::Quick
    }
}

/// At most so many of the passages, evenly spread, the first and the last among them.
fn spread(passages: usize, limit: usize) -> BTreeSet<usize> {
    if passages <= limit {
        return (1..=passages).collect();
    }
    let last = limit.saturating_sub(1).max(1);
    (0..limit).map(|number| 1 + number * (passages - 1) / last).collect()
}

/// A mode at a hit of a point.
#[derive(Debug, Clone, PartialEq, Eq, PartialOrd, Ord)]
pub(crate) struct Fault {
    pub(crate) mode: &'static str,
    pub(crate) point: String,
    pub(crate) hit: usize,
}

impl Fault {
    fn text(&self) -> String {
        format!("{}@{}:{}", self.mode, self.point, self.hit)
    }

    fn kills(&self) -> bool {
        self.mode.starts_with("kill") || ["torn", "lock-left"].contains(&self.mode)
    }
}

/// A scene with a fault, and perhaps one more.
#[derive(Debug, Clone)]
pub(crate) struct Cell {
    pub(crate) scene: Scene,
    pub(crate) first: Fault,
    /// In the same process, where it minds the first.
    pub(crate) also: Option<Fault>,
    /// In the process that recovers.
    pub(crate) second: Option<Fault>,
}

/// What came of a cell.
#[derive(Debug)]
pub(crate) struct Tried {
    pub(crate) cell: Cell,
    /// Whether the fault came at all: how often a point is hit depends a little on timing.
    pub(crate) came: bool,
    /// What is not as it must be.
    pub(crate) wrong: Vec<String>,
    /// All points that were passed.
    pub(crate) reached: BTreeSet<String>,
    /// The points that the disturbed command passed, as often as it did.
    pub(crate) disturbed: Vec<String>,
    /// The points that recovery passed, as often as it did.
    pub(crate) recovery: Vec<String>,
    /// Where a red one was kept.
    pub(crate) kept: Option<PathBuf>,
}

/// A scene without any fault.
#[derive(Debug)]
pub(crate) struct Undisturbed {
    pub(crate) facts: Facts,
    /// How often each point is passed.
    pub(crate) hits: BTreeMap<String, usize>,
}

/// Plays every scene without a fault; only one, where the cells that are asked for begin with its name.
pub(crate) fn undisturbed(
    program: &Program,
    only: &str,
) -> Result<BTreeMap<Scene, Undisturbed>, MatrixError> {
    let play = |scene: Scene| {
        let folder = folder()?;
        let mut world = World::build(program, scene, folder.path())?;
        let mut last = world.disturb(None)?;
        let hits = count(world.reached().points);
        if scene.decides().is_some() {
            last = world.finish()?;
        }
        let (facts, wrong) = check(&mut world, &last, None)?;
        if !wrong.is_empty() {
            return Err(MatrixError::Undisturbed { scene: scene.name(), why: wrong.join("; ") });
        }
        Ok((scene, Undisturbed { facts, hits }))
    };
    let named = only.split_once(' ').map(|(name, _)| name);
    let named = Scene::ALL.into_iter().find(|scene| Some(scene.name()) == named);
    let is_here = |scene: &Scene| !scene.is_contained() || program.engine.is_some();
    let is_asked = |scene: &Scene| named.is_none_or(|named| named == *scene);
    Scene::ALL.into_iter().filter(is_here).filter(is_asked).map(play).collect()
}

fn folder() -> Result<TempDir, FixtureError> {
    tempfile::tempdir().map_err(FixtureError::file("create a folder in", std::env::temp_dir()))
}

fn count(points: Vec<String>) -> BTreeMap<String, usize> {
    points.into_iter().fold(BTreeMap::new(), |mut hits, point| {
        *hits.entry(point).or_default() += 1;
        hits
    })
}

/// Faults at the passages that the depth asks for.
pub(crate) fn first_faults(
    program: &Program,
    scenes: &BTreeMap<Scene, Undisturbed>,
    plan: Plan<'_>,
) -> Vec<Cell> {
    let mut cells = Vec::new();
    for (number, point) in program.points.iter().enumerate() {
        let passing: Vec<(Scene, usize)> = scenes
            .iter()
            .filter(|(scene, _)| scene.tries(&point.name))
            .filter_map(|(scene, undisturbed)| Some((*scene, *undisturbed.hits.get(&point.name)?)))
            .collect();
        if plan.is_quick() {
            cells.extend(sampled(point, number, &passing));
        } else {
            cells.extend(at_depth(point, plan.depth, &passing));
        }
    }
    cells.retain(|cell| cell.name().contains(plan.only) || cell.begins(plan.only));
    cells
}

fn at_depth(point: &Point, depth: Depth, passing: &[(Scene, usize)]) -> Vec<Cell> {
    let most = passing.iter().map(|(_, hits)| *hits).max().unwrap_or_default();
    let mut cells = Vec::new();
    for mode in modes(point) {
        let mut richest = true;
        for (scene, hits) in passing {
            let limit = depth.passages(mode);
            let limit = if *hits == most && std::mem::take(&mut richest) { limit } else { limit.div_ceil(3) };
            cells.extend(spread(*hits, limit).into_iter().map(|hit| Cell::new(*scene, mode, point, hit)));
        }
    }
    cells
}

/// In one of the scenes that pass the point, by its number.
fn sampled(point: &Point, number: usize, passing: &[(Scene, usize)]) -> Vec<Cell> {
    let Some((scene, hits)) = passing.get(number % passing.len().max(1)) else { return Vec::new() };
    let some = [1, hits.div_ceil(2), *hits];
    // The last write comes when something was written before.
    let hit = if point.writes { *hits } else { some[number % some.len()] };
    let modes = modes(point).filter(|mode| sample(point, number, mode));
    modes.map(|mode| Cell::new(*scene, mode, point, hit)).collect()
}

fn modes(point: &Point) -> impl Iterator<Item = &'static str> {
    let (fails, writes, locks, panics) = (point.fails, point.writes, point.locks, point.name != NO_PANIC);
    MODES.into_iter().filter(move |mode| match *mode {
        // One that goes on failing breaks what comes behind a place that is no operation.
        "enospc" | "eio" => fails,
        "panic" => panics,
        "torn" => writes,
        "lock-left" => locks,
        _ => true,
    })
}

fn sample(point: &Point, number: usize, mode: &str) -> bool {
    let kills = if point.writes { ["torn", "torn"] } else { ["kill", "kill-after"] };
    let errors = ["enospc", "eio", "erofs"];
    mode == "lock-left"
        || mode == "panic" && number.is_multiple_of(PANIC_EACH)
        || kills[number % kills.len()] == mode
        || number.is_multiple_of(2) && errors[number / 2 % errors.len()] == mode
}

/// Faults at every point that a command passes only where it minds a failure.
pub(crate) fn also_faults(
    program: &Program,
    scenes: &BTreeMap<Scene, Undisturbed>,
    tried: &[Tried],
    plan: Plan<'_>,
) -> Vec<Cell> {
    let limit = if plan.is_quick() { 1 } else { SECOND_FAULTS };
    let mut taken: BTreeMap<&str, usize> = BTreeMap::new();
    let mut cells = Vec::new();
    for tried in tried.iter().filter(|tried| tried.came && !tried.cell.first.kills()) {
        let usual = scenes.get(&tried.cell.scene).map(|scene| &scene.hits);
        let passed: BTreeSet<&String> = tried.disturbed.iter().collect();
        let unusual = |name: &&String| usual.is_some_and(|hits| !hits.contains_key(*name));
        let tries = |name: &&String| tried.cell.scene.tries(name);
        for name in passed.into_iter().filter(unusual).filter(tries) {
            let times = taken.entry(name).or_default();
            let Some(point) = program.point(name).filter(|_| *times < limit) else { continue };
            *times += 1;
            let modes = modes(point).filter(|mode| SECOND_MODES.contains(mode));
            cells.extend(modes.map(|mode| Cell {
                also: Some(Fault { mode, point: name.clone(), hit: 1 }),
                ..tried.cell.clone()
            }));
        }
    }
    cells.retain(|cell| cell.name().contains(plan.only));
    cells
}

/// Faults at every point that recovery passed, each after a few first faults; none in a quick run but at points that
/// recovery alone passes.
pub(crate) fn second_faults(program: &Program, tried: &[Tried], plan: Plan<'_>) -> Vec<Cell> {
    let mut taken: BTreeMap<String, usize> = BTreeMap::new();
    let first: Vec<&str> = tried.iter().map(|tried| tried.cell.first.point.as_str()).collect();
    let mut cells = Vec::new();
    let recovers = |tried: &&Tried| tried.came && tried.cell.scene.is_run() && tried.cell.also.is_none();
    for tried in tried.iter().filter(recovers) {
        for (point, hits) in count(tried.recovery.clone()) {
            if !tried.cell.scene.tries(&point) {
                continue;
            }
            let times = taken.entry(point.clone()).or_default();
            let limit = match (plan.is_quick(), first.contains(&point.as_str())) {
                (false, _) => SECOND_FAULTS,
                (true, false) => 1,
                (true, true) => 0,
            };
            if *times >= limit {
                continue;
            }
            *times += 1;
            let Some(known) = program.point(&point) else { continue };
            for mode in modes(known).filter(|mode| SECOND_MODES.contains(mode)) {
                let limit = if plan.is_quick() { 1 } else { plan.depth.passages(mode).div_ceil(3) };
                cells.extend(spread(hits, limit).into_iter().map(|hit| Cell {
                    second: Some(Fault { mode, point: point.clone(), hit }),
                    ..tried.cell.clone()
                }));
            }
        }
    }
    cells.retain(|cell| cell.name().contains(plan.only));
    cells
}

impl Cell {
    fn new(scene: Scene, mode: &'static str, point: &Point, hit: usize) -> Self {
        Self { scene, first: Fault { mode, point: point.name.clone(), hit }, also: None, second: None }
    }

    /// As it can be asked for again.
    pub(crate) fn name(&self) -> String {
        let second = self.second.as_ref().map(|second| format!(" then {}", second.text()));
        format!("{} {}{}", self.scene.name(), self.at_once(), second.unwrap_or_default())
    }

    /// Whether a name is that of a cell which adds another fault to this one.
    fn begins(&self, name: &str) -> bool {
        name.strip_prefix(&self.name()).is_some_and(|more| more.starts_with([' ', ',']))
    }

    pub(crate) fn is_double(&self) -> bool {
        self.also.is_some() || self.second.is_some()
    }

    /// The faults of the disturbed command.
    fn at_once(&self) -> String {
        let also = self.also.as_ref().map(|also| format!(",{}", also.text()));
        format!("{}{}", self.first.text(), also.unwrap_or_default())
    }

    /// Disturbs, recovers, and looks.
    pub(crate) fn run(self, program: &Program, scenes: &BTreeMap<Scene, Undisturbed>, keep: bool) -> Tried {
        let mut tried = Tried::new(self);
        match folder() {
            Err(error) => tried.wrong.push(error.to_string()),
            Ok(mut folder) => {
                if let Err(error) = tried.play(program, scenes, &folder) {
                    tried.wrong.push(error.to_string());
                }
                if keep && !tried.wrong.is_empty() {
                    folder.disable_cleanup(true);
                    tried.kept = Some(folder.path().to_owned());
                }
            }
        }
        tried
    }
}

impl Tried {
    /// Nothing came of it yet.
    pub(crate) fn new(cell: Cell) -> Self {
        Self {
            cell,
            came: false,
            wrong: Vec::new(),
            reached: BTreeSet::new(),
            disturbed: Vec::new(),
            recovery: Vec::new(),
            kept: None,
        }
    }

    fn play(
        &mut self,
        program: &Program,
        scenes: &BTreeMap<Scene, Undisturbed>,
        folder: &TempDir,
    ) -> Result<(), MatrixError> {
        let mut world = World::build(program, self.cell.scene, folder.path())?;
        let finished = world.disturb(Some(&self.cell.at_once()))?;
        let trace = world.reached();
        let faults: Vec<Fault> =
            [self.cell.first.clone()].into_iter().chain(self.cell.also.clone()).collect();
        self.came = self.came(&faults, &finished, &trace);
        self.disturbed = trace.points;
        if let Some(second) = self.cell.second.clone() {
            let finished = world.recover(Some(&second.text()))?;
            let came = self.came(&[second], &finished, &world.reached());
            self.came &= came;
        }
        let last = world.finish()?;
        self.recovery = world.reached().points;
        self.reached.extend(self.recovery.iter().cloned());
        let undisturbed = scenes.get(&self.cell.scene).map(|scene| &scene.facts);
        let (_, wrong) = check(&mut world, &last, undisturbed)?;
        self.wrong.extend(wrong);
        Ok(())
    }

    /// Whether the faults came, all of them; an ending that they do not explain is wrong.
    fn came(&mut self, faults: &[Fault], finished: &Finished, trace: &Trace) -> bool {
        self.reached.extend(trace.points.iter().cloned());
        let came: Vec<&Fault> = faults.iter().filter(|fault| trace.came.contains(&fault.text())).collect();
        let killed = came.iter().any(|fault| fault.kills());
        let panicked = came.iter().any(|fault| fault.mode == "panic");
        let fits = match finished.ending {
            Ending::Signaled(9) => killed,
            // A bug is never passed over, and always told.
            ending if panicked => {
                ending == Ending::Exited(BUG_EXIT) && String::from_utf8_lossy(&finished.stderr).contains(BUG)
            }
            // Where an operation may fail, the program may go on; what it says of itself is looked at later.
            Ending::Exited(0) => !killed,
            Ending::Exited(1) => !killed && self.cell.scene.outcome().exit == 1,
            Ending::Exited(4) => !came.is_empty() && !killed,
            _ => false,
        };
        if !fits {
            let said = String::from_utf8_lossy(&finished.stderr);
            let said = said.trim().replace('\n', " | ");
            let faults: Vec<String> = faults.iter().map(Fault::text).collect();
            self.wrong.push(format!("{} ends with {:?}: {said}", faults.join(","), finished.ending));
        }
        came.len() == faults.len()
    }
}
