//! Runs one command in a process group of its own, with bounded time and output (design 3.4).

use std::{
    collections::BTreeMap,
    ffi::OsString,
    fs::File,
    io::Write,
    os::unix::process::ExitStatusExt,
    path::PathBuf,
    process::{ExitStatus, Stdio},
    time::Duration,
};

use mycelium_schemas::event::ExitReason;
use rustix::{
    io::Errno,
    process::{Pid, Signal, kill_process_group},
};
use tokio::{
    io::{AsyncRead, AsyncReadExt, AsyncWriteExt},
    process::{Child, Command},
    sync::watch,
    time::{Instant, sleep_until},
};

use crate::{
    error::{Error, IoContext},
    fault, private,
    redact::{Redactor, Stream as Redacted},
};

/// Bytes of output kept in a log; what follows is counted and left out.
pub const LOG_BYTES_MAX: u64 = 16 * 1024 * 1024;
/// Longest line of standard output that is looked at; a longer one is only logged.
pub const LINE_BYTES_MAX: usize = 16 * 1024 * 1024;
/// How long a process group may take to end after it was asked to.
const GRACE: Duration = Duration::from_secs(5);
/// How long output is awaited after the process ended: a daemon it left behind may hold the pipe for ever.
const DRAIN: Duration = Duration::from_secs(1);

/// How urgently running commands must end.
#[derive(Debug, Clone, Copy, Default, PartialEq, Eq, PartialOrd, Ord)]
pub enum StopLevel {
    /// They need not.
    #[default]
    None,
    /// They are asked to, and made to after a grace period.
    Graceful,
    /// They are made to.
    AtOnce,
}

/// A command to run.
#[derive(Debug)]
pub struct Job {
    /// The program.
    pub program: OsString,
    /// Its arguments.
    pub args: Vec<OsString>,
    /// Its working directory.
    pub cwd: PathBuf,
    /// Its whole environment.
    pub env: BTreeMap<String, String>,
    /// Written to its standard input, which is then closed.
    pub stdin: Vec<u8>,
    /// How long it may take.
    pub timeout: Duration,
    /// How long it may be silent; none for as long as it takes.
    pub idle_timeout: Option<Duration>,
    /// Where its output is kept, both streams as they come.
    pub log: PathBuf,
    /// Keeps secrets out of that.
    pub redactor: Redactor,
}

impl Job {
    /// A shell command.
    pub fn shell(command: &str) -> (OsString, Vec<OsString>) {
        ("sh".into(), vec!["-c".into(), command.into()])
    }
}

/// How a command ended.
#[derive(Debug, Clone)]
pub struct Exit {
    /// Why.
    pub reason: ExitReason,
    /// Where it exited by itself.
    pub code: Option<i32>,
    /// Where a signal ended it.
    pub signal: Option<i32>,
    /// By the monotonic clock.
    pub duration: Duration,
    /// What could not be started, for [`ExitReason::NotStarted`].
    pub detail: Option<String>,
}

impl Exit {
    /// True if it exited by itself with code 0.
    pub fn is_success(&self) -> bool {
        self.reason == ExitReason::Exited && self.code == Some(0)
    }

    /// What happened, as a sentence fragment after the command's name.
    pub fn describe(&self) -> String {
        match (self.reason, self.code, self.signal) {
            (ExitReason::Exited, Some(code), _) => format!("exited with {code}"),
            (ExitReason::Timeout, ..) => "ran into its time limit".to_owned(),
            (ExitReason::IdleTimeout, ..) => "was silent for too long".to_owned(),
            (ExitReason::Stopped, ..) => "was stopped".to_owned(),
            (ExitReason::NotStarted, ..) => {
                format!("could not be started: {}", self.detail.as_deref().unwrap_or("unknown reason"))
            }
            (_, _, Some(signal)) => format!("was ended by signal {signal}"),
            _ => "ended in an unknown way".to_owned(),
        }
    }
}

/// What a running command reports.
pub trait Watcher {
    /// It was started.
    fn started(&mut self, pid: u32);
    /// It printed a whole line on standard output, given without its end.
    fn line(&mut self, line: &[u8]) -> Result<(), Error>;
    /// It printed a line longer than [`LINE_BYTES_MAX`], which is only in the log.
    fn too_long(&mut self);
}

/// A watcher that ignores everything.
#[derive(Debug)]
pub struct Ignore;

impl Watcher for Ignore {
    fn started(&mut self, _: u32) {}

    fn line(&mut self, _: &[u8]) -> Result<(), Error> {
        Ok(())
    }

    fn too_long(&mut self) {}
}

