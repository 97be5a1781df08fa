//! What the model was asked, and that no worker holds its key.

use cucumber::then;
use mycelium_schemas::evidence::AssertionKind::Model;

use crate::world::{Claim, MyceliumWorld, Verdict, WorldError, lines};

const SERVER: &str = "the model server";

/// The model was asked exactly so often, by all agents together.
#[then(expr = "the model was asked {int} time(s)")]
fn asked(world: &mut MyceliumWorld, count: u64) -> Result<(), WorldError> {
    let asked = world.asked()?;
    let found = lines(asked.iter().map(|asked| &asked.path));
    let claim = Claim::new(Model, "asked", "requests", SERVER);
    let verdict = Verdict::of(asked.len() as u64 == count, format!("{count} requests"), found);
    world.count(claim, count, verdict)
}

/// One of the questions to the model holds the text.
#[then(expr = "a question to the model says {string}")]
fn question_says(world: &mut MyceliumWorld, text: String) -> Result<(), WorldError> {
    let asked = world.asked()?;
    let bodies: Vec<String> = asked.iter().map(|asked| asked.body.to_string()).collect();
    let holds = bodies.iter().any(|body| body.contains(&text));
    world.must(
        Claim::new(Model, "said", "the bodies of requests", SERVER),
        Verdict::of(holds, text, lines(bodies)),
    )
}

/// The model was not asked more often than that, by all agents together; it was asked at all.
#[then(expr = "the model was asked no more than {int} time(s)")]
fn never_asked_more(world: &mut MyceliumWorld, limit: usize) -> Result<(), WorldError> {
    let asked = world.asked()?;
    let found = lines(asked.iter().map(|asked| &asked.path));
    let claim = Claim::new(Model, "asked_no_more", "requests", SERVER);
    let held = !asked.is_empty() && asked.len() <= limit;
    world.never(claim, Verdict::of(held, format!("1 to {limit} requests"), found))
}

/// The model was not asked at all.
#[then(expr = "the model was never asked")]
fn never_asked(world: &mut MyceliumWorld) -> Result<(), WorldError> {
    // Where nothing ran, there is nothing to find.
    world.last()?;
    let found = lines(world.asked()?.iter().map(|asked| &asked.path));
    world.never(Claim::new(Model, "not_asked", "requests", SERVER), Verdict::equal("", found))
}

/// Each request reached the model with that key in one of its headers; there was one.
#[then(expr = "every request to the model carries the key {string}")]
fn carries(world: &mut MyceliumWorld, key: String) -> Result<(), WorldError> {
    let asked = world.asked()?;
    let without = asked.iter().filter(|asked| !asked.headers.values().any(|value| value.contains(&key)));
    let found = lines(without.map(|asked| format!("{} without it", asked.path)));
    let verdict = Verdict::of(!asked.is_empty() && found.is_empty(), "", found);
    world.must(Claim::new(Model, "key", "the headers of requests", SERVER), verdict)
}

/// No request that an agent made holds the text: what a conversation says is what the agent knows.
#[then(expr = "no conversation holds the secret {string}")]
fn never_said(world: &mut MyceliumWorld, secret: String) -> Result<(), WorldError> {
    let asked = world.asked()?;
    let holding = asked.iter().filter(|asked| asked.body.to_string().contains(&secret));
    let found = lines(holding.map(|asked| format!("{} holds it", asked.path)));
    let verdict = Verdict::of(!asked.is_empty() && found.is_empty(), "", found);
    world.never(Claim::new(Model, "secret_absent", "the bodies of requests", SERVER), verdict)
}
