//! A command's life in its container: made, told what to do, followed to its end, its limits or a stop, removed.

use std::{
    collections::{BTreeMap, HashMap},
    pin::pin,
    time::Duration,
};

use bollard::{
    body_full,
    container::{AttachContainerResults, LogOutput},
    errors::Error as Cause,
    models::ContainerCreateBody,
    query_parameters::{
        AttachContainerOptionsBuilder, CreateContainerOptionsBuilder, EventsOptionsBuilder,
        KillContainerOptionsBuilder, LogsOptionsBuilder, UploadToContainerOptionsBuilder,
        WaitContainerOptionsBuilder,
    },
};
use futures_util::{Stream, StreamExt as _};
use mycelium_schemas::{
    config::CleanupWhen,
    event::{ContainerCreate, ContainerExit, ContainerOf, EventKind, ExitReason, Local},
};
use rustix::process::Signal;
use tokio::{
    io::AsyncWriteExt as _,
    sync::watch,
    time::{Instant, interval_at, sleep_until, timeout},
};

use super::{
    bundle,
    engine::{Engine, Reach},
    error::{Asked, EngineError, status},
    found::{BEGINS_WITH, signal_of, was_restarted},
    heard::Heard,
    output::{Output, Printed},
    recipe,
};
use crate::{
    capture::{From, Lines, Log},
    error::Error,
    fault,
    job::{Exit, GRACE, Job, KILL, Purpose, StopLevel, Watcher, stopped},
    patience::Patience,
};

/// How long the rest of the output is awaited after the command ended: the engine ends it by itself.
const DRAIN: Duration = Duration::from_secs(10);

/// How long after the output's end the command's own is awaited, before the rest of the output is asked for.
const SETTLES: Duration = Duration::from_secs(1);

/// How often a command is looked at that nobody tells the end of: a connection may be lost without a word.
const LOOKS: Duration = Duration::from_secs(20);

/// All entries of a container's log.
const WHOLE: &str = "all";
/// None of those that are there already.
const NOTHING: &str = "0";
/// The last one.
const LAST: &str = "1";

/// How long a command may take to take its input before it is said to have begun.
const TOLD: Duration = Duration::from_secs(2);

/// How long the engine's note is awaited that a container which nobody ended ran out of memory.
const NOTED: Duration = Duration::from_secs(1);

/// Says in a log that its beginning is missing.
const LOST: &str =
    "[mycelium: output lost: the container engine keeps the last 128 MiB of what nobody reads]\n";

/// Why a command is being ended, and when it is made to.
type Ending = Option<(ExitReason, Instant)>;

/// What became of a start.
enum Begun {
    /// The command runs and prints this.
    Started(Output),
    /// The image lacks what is to be started; why.
    Lacks(String),
}

/// A command that runs in its container.
struct Running<'a> {
    id: &'a str,
    job: &'a Job,
    begun: Instant,
    output: Output,
    heard: Heard,
}

impl Engine {
    /// Runs a command to its end, its limits, or a stop.
    pub(crate) async fn run(
        &self,
        job: Job,
        base: &BTreeMap<String, String>,
        stop: watch::Receiver<StopLevel>,
        watcher: &mut impl Watcher,
    ) -> Result<Exit, Error> {
        let begun = Instant::now();
        let mut log = Log::create(job.log.clone(), &job.redactor)?;
        let word = format!("{:016x}", chance()?);
        // What is asked of the engine is large, and nothing of it stays.
        let id = Box::pin(self.create(job.purpose, self.recipe(&job, &word)?)).await?;
        let ContainerOf { purpose, local } = of(&id, job.purpose);
        let image = self.image.clone();
        watcher.container(EventKind::ContainerCreate(ContainerCreate { purpose, image, local }));
        let told = recipe::first_line(&word, &job, base);
        let exit = match self.begin(&id, &job, told).await {
            Ok(Begun::Started(output)) => {
                watcher.container(EventKind::ContainerStart(of(&id, job.purpose)));
                watcher.started(None);
                let running = Running { id: &id, job: &job, begun, output, heard: Heard::new(&word) };
                let exit = self.follow(running, stop.clone(), &mut log, watcher).await;
                self.end_unfollowed(&id, exit).await
            }
            Ok(Begun::Lacks(detail)) => Ok(Exit::not_started(detail, begun.elapsed())),
            Err(error) => {
                // It has done nothing and has no result. Where the engine is away it is found by whoever resumes.
                let _found_again = timeout(GRACE, self.connection.remove(&id)).await;
                Err(error)
            }
        };
        log.finish()?;
        let exit = self.carry_back(&id, &job, exit?, self.connection.reach(), stop).await?;
        self.end(&id, job.purpose, exit, watcher).await
    }

