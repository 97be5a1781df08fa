//! Plans: what is accepted, what is refused and where the refusal points.

use mycelium_schemas::{
    id::LockName,
    manifest::Manifest,
    plan::{self, PlanDraft, TASKS_MAX},
    problem::Source,
};

use crate::lines;

fn locks(names: &[&str]) -> Vec<LockName> {
    names.iter().map(|name| name.parse().unwrap()).collect()
}

fn check(text: &str) -> Result<Vec<Manifest>, Vec<String>> {
    plan::parse(&Source::new("plan", text))
        .and_then(|draft| draft.check(&locks(&["repo", "database"])))
        .map_err(|problems| lines(&problems))
}

#[test]
fn a_plan_becomes_manifests_in_order_of_id() {
    let manifests = check(
        r#"{"tasks": [
            {"id": "002", "name": "Second", "dependencies": ["001"]},
            {"id": "001", "name": "First", "description": "", "locks": {"reads": ["repo"], "writes": ["database"]},
             "files": {"reads": ["src/**"], "writes": ["src/{a,b}.rs"]}, "verify": {"doctor": null}, "spec": "Do it."}
        ]}"#,
    )
    .unwrap();
    assert_eq!(manifests[0].id.as_str(), "001");
    assert_eq!(manifests[0].locks.writes, locks(&["database"]));
    assert_eq!(manifests[0].files.writes[0].as_str(), "src/{a,b}.rs");
    assert_eq!((manifests[0].verify.doctor.as_deref(), manifests[0].spec.as_str()), (None, "Do it."));
    assert_eq!(manifests[1].dependencies, [manifests[0].id.clone()]);
}

#[test]
fn what_no_task_may_write_is_refused_at_its_place() {
    let found = check(
        r#"{"tasks": [{"id": "001", "name": "a", "files": {"reads": [".mycelium/plan.md"], "writes": [
".mycelium/x", ".Mycelium/**", "src/nul", "con.txt", ".git/config", "x/.git/**", ".mycelium-notes/x"
]}}]}"#,
    )
    .unwrap_err();
    let says = |place: &str, number: usize, what: &str| {
        format!("plan:2:{place}: `tasks[0].files.writes[{number}]`: {what}")
    };
    let own = "is Mycelium's own folder, from which nothing ever lands";
    let reserved = "a name that some platforms reserve";
    let expected = [
        says("1", 0, &format!("\".mycelium/x\" {own}")),
        says("16", 1, &format!("\".Mycelium/**\" {own}")),
        says("32", 2, &format!("\"src/nul\" has the component \"nul\", {reserved}")),
        says("43", 3, &format!("\"con.txt\" has the component \"con.txt\", {reserved}")),
        says("54", 4, "\".git/config\" names git's own folder"),
        says("69", 5, "\"x/.git/**\" names git's own folder"),
    ];
    let messages: Vec<&str> = found.iter().filter_map(|problem| Some(problem.split_once(" | ")?.0)).collect();
    assert_eq!(messages, expected);
}

