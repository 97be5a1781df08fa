//! The agents that have an adapter.

use std::path::Path;

use crate::version::{Tested, Version};

/// A coding agent whose command line and events are known.
#[derive(Debug, Clone, Copy, PartialEq, Eq, PartialOrd, Ord, Hash)]
pub enum Agent {
    /// Codex CLI: `codex exec --json`.
    Codex,
    /// Claude Code: `claude -p --output-format stream-json`.
    Claude,
}

/// A signal that asks an agent to end.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum StopSignal {
    /// SIGINT.
    Interrupt,
    /// SIGTERM.
    Terminate,
}

impl Agent {
    /// All of them.
    pub const ALL: [Self; 2] = [Self::Codex, Self::Claude];

    /// Its name in configuration and events.
    pub fn name(self) -> &'static str {
        match self {
            Self::Codex => "codex",
            Self::Claude => "claude",
        }
    }

    /// The program that is started where the configuration names no other.
    pub fn program(self) -> &'static str {
        match self {
            Self::Codex => "codex",
            Self::Claude => "claude",
        }
    }

    /// The npm package that it comes in.
    pub fn package(self) -> &'static str {
        match self {
            Self::Codex => "@openai/codex",
            Self::Claude => "@anthropic-ai/claude-code",
        }
    }

    /// The signal at which it ends its commands too: at any other, Codex leaves the children of its commands behind, and
    /// Claude exits with 0.
    pub fn stop_signal(self) -> StopSignal {
        match self {
            Self::Codex => StopSignal::Interrupt,
            Self::Claude => StopSignal::Terminate,
        }
    }

    /// Whether the id of a new conversation is chosen by whoever starts it. Codex tells its own, with its first event.
    pub fn lets_session_be_chosen(self) -> bool {
        match self {
            Self::Codex => false,
            Self::Claude => true,
        }
    }

    /// The folder below its own one in which its conversations lie, at most [`Self::SESSION_DEPTH`] folders deep.
    pub fn sessions(self) -> &'static Path {
        Path::new(match self {
            Self::Codex => "sessions",
            Self::Claude => "projects",
        })
    }

    /// Folders between [`Self::sessions`] and a file in it: year, month and day for Codex, the workspace for Claude.
    pub const SESSION_DEPTH: usize = 3;

    /// Whether a file of that name in there holds the conversation.
    pub fn is_session_file(self, name: &str, session: &str) -> bool {
        let stem = name.strip_suffix(".jsonl").and_then(|stem| stem.strip_suffix(session));
        match self {
            Self::Codex => stem.is_some_and(|stem| stem.starts_with("rollout-") && stem.ends_with('-')),
            Self::Claude => stem == Some(""),
        }
    }

    /// The versions whose events were recorded and are replayed by the tests.
    pub fn tested(self) -> Tested {
        match self {
            Self::Codex => Tested { from: Version::new(0, 100, 0), to: Version::new(0, 169, 0) },
            Self::Claude => Tested { from: Version::new(2, 1, 330), to: Version::new(2, 1, 330) },
        }
    }
}
