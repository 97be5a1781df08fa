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
    Client, Gateway, Lease, Notice, Settings, Upstream,
    account::Limits,
    cassette::Tape,
    ledger::{AGENT, Entry, Ledger},
    protocol::Vendor,
};
use mycelium_schemas::{
    config::{Config, Mode, Price, Provider},
    event::BudgetVerdict,
    id::TaskId,
    state::Usage,
};
use tokio::sync::mpsc;

use crate::{agent::AttemptKey, environment::Environment, error::Error, fault, hiring, saboteur};

/// The gateway of a run, and what it told so far.
#[derive(Debug)]
pub(crate) struct Models {
    gateway: Gateway,
    agent_model: String,
    notices: Mutex<mpsc::UnboundedReceiver<Notice>>,
    told: Mutex<Told>,
}

#[derive(Debug, Default)]
struct Told {
    used: BTreeMap<Asker, Usage>,
    reached: BTreeMap<Asker, BudgetVerdict>,
    lost: Option<String>,
    not_recorded: Option<String>,
    died: bool,
}

/// Who asked: the task, its attempt, and who of it.
type Asker = (String, u32, String);

/// What somebody used of a model.
#[derive(Debug, Default)]
pub(crate) struct Used {
    /// None where nothing was asked.
    pub(crate) usage: Option<Usage>,
    /// The budget for which it was refused, if it was.
    pub(crate) over: Option<BudgetVerdict>,
}

impl Models {
    /// Opens the gateway of a run; for containers at a socket, too.
    pub(crate) async fn open(
        config: &Config,
        environment: &Environment,
        ledger: PathBuf,
        socket: Option<&Path>,
        tape: Tape,
    ) -> Result<Self, Error> {
        let budgets = &config.budgets;
        // A budget that only warns stops nobody.
        let blocks = budgets.mode == Mode::Block;
        let limits = |per_task: Option<u64>, per_run: Option<u64>| Limits {
            per_task: per_task.filter(|_| blocks),
            per_run: per_run.filter(|_| blocks),
        };
        let tokens = limits(budgets.max_tokens_per_task, budgets.max_tokens_per_run);
        let cost = limits(budgets.max_cost_microusd_per_task, budgets.max_cost_microusd_per_run);
        Self::open_with(config, environment, ledger, socket, tape, [tokens, cost]).await
    }

    /// Opens the gateway of a plan, which has no limits.
    pub(crate) async fn open_for_a_plan(
        config: &Config,
        environment: &Environment,
        ledger: PathBuf,
        tape: Tape,
    ) -> Result<Self, Error> {
        Self::open_with(config, environment, ledger, None, tape, <[Limits; 2]>::default()).await
    }

    async fn open_with(
        config: &Config,
        environment: &Environment,
        ledger: PathBuf,
        socket: Option<&Path>,
        tape: Tape,
        [tokens, cost]: [Limits; 2],
    ) -> Result<Self, Error> {
        let upstream = |provider: &Provider| Upstream {
            base_url: provider.base_url.clone(),
            // Whoever is asked here has one that can be used: that was looked at before anything began.
            key: hiring::key(provider, environment).ok().flatten(),
        };
        let mut told = Told::default();
        // An attempt that goes on has used what it used before its orchestrator ended.
        entries(&ledger)?.into_iter().for_each(|entry| told.take(Notice::Counted(entry)));
        let prices = config.budgets.prices.clone();
        let settings = Settings {
            upstreams: BTreeMap::from([
                (Vendor::OpenAi, upstream(&config.gateway.openai)),
                (Vendor::Anthropic, upstream(&config.gateway.anthropic)),
            ]),
            tokens,
            cost,
            prices: Arc::new(move |models, tokens| cost_of(&prices, models, tokens)),
            ledger,
            keep: Arc::new(keep),
            tape,
        };
        let (mut gateway, notices) = Gateway::open(settings).await?;
        if let Some(socket) = socket {
            gateway.also_listen_at(socket)?;
        }
        let agent_model = config.worker.model.clone();
        Ok(Self { gateway, agent_model, notices: Mutex::new(notices), told: Mutex::new(told) })
    }

    /// What is recorded came to its end.
    pub(crate) fn finish(&self) -> Result<(), Error> {
        Ok(self.gateway.finish()?)
    }

    /// An address for an attempt's agent.
    pub(crate) fn admit(&self, key: &AttemptKey) -> Result<Lease, Error> {
        self.admit_client(self.agent(key))
    }

