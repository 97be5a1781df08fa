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
    world::World,
};

/// How a point is disturbed.
pub(crate) const MODES: [&str; 7] = ["kill", "kill-after", "kill-group", "torn", "enospc", "eio", "erofs"];

/// Modes that differ from others in little, tried at the first, a middle and the last hit.
const ALIKE: [&str; 2] = ["kill-group", "eio"];

/// Modes of second faults.
const SECOND_MODES: [&str; 3] = ["kill", "torn", "enospc"];

/// First faults after which a second one is tried, for each point that recovery passes.
const SECOND_FAULTS: usize = 2;

/// How much is tried.
#[derive(Debug, Clone, Copy)]
pub(crate) struct Plan<'a> {
    pub(crate) quick: bool,
    pub(crate) only: &'a str,
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
        self.mode.starts_with("kill") || self.mode == "torn"
    }
}

/// A scene with a fault, and perhaps one more while it recovers.
#[derive(Debug, Clone)]
pub(crate) struct Cell {
    pub(crate) scene: Scene,
    pub(crate) first: Fault,
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

/// Plays every scene without a fault.
pub(crate) fn undisturbed(program: &Program) -> Result<BTreeMap<Scene, Undisturbed>, MatrixError> {
    let play = |scene: Scene| {
        let folder = folder()?;
        let mut world = World::build(program, scene, folder.path())?;
        let finished = world.disturb(None)?;
        let hits = count(world.reached());
        let (facts, wrong) = check(&mut world, &finished, None)?;
        if !wrong.is_empty() {
            return Err(MatrixError::Undisturbed { scene: scene.name(), why: wrong.join("; ") });
        }
        Ok((scene, Undisturbed { facts, hits }))
    };
    Scene::ALL.into_iter().map(play).collect()
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

/// Every mode at every hit; in a quick run a kill or a failure or both at one hit, in one scene each.
pub(crate) fn first_faults(
    program: &Program,
    scenes: &BTreeMap<Scene, Undisturbed>,
    plan: Plan<'_>,
) -> Vec<Cell> {
    let mut cells = Vec::new();
    for (number, point) in program.points.iter().enumerate() {
        let passing: Vec<_> =
            scenes.iter().filter(|(_, scene)| scene.hits.contains_key(&point.name)).collect();
        for (order, (scene, undisturbed)) in passing.iter().enumerate() {
            let hits = undisturbed.hits.get(&point.name).copied().unwrap_or_default();
            let some = [1, hits.div_ceil(2), hits];
            // The last write comes when something was written before.
            let sampled = if point.writes { hits } else { some[number % some.len()] };
            for hit in 1..=hits {
                let chosen = hit == sampled && order == number % passing.len();
                let modes = modes(point).filter(|mode| {
                    if plan.quick {
                        chosen && sample(point, number, mode)
                    } else {
                        !ALIKE.contains(mode) || some.contains(&hit)
                    }
                });
                cells.extend(modes.map(|mode| Cell {
                    scene: **scene,
                    first: Fault { mode, point: point.name.clone(), hit },
                    second: None,
                }));
            }
        }
    }
    cells.retain(|cell| cell.name().contains(plan.only));
    cells
}

fn modes(point: &Point) -> impl Iterator<Item = &'static str> {
    let writes = point.writes;
    MODES.into_iter().filter(move |mode| writes || *mode != "torn")
}

fn sample(point: &Point, number: usize, mode: &str) -> bool {
    let kills = if point.writes { ["torn", "torn"] } else { ["kill", "kill-after"] };
    let errors = ["enospc", "eio", "erofs"];
    kills[number % kills.len()] == mode
        || number.is_multiple_of(2) && errors[number / 2 % errors.len()] == mode
}

/// Faults at every point that recovery passed, each after a few first faults; none in a quick run but at points that
/// recovery alone passes.
pub(crate) fn second_faults(program: &Program, tried: &[Tried], plan: Plan<'_>) -> Vec<Cell> {
    let mut taken: BTreeMap<String, usize> = BTreeMap::new();
    let first: Vec<&str> = tried.iter().map(|tried| tried.cell.first.point.as_str()).collect();
    let mut cells = Vec::new();
    for tried in tried.iter().filter(|tried| tried.cell.scene.is_run() && tried.came) {
        for (point, hits) in count(tried.recovery.clone()) {
            let times = taken.entry(point.clone()).or_default();
            let limit = match (plan.quick, first.contains(&point.as_str())) {
                (false, _) => SECOND_FAULTS,
                (true, false) => 1,
                (true, true) => 0,
            };
            if *times >= limit {
                continue;
            }
            *times += 1;
            let Some(known) = program.point(&point) else { continue };
            let hits = if plan.quick { 1..=1 } else { 1..=hits };
            for hit in hits {
                let modes = modes(known).filter(|mode| SECOND_MODES.contains(mode));
                cells.extend(modes.map(|mode| Cell {
                    second: Some(Fault { mode, point: point.clone(), hit }),
                    ..tried.cell.clone()
                }));
            }
        }
    }
    cells
}

impl Cell {
    /// As it can be asked for again.
    pub(crate) fn name(&self) -> String {
        let second =
            self.second.as_ref().map(|second| format!(" then {}", second.text())).unwrap_or_default();
        format!("{} {}{second}", self.scene.name(), self.first.text())
    }

    /// Disturbs, recovers, and looks.
    pub(crate) fn run(self, program: &Program, scenes: &BTreeMap<Scene, Undisturbed>, keep: bool) -> Tried {
        let mut tried = Tried {
            cell: self,
            came: false,
            wrong: Vec::new(),
            reached: BTreeSet::new(),
            recovery: Vec::new(),
            kept: None,
        };
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
    fn play(
        &mut self,
        program: &Program,
        scenes: &BTreeMap<Scene, Undisturbed>,
        folder: &TempDir,
    ) -> Result<(), FixtureError> {
        let mut world = World::build(program, self.cell.scene, folder.path())?;
        let first = self.cell.first.clone();
        let finished = world.disturb(Some(&first.text()))?;
        self.came = self.came(&first, &finished, &world.reached());
        if let Some(second) = self.cell.second.clone() {
            let finished = world.recover(Some(&second.text()))?;
            let came = self.came(&second, &finished, &world.reached());
            self.came &= came;
        }
        let last = world.finish()?;
        self.recovery = world.reached();
        self.reached.extend(self.recovery.iter().cloned());
        let undisturbed = scenes.get(&self.cell.scene).map(|scene| &scene.facts);
        let (_, wrong) = check(&mut world, &last, undisturbed)?;
        self.wrong.extend(wrong);
        Ok(())
    }

    /// Whether a fault came; an ending that it does not explain is wrong.
    fn came(&mut self, fault: &Fault, finished: &Finished, reached: &[String]) -> bool {
        self.reached.extend(reached.iter().cloned());
        let came = reached.iter().filter(|point| **point == fault.point).count() >= fault.hit;
        let fits = match finished.ending {
            Ending::Signaled(9) => came && fault.kills(),
            // Where an operation may fail, the program may go on; what it says of itself is looked at later.
            Ending::Exited(0) => !came || !fault.kills(),
            Ending::Exited(4) => came && !fault.kills(),
            _ => false,
        };
        if !fits {
            let said = String::from_utf8_lossy(&finished.stderr);
            let said = said.trim().replace('\n', " | ");
            self.wrong.push(format!("{} ends with {:?}: {said}", fault.text(), finished.ending));
        }
        came
    }
}
