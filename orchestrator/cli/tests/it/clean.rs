//! `clean`: what goes, what stays, and what is refused.

use std::{
    collections::BTreeSet,
    fs::{self, File},
    os::unix::fs::{PermissionsExt, symlink},
    path::{Path, PathBuf},
    process::{Child, Stdio},
};

use rustix::process::{Pid, Signal, kill_process};
use serde_json::Value;

use crate::{
    held::{HeldRun, wait_until},
    place::Place,
    plans::ONE,
};

/// A place whose run `r1` failed, so that workspace and objects are still there.
fn after_a_failed_run(agent: &str) -> Place {
    let mut place =
        Place::with_plan(&format!("max_retries: 0\nworker:\n  agent: command\n  command: {agent}\n"), ONE);
    place.run(&["run", "--run-id", "r1"]).exits(1);
    place
}

/// Every path below a folder.
fn tree(folder: &Path) -> BTreeSet<PathBuf> {
    let mut paths = BTreeSet::new();
    let mut open = vec![folder.to_owned()];
    while let Some(folder) = open.pop() {
        for entry in fs::read_dir(folder).unwrap() {
            let path = entry.unwrap().path();
            if path.symlink_metadata().unwrap().is_dir() {
                open.push(path.clone());
            }
            paths.insert(path);
        }
    }
    paths
}

fn paths(document: &Value) -> Vec<String> {
    document["removed"]
        .as_array()
        .unwrap()
        .iter()
        .map(|item| item["path"].as_str().unwrap().to_owned())
        .collect()
}

#[test]
fn a_dry_run_lists_exactly_what_goes() {
    let mut place = after_a_failed_run("exit 7");
    let project = place.project_dir();
    let before = tree(&project);
    for words in [vec!["clean"], vec!["clean", "--all"]] {
        let dry = place.run(&[&words[..], &["--dry-run", "--json"]].concat()).exits(0).json();
        let before = tree(&project);
        let real = place.run(&[&words[..], &["--json"]].concat()).exits(0).json();
        place.assert_valid("clean", &real);
        assert_eq!((&dry["removed"], &dry["bytes"]), (&real["removed"], &real["bytes"]));
        assert_eq!((&dry["dry_run"], &real["dry_run"]), (&true.into(), &false.into()));
        let gone: BTreeSet<PathBuf> = before.difference(&tree(&project)).cloned().collect();
        let listed = paths(&real);
        assert!(
            !listed.is_empty() && gone.iter().all(|path| listed.iter().any(|item| path.starts_with(item)))
        );
        assert!(listed.iter().all(|item| gone.contains(Path::new(item))), "{listed:?} {gone:?}");
        let again = place.run(&[&words[..], &["--json"]].concat()).exits(0).complains(&["nothing to remove"]);
        assert_eq!(paths(&again.json()), Vec::<String>::new());
    }
    assert!(before.iter().any(|path| path.ends_with("orchestrator.jsonl")));
    assert_eq!(tree(&project).iter().filter(|path| path.is_file()).count(), 0);
}

#[test]
fn without_more_words_logs_stay() {
    let mut place = after_a_failed_run("echo said; exit 7");
    let done = place.run(&["clean"]).exits(0);
    assert!(
        done.stdout.contains("removed objects ") && done.stdout.contains("removed workspaces "),
        "{done:#?}"
    );
    let failures = place.run(&["logs", "failures", "--json"]).exits(0).json();
    let log = failures["failures"][0]["log"].as_str().unwrap();
    assert_eq!(fs::read_to_string(log).unwrap(), "said\n");
    place.run(&["clean", "--run-id", "r1"]).exits(0);
    assert!(!fs::exists(log).unwrap());
    place.run(&["clean", "--run-id", "r1"]).exits(2).complains(&["there is no run r1"]);
}

#[test]
fn what_an_agent_planted_is_removed_and_never_followed() {
    let agent = "mkdir -p shut/in && echo x > shut/in/x && ln -s \"$HOME\" away && chmod 0 shut/in && chmod 555 shut && exit 7";
    let mut place = after_a_failed_run(agent);
    let kept = place.sandbox.home().join("kept");
    fs::write(&kept, "mine").unwrap();
    let project = place.project_dir();
    assert!(project.join("workspaces/r1/001/away").symlink_metadata().unwrap().is_symlink());
    place.run(&["clean", "--all"]).exits(0);
    assert_eq!(fs::read_dir(project.join("workspaces")).unwrap().count(), 0);
    assert_eq!(fs::read_to_string(kept).unwrap(), "mine");
}

#[test]
fn a_project_that_is_a_link_is_refused() {
    let mut place = after_a_failed_run("exit 7");
    let project = place.project_dir();
    let away = place.outside().join("away");
    fs::rename(&project, &away).unwrap();
    symlink(&away, &project).unwrap();
    place.run(&["clean", "--all", "--force"]).exits(2).complains(&["is not a folder but a link"]);
    assert!(away.join("runs/r1/state.json").is_file());
}

