//! Everything outside the orchestrator: commits and the branch, the checkout, colleagues, agents and what they report.

use std::collections::{BTreeMap, BTreeSet};

use mycelium_schemas::{
    event::LandingDone,
    id::{CommitId, TaskId},
};

use crate::{dice::Dice, disk::Crash, locks::Held};

/// One change: of an attempt of a task, or of a colleague.
#[derive(Debug, Clone, PartialEq, Eq, PartialOrd, Ord)]
pub(crate) enum Patch {
    /// The work of an attempt.
    Work(TaskId, u32),
    /// Somebody else's.
    Foreign(usize),
}

#[derive(Debug)]
struct Commit {
    parents: Vec<CommitId>,
    content: BTreeSet<Patch>,
}

/// What an agent reported during an attempt.
#[derive(Debug, Clone, Copy, Default, PartialEq, Eq)]
pub(crate) struct Report {
    /// All of it.
    pub(crate) said: Option<u64>,
    /// What the attempt's file of events still holds: it is not synced.
    pub(crate) kept: Option<u64>,
}

/// The world of one simulated run.
#[derive(Debug)]
pub(crate) struct World {
    commits: BTreeMap<CommitId, Commit>,
    start: CommitId,
    head: CommitId,
    /// True once a colleague took commits off the branch.
    pub(crate) rewound: bool,
    /// True while the branch is checked out.
    pub(crate) checked_out: bool,
    user_dirty: bool,
    worktree: CommitId,
    quarantine: BTreeSet<CommitId>,
    upstream: BTreeSet<CommitId>,
    doctored: BTreeSet<CommitId>,
    /// Work that a gate refused.
    pub(crate) refused: BTreeSet<CommitId>,
    /// Locks of the agents that are alive.
    pub(crate) alive: BTreeMap<TaskId, Held>,
    /// By task and attempt.
    pub(crate) reports: BTreeMap<(TaskId, u32), Report>,
    /// Attempts that truly failed, by task.
    pub(crate) failed: BTreeMap<TaskId, u32>,
}

impl World {
    /// A branch with a commit and one before it, which a colleague may rewind to.
    pub(crate) fn new(checked_out: bool) -> Self {
        let (root, start) = (commit_id(0), commit_id(1));
        let commit = |parents| Commit { parents, content: BTreeSet::new() };
        let commits =
            BTreeMap::from([(root.clone(), commit(Vec::new())), (start.clone(), commit(vec![root.clone()]))]);
        Self {
            commits,
            head: start.clone(),
            rewound: false,
            checked_out,
            user_dirty: false,
            worktree: start.clone(),
            quarantine: BTreeSet::new(),
            upstream: BTreeSet::from([root, start.clone()]),
            doctored: BTreeSet::new(),
            refused: BTreeSet::new(),
            alive: BTreeMap::new(),
            reports: BTreeMap::new(),
            failed: BTreeMap::new(),
            start,
        }
    }

    /// Where the branch is.
    pub(crate) fn head(&self) -> &CommitId {
        &self.head
    }

    fn add(&mut self, parents: Vec<CommitId>, content: BTreeSet<Patch>) -> CommitId {
        let id = commit_id(self.commits.len());
        self.commits.insert(id.clone(), Commit { parents, content });
        id
    }

    fn content(&self, commit: &CommitId) -> BTreeSet<Patch> {
        self.commits.get(commit).map(|found| found.content.clone()).unwrap_or_default()
    }

    /// First parent of a commit.
    pub(crate) fn base_of(&self, commit: &CommitId) -> Option<&CommitId> {
        self.commits.get(commit)?.parents.first()
    }

    /// A commit with everything that is reachable from it.
    fn history(&self, commit: &CommitId) -> BTreeSet<&CommitId> {
        let mut seen = BTreeSet::new();
        let mut next: Vec<&CommitId> =
            self.commits.get_key_value(commit).map(|(id, _)| id).into_iter().collect();
        while let Some(id) = next.pop() {
            if seen.insert(id) {
                next.extend(self.commits.get(id).into_iter().flat_map(|found| &found.parents));
            }
        }
        seen
    }

