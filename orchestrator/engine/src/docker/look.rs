//! Whether containers can be made as they are configured, and have the programs that every run needs: a short one looks,
//! before anything begins, and goes by itself.

use std::time::Duration;

use bollard::query_parameters::{
    AttachContainerOptionsBuilder, CreateContainerOptionsBuilder, WaitContainerOptionsBuilder,
};
use futures_util::StreamExt as _;
use tokio::time::timeout;

use super::{
    engine::Engine,
    error::{Asked, EngineError, status, words},
    follow::chance,
    recipe::LOOKED,
};
use crate::{error::Error, job::Purpose};

/// How often it looks at most.
const TRIES: u32 = 2;
/// How long its removal is awaited.
const GOES: Duration = Duration::from_secs(10);
/// How long it may look.
const PATIENCE: Duration = Duration::from_secs(30);

impl Engine {
    /// Refuses an image without `sh` or without one of these programs, a user whom it does not know and a network that is
    /// not there: no task is to be charged for them.
    pub(crate) async fn look_for(&self, programs: &[String]) -> Result<(), Error> {
        let image = self.image_name();
        let mut tries = 0;
        loop {
            tries += 1;
            let Some(printed) = self.look(programs).await? else { return Ok(()) };
            let mut lines = printed.lines().rev();
            if lines.next() == Some(LOOKED) {
                return match lines.next_back() {
                    Some(program) => {
                        Err(EngineError::LacksProgram { image, program: program.to_owned() }.into())
                    }
                    None => Ok(()),
                };
            }
            // What it printed may have been cut off on its way.
            if tries == TRIES {
                let reason = "it was started, and did not come to its end".to_owned();
                return Err(EngineError::LacksShell { image, reason }.into());
            }
        }
    }

    /// What the container that looks prints, none where that takes too long to wait for.
    async fn look(&self, programs: &[String]) -> Result<Option<String>, Error> {
        let (client, host) = (&self.connection.client, &self.connection.host);
        let name = format!("mycelium-{}-{:016x}", Purpose::Look.name(), chance()?);
        let options = CreateContainerOptionsBuilder::default().name(&name).build();
        let created = client.create_container(Some(options), self.recipe_of_look(programs)).await;
        let id = created.asked(host, "make a container").map_err(|error| self.misconfigured(error))?.id;
        let printed = self.seen_by(&id).await;
        // It goes by itself once it ran; one that could not be started does not on every engine.
        self.connection.remove(&id).await?;
        // One that goes by itself goes on doing so for a moment, and would be found by whoever looks.
        let options = WaitContainerOptionsBuilder::default().condition("removed").build();
        let _gone = timeout(GOES, client.wait_container(&id, Some(options)).next()).await;
        Ok(printed?)
    }

    /// Starts the container that looks; what it prints.
    async fn seen_by(&self, id: &str) -> Result<Option<String>, EngineError> {
        let (client, host) = (&self.connection.client, &self.connection.host);
        let options = AttachContainerOptionsBuilder::default().stdout(true).stream(true).build();
        let attached =
            client.attach_container(id, Some(options)).await.asked(host, "attach to a container")?;
        let started = client.start_container(id, None).await.asked(host, "start a container");
        started.map_err(|error| self.misconfigured(error))?;
        let mut output = attached.output;
        let looked = async {
            let mut printed = Vec::new();
            // Whatever cuts it off is told by its missing end.
            while let Some(Ok(chunk)) = output.next().await {
                printed.extend_from_slice(&chunk.into_bytes());
            }
            String::from_utf8_lossy(&printed).into_owned()
        };
        Ok(timeout(PATIENCE, looked).await.ok())
    }

    /// The image as it is configured.
    fn image_name(&self) -> String {
        self.config.image.clone().unwrap_or_else(|| self.image.clone())
    }

    /// What of the configuration an engine cannot make or start a container with; the error itself where it is not that.
    fn misconfigured(&self, error: EngineError) -> EngineError {
        let EngineError::Refused { source, .. } = &error else { return error };
        let (reason, code) = (words(source), status(source));
        match fault_of(code, &reason) {
            Some(Fault::Shell) => EngineError::LacksShell { image: self.image_name(), reason },
            Some(Fault::User) => EngineError::NoSuchUser { user: self.user.clone(), reason },
            Some(Fault::Network) => {
                EngineError::NoSuchNetwork { network: self.config.network_mode.clone(), reason }
            }
            None => error,
        }
    }
}

/// What is wrong with the configuration.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
enum Fault {
    Shell,
    User,
    Network,
}

/// What is wrong where an engine refuses a container with this status and in these words.
fn fault_of(status: Option<u16>, said: &str) -> Option<Fault> {
    match status {
        Some(400) if said.contains("exec") => Some(Fault::Shell),
        _ if said.contains("unable to find user") || said.contains("unable to find group") => {
            Some(Fault::User)
        }
        Some(404) if said.contains("network") => Some(Fault::Network),
        _ => None,
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn what_an_engine_refuses_is_told_by_what_is_to_be_corrected() {
        for (status, said, expected) in [
            (
                400,
                "failed to create shim task: OCI runtime create failed: runc create failed: unable to start container \
                 process: exec: \"sh\": executable file not found in $PATH: unknown",
                Some(Fault::Shell),
            ),
            (500, "unable to find user nosuch: no matching entries in passwd file", Some(Fault::User)),
            (400, "unable to find group nosuch: no matching entries in group file", Some(Fault::User)),
            (404, "network nonet not found", Some(Fault::Network)),
            (404, "No such container: c1", None),
            (500, "no space left on device", None),
        ] {
            assert_eq!(fault_of(Some(status), said), expected, "{said}");
        }
    }
}
