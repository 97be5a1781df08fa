//! What is measured, and the floor of each: the least that does the same work without Mycelium.

/// One thing that the program does, beside its floor. Scripts run in the repository, with the variables `program`, the
/// program under test, and `place`, a folder beside the repository.
#[derive(Debug, Clone, Copy)]
pub(in crate::cli) struct Case {
    /// Its name, which is that of its figures.
    pub(in crate::cli) name: &'static str,
    /// Whether it works on `large-repo-sim` instead of `toy-repo`.
    pub(super) large: bool,
    /// Tasks of the plan.
    pub(super) tasks: usize,
    /// Settings beside the required ones.
    pub(super) config: &'static str,
    /// Sets the place up, once.
    pub(super) prepare: &'static str,
    /// Lines that the agent of the run `r1` said; 0 leaves what it said.
    pub(super) log_lines: usize,
    /// What has to be as it was, before each round.
    pub(super) before: &'static str,
    /// What the program is told: this is measured.
    pub(super) arguments: &'static str,
    /// The exit code that it has to end with.
    pub(super) exit: i32,
    /// Makes sure that the work was done, and removes what it left.
    pub(super) after: &'static str,
    /// The same for the floor.
    pub(super) floor_before: &'static str,
    /// The floor: this is measured.
    pub(super) floor: &'static str,
    /// The same for the floor.
    pub(super) floor_after: &'static str,
}

/// A case that only reads what is there.
const READS: Case = Case {
    name: "",
    large: false,
    tasks: 1,
    config: "{}",
    prepare: "",
    log_lines: 0,
    before: "",
    arguments: "",
    exit: 0,
    after: "",
    floor_before: "",
    floor: "",
    floor_after: "",
};

/// Planning; its floor writes the same files.
const PLAN: Case = Case {
    prepare: "\"$program\" plan --input .mycelium/plan.md && cp -R .mycelium/tasks \"$place/tasks\"",
    before: "rm -rf .mycelium/tasks",
    arguments: "plan --input .mycelium/plan.md",
    after: "diff -r .mycelium/tasks \"$place/tasks\" >/dev/null",
    floor: "cp -R \"$place/tasks\" \"$place/copy\"",
    floor_after: "rm -rf \"$place/copy\"",
    ..READS
};

/// Runs with the mock agent, each in a copy of the repository and with nothing kept of the one before; its floor does for
/// each task what it takes with git alone: a worktree, the change, a commit, the doctor, a merge. Tasks of a batch share a
/// doctor and a landing, those of the floor do not, so that a ratio below 1 is possible.
const RUN: Case = Case {
    prepare: "\"$program\" plan --input .mycelium/plan.md; git tag start",
    before: "rm -rf \"$MYCELIUM_HOME\"; git reset -q --hard start",
    arguments: "run --run-id r1 --max-parallel 4",
    after: "test -f out/0001.txt",
    floor_before: "git reset -q --hard start; git worktree prune",
    floor: "\
export GIT_AUTHOR_NAME=a GIT_AUTHOR_EMAIL=a@example.invalid GIT_COMMITTER_NAME=a GIT_COMMITTER_EMAIL=a@example.invalid
for task in .mycelium/tasks/*/manifest.json; do
  id=${task%/*}; id=${id##*/}; tree=\"$place/tree\"
  git worktree add -q --detach \"$tree\"
  (cd \"$tree\"; mkdir -p out; echo \"$id\" >>\"out/$id.txt\"; git add -A; git commit -q -m \"$id\"; sh scripts/doctor.sh)
  git merge -q --ff-only \"$(git -C \"$tree\" rev-parse HEAD)\"
  git worktree remove --force \"$tree\"
done",
    ..READS
};

/// Questions to the log of a run with one long-winded agent; its floor looks at the same lines.
const LOGS: Case = Case {
    prepare: "\"$program\" plan --input .mycelium/plan.md; \"$program\" run --run-id r1",
    arguments: "logs query --run-id r1 --type agent.event --grep module_77[^0-9]",
    floor: "grep -c 'module_77[^0-9]' \"$MYCELIUM_HOME\"/projects/*/runs/r1/tasks/0001/attempt-1/events.jsonl",
    ..READS
};

