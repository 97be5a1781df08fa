//! What the operator's commands answer to a script, under `--json`.

use cucumber::then;
use mycelium_schemas::evidence::AssertionKind::Output;
use serde_json::Value;

use crate::world::{Claim, MyceliumWorld, Verdict, WorldError, lines};

const STDOUT: &str = "stdout";

/// Standard output is one JSON document, valid by that schema of the program.
#[then(expr = "standard output is valid by the schema {string}")]
fn valid(world: &mut MyceliumWorld, schema: String) -> Result<(), WorldError> {
    let found = String::from_utf8_lossy(&world.last()?.finished.stdout).into_owned();
    let flaw = match serde_json::from_str(&found) {
        Ok(document) => world.flaw_of(&schema, &document),
        Err(error) => Some(error.to_string()),
    };
    let claim = Claim::new(Output, "valid", format!("standard output by the schema {schema}"), STDOUT);
    world.must(claim, Verdict::equal("", flaw.unwrap_or_default()))
}

/// The command lists exactly that many entries.
#[then(expr = "standard output lists {int} event(s)")]
fn counted(world: &mut MyceliumWorld, count: u64) -> Result<(), WorldError> {
    let listed = listed(world)?;
    let found = lines(listed.iter());
    let verdict = Verdict::of(listed.len() as u64 == count, format!("{count} events"), found);
    world.count(Claim::new(Output, "count", "the listed events", STDOUT), count, verdict)
}

/// The command lists events, and each of them has that value in that field.
#[then(expr = "standard output lists no event whose {word} is not {string}")]
fn never_others(world: &mut MyceliumWorld, field: String, value: String) -> Result<(), WorldError> {
    let listed = listed(world)?;
    let others: Vec<&Value> = listed
        .iter()
        .filter(|event| {
            let found = &event[&field];
            found.as_str().map_or_else(|| found.to_string(), str::to_owned) != value
        })
        .collect();
    let held = !listed.is_empty() && others.is_empty();
    let claim = Claim::new(Output, "no_other", format!("events whose {field} is another"), STDOUT);
    let found = if listed.is_empty() { "no event at all".to_owned() } else { lines(others) };
    world.never(claim, Verdict::of(held, format!("{field} {value} alone"), found))
}

/// The command lists every event that the journal holds, in its order.
#[then(expr = "standard output lists every event of the log")]
fn all_listed(world: &mut MyceliumWorld) -> Result<(), WorldError> {
    // What agents report stands in files of their own.
    let of_journal = |event: &&Value| event["type"] != "agent.event";
    let found = lines(
        listed(world)?
            .iter()
            .filter(of_journal)
            .map(|event| format!("{} {}", event["seq"], event["type"].as_str().unwrap_or_default())),
    );
    let journal = world.run_folder()?.journal()?;
    let expected =
        lines(journal.iter().map(|line| format!("{} {}", line.event.seq, line.event.kind.type_name())));
    world.must(Claim::new(Output, "all_events", "the listed events", STDOUT), Verdict::equal(expected, found))
}

/// The command lists what each agent reported, and nothing of it behind the end of its attempt.
#[then(expr = "standard output lists the events of each attempt before its end")]
fn listed_in_order(world: &mut MyceliumWorld) -> Result<(), WorldError> {
    let listed = listed(world)?;
    let of = |event: &Value, kind: &str| event["type"] == kind;
    let is_early = |(place, end): (usize, &Value)| {
        let his = |event: &&Value| {
            of(event, "agent.event")
                && event["task_id"] == end["task_id"]
                && event["attempt"] == end["attempt"]
        };
        !listed.iter().skip(place).any(|event| his(&event))
    };
    let ends = || listed.iter().enumerate().filter(|(_, event)| of(event, "worker.exit"));
    let reported = listed.iter().any(|event| of(event, "agent.event"));
    let held = reported && ends().next().is_some() && ends().all(is_early);
    let told = |event: &Value| {
        format!("{} {} {} {}", event["ts"], event["task_id"], event["attempt"], event["type"])
    };
    let claim = Claim::new(Output, "attempt_order", "the listed events", STDOUT);
    world.must(
        claim,
        Verdict::of(held, "each agent.event before its worker.exit", lines(listed.iter().map(told))),
    )
}

/// What the command printed on standard output contains the text exactly once.
#[then(expr = "standard output says {string} once")]
fn said_once(world: &mut MyceliumWorld, text: String) -> Result<(), WorldError> {
    let found = String::from_utf8_lossy(&world.last()?.finished.stdout).into_owned();
    let verdict = Verdict::of(found.matches(&text).count() == 1, format!("once: {text}"), found);
    world.must(Claim::new(Output, "stdout_once", "standard output", STDOUT), verdict)
}

/// No command of the scenario has printed a character that a terminal obeys, on neither stream.
#[then(expr = "no command prints a control character")]
fn never_control(world: &mut MyceliumWorld) -> Result<(), WorldError> {
    let (_, commands) = world.commands()?;
    let found = lines(commands.iter().flat_map(|run| {
        [&run.finished.stdout, &run.finished.stderr].into_iter().filter_map(move |said| {
            let text = String::from_utf8_lossy(said).into_owned();
            let controls: Vec<char> = text.chars().filter(|c| c.is_control() && *c != '\n').collect();
            (!controls.is_empty()).then(|| format!("`{}` prints {controls:?}", run.line))
        })
    }));
    let claim = Claim::new(Output, "no_control", "control characters", "stdout and stderr");
    world.never(claim, Verdict::equal("", found))
}

/// The elements of the one array, or of the answer's list.
fn listed(world: &MyceliumWorld) -> Result<Vec<Value>, WorldError> {
    let stdout = &world.last()?.finished.stdout;
    let answer: Value = serde_json::from_slice(stdout).map_err(|error| {
        WorldError::Argument(format!("standard output is no JSON document ({error}); ask with --json"))
    })?;
    let list = match &answer {
        Value::Array(_) => &answer,
        _ => ["spans", "failures"]
            .iter()
            .map(|key| &answer[key])
            .find(|l| l.is_array())
            .unwrap_or(&Value::Null),
    };
    Ok(list.as_array().cloned().unwrap_or_default())
}
