//! What the run's journal says.

use cucumber::{gherkin::Step, then};
use jiff::Timestamp;
use mycelium_schemas::evidence::AssertionKind::Event;
use serde_json::Value;

use crate::world::{
    Claim, EventType, JournalLine, MyceliumWorld, Table, TaskName, Verdict, WorldError, lines, summary,
};

const JOURNAL: &str = "orchestrator.jsonl";

/// The log has at least one event of that type.
#[then(expr = "the log has a {eventType} event")]
fn logged(world: &mut MyceliumWorld, kind: EventType) -> Result<(), WorldError> {
    present(world, &kind, None)
}

/// The log has at least one event of that type about that task.
#[then(expr = "the log has a {eventType} event for task {task}")]
fn logged_for(world: &mut MyceliumWorld, kind: EventType, task: TaskName) -> Result<(), WorldError> {
    present(world, &kind, Some(&task))
}

/// The log has exactly that many events of that type.
#[then(expr = "the log has {int} {eventType} event(s)")]
fn counted(world: &mut MyceliumWorld, count: u64, kind: EventType) -> Result<(), WorldError> {
    let journal = world.run_folder()?.journal()?;
    let found = journal.iter().filter(|line| line.is(kind.as_str(), None)).count() as u64;
    let claim = Claim::new(Event, "count", format!("{} events", kind.as_str()), JOURNAL);
    let verdict = Verdict::of(
        found == count,
        format!("{count} of them"),
        format!("{found} of them in\n{}", summary(&journal)),
    );
    world.count(claim, count, verdict)
}

/// The log has no event of that type.
#[then(expr = "the log has no {eventType} event")]
fn never_logged(world: &mut MyceliumWorld, kind: EventType) -> Result<(), WorldError> {
    absent(world, &kind, None)
}

/// The log has no event of that type about that task.
#[then(expr = "the log has no {eventType} event for task {task}")]
fn never_logged_for(world: &mut MyceliumWorld, kind: EventType, task: TaskName) -> Result<(), WorldError> {
    absent(world, &kind, Some(&task))
}

/// After the first event of the second type there is none of the first type. The second one must be there.
#[then(expr = "the log has no {eventType} event after the {eventType} event")]
fn never_logged_after(
    world: &mut MyceliumWorld,
    kind: EventType,
    border: EventType,
) -> Result<(), WorldError> {
    let journal = world.run_folder()?.journal()?;
    let after = journal.iter().skip_while(|line| !line.is(border.as_str(), None)).skip(1);
    let bordered = journal.iter().any(|line| line.is(border.as_str(), None));
    let held = bordered && !after.clone().any(|line| line.is(kind.as_str(), None));
    let subject = format!("{} after {}", kind.as_str(), border.as_str());
    let expected = format!("a {} event and no {} event after it", border.as_str(), kind.as_str());
    world.never(
        Claim::new(Event, "none_after", subject, JOURNAL),
        Verdict::of(held, expected, summary(&journal)),
    )
}

/// The log has events of these types in this order, with any others between them (columns: event, task; the task may be
/// left empty).
#[then(expr = "the log has these events in order:")]
fn in_order(world: &mut MyceliumWorld, step: &Step) -> Result<(), WorldError> {
    let table = Table::of(step, &["event"], &["task"])?;
    let journal = world.run_folder()?.journal()?;
    let mut rest = journal.iter();
    let mut expected = String::new();
    let mut held = true;
    for row in table.rows() {
        let task = Some(row.text("task")).filter(|task| !task.is_empty());
        held = held && rest.any(|line| line.is(row.text("event"), task));
        expected += &task.map_or_else(
            || format!("{}\n", row.text("event")),
            |task| format!("{} task {task}\n", row.text("event")),
        );
    }
    let kinds: Vec<&str> = table.rows().map(|row| row.text("event")).collect();
    let claim = Claim::new(Event, "order", format!("the order of {}", kinds.join(", ")), JOURNAL);
    world.must(claim, Verdict::of(held, expected, summary(&journal)))
}