    /// Follows a container that went on while nobody did, from the first thing that it printed.
    pub(crate) async fn reattach(
        &self,
        id: &str,
        job: Job,
        stop: watch::Receiver<StopLevel>,
        watcher: &mut impl Watcher,
    ) -> Result<Exit, Error> {
        let mut log = Log::create(job.log.clone(), &job.redactor)?;
        watcher.container(EventKind::ContainerReattach(of(id, job.purpose)));
        let (client, host) = (&self.connection.client, &self.connection.host);
        // One that is gone has printed nothing that anybody can read, and its end is told below.
        let (config, mounts) = match client.inspect_container(id, None).await {
            Err(error) if status(&error) == Some(404) => (None, None),
            found => {
                let found = found.asked(host, "tell about a container")?;
                (found.config, found.mounts)
            }
        };
        // What cannot be told is not carried: the folder here stays as it is.
        let reach = Reach::of(mounts.as_deref()).unwrap_or(Reach::Mounts);
        let word = config.and_then(|config| config.labels?.remove(BEGINS_WITH));
        let heard = Heard::later(&word.unwrap_or_default());
        let output = self.logged(id, true, WHOLE);
        let running = Running { id, job: &job, begun: Instant::now(), output, heard };
        let exit = self.follow(running, stop.clone(), &mut log, watcher).await;
        let exit = self.end_unfollowed(id, exit).await;
        log.finish()?;
        let exit = self.carry_back(id, &job, exit?, reach, stop).await?;
        self.end(id, job.purpose, exit, watcher).await
    }

    /// Makes a container that is not started yet; gives its id.
    pub(super) async fn create(
        &self,
        purpose: Purpose,
        recipe: ContainerCreateBody,
    ) -> Result<String, Error> {
        // Never taken: whoever has two of a name has two containers, and neither is in the other's way.
        let name = format!("mycelium-{}-{:016x}", purpose.name(), chance()?);
        let options = CreateContainerOptionsBuilder::default().name(&name).build();
        let client = &self.connection.client;
        let created = fault::point!("engine.create", client.create_container(Some(options), recipe).await);
        Ok(created.asked(&self.connection.host, "make a container")?.id)
    }

    /// Brings everything along, starts the command and tells it its first line and its input.
    async fn begin(&self, id: &str, job: &Job, told: String) -> Result<Begun, Error> {
        let (client, host) = (&self.connection.client, &self.connection.host);
        if let Some(archive) = bundle::pack(job)? {
            let options = UploadToContainerOptionsBuilder::default().path("/").build();
            let uploaded = client.upload_to_container(id, Some(options), body_full(archive.into())).await;
            uploaded.asked(host, "bring files into a container")?;
        }
        self.carry_there(id, job).await?;
        // From here on nothing that it prints is missed: the engine makes it wait for whoever is attached, while its log
        // has an end.
        let streams = AttachContainerOptionsBuilder::default().stdin(true).stdout(true).stderr(true);
        let options = streams.stream(true).build();
        let attached =
            client.attach_container(id, Some(options)).await.asked(host, "attach to a container")?;
        if let Some(why) = self.start(id).await? {
            return Ok(Begun::Lacks(format!("the image {} has no `sh`: {why}", self.image)));
        }
        let mut input = told.into_bytes();
        input.extend_from_slice(&job.stdin);
        let AttachContainerResults { output, input: mut stdin } = attached;
        let told = tokio::spawn(async move {
            let _unread = stdin.write_all(&input).await;
            let _closed = stdin.shutdown().await;
        });
        // Whoever finds the container again takes it for told once that is on record. A command that does not read its
        // input is free not to.
        let _unread = timeout(TOLD, told).await;
        Ok(Begun::Started(output))
    }

    /// Starts a container; says why, where its image lacks what is to be started.
    pub(super) async fn start(&self, id: &str) -> Result<Option<String>, Error> {
        let started = fault::point!("engine.start", self.connection.client.start_container(id, None).await);
        match started {
            Err(error) if status(&error) == Some(400) && error.to_string().contains("exec") => {
                Ok(Some(error.to_string()))
            }
            started => {
                started.asked(&self.connection.host, "start a container")?;
                Ok(None)
            }
        }
    }

