//! Nobody waits for an engine that stands still once everything is to end at once.

use std::{future, time::Duration};

use tokio::{sync::watch, time::sleep};

use super::error::EngineError;
use crate::{error::Error, job::StopLevel};

/// Does what asks an engine; an engine that has not answered so long after everything was to end at once is taken for away.
/// What it still has is found by whoever resumes.
pub(crate) async fn unless_stuck<T>(
    host: &str,
    mut stop: watch::Receiver<StopLevel>,
    patience: Duration,
    work: impl Future<Output = Result<T, Error>>,
) -> Result<T, Error> {
    let given_up = async {
        if stop.wait_for(|level| *level == StopLevel::AtOnce).await.is_err() {
            // Who would say so is gone.
            future::pending::<()>().await;
        }
        sleep(patience).await;
    };
    tokio::select! {
        biased;
        done = work => done,
        () = given_up => Err(EngineError::Away { host: host.to_owned(), source: None }.into()),
    }
}

#[cfg(test)]
mod tests {
    use tokio::task::yield_now;

    use super::*;

    #[tokio::test]
    async fn an_engine_that_stands_still_is_given_up_once_all_is_to_end_at_once() {
        let (stop, stopped) = watch::channel(StopLevel::Graceful);
        let waits = async {
            for _ in 0..100 {
                yield_now().await;
            }
            Ok(())
        };
        unless_stuck("h", stopped.clone(), Duration::ZERO, waits).await.unwrap();
        stop.send_replace(StopLevel::AtOnce);
        unless_stuck("h", stopped.clone(), Duration::MAX, async { Ok(()) }).await.unwrap();
        let frozen = future::pending::<Result<(), Error>>();
        let given_up = unless_stuck("h", stopped, Duration::ZERO, frozen).await.unwrap_err();
        assert_eq!(given_up.to_string(), "the container engine at h does not answer");
    }
}