/// Runs the command to its end, its limits, or a stop.
pub async fn run(
    job: Job,
    mut stop: watch::Receiver<StopLevel>,
    watcher: &mut impl Watcher,
) -> Result<Exit, Error> {
    let begun = Instant::now();
    let mut log = Log::create(job.log.clone(), &job.redactor)?;
    let mut child = match fault::point!("process.start", command(&job).spawn()) {
        Ok(child) => child,
        // Not the command's fault: nothing about it would be different another time.
        Err(error) if is_exhaustion(&error) => return Err(error).at("start", &job.program),
        Err(error) => {
            let detail = Some(format!("{}: {error}", job.program.display()));
            let reason = ExitReason::NotStarted;
            return Ok(Exit { reason, code: None, signal: None, duration: begun.elapsed(), detail });
        }
    };
    let group = Group::of(&child);
    watcher.started(child.id().unwrap_or_default());
    feed(&mut child, job.stdin);

    let mut out = Stream::new(child.stdout.take());
    let mut err = Stream::new(child.stderr.take());
    let mut lines = Lines::default();
    let deadline = begun + job.timeout;
    let mut heard = Instant::now();
    let mut ending: Option<(ExitReason, Instant)> = None;
    let mut killed = false;
    let status = loop {
        let idle_deadline = job.idle_timeout.map_or(deadline, |idle| heard + idle);
        let next = ending.map_or(deadline.min(idle_deadline), |(_, kill_at)| kill_at);
        tokio::select! {
            chunk = out.read() => {
                heard = Instant::now();
                log.write(From::Out, chunk)?;
                lines.push(chunk, watcher)?;
            }
            chunk = err.read() => {
                heard = Instant::now();
                log.write(From::Err, chunk)?;
            }
            status = child.wait() => break status.at("wait for", &job.program)?,
            () = sleep_until(next) => {
                ending = Some(if let Some((reason, _)) = ending {
                    group.signal(Signal::KILL);
                    (reason, Instant::now() + GRACE)
                } else if deadline <= idle_deadline {
                    group.ask_to_end(ExitReason::Timeout)
                } else {
                    group.ask_to_end(ExitReason::IdleTimeout)
                });
            }
            level = stopped(&mut stop, ending.is_some()), if !killed => {
                let (_, kill_at) = group.ask_to_end(ExitReason::Stopped);
                if level == StopLevel::AtOnce {
                    group.signal(Signal::KILL);
                    killed = true;
                }
                ending = Some((ending.map_or(ExitReason::Stopped, |(reason, _)| reason), kill_at));
            }
        }
    };
    // Whatever it left in its group ends with it.
    drop(group);
    drain(&mut out, &mut err, &mut log, &mut lines, watcher).await?;
    log.finish()?;
    lines.finish(watcher)?;
    Ok(exit_of(status, ending.map(|(reason, _)| reason), begun.elapsed()))
}

/// Whether the machine had no room for a process, rather than the program being no program.
fn is_exhaustion(error: &std::io::Error) -> bool {
    const EXHAUSTED: [Errno; 8] = [
        Errno::AGAIN,
        Errno::NOMEM,
        Errno::MFILE,
        Errno::NFILE,
        Errno::NOSPC,
        Errno::DQUOT,
        Errno::IO,
        Errno::ROFS,
    ];
    EXHAUSTED.iter().any(|errno| error.raw_os_error() == Some(errno.raw_os_error()))
}

/// In a group of its own, so that everything it starts can be ended with it.
fn command(job: &Job) -> Command {
    let mut command = Command::new(&job.program);
    command
        .args(&job.args)
        .current_dir(&job.cwd)
        .env_clear()
        .envs(&job.env)
        .stdin(Stdio::piped())
        .stdout(Stdio::piped())
        .stderr(Stdio::piped())
        .process_group(0)
        .kill_on_drop(true);
    command
}

/// Waits for a stop that matters: the first one, then only the urgent one.
async fn stopped(stop: &mut watch::Receiver<StopLevel>, ending: bool) -> StopLevel {
    let least = if ending { StopLevel::AtOnce } else { StopLevel::Graceful };
    // Copied at once: the guard must not live across an await.
    let level = stop.wait_for(|level| *level >= least).await.map(|level| *level);
    match level {
        Ok(level) => level,
        // Nobody can ask any more: the limits still hold.
        Err(_) => std::future::pending().await,
    }
}

fn exit_of(status: ExitStatus, ended_by_us: Option<ExitReason>, duration: Duration) -> Exit {
    let natural = if status.code().is_some() { ExitReason::Exited } else { ExitReason::Signaled };
    let reason = ended_by_us.unwrap_or(natural);
    Exit { reason, code: status.code(), signal: status.signal(), duration, detail: None }
}