    async fn follow(
        &self,
        running: Running<'_>,
        mut stop: watch::Receiver<StopLevel>,
        log: &mut Log,
        watcher: &mut impl Watcher,
    ) -> Result<Exit, Error> {
        let (client, host) = (&self.connection.client, &self.connection.host);
        let Running { id, job, begun, output, mut heard } = running;
        let mut output = output.fuse();
        // When the rest is asked for of an output that ended, which it does together with its command as a rule.
        let mut cut: Option<Instant> = None;
        // Only now: before its start the engine would tell that it is not running, with code 0.
        let options = WaitContainerOptionsBuilder::default().condition("not-running").build();
        let mut wait = client.wait_container(id, Some(options)).fuse();
        let mut lines = Lines::default();
        let mut patience = Patience::with(job, begun);
        let mut ending: Ending = None;
        let mut killed = false;
        let mut looks = interval_at(Instant::now() + LOOKS, LOOKS);
        loop {
            let (limit, ends_at) = patience.limit(watcher);
            let next = ending.map_or(ends_at, |(_, kill_at)| kill_at);
            tokio::select! {
                chunk = output.next(), if !output.is_done() => {
                    let Some(chunk) = chunk else {
                        cut = Some(Instant::now() + SETTLES);
                        continue;
                    };
                    let again = heard.reads_again();
                    let Some(chunk) = printed_of(chunk, host)? else { continue };
                    let printed = heard.take(&chunk);
                    if !printed.is_empty() {
                        patience.heard();
                    }
                    keep(printed, log, &mut lines, watcher)?;
                    if again && !heard.reads_again() {
                        output = self.logged(id, true, NOTHING).fuse();
                    }
                }
                () = sleep_until(cut.unwrap_or(next)), if cut.is_some() => {
                    cut = None;
                    heard.read_again();
                    output = self.logged(id, true, WHOLE).fuse();
                }
                ended = wait.next() => {
                    // The code is asked for below, with everything else: here it is an error of the library's.
                    match ended {
                        None | Some(Ok(_) | Err(bollard::errors::Error::DockerContainerWaitError { .. })) => break,
                        Some(Err(error)) if status(&error) == Some(404) => break,
                        Some(Err(error)) => return Err(error).asked(host, "wait for a container").map_err(Error::from),
                    }
                }
                _ = looks.tick() => if self.has_ended(id).await { break },
                () = sleep_until(next) => {
                    if ending.is_none() && patience.limit(watcher).1 > Instant::now() {
                        // It gave a sign of life meanwhile.
                        continue;
                    }
                    self.signal(id, if ending.is_some() { "SIGKILL" } else { asks_to_end(job) }).await?;
                    ending = Some((ending.map_or(limit, |(reason, _)| reason), Instant::now() + GRACE));
                }
                level = stopped(&mut stop, ending.is_some()), if !killed => {
                    self.signal(id, asks_to_end(job)).await?;
                    if level == StopLevel::AtOnce {
                        self.signal(id, "SIGKILL").await?;
                        killed = true;
                    }
                    let reason = ending.map_or(ExitReason::Stopped, |(reason, _)| reason);
                    ending = Some((reason, Instant::now() + GRACE));
                }
            }
        }
        self.hear_out(id, &mut output, heard, log, lines, watcher).await?;
        self.exit(id, ending.map(|(reason, _)| reason), begun.elapsed()).await
    }

    /// Where this machine keeps a command from being followed to its end, the command is ended, too: nothing would bound
    /// it. Where it is the engine that cannot be asked, it goes on, and whoever resumes finds it.
    async fn end_unfollowed(&self, id: &str, exit: Result<Exit, Error>) -> Result<Exit, Error> {
        if matches!(&exit, Err(error) if !matches!(error, Error::Engine(_))) {
            // What is wrong is told, whatever comes of that.
            let _ended = timeout(GRACE, self.signal(id, "SIGKILL")).await;
        }
        exit
    }

    /// Hears all that is left of a command that has ended.
    async fn hear_out(
        &self,
        id: &str,
        output: &mut (impl Stream<Item = Result<LogOutput, Cause>> + Unpin),
        mut heard: Heard,
        log: &mut Log,
        mut lines: Lines,
        watcher: &mut impl Watcher,
    ) -> Result<(), Error> {
        let host = &self.connection.host;
        hear_rest(output, &mut heard, host, log, &mut lines, watcher).await?;
        // A connection that is cut off ends like an output does, also one that is read after the command's end.
        if !self.was_heard(id, &heard).await? {
            heard.read_again();
            let mut again = self.logged(id, false, WHOLE);
            hear_rest(&mut again, &mut heard, host, log, &mut lines, watcher).await?;
        }
        keep(heard.end(), log, &mut lines, watcher)?;
        lines.finish(watcher)
    }

