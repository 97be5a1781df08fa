//! One simulated run: the disk, the world, and the orchestrator's memory while it lives.

use std::collections::{BTreeMap, BTreeSet};

use jiff::Timestamp;
use mycelium_core::{settle::Draft, state::RunState};
use mycelium_schemas::{
    SCHEMA_VERSION,
    event::{Event, EventKind, Local, RunStart},
    id::{ProjectName, RunId, TaskId},
    journal,
};

use crate::{
    agent::Agent,
    dice::Dice,
    disk::{Crash, JournalFile},
    ledger::Ledger,
    mutant::Mutant,
    scene::{self, Scene},
    world::World,
};

/// Why the orchestrator does not go on.
#[derive(Debug)]
pub(crate) enum Halt {
    /// It died.
    Crash(Crash),
    /// It was told to stop, and did so in order.
    Stopped,
    /// A promise is broken.
    Broken(String),
}

/// More effects and decisions than any run takes.
const STEPS_MAX: u32 = 20_000;

pub(crate) type Step<T = ()> = Result<T, Halt>;

/// A broken promise.
pub(crate) fn broken<T>(why: impl std::fmt::Display) -> Step<T> {
    Err(Halt::Broken(why.to_string()))
}

/// Everything of one simulated run.
#[derive(Debug)]
pub(crate) struct Sim {
    pub(crate) dice: Dice,
    /// The way in which the orchestrator is wrong, where it is.
    pub(crate) mutant: Option<Mutant>,
    pub(crate) scene: Scene,
    pub(crate) world: World,
    pub(crate) file: JournalFile,
    pub(crate) state: RunState,
    pub(crate) ledger: Ledger,
    pub(crate) running: BTreeMap<TaskId, Agent>,
    /// Number of the last event that was made durable before anybody went on.
    pub(crate) promised: u64,
    /// True once the power went.
    pub(crate) power_cut: bool,
    /// Set from the beginning of a recovery to its end: deaths in it so far.
    pub(crate) recovering: Option<u32>,
    /// True once this life asked whether the doctor can fail.
    pub(crate) canary_ran: bool,
    /// Effects and decisions so far.
    steps: u32,
    /// Batches that began without it while it was ready.
    pub(crate) overtaken: BTreeMap<TaskId, BTreeSet<usize>>,
    /// What happened how often, by name.
    pub(crate) seen: BTreeMap<&'static str, u64>,
    /// The journal's life story, for whoever reads a failure.
    pub(crate) story: Vec<String>,
}

impl Sim {
    /// A run about to begin. None only if the fixed samples are not readable.
    pub(crate) fn new(mut dice: Dice, mutant: Option<Mutant>) -> Option<(Self, Event)> {
        let scene = Scene::roll(&mut dice, scene::sample()?)?;
        let world = World::new(dice.once_in(3));
        let start = Draft::run(EventKind::RunStart(RunStart {
            tasks: scene.plan.ids().cloned().collect(),
            landed_before: Vec::new(),
            number: None,
            integration_branch: "main".to_owned(),
            base_commit: world.head().clone(),
            max_parallel: scene.config.max_parallel,
            config_digest: String::new(),
            doctor_digest: String::new(),
            world: mycelium_schemas::event::World::Local,
            local: Local::default(),
        }));
        let run: RunId = "simulated".parse().ok()?;
        let first = stamp(&run, 1, false, start);
        let state = RunState::start(project()?, &first).ok()?;
        let ledger = Ledger::new(&scene.config);
        let sim = Self {
            dice,
            mutant,
            scene,
            world,
            file: JournalFile::default(),
            state,
            ledger,
            running: BTreeMap::new(),
            promised: 0,
            power_cut: false,
            recovering: None,
            canary_ran: false,
            steps: 0,
            overtaken: BTreeMap::new(),
            seen: BTreeMap::new(),
            story: Vec::new(),
        };
        Some((sim, first))
    }

    /// Counts something that happened.
    pub(crate) fn saw(&mut self, what: &'static str) {
        *self.seen.entry(what).or_default() += 1;
    }

    /// Every run ends: one that goes on and on is a broken promise like any other.
    pub(crate) fn step(&mut self) -> Step {
        self.steps += 1;
        if self.steps > STEPS_MAX { broken("the run does not end") } else { Ok(()) }
    }

