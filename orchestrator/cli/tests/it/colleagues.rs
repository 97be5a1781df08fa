//! What others do to the repository while a run goes on, or between a kill and `resume`.

use std::fs;

use mycelium_fixtures::Fixture;

use crate::{
    held::HeldRun,
    place::{Place, git_in},
    plans::ONE,
};

/// A place whose agent first does something to the user's repository, by git.
fn place(deed: &str) -> Place {
    let mut place = Place::new();
    let git = format!("git -C '{}'", place.repository.path().display());
    let once = place.outside().join("done");
    let command = format!(
        "mkdir '{}' && {{ {}; }} >&2\necho one >src/one.js",
        once.display(),
        deed.replace("git ", &format!("{git} "))
    );
    place.run(&["init"]).exits(0);
    let config = format!(
        "integration_branch: main\ndoctor: {}\nmax_retries: 0\nworker:\n  agent: command\n  command: {}\n",
        Fixture::Toy.doctor(),
        serde_json::Value::from(command)
    );
    place.write(".mycelium/config.yaml", &config);
    place.sandbox.set("MOCK_LLM_OUTPUT", ONE);
    place.run(&["plan", "--input", ".mycelium/plan.md"]).exits(0);
    place
}

#[test]
fn a_branch_that_was_deleted_is_not_made_again() {
    let mut place = place("git checkout -q --detach; git update-ref -d refs/heads/main");
    let base = place.head();
    let run = place.run(&["run"]);
    assert_ne!(run.code, 0, "{run:#?}");
    assert!(place.repository.head_of("main").unwrap().is_none());
    let again = place.run(&["resume"]);
    assert_ne!(again.code, 0, "{again:#?}");
    place.git(&format!("branch main {base}"));
    place.run(&["resume"]).exits(0);
    place.landed_once("001");
}

#[test]
fn a_branch_that_became_symbolic_is_not_written_through() {
    let mut place = place("git branch other main; git symbolic-ref refs/heads/main refs/heads/other");
    let base = place.head();
    let run = place.run(&["run"]);
    assert_ne!(run.code, 0, "{run:#?}");
    assert_eq!(place.git("rev-parse other"), base);
    assert_eq!(place.git("symbolic-ref refs/heads/main"), "refs/heads/other");
    place.git("symbolic-ref --delete refs/heads/main");
    place.git(&format!("update-ref refs/heads/main {base}"));
    place.run(&["resume"]).exits(0);
    assert_eq!(place.git("rev-parse other"), base);
    place.landed_once("001");
}

#[test]
fn a_branch_that_was_rewound_stays_without_what_was_taken_from_it() {
    let mut place = place("git update-ref refs/heads/main main~1");
    place.write(
        ".mycelium/config.yaml",
        &place.read(".mycelium/config.yaml").replace("max_retries: 0", "max_retries: 1"),
    );
    place.git("-c user.name=U -c user.email=u@example.invalid commit -q --allow-empty -m regretted");
    place.run(&["run"]).exits(0);
    place.landed_once("001");
    assert_eq!(place.git("log --format=%s --grep=regretted main"), "");
}

#[test]
fn a_lock_of_another_git_is_named_waited_for_a_bounded_time_and_left() {
    // What a landing does not write may be locked meanwhile.
    let locks = [
        ("refs/heads/main.lock", 4),
        ("index.lock", 4),
        ("packed-refs.lock", 0),
        ("HEAD.lock", 0),
        ("config.lock", 0),
    ];
    for (lock, code) in locks {
        let mut place = place(&format!(": >\"$(git rev-parse --absolute-git-dir)/{lock}\""));
        let path = place.repository.path().join(".git").join(lock);
        for words in [&["run", "--run-id", "r1"][..], &["resume"]] {
            let run = place.run(words).exits(code);
            assert!(code == 0 || run.stderr.contains(path.to_str().unwrap()), "{run:#?}");
            assert_eq!(fs::read(&path).unwrap(), b"", "{lock} is another's");
        }
        fs::remove_file(&path).unwrap();
        place.run(&["resume"]).exits(0);
        place.landed_once("001");
        assert_eq!(place.run(&["status", "--json"]).json()["tasks"]["001"]["attempts"], 1, "{lock}");
    }
}

#[test]
fn a_lock_that_another_git_holds_before_the_run_begins_is_named_as_what_it_is() {
    for lock in ["index.lock", "refs/heads/main.lock"] {
        let mut place = place("true");
        let path = place.repository.path().join(".git").join(lock);
        fs::write(&path, "").unwrap();
        let run = place.run(&["run", "--run-id", "r1"]).exits(4).complains(&[
            path.to_str().unwrap(),
            "is held by another git process",
            "wait until that process is done",
            "only where no git runs",
        ]);
        assert!(!run.stderr.contains("stash"), "{run:#?}");
        assert_eq!(
            place.ran(),
            lock != "index.lock",
            "what is looked at first stops the run before it begins"
        );
        fs::remove_file(&path).unwrap();
        let again: &[&str] = if place.ran() { &["resume"] } else { &["run", "--run-id", "r1"] };
        place.run(again).exits(0);
        place.landed_once("001");
    }
}

#[test]
fn a_repository_that_moved_is_gone_on_with_under_its_projects_name() {
    let (mut place, run) = HeldRun::start();
    let name = place.project_dir().file_name().unwrap().to_str().unwrap().to_owned();
    run.kill_for_good(&place);
    let (old, new) = (place.repository.path().to_owned(), place.outside().join("moved"));
    fs::rename(&old, &new).unwrap();
    let command = format!("mycelium --project {name} resume --run-id held");
    let hint = [old.to_str().unwrap(), "which is gone", &command];
    place.run_in(&new, &["resume", "--run-id", "held"]).exits(2).complains(&hint);
    place.run_in(&new, &["resume", "--run-id", "other"]).exits(2).complains(&["there is no run other"]);
    place.run_in(&new, &["resume"]).exits(0).complains(&hint);
    let stranger = Fixture::Toy.build(&place.outside().join("stranger")).unwrap();
    fs::remove_dir_all(stranger.path().join(".git")).unwrap();
    git_in(stranger.path(), "init -q -b main");
    git_in(
        stranger.path(),
        "-c user.name=U -c user.email=u@example.invalid commit -q --allow-empty -m theirs",
    );
    let elsewhere = place.run_in(stranger.path(), &["resume", "--run-id", "held"]).exits(2);
    assert!(!elsewhere.stderr.contains(&name), "{elsewhere:#?}");
    place.run_in(&new, &["--project", &name, "resume"]).exits(0);
    assert!(!old.exists(), "the old place is not made again");
    let state = place.run_in(&new, &["--project", &name, "status", "--json"]).exits(0).json();
    assert_eq!(state["status"], "complete");
    assert_eq!(fs::read_to_string(new.join("src/one.js")).unwrap(), "one\n");
}
