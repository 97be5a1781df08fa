//! Which version of an agent an image holds: its program is asked in a short container of its own, which is gone
//! afterwards.

use std::time::Duration;

use bollard::query_parameters::{LogsOptionsBuilder, WaitContainerOptionsBuilder};
use futures_util::StreamExt as _;
use tokio::time::timeout;

use super::{engine::Engine, error::Asked};
use crate::{error::Error, job::Purpose};

/// Bytes of what a program prints that are looked at: its beginning.
const PRINTED_MAX: usize = 16 * 1024;

impl Engine {
    /// What a program of the image prints when it is asked for its version, nothing where that takes too long; none where
    /// the image has no such program.
    pub(crate) async fn version_of(
        &self,
        program: &str,
        patience: Duration,
    ) -> Result<Option<String>, Error> {
        let id = Box::pin(self.create(Purpose::Version, self.recipe_of_question(program))).await?;
        let printed = timeout(patience, self.printed_by(&id)).await;
        self.connection.remove(&id).await?;
        printed.unwrap_or_else(|_| Ok(Some(String::new())))
    }

    /// Starts a container; what its command has printed when it has ended.
    async fn printed_by(&self, id: &str) -> Result<Option<String>, Error> {
        if self.start(id).await?.is_some() {
            return Ok(None);
        }
        let (client, host) = (&self.connection.client, &self.connection.host);
        let options = WaitContainerOptionsBuilder::default().condition("not-running").build();
        // The library has it that another code than 0 is an error; what was printed is judged alone.
        let _ended = client.wait_container(id, Some(options)).next().await;
        let options = LogsOptionsBuilder::default().stdout(true).build();
        let mut output = client.logs(id, Some(options));
        let mut printed = Vec::new();
        while let Some(chunk) = output.next().await {
            printed.extend_from_slice(&chunk.asked(host, "tell what a command prints")?.into_bytes());
            if printed.len() > PRINTED_MAX {
                break;
            }
        }
        Ok(Some(String::from_utf8_lossy(&printed).into_owned()))
    }
}