    /// Whether `commit` is in the history of `of`.
    pub(crate) fn is_ancestor(&self, commit: &CommitId, of: &CommitId) -> bool {
        self.history(of).contains(commit)
    }

    /// Those of these landings that the branch does not hold.
    pub(crate) fn lost(&self, landed: &[LandingDone]) -> Vec<LandingDone> {
        let history = self.history(&self.head);
        landed.iter().filter(|done| !history.contains(&done.commit)).cloned().collect()
    }

    /// The work of an attempt, made in the quarantine.
    pub(crate) fn make_work(&mut self, base: &CommitId, task: &TaskId, attempt: u32) -> CommitId {
        let mut content = self.content(base);
        content.insert(Patch::Work(task.clone(), attempt));
        let commit = self.add(vec![base.clone()], content);
        self.quarantine.insert(commit.clone());
        commit
    }

    /// The candidate of some tasks' commits: a single one made on the head is its own.
    pub(crate) fn merge(&mut self, head: &CommitId, works: &[CommitId]) -> CommitId {
        if let [only] = works
            && self.base_of(only) == Some(head)
        {
            return only.clone();
        }
        let mut content = self.content(head);
        for work in works {
            let base = self.base_of(work).map(|base| self.content(base)).unwrap_or_default();
            content.extend(self.content(work).difference(&base).cloned());
        }
        let parents = std::iter::once(head.clone()).chain(works.iter().cloned()).collect();
        let commit = self.add(parents, content);
        self.quarantine.insert(commit.clone());
        commit
    }

    /// Whether a commit can be read by the run: from its quarantine or from the user's repository.
    pub(crate) fn holds(&self, commit: &CommitId) -> bool {
        self.quarantine.contains(commit) || self.upstream.contains(commit)
    }

    /// The doctor let this very commit through.
    pub(crate) fn note_doctored(&mut self, commit: &CommitId) {
        self.doctored.insert(commit.clone());
    }

    /// Whether the checkout has the branch and shows something else than it.
    pub(crate) fn is_dirty(&self) -> bool {
        self.checked_out && (self.user_dirty || self.worktree != self.head)
    }

    /// Mycelium's compare-and-swap, to a candidate of these tasks' works. Says what it must never do, if this does it.
    pub(crate) fn land(
        &mut self,
        old: &CommitId,
        new: &CommitId,
        tasks: &[TaskId],
    ) -> Result<Result<(), CommitId>, String> {
        if self.head != *old {
            return Ok(Err(self.head.clone()));
        }
        if !self.doctored.contains(new) {
            return Err(format!("{new} lands, which no doctor saw"));
        }
        if self.base_of(new) != Some(old) {
            return Err(format!("{new} lands on {old}, which is not its first parent"));
        }
        if let Some(task) = tasks.iter().find(|task| !self.rewound && self.shows(task)) {
            return Err(format!("{task} lands, and the branch holds its work already"));
        }
        self.move_head(new.clone());
        Ok(Ok(()))
    }

    /// Brings a checkout along that shows `old` or, from an earlier try, `new`, and any other where forced. Says whether
    /// it follows, and what it must never do.
    pub(crate) fn fast_forward(
        &mut self,
        old: &CommitId,
        new: &CommitId,
        forced: bool,
    ) -> Result<bool, String> {
        let follows = forced || !self.user_dirty && (self.worktree == *old || self.worktree == *new);
        if self.checked_out && follows {
            if self.user_dirty {
                return Err("the user's unfinished work is overwritten".to_owned());
            }
            self.worktree = new.clone();
        }
        Ok(follows)
    }

    fn move_head(&mut self, to: CommitId) {
        let reachable: Vec<CommitId> = self.history(&to).into_iter().cloned().collect();
        self.upstream.extend(reachable);
        self.head = to;
    }

