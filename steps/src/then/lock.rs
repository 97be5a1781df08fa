//! Who holds the repository's lock, by what a refused command says.

use cucumber::then;
use jiff::Timestamp;
use mycelium_schemas::evidence::AssertionKind::Output;

use crate::world::{Claim, MyceliumWorld, Verdict, WorldError, lines};

/// Standard error names process id, host and start of the started command.
#[then(expr = "standard error names process, host and start of the started command")]
fn names_holder(world: &mut MyceliumWorld) -> Result<(), WorldError> {
    let pid = format!("process {}", world.started_pid()?);
    let host = rustix::system::uname().nodename().to_string_lossy().into_owned();
    let said = String::from_utf8_lossy(&world.last()?.finished.stderr).into_owned();
    let mut words = said.split_whitespace();
    let since = words.find(|word| *word == "since").and_then(|_| words.next());
    let dated = since.is_some_and(|since| since.parse::<Timestamp>().is_ok());
    let named = said.split(|c: char| !c.is_alphanumeric() && !"-._".contains(c)).any(|word| word == host);
    let held = said.contains(&format!("{pid} ")) && named && dated;
    let claim = Claim::new(Output, "names_holder", "who holds the lock", "stderr");
    world.must(claim, Verdict::of(held, lines([pid, host, "since, and a time".to_owned()]), said))
}