#[test]
fn all_problems_of_a_plan_come_at_once_each_at_its_place() {
    let found = check(
        r#"{"tasks": [
{"id": "001", "name": "a", "dependencies": ["002", "001", "00l"], "locks": {"writes": ["databse"]}},
{"id": "002", "name": "b", "dependencies": ["003"], "files": {"writes": ["../x", "src/["]}},
{"id": "003", "name": "c\nd", "dependencies": ["001"], "lock": {}},
{"id": "../4", "name": "", "locks": {"reads": ["other"]}},
{"id": "001", "name": "e", "verify": {"doctor": 1}}
]}"#,
    )
    .unwrap_err();
    let id_rule = "allowed are letters, digits, '.', '_' and '-', beginning with a letter or digit";
    let path_help = "write a path below the repository's root, such as \"src/main.rs\" or \"src/**\"";
    assert_eq!(
        found,
        [
            "plan:2:52: the task \"001\" depends on itself | remove this dependency".to_owned(),
            "plan:2:59: no task that could be read has the id \"00l\" | correct the tasks that could not be read first".to_owned(),
            "plan:2:88: no resource of the configuration has the name \"databse\" | did you mean \"database\"? Otherwise declare it under `resources` in the configuration".to_owned(),
            format!("plan:3:74: `tasks[1].files.writes[0]`: \"../x\" has the component \"..\"; write a plain path below the repository's root | {path_help}"),
            format!("plan:3:82: `tasks[1].files.writes[1]`: \"src/[\" is not a valid glob: unclosed character class; missing ']' | {path_help}"),
            "plan:4:23: `tasks[2].name` has a line break or another control character | write a short name on one line".to_owned(),
            "plan:4:48: the tasks depend on each other in a cycle: 001 -> 002 -> 003 -> 001 | remove one of these dependencies".to_owned(),
            "plan:4:56: unknown key `tasks[2].lock` | did you mean `locks`?".to_owned(),
            format!("plan:5:8: `tasks[3].id`: \"../4\" has the character '.'; {id_rule} | write a short id such as \"001\""),
            "plan:5:24: `tasks[3].name` is empty | write a short name on one line".to_owned(),
            "plan:5:48: no resource of the configuration has the name \"other\" | declare it under `resources` in the configuration, or remove the lock".to_owned(),
            "plan:6:8: the task id \"001\" stands here twice; it is first used at plan:2 | give one of the two tasks another id".to_owned(),
            "plan:6:49: `tasks[4].verify.doctor` must be text, but is the number 1 | put it in quotes: \"1\"".to_owned(),
        ]
    );
}

#[test]
fn what_is_no_list_of_tasks_is_refused_with_its_place() {
    for (text, expected) in [
        ("", "plan:1:1: the required key `tasks` is missing"),
        ("{}", "plan:1:1: the required key `tasks` is missing"),
        ("[]", "plan:1:1: the document must be a mapping of keys to values, but is a list"),
        ("\"I cannot do that\"", "plan:1:1: the document must be a mapping"),
        ("{\"tasks\": 7}", "plan:1:11: `tasks` must be a list, but is the number 7"),
        ("{\"tasks\": []}", "plan:1:1: the plan has no task"),
        (
            "{\"tasks\": [1]}",
            "plan:1:12: `tasks[0]` must be a mapping of keys to values, but is the number 1",
        ),
        ("{\"tasks\": [{}]}", "plan:1:12: the required key `tasks[0].id` is missing"),
        ("{\"tasks\": [", "plan:1:11: not valid YAML: unclosed bracket '['"),
    ] {
        let found = check(text).unwrap_err();
        assert!(found[0].starts_with(expected), "{text}: {found:?}");
    }
}

#[test]
fn a_dependency_that_is_misspelt_gets_the_nearest_id() {
    let text =
        r#"{"tasks": [{"id": "001", "name": "a"}, {"id": "002", "name": "b", "dependencies": ["00l"]}]}"#;
    let expected = r#"plan:1:84: no task of the plan has the id "00l" | did you mean "001"?"#;
    assert_eq!(check(text).unwrap_err(), [expected]);
}

