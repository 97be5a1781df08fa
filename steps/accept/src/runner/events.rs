//! Where the conductor of a run and the threads of its scenarios meet. The threads take scenarios from here and leave
//! here what they have to tell, so that nobody is woken for a step: the conductor hears of a scenario when it ends, or
//! when it looks at the clock.

use std::{
    collections::{BTreeSet, VecDeque},
    sync::{Arc, Condvar, Mutex, MutexGuard, PoisonError},
    time::Instant,
};

use super::{
    outcome::Interrupt,
    scenario::{Ended, Progress},
};

/// Reports that may wait for the conductor before no further scenario begins: what is not written yet takes memory.
const REPORTS_MAX: usize = 4096;

/// What a scenario's thread told, with the scenario's number.
pub(super) type Report = (usize, Progress);

/// The meeting place of a run; clones share it.
#[derive(Debug, Clone, Default)]
pub(super) struct Desk(Arc<Shared>);

#[derive(Debug, Default)]
struct Shared {
    state: Mutex<State>,
    /// The conductor has to look.
    due: Condvar,
    /// It took the reports.
    taken: Condvar,
}

#[derive(Debug, Default)]
struct State {
    /// Scenarios that have not begun.
    queue: VecDeque<usize>,
    /// Whether none of them will.
    stopped: bool,
    running: BTreeSet<usize>,
    reports: Vec<Report>,
    interrupted: Option<Interrupt>,
    /// Whether an interruption is refused.
    over: bool,
    is_due: bool,
}

/// What the conductor found.
#[derive(Debug)]
pub(super) struct Heard {
    pub(super) reports: Vec<Report>,
    pub(super) interrupted: Option<Interrupt>,
    /// Nothing runs and nothing will: these reports were the last.
    pub(super) at_rest: bool,
}

impl State {
    fn at_rest(&self) -> bool {
        self.running.is_empty() && (self.stopped || self.queue.is_empty())
    }

    /// The next scenario, which begins now.
    fn begin(&mut self) -> Option<usize> {
        let number = if self.stopped { None } else { self.queue.pop_front() }?;
        self.running.insert(number);
        Some(number)
    }
}

impl Desk {
    /// Lays out scenarios to be taken in this order.
    pub(super) fn lay_out(&self, queue: Vec<usize>) {
        self.state().queue = queue.into();
    }

    /// The means to end the run early.
    pub(super) fn interrupter(&self) -> Interrupter {
        Interrupter(self.clone())
    }

    /// A thread's first scenario. The beginning is reported in the same breath: what runs is known.
    pub(super) fn begin(&self, begun: impl FnOnce(usize) -> Progress) -> Option<usize> {
        let mut state = self.state();
        let number = state.begin()?;
        state.reports.push((number, begun(number)));
        self.call(&mut state);
        Some(number)
    }

    /// A thread's scenario ended; returns its next one. `stop` says that none may begin any more. A thread whose
    /// scenario was given up, or left something behind, gets none.
    pub(super) fn go_on(
        &self,
        number: usize,
        ended: Ended,
        stop: bool,
        begun: impl FnOnce(usize) -> Progress,
    ) -> Option<usize> {
        let mut state = self.state();
        while state.reports.len() >= REPORTS_MAX && state.running.contains(&number) {
            self.call(&mut state);
            state = self.0.taken.wait(state).unwrap_or_else(PoisonError::into_inner);
        }
        if !state.running.remove(&number) {
            return None;
        }
        let goes_on = ended.goes_on;
        state.stopped |= stop;
        state.reports.push((number, Progress::Ended(ended)));
        let next = if goes_on { state.begin() } else { None };
        if let Some(next) = next {
            state.reports.push((next, begun(next)));
        }
        self.call(&mut state);
        next
    }

    /// Reports; false where nobody listens to this scenario any more. What is heavy is to be taken soon.
    pub(super) fn report(&self, number: usize, progress: Progress) -> bool {
        let mut state = self.state();
        if !state.running.contains(&number) {
            return false;
        }
        if progress.is_heavy() || state.reports.len() >= REPORTS_MAX {
            self.call(&mut state);
        }
        state.reports.push((number, progress));
        true
    }

    /// Waits for something to do, at most until then, and takes what there is.
    pub(super) fn wait(&self, until: Option<Instant>) -> Heard {
        let mut state = self.state();
        while !state.is_due && !state.at_rest() {
            let Some(until) = until else {
                state = self.0.due.wait(state).unwrap_or_else(PoisonError::into_inner);
                continue;
            };
            let Some(rest) = until.checked_duration_since(Instant::now()).filter(|rest| !rest.is_zero())
            else {
                break;
            };
            state = self.0.due.wait_timeout(state, rest).unwrap_or_else(PoisonError::into_inner).0;
        }
        self.take(&mut state)
    }

    /// How many scenarios have not begun and may.
    pub(super) fn waiting(&self) -> usize {
        let state = self.state();
        if state.stopped { 0 } else { state.queue.len() }
    }

