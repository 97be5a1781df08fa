//! Runs one command in a process group of its own, with bounded time and output (design 3.4).

use std::{
    collections::BTreeMap,
    ffi::OsString,
    os::unix::process::ExitStatusExt,
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
    capture::{From, Lines, Log},
    doctor,
    error::{Error, IoContext},
    fault,
    job::{Exit, GRACE, Job, Program, StopLevel, Watcher, stopped},
    orphans::MARK,
    patience::Patience,
};

/// How long output is awaited after the process ended: a daemon it left behind may hold the pipe for ever.
const DRAIN: Duration = Duration::from_secs(1);

/// Runs the command to its end, its limits, or a stop. It gets the base environment and its own.
pub async fn run(
    job: Job,
    base: &BTreeMap<String, String>,
    mut stop: watch::Receiver<StopLevel>,
    watcher: &mut impl Watcher,
) -> Result<Exit, Error> {
    let begun = Instant::now();
    let mut log = Log::create(job.log.clone(), &job.redactor)?;
    let mut command = command(&job, base)?;
    let program = command.as_std().get_program().to_owned();
    let mut child = match fault::point!("process.start", command.spawn()) {
        Ok(child) => child,
        // Not the command's fault: nothing about it would be different another time.
        Err(error) if is_exhaustion(&error) => return Err(error).at("start", program),
        Err(error) => {
            return Ok(Exit::not_started(format!("{}: {error}", program.display()), begun.elapsed()));
        }
    };
    let group = Group::of(&child);
    watcher.started(child.id());
    let mut patience = Patience::with(&job, begun);
    feed(&mut child, job.stdin);

    let mut out = Stream::new(child.stdout.take());
    let mut err = Stream::new(child.stderr.take());
    let mut lines = Lines::default();
    let mut ending: Option<(ExitReason, Instant)> = None;
    let mut killed = false;
    let status = loop {
        let (limit, ends_at) = patience.limit(watcher);
        let next = ending.map_or(ends_at, |(_, kill_at)| kill_at);
        tokio::select! {
            chunk = out.read() => {
                patience.heard();
                log.write(From::Out, chunk)?;
                lines.push(chunk, watcher)?;
            }
            chunk = err.read() => {
                patience.heard();
                log.write(From::Err, chunk)?;
                watcher.error_output(chunk);
            }
            status = child.wait() => break status.at("wait for", &program)?,
            () = sleep_until(next) => {
                ending = Some(if let Some((reason, _)) = ending {
                    group.signal(Signal::KILL);
                    (reason, Instant::now() + GRACE)
                } else if patience.limit(watcher).1 > Instant::now() {
                    // It gave a sign of life meanwhile.
                    continue;
                } else {
                    group.ask_to_end(limit, job.stop_signal)
                });
            }
            level = stopped(&mut stop, ending.is_some()), if !killed => {
                let (_, kill_at) = group.ask_to_end(ExitReason::Stopped, job.stop_signal);
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
fn command(job: &Job, base: &BTreeMap<String, String>) -> Result<Command, Error> {
    let (program, args) = command_line(&job.program)?;
    let mut command = Command::new(program);
    command
        .args(args)
        .current_dir(&job.cwd)
        .env_clear()
        .envs(base)
        .envs(&job.env)
        .envs(job.files.iter().map(|(name, path)| (name, path)))
        .env(MARK, &job.cwd)
        .stdin(Stdio::piped())
        .stdout(Stdio::piped())
        .stderr(Stdio::piped())
        .process_group(0)
        .kill_on_drop(true);
    Ok(command)
}

fn command_line(program: &Program) -> Result<(OsString, Vec<OsString>), Error> {
    match program {
        Program::Shell(command) => Ok(("sh".into(), vec!["-c".into(), command.into()])),
        Program::Own { path, command } => Ok((path.into(), vec![command.into()])),
        Program::Found { path, args } => Ok((path.into(), args.iter().map(OsString::from).collect())),
        Program::Script(script) => {
            let (interpreter, argument) = doctor::interpreter(script)?;
            let argument = argument.map(OsString::from);
            Ok((interpreter.into(), argument.into_iter().chain([script.into()]).collect()))
        }
    }
}

fn exit_of(status: ExitStatus, ended_by_us: Option<ExitReason>, duration: Duration) -> Exit {
    let natural = if status.code().is_some() { ExitReason::Exited } else { ExitReason::Signaled };
    let reason = ended_by_us.unwrap_or(natural);
    Exit { reason, code: status.code(), signal: status.signal(), duration, detail: None, left: None }
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
            chunk = err.read() => {
                log.write(From::Err, chunk)?;
                watcher.error_output(chunk);
            }
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

    fn ask_to_end(&self, reason: ExitReason, signal: Signal) -> (ExitReason, Instant) {
        self.signal(signal);
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

#[cfg(test)]
mod tests {
    use std::path::Path;

    use super::*;
    use crate::{
        capture::LINE_BYTES_MAX,
        job::{Ignore, Purpose},
        redact::Redactor,
    };

    struct Collect(Vec<String>);

    impl Watcher for Collect {
        fn line(&mut self, line: &[u8]) -> Result<(), Error> {
            self.0.push(String::from_utf8_lossy(line).into_owned());
            Ok(())
        }

        fn too_long(&mut self) {
            self.0.push("(too long)".to_owned());
        }
    }

    fn job(program: Program, dir: &Path, timeout: Duration) -> Job {
        Job {
            purpose: Purpose::Agent,
            attempt: None,
            program,
            cwd: dir.to_owned(),
            env: BTreeMap::new(),
            files: Vec::new(),
            stdin: Vec::new(),
            timeout,
            idle_timeout: None,
            first_event_timeout: None,
            relay: None,
            stop_signal: Signal::TERM,
            log: dir.join("log"),
            redactor: Redactor::default(),
        }
    }

    async fn shell(script: &str, timeout: Duration, idle: Option<Duration>) -> (Exit, Vec<String>, String) {
        let dir = tempfile::tempdir().unwrap();
        let log = dir.path().join("log");
        let program = Program::Shell(script.to_owned());
        let job = Job { stdin: b"hello\n".to_vec(), idle_timeout: idle, ..job(program, dir.path(), timeout) };
        let (_sender, stop) = watch::channel(StopLevel::None);
        let mut lines = Collect(Vec::new());
        let base = BTreeMap::from([("PATH".to_owned(), std::env::var("PATH").unwrap())]);
        let exit = run(job, &base, stop, &mut lines).await.unwrap();
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
        let program = Program::Own { path: "/nowhere/at-all".into(), command: "x" };
        let job = job(program, dir.path(), LONG);
        let (_sender, stop) = watch::channel(StopLevel::None);
        let exit = run(job, &BTreeMap::new(), stop, &mut Ignore).await.unwrap();
        assert_eq!(exit.reason, ExitReason::NotStarted);
        assert!(exit.describe().contains("/nowhere/at-all"));
    }
}
