//! The typed parameters of steps. Each expression lists the allowed values, so that a wrong one is found by `accept
//! lint`, before anything runs. The tests hold the lists against the schemas.

use std::{convert::Infallible, str::FromStr};

use cucumber::Parameter;
use mycelium_fixtures::Fixture;
use rustix::process::Signal;

/// A value that the parameter's expression lets through but its type does not.
#[derive(Debug, thiserror::Error)]
#[error("{0:?} is not an allowed value")]
pub(crate) struct ParameterError(String);

macro_rules! text_parameter {
    ($(#[$doc:meta])* $name:ident, $parameter:literal, $regex:literal) => {
        $(#[$doc])*
        #[derive(Debug, Clone, PartialEq, Eq, Parameter)]
        #[param(name = $parameter, regex = $regex)]
        pub(crate) struct $name(String);

        impl $name {
            /// The value.
            pub(crate) fn as_str(&self) -> &str {
                &self.0
            }
        }

        impl FromStr for $name {
            type Err = ParameterError;

            fn from_str(text: &str) -> Result<Self, ParameterError> {
                Ok(Self(text.to_owned()))
            }
        }
    };
}

text_parameter!(
    /// A task by its id, in quotes.
    TaskName,
    "task",
    r#""([A-Za-z0-9][A-Za-z0-9._-]*)""#
);
text_parameter!(
    /// The type of an event, in quotes.
    EventType,
    "eventType",
    r#""(run\.start|run\.resume|run\.stop|run\.complete|batch\.start|batch\.complete|task\.start|task\.retry|task\.rescope|task\.validated|task\.landed|task\.fail|task\.review|worker\.start|worker\.exit|worker\.lost|worker\.reattach|agent\.event|usage\.update|manifest\.warn|manifest\.block|validator\.pass|validator\.warn|validator\.block|budget\.warn|budget\.block|landing\.intent|landing\.conflict|landing\.doctor_pass|landing\.doctor_fail|landing\.bisect|landing\.done|landing\.refused|path\.refused|secret\.redacted|review\.approve|review\.retry|review\.reject|journal\.truncated|container\.create|container\.start|container\.exit|container\.remove|container\.reattach)""#
);
text_parameter!(
    /// The status of a run, in quotes.
    RunStatusName,
    "runStatus",
    r#""(running|complete|failed|needs_human_review|interrupted)""#
);
text_parameter!(
    /// The status of a task, in quotes.
    TaskStatusName,
    "taskStatus",
    r#""(pending|running|validated|landed|failed|needs_human_review|skipped)""#
);
text_parameter!(
    /// Why a run stopped, in quotes.
    StopReasonName,
    "stopReason",
    r#""(budget_block|validator_block|manifest_block|task_failed|doctor_failed|review|checkout_blocked|branch_rewound|environment|signal)""#
);

/// A signal that asks a program to stop.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Parameter)]
#[param(name = "signal", regex = r"(SIGINT|SIGTERM|SIGHUP)")]
pub(crate) struct SignalName(pub(crate) Signal);

impl FromStr for SignalName {
    type Err = ParameterError;

    fn from_str(text: &str) -> Result<Self, ParameterError> {
        match text {
            "SIGINT" => Ok(Self(Signal::INT)),
            "SIGTERM" => Ok(Self(Signal::TERM)),
            "SIGHUP" => Ok(Self(Signal::HUP)),
            _ => Err(ParameterError(text.to_owned())),
        }
    }
}

/// What has become of a file.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Parameter)]
#[param(
    name = "damage",
    regex = r"(empty|garbage|an array|NUL bytes|a folder|a pipe|missing|of a newer format)"
)]
pub(crate) enum Damage {
    /// It holds nothing.
    Empty,
    /// It holds bytes that are no text.
    Garbage,
    /// It holds JSON of another shape.
    Array,
    /// It holds NUL bytes alone.
    Nuls,
    /// A folder lies in its place.
    Folder,
    /// A named pipe lies in its place.
    Pipe,
    /// It is not there.
    Missing,
    /// It says that a version to come has written it.
    Newer,
}

impl FromStr for Damage {
    type Err = ParameterError;

    fn from_str(text: &str) -> Result<Self, ParameterError> {
        Ok(match text {
            "empty" => Self::Empty,
            "garbage" => Self::Garbage,
            "an array" => Self::Array,
            "NUL bytes" => Self::Nuls,
            "a folder" => Self::Folder,
            "a pipe" => Self::Pipe,
            "missing" => Self::Missing,
            "of a newer format" => Self::Newer,
            _ => return Err(ParameterError(text.to_owned())),
        })
    }
}

/// What stands behind the last whole line of a file.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Parameter)]
#[param(name = "raggedEnd", regex = r"(NUL bytes|half a character|garbage)")]
pub(crate) enum RaggedEnd {
    /// What a power cut leaves.
    Nuls,
    /// A line that was cut within a character.
    HalfCharacter,
    /// A line of bytes that are no text.
    Garbage,
}

impl FromStr for RaggedEnd {
    type Err = ParameterError;

    fn from_str(text: &str) -> Result<Self, ParameterError> {
        Ok(match text {
            "NUL bytes" => Self::Nuls,
            "half a character" => Self::HalfCharacter,
            "garbage" => Self::Garbage,
            _ => return Err(ParameterError(text.to_owned())),
        })
    }
}

