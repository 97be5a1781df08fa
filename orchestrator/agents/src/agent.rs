//! The agents that have an adapter.

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

    /// The versions whose events were recorded and are replayed by the tests.
    pub fn tested(self) -> Tested {
        match self {
            Self::Codex => Tested { from: Version::new(0, 100, 0), to: Version::new(0, 169, 0) },
            Self::Claude => Tested { from: Version::new(2, 1, 330), to: Version::new(2, 1, 330) },
        }
    }
}
