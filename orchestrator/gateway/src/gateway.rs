//! A gateway of one run: it listens as long as it is kept.

use std::{
    collections::BTreeMap,
    convert::Infallible,
    fs::{self, File, Permissions},
    io,
    net::SocketAddr,
    os::{fd::AsRawFd, unix::fs::PermissionsExt},
    path::{Path, PathBuf},
    sync::{Arc, Mutex},
    time::Duration,
};

use tokio::{
    net::UnixListener,
    sync::{mpsc, watch},
    task::JoinHandle,
};

use crate::{
    account::Limits,
    ask::{self, AskError, Question},
    cassette::{CassetteError, Tape},
    counter::{Counter, Notice, Prices},
    ledger::{Keep, LedgerError},
    protocol::Vendor,
    server::{self, Client, Served, Shared},
    signs::Signs,
    upstream::{Provider, Upstream},
};

/// How long what is under way at an address may come to its end once that is closed. An agent that was ended has hung up;
/// a process that it hid waits, and would for as long as its model does.
const CLOSING_MAX: Duration = Duration::from_secs(2);

/// What a gateway is opened with.
pub struct Settings {
    /// The providers.
    pub upstreams: BTreeMap<Vendor, Upstream>,
    /// Limits of tokens.
    pub tokens: Limits,
    /// Limits of cost, in millionths of a US dollar.
    pub cost: Limits,
    /// What tokens of a model cost.
    pub prices: Arc<Prices>,
    /// Where what was used is kept.
    pub ledger: PathBuf,
    /// How its lines are kept.
    pub keep: Arc<Keep>,
    /// What happens to answers beside being passed on.
    pub tape: Tape,
}

