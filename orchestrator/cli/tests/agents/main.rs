//! The real agents, Codex CLI and Claude Code, asked by the built program, with a scripted model behind the gateway.
//! `.ci/agents` installs them and runs these; without it they are ignored, and shown so.
#![expect(clippy::unwrap_used, reason = "a failed unwrap is a failed test")]

mod answering;
mod cassettes;
mod contained;
#[path = "../it/place.rs"]
#[expect(dead_code, reason = "the other tests use the rest")]
mod place;
mod workers;

use std::{
    env, fs,
    path::{Path, PathBuf},
};

use mycelium_fixtures::models::{ModelServer, Script, Tokens, Tool, Track, Turn};
use serde_json::Value;

use place::Place;

const KEY: &str = "sk-the-operators-own-key-0123456789";
const TWO: &str = r#"{"tasks": [
  {"id": "001", "name": "One", "spec": "Write docs/one.md.", "files": {"writes": ["docs/one.md"]}},
  {"id": "002", "name": "Two", "spec": "Write docs/two.md.", "files": {"writes": ["docs/two.md"]}}]}"#;

/// The real agents.
#[derive(Debug, Clone, Copy)]
enum Agent {
    Codex,
    Claude,
}

impl Agent {
    const ALL: [Self; 2] = [Self::Codex, Self::Claude];

    fn name(self) -> &'static str {
        match self {
            Self::Codex => "codex",
            Self::Claude => "claude",
        }
    }

    fn model(self) -> &'static str {
        match self {
            Self::Codex => "gpt-5.5",
            Self::Claude => "claude-sonnet-4-5",
        }
    }

    /// A file of the folder that the agents are installed in.
    fn installed(path: &str) -> PathBuf {
        let folder = env::var("MYCELIUM_AGENTS_DIR").expect("`.ci/agents` says where the agents are");
        let installed = Path::new(&folder).join("node_modules").join(path);
        assert!(installed.exists(), "{} is not there", installed.display());
        installed
    }

    fn program(self) -> PathBuf {
        Self::installed(&format!(".bin/{}", self.name()))
    }

    /// The configuration's line about whose model it asks.
    fn gateway(self, models: &ModelServer) -> String {
        let vendor = match self {
            Self::Codex => "openai",
            Self::Claude => "anthropic",
        };
        format!("gateway: {{ {vendor}: {{ base_url: \"{}\", key: OPERATORS_KEY }} }}\n", models.base_url())
    }

    /// An answer in the form that is asked for, as a model gives it to this agent.
    fn answers(self, answer: &Value, usage: Tokens) -> Turn {
        match self {
            Self::Codex => Turn { text: Some(answer.to_string()), usage, ..Turn::default() },
            Self::Claude => {
                let tool = Tool { name: "StructuredOutput".to_owned(), args: answer.clone() };
                Turn { tools: vec![tool], usage, ..Turn::default() }
            }
        }
    }
}

/// Two tasks, whose conversations are told apart by what they are asked for.
fn script(one: Vec<Turn>, two: Vec<Turn>) -> Script {
    let track = |when: &str, turns| Track { when: when.to_owned(), turns };
    Script { tracks: vec![track("docs/one.md", one), track("docs/two.md", two)], ..Script::default() }
}

fn runs(command: &str, input: u64, output: u64) -> Turn {
    Turn {
        shell: Some(command.to_owned()),
        usage: Tokens { input, output, ..Tokens::default() },
        ..Turn::default()
    }
}

fn says(text: &str, input: u64, output: u64) -> Turn {
    Turn {
        text: Some(text.to_owned()),
        usage: Tokens { input, cached: input / 2, output, ..Tokens::default() },
        ..Turn::default()
    }
}

fn writes(name: &str) -> Turn {
    runs(&format!("mkdir -p docs && echo {name} > docs/{name}.md"), 1000, 30)
}

/// Lets the programs of a place find what the agents need of this machine, and the key.
fn equip(place: &mut Place) {
    place.sandbox.set("OPERATORS_KEY", KEY);
    place.sandbox.set("PATH", env::var("PATH").unwrap());
}

fn tokens(status: &Value, task: &str) -> u64 {
    let usage = &status["tasks"][task]["usage"];
    usage["input_tokens"].as_u64().unwrap() + usage["output_tokens"].as_u64().unwrap()
}

/// Every file below a folder that holds a text.
fn holding(folder: &Path, text: &str) -> Vec<PathBuf> {
    let mut found = Vec::new();
    for entry in fs::read_dir(folder).unwrap().map(Result::unwrap) {
        let kind = entry.file_type().unwrap();
        if kind.is_dir() {
            found.extend(holding(&entry.path(), text));
        } else if kind.is_file() {
            let bytes = fs::read(entry.path()).unwrap();
            if bytes.windows(text.len()).any(|part| part == text.as_bytes()) {
                found.push(entry.path());
            }
        }
    }
    found
}
