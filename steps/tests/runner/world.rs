//! A world of nothing but steps that go right and wrong in every way a runner has to survive.

use std::{
    future::pending,
    sync::{
        Barrier, Mutex, PoisonError,
        mpsc::{Receiver, Sender, channel},
    },
    thread::ThreadId,
};

use cucumber::{World, given, then, when};
use mycelium_accept::{
    context::{self, Context, Record},
    runner::{Interrupt, Interrupter},
};
use mycelium_schemas::evidence::{Assertion, AssertionKind, Polarity};

/// The world: its context, and a file in its scratch folder.
#[derive(Debug, World)]
#[world(init = Self::new)]
pub(crate) struct TinyWorld {
    context: Context,
    /// Whether something was begun that nobody waited for.
    begun: bool,
    is_sticky: bool,
    /// What outlives it.
    left: Option<Left>,
}

/// Something that says so when its world is dropped.
#[derive(Debug)]
struct Left(context::Recorder);

impl Drop for Left {
    fn drop(&mut self) {
        self.0.push(Record::LeftBehind("a container".to_owned()));
    }
}

impl Drop for TinyWorld {
    fn drop(&mut self) {
        if self.begun {
            self.context.recorder.push(Record::Unended("a long walk".to_owned()));
        }
        assert!(!self.is_sticky, "it sticks");
    }
}

/// The world could not be made.
#[derive(Debug)]
struct NoContext;

impl std::fmt::Display for NoContext {
    fn fmt(&self, f: &mut std::fmt::Formatter<'_>) -> std::fmt::Result {
        f.write_str("there is no context")
    }
}

impl std::error::Error for NoContext {}

impl TinyWorld {
    fn new() -> Result<Self, NoContext> {
        let context = Context::current().ok_or(NoContext)?;
        if context.bin.ends_with("no-world") {
            return Err(NoContext);
        }
        let scratch = context.scratch().map_err(|_| NoContext)?;
        std::fs::write(scratch.join("note.txt"), "written by the world").map_err(|_| NoContext)?;
        Ok(Self { context, begun: false, is_sticky: false, left: None })
    }

    fn record(&self, polarity: Polarity, held: bool) {
        self.context.recorder.push(Record::Assertion(Assertion {
            kind: AssertionKind::Fs,
            check: "sample".to_owned(),
            polarity,
            subject: "a file".to_owned(),
            artifact: "note.txt".to_owned(),
            expected: "present".to_owned(),
            actual_digest: "0".repeat(64),
            held,
        }));
    }
}

/// The run that a step interrupts.
pub(crate) static INTERRUPTER: Mutex<Option<Interrupter>> = Mutex::new(None);

/// Scenarios that meet: each waits until the other is there, which only happens where both run at once.
static MEETING: Barrier = Barrier::new(2);

/// Does nothing.
#[given("nothing")]
fn nothing(_: &mut TinyWorld) {}

/// Holds a number.
#[given(expr = "the number {int} and the text {string}")]
fn values(world: &mut TinyWorld, number: u32, mut text: String) {
    text.push_str(&number.to_string());
    world.context.recorder.push(Record::Log(text));
}

/// A mood, one of two.
#[derive(Debug, cucumber::Parameter)]
#[param(name = "mood", regex = "good|bad")]
struct Mood(String);

impl std::str::FromStr for Mood {
    type Err = std::convert::Infallible;

    fn from_str(text: &str) -> Result<Self, Self::Err> {
        Ok(Self(text.to_owned()))
    }
}

/// Is in a mood.
#[given(expr = "a {mood} mood")]
fn in_a_mood(world: &mut TinyWorld, mood: Mood) {
    world.context.recorder.push(Record::Log(mood.0));
}

/// Takes a table and a doc string.
#[given("an argument:")]
fn argument(world: &mut TinyWorld, step: &cucumber::gherkin::Step) {
    let text = step.docstring.clone().unwrap_or_else(|| {
        let rows = step.table.iter().flat_map(|table| &table.rows);
        rows.map(|row| row.join(",")).collect::<Vec<_>>().join(";")
    });
    world.context.recorder.push(Record::Evidence { name: "argument".to_owned(), bytes: text.into_bytes() });
}

