//! From a command to the container that it runs in. Pure: what is written here is all that an agent gets.

use std::{collections::BTreeMap, fmt::Write as _, path::Path};

use bollard::models::{
    ContainerCreateBody, HealthConfig, HostConfig, HostConfigLogConfig, Mount, MountType, MountVolumeOptions,
};

use super::{
    bundle,
    engine::{Engine, Reach, numbers},
};
use crate::{
    doctor,
    error::Error,
    job::{Job, Program, Purpose},
    orphans::MARK,
};

/// Where the workspace is in a container.
pub(crate) const WORKSPACE: &str = "/workspace";
/// Where the own folder of an agent that asks a model is in a container.
pub(crate) const AGENT_HOME: &str = "/mycelium-agent";
/// Where the folder of the gateway's socket is in a container.
const GATEWAY: &str = "/mycelium-gateway";
/// The socket's name in it.
pub(crate) const SOCKET: &str = "socket";
/// The port of the loopback address in a container at which the relay listens: nothing else is there yet.
pub(crate) const RELAY_PORT: u16 = 4180;
/// Where what is brought along is in a container.
pub(super) const BROUGHT: &str = "/mycelium";
/// Exit code of a container whose command was never told what to do.
pub(super) const NEVER_BEGAN: i32 = 125;
/// How an engine ends a container when it is stopped, or told by `docker stop` to end it: so that no command answers to it
/// with a result of its own. Who stops a run names the signal.
const ENDED_FOR_GOOD: &str = "SIGKILL";
/// The home of a user without an entry in the image's list of users: it has none of its own.
const HOME: &str = "/tmp";
/// Size of `/tmp` in a container, which is memory.
const TMP_BYTES: u64 = 512 << 20;

/// Reads the environment from the first line of its input and becomes the command. So it stands neither in the
/// container's description nor on a disk.
const BEGIN: &str = "mycelium_newline='\n'; IFS= read -r mycelium_env || exit 125; eval \"$mycelium_env\"; \
                     unset mycelium_env mycelium_newline; exec \"$@\"";

/// Names each of its arguments that is no program, and says at its end that it came there.
const LOOK: &str = "for p; do case $p in */*) [ -f \"$p\" ] && [ -x \"$p\" ];; *) command -v \"$p\" >/dev/null;; esac || \
                    echo \"$p\"; done; echo looked";
/// Its last line.
pub(super) const LOOKED: &str = "looked";

impl Engine {
    /// The container of a command.
    pub(super) fn recipe(&self, job: &Job, word: &str) -> Result<ContainerCreateBody, Error> {
        let begin = ["-c", BEGIN, "sh"].map(str::to_owned);
        let command = begin.into_iter().chain(command_line(job)?).collect();
        Ok(ContainerCreateBody {
            image: Some(self.image.clone()),
            // What the image starts by itself is none of our business.
            entrypoint: Some(vec!["sh".to_owned()]),
            cmd: Some(command),
            user: Some(self.user.clone()),
            working_dir: Some(WORKSPACE.to_owned()),
            labels: Some(self.labels.of(job.purpose, job.attempt.as_ref(), word)),
            open_stdin: Some(true),
            attach_stdin: Some(true),
            attach_stdout: Some(true),
            attach_stderr: Some(true),
            stdin_once: Some(true),
            stop_signal: Some(ENDED_FOR_GOOD.to_owned()),
            healthcheck: Some(no_check()),
            host_config: Some(self.isolation(self.mounts(job))),
            ..ContainerCreateBody::default()
        })
    }

    /// The container in which a program of the image is asked for its version: it has nothing but its image.
    pub(super) fn recipe_of_question(&self, program: &str) -> ContainerCreateBody {
        ContainerCreateBody {
            image: Some(self.image.clone()),
            entrypoint: Some(vec![program.to_owned()]),
            cmd: Some(vec!["--version".to_owned()]),
            env: Some(vec![format!("HOME={HOME}")]),
            user: Some(self.user.clone()),
            labels: Some(self.labels.of(Purpose::Version, None, "")),
            healthcheck: Some(no_check()),
            host_config: Some(HostConfig { init: Some(false), ..self.isolation(Vec::new()) }),
            ..ContainerCreateBody::default()
        }
    }

    /// The container that looks for programs in the image. It is made as any other, so that what keeps containers from
    /// being made is found with it; it has nothing but its image, and goes by itself.
    pub(super) fn recipe_of_look(&self, programs: &[String]) -> ContainerCreateBody {
        let look = ["-c", LOOK, "sh"].map(str::to_owned);
        ContainerCreateBody {
            image: Some(self.image.clone()),
            entrypoint: Some(vec!["sh".to_owned()]),
            cmd: Some(look.into_iter().chain(programs.iter().cloned()).collect()),
            user: Some(self.user.clone()),
            labels: Some(self.labels.of(Purpose::Look, None, "")),
            attach_stdout: Some(true),
            healthcheck: Some(no_check()),
            // With an `init` of the engine's before it, a missing `sh` would be told apart by nothing but an exit code.
            host_config: Some(HostConfig {
                init: Some(false),
                auto_remove: Some(true),
                ..self.isolation(Vec::new())
            }),
            ..ContainerCreateBody::default()
        }
    }

