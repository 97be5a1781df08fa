//! A snapshot of the process's environment, taken once at the start: the only place from which the rest of the
//! program learns variables and the current folder.

use std::{
    collections::BTreeMap,
    ffi::{OsStr, OsString},
    os::unix::fs::PermissionsExt,
    path::{Path, PathBuf},
};

use jiff::Timestamp;

/// Variables that every child may see: what programs need to run at all, and nothing that holds a secret.
const HANDED_ON: [&str; 11] =
    ["PATH", "HOME", "USER", "LOGNAME", "SHELL", "LANG", "LANGUAGE", "TZ", "TMPDIR", "TERM", "SSL_CERT_FILE"];

/// Those that say where things are on this machine.
const OF_THIS_MACHINE: [&str; 7] = ["PATH", "HOME", "USER", "LOGNAME", "SHELL", "TMPDIR", "SSL_CERT_FILE"];

/// The environment of this process.
#[derive(Debug, Clone, Default)]
pub struct Environment {
    vars: BTreeMap<String, String>,
    /// What is not UTF-8: handed to nobody, but a path in it must not pass for one that is not set.
    not_text: BTreeMap<String, OsString>,
    /// Where the process was started.
    pub current_dir: PathBuf,
    /// Program that answers to the hidden `mock-agent` command: this very program.
    pub program: PathBuf,
}

/// A variable of Mycelium's own that holds nonsense.
#[derive(Debug, thiserror::Error)]
#[error("the environment variable {name} is {value:?}, which is not {expected}")]
pub struct BadVariable {
    name: &'static str,
    value: String,
    expected: &'static str,
}

impl Environment {
    /// The environment of this process. Variables that are not UTF-8 are known as paths alone.
    pub fn from_process() -> std::io::Result<Self> {
        let (mut vars, mut not_text) = (BTreeMap::new(), BTreeMap::new());
        for (name, value) in std::env::vars_os() {
            let Ok(name) = name.into_string() else { continue };
            match value.into_string() {
                Ok(value) => drop(vars.insert(name, value)),
                Err(value) => drop(not_text.insert(name, value)),
            }
        }
        Ok(Self { vars, not_text, current_dir: std::env::current_dir()?, program: std::env::current_exe()? })
    }

    /// A variable that is set and not empty.
    pub fn get(&self, name: &str) -> Option<&str> {
        self.vars.get(name).map(String::as_str).filter(|value| !value.is_empty())
    }

    /// Whether a variable is set, whatever it holds.
    pub fn is_set(&self, name: &str) -> bool {
        self.vars.contains_key(name) || self.not_text.contains_key(name)
    }

    /// A variable that holds a path, whatever its bytes.
    pub fn path(&self, name: &str) -> Option<&Path> {
        self.get(name).map(Path::new).or_else(|| self.not_text.get(name).map(Path::new))
    }

    /// Where a program lies, looked for as a shell does.
    pub fn find_program(&self, program: &OsStr) -> Option<PathBuf> {
        let runs = |path: &PathBuf| {
            path.metadata().is_ok_and(|found| found.is_file() && found.permissions().mode() & 0o111 != 0)
        };
        let path = Path::new(program);
        if path.components().count() > 1 {
            return Some(self.current_dir.join(path)).filter(runs);
        }
        let folders = std::env::split_paths(self.get("PATH")?).collect::<Vec<_>>();
        folders.into_iter().map(|folder| self.current_dir.join(folder).join(path)).find(runs)
    }

    /// Where git looks for the configuration of the machine and of the user, whether or not there is one.
    pub fn git_configs(&self) -> Vec<PathBuf> {
        let home = self.path("HOME");
        let xdg = self.path("XDG_CONFIG_HOME").map(Path::to_owned).or_else(|| Some(home?.join(".config")));
        let of_user = home.map(|home| home.join(".gitconfig"));
        let found = [Some("/etc/gitconfig".into()), xdg.map(|folder| folder.join("git/config")), of_user];
        found.into_iter().flatten().collect()
    }

    /// The same environment with one variable set.
    #[must_use]
    pub fn with(mut self, name: &str, value: impl Into<String>) -> Self {
        self.vars.insert(name.to_owned(), value.into());
        self
    }

    /// `MYCELIUM_NOW`, the start of a stepped clock.
    pub fn now(&self) -> Result<Option<Timestamp>, BadVariable> {
        let Some(value) = self.get("MYCELIUM_NOW") else { return Ok(None) };
        value.parse().map(Some).map_err(|_| BadVariable {
            name: "MYCELIUM_NOW",
            value: value.to_owned(),
            expected: "a time like 2026-01-02T03:04:05Z",
        })
    }

    /// The same in containers: nothing that is about this machine's folders or users.
    pub fn for_containers(&self, extra: &[String]) -> BTreeMap<String, String> {
        let named = |name: &str| extra.iter().any(|entry| entry.split('=').next() == Some(name));
        let all = self.for_children(extra);
        all.into_iter().filter(|(name, _)| !OF_THIS_MACHINE.contains(&name.as_str()) || named(name)).collect()
    }

    /// What agents, bootstrap, verify, validators and the doctor get: an allow-list plus `worker.env`.
    pub fn for_children(&self, extra: &[String]) -> BTreeMap<String, String> {
        let handed_on = |name: &str| Some((name.to_owned(), self.vars.get(name)?.clone()));
        let locale = self.vars.iter().filter(|(name, _)| name.starts_with("LC_"));
        let configured = extra.iter().filter_map(|entry| match entry.split_once('=') {
            Some((name, value)) => Some((name.to_owned(), value.to_owned())),
            None => handed_on(entry),
        });
        HANDED_ON
            .into_iter()
            .filter_map(handed_on)
            .chain(locale.map(|(name, value)| (name.clone(), value.clone())))
            .chain(configured)
            .collect()
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn children_get_an_allow_list_and_what_is_configured() {
        let environment = Environment::default()
            .with("PATH", "/bin")
            .with("SECRET_KEY", "s3cret")
            .with("CARGO_HOME", "/cargo")
            .with("LC_ALL", "C");
        let children = environment.for_children(&["CARGO_HOME".into(), "MODE=fast=1".into(), "UNSET".into()]);
        let names: Vec<&str> = children.keys().map(String::as_str).collect();
        assert_eq!(names, ["CARGO_HOME", "LC_ALL", "MODE", "PATH"]);
        assert_eq!(children["MODE"], "fast=1");
    }

    #[test]
    fn containers_get_nothing_of_this_machine_unless_it_is_named() {
        let environment =
            Environment::default().with("PATH", "/bin").with("HOME", "/home/me").with("LC_ALL", "C");
        let containers = environment.for_containers(&["PATH=/opt/bin".into()]);
        assert_eq!(
            containers,
            [("LC_ALL", "C"), ("PATH", "/opt/bin")].map(|(k, v)| (k.into(), v.into())).into()
        );
    }

    #[test]
    fn a_clock_that_is_no_time_is_an_error() {
        assert!(Environment::default().with("MYCELIUM_NOW", "yesterday").now().is_err());
        assert!(Environment::default().with("MYCELIUM_NOW", "2026-01-02T03:04:05Z").now().unwrap().is_some());
        assert!(Environment::default().now().unwrap().is_none());
    }
}
