//! `claude -p`: nothing of the user's settings, no servers of tools, no permission that nobody could give, no traffic
//! but to the model.

use crate::invocation::{Invocation, Session, Start};

/// The tools that it has with `--bare`.
const TOOLS: &str = "Bash,Read,Edit";

pub(crate) fn of(start: &Start<'_>) -> Invocation {
    let mut call = Invocation::default();
    call.env.clone_from(start.marks);
    call.env("ANTHROPIC_BASE_URL", start.base_url)
        // It starts with none; the gateway holds the real one.
        .env("ANTHROPIC_API_KEY", "mycelium-gateway")
        .env("CLAUDE_CONFIG_DIR", start.home.to_string_lossy())
        .env("CLAUDE_CODE_DISABLE_NONESSENTIAL_TRAFFIC", "1");
    if start.as_root {
        // It refuses to work without asking as root, unless it is told that nothing can come of it.
        call.env("IS_SANDBOX", "1");
    }
    call.args(["-p", "--output-format", "stream-json", "--verbose", "--bare"]);
    call.args(["--model", start.model]);
    call.args(["--permission-mode", "bypassPermissions", "--permission-prompts", "none"]);
    call.args(["--strict-mcp-config", "--setting-sources", ""]);
    match start.answer {
        Some(answer) => call.args(["--tools", "", "--json-schema", answer.schema]),
        None => call.args(["--tools", TOOLS]),
    };
    match start.session {
        Session::New(session) => call.args(["--session-id", session]),
        Session::Resume(session) => call.args(["--resume", session]),
    };
    call.args.extend_from_slice(start.more);
    call
}
