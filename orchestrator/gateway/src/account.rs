//! What tasks and the run used, and whether one more request may be made. Requests under way are reckoned with what the
//! task's last response used, since a conversation is sent anew as a whole each time. Where they may use up what is left of
//! a budget, one more waits until it is known what they used: so parallel tasks pass a budget by no more than the responses
//! that were under way when it was reached, and nobody is refused for what was only reckoned.

use std::collections::BTreeMap;

use mycelium_schemas::event::{BudgetMetric, BudgetScope, BudgetVerdict};

/// Limits of one kind of count, tokens or cost; none for no limit.
#[derive(Debug, Clone, Copy, Default, PartialEq, Eq)]
pub struct Limits {
    /// Of each task.
    pub per_task: Option<u64>,
    /// Of the run.
    pub per_run: Option<u64>,
}

/// A count of what was used: of tokens, and of money in millionths of a US dollar.
#[derive(Debug, Clone, Copy, Default, PartialEq, Eq)]
pub struct Spent {
    /// Input and output.
    pub tokens: u64,
    /// Millionths of a US dollar.
    pub microusd: u64,
}

/// The right to make one request. It must be settled, or given up where nothing came of it.
#[derive(Debug, PartialEq, Eq)]
#[must_use = "what a request used is settled"]
pub struct Ticket {
    task: String,
    reserved: Spent,
}

/// Whether one more request may be made.
#[derive(Debug, PartialEq, Eq)]
pub enum Verdict {
    /// It may.
    Goes(Ticket),
    /// Not before it is known what is used by those under way.
    Waits,
    /// A limit is reached.
    Refused(BudgetVerdict),
}

/// What was used so far, and what is under way.
#[derive(Debug, Default)]
pub struct Account {
    tokens: Limits,
    cost: Limits,
    tasks: BTreeMap<String, Task>,
    run: Spent,
    run_reserved: Spent,
}

#[derive(Debug, Default)]
struct Task {
    used: Spent,
    reserved: Spent,
    last: Spent,
}

impl Spent {
    fn plus(self, other: Self) -> Self {
        Self {
            tokens: self.tokens.saturating_add(other.tokens),
            microusd: self.microusd.saturating_add(other.microusd),
        }
    }

    fn minus(self, other: Self) -> Self {
        Self {
            tokens: self.tokens.saturating_sub(other.tokens),
            microusd: self.microusd.saturating_sub(other.microusd),
        }
    }
}

impl Account {
    /// Nothing used yet.
    pub fn new(tokens: Limits, cost: Limits) -> Self {
        Self { tokens, cost, ..Self::default() }
    }

    /// Counts what was used before, as after a restart.
    pub fn count(&mut self, task: &str, spent: Spent) {
        let of_task = self.tasks.entry(task.to_owned()).or_default();
        of_task.used = of_task.used.plus(spent);
        of_task.last = spent;
        self.run = self.run.plus(spent);
    }

    /// Lets a request of a task through, unless what was used has reached a limit, or may have with what is under way.
    pub fn admit(&mut self, task: &str) -> Verdict {
        let of_task = self.tasks.entry(task.to_owned()).or_default();
        let (used, reserved) = ((of_task.used, self.run), (of_task.reserved, self.run_reserved));
        if let Some(reached) = self.reached(used) {
            return Verdict::Refused(reached);
        }
        if self.reached((used.0.plus(reserved.0), used.1.plus(reserved.1))).is_some() {
            return Verdict::Waits;
        }
        let of_task = self.tasks.entry(task.to_owned()).or_default();
        let reserved = of_task.last;
        of_task.reserved = of_task.reserved.plus(reserved);
        self.run_reserved = self.run_reserved.plus(reserved);
        Verdict::Goes(Ticket { task: task.to_owned(), reserved })
    }

    /// The limit that this use of a task and of the run reaches.
    fn reached(&self, (of_task, of_run): (Spent, Spent)) -> Option<BudgetVerdict> {
        [
            (BudgetScope::Task, BudgetMetric::Tokens, of_task.tokens, self.tokens.per_task),
            (BudgetScope::Run, BudgetMetric::Tokens, of_run.tokens, self.tokens.per_run),
            (BudgetScope::Task, BudgetMetric::CostMicrousd, of_task.microusd, self.cost.per_task),
            (BudgetScope::Run, BudgetMetric::CostMicrousd, of_run.microusd, self.cost.per_run),
        ]
        .into_iter()
        .find_map(|(scope, metric, used, limit)| {
            let limit = limit.filter(|limit| used >= *limit)?;
            Some(BudgetVerdict { scope, metric, used, limit })
        })
    }