    /// What of this machine is in a container.
    fn mounts(&self, job: &Job) -> Vec<Mount> {
        let mut mounts = vec![self.workspace(job)];
        if let Some(relay) = &job.relay {
            mounts.extend([bind(&relay.gateway, GATEWAY), bind(&relay.home, AGENT_HOME)]);
        }
        mounts
    }

    /// What a container may do: nothing but compute, in its workspace, within limits.
    fn isolation(&self, mounts: Vec<Mount>) -> HostConfig {
        let memory = i64::from(self.config.memory_mb) << 20;
        let text = |name: &str, value: &str| (name.to_owned(), value.to_owned());
        HostConfig {
            mounts: Some(mounts),
            cap_drop: Some(vec!["ALL".to_owned()]),
            security_opt: Some(vec!["no-new-privileges".to_owned()]),
            memory: Some(memory),
            // Together with swap, of which there is none.
            memory_swap: Some(memory),
            nano_cpus: self.config.cpus.map(|cpus| i64::from(cpus) * 1_000_000_000),
            pids_limit: Some(i64::from(self.config.pids_limit)),
            network_mode: Some(self.config.network_mode.clone()),
            // Reaps what a command leaves behind and hands signals on.
            init: Some(true),
            tmpfs: Some([text("/tmp", &tmp_of(&self.user))].into()),
            // What a command prints is kept until the container goes, and bounded.
            log_config: Some(HostConfigLogConfig {
                typ: Some("json-file".to_owned()),
                config: Some([text("max-size", "64m"), text("max-file", "2")].into()),
            }),
            ..HostConfig::default()
        }
    }

    /// Where its workspace is: this machine's folder, or a volume of the container's own that goes with it.
    fn workspace(&self, job: &Job) -> Mount {
        match self.connection.reach() {
            Reach::Mounts => bind(&job.cwd, WORKSPACE),
            Reach::Carries => Mount {
                typ: Some(MountType::VOLUME),
                target: Some(WORKSPACE.to_owned()),
                // Of what the image has there nothing is wanted.
                volume_options: Some(MountVolumeOptions { no_copy: Some(true), ..Default::default() }),
                ..Mount::default()
            },
        }
    }
}

/// `/tmp` as it is mounted. What mounts it gives it the mode that the image's has, so that it is its user's own where that is
/// known by numbers.
fn tmp_of(user: &str) -> String {
    let owner = numbers(user).map_or_else(String::new, |(user, group)| format!(",uid={user},gid={group}"));
    format!("rw,exec,nosuid,nodev,mode=1777,size={TMP_BYTES}{owner}")
}

/// An image's own check would be one more process that nobody asked for.
fn no_check() -> HealthConfig {
    HealthConfig { test: Some(vec!["NONE".to_owned()]), ..HealthConfig::default() }
}

/// A place of this machine, in a container of it.
fn bind(source: &Path, target: &str) -> Mount {
    Mount {
        typ: Some(MountType::BIND),
        source: Some(source.to_string_lossy().into_owned()),
        target: Some(target.to_owned()),
        ..Mount::default()
    }
}

fn brought(name: &str) -> String {
    format!("{BROUGHT}/{name}")
}

/// This very program, as it was brought along.
fn itself() -> Result<Vec<String>, Error> {
    let loaded = [brought(bundle::LOADER), "--library-path".to_owned(), BROUGHT.to_owned()];
    // One that is linked statically needs nothing to load it.
    let loaded = bundle::is_loaded()?.then_some(loaded).into_iter().flatten();
    Ok(loaded.chain([brought("program")]).collect())
}

/// How it is told to be the relay of what follows.
fn relayed() -> [String; 4] {
    ["relay".to_owned(), format!("{GATEWAY}/{SOCKET}"), RELAY_PORT.to_string(), "--".to_owned()]
}

fn command_line(job: &Job) -> Result<Vec<String>, Error> {
    Ok(match &job.program {
        Program::Shell(command) => vec!["sh".to_owned(), "-c".to_owned(), command.clone()],
        Program::Found { path, args } => {
            let agent = [path.to_string_lossy().into_owned()].into_iter().chain(args.iter().cloned());
            match &job.relay {
                Some(_) => itself()?.into_iter().chain(relayed()).chain(agent).collect(),
                None => agent.collect(),
            }
        }
        Program::Own { command, .. } => itself()?.into_iter().chain([(*command).to_owned()]).collect(),
        Program::Script(script) => {
            let (interpreter, argument) = doctor::interpreter(script)?;
            [interpreter].into_iter().chain(argument).chain([brought("script")]).collect()
        }
    })
}

