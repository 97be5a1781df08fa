//! What happens at a point: `MYCELIUM_FAULT=<mode>@<point>[:<hit>]` says which fault comes at which point, the first time
//! it is reached unless another time is named; several are separated by commas. `MYCELIUM_FAULT_TRACE=<file>` notes every
//! point that is reached, one line each, and behind that each fault that comes, as it was named, after a `!`.
//!
//! | mode | at the point |
//! | --- | --- |
//! | `kill` | the program dies before the operation |
//! | `kill-after` | it dies after the operation |
//! | `kill-group` | it dies before the operation, and everything that it started dies with it |
//! | `panic` | it has a bug there, before the operation |
//! | `torn` | it dies in the middle of a write; elsewhere as `kill` |
//! | `lock-left` | it dies inside a library that holds a lock file, which stays; elsewhere as `kill` |
//! | `enospc`, `eio` | the operation fails once; of a write, half is done |
//! | `erofs` | the operation and every one after it fails |

use std::{
    collections::HashMap,
    env, fs,
    io::{self, Write},
    path::Path,
    sync::{LazyLock, Mutex, OnceLock, PoisonError},
    thread,
};

use rustix::{
    io::Errno,
    process::{Pid, Signal, getpid, kill_process, kill_process_group},
};
use serde::Serialize;

/// A registered point.
#[derive(Debug, Clone, Copy, PartialEq, Eq, PartialOrd, Ord, Serialize)]
pub struct Point {
    /// Its name.
    pub name: &'static str,
    /// Whether it is an operation, so that it can fail.
    pub fails: bool,
    /// Whether it writes bytes, so that the write can be torn.
    pub writes: bool,
    /// Whether a library holds a lock file meanwhile, so that it can be left.
    pub locks: bool,
}

inventory::collect!(Point);

/// All points, sorted; one twice where two places share a name.
pub fn points() -> Vec<Point> {
    let mut points: Vec<_> = inventory::iter::<Point>.into_iter().copied().collect();
    points.sort_unstable();
    points
}

/// An error that an operation can be made to fail with.
pub(crate) trait Injected {
    /// Made from the system's answer.
    fn injected(error: io::Error) -> Self;
}

impl Injected for io::Error {
    fn injected(error: io::Error) -> Self {
        error
    }
}

impl Injected for git2::Error {
    fn injected(error: io::Error) -> Self {
        Self::new(git2::ErrorCode::GenericError, git2::ErrorClass::Os, error.to_string())
    }
}

impl Injected for bollard::errors::Error {
    fn injected(err: io::Error) -> Self {
        Self::IOError { err }
    }
}

impl Injected for Errno {
    fn injected(error: io::Error) -> Self {
        // What is injected is an errno; the text of `MYCELIUM_FAULT` that is none is invalid input.
        Self::from_io_error(&error).unwrap_or(Self::INVAL)
    }
}

#[derive(Debug, Clone, Copy, PartialEq, Eq)]
enum Mode {
    Kill,
    KillAfter,
    KillGroup,
    Panic,
    Torn,
    LockLeft,
    Once(Errno),
    FromNowOn(Errno),
}

#[derive(Debug)]
struct Fault {
    /// As it was named.
    text: String,
    mode: Mode,
    point: String,
    hit: u32,
}

static FAULTS: LazyLock<Result<Vec<Fault>, String>> = LazyLock::new(|| match env::var("MYCELIUM_FAULT") {
    Ok(text) => text.split(',').map(parse).collect::<Option<_>>().ok_or(text),
    Err(_) => Ok(Vec::new()),
});
static TRACE: LazyLock<Option<String>> = LazyLock::new(|| env::var("MYCELIUM_FAULT_TRACE").ok());
static HITS: LazyLock<Mutex<HashMap<&'static str, u32>>> = LazyLock::new(Mutex::default);
/// Why every operation fails, once it does.
static BROKEN: OnceLock<Errno> = OnceLock::new();

fn parse(text: &str) -> Option<Fault> {
    let (mode, place) = text.split_once('@')?;
    let mode = match mode {
        "kill" => Mode::Kill,
        "kill-after" => Mode::KillAfter,
        "kill-group" => Mode::KillGroup,
        "panic" => Mode::Panic,
        "torn" => Mode::Torn,
        "lock-left" => Mode::LockLeft,
        "enospc" => Mode::Once(Errno::NOSPC),
        "eio" => Mode::Once(Errno::IO),
        "erofs" => Mode::FromNowOn(Errno::ROFS),
        _ => return None,
    };
    let (point, hit) = match place.split_once(':') {
        Some((point, hit)) => (point, hit.parse().ok()?),
        None => (place, 1),
    };
    Some(Fault { text: text.to_owned(), mode, point: point.to_owned(), hit })
}

/// An operation that was let through.
#[derive(Debug)]
#[must_use]
pub(crate) struct Entered {
    deadly: bool,
}