/// An agent that asks a model, in quotes.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Parameter)]
#[param(name = "hiredAgent", regex = r#""(codex|claude)""#)]
pub(crate) enum HiredAgent {
    /// Codex CLI.
    Codex,
    /// Claude Code.
    Claude,
}

impl HiredAgent {
    /// Its name in the configuration.
    pub(crate) fn name(self) -> &'static str {
        match self {
            Self::Codex => "codex",
            Self::Claude => "claude",
        }
    }

    /// A model that the real one knows.
    pub(crate) fn model(self) -> &'static str {
        match self {
            Self::Codex => "gpt-5.5",
            Self::Claude => "claude-sonnet-4-5",
        }
    }

    /// The name of its provider there.
    pub(crate) fn provider(self) -> &'static str {
        match self {
            Self::Codex => "openai",
            Self::Claude => "anthropic",
        }
    }
}

impl FromStr for HiredAgent {
    type Err = ParameterError;

    fn from_str(text: &str) -> Result<Self, ParameterError> {
        Ok(match text {
            "codex" => Self::Codex,
            "claude" => Self::Claude,
            _ => return Err(ParameterError(text.to_owned())),
        })
    }
}

/// An interface of models, in quotes, as the configuration names whoever is asked by it.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Parameter)]
#[param(name = "modelInterface", regex = r#""(openai|anthropic|compatible)""#)]
pub(crate) enum ModelInterface {
    /// Responses.
    Openai,
    /// Messages.
    Anthropic,
    /// Chat completions.
    Compatible,
}

impl ModelInterface {
    /// Its name in the configuration.
    pub(crate) fn name(self) -> &'static str {
        match self {
            Self::Openai => "openai",
            Self::Anthropic => "anthropic",
            Self::Compatible => "compatible",
        }
    }

    /// The name of its provider there.
    pub(crate) fn provider(self) -> &'static str {
        match self {
            Self::Openai | Self::Compatible => "openai",
            Self::Anthropic => "anthropic",
        }
    }
}

impl FromStr for ModelInterface {
    type Err = ParameterError;

    fn from_str(text: &str) -> Result<Self, ParameterError> {
        Ok(match text {
            "openai" => Self::Openai,
            "anthropic" => Self::Anthropic,
            "compatible" => Self::Compatible,
            _ => return Err(ParameterError(text.to_owned())),
        })
    }
}

/// The short name of a validator, in quotes.
#[derive(Debug, Clone, PartialEq, Eq, Parameter)]
#[param(name = "validator", regex = r#""(test|style|architecture|doctor)""#)]
pub(crate) struct ValidatorName(String);

impl ValidatorName {
    /// As the configuration has it, without what all of them have.
    pub(crate) fn as_str(&self) -> &str {
        &self.0
    }
}

impl FromStr for ValidatorName {
    type Err = Infallible;

    fn from_str(text: &str) -> Result<Self, Infallible> {
        Ok(Self(text.to_owned()))
    }
}

/// A fixture repository by name, in quotes.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Parameter)]
#[param(name = "fixture", regex = r#""(toy-repo|conflict-repo|large-repo-sim)""#)]
pub(crate) struct FixtureName(pub(crate) Fixture);

impl FromStr for FixtureName {
    type Err = ParameterError;

    fn from_str(text: &str) -> Result<Self, ParameterError> {
        Fixture::named(text).map(Self).ok_or_else(|| ParameterError(text.to_owned()))
    }
}

#[cfg(test)]
mod tests {
    use std::collections::BTreeSet;

    use mycelium_schemas::{
        event::EventKind,
        state::{RunStatus, StopReason, TaskStatus},
    };
    use serde::de::DeserializeOwned;

    use super::*;

    fn allowed(regex: &str) -> BTreeSet<String> {
        let inner = regex.strip_prefix("\"(").and_then(|r| r.strip_suffix(")\"")).unwrap();
        inner.replace('\\', "").split('|').map(str::to_owned).collect()
    }

    /// Serde lists the variants in its error for an unknown one.
    fn variants<T: DeserializeOwned>() -> BTreeSet<String> {
        let Err(error) = serde_json::from_str::<T>("\"no such variant\"") else { panic!("it exists") };
        let text = error.to_string();
        let list = text.split("expected one of ").nth(1).unwrap().split(" at line").next().unwrap();
        list.split(", ").map(|name| name.trim_matches('`').to_owned()).collect()
    }

    #[test]
    fn the_lists_are_those_of_the_schemas() {
        let types: BTreeSet<String> = EventKind::TYPES.iter().map(|&name| name.to_owned()).collect();
        assert_eq!(allowed(EventType::REGEX), types);
        assert_eq!(allowed(RunStatusName::REGEX), variants::<RunStatus>());
        assert_eq!(allowed(TaskStatusName::REGEX), variants::<TaskStatus>());
        assert_eq!(allowed(StopReasonName::REGEX), variants::<StopReason>());
        let fixtures: BTreeSet<String> = Fixture::ALL.iter().map(|f| f.name().to_owned()).collect();
        assert_eq!(allowed(FixtureName::REGEX), fixtures);
    }
}
