//! The budget gate: totals against limits, every time, never a delta (design 3.1).

use mycelium_schemas::{
    config::{Budgets, Price},
    event::{BudgetMetric, BudgetScope, BudgetVerdict},
    state::Usage,
};

/// Cost of tokens at a price, in millionths of a US dollar, rounded up so that no use is free.
pub fn cost_microusd(usage: Usage, price: Price) -> u64 {
    let cached = usage.cached_input_tokens.min(usage.input_tokens);
    let written = usage.cache_write_input_tokens.min(usage.input_tokens - cached);
    let fresh = usage.input_tokens - cached - written;
    let total = u128::from(fresh) * u128::from(price.input)
        + u128::from(cached) * u128::from(price.cached_input)
        + u128::from(written) * u128::from(price.cache_write_input)
        + u128::from(usage.output_tokens) * u128::from(price.output);
    u64::try_from(total.div_ceil(1_000_000)).unwrap_or(u64::MAX)
}

/// Every limit that the totals exceed.
pub fn exceeded(budgets: &Budgets, task: Usage, run: Usage) -> Vec<BudgetVerdict> {
    use BudgetMetric::{CostMicrousd, Tokens};
    use BudgetScope::{Run, Task};
    [
        (Task, Tokens, task.tokens(), budgets.max_tokens_per_task),
        (Run, Tokens, run.tokens(), budgets.max_tokens_per_run),
        (Task, CostMicrousd, task.cost_microusd, budgets.max_cost_microusd_per_task),
        (Run, CostMicrousd, run.cost_microusd, budgets.max_cost_microusd_per_run),
    ]
    .into_iter()
    .filter_map(|(scope, metric, used, limit)| {
        let limit = limit?;
        (used > limit).then_some(BudgetVerdict { scope, metric, used, limit })
    })
    .collect()
}

/// What a verdict says was used of what, with the unit.
pub fn spoken(verdict: &BudgetVerdict) -> String {
    match verdict.metric {
        BudgetMetric::Tokens => format!("{} tokens of {}", verdict.used, verdict.limit),
        BudgetMetric::CostMicrousd => format!("{} of {}", dollars(verdict.used), dollars(verdict.limit)),
    }
}

/// Millionths of a US dollar as people write them.
pub fn dollars(microusd: u64) -> String {
    format!("${}.{:06}", microusd / 1_000_000, microusd % 1_000_000)
}

#[cfg(test)]
mod tests {
    use super::*;

    fn tokens(input: u64, output: u64) -> Usage {
        Usage { input_tokens: input, output_tokens: output, ..Usage::default() }
    }

    #[test]
    fn a_total_at_the_limit_is_within_and_one_more_is_over() {
        let budgets = Budgets { max_tokens_per_task: Some(100), ..Budgets::default() };
        assert!(exceeded(&budgets, tokens(60, 40), tokens(60, 40)).is_empty());
        let over = exceeded(&budgets, tokens(60, 41), tokens(60, 41));
        assert_eq!((over.len(), over[0].used, over[0].limit), (1, 101, 100));
    }

    #[test]
    fn the_verdict_depends_on_totals_alone() {
        let budgets = Budgets { max_tokens_per_run: Some(10), ..Budgets::default() };
        // Judged again after a crash with nothing new, the same total is still over.
        for _ in 0..2 {
            assert_eq!(exceeded(&budgets, tokens(0, 0), tokens(11, 0)).len(), 1);
        }
    }

    #[test]
    fn what_was_used_is_said_with_its_unit() {
        let of = |metric, used| BudgetVerdict { scope: BudgetScope::Task, metric, used, limit: 2500 };
        assert_eq!(spoken(&of(BudgetMetric::Tokens, 3200)), "3200 tokens of 2500");
        assert_eq!(spoken(&of(BudgetMetric::CostMicrousd, 12_003_200)), "$12.003200 of $0.002500");
    }

    #[test]
    fn cached_tokens_are_part_of_input_and_cost_their_own_price() {
        let price = Price {
            input: 2_000_000,
            cached_input: 500_000,
            cache_write_input: 3_000_000,
            output: 10_000_000,
        };
        let usage = Usage { input_tokens: 10, cached_input_tokens: 4, output_tokens: 3, ..Usage::default() };
        assert_eq!(cost_microusd(usage, price), 6 * 2 + 2 + 30);
        let usage = Usage { cache_write_input_tokens: 5, reasoning_output_tokens: 2, ..usage };
        assert_eq!(cost_microusd(usage, price), 2 + 2 + 15 + 30);
        // What a provider counts twice is paid once: no more is written than is left of the input.
        let usage = Usage { cache_write_input_tokens: 9, ..usage };
        assert_eq!(cost_microusd(usage, price), 2 + 18 + 30);
        assert_eq!(cost_microusd(tokens(1, 0), Price { input: 1, ..Price::default() }), 1);
        assert_eq!(cost_microusd(tokens(u64::MAX, u64::MAX), price), u64::MAX);
    }
}
