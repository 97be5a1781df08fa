//! How many attempts are under way: a process of which nothing tells whose it is belongs to the only one.

use tokio::sync::{Mutex, MutexGuard};

/// The attempts of a run that are under way.
#[derive(Debug, Default)]
pub(crate) struct UnderWay(Mutex<u32>);

impl UnderWay {
    /// One more begins, before it starts anything. Waits for one that acts as the only one.
    pub(crate) async fn begin(&self) {
        let mut count = self.0.lock().await;
        *count += 1;
    }

    /// One has ended, and with it everything that it started.
    pub(crate) async fn end(&self) {
        let mut count = self.0.lock().await;
        *count = count.saturating_sub(1);
    }

    /// For the only one; none where there are others. As long as it is kept, no other one begins.
    pub(crate) async fn only(&self) -> Option<MutexGuard<'_, u32>> {
        let count = self.0.lock().await;
        (*count <= 1).then_some(count)
    }
}

#[cfg(test)]
mod tests {
    use std::{
        pin::pin,
        task::{Context, Poll, Waker},
    };

    use super::*;

    #[tokio::test]
    async fn one_is_the_only_one_until_another_begins_and_none_begins_meanwhile() {
        let under_way = UnderWay::default();
        under_way.begin().await;
        let only = under_way.only().await;
        assert!(only.is_some());
        let mut begins = pin!(under_way.begin());
        let mut context = Context::from_waker(Waker::noop());
        assert_eq!(begins.as_mut().poll(&mut context), Poll::Pending);
        drop(only);
        begins.await;
        assert!(under_way.only().await.is_none());
        under_way.end().await;
        assert!(under_way.only().await.is_some());
    }
}