/// A gateway that cannot be opened.
#[derive(Debug, thiserror::Error)]
pub enum GatewayError {
    /// Its address.
    #[error("cannot listen on {at}")]
    Listen {
        /// Where.
        at: String,
        /// Why.
        source: io::Error,
    },
    /// Its ledger.
    #[error(transparent)]
    Ledger(#[from] LedgerError),
    /// Its cassette.
    #[error(transparent)]
    Cassette(#[from] CassetteError),
    /// Its connection to providers.
    #[error("cannot prepare connections to providers")]
    Provider(#[source] reqwest::Error),
    /// No randomness for its addresses.
    #[error("the system gives no random numbers")]
    Random(#[source] io::Error),
}

/// A gateway that listens.
#[derive(Debug)]
pub struct Gateway {
    shared: Arc<Shared>,
    address: SocketAddr,
    tasks: Vec<JoinHandle<()>>,
}

impl Gateway {
    /// Opens it on the loopback address. What it counts and refuses it tells.
    pub async fn open(settings: Settings) -> Result<(Self, mpsc::UnboundedReceiver<Notice>), GatewayError> {
        let (tell, notices) = mpsc::unbounded_channel();
        let Settings { upstreams, tokens, cost, prices, ledger, keep, tape } = settings;
        let shared = Arc::new(Shared {
            clients: Mutex::default(),
            upstreams,
            provider: Provider::new().map_err(GatewayError::Provider)?,
            counter: Counter::open(&ledger, keep, tokens, cost, prices, tell)?,
            tape,
        });
        let (listener, address) = server::listen()
            .await
            .map_err(|source| GatewayError::Listen { at: "the loopback address".to_owned(), source })?;
        let tasks = vec![tokio::spawn(server::serve_tcp(listener, shared.clone()))];
        Ok((Self { shared, address, tasks }, notices))
    }

    /// Listens on a socket of the file system too, for containers that have no network.
    pub fn also_listen_at(&mut self, socket: &Path) -> Result<(), GatewayError> {
        let listener = bind(socket)
            .map_err(|source| GatewayError::Listen { at: socket.display().to_string(), source })?;
        self.tasks.push(tokio::spawn(server::serve_unix(listener, self.shared.clone())));
        Ok(())
    }

    /// What was recorded came to its end; nothing where nothing was.
    pub fn finish(&self) -> Result<(), GatewayError> {
        match &self.shared.tape {
            Tape::Record(recorder) => Ok(recorder.finish()?),
            Tape::Off | Tape::Replay(_) => Ok(()),
        }
    }

    /// The address of an attempt, until what is returned is dropped.
    pub fn admit(&self, client: Client) -> Result<Lease, GatewayError> {
        let token = random().map_err(GatewayError::Random)?;
        let (under_way, all_ended) = mpsc::channel(1);
        let (cut, is_cut) = watch::channel(false);
        let signs = Signs::default();
        let served = Served { client, under_way, cut: is_cut, signs: signs.clone() };
        self.shared.clients().insert(token.clone(), served);
        let base_url = format!("http://{}/t/{token}", self.address);
        Ok(Lease { base_url, token, signs, shared: self.shared.clone(), all_ended, cut })
    }
}

/// Whoever may look into the socket's folder may ask, as a container's own user: addresses cannot be guessed. What a
/// gateway that was killed left there goes.
fn bind(socket: &Path) -> io::Result<UnixListener> {
    let (folder, name) = socket.parent().zip(socket.file_name()).ok_or(io::ErrorKind::InvalidInput)?;
    if let Err(error) = fs::remove_file(socket)
        && error.kind() != io::ErrorKind::NotFound
    {
        return Err(error);
    }
    // A socket's address has an end, and a folder's path may pass it.
    let folder = File::open(folder)?;
    let short = Path::new("/proc/self/fd").join(folder.as_raw_fd().to_string()).join(name);
    let listener = UnixListener::bind(short)?;
    fs::set_permissions(socket, Permissions::from_mode(0o666))?;
    Ok(listener)
}

impl Drop for Gateway {
    fn drop(&mut self) {
        for task in &self.tasks {
            task.abort();
        }
    }
}

/// An attempt's address. Where it is dropped, nobody is served there any more.
#[derive(Debug)]
pub struct Lease {
    base_url: String,
    token: String,
    signs: Signs,
    shared: Arc<Shared>,
    all_ended: mpsc::Receiver<Infallible>,
    cut: watch::Sender<bool>,
}

impl Lease {
    /// Ends it, and waits until everything that was asked here is counted. What has not ended two seconds later is cut
    /// off, and counted by what came of it until then.
    pub async fn close(mut self) {
        self.shared.clients().remove(&self.token);
        // Nothing is ever sent: it ends when the last request has.
        let _ended = tokio::time::timeout(CLOSING_MAX, self.all_ended.recv()).await;
        self.cut.send_replace(true);
        let _ended = self.all_ended.recv().await;
    }

    /// Asks a model here, for one answer in a given form.
    pub async fn ask(&self, question: &Question<'_>) -> Result<String, AskError> {
        let served = self.shared.clients().get(&self.token).cloned().ok_or(AskError::Closed)?;
        ask::ask(&self.shared, &served, question).await
    }

    /// The model interface without its version, as the agent is told it.
    pub fn base_url(&self) -> &str {
        &self.base_url
    }

    /// The same for an agent that reaches the gateway at another address: HOST:PORT.
    pub fn base_url_at(&self, address: &str) -> String {
        format!("http://{address}/t/{}", self.token)
    }

    /// What tells when something was last asked or answered here.
    pub fn signs(&self) -> Signs {
        self.signs.clone()
    }
}

impl Drop for Lease {
    fn drop(&mut self) {
        self.shared.clients().remove(&self.token);
    }
}

fn random() -> io::Result<String> {
    let mut bytes = [0_u8; 16];
    let mut filled = 0;
    while filled < bytes.len() {
        filled += rustix::rand::getrandom(&mut bytes[filled..], rustix::rand::GetRandomFlags::empty())?;
    }
    Ok(bytes.iter().fold(String::new(), |text, byte| format!("{text}{byte:02x}")))
}
