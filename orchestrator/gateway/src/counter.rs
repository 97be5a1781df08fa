//! Accounts and ledger as one: what is admitted, counted and made durable, and who hears of it.

use std::{
    path::Path,
    sync::{Arc, Mutex, MutexGuard, PoisonError},
    time::Duration,
};

use mycelium_agents::tokens::Tokens;
use mycelium_schemas::event::BudgetVerdict;
use tokio::sync::{mpsc, watch};

use crate::{
    account::{Account, Limits, Spent, Ticket, Verdict},
    ledger::{Entry, Keep, Ledger, LedgerError, tokens_of},
    server::Served,
};

/// How often whoever waits for others gives a sign that it is not stuck.
const SIGN_EVERY: Duration = Duration::from_secs(1);

/// Millionths of a US dollar that tokens cost: of the model that a request names, or else of the one that is known of
/// whoever asked.
pub type Prices = dyn Fn([&str; 2], Tokens) -> u64 + Send + Sync;

/// What the gateway tells of.
#[derive(Debug, Clone, PartialEq, Eq)]
pub enum Notice {
    /// A response was counted, durably.
    Counted(Entry),
    /// A request was refused because a budget is used up.
    Refused {
        /// The task that asked.
        task: String,
        /// Its attempt.
        attempt: u32,
        /// Who of the attempt asked.
        by: String,
        /// The limit.
        reached: BudgetVerdict,
    },
    /// What a response used, or what it said where that is recorded, could not be made durable: the run must not go on.
    Lost(String),
    /// A request was refused because nothing of the kind was recorded: which one, and how it differs.
    NotRecorded(String),
    /// A bug ended the count of a response, or its recording: the run must not go on.
    Died,
}

/// Counts for all tasks of a run.
#[derive(Clone)]
pub(crate) struct Counter {
    inner: Arc<Mutex<Inner>>,
    prices: Arc<Prices>,
    notices: mpsc::UnboundedSender<Notice>,
    /// Tells whoever waits that a request has ended.
    ended: Arc<watch::Sender<()>>,
}

struct Inner {
    account: Account,
    ledger: Ledger,
}

impl std::fmt::Debug for Counter {
    fn fmt(&self, f: &mut std::fmt::Formatter<'_>) -> std::fmt::Result {
        f.debug_struct("Counter").finish_non_exhaustive()
    }
}

impl Counter {
    /// Goes on with a ledger, or begins one.
    pub(crate) fn open(
        path: &Path,
        keep: Arc<Keep>,
        tokens: Limits,
        cost: Limits,
        prices: Arc<Prices>,
        notices: mpsc::UnboundedSender<Notice>,
    ) -> Result<Self, LedgerError> {
        let (ledger, entries) = Ledger::open(path)?;
        let ledger = ledger.kept_by(keep);
        let mut account = Account::new(tokens, cost);
        for entry in entries {
            account.count(&entry.task, spent(&entry));
        }
        let (ended, _) = watch::channel(());
        let (inner, ended) = (Arc::new(Mutex::new(Inner { account, ledger })), Arc::new(ended));
        Ok(Self { inner, prices, notices, ended })
    }

    /// Lets a request through, at once or when enough is known of what those under way used.
    pub(crate) async fn admit(&self, served: &Served) -> Result<Admitted, BudgetVerdict> {
        let client = &served.client;
        let mut ended = self.ended.subscribe();
        loop {
            let verdict = self.inner().account.admit(&client.task);
            match verdict {
                Verdict::Goes(ticket) => {
                    let (counter, model) = (self.clone(), client.model.clone());
                    return Ok(Admitted { counter, ticket: Some(ticket), model });
                }
                Verdict::Refused(reached) => {
                    let (task, attempt, by) = (client.task.clone(), client.attempt, client.by.clone());
                    self.tell(Notice::Refused { task, attempt, by, reached: reached.clone() });
                    return Err(reached);
                }
                Verdict::Waits => {
                    // Asked again where nothing has ended, too, which changes nothing.
                    let _passed = tokio::time::timeout(SIGN_EVERY, ended.changed()).await;
                    served.signs.note();
                }
            }
        }
    }

    fn inner(&self) -> MutexGuard<'_, Inner> {
        self.inner.lock().unwrap_or_else(PoisonError::into_inner)
    }

    pub(crate) fn tell(&self, notice: Notice) {
        // Nobody listens any more when the run is ending.
        let _unheard = self.notices.send(notice);
    }

    /// Tells of a bug that ends what the caller is about, if one does.
    fn tell_of_panic(&self) {
        if std::thread::panicking() {
            // On a thread of its own: nobody else would hear of it, and a task would be charged for a bug.
            self.tell(Notice::Died);
        }
    }

    /// Tells of a bug that ends what is done for as long as this is held.
    pub(crate) fn watch(&self) -> Watch<'_> {
        Watch(self)
    }
}

/// Tells of a bug when it is dropped by one.
pub(crate) struct Watch<'a>(&'a Counter);

impl Drop for Watch<'_> {
    fn drop(&mut self) {
        self.0.tell_of_panic();
    }
}

fn spent(entry: &Entry) -> Spent {
    Spent { tokens: tokens_of(entry).total(), microusd: entry.cost_microusd }
}

/// A request that may be made. What is not settled is given up.
#[derive(Debug)]
pub(crate) struct Admitted {
    counter: Counter,
    ticket: Option<Ticket>,
    /// The model that is known of whoever asked.
    model: String,
}

impl Admitted {
    /// Counts what the response used; durable when this returns. Blocks for as long as the disk takes.
    pub(crate) fn settle(mut self, mut entry: Entry) -> Result<(), LedgerError> {
        let Some(ticket) = self.ticket.take() else { return Ok(()) };
        entry.cost_microusd = (self.counter.prices)([&entry.model, &self.model], tokens_of(&entry));
        let written = {
            let mut inner = self.counter.inner();
            // Counted even where the disk fails: this run at least must know.
            inner.account.settle(ticket, spent(&entry));
            inner.ledger.append(&entry)
        };
        self.counter.ended.send_replace(());
        self.counter.tell(match &written {
            Ok(()) => Notice::Counted(entry),
            Err(error) => Notice::Lost(error.to_string()),
        });
        written
    }
}

impl Drop for Admitted {
    fn drop(&mut self) {
        self.counter.tell_of_panic();
        if let Some(ticket) = self.ticket.take() {
            self.counter.inner().account.give_up(ticket);
            self.counter.ended.send_replace(());
        }
    }
}
