//! Many runs on all processors, under the eye of a watch: a run that hangs is a failure with a seed.

use std::{
    collections::{BTreeMap, BTreeSet},
    ops::Range,
    sync::{
        Arc,
        atomic::{AtomicU64, Ordering},
        mpsc::{self, Receiver, RecvTimeoutError, Sender},
    },
    thread,
    time::Duration,
};

use crate::{
    dice::Dice,
    mutant::Mutant,
    play::{Failure, Summary, play},
};

/// How many runs went.
#[derive(Debug)]
pub enum Played {
    /// Every promise was kept; says what happened how often.
    Kept(BTreeMap<&'static str, u64>),
    /// The first seed that broke one.
    Broken(u64, Failure),
    /// The first seed whose run does not come back.
    Hangs(u64),
}

/// Longest time without the end of any run: each takes milliseconds.
const PATIENCE: Duration = Duration::from_secs(60);

/// The end of one run.
type End = (u64, Result<Summary, Failure>);

/// Plays one seed after the other, in every thread the next that is free, up to the first that fails.
pub fn play_seeds(seeds: Range<u64>, mutant: Option<Mutant>) -> Played {
    let threads = thread::available_parallelism().map_or(1, std::num::NonZero::get);
    let next = Arc::new(AtomicU64::new(seeds.start));
    let (sender, ends) = mpsc::channel();
    for _ in 0..threads {
        let (next, sender) = (next.clone(), sender.clone());
        // Not joined: one that hangs must not keep the failure from being told.
        thread::spawn(move || play_on(&next, seeds.end, mutant, &sender));
    }
    drop(sender);
    gather(&ends, seeds, &next, PATIENCE)
}

fn play_on(next: &AtomicU64, end: u64, mutant: Option<Mutant>, ends: &Sender<End>) {
    loop {
        let seed = next.fetch_add(1, Ordering::Relaxed);
        if seed >= end || ends.send((seed, play(Dice::bytes_of_seed(seed), mutant))).is_err() {
            return;
        }
    }
}

/// Every seed below the first failure is played to its end, so that the same seeds give the same answer.
fn gather(ends: &Receiver<End>, seeds: Range<u64>, next: &AtomicU64, patience: Duration) -> Played {
    let mut seen = BTreeMap::<&str, u64>::new();
    let mut broken: Option<(u64, Failure)> = None;
    let mut ahead = BTreeSet::new();
    let mut all_below = seeds.start;
    loop {
        match ends.recv_timeout(patience) {
            Ok((seed, end)) => {
                ahead.insert(seed);
                while ahead.remove(&all_below) {
                    all_below += 1;
                }
                match end {
                    Ok(summary) => {
                        summary
                            .seen
                            .into_iter()
                            .for_each(|(what, count)| *seen.entry(what).or_default() += count);
                    }
                    Err(failure) if broken.as_ref().is_none_or(|(first, _)| seed < *first) => {
                        next.store(seeds.end, Ordering::Relaxed);
                        broken = Some((seed, failure));
                    }
                    Err(_) => {}
                }
            }
            Err(RecvTimeoutError::Timeout) if broken.is_none() => return Played::Hangs(all_below),
            Err(RecvTimeoutError::Timeout) => break,
            // Nobody plays any more. A seed that was handed out and has no end went down with its thread.
            Err(RecvTimeoutError::Disconnected) => {
                let awaited = broken.as_ref().map_or(seeds.end, |(first, _)| *first);
                if all_below < awaited {
                    return Played::Hangs(all_below);
                }
                break;
            }
        }
    }
    match broken {
        Some((seed, failure)) => Played::Broken(seed, failure),
        None => Played::Kept(seen),
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_run_that_does_not_come_back_is_told_by_its_seed() {
        let (sender, ends) = mpsc::channel();
        for seed in [5, 7] {
            sender.send((seed, Ok(Summary::default()))).unwrap();
        }
        let played = gather(&ends, 5..9, &AtomicU64::new(8), Duration::from_millis(1));
        assert!(matches!(played, Played::Hangs(6)), "{played:?}");
    }

    fn failure() -> Failure {
        Failure { why: String::new(), used: 0, story: Vec::new() }
    }

    #[test]
    fn a_run_that_goes_down_with_its_thread_is_told_by_its_seed() {
        for (seed, end) in [(7, Ok(Summary::default())), (8, Err(failure()))] {
            let (sender, ends) = mpsc::channel();
            sender.send((5, Ok(Summary::default()))).unwrap();
            sender.send((seed, end)).unwrap();
            drop(sender);
            let played = gather(&ends, 5..9, &AtomicU64::new(9), PATIENCE);
            assert!(matches!(played, Played::Hangs(6)), "{played:?}");
        }
    }

    #[test]
    fn of_several_failures_the_first_seed_is_told() {
        let (sender, ends) = mpsc::channel();
        for seed in [0, 1] {
            sender.send((seed, Ok(Summary::default()))).unwrap();
        }
        for seed in [3, 2, 4] {
            sender.send((seed, Err(failure()))).unwrap();
        }
        drop(sender);
        let played = gather(&ends, 0..9, &AtomicU64::new(5), PATIENCE);
        assert!(matches!(played, Played::Broken(2, _)), "{played:?}");
    }
}