#[test]
fn ids_that_share_a_folder_where_case_is_ignored_are_refused() {
    let found = check(r#"{"tasks": [{"id": "a", "name": "x"}, {"id": "A", "name": "y"}]}"#).unwrap_err();
    assert!(found.len() == 1 && found[0].contains("differ only in case"), "{found:?}");
}

#[test]
fn every_cycle_is_reported_and_a_diamond_is_none() {
    let task =
        |id: &str, needs: &[&str]| format!("{{id: {id}, name: x, dependencies: [{}]}}", needs.join(", "));
    let plan = |tasks: &[String]| format!("{{tasks: [{}]}}", tasks.join(", "));
    let two = [task("a", &["b"]), task("b", &["a"]), task("c", &["d"]), task("d", &["c"])];
    let found = check(&plan(&two)).unwrap_err();
    assert!(found[0].contains("a -> b -> a") && found[1].contains("c -> d -> c"), "{found:?}");
    assert_eq!(found.len(), 2);
    let diamond = [task("a", &["b", "c"]), task("b", &["d"]), task("c", &["d"]), task("d", &[])];
    assert!(check(&plan(&diamond)).is_ok());
}

#[test]
fn a_plan_of_the_largest_size_in_one_chain_is_accepted_and_one_more_is_not() {
    let chain = |count: usize| {
        let tasks: Vec<String> = (0..count)
            .map(|i| {
                let needs = if i == 0 { String::new() } else { format!("\"t{}\"", i - 1) };
                format!(r#"{{"id": "t{i}", "name": "x", "dependencies": [{needs}], "files": {{"writes": ["f{i}"]}}}}"#)
            })
            .collect();
        format!("{{\"tasks\": [{}]}}", tasks.join(",\n"))
    };
    assert_eq!(check(&chain(TASKS_MAX)).unwrap().len(), TASKS_MAX);
    let found = check(&chain(TASKS_MAX + 1)).unwrap_err();
    assert!(found.len() == 1 && found[0].contains("more than 10000"), "{found:?}");
}

#[test]
fn manifests_from_disk_are_checked_together_each_in_its_own_file() {
    let index = Source::new("plan.json", "{}");
    let manifests = [
        Source::new(
            "001/manifest.json",
            "{\n  \"id\": \"001\", \"name\": \"a\",\n  \"dependencies\": [\"002\"]\n}",
        ),
        Source::new(
            "002/manifest.json",
            "{\n  \"id\": \"002\", \"name\": \"b\",\n  \"dependencies\": [\"001\", \"009\"]\n}",
        ),
        Source::new("003/manifest.json", "{\n  \"id\": "),
    ];
    let found = lines(&PlanDraft::from_manifests(&index, &manifests).check(&[]).unwrap_err());
    assert!(found.iter().any(|line| line.starts_with("003/manifest.json:1:1: not valid YAML")), "{found:?}");
    assert!(
        found.iter().any(|line| line.starts_with("002/manifest.json:3:20: the tasks depend")),
        "{found:?}"
    );
    assert!(
        found
            .iter()
            .any(|line| line
                .starts_with("002/manifest.json:3:27: no task that could be read has the id \"009\"")),
        "{found:?}"
    );
    assert_eq!(found.len(), 3);

    let good = PlanDraft::from_manifests(&index, &manifests[..0]).check(&[]).unwrap_err();
    assert!(lines(&good)[0].starts_with("plan.json:1:1: the plan has no task"));
}

#[test]
fn a_manifest_reads_back_as_it_was_written() {
    let text = r#"{"tasks": [{"id": "1", "name": "n", "locks": {"reads": ["repo"]}, "files": {"writes": ["a"]}, "verify": {"doctor": "true"}, "spec": "spec.md"}]}"#;
    let manifest = check(text).unwrap().remove(0);
    let written = Source::new("manifest.json", serde_json::to_string_pretty(&manifest).unwrap());
    let read =
        PlanDraft::from_manifests(&written, std::slice::from_ref(&written)).check(&locks(&["repo"])).unwrap();
    assert_eq!(read, [manifest]);
}

#[test]
fn an_index_is_read_strictly() {
    let parse =
        |text: &str| plan::parse_index(&Source::new("plan.json", text)).map_err(|found| lines(&found));
    let index = parse(r#"{"schema_version": 1, "tasks": [{"id": "001", "dir": "001-a"}]}"#).unwrap();
    assert_eq!(index.tasks[0].dir.as_str(), "001-a");
    let found =
        parse(r#"{"schema_version": 2, "tasks": [{"id": "001", "dir": "../x", "more": 1}]}"#).unwrap_err();
    assert_eq!(found.len(), 3, "{found:?}");
}