impl Entered {
    /// The operation is done.
    pub(crate) fn leave(self) {
        if self.deadly {
            die();
        }
    }
}

/// Comes to an operation: lets it through, dies, or fails in its place.
pub(crate) fn enter(name: &'static str) -> io::Result<Entered> {
    enter_as(due(name, true)?)
}

/// Comes to an operation that holds a lock file; dies as if in the middle of it, with the lock made.
pub(crate) fn enter_lock(name: &'static str, lock: &Path) -> io::Result<Entered> {
    let due = due(name, true)?;
    if due == Some(Mode::LockLeft) {
        if let Some(folder) = lock.parent() {
            fs::create_dir_all(folder)?;
        }
        fs::File::create_new(lock)?;
    }
    enter_as(due)
}

fn enter_as(due: Option<Mode>) -> io::Result<Entered> {
    match due {
        None => Ok(Entered { deadly: false }),
        Some(Mode::KillAfter) => Ok(Entered { deadly: true }),
        Some(Mode::Kill | Mode::Torn | Mode::LockLeft) => die(),
        Some(Mode::KillGroup) => die_with_children(),
        Some(Mode::Panic) => have_a_bug(),
        Some(Mode::Once(errno) | Mode::FromNowOn(errno)) => Err(errno.into()),
    }
}

/// Comes to a place that is no operation.
pub(crate) fn reach(name: &'static str) {
    // What cannot fail here is not made to fail.
    if let Ok(entered) = due(name, false).and_then(enter_as) {
        entered.leave();
    }
}

/// Writes all bytes, or a half of them and then dies or fails.
pub(crate) fn write(name: &'static str, file: &mut dyn Write, bytes: &[u8]) -> io::Result<()> {
    let (half, _) = bytes.split_at(bytes.len() / 2);
    let entered = match due(name, true)? {
        None => Entered { deadly: false },
        Some(Mode::KillAfter) => Entered { deadly: true },
        Some(Mode::Kill | Mode::LockLeft) => die(),
        Some(Mode::KillGroup) => die_with_children(),
        Some(Mode::Panic) => have_a_bug(),
        Some(Mode::Torn) => {
            file.write_all(half)?;
            die()
        }
        Some(Mode::Once(errno) | Mode::FromNowOn(errno)) => {
            file.write_all(half)?;
            return Err(errno.into());
        }
    };
    file.write_all(bytes)?;
    entered.leave();
    Ok(())
}

/// Counts the hit and says what is due. What can not fail is not said to have failed.
fn due(name: &'static str, fails: bool) -> io::Result<Option<Mode>> {
    let faults = FAULTS
        .as_ref()
        .map_err(|text| io::Error::new(io::ErrorKind::InvalidInput, format!("MYCELIUM_FAULT is {text:?}")))?;
    let hit = {
        let mut hits = HITS.lock().unwrap_or_else(PoisonError::into_inner);
        let hit = hits.entry(name).or_insert(0);
        *hit += 1;
        *hit
    };
    let due = faults.iter().find(|fault| fault.point == name && fault.hit == hit);
    let comes = due.filter(|fault| fails || !matches!(fault.mode, Mode::Once(_)));
    if let Some(path) = TRACE.as_ref() {
        let came = comes.map(|fault| format!("!{}\n", fault.text)).unwrap_or_default();
        let mut trace = fs::OpenOptions::new().create(true).append(true).open(path)?;
        trace.write_all(format!("{name}\n{came}").as_bytes())?;
    }
    let due = due.map(|fault| fault.mode);
    if let Some(Mode::FromNowOn(errno)) = due {
        // A second such fault finds the world broken already.
        let _broken = BROKEN.set(errno);
    }
    Ok(due.or_else(|| BROKEN.get().copied().map(Mode::FromNowOn)))
}

/// Ends this process as a power cut would.
fn die() -> ! {
    // It cannot fail: the process is this one.
    let _ended = kill_process(getpid(), Signal::KILL);
    loop {
        thread::park();
    }
}

/// As if something that can not be had happened.
#[expect(clippy::panic, reason = "a panic is what is tried")]
fn have_a_bug() -> ! {
    panic!("a fault was asked for here")
}

/// Ends the process groups of what this process started, then itself.
fn die_with_children() -> ! {
    let own = getpid().as_raw_nonzero().to_string();
    let processes = fs::read_dir("/proc").into_iter().flatten().flatten();
    for pid in processes.filter_map(|entry| entry.file_name().to_str()?.parse::<i32>().ok()) {
        let stat = fs::read_to_string(format!("/proc/{pid}/stat")).unwrap_or_default();
        // Behind the name, which may hold anything: state, then the parent.
        let parent = stat.rsplit(") ").next().and_then(|rest| rest.split(' ').nth(1));
        if parent == Some(&own)
            && let Some(group) = Pid::from_raw(pid)
        {
            // An error means that it is gone, which is what is wanted.
            let _gone = kill_process_group(group, Signal::KILL);
        }
    }
    die()
}