/// Living processes that work in the project's workspaces.
fn agents(project: &Path) -> BTreeSet<u64> {
    let workspaces = project.join("workspaces").canonicalize().unwrap();
    let pids =
        fs::read_dir("/proc").unwrap().filter_map(|entry| entry.ok()?.file_name().to_str()?.parse().ok());
    let works_there =
        |pid: &u64| fs::read_link(format!("/proc/{pid}/cwd")).is_ok_and(|cwd| cwd.starts_with(&workspaces));
    pids.filter(works_there).collect()
}

/// The processes that a document of `clean` names.
fn pids(document: &Value) -> BTreeSet<u64> {
    let ended = document["ended"].as_array().unwrap();
    ended.iter().map(|process| process["pid"].as_u64().unwrap()).collect()
}

#[test]
fn a_run_at_work_is_refused_and_an_interrupted_one_kept() {
    let (mut place, held) = HeldRun::start();
    for words in [vec!["clean"], vec!["clean", "--all", "--force"], vec!["clean", "--dry-run"]] {
        place.run(&words).exits(2).complains(&["another mycelium works on this repository", "run held"]);
    }
    let gate = held.kill();
    let project = place.project_dir();
    let before = tree(&project);
    let all = place.run(&["clean", "--all", "--json"]).exits(0).complains(&["can be resumed", "--force"]);
    assert_eq!(all.json()["kept"][0]["status"], "interrupted");
    let refused =
        place.run(&["clean", "--run-id", "held"]).exits(2).complains(&["can be resumed", "--force"]);
    assert_eq!((refused.stdout.as_str(), tree(&project)), ("", before));
    let running = agents(&project);
    assert!(!running.is_empty(), "the agent outlives the run that was killed");
    let words = ["clean", "--run-id", "held", "--force", "--json"];
    let would = place.run(&[&words[..], &["--dry-run"]].concat()).exits(0).json();
    assert_eq!((pids(&would), agents(&project)), (running.clone(), running.clone()));
    let cleaned = place.run(&words).exits(0).json();
    assert_eq!((pids(&cleaned), agents(&project)), (running, BTreeSet::new()));
    place.assert_valid("clean", &cleaned);
    assert!(!project.join("runs/held").exists() && !project.join("workspaces/held").exists());
    drop(gate);
}

#[test]
fn work_that_waits_for_a_human_is_kept() {
    let mut place = Place::with_plan(
        "manifest_enforcement: block\nworker:\n  agent: command\n  command: echo x > undeclared\n",
        ONE,
    );
    place.run(&["run", "--run-id", "r1"]).exits(1);
    let kept = place.run(&["clean"]).exits(0).complains(&["waits for a human, of 001"]);
    assert_eq!(kept.stdout, "");
    assert!(place.project_dir().join("runs/r1/objects.git").is_dir());
    place.run(&["clean", "--force"]).exits(0);
    assert!(!place.project_dir().join("runs/r1/objects.git").exists());
}

#[test]
fn what_killed_processes_left_goes_and_nothing_else() {
    let mut place = after_a_failed_run("exit 7");
    let project = place.project_dir();
    let mycelium = place.repository.path().join(".mycelium");
    fs::create_dir(mycelium.join(".tasks-ab12")).unwrap();
    fs::write(mycelium.join(".tmp-ab12"), "x").unwrap();
    fs::write(mycelium.join("tasks/001-one/.tmp-cd"), "x").unwrap();
    fs::write(project.join("runs/r1/.tmp-ef"), "x").unwrap();
    fs::create_dir_all(project.join("runs/.removing-r0/tasks")).unwrap();
    fs::create_dir_all(project.join("runs/never-began")).unwrap();
    fs::create_dir_all(project.join("workspaces/gone/001")).unwrap();
    let mine = [mycelium.join("tmp-mine"), project.join("runs/notes.txt"), project.join("mine")];
    for path in &mine {
        fs::write(path, "mine").unwrap();
    }
    let doctor = place.run(&["doctor", "--json"]).json();
    let leftovers =
        doctor["checks"].as_array().unwrap().iter().find(|check| check["name"] == "leftovers").unwrap();
    assert_eq!(
        (&leftovers["status"], &leftovers["mend"]),
        (&"warn".into(), &"remove them with `mycelium clean`".into())
    );

    let removed = paths(&place.run(&["clean", "--json"]).exits(0).json());
    assert_eq!(removed.len(), 9, "{removed:#?}");
    assert!(mine.iter().all(|path| path.is_file()) && mycelium.join("tasks/001-one/manifest.json").is_file());
    assert!(project.join("runs/r1/state.json").is_file() && !project.join("runs/never-began").exists());
    place.run(&["clean"]).exits(0).complains(&["nothing to remove"]);
}