    /// What the engine kept of what a container printed: as many of the last entries as said, and what follows, where it
    /// is to be followed.
    fn logged(&self, id: &str, follow: bool, tail: &str) -> Output {
        let options =
            LogsOptionsBuilder::default().follow(follow).stdout(true).stderr(true).tail(tail).build();
        Box::pin(self.connection.client.logs(id, Some(options)))
    }

    /// Whether a container printed anything: its command says a word before anything else once it was told what to do.
    pub(super) async fn has_printed(&self, id: &str) -> Result<bool, EngineError> {
        match self.logged(id, false, LAST).next().await {
            Some(entry) => Ok(printed_of(entry, &self.connection.host)?.is_some()),
            None => Ok(false),
        }
    }

    /// Whether what was heard of a command that has ended is all that the engine kept.
    async fn was_heard(&self, id: &str, heard: &Heard) -> Result<bool, Error> {
        let mut last = self.logged(id, false, LAST);
        let mut was_heard = true;
        while let Some(entry) = last.next().await {
            if let Some(entry) = printed_of(entry, &self.connection.host)? {
                was_heard = heard.ends_with(&entry);
            }
        }
        Ok(was_heard)
    }

    /// Whether a command has ended for sure. An engine that does not say so now is asked again later.
    async fn has_ended(&self, id: &str) -> bool {
        match timeout(GRACE, self.connection.client.inspect_container(id, None)).await {
            Ok(Ok(found)) => found.state.and_then(|state| state.running) == Some(false),
            Ok(Err(error)) => status(&error) == Some(404),
            Err(_) => false,
        }
    }

    /// How a container's command ended.
    async fn exit(
        &self,
        id: &str,
        ended_by_us: Option<ExitReason>,
        duration: Duration,
    ) -> Result<Exit, Error> {
        let (client, host) = (&self.connection.client, &self.connection.host);
        let state = match client.inspect_container(id, None).await {
            Err(error) if status(&error) == Some(404) => None,
            found => found.asked(host, "tell about a container")?.state,
        };
        if state.as_ref().is_some_and(was_restarted) {
            let exit = self.ended_elsewhere(id, None, duration).await?;
            return Ok(Exit { reason: ended_by_us.unwrap_or(exit.reason), ..exit });
        }
        if state.as_ref().and_then(|state| state.running) == Some(true) {
            // Who was to tell of its end went away before it.
            return Err(EngineError::Away { host: host.clone(), source: None }.into());
        }
        let code = state.as_ref().and_then(|state| i32::try_from(state.exit_code?).ok());
        let out_of_memory = state.as_ref().and_then(|state| state.oom_killed) == Some(true);
        let exit = |reason, code, signal| Exit { reason, code, signal, duration, detail: None, left: None };
        let by_signal = code.and_then(signal_of);
        Ok(match (ended_by_us, code) {
            (Some(reason), code) => exit(reason, code.filter(|_| by_signal.is_none()), by_signal),
            (None, _) if out_of_memory => exit(ExitReason::OutOfMemory, None, by_signal),
            (None, Some(code)) if by_signal.is_none() => exit(ExitReason::Exited, Some(code), None),
            // Nobody here sent a signal. An engine that is being stopped ends its containers so.
            (None, _) if !self.is_there().await => {
                let host = host.clone();
                return Err(EngineError::Away { host, source: None }.into());
            }
            (None, Some(_)) if self.noted_out_of_memory(id).await => {
                exit(ExitReason::OutOfMemory, None, by_signal)
            }
            // Somebody ended it, or removed it.
            (None, _) => return self.ended_elsewhere(id, by_signal, duration).await,
        })
    }

    /// How a command ended that nobody here ended. Where its container was ended to be started again, it waits for ever to
    /// be told what to do, and is ended for good.
    async fn ended_elsewhere(
        &self,
        id: &str,
        signal: Option<i32>,
        duration: Duration,
    ) -> Result<Exit, Error> {
        self.signal(id, "SIGKILL").await?;
        let (reason, signal) = (ExitReason::Signaled, signal.or(Some(KILL)));
        Ok(Exit { reason, code: None, signal, duration, detail: None, left: None })
    }

    /// Whether the engine noted that the container ran out of memory: it hears so apart from the end, perhaps after it.
    async fn noted_out_of_memory(&self, id: &str) -> bool {
        let filters = HashMap::from([("container", vec![id]), ("event", vec!["oom"])]);
        // From the first one that it knows of: its clock may have been set back since the container began.
        let options = EventsOptionsBuilder::default().filters(&filters).since("0").build();
        let mut noted = pin!(self.connection.client.events(Some(options)));
        matches!(timeout(NOTED, noted.next()).await, Ok(Some(Ok(_))))
    }

