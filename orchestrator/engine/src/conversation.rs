//! The conversation of an attempt's agent, with which the next attempt goes on where the orchestrator ended in the middle
//! of it (ADR 11).
//!
//! A note of it lies beside the workspace exactly as long as the workspace holds what this conversation made of its base,
//! and nothing else: it is written when the conversation's id is known, and is gone before gates work in the workspace or
//! the workspace is made anew.

use std::{
    fs,
    io::ErrorKind,
    path::{Path, PathBuf},
};

use mycelium_agents::{agent::Agent as Adapter, invocation::is_session_id};
use mycelium_schemas::{config::Config, id::CommitId};
use serde::{Deserialize, Serialize};

use crate::{
    error::{Error, IoContext},
    fault, private, store,
};

/// Names that are looked at for the file of a conversation: an agent may have made any number.
const NAMES_MAX: usize = 10_000;

/// What is kept of a conversation.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
#[serde(deny_unknown_fields)]
pub(crate) struct Note {
    /// The agent's name.
    agent: String,
    /// Its model.
    model: String,
    /// Commit that its workspace began from.
    base: CommitId,
    /// The boot of the machine. What nobody synced outlives a process, but not the machine's end: neither the workspace
    /// nor the agent's files, so that this note need not either.
    boot: String,
    /// The conversation's id, by which the agent finds it.
    session: String,
}

/// Keeps the note of a conversation that begins.
#[derive(Debug)]
pub(crate) struct Keeper {
    path: PathBuf,
    note: Note,
}

impl Keeper {
    /// Of an attempt whose conversation has no id yet.
    pub(crate) fn new(path: PathBuf, adapter: Adapter, model: &str, base: &CommitId) -> Self {
        let note = Note {
            agent: adapter.name().to_owned(),
            model: model.to_owned(),
            base: base.clone(),
            boot: boot(),
            session: String::new(),
        };
        Self { path, note }
    }

    /// Keeps the id, once. One that cannot be asked for is not kept.
    pub(crate) fn keep(&mut self, session: &str) -> Result<(), Error> {
        if !self.note.session.is_empty() || !is_session_id(session) {
            return Ok(());
        }
        session.clone_into(&mut self.note.session);
        // Replaced whole: half a note would be none.
        let new = store::temporary(&self.path);
        store::make_private_dir(store::folder_of(&self.path))?;
        let note = serde_json::to_vec(&self.note)?;
        fault::point!("conversation.write", private::write(&new, note)).at("write", &new)?;
        fault::point!("conversation.keep", fs::rename(&new, &self.path)).at("replace", &self.path)
    }
}

/// The workspace is no longer what the conversation made of it, or will not be.
pub(crate) fn forget(path: &Path) -> Result<(), Error> {
    match fault::point!("conversation.forget", fs::remove_file(path)) {
        Err(error) if error.kind() == ErrorKind::NotFound => Ok(()),
        result => result.at("remove", path),
    }
}

/// What a lost attempt left, and what would go on with it.
#[derive(Debug)]
pub(crate) struct Left<'a> {
    /// The note.
    pub(crate) note: &'a Path,
    /// The agent's own folder.
    pub(crate) home: &'a Path,
    /// The workspace.
    pub(crate) workspace: &'a Path,
    /// The agent that would go on.
    pub(crate) adapter: Adapter,
    /// The commit that the next attempt works on.
    pub(crate) base: &'a CommitId,
}