    /// No scenario begins any more.
    pub(super) fn stop(&self) {
        self.state().stopped = true;
    }

    /// Nobody listens to a scenario any more; false where it ended just now, which is still to be heard.
    pub(super) fn give_up(&self, number: usize) -> bool {
        self.state().running.remove(&number)
    }

    /// Nobody listens to anything any more; returns what was told before.
    pub(super) fn give_up_all(&self) -> Heard {
        let mut state = self.state();
        state.stopped = true;
        state.running.clear();
        self.take(&mut state)
    }

    /// From now on the run is over and interruptions are refused; returns the one that came before.
    pub(super) fn close(&self) -> Option<Interrupt> {
        let mut state = self.state();
        state.over = true;
        state.interrupted
    }

    /// Closes it at the latest when what is returned is dropped: however a run ends, it is over then.
    pub(super) fn open(&self) -> Open {
        Open(self.clone())
    }

    /// The scenarios that did not begin.
    pub(super) fn left(&self) -> Vec<usize> {
        self.state().queue.iter().copied().collect()
    }

    fn take(&self, state: &mut State) -> Heard {
        state.is_due = false;
        if state.reports.len() >= REPORTS_MAX {
            self.0.taken.notify_all();
        }
        let reports = std::mem::take(&mut state.reports);
        Heard { reports, interrupted: state.interrupted, at_rest: state.at_rest() }
    }

    /// Wakes the conductor, once for all that it has not looked at.
    fn call(&self, state: &mut State) {
        if !state.is_due {
            state.is_due = true;
            self.0.due.notify_one();
        }
    }

    fn state(&self) -> MutexGuard<'_, State> {
        self.0.state.lock().unwrap_or_else(PoisonError::into_inner)
    }
}

/// As long as it is kept, a run may be interrupted.
#[derive(Debug)]
pub(super) struct Open(Desk);

impl Drop for Open {
    fn drop(&mut self) {
        self.0.close();
    }
}

/// Ends a run early, from any thread.
#[derive(Debug, Clone)]
pub struct Interrupter(Desk);

impl Interrupter {
    /// Asks the run to end; false where it is over.
    pub fn interrupt(&self, interrupt: Interrupt) -> bool {
        let mut state = self.0.state();
        if state.over {
            return false;
        }
        state.interrupted.get_or_insert(interrupt);
        self.0.call(&mut state);
        true
    }
}

#[cfg(test)]
mod tests {
    use std::thread;

    use super::*;

    fn ended() -> Ended {
        Ended { teardown: None, goes_on: true, beside: Vec::new() }
    }

    #[test]
    fn whoever_has_much_to_tell_waits_until_it_is_taken_and_all_of_it_comes() {
        let desk = Desk::default();
        desk.lay_out(vec![0, 1]);
        let telling = desk.clone();
        let thread = thread::spawn(move || {
            let mut next = telling.begin(|_| Progress::Empty);
            while let Some(number) = next {
                for _ in 0..=REPORTS_MAX {
                    assert!(telling.report(number, Progress::Empty));
                }
                next = telling.go_on(number, ended(), false, |_| Progress::Empty);
            }
        });
        let mut count = 0;
        loop {
            let heard = desk.wait(None);
            count += heard.reports.len();
            if heard.at_rest {
                break;
            }
        }
        thread.join().unwrap();
        // Of each scenario its begin and its end, too.
        assert_eq!(count, 2 * (REPORTS_MAX + 3));
    }

    #[test]
    fn nobody_listens_to_a_scenario_that_was_given_up_and_its_thread_gets_no_other() {
        let desk = Desk::default();
        desk.lay_out(vec![0, 1]);
        assert_eq!(desk.begin(|_| Progress::Empty), Some(0));
        assert!(desk.give_up(0) && !desk.give_up(0));
        assert!(!desk.report(0, Progress::Empty));
        assert_eq!(desk.go_on(0, ended(), false, |_| Progress::Empty), None);
        assert_eq!((desk.wait(None).reports.len(), desk.left()), (1, vec![1]));
    }

    #[test]
    fn a_run_that_is_over_is_not_interrupted_any_more() {
        let desk = Desk::default();
        let (open, interrupter) = (desk.open(), desk.interrupter());
        assert!(interrupter.interrupt(Interrupt::Sigint) && interrupter.interrupt(Interrupt::Sigterm));
        assert_eq!(desk.wait(None).interrupted, Some(Interrupt::Sigint));
        drop(open);
        assert!(!interrupter.interrupt(Interrupt::Sigint));
    }

    #[test]
    fn nothing_begins_behind_a_stop() {
        let desk = Desk::default();
        desk.lay_out(vec![0, 1]);
        assert_eq!(desk.begin(|_| Progress::Empty), Some(0));
        assert_eq!(desk.go_on(0, ended(), true, |_| Progress::Empty), None);
        let heard = desk.wait(None);
        assert!(heard.at_rest && heard.interrupted.is_none());
        assert_eq!((desk.waiting(), desk.left()), (0, vec![1]));
    }
}