    /// Sends a signal. One that is paused hears none until it goes on; one that has ended needs none.
    async fn signal(&self, id: &str, signal: &str) -> Result<(), Error> {
        let client = &self.connection.client;
        let options = KillContainerOptionsBuilder::default().signal(signal).build();
        match client.kill_container(id, Some(options.clone())).await {
            Err(error) if matches!(status(&error), Some(409)) => {
                if client.unpause_container(id).await.is_ok() {
                    let _ended = client.kill_container(id, Some(options)).await;
                }
                Ok(())
            }
            Err(error) if matches!(status(&error), Some(404)) => Ok(()),
            sent => sent.asked(&self.connection.host, "end a container").map_err(Error::from),
        }
    }

    /// Tells how it ended and removes it where that is wanted; always where the run must not find it again.
    async fn end(
        &self,
        id: &str,
        purpose: Purpose,
        exit: Exit,
        watcher: &mut impl Watcher,
    ) -> Result<Exit, Error> {
        let out_of_memory = exit.reason == ExitReason::OutOfMemory;
        let ContainerOf { purpose: name, local } = of(id, purpose);
        let ended = ContainerExit { purpose: name, exit_code: exit.code, out_of_memory, local };
        watcher.container(EventKind::ContainerExit(ended));
        let goes = match self.cleanup {
            CleanupWhen::Never => false,
            CleanupWhen::OnSuccess => exit.is_success() || exit.reason == ExitReason::Stopped,
            CleanupWhen::Always => true,
        };
        if goes {
            self.connection.remove(id).await?;
            watcher.container(EventKind::ContainerRemove(of(id, purpose)));
        }
        Ok(exit)
    }
}

/// The signal at which a command ends all that it started.
fn asks_to_end(job: &Job) -> &'static str {
    if job.stop_signal == Signal::INT { "SIGINT" } else { "SIGTERM" }
}

/// Hears the rest of the output of a command that has ended. One whose output does not end is cut, as a daemon's is that
/// holds a pipe.
async fn hear_rest(
    output: &mut (impl Stream<Item = Result<LogOutput, Cause>> + Unpin),
    heard: &mut Heard,
    host: &str,
    log: &mut Log,
    lines: &mut Lines,
    watcher: &mut impl Watcher,
) -> Result<(), Error> {
    let rest = async {
        while let Some(chunk) = output.next().await {
            let Some(chunk) = printed_of(chunk, host)? else { continue };
            keep(heard.take(&chunk), log, lines, watcher)?;
        }
        Ok::<(), Error>(())
    };
    timeout(DRAIN, rest).await.unwrap_or(Ok(()))
}

/// What a container printed; nothing of one that is gone, or about to go.
fn printed_of(chunk: Result<LogOutput, Cause>, host: &str) -> Result<Option<LogOutput>, EngineError> {
    match chunk {
        Err(error) if matches!(status(&error), Some(404 | 409)) => Ok(None),
        chunk => chunk.asked(host, "tell what a command prints").map(Some),
    }
}

/// Keeps what a command printed, or that some of it is gone.
fn keep(
    printed: Vec<Printed>,
    log: &mut Log,
    lines: &mut Lines,
    watcher: &mut impl Watcher,
) -> Result<(), Error> {
    for printed in printed {
        match printed {
            Printed::Bytes(bytes) => {
                log.write(From::Out, &bytes)?;
                lines.push(&bytes, watcher)?;
            }
            Printed::Error(bytes) => log.write(From::Err, &bytes)?,
            Printed::Lost => {
                watcher.lost();
                log.write(From::Err, LOST.as_bytes())?;
            }
        }
    }
    Ok(())
}

/// Eight random bytes.
pub(super) fn chance() -> Result<u64, Error> {
    use std::io::Read as _;

    use crate::error::IoContext as _;

    let mut bytes = [0u8; 8];
    std::fs::File::open("/dev/urandom")
        .and_then(|mut random| random.read_exact(&mut bytes))
        .at("read", "/dev/urandom")?;
    Ok(u64::from_ne_bytes(bytes))
}

/// Which container, in events.
fn of(id: &str, purpose: Purpose) -> ContainerOf {
    let local = Local { container: Some(id.to_owned()), ..Local::default() };
    ContainerOf { purpose: purpose.name().to_owned(), local }
}