    /// A colleague does something, or nothing.
    pub(crate) fn colleague(&mut self, dice: &mut Dice) {
        match dice.roll(48) {
            1 | 2 => {
                let mut content = self.content(&self.head);
                content.insert(Patch::Foreign(self.commits.len()));
                let commit = self.add(vec![self.head.clone()], content);
                self.foreign_move(commit);
            }
            3 => {
                let back = self.base_of(&self.head).cloned();
                if let Some(back) = back {
                    self.rewound = true;
                    self.foreign_move(back);
                }
            }
            4 => {
                // The same content under another history: a rebase and a forced push.
                let parents = self.base_of(&self.head).cloned().into_iter().collect::<Vec<_>>();
                if !parents.is_empty() {
                    self.rewound = true;
                    let commit = self.add(parents, self.content(&self.head));
                    self.foreign_move(commit);
                }
            }
            5 => self.user_dirty = true,
            6 => self.clean_checkout(),
            7 => {
                self.checked_out = !self.checked_out;
                self.clean_checkout();
            }
            _ => {}
        }
    }

    /// A human puts the branch back to where it held this commit.
    pub(crate) fn put_back(&mut self, to: CommitId) {
        self.foreign_move(to);
    }

    /// A colleague's commit; a checkout that showed the branch goes along.
    fn foreign_move(&mut self, to: CommitId) {
        let shown = self.checked_out && !self.user_dirty && self.worktree == self.head;
        self.move_head(to);
        if shown {
            self.worktree = self.head.clone();
        }
    }

    /// The user commits or drops what they changed.
    pub(crate) fn clean_checkout(&mut self) {
        self.user_dirty = false;
        self.worktree = self.head.clone();
    }

    /// An agent reports more usage.
    pub(crate) fn report(&mut self, key: &(TaskId, u32), tokens: u64) {
        let report = self.reports.entry(key.clone()).or_default();
        report.said = Some(report.said.unwrap_or_default() + tokens);
        report.kept = Some(report.kept.unwrap_or_default() + tokens);
    }

    /// What a crash takes: agents live on after a kill, and after a power cut nothing that was not synced is safe.
    pub(crate) fn crash(&mut self, crash: Crash, running: &BTreeSet<(TaskId, u32)>, dice: &mut Dice) {
        if crash == Crash::Kill {
            return;
        }
        self.alive.clear();
        for key in running {
            if let Some(report) = self.reports.get_mut(key).filter(|_| dice.once_in(2)) {
                report.kept = None;
            }
        }
        if dice.once_in(3) {
            let lost = dice.pick(self.quarantine.iter().cloned().collect());
            self.quarantine.retain(|commit| Some(commit) != lost.as_ref() && !dice.once_in(3));
        }
    }

    /// What must hold of the branch at any moment.
    pub(crate) fn check(&self) -> Result<(), String> {
        if !self.rewound && !self.is_ancestor(&self.start, &self.head) {
            return Err("the branch lost its start commit, and no colleague rewound it".to_owned());
        }
        let mut works = BTreeSet::new();
        for patch in self.shown() {
            // Who rewrites history has a task's base vanish: it is done again, whatever the rewritten commits hold.
            if let Patch::Work(task, _) = patch
                && !works.insert(task)
                && !self.rewound
            {
                return Err(format!("the branch holds the work of {task} twice"));
            }
        }
        Ok(())
    }

    fn shown(&self) -> impl Iterator<Item = &Patch> {
        self.commits.get(&self.head).into_iter().flat_map(|commit| &commit.content)
    }

    /// Whether the branch holds work of a task.
    pub(crate) fn shows(&self, task: &TaskId) -> bool {
        self.shown().any(|patch| matches!(patch, Patch::Work(of, _) if of == task))
    }

    /// What the agents of a task reported in all, and what of it their files still hold.
    pub(crate) fn usage_of(&self, task: &TaskId) -> (u64, u64) {
        let reports = self.reports.iter().filter(|((of, _), _)| of == task).map(|(_, report)| report);
        reports.fold((0, 0), |(said, kept), report| {
            (said + report.said.unwrap_or_default(), kept + report.kept.unwrap_or_default())
        })
    }
}

/// The id of the n-th commit.
#[expect(clippy::expect_used, reason = "forty hex digits are a commit id")]
fn commit_id(number: usize) -> CommitId {
    format!("{number:040x}").parse().expect("forty hex digits are a commit id")
}