/// Every case, in the order in which they are measured.
pub(in crate::cli) const CASES: [Case; 11] = [
    Case { name: "plan/10", tasks: 10, ..PLAN },
    Case { name: "plan/100", tasks: 100, ..PLAN },
    Case { name: "plan/1000", tasks: 1000, ..PLAN },
    Case { name: "run/1", tasks: 1, ..RUN },
    Case { name: "run/10", tasks: 10, ..RUN },
    Case { name: "run/50", tasks: 50, ..RUN },
    Case {
        name: "resume/finished",
        tasks: 10,
        prepare: "\"$program\" plan --input .mycelium/plan.md; \"$program\" run --run-id r1",
        arguments: "resume --run-id r1",
        floor: "git status --porcelain",
        ..READS
    },
    Case { name: "logs/10000", log_lines: 10_000, ..LOGS },
    Case { name: "logs/1000000", log_lines: 1_000_000, ..LOGS },
    // The agent fails at once, so that what is left is making its workspace, and in the next case removing it.
    Case {
        name: "workspace/create",
        large: true,
        config: "{worker: {agent: command, command: 'false'}, max_retries: 0, cleanup: {workspaces: never}}",
        prepare: "\"$program\" plan --input .mycelium/plan.md",
        arguments: "run",
        exit: 1,
        after: "find \"$MYCELIUM_HOME\" -name 009999.txt | grep -q .; rm -rf \"$MYCELIUM_HOME\"",
        floor: "git worktree add -q --detach \"$place/tree\"",
        floor_after: "git worktree remove --force \"$place/tree\"",
        ..READS
    },
    Case {
        name: "workspace/remove",
        large: true,
        config: "{worker: {agent: command, command: 'false'}, max_retries: 0, cleanup: {workspaces: never}}",
        prepare: "\"$program\" plan --input .mycelium/plan.md",
        before: "rm -rf \"$MYCELIUM_HOME\"; \"$program\" run || test $? -eq 1; find \"$MYCELIUM_HOME\" -name 009999.txt | grep -q .",
        arguments: "clean --all --force",
        after: "! find \"$MYCELIUM_HOME\" -name 009999.txt | grep -q .",
        floor_before: "git worktree add -q --detach \"$place/tree\"",
        floor: "git worktree remove --force \"$place/tree\"",
        ..READS
    },
];

/// The cases that one of the texts names, or in whose name it occurs where it names none; all of them without a text.
pub(in crate::cli) fn selected(texts: &[String]) -> Vec<&'static Case> {
    let names_one = |text: &str| CASES.iter().any(|case| case.name == text);
    let chooses = |text: &str, case: &Case| {
        if names_one(text) { case.name == text } else { case.name.contains(text) }
    };
    let wanted = |case: &&Case| texts.is_empty() || texts.iter().any(|text| chooses(text, case));
    CASES.iter().filter(wanted).collect()
}

#[cfg(test)]
mod tests {
    use std::collections::BTreeSet;

    use super::*;

    #[test]
    fn each_case_has_a_name_of_its_own_and_a_floor() {
        let names: BTreeSet<&str> = CASES.iter().map(|case| case.name).collect();
        assert_eq!(names.len(), CASES.len());
        assert!(CASES.iter().all(|case| !case.floor.is_empty() && !case.arguments.is_empty()));
    }

    #[test]
    fn what_the_gate_wants_is_what_is_measured() {
        let names: BTreeSet<&str> = CASES.iter().map(|case| case.name).collect();
        assert_eq!(names, BTreeSet::from(mycelium_traceability::FIGURES));
    }

    #[test]
    fn a_part_of_a_name_selects() {
        let names = |texts: &[&str]| {
            let texts: Vec<String> = texts.iter().map(|text| (*text).to_owned()).collect();
            selected(&texts).iter().map(|case| case.name).collect::<Vec<_>>()
        };
        assert_eq!(names(&["plan/", "resume"]), ["plan/10", "plan/100", "plan/1000", "resume/finished"]);
        assert_eq!(names(&["plan/10", "logs/10000"]), ["plan/10", "logs/10000"]);
        assert_eq!(names(&[]).len(), CASES.len());
        assert!(names(&["nothing"]).is_empty());
    }
}
