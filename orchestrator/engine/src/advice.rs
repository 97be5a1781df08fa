//! What to do about an answer of the operating system, by what it says, for every error that has one; and about what an
//! agent that asks a model failed of.

use std::{
    io::{self, ErrorKind},
    path::Path,
};

use rustix::io::Errno;

use crate::attempt::AGENT_FAILED;

const FILES_OF_PROCESS: &str =
    "this process may not open enough files: raise the limit with `ulimit -n 1024`, then try again";
const FILES_OF_MACHINE: &str = "the machine has too many files open: close other programs or raise its limit (fs.file-max), then try again";

/// What to do, as one sentence.
pub fn io(path: &Path, source: &io::Error) -> String {
    let shown = path.display();
    match Errno::from_io_error(source) {
        Some(Errno::MFILE) => return FILES_OF_PROCESS.to_owned(),
        Some(Errno::NFILE) => return FILES_OF_MACHINE.to_owned(),
        _ => {}
    }
    match source.kind() {
        ErrorKind::StorageFull => format!("free some space where {shown} is, then try again"),
        ErrorKind::QuotaExceeded => {
            format!("free some space where {shown} is or have the quota raised, then try again")
        }
        ErrorKind::FileTooLarge => {
            format!("raise the limit on the size of files (`ulimit -f`) for {shown}, then try again")
        }
        ErrorKind::PermissionDenied => {
            format!("give this user the permission for {shown} and the folders above it, then try again")
        }
        ErrorKind::ReadOnlyFilesystem => {
            format!(
                "{shown} is on a file system that cannot be written: remount it or use another, then try again"
            )
        }
        ErrorKind::NotFound => format!("see why {shown} is not there, then try again"),
        _ => format!("mend what the system says about {shown}, then try again"),
    }
}

/// What to do about an answer that libgit2 gives on as text alone.
pub(crate) fn text(message: &str) -> &'static str {
    let says = |errno: Errno| {
        let text = io::Error::from(errno).to_string();
        text.split(" (os error").next().is_some_and(|text| message.contains(text))
    };
    if says(Errno::MFILE) {
        FILES_OF_PROCESS
    } else if says(Errno::NFILE) {
        FILES_OF_MACHINE
    } else if says(Errno::NOSPC) || says(Errno::DQUOT) {
        "free some space where the repository and MYCELIUM_HOME are, then try again"
    } else if says(Errno::ACCESS) || says(Errno::ROFS) {
        "mend the permissions of what is named, then try again"
    } else {
        "mend what the system reports, then try again"
    }
}

/// What to do where the agent of an attempt failed, by the class that its reason names last; none where the reason says it.
pub fn agent(reason: &str) -> Option<&'static str> {
    let cause = reason.strip_prefix(AGENT_FAILED)?;
    // What follows from it may stand behind.
    let class = cause.rsplit_once('(')?.1.split_once(')')?.0;
    Some(match class {
        "auth" => {
            "the provider does not take the key: set the variable that `gateway` names to one that it takes, then `mycelium run`"
        }
        "quota" => "the provider's account is used up: raise its quota, then `mycelium run`",
        "rate_limit" => {
            "the provider takes no more requests for now: wait, or lower `max_parallel`, then `mycelium run`"
        }
        "context" => {
            "the work is too long for the model: split the task or set a model that takes more, then `mycelium run`"
        }
        "provider" | "network" => {
            "the provider fails or is not reached: look at `base_url` in `gateway`, or wait, then `mycelium run`"
        }
        "config" => {
            "the provider does not know what it was asked for, or the agent cannot start so: correct `model` or `base_url`, or what else the reason names, then `mycelium run`"
        }
        _ => return None,
    })
}

#[cfg(test)]
mod tests {
    use std::collections::BTreeSet;

    use super::*;

    #[test]
    fn each_class_of_what_an_agent_fails_of_has_its_own_advice() {
        let advice = |class: &str| agent(&format!("the agent failed: API Error: 401 (a word) ({class})"));
        let mut all = BTreeSet::new();
        for class in ["auth", "quota", "rate_limit", "context", "provider", "config"] {
            let advice = advice(class).unwrap();
            assert!(advice.ends_with(", then `mycelium run`") && all.insert(advice), "{class}: {advice}");
        }
        assert_eq!((advice("network"), advice("empty")), (advice("provider"), None));
        let refused = agent("the agent failed: no key (auth); another attempt would fail the same way");
        assert_eq!(refused, advice("auth"));
        assert_eq!(agent("the task's verify command exited with 1 (auth)"), None);
    }

    #[test]
    fn each_kind_of_answer_has_its_own_advice() {
        for (errno, said) in [
            (Errno::MFILE, "ulimit -n"),
            (Errno::NFILE, "fs.file-max"),
            (Errno::NOSPC, "free some space where /home/p/x is"),
            (Errno::DQUOT, "quota"),
            (Errno::FBIG, "ulimit -f"),
            (Errno::ACCESS, "the permission for /home/p/x"),
            (Errno::ROFS, "/home/p/x is on a file system that cannot be written"),
            (Errno::IO, "what the system says about /home/p/x"),
        ] {
            let advice = io(Path::new("/home/p/x"), &io::Error::from(errno));
            assert!(advice.contains(said), "{errno:?}: {advice}");
        }
    }

    #[test]
    fn an_answer_that_came_as_text_is_understood_too() {
        for (message, said) in [
            ("failed to create '/r/.git/x': Too many open files", "ulimit -n"),
            ("failed to write: No space left on device", "free some space"),
            ("could not open '/r/.git/x': Permission denied", "permissions"),
            ("could not open '/r/.git/x': Input/output error", "what the system reports"),
        ] {
            assert!(text(message).contains(said), "{message}: {}", text(message));
        }
    }
}