impl Left<'_> {
    /// The id of the conversation to go on with, or why there is none.
    pub(crate) fn session(&self, config: &Config) -> Result<String, String> {
        let note = self.read()?;
        let (agent, model) = (self.adapter.name(), &config.worker.model);
        if config.gateway.cassette.is_some() {
            return Err("a cassette holds attempts from their beginning".to_owned());
        }
        if note.agent != agent || note.model != *model {
            return Err(format!(
                "its conversation was one of {} with {}, and {agent} with {model} is configured",
                note.agent, note.model
            ));
        }
        if note.base != *self.base {
            return Err("the integration branch has moved since it began".to_owned());
        }
        if note.boot.is_empty() || note.boot != boot() {
            return Err("the machine was started since, so that its files may not be whole".to_owned());
        }
        if !self.workspace.symlink_metadata().is_ok_and(|found| found.is_dir()) {
            return Err("its workspace is gone".to_owned());
        }
        if !is_session_id(&note.session) || !self.has_session(&note.session) {
            return Err(format!("{agent} has no file of its conversation"));
        }
        Ok(note.session)
    }

    fn read(&self) -> Result<Note, String> {
        match store::read_file(self.note) {
            Err(error) if error.kind() == ErrorKind::NotFound => {
                Err("there is no conversation that could be gone on with".to_owned())
            }
            Err(error) => Err(format!("the note of its conversation cannot be read: {error}")),
            Ok(bytes) => serde_json::from_slice(&bytes)
                .map_err(|error| format!("the note of its conversation cannot be read: {error}")),
        }
    }

    /// Whether the agent has a file of the conversation. The folder is the agent's: no link is followed, and there is an
    /// end.
    fn has_session(&self, session: &str) -> bool {
        let mut left = NAMES_MAX;
        let mut folders = vec![(self.home.join(self.adapter.sessions()), 0)];
        while let Some((folder, depth)) = folders.pop() {
            let is_folder = folder.symlink_metadata().is_ok_and(|found| found.is_dir());
            let Some(entries) = fs::read_dir(&folder).ok().filter(|_| is_folder) else { continue };
            for entry in entries.flatten() {
                let Some(rest) = usize::checked_sub(left, 1) else { return false };
                left = rest;
                let Ok(kind) = entry.file_type() else { continue };
                if kind.is_dir() && depth < Adapter::SESSION_DEPTH {
                    folders.push((entry.path(), depth + 1));
                }
                let name = entry.file_name();
                let is_it = name.to_str().is_some_and(|name| self.adapter.is_session_file(name, session));
                if is_it && kind.is_file() {
                    return true;
                }
            }
        }
        false
    }
}

/// What an agent is told in the place of its task, when it goes on. The task stands in it: a conversation that was cut off
/// before its first request may not hold it.
pub(crate) fn interrupted(spec: &str) -> String {
    format!(
        "You were interrupted in the middle of this task: you and every command that you ran were ended. The files are as \
         they were left then, perhaps in the middle of a change; what a command had done when it was ended is not known. \
         Look at what is there, do what is missing, check all of it, and finish. Do not do again what is done. The task \
         was:\n\n{spec}"
    )
}

/// Which boot of the machine this is; nothing where it does not say.
fn boot() -> String {
    let boot = fs::read_to_string("/proc/sys/kernel/random/boot_id").unwrap_or_default();
    boot.trim().to_owned()
}

#[cfg(test)]
mod tests {
    use std::os::unix::fs::symlink;

    use mycelium_schemas::{config, problem::Source};
    use tempfile::TempDir;

    use super::*;

    const SESSION: &str = "01234567-0123-4123-8123-0123456789ab";

    fn config(more: &str) -> Config {
        let text = format!("integration_branch: main\ndoctor: d.sh\n{more}");
        config::parse(&Source::new("c", text)).unwrap()
    }

    fn commit(number: u8) -> CommitId {
        format!("{number:040x}").parse().unwrap()
    }

    type Spoil = fn(&Lost);

    /// What an attempt of an agent left, as it should be.
    struct Lost {
        folder: TempDir,
        adapter: Adapter,
    }

    impl Lost {
        fn of(adapter: Adapter) -> Self {
            let lost = Self { folder: tempfile::tempdir().unwrap(), adapter };
            let (file, name) = match adapter {
                Adapter::Codex => {
                    ("sessions/2026/01/02", format!("rollout-2026-01-02T03-04-05-{SESSION}.jsonl"))
                }
                Adapter::Claude => ("projects/-w-001", format!("{SESSION}.jsonl")),
            };
            fs::create_dir_all(lost.path("home").join(file)).unwrap();
            fs::write(lost.path("home").join(file).join(name), "{}\n").unwrap();
            fs::create_dir(lost.path("workspace")).unwrap();
            let mut keeper = Keeper::new(lost.path("note.json"), adapter, "m1", &commit(1));
            keeper.keep(SESSION).unwrap();
            lost
        }

        fn path(&self, name: &str) -> PathBuf {
            self.folder.path().join(name)
        }

        fn session_for(&self, adapter: Adapter, more: &str, base: &CommitId) -> Result<String, String> {
            let left = Left {
                note: &self.path("note.json"),
                home: &self.path("home"),
                workspace: &self.path("workspace"),
                adapter,
                base,
            };
            left.session(&config(more))
        }