    /// A place at which the orchestrator may die.
    pub(crate) fn effect(&mut self) -> Step {
        self.step()?;
        if !self.dice.once_in(self.scene.crash_once_in) {
            return Ok(());
        }
        Err(Halt::Crash(if self.dice.once_in(2) { Crash::PowerCut } else { Crash::Kill }))
    }

    /// Writes a group of events in one write, which a crash may tear anywhere, and makes it durable.
    pub(crate) fn write(&mut self, events: &[Event], durable: bool) -> Step {
        let mut bytes = Vec::new();
        for event in events {
            serde_json::to_writer(&mut bytes, event).or_else(broken)?;
            bytes.push(b'\n');
        }
        self.effect()?;
        if let Err(crash) = self.effect() {
            let written = self.dice.up_to(bytes.len());
            self.file.write(bytes.get(..written).unwrap_or_default());
            return Err(crash);
        }
        self.file.write(&bytes);
        if durable {
            self.effect()?;
            if !self.is(Mutant::JournalNotSynced) {
                self.file.sync();
            }
            self.promised = events.last().map_or(self.promised, |event| event.seq);
        }
        Ok(())
    }

    /// Journals events that belong together, folds them, and has every promise checked.
    pub(crate) fn record(&mut self, drafts: Vec<Draft>) -> Step {
        self.append(drafts, true)
    }

    /// Journals what nothing depends on before the next durable event.
    pub(crate) fn report(&mut self, drafts: Vec<Draft>) -> Step {
        self.append(drafts, false)
    }

    fn append(&mut self, drafts: Vec<Draft>, durable: bool) -> Step {
        let count = drafts.len();
        let marks = !self.is(Mutant::GroupsNotMarked);
        let numbered = (self.state.last_seq + 1..).zip(1..).zip(drafts);
        let events: Vec<Event> = numbered
            .map(|((seq, nth), draft)| stamp(&self.state.run_id, seq, marks && nth < count, draft))
            .collect();
        self.write(&events, durable)?;
        for event in &events {
            self.tell(event);
            self.saw(event.kind.type_name());
            self.state.apply(event).or_else(broken)?;
            self.check_conflict(&event.kind)?;
            self.ledger.read(event).or_else(broken)?;
        }
        self.check()
    }

    fn tell(&mut self, event: &Event) {
        let task = event.task_id.as_ref().map_or("", TaskId::as_str);
        self.story.push(format!("{:>4} {} {task}", event.seq, event.kind.type_name()));
    }

    /// What the disk holds, folded as whoever comes next folds it. None where the run never began.
    pub(crate) fn fold(&self) -> Step<Option<(RunState, Ledger, u64)>> {
        let tail = journal::read(self.file.bytes()).or_else(broken)?;
        let Some((first, rest)) = tail.events.split_first() else { return Ok(None) };
        let Some(project) = project() else { return Ok(None) };
        let mut state = RunState::start(project, first).or_else(broken)?;
        let mut ledger = Ledger::new(&self.scene.config);
        for event in rest {
            self.remember(&mut state, event).or_else(broken)?;
            ledger.read(event).or_else(broken)?;
        }
        Ok(Some((state, ledger, tail.whole_bytes)))
    }

    /// The orchestrator is gone, and so is what was not kept.
    pub(crate) fn crash(&mut self, crash: Crash) {
        self.story.push(format!("     -- {crash:?}"));
        self.saw(if crash == Crash::Kill { "a kill" } else { "a power cut" });
        self.power_cut |= crash == Crash::PowerCut;
        if let Some(before) = &mut self.recovering {
            *before += 1;
            let what =
                if *before == 1 { "a crash in recovery" } else { "another crash in the same recovery" };
            self.saw(what);
        }
        self.file.crash(crash, &mut self.dice);
        let running: BTreeSet<(TaskId, u32)> =
            self.running.iter().map(|(id, agent)| (id.clone(), agent.attempt)).collect();
        self.world.crash(crash, &running, &mut self.dice);
        self.running.clear();
    }
}

fn project() -> Option<ProjectName> {
    "simulated".parse().ok()
}

fn stamp(run: &RunId, seq: u64, more: bool, draft: Draft) -> Event {
    Event {
        v: SCHEMA_VERSION,
        ts: Timestamp::UNIX_EPOCH,
        seq,
        run_id: run.clone(),
        task_id: draft.task,
        attempt: draft.attempt,
        batch: draft.batch,
        more,
        kind: draft.kind,
    }
}
