//! Tokens by kind, in one convention whatever the provider's: cached input is part of the input (design 3.6), reasoning
//! is part of the output.

use std::collections::BTreeMap;

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

    /// What came after a moment at which the count was `before`.
    #[must_use]
    fn since(self, before: Self) -> Self {
        self.with(before, u64::saturating_sub)
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

/// The last counts of sessions: agents report what a session used since it began, so that adding reports up would count
/// the beginning of a resumed one again.
#[derive(Debug, Clone, Default, PartialEq, Eq)]
pub struct Counters(BTreeMap<String, Tokens>);

impl Counters {
    /// Knows the last count of a session, as it was kept.
    pub fn remember(&mut self, session: &str, total: Tokens) {
        self.0.insert(session.to_owned(), total);
    }

    /// What a session used since its last count. A count that went down was begun anew, as it is after a kill that lost
    /// a turn: all of it is new.
    pub fn count(&mut self, session: &str, total: Tokens) -> Tokens {
        let before = self.0.insert(session.to_owned(), total).unwrap_or_default();
        if total.input < before.input || total.output < before.output { total } else { total.since(before) }
    }
}

#[cfg(test)]
mod tests {
    use proptest::prelude::*;

    use super::*;

    fn tokens(input: u64, output: u64) -> Tokens {
        Tokens { input, output, ..Tokens::default() }
    }

    #[test]
    fn a_resumed_session_is_counted_once() {
        let mut counters = Counters::default();
        assert_eq!(counters.count("a", tokens(100, 1)), tokens(100, 1));
        assert_eq!(counters.count("b", tokens(7, 7)), tokens(7, 7));
        assert_eq!(counters.count("a", tokens(300, 3)), tokens(200, 2));
        assert_eq!(counters.count("a", tokens(700, 7)), tokens(400, 4));
        assert_eq!(counters.count("a", tokens(700, 7)), Tokens::default());
    }

    #[test]
    fn a_count_that_began_anew_is_all_new() {
        let mut counters = Counters::default();
        counters.remember("a", tokens(300, 3));
        assert_eq!(counters.count("a", tokens(100, 9)), tokens(100, 9));
        assert_eq!(counters.count("a", tokens(150, 9)), tokens(50, 0));
    }

    proptest! {
        #[test]
        fn the_parts_of_a_growing_count_add_up_to_it(steps in proptest::collection::vec((0_u64..1 << 40, 0_u64..1 << 40), 0..20)) {
            let (mut counters, mut total, mut sum) = (Counters::default(), Tokens::default(), Tokens::default());
            for (input, output) in steps {
                total = total.plus(tokens(input, output));
                sum = sum.plus(counters.count("a", total));
            }
            prop_assert_eq!(sum, total);
        }
    }
}
