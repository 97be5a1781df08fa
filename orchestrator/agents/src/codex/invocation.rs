//! `codex exec`: nothing of the user's configuration, one provider without a key, no analytics, no plugins fetched, no
//! waiting for a network without end. Its own sandbox is off: the workspace is Mycelium's, and in a container it cannot
//! work.
//!
//! The provider's address is what a key would be, and every user of the machine may read a command line: it stands in the
//! configuration of the agent's own folder, which is the only one that it reads.

use std::fmt::Write;

use crate::invocation::{Invocation, Session, Start};

/// The file of its folder that it reads settings from.
const CONFIG: &str = "config.toml";
/// What it would fetch, send or wait for by itself.
const DISABLED: [&str; 5] = ["plugins", "multi_agent", "goals", "apps", "unbounded_connection_retries"];

pub(crate) fn of(start: &Start<'_>) -> Invocation {
    let mut call = Invocation::default();
    call.env("CODEX_HOME", start.home.to_string_lossy());
    call.files.insert(CONFIG.to_owned(), provider(start.base_url));
    call.args(["exec", "--json", "--ignore-rules", "--skip-git-repo-check"]);
    call.args(["-m", start.model]);
    for setting in [
        r#"model_provider="mycelium""#.to_owned(),
        "analytics.enabled=false".to_owned(),
        r#"web_search="disabled""#.to_owned(),
        // Its commands would get the whole environment.
        r#"shell_environment_policy.inherit="core""#.to_owned(),
        marks(start),
    ] {
        call.args(["-c", &setting]);
    }
    for feature in DISABLED {
        call.args(["--disable", feature]);
    }
    call.arg("--dangerously-bypass-approvals-and-sandbox");
    call.args(["-C", &start.workspace.to_string_lossy()]);
    if let Some(answer) = start.answer {
        call.args(["--output-schema", &answer.file.to_string_lossy()]);
    }
    call.args.extend_from_slice(start.more);
    if let Session::Resume(session) = start.session {
        call.args(["resume", session]);
    }
    call.arg("-");
    call
}

fn provider(base_url: &str) -> String {
    let address = toml(&format!("{base_url}/v1"));
    format!(
        "[model_providers.mycelium]\nname = \"mycelium\"\nbase_url = {address}\nwire_api = \"responses\"\n"
    )
}

fn marks(start: &Start<'_>) -> String {
    let mut table = String::new();
    for (name, value) in start.marks {
        let comma = if table.is_empty() { "" } else { "," };
        // Writing to a string cannot fail.
        let _infallible = write!(table, "{comma}{}={}", toml(name), toml(value));
    }
    format!("shell_environment_policy.set={{{table}}}")
}

/// A basic string of TOML: JSON's, but that DEL must be escaped too.
fn toml(text: &str) -> String {
    serde_json::Value::from(text).to_string().replace('\u{7f}', "\\u007f")
}