/// Asks the machine for what it has not got.
#[given("what this machine cannot do")]
fn not_here(world: &mut TinyWorld) -> Result<(), NoContext> {
    world.context.recorder.push(Record::NotRun("the machine has no second moon".to_owned()));
    Err(NoContext)
}

/// Makes something that outlives the world.
#[given("what stays")]
fn stays(world: &mut TinyWorld) {
    world.left = Some(Left(world.context.recorder.clone()));
}

/// Panics.
#[when("it panics")]
fn panics(world: &mut TinyWorld) {
    world.context.recorder.push(Record::Log("about to panic".to_owned()));
    panic!("on purpose");
}

/// Returns an error.
#[when("it errs")]
fn errs(_: &mut TinyWorld) -> Result<(), std::num::ParseIntError> {
    "x".parse::<u8>().map(|_| ())
}

/// Is not written yet.
#[when("it is to be written")]
fn to_be_written(_: &mut TinyWorld) {
    context::pending(Some("somebody has to"));
}

/// Is of no use here.
#[when("it is of no use here")]
fn of_no_use(_: &mut TinyWorld) {
    context::skip(None);
}

/// Starts a process and does not wait for it.
#[when("it leaves a process behind")]
fn leaves_process(world: &mut TinyWorld) {
    let home = world.context.scratch().unwrap().join("home");
    // Not waited for: that it is left is what this is about; the runner ends it.
    #[expect(clippy::zombie_processes, reason = "the runner has to find it")]
    std::process::Command::new("sleep").arg("600").env("HOME", home).spawn().unwrap();
}

/// Starts a process without an environment and does not wait for it.
#[when("it leaves a process without an environment behind")]
fn leaves_bare_process(world: &mut TinyWorld) {
    let folder = world.context.scratch().unwrap();
    #[expect(clippy::zombie_processes, reason = "the runner has to find it")]
    std::process::Command::new("sleep").arg("600").env_clear().current_dir(folder).spawn().unwrap();
}

/// Says that it waits for something, and never does.
#[when("it begins what it does not wait for")]
fn begins(world: &mut TinyWorld) {
    world.begun = true;
}

/// The threads of worlds that could not be dropped.
pub(crate) static STICKY: Mutex<Vec<ThreadId>> = Mutex::new(Vec::new());

/// Says that its world cannot be dropped, on this thread.
#[when("its world sticks to its thread")]
fn sticks(world: &mut TinyWorld) {
    world.is_sticky = true;
    STICKY.lock().unwrap_or_else(PoisonError::into_inner).push(std::thread::current().id());
}

/// Puts a file where its folder was.
#[when("it takes its own folder away")]
fn takes_away(world: &mut TinyWorld) {
    let folder = world.context.scratch().unwrap();
    std::fs::remove_dir_all(&folder).unwrap();
    std::fs::write(&folder, "no folder").unwrap();
}

/// Makes a folder beside its own with a name as if it were a scenario's.
#[when("it makes a folder like those of scenarios")]
fn makes_like(world: &mut TinyWorld) {
    std::fs::create_dir(world.context.scratch().unwrap().parent().unwrap().join("scenario-mine")).unwrap();
}

/// Waits until the scratch folder is as it was when the other had ended.
#[when("the other has ended")]
fn other_ended(world: &mut TinyWorld) {
    let ours = world.context.scratch().unwrap();
    let others = || {
        let entries = std::fs::read_dir(ours.parent().unwrap()).unwrap().flatten();
        entries.filter(|entry| entry.path() != ours && entry.path().join("note.txt").exists()).count()
    };
    while others() > 0 {
        std::thread::yield_now();
    }
}

/// Writes beside its folder.
#[when("it writes beside its folder")]
fn writes_beside(world: &mut TinyWorld) {
    std::fs::write(world.context.scratch().unwrap().parent().unwrap().join("stray.txt"), "stray").unwrap();
}