    /// An address for whoever else asks.
    pub(crate) fn admit_client(&self, client: Client) -> Result<Lease, Error> {
        Ok(self.gateway.admit(client)?)
    }

    /// What an attempt's agent used, once its address is closed.
    pub(crate) fn used(&self, key: &AttemptKey) -> Result<Used, Error> {
        self.used_by(&self.agent(key))
    }

    /// What somebody used, once the address is closed.
    pub(crate) fn used_by(&self, client: &Client) -> Result<Used, Error> {
        let mut told = lock(&self.told);
        while let Ok(notice) = lock(&self.notices).try_recv() {
            told.take(notice);
        }
        if told.died {
            return Err(Error::Lost("the count or the recording of a model's response"));
        }
        if let Some(why) = &told.not_recorded {
            return Err(Error::NotRecorded { why: why.clone() });
        }
        if let Some(why) = &told.lost {
            return Err(Error::Uncounted { why: why.clone() });
        }
        let of = (client.task.clone(), client.attempt, client.by.clone());
        Ok(Used { usage: told.used.get(&of).copied(), over: told.reached.get(&of).cloned() })
    }

    fn agent(&self, key: &AttemptKey) -> Client {
        Client {
            task: key.task.to_string(),
            attempt: key.attempt,
            turn: key.turn,
            by: AGENT.to_owned(),
            model: self.agent_model.clone(),
        }
    }
}

impl Told {
    fn take(&mut self, notice: Notice) {
        match notice {
            Notice::Counted(entry) => {
                let of = (entry.task.clone(), entry.attempt, entry.by.clone());
                let used = self.used.entry(of).or_default();
                *used = used.plus(usage(&entry));
                if saboteur::is!("count-twice") {
                    *used = used.plus(usage(&entry));
                }
            }
            Notice::Refused { task, attempt, by, reached } => {
                let _earlier = self.reached.insert((task, attempt, by), reached);
            }
            Notice::Lost(why) => drop(self.lost.get_or_insert(why)),
            Notice::NotRecorded(why) => drop(self.not_recorded.get_or_insert(why)),
            Notice::Died => self.died = true,
        }
    }
}

fn lock<T>(mutex: &Mutex<T>) -> MutexGuard<'_, T> {
    mutex.lock().unwrap_or_else(PoisonError::into_inner)
}

/// What an attempt used by a run's ledger, by who of it asked, where a process ended before it could journal it.
pub(crate) fn recorded(ledger: &Path, task: &TaskId, attempt: u32) -> Result<BTreeMap<String, Usage>, Error> {
    let mut used: BTreeMap<String, Usage> = BTreeMap::new();
    for entry in entries(ledger)? {
        if entry.task == task.as_str() && entry.attempt == attempt {
            let usage = usage(&entry);
            let of_it = used.entry(entry.by).or_default();
            *of_it = of_it.plus(usage);
        }
    }
    Ok(used)
}

fn entries(ledger: &Path) -> Result<Vec<Entry>, Error> {
    if !ledger.exists() {
        return Ok(Vec::new());
    }
    Ok(Ledger::open(ledger).map_err(mycelium_gateway::GatewayError::from)?.1)
}

/// What a response used.
pub(crate) fn usage(entry: &Entry) -> Usage {
    Usage {
        input_tokens: entry.input_tokens,
        cached_input_tokens: entry.cached_input_tokens,
        cache_write_input_tokens: entry.cache_write_input_tokens,
        output_tokens: entry.output_tokens,
        reasoning_output_tokens: entry.reasoning_output_tokens,
        cost_microusd: entry.cost_microusd,
    }
}

/// What a response used is durable before the agent sees its end.
fn keep(file: &mut File, line: &[u8]) -> io::Result<()> {
    fault::write_all!("models.write", file, line)?;
    fault::point!("models.sync", file.sync_data())
}

fn cost_of(prices: &BTreeMap<String, Price>, models: [&str; 2], tokens: Tokens) -> u64 {
    let usage = Usage {
        input_tokens: tokens.input,
        cached_input_tokens: tokens.cached_input,
        cache_write_input_tokens: tokens.cache_write_input,
        output_tokens: tokens.output,
        reasoning_output_tokens: tokens.reasoning_output,
        cost_microusd: 0,
    };
    let price = models.iter().find_map(|model| prices.get(*model));
    price.map_or(0, |price| budget::cost_microusd(usage, *price))
}