    /// Ends a request with what it used.
    pub fn settle(&mut self, ticket: Ticket, spent: Spent) {
        let task = ticket.task.clone();
        self.give_up(ticket);
        self.count(&task, spent);
    }

    /// Ends a request of which nothing came that costs.
    pub fn give_up(&mut self, ticket: Ticket) {
        let of_task = self.tasks.entry(ticket.task).or_default();
        of_task.reserved = of_task.reserved.minus(ticket.reserved);
        self.run_reserved = self.run_reserved.minus(ticket.reserved);
    }

    /// What a task used.
    pub fn task(&self, task: &str) -> Spent {
        self.tasks.get(task).map(|task| task.used).unwrap_or_default()
    }

    /// What the run used.
    pub fn run(&self) -> Spent {
        self.run
    }
}

#[cfg(test)]
mod tests {
    use proptest::prelude::*;

    use super::*;

    fn tokens(tokens: u64) -> Spent {
        Spent { tokens, microusd: 0 }
    }

    fn goes(verdict: Verdict) -> Ticket {
        let Verdict::Goes(ticket) = verdict else { panic!("{verdict:?}") };
        ticket
    }

    fn limited(per_task: u64, per_run: u64) -> Account {
        Account::new(Limits { per_task: Some(per_task), per_run: Some(per_run) }, Limits::default())
    }

    #[test]
    fn a_task_is_stopped_when_its_limit_is_reached_and_no_other() {
        let mut account = limited(100, 1000);
        let ticket = goes(account.admit("a"));
        account.settle(ticket, tokens(99));
        let ticket = goes(account.admit("a"));
        account.settle(ticket, tokens(30));
        let reached =
            BudgetVerdict { scope: BudgetScope::Task, metric: BudgetMetric::Tokens, used: 129, limit: 100 };
        assert_eq!(account.admit("a"), Verdict::Refused(reached));
        let ticket = goes(account.admit("b"));
        account.give_up(ticket);
        assert_eq!((account.task("a"), account.run()), (tokens(129), tokens(129)));
    }

    #[test]
    fn who_may_pass_a_limit_by_what_is_under_way_waits_until_that_is_known() {
        let mut account = limited(1000, 100);
        account.count("a", tokens(40));
        account.count("b", tokens(20));
        let first = goes(account.admit("a"));
        // 60 used and 40 under way.
        assert_eq!(account.admit("b"), Verdict::Waits);
        account.settle(first, tokens(10));
        let second = goes(account.admit("b"));
        account.settle(second, tokens(30));
        let Verdict::Refused(reached) = account.admit("a") else { panic!("it goes past the limit") };
        assert_eq!((reached.used, reached.limit), (100, 100));
    }

    #[test]
    fn cost_is_limited_like_tokens() {
        let mut account = Account::new(Limits::default(), Limits { per_task: Some(5), per_run: None });
        account.count("a", Spent { tokens: 1_000_000, microusd: 5 });
        let Verdict::Refused(reached) = account.admit("a") else { panic!("it goes past the limit") };
        assert_eq!(reached.metric, BudgetMetric::CostMicrousd);
    }

    proptest! {
        /// However requests of parallel tasks interleave: nothing starts behind a limit, and nothing reserved is left.
        #[test]
        fn a_limit_is_passed_by_no_more_than_what_was_under_way(
            moves in proptest::collection::vec((0_usize..4, 0_u64..50, any::<bool>()), 0..100),
        ) {
            let mut account = limited(150, 300);
            let mut under_way: Vec<Ticket> = Vec::new();
            let mut largest_under_way = 0_u64;
            for (task, spent, starts) in moves {
                if starts {
                    match account.admit(&task.to_string()) {
                        Verdict::Goes(ticket) => {
                            prop_assert!(account.run().tokens < 300);
                            under_way.push(ticket);
                            largest_under_way = largest_under_way.max(under_way.len() as u64);
                        }
                        // Something will end that.
                        Verdict::Waits => prop_assert!(!under_way.is_empty()),
                        // For what was used, not for what was reckoned.
                        Verdict::Refused(reached) => {
                            let used = match reached.scope {
                                BudgetScope::Task => account.task(&task.to_string()),
                                BudgetScope::Run => account.run(),
                            };
                            prop_assert_eq!((used.tokens, reached.used >= reached.limit), (reached.used, true));
                        }
                    }
                } else if let Some(ticket) = under_way.pop() {
                    account.settle(ticket, tokens(spent));
                }
            }
            let left: Vec<Ticket> = std::mem::take(&mut under_way);
            for ticket in left {
                account.settle(ticket, tokens(49));
            }
            prop_assert!(account.run().tokens < 300 + 50 * largest_under_way.max(1));
            prop_assert_eq!(account.run_reserved, Spent::default());
        }
    }
}