#[test]
fn what_cannot_be_removed_is_said() {
    let mut place = after_a_failed_run("exit 7");
    let runs = place.project_dir().join("runs");
    // A folder in the place of the name that a run has while it goes.
    fs::create_dir_all(runs.join(".removing-r1/in")).unwrap();
    fs::write(runs.join(".removing-r1/in/file"), "x").unwrap();
    let done = place
        .run(&["clean", "--run-id", "r1", "--json"])
        .exits(4)
        .complains(&["could not remove", "runs/r1"]);
    assert_eq!(done.json()["failed"].as_array().unwrap().len(), 1);
    fs::set_permissions(runs.join(".removing-r1"), fs::Permissions::from_mode(0o500)).unwrap();
    place.run(&["clean"]).exits(0);
    place.run(&["clean", "--run-id", "r1"]).exits(0);
}

/// A finished run with a workspace so large that its removal takes a moment.
fn after_a_large_run() -> Place {
    after_a_failed_run("mkdir many && seq 20000 | (cd many && xargs touch); exit 7")
}

/// `clean`, stopped in the middle of removing the workspaces, and where it says what it did.
fn stopped_in_removal() -> (Place, Child, [PathBuf; 2]) {
    // Where this process is held up between its look and the stop, all is removed already: then another is tried.
    for _ in 0..10 {
        let place = after_a_large_run();
        let said = ["stdout", "stderr"].map(|name| place.outside().join(name));
        let [stdout, stderr] = [0, 1].map(|at| File::create(&said[at]).unwrap());
        let mut command = place.command(&["clean", "--json"]);
        let mut child = command.stdin(Stdio::null()).stdout(stdout).stderr(stderr).spawn().unwrap();
        let many = place.project_dir().join("workspaces/r1/001/many");
        let left = || fs::read_dir(&many).map_or(0, Iterator::count);
        wait_until(&mut child, || left() < 20_000);
        let pid = Pid::from_child(&child);
        kill_process(pid, Signal::STOP).unwrap();
        if left() > 0 {
            return (place, child, said);
        }
        kill_process(pid, Signal::CONT).unwrap();
        child.wait().unwrap();
    }
    panic!("no clean was stopped in time");
}

#[test]
fn a_signal_stops_it_between_two_files_and_what_is_left_is_told_and_goes_the_next_time() {
    for (signal, code, name) in [(Signal::INT, 130, "SIGINT"), (Signal::TERM, 143, "SIGTERM")] {
        let (mut place, mut child, [stdout, stderr]) = stopped_in_removal();
        let pid = Pid::from_child(&child);
        kill_process(pid, signal).unwrap();
        kill_process(pid, Signal::CONT).unwrap();
        assert_eq!(child.wait().unwrap().code(), Some(code));
        let document: Value = serde_json::from_slice(&fs::read(stdout).unwrap()).unwrap();
        place.assert_valid("clean", &document);
        assert_eq!(kinds(&document["removed"]), ["objects"], "{document:#}");
        assert_eq!(kinds(&document["left"]), ["workspaces"], "{document:#}");
        let (project, said) = (place.project_dir(), fs::read_to_string(stderr).unwrap());
        let left = project.join("workspaces/r1");
        assert!(said.contains(name) && said.contains(left.to_str().unwrap()), "{said}");
        assert!(!project.join("runs/r1/objects.git").exists() && left.exists());
        let again = place.run(&["clean", "--json"]).exits(0).json();
        assert_eq!(kinds(&again["removed"]), ["workspaces"], "{again:#}");
        assert!(!left.exists() && again.get("left").is_none());
    }
}

fn kinds(items: &Value) -> Vec<&str> {
    items.as_array().unwrap().iter().map(|item| item["kind"].as_str().unwrap()).collect()
}

#[test]
fn the_lock_of_an_index_that_a_killed_landing_left_goes_and_one_of_another_git_stays() {
    let mut place = after_a_failed_run("exit 7");
    let git = place.repository.path().join(".git");
    let (note, lock) = (git.join("mycelium.index-lock"), git.join("index.lock"));
    fs::write(&note, "").unwrap();
    fs::hard_link(&note, &lock).unwrap();
    let listed = paths(&place.run(&["clean", "--dry-run", "--json"]).exits(0).json());
    assert!(note.exists() && lock.exists());
    let removed = paths(&place.run(&["clean", "--json"]).exits(0).json());
    assert_eq!(removed, listed);
    for path in [&note, &lock] {
        assert!(removed.contains(&path.display().to_string()) && !path.exists(), "{removed:?}");
    }
    fs::write(&note, "").unwrap();
    fs::write(&lock, "").unwrap();
    place.run(&["clean", "--all"]).exits(0);
    assert!(!note.exists() && lock.exists());
}

#[test]
fn sizes_are_what_the_disk_gives_back() {
    let mut place =
        after_a_failed_run("head -c 100000 /dev/zero > big; ln big same; truncate -s 9M hole; exit 7");
    let cleaned = place.run(&["clean", "--json"]).exits(0).json();
    let items = cleaned["removed"].as_array().unwrap();
    let bytes = items.iter().find(|item| item["kind"] == "workspaces").unwrap()["bytes"].as_u64().unwrap();
    assert!((100_000..2_000_000).contains(&bytes), "one file with two names and a hole: {bytes}");
}