/// The first line of a container's input, as `sh` reads it: a word to be said before anything else, so that
/// whoever reads what it printed knows whether the beginning is there; then the environment.
pub(super) fn first_line(word: &str, job: &Job, base: &BTreeMap<String, String>) -> String {
    let files = job.files.iter().map(|(name, _)| (*name, format!("{BROUGHT}/{name}")));
    let given = base.iter().chain(&job.env).map(|(name, value)| (name.as_str(), value.clone()));
    let fixed = [("HOME", HOME.to_owned())].into_iter();
    let told = files.chain([(MARK, WORKSPACE.to_owned())]);
    let mut line = format!("echo '{word}'; ");
    for (name, value) in fixed.chain(given).chain(told).filter(|(name, _)| is_name(name)) {
        let value = value.replace('\'', r"'\''").replace('\n', "'\"$mycelium_newline\"'");
        // Writing to a string cannot fail.
        let _infallible = write!(line, "export {name}='{value}'; ");
    }
    line.push('\n');
    line
}

/// What `sh` can export.
fn is_name(name: &str) -> bool {
    let mut bytes = name.bytes();
    bytes.next().is_some_and(|first| first.is_ascii_alphabetic() || first == b'_')
        && bytes.all(|byte| byte.is_ascii_alphanumeric() || byte == b'_')
}

#[cfg(test)]
mod tests {
    use std::{
        io::Write as _,
        process::{Command, Stdio},
        time::Duration,
    };

    use super::*;
    use crate::redact::Redactor;

    fn job(env: &[(&str, &str)]) -> Job {
        Job {
            purpose: Purpose::Agent,
            attempt: None,
            program: Program::Shell("true".to_owned()),
            cwd: "/w".into(),
            env: env.iter().map(|(name, value)| ((*name).to_owned(), (*value).to_owned())).collect(),
            files: vec![("MYCELIUM_TASK_SPEC", "/home/spec.md".into())],
            stdin: Vec::new(),
            timeout: Duration::ZERO,
            idle_timeout: None,
            first_event_timeout: None,
            relay: None,
            stop_signal: rustix::process::Signal::TERM,
            log: "/log".into(),
            redactor: Redactor::default(),
        }
    }

    #[test]
    fn what_begins_a_command_gives_it_its_environment_and_its_input() {
        let odd = "a'b\"c $HOME `id` \\ \n second\n\nline ";
        let env = [("ODD", odd), ("n", "five"), ("z", "l1\nl2"), ("not-a-name", "x")];
        let line = first_line("a-word", &job(&env), &BTreeMap::new());
        let mut child = Command::new("sh")
            .args(["-c", BEGIN, "sh", "sh", "-c"])
            .arg(
                "printf '%s|' \"$ODD\" \"$MYCELIUM_TASK_SPEC\" \"$n\" \"$z\" \"$mycelium_env$mycelium_newline\"; cat",
            )
            .stdin(Stdio::piped())
            .stdout(Stdio::piped())
            .spawn()
            .unwrap();
        let mut stdin = child.stdin.take().unwrap();
        stdin.write_all(format!("{line}first\nrest").as_bytes()).unwrap();
        drop(stdin);
        let output = String::from_utf8(child.wait_with_output().unwrap().stdout).unwrap();
        assert_eq!(output, format!("a-word\n{odd}|/mycelium/MYCELIUM_TASK_SPEC|five|l1\nl2||first\nrest"));
    }

    #[test]
    fn a_user_who_is_known_by_numbers_owns_its_temporary_folder() {
        for (user, owner) in [
            ("1000:100", ",uid=1000,gid=100"),
            ("0:0", ",uid=0,gid=0"),
            ("1000", ",uid=1000,gid=0"),
            ("builder", ""),
        ] {
            assert_eq!(tmp_of(user), format!("rw,exec,nosuid,nodev,mode=1777,size=536870912{owner}"));
        }
    }

    #[test]
    fn what_is_no_program_is_named() {
        let folder = tempfile::tempdir().unwrap();
        let plain = folder.path().join("plain").to_str().unwrap().to_owned();
        std::fs::write(&plain, "").unwrap();
        let folder = folder.path().to_str().unwrap();
        let asked = ["sh", "no such", "/bin/sh", "/bin/no-such", folder, &plain];
        let output = Command::new("sh").args(["-c", LOOK, "sh"]).args(asked).output().unwrap();
        let expected =
            ["no such", "/bin/no-such", folder, &plain, LOOKED].map(|line| format!("{line}\n")).concat();
        assert_eq!(String::from_utf8(output.stdout).unwrap(), expected);
    }

    #[test]
    fn a_command_that_is_told_nothing_says_so_by_its_code() {
        let status =
            Command::new("sh").args(["-c", BEGIN, "sh", "true"]).stdin(Stdio::null()).status().unwrap();
        assert_eq!(status.code(), Some(NEVER_BEGAN));
    }
}