fn feed(child: &mut Child, input: Vec<u8>) {
    if let Some(mut stdin) = child.stdin.take() {
        tokio::spawn(async move {
            // A program that does not read its input is free not to.
            let _unread = stdin.write_all(&input).await;
        });
    }
}

async fn drain(
    out: &mut Stream<impl AsyncRead + Unpin>,
    err: &mut Stream<impl AsyncRead + Unpin>,
    log: &mut Log,
    lines: &mut Lines,
    watcher: &mut impl Watcher,
) -> Result<(), Error> {
    let until = Instant::now() + DRAIN;
    while out.is_open() || err.is_open() {
        tokio::select! {
            chunk = out.read() => {
                log.write(From::Out, chunk)?;
                lines.push(chunk, watcher)?;
            }
            chunk = err.read() => log.write(From::Err, chunk)?,
            () = sleep_until(until) => break,
        }
    }
    Ok(())
}

/// A process group that we made. Whatever is left in it ends when this is dropped, also where an error drops it.
struct Group(Option<Pid>);

impl Drop for Group {
    fn drop(&mut self) {
        self.signal(Signal::KILL);
    }
}

impl Group {
    fn of(child: &Child) -> Self {
        Self(child.id().and_then(|pid| i32::try_from(pid).ok()).and_then(Pid::from_raw))
    }

    fn signal(&self, signal: Signal) {
        if let Some(group) = self.0 {
            // An error means that the group is gone, which is what was wanted.
            let _gone = kill_process_group(group, signal);
        }
    }

    fn ask_to_end(&self, reason: ExitReason) -> (ExitReason, Instant) {
        self.signal(Signal::TERM);
        (reason, Instant::now() + GRACE)
    }
}

/// A pipe that pends for ever once it is closed.
struct Stream<R> {
    pipe: Option<R>,
    buffer: Vec<u8>,
}

impl<R: AsyncRead + Unpin> Stream<R> {
    fn new(pipe: Option<R>) -> Self {
        Self { pipe, buffer: vec![0; 64 * 1024] }
    }

    fn is_open(&self) -> bool {
        self.pipe.is_some()
    }

    async fn read(&mut self) -> &[u8] {
        match &mut self.pipe {
            None => std::future::pending().await,
            Some(pipe) => {
                let n = pipe.read(&mut self.buffer).await.unwrap_or(0);
                if n == 0 {
                    self.pipe = None;
                }
                &self.buffer[..n]
            }
        }
    }
}

/// Splits standard output into lines.
#[derive(Default)]
struct Lines {
    pending: Vec<u8>,
    too_long: bool,
}

impl Lines {
    fn push(&mut self, chunk: &[u8], watcher: &mut impl Watcher) -> Result<(), Error> {
        let mut parts = chunk.split(|byte| *byte == b'\n').peekable();
        while let Some(part) = parts.next() {
            if self.pending.len() + part.len() > LINE_BYTES_MAX {
                self.too_long = true;
                self.pending.clear();
            }
            if !self.too_long {
                self.pending.extend_from_slice(part);
            }
            if parts.peek().is_some() {
                self.finish(watcher)?;
            }
        }
        Ok(())
    }

    fn finish(&mut self, watcher: &mut impl Watcher) -> Result<(), Error> {
        if std::mem::take(&mut self.too_long) {
            watcher.too_long();
        } else if !self.pending.is_empty() {
            watcher.line(&self.pending)?;
        }
        self.pending.clear();
        Ok(())
    }
}

/// A stream of the command.
#[derive(Clone, Copy)]
enum From {
    Out,
    Err,
}

/// The kept output. Each stream is redacted by itself, so that the one cannot split a secret of the other; its unfinished
/// line waits.
struct Log {
    path: PathBuf,
    file: File,
    out: Redacted,
    err: Redacted,
    written: u64,
    left_out: u64,
}

impl Log {
    fn create(path: PathBuf, redactor: &Redactor) -> Result<Self, Error> {
        let file =
            fault::point!("log.create", private::open().write(true).create(true).truncate(true).open(&path))
                .at("create", &path)?;
        Ok(Self { path, file, out: redactor.stream(), err: redactor.stream(), written: 0, left_out: 0 })
    }

    fn write(&mut self, from: From, chunk: &[u8]) -> Result<(), Error> {
        if self.written == LOG_BYTES_MAX {
            self.left_out += chunk.len() as u64;
            return Ok(());
        }
        let redacted = match from {
            From::Out => self.out.push(chunk),
            From::Err => self.err.push(chunk),
        };
        self.keep(&redacted)
    }

    fn keep(&mut self, bytes: &[u8]) -> Result<(), Error> {
        let room = usize::try_from(LOG_BYTES_MAX - self.written).unwrap_or(usize::MAX);
        let (kept, dropped) = bytes.split_at(bytes.len().min(room));
        fault::write_all!("log.write", &mut self.file, kept).at("write", &self.path)?;
        self.written += kept.len() as u64;
        self.left_out += dropped.len() as u64;
        Ok(())
    }

