//! What a model's response used: a line of a run's `models.jsonl`.

use schemars::JsonSchema;
use serde::{Deserialize, Serialize};

/// The name of an attempt's agent among those who ask. Older versions know nobody else.
pub const AGENT: &str = "agent";

fn agent() -> String {
    AGENT.to_owned()
}

fn is_agent(by: &str) -> bool {
    by == AGENT
}

/// One response of a model, as the gateway counted it.
#[derive(Debug, Clone, Default, PartialEq, Eq, Serialize, Deserialize, JsonSchema)]
pub struct ModelResponse {
    /// The task that asked.
    pub task: String,
    /// Its attempt.
    pub attempt: u32,
    /// Who of the attempt asked: its agent, or a validator.
    #[serde(default = "agent", skip_serializing_if = "is_agent")]
    pub by: String,
    /// The interface.
    pub protocol: String,
    /// The model, as the request named it.
    pub model: String,
    /// The provider's id of the response.
    pub response: Option<String>,
    /// Input tokens, cached ones included.
    pub input_tokens: u64,
    /// Of these, from the cache.
    pub cached_input_tokens: u64,
    /// Of these, into the cache.
    pub cache_write_input_tokens: u64,
    /// Output tokens, reasoning included.
    pub output_tokens: u64,
    /// Of these, reasoning.
    pub reasoning_output_tokens: u64,
    /// What it cost, in millionths of a US dollar, by the configured prices.
    pub cost_microusd: u64,
    /// True where the response broke off before it told what it used, and this is reckoned from its size.
    pub is_estimate: bool,
}