/// An event of that type carries these values in its payload (columns: field, value; a field is a path such as
/// `violations.0.path`).
#[then(expr = "a {eventType} event says:")]
fn payload(world: &mut MyceliumWorld, kind: EventType, step: &Step) -> Result<(), WorldError> {
    let table = Table::of(step, &["field", "value"], &[])?;
    let journal = world.run_folder()?.journal()?;
    let of_kind: Vec<&JournalLine> = journal.iter().filter(|line| line.is(kind.as_str(), None)).collect();
    let says = |line: &&JournalLine| {
        table.rows().all(|row| field(&line.payload, row.text("field")).as_deref() == Some(row.text("value")))
    };
    let held = of_kind.iter().any(says);
    let expected = lines(table.rows().map(|row| format!("{}: {}", row.text("field"), row.text("value"))));
    let found = lines(of_kind.iter().map(|line| format!("{:#}", line.payload)));
    let claim = Claim::new(Event, "payload", format!("what a {} event says", kind.as_str()), JOURNAL);
    world.must(claim, Verdict::of(held, expected, found))
}

/// Between two events that follow each other the log's clock was set ahead by that much, and at most a minute passed.
#[then(expr = "the stamps of the log go ahead by {int} hour(s)")]
fn stamps_ahead(world: &mut MyceliumWorld, hours: u16) -> Result<(), WorldError> {
    stamps_turn(world, hours.into())
}

/// Between two events that follow each other the log's clock was set back by that much, and at most a minute passed.
#[then(expr = "the stamps of the log go back by {int} hour(s)")]
fn stamps_back(world: &mut MyceliumWorld, hours: u16) -> Result<(), WorldError> {
    stamps_turn(world, -i64::from(hours))
}

/// An event of the log is stamped with that year.
#[then(expr = "a stamp of the log is of the year {int}")]
fn stamped_in(world: &mut MyceliumWorld, year: u16) -> Result<(), WorldError> {
    let stamps = stamps(&world.run_folder()?.journal()?);
    let held = stamps.iter().any(|stamp| stamp.to_string().starts_with(&format!("{year:04}-")));
    let claim = Claim::new(Event, "stamps", format!("a stamp of {year}"), JOURNAL);
    world.must(
        claim,
        Verdict::of(held, format!("a stamp of {year}"), lines(stamps.iter().map(Timestamp::to_string))),
    )
}

fn stamps_turn(world: &MyceliumWorld, hours: i64) -> Result<(), WorldError> {
    let stamps = stamps(&world.run_folder()?.journal()?);
    let turned = |pair: &[Timestamp]| {
        let passed_s = pair[1].duration_since(pair[0]).as_secs() - hours * 3600;
        (-1..=60).contains(&passed_s)
    };
    let claim = Claim::new(Event, "stamps", format!("stamps turned by {hours} hours"), JOURNAL);
    let expected = format!("two stamps that follow each other {hours} hours apart");
    let found = lines(stamps.iter().map(Timestamp::to_string));
    world.must(claim, Verdict::of(stamps.windows(2).any(turned), expected, found))
}

fn stamps(journal: &[JournalLine]) -> Vec<Timestamp> {
    journal.iter().map(|line| line.event.ts).collect()
}

fn present(world: &MyceliumWorld, kind: &EventType, task: Option<&TaskName>) -> Result<(), WorldError> {
    let (subject, held, found) = look(world, kind, task)?;
    let expected = format!("a line with {subject}");
    world.must(Claim::new(Event, "present", subject, JOURNAL), Verdict::of(held, expected, found))
}

fn absent(world: &MyceliumWorld, kind: &EventType, task: Option<&TaskName>) -> Result<(), WorldError> {
    let (subject, held, found) = look(world, kind, task)?;
    let expected = format!("no line with {subject}");
    world.never(Claim::new(Event, "absent", subject, JOURNAL), Verdict::of(!held, expected, found))
}

fn look(
    world: &MyceliumWorld,
    kind: &EventType,
    task: Option<&TaskName>,
) -> Result<(String, bool, String), WorldError> {
    let journal = world.run_folder()?.journal()?;
    let task = task.map(TaskName::as_str);
    let held = journal.iter().any(|line| line.is(kind.as_str(), task));
    let subject =
        task.map_or_else(|| kind.as_str().to_owned(), |task| format!("{} task {task}", kind.as_str()));
    Ok((subject, held, summary(&journal)))
}

/// The value at a path of keys and positions, texts without their quotes.
fn field(payload: &Value, path: &str) -> Option<String> {
    let value = payload.pointer(&format!("/{}", path.replace('.', "/")))?;
    Some(value.as_str().map_or_else(|| value.to_string(), str::to_owned))
}
