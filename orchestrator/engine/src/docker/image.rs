//! The image of a run: there, or pulled once; and made for the engine's machine.

use bollard::{errors::Error as Cause, query_parameters::CreateImageOptionsBuilder};
use futures_util::StreamExt as _;

use super::{
    engine::Connection,
    error::{Asked, EngineError, status, words},
};

impl Connection {
    /// The id of an image, which is pulled where it is not there.
    pub(super) async fn image(&self, name: &str) -> Result<String, EngineError> {
        if let Some(id) = self.find_image(name).await? {
            return Ok(id);
        }
        self.pull(name).await?;
        let unknown = || refused(name, "no such image after it was pulled".to_owned());
        self.find_image(name).await?.ok_or_else(unknown)
    }

    /// The id of an image that is there already, and made for the engine's machine.
    pub(crate) async fn find_image(&self, name: &str) -> Result<Option<String>, EngineError> {
        let found = match self.client.inspect_image(name).await {
            Err(error) if status(&error) == Some(404) => return Ok(None),
            found => found.asked(&self.host, "tell about an image").map_err(|error| misnamed(name, error))?,
        };
        let machine = self.client.version().await.asked(&self.host, "tell its version")?.arch;
        if let (Some(found), Some(expected)) = (&found.architecture, &machine)
            && !found.is_empty()
            && found != expected
        {
            return Err(EngineError::OtherMachine {
                image: name.to_owned(),
                found: found.clone(),
                expected: expected.clone(),
            });
        }
        Ok(Some(found.id.unwrap_or_else(|| name.to_owned())))
    }

    async fn pull(&self, name: &str) -> Result<(), EngineError> {
        tracing::info!(image = name, "the image is not there; pulling it");
        let tagged = if name.rsplit('/').next().is_some_and(|last| last.contains([':', '@'])) {
            name.to_owned()
        } else {
            // Without a tag the engine would pull every one that there is.
            format!("{name}:latest")
        };
        let options = CreateImageOptionsBuilder::default().from_image(&tagged).build();
        let mut steps = std::pin::pin!(self.client.create_image(Some(options), None, None));
        while let Some(step) = steps.next().await {
            if let Err(error) = step {
                return match error {
                    error if status(&error) == Some(400) => {
                        Err(error).asked(&self.host, "pull an image").map_err(|error| misnamed(name, error))
                    }
                    Cause::DockerResponseServerError { message: reason, .. }
                    | Cause::DockerStreamError { error: reason } => Err(refused(name, reason)),
                    error => Err(error).asked(&self.host, "pull an image"),
                };
            }
        }
        Ok(())
    }
}

/// What an engine refuses of a name is that it names no image.
fn misnamed(name: &str, error: EngineError) -> EngineError {
    match error {
        EngineError::Refused { source, .. } if status(&source) == Some(400) => {
            EngineError::ImageName { image: name.to_owned(), reason: words(&source) }
        }
        error => error,
    }
}

/// What the engine says of a pull in vain: the registry knows no such image, or it was not asked or would not tell.
fn refused(name: &str, reason: String) -> EngineError {
    let (image, said) = (name.to_owned(), reason.to_lowercase());
    let is_denied = ["denied", "unauthorized", "authentication"].iter().any(|word| said.contains(word));
    let is_unknown =
        ["not found", "manifest unknown", "no such image"].iter().any(|word| said.contains(word));
    if is_unknown && !is_denied {
        EngineError::NoSuchImage { image, reason }
    } else {
        EngineError::PullRefused { image, reason }
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn an_image_that_is_nowhere_is_told_from_one_that_cannot_be_had() {
        for unknown in [
            "manifest for alpine:none not found: manifest unknown: manifest unknown",
            "registry.example/a/b:1: not found",
        ] {
            let error = refused("a", unknown.to_owned());
            assert!(matches!(error, EngineError::NoSuchImage { .. }), "{error}");
        }
        for refusal in [
            "pull access denied for a, repository does not exist or may require 'docker login': denied",
            "Get \"https://registry.example/v2/\": dial tcp: lookup registry.example: no such host",
            "toomanyrequests: You have reached your pull rate limit",
            "unauthorized: repository not found",
        ] {
            let error = refused("a", refusal.to_owned());
            assert!(matches!(error, EngineError::PullRefused { .. }), "{error}");
        }
    }
}
