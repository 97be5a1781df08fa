//! How long a command is waited for: as long as it may take, may be silent, and may stay after it said that it is done.

use std::time::Duration;

use mycelium_schemas::event::ExitReason;
use tokio::time::Instant;

use crate::{
    job::{GRACE, Job, Watcher},
    saboteur,
};

/// The limits of a command that runs.
#[derive(Debug)]
pub(crate) struct Patience {
    deadline: Instant,
    idle: Option<Duration>,
    /// When it must have begun to say something, until it has.
    begins_by: Option<Instant>,
    heard: Instant,
    lingers_from: Option<Instant>,
}

impl Patience {
    /// With a command that has begun.
    pub(crate) fn with(job: &Job, begun: Instant) -> Self {
        Self {
            deadline: begun + job.timeout,
            idle: job.idle_timeout,
            begins_by: job.first_event_timeout.map(|first| begun + first),
            heard: Instant::now(),
            lingers_from: None,
        }
    }

    /// It printed something.
    pub(crate) fn heard(&mut self) {
        self.heard = Instant::now();
    }

    /// The limit that comes first, and when: what it asks of its model is a sign of life, too.
    pub(crate) fn limit(&mut self, watcher: &impl Watcher) -> (ExitReason, Instant) {
        if let Some(sign) = watcher.sign_of_life().filter(|_| !saboteur::is!("deaf-to-the-model")) {
            self.heard = self.heard.max(sign);
        }
        if watcher.has_begun() {
            self.begins_by = None;
        }
        // One that went on after all says once more that it is done.
        self.lingers_from =
            watcher.has_ended().then(|| self.lingers_from.unwrap_or_else(|| Instant::now() + GRACE));
        let others = [
            (ExitReason::FirstEventTimeout, self.begins_by),
            (ExitReason::IdleTimeout, self.idle.map(|idle| self.heard + idle)),
            (ExitReason::Lingered, self.lingers_from),
        ];
        let others = others.into_iter().filter_map(|(reason, at)| Some((reason, at?)));
        let first =
            others.fold(
                (ExitReason::Timeout, self.deadline),
                |first, other| if other.1 < first.1 { other } else { first },
            );
        if saboteur::is!("blame-the-clock") { (ExitReason::Timeout, first.1) } else { first }
    }
}

#[cfg(test)]
mod tests {
    use std::collections::BTreeMap;

    use super::*;
    use crate::{
        job::{Program, Purpose},
        redact::Redactor,
    };

    #[derive(Default)]
    struct Agent {
        begun: bool,
        sign: Option<Instant>,
        ended: bool,
    }

    impl Watcher for Agent {
        fn has_begun(&self) -> bool {
            self.begun
        }

        fn sign_of_life(&self) -> Option<Instant> {
            self.sign
        }

        fn has_ended(&self) -> bool {
            self.ended
        }
    }

    fn job() -> Job {
        Job {
            purpose: Purpose::Agent,
            attempt: None,
            program: Program::Shell(String::new()),
            cwd: "/w".into(),
            env: BTreeMap::new(),
            files: Vec::new(),
            stdin: Vec::new(),
            timeout: Duration::from_secs(1000),
            idle_timeout: Some(Duration::from_secs(100)),
            first_event_timeout: Some(Duration::from_secs(10)),
            relay: None,
            stop_signal: rustix::process::Signal::TERM,
            log: "/log".into(),
            redactor: Redactor::default(),
        }
    }

    #[test]
    fn the_limit_that_comes_first_ends_it_and_each_sign_of_life_puts_silence_off() {
        let begun = Instant::now();
        let mut patience = Patience::with(&job(), begun);
        let mut agent = Agent::default();
        assert_eq!(patience.limit(&agent), (ExitReason::FirstEventTimeout, begun + Duration::from_secs(10)));
        agent.begun = true;
        assert_eq!(patience.limit(&agent).0, ExitReason::IdleTimeout);
        let sign = begun + Duration::from_secs(500);
        agent.sign = Some(sign);
        assert_eq!(patience.limit(&agent), (ExitReason::IdleTimeout, sign + Duration::from_secs(100)));
        // An older one takes nothing back.
        agent.sign = Some(begun);
        assert_eq!(patience.limit(&agent).1, sign + Duration::from_secs(100));
        agent.sign = Some(begun + Duration::from_secs(950));
        assert_eq!(patience.limit(&agent), (ExitReason::Timeout, begun + Duration::from_secs(1000)));
        agent.ended = true;
        assert_eq!(patience.limit(&agent).0, ExitReason::Lingered);
        agent.ended = false;
        assert_eq!(patience.limit(&agent).0, ExitReason::Timeout, "it went on after all");
    }
}