    /// Nothing more comes.
    fn finish(&mut self) -> Result<(), Error> {
        let (out, err) = (self.out.finish(&self.path), self.err.finish(&self.path));
        self.keep(&out)?;
        self.keep(&err)
    }
}

impl Drop for Log {
    fn drop(&mut self) {
        if self.left_out > 0 {
            // The log only informs; failing to say that it is cut must not fail the run.
            let _unsaid = writeln!(self.file, "\n[mycelium: {} more bytes left out]", self.left_out);
        }
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    struct Collect(Vec<String>);

    impl Watcher for Collect {
        fn started(&mut self, _: u32) {}

        fn line(&mut self, line: &[u8]) -> Result<(), Error> {
            self.0.push(String::from_utf8_lossy(line).into_owned());
            Ok(())
        }

        fn too_long(&mut self) {
            self.0.push("(too long)".to_owned());
        }
    }

    async fn shell(script: &str, timeout: Duration, idle: Option<Duration>) -> (Exit, Vec<String>, String) {
        let dir = tempfile::tempdir().unwrap();
        let (program, args) = Job::shell(script);
        let log = dir.path().join("log");
        let env = BTreeMap::from([("PATH".to_owned(), std::env::var("PATH").unwrap())]);
        let cwd = dir.path().to_owned();
        let stdin = b"hello\n".to_vec();
        let job = Job {
            program,
            args,
            cwd,
            env,
            stdin,
            timeout,
            idle_timeout: idle,
            log: log.clone(),
            redactor: Redactor::default(),
        };
        let (_sender, stop) = watch::channel(StopLevel::None);
        let mut lines = Collect(Vec::new());
        let exit = run(job, stop, &mut lines).await.unwrap();
        (exit, lines.0, std::fs::read_to_string(log).unwrap())
    }

    const LONG: Duration = Duration::from_secs(60);

    #[tokio::test]
    async fn output_input_and_exit_code_are_seen() {
        let (exit, lines, log) = shell("cat; echo two; echo err >&2; exit 3", LONG, None).await;
        assert_eq!((exit.reason, exit.code), (ExitReason::Exited, Some(3)));
        assert_eq!(lines, ["hello", "two"]);
        assert!(log.contains("err"));
    }

    #[tokio::test]
    async fn a_line_beyond_the_bound_is_told_as_such() {
        let script = format!("head -c {} /dev/zero | tr '\\0' x; echo; echo two", LINE_BYTES_MAX + 1);
        let (_, lines, _) = shell(&script, LONG, None).await;
        assert_eq!(lines, ["(too long)", "two"]);
    }

    #[tokio::test]
    async fn the_time_limit_ends_the_whole_group() {
        let script = "sh -c 'echo $$; exec sleep 1000' & wait";
        let (exit, lines, _) = shell(script, Duration::from_millis(300), None).await;
        assert_eq!(exit.reason, ExitReason::Timeout);
        // A zombie has ended and only waits to be reaped by whoever adopted it.
        let state = std::fs::read_to_string(format!("/proc/{}/stat", lines[0])).unwrap_or_default();
        let state = state.rsplit(") ").next().and_then(|rest| rest.chars().next());
        assert!(matches!(state, None | Some('Z' | 'X')), "the child lives on: {state:?}");
    }

    #[tokio::test]
    async fn silence_ends_it_and_talking_does_not() {
        let (exit, ..) = shell("sleep 1000", LONG, Some(Duration::from_millis(200))).await;
        assert_eq!(exit.reason, ExitReason::IdleTimeout);
    }

    #[tokio::test]
    async fn a_daemon_that_holds_the_pipe_does_not_hold_us() {
        let (exit, ..) = shell("setsid sleep 5 & exit 0", LONG, None).await;
        assert!(exit.is_success());
    }

    #[tokio::test]
    async fn a_program_that_is_not_there_is_an_outcome() {
        let dir = tempfile::tempdir().unwrap();
        let job = Job {
            program: "/nowhere/at-all".into(),
            args: Vec::new(),
            cwd: dir.path().to_owned(),
            env: BTreeMap::new(),
            stdin: Vec::new(),
            timeout: LONG,
            idle_timeout: None,
            log: dir.path().join("log"),
            redactor: Redactor::default(),
        };
        let (_sender, stop) = watch::channel(StopLevel::None);
        let exit = run(job, stop, &mut Ignore).await.unwrap();
        assert_eq!(exit.reason, ExitReason::NotStarted);
        assert!(exit.describe().contains("/nowhere/at-all"));
    }
}