/// A spawned task panics; the step does not notice.
#[when("a task of it panics")]
async fn task_panics(_: &mut TinyWorld) {
    let joined = tokio::spawn(async { panic!("in a task") }).await;
    assert!(joined.is_err());
}

/// Leaves a task on its runtime, where no other may be.
#[when("a task of it, the only one, goes on")]
fn task_goes_on(_: &mut TinyWorld) {
    assert_eq!(tokio::runtime::Handle::current().metrics().num_alive_tasks(), 0);
    tokio::spawn(std::future::pending::<()>());
}

/// A spawned thread panics; the step does not notice.
#[when("a thread of it panics")]
fn thread_panics(_: &mut TinyWorld) {
    let joined = std::thread::spawn(|| panic!("in a thread")).join();
    assert!(joined.is_err());
}

/// Waits for ever, politely.
#[when("it waits for ever")]
async fn waits(_: &mut TinyWorld) {
    pending::<()>().await;
}

/// Starts what talks, of which one ends, says and keeps something, and waits for ever.
#[when("it waits for what talks")]
fn waits_for_talk(world: &mut TinyWorld) {
    let folder = world.context.scratch().unwrap();
    let push = |record| world.context.recorder.push(record);
    let begin = |what: &str, said: &str| {
        let path = folder.join(what);
        std::fs::write(&path, said).unwrap();
        push(Record::Writes { what: what.to_owned(), path: path.clone() });
        path
    };
    push(Record::Wrote(begin("brief", "not shown\n")));
    begin("endless", &("x".repeat(100_000) + "\nlate\n"));
    push(Record::Log("said".to_owned()));
    push(Record::Evidence { name: "kept".to_owned(), bytes: b"kept".to_vec() });
    blocks(world);
}

/// Waits for ever and holds its thread.
#[when("it blocks for ever")]
fn blocks(_: &mut TinyWorld) {
    let (_sender, receiver): (Sender<()>, Receiver<()>) = channel();
    // The sender lives, so this never returns.
    let _ = receiver.recv();
}

/// Two scenarios meet here.
#[when("it meets the other")]
fn meets(_: &mut TinyWorld) {
    MEETING.wait();
}

/// Asks the run to end, then waits for ever.
#[when("somebody presses Ctrl-C")]
fn interrupted(world: &mut TinyWorld) {
    let interrupter = INTERRUPTER.lock().unwrap_or_else(PoisonError::into_inner).clone();
    interrupter.unwrap().interrupt(Interrupt::Sigint);
    blocks(world);
}

/// Matches twice, see below.
#[when(expr = "it means {word} things")]
fn ambiguous_one(world: &mut TinyWorld, how_many: String) {
    world.context.recorder.push(Record::Log(how_many));
}

/// Matches twice, see above.
#[when(regex = "^it means (two|three) things$")]
fn ambiguous_two(world: &mut TinyWorld, how_many: String) {
    world.context.recorder.push(Record::Log(how_many));
}

/// Something is so.
#[then("it is so")]
fn is_so(world: &mut TinyWorld) {
    world.record(Polarity::Must, true);
}

/// Something is not so.
#[then("it is not so")]
fn is_not_so(world: &mut TinyWorld) {
    world.record(Polarity::Must, false);
    panic!("it is not so");
}

/// Something must not be so.
#[then("it never happens")]
fn never_happens(world: &mut TinyWorld) {
    world.record(Polarity::MustNot, true);
}

/// Named as a negative assertion, but it is none.
#[then("it never happens, it says")]
fn never_kept(world: &mut TinyWorld) {
    world.record(Polarity::Must, true);
}

/// Looks at nothing.
#[then("it looks away")]
fn looks_away(_: &mut TinyWorld) {}

/// Its assertion does not hold, and it passes.
#[then("it shrugs")]
fn shrugs(world: &mut TinyWorld) {
    world.record(Polarity::MustNot, false);
}
