//! Tokens by kind, in one convention whatever the provider's: cached input is part of the input (design 3.6), reasoning
//! is part of the output.

/// What a model read and wrote.
#[derive(Debug, Clone, Copy, Default, PartialEq, Eq)]
pub struct Tokens {
    /// Read, cached and newly cached ones included.
    pub input: u64,
    /// Of these, read from a cache.
    pub cached_input: u64,
    /// Of these, written to a cache.
    pub cache_write_input: u64,
    /// Written, reasoning included.
    pub output: u64,
    /// Of these, reasoning that nobody sees.
    pub reasoning_output: u64,
}

impl Tokens {
    /// Both together.
    #[must_use]
    pub fn plus(self, other: Self) -> Self {
        self.with(other, u64::saturating_add)
    }

    fn with(self, other: Self, of: impl Fn(u64, u64) -> u64) -> Self {
        Self {
            input: of(self.input, other.input),
            cached_input: of(self.cached_input, other.cached_input),
            cache_write_input: of(self.cache_write_input, other.cache_write_input),
            output: of(self.output, other.output),
            reasoning_output: of(self.reasoning_output, other.reasoning_output),
        }
    }

    /// What budgets count: input and output.
    pub fn total(self) -> u64 {
        self.input.saturating_add(self.output)
    }
}
