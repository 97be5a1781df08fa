//! What a command answered under `--json` against the schema that the program prints for it.

use mycelium_fixtures::process::Ending;
use serde_json::Value;

use super::{
    artifacts::Schemas,
    command::{CommandRun, words},
};

/// Commands whose answer has the schema of their name; that of a view of `logs` is told by the view, too.
const COMMANDS: [&str; 12] = [
    "clean",
    "completions",
    "demo",
    "doctor",
    "init",
    "logs",
    "plan",
    "resume",
    "review",
    "run",
    "schema",
    "status",
];

/// What is wrong with the answer of a command; none where it was not asked for JSON, or was killed before it answered.
/// Whatever code it ends with by itself, it answers: a refusal is an answer, too.
pub(super) fn flaw(run: &CommandRun, schemas: &Schemas) -> Option<String> {
    let Ending::Exited(_) = run.finished.ending else { return None };
    let asked = Asked::of(&words(&run.line)?)?;
    let checked = serde_json::from_slice::<Value>(&run.finished.stdout)
        .map_err(|error| error.to_string())
        .and_then(|answer| schemas.check(asked.schema(&answer), &answer));
    checked.err().map(|flaw| format!("answer of `{}`: {flaw}", run.line))
}

/// The schema of what a command line asks for.
#[derive(Debug, PartialEq, Eq)]
struct Asked(&'static str);

impl Asked {
    fn of(words: &[String]) -> Option<Self> {
        let given = |option: &str| words.iter().any(|word| word == option);
        if !given("--json") || given("--help") || given("-h") {
            return None;
        }
        if given("--version") || given("-V") {
            return Some(Self("version"));
        }
        let command = words.iter().find_map(|word| COMMANDS.iter().find(|command| *command == word));
        Some(Self(match command {
            Some(&"logs") if given("timeline") => "logs-timeline",
            Some(&"logs") if given("failures") => "logs-failures",
            Some(command) => command,
            // Only a refusal answers what is no command.
            None => "error",
        }))
    }

    /// That of the answer: any command may be refused.
    fn schema(&self, answer: &Value) -> &'static str {
        if answer.get("error").is_some() { "error" } else { self.0 }
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_command_line_tells_the_schema_of_its_answer() {
        for (line, schema) in [
            ("mycelium status --json", Some("status")),
            ("mycelium --json -C run-it logs timeline", Some("logs-timeline")),
            ("mycelium logs --json --type 'failures*'", Some("logs")),
            ("mycelium --json --version", Some("version")),
            ("mycelium --json frobnicate", Some("error")),
            ("mycelium status", None),
            ("mycelium run --json --help", None),
        ] {
            assert_eq!(Asked::of(&words(line).unwrap()), schema.map(Asked), "{line}");
        }
    }

    #[test]
    fn a_refusal_is_one_whatever_was_asked() {
        let asked = Asked("run");
        assert_eq!(asked.schema(&serde_json::json!({ "error": {} })), "error");
        assert_eq!(asked.schema(&serde_json::json!([])), "run");
    }
}
