//! The model gateway of a run: where its agents reach their model, what they used of it, and which budget stopped them.

use std::{
    collections::BTreeMap,
    fs::File,
    io,
    path::{Path, PathBuf},
    sync::{Arc, Mutex, MutexGuard, PoisonError},
};

use mycelium_agents::tokens::Tokens;
use mycelium_core::budget;
use mycelium_gateway::{
    Client, Gateway, Key, Lease, Notice, Settings, Upstream,
    account::Limits,
    ledger::{Entry, Ledger},
    protocol::Vendor,
};
use mycelium_schemas::{
    config::{Config, Mode, Price, Provider},
    event::BudgetVerdict,
    id::TaskId,
    state::Usage,
};
use tokio::sync::mpsc;

use crate::{agent::AttemptKey, environment::Environment, error::Error, fault};

/// The gateway of a run, and what it told so far.
#[derive(Debug)]
pub(crate) struct Models {
    gateway: Gateway,
    notices: Mutex<mpsc::UnboundedReceiver<Notice>>,
    told: Mutex<Told>,
}

#[derive(Debug, Default)]
struct Told {
    used: BTreeMap<(String, u32), Usage>,
    reached: BTreeMap<(String, u32), BudgetVerdict>,
    lost: Option<String>,
    died: bool,
}

/// What an attempt used of its model.
#[derive(Debug, Default)]
pub(crate) struct Used {
    /// None where it asked nothing.
    pub(crate) usage: Option<Usage>,
    /// The budget for which it was refused, if it was.
    pub(crate) over: Option<BudgetVerdict>,
}

impl Models {
    /// Opens the gateway, if the configured agent asks a model; for containers at a socket, too.
    pub(crate) async fn open(
        config: &Config,
        environment: &Environment,
        ledger: PathBuf,
        socket: Option<&Path>,
    ) -> Result<Option<Arc<Self>>, Error> {
        if !config.worker.agent.asks_a_model() {
            return Ok(None);
        }
        let upstream = |provider: &Provider| Upstream {
            base_url: provider.base_url.clone(),
            key: provider
                .key
                .as_deref()
                .and_then(|name| environment.get(name))
                .map(|key| Key::new(key.to_owned())),
        };
        // A budget that only warns stops nobody.
        let blocks = config.budgets.mode == Mode::Block;
        let limits = |per_task: Option<u64>, per_run: Option<u64>| Limits {
            per_task: per_task.filter(|_| blocks),
            per_run: per_run.filter(|_| blocks),
        };
        let budgets = &config.budgets;
        let price = price(config);
        let settings = Settings {
            upstreams: BTreeMap::from([
                (Vendor::OpenAi, upstream(&config.gateway.openai)),
                (Vendor::Anthropic, upstream(&config.gateway.anthropic)),
            ]),
            tokens: limits(budgets.max_tokens_per_task, budgets.max_tokens_per_run),
            cost: limits(budgets.max_cost_microusd_per_task, budgets.max_cost_microusd_per_run),
            prices: Arc::new(move |_, tokens| cost(tokens, price)),
            ledger,
            keep: Arc::new(keep),
        };
        let (mut gateway, notices) = Gateway::open(settings).await?;
        if let Some(socket) = socket {
            gateway.also_listen_at(socket)?;
        }
        Ok(Some(Arc::new(Self { gateway, notices: Mutex::new(notices), told: Mutex::default() })))
    }

    /// An address for an attempt's agent.
    pub(crate) fn admit(&self, key: &AttemptKey) -> Result<Lease, Error> {
        Ok(self.gateway.admit(Client { task: key.task.to_string(), attempt: key.attempt })?)
    }

    /// What an attempt used, once its address is closed.
    pub(crate) fn used(&self, key: &AttemptKey) -> Result<Used, Error> {
        let mut told = lock(&self.told);
        while let Ok(notice) = lock(&self.notices).try_recv() {
            told.take(notice);
        }
        if told.died {
            return Err(Error::Lost("the count of a model's response"));
        }
        if let Some(why) = &told.lost {
            return Err(Error::Uncounted { why: why.clone() });
        }
        let of = (key.task.to_string(), key.attempt);
        Ok(Used { usage: told.used.get(&of).copied(), over: told.reached.get(&of).cloned() })
    }
}

impl Told {
    fn take(&mut self, notice: Notice) {
        match notice {
            Notice::Counted(entry) => {
                let used = self.used.entry((entry.task.clone(), entry.attempt)).or_default();
                *used = used.plus(usage(&entry));
            }
            Notice::Refused { task, attempt, reached } => drop(self.reached.insert((task, attempt), reached)),
            Notice::Lost(why) => drop(self.lost.get_or_insert(why)),
            Notice::Died => self.died = true,
        }
    }
}

fn lock<T>(mutex: &Mutex<T>) -> MutexGuard<'_, T> {
    mutex.lock().unwrap_or_else(PoisonError::into_inner)
}

/// What an attempt used by a run's ledger, where a process ended before it could journal it.
pub(crate) fn recorded(ledger: &Path, task: &TaskId, attempt: u32) -> Result<Option<Usage>, Error> {
    if !ledger.exists() {
        return Ok(None);
    }
    let (_, entries) = Ledger::open(ledger).map_err(mycelium_gateway::GatewayError::from)?;
    let of_it = entries.iter().filter(|entry| entry.task == task.as_str() && entry.attempt == attempt);
    Ok(of_it.map(usage).reduce(Usage::plus))
}

fn usage(entry: &Entry) -> Usage {
    Usage {
        input_tokens: entry.input_tokens,
        cached_input_tokens: entry.cached_input_tokens,
        output_tokens: entry.output_tokens,
        cost_microusd: entry.cost_microusd,
    }
}

/// What a response used is durable before the agent sees its end.
fn keep(file: &mut File, line: &[u8]) -> io::Result<()> {
    fault::write_all!("models.write", file, line)?;
    fault::point!("models.sync", file.sync_data())
}

fn price(config: &Config) -> Option<Price> {
    config.budgets.prices.get(&config.worker.model).copied()
}

fn cost(tokens: Tokens, price: Option<Price>) -> u64 {
    let usage = Usage {
        input_tokens: tokens.input,
        cached_input_tokens: tokens.cached_input,
        output_tokens: tokens.output,
        cost_microusd: 0,
    };
    price.map_or(0, |price| budget::cost_microusd(usage, price))
}