        fn session(&self) -> Result<String, String> {
            self.session_for(self.adapter, &worker(self.adapter), &commit(1))
        }
    }

    fn worker(adapter: Adapter) -> String {
        format!("worker: {{ agent: {}, model: m1 }}\n", adapter.name())
    }

    #[test]
    fn what_an_attempt_left_whole_is_gone_on_with() {
        for adapter in Adapter::ALL {
            assert_eq!(Lost::of(adapter).session(), Ok(SESSION.to_owned()), "{adapter:?}");
        }
    }

    #[test]
    fn whatever_does_not_fit_is_named_and_not_gone_on_with() {
        let says = |refused: Result<String, String>, why: &str| {
            let refused = refused.unwrap_err();
            assert!(refused.contains(why), "{refused:?} does not say {why:?}");
        };
        let (codex, claude) = (Lost::of(Adapter::Codex), worker(Adapter::Claude));
        says(
            codex.session_for(Adapter::Claude, &claude, &commit(1)),
            "one of codex with m1, and claude with m1",
        );
        let other = "worker: { agent: codex, model: m2 }\n";
        says(codex.session_for(Adapter::Codex, other, &commit(1)), "and codex with m2 is configured");
        says(codex.session_for(Adapter::Codex, &worker(Adapter::Codex), &commit(2)), "branch has moved");
        for tape in ["record", "replay"] {
            let taped = format!("{}gateway: {{ {tape}: first }}\n", worker(Adapter::Codex));
            says(codex.session_for(Adapter::Codex, &taped, &commit(1)), "a cassette");
        }
        let spoilt: [(Spoil, &str); 8] = [
            (|lost| fs::remove_dir(lost.path("workspace")).unwrap(), "workspace is gone"),
            (
                |lost| {
                    fs::remove_dir(lost.path("workspace")).unwrap();
                    symlink(lost.path("home"), lost.path("workspace")).unwrap();
                },
                "workspace is gone",
            ),
            (|lost| fs::remove_dir_all(lost.path("home")).unwrap(), "no file of its conversation"),
            (
                |lost| {
                    let sessions = lost.path("home").join(lost.adapter.sessions());
                    fs::rename(&sessions, lost.path("elsewhere")).unwrap();
                    symlink(lost.path("elsewhere"), sessions).unwrap();
                },
                "no file of its conversation",
            ),
            (|lost| fs::write(lost.path("note.json"), "{\"agent\": \"cod").unwrap(), "cannot be read"),
            (|lost| forget(&lost.path("note.json")).unwrap(), "no conversation that could be gone on with"),
            (|lost| change(lost, "boot", "another"), "the machine was started since"),
            (|lost| change(lost, "session", "--last"), "no file of its conversation"),
        ];
        for adapter in Adapter::ALL {
            for (spoil, why) in spoilt {
                let lost = Lost::of(adapter);
                spoil(&lost);
                says(lost.session(), why);
            }
        }
    }

    fn change(lost: &Lost, key: &str, value: &str) {
        let path = lost.path("note.json");
        let mut note: serde_json::Value = serde_json::from_slice(&fs::read(&path).unwrap()).unwrap();
        note[key] = value.into();
        fs::write(path, note.to_string()).unwrap();
    }

    #[test]
    fn the_first_id_is_kept_if_it_can_be_asked_for() {
        let folder = tempfile::tempdir().unwrap();
        let path = folder.path().join("note.json");
        let mut keeper = Keeper::new(path.clone(), Adapter::Codex, "m1", &commit(1));
        keeper.keep("--last").unwrap();
        assert!(!path.exists());
        keeper.keep(SESSION).unwrap();
        keeper.keep(&SESSION.replace('0', "1")).unwrap();
        let note: Note = serde_json::from_slice(&fs::read(&path).unwrap()).unwrap();
        assert_eq!(note.session, SESSION);
        assert_eq!(fs::read_dir(folder.path()).unwrap().count(), 1);
        forget(&path).unwrap();
        forget(&path).unwrap();
    }

    #[test]
    fn whoever_goes_on_is_told_the_task_too() {
        assert!(interrupted("Write a.js.\n").ends_with("The task was:\n\nWrite a.js.\n"));
    }
}
