//! The configuration: what is accepted, what is refused and where the refusal points.

use std::collections::BTreeMap;

use mycelium_schemas::{
    config::{
        self, Agent, Answerer, Cassette, CleanupWhen, Config, FailurePolicy, Fallback, Kind, Mode, Price,
    },
    problem::Source,
};
use serde_json::{Value, json};

use crate::lines;

const MINIMAL: &str = "integration_branch: main\ndoctor: .mycelium/doctor.sh\n";

fn parse(text: &str) -> Result<Config, Vec<String>> {
    config::parse(&Source::new("config.yaml", text)).map_err(|problems| lines(&problems))
}

/// The problems of the minimal configuration with more lines behind it; the first of them is line 3.
fn problems(more: &str) -> Vec<String> {
    parse(&format!("{MINIMAL}{more}")).unwrap_err()
}

#[test]
fn a_minimal_configuration_has_the_documented_defaults() {
    let config = parse(MINIMAL).unwrap();
    let effective = serde_json::to_value(&config).unwrap();
    for doc in config::reference() {
        let Fallback::Value(default) = doc.fallback else { continue };
        let pointer = format!("/{}", doc.key.replace('.', "/"));
        let Some(value) = effective.pointer(&pointer) else {
            let without_effect = ["cleanup.containers"];
            assert!(
                without_effect.iter().any(|key| doc.key.starts_with(key)),
                "{} is not in effect",
                doc.key
            );
            continue;
        };
        let found = value.as_str().map_or_else(|| value.to_string(), str::to_owned);
        assert_eq!(found, default, "{}", doc.key);
    }
    assert_eq!(config.budgets.mode, Mode::Off);
}

#[test]
fn every_key_is_read_into_its_place() {
    let config = parse(
        "integration_branch: release/1.0
doctor: tools/doctor.sh
doctor_timeout: 5
doctor_canary: false
max_parallel: 256
max_retries: 0
timeout_minutes: 10080
idle_timeout_minutes: 0.025
first_event_timeout_minutes: 0.001
bootstrap: [npm ci, make]
resources:
  - name: database
    paths: ['migrations/**', schema.sql]
  - name: repo
manifest_enforcement: block
task_failure_policy: fail_fast
planner: { provider: mock, model: mock }
worker:
  agent: command
  model: big
  command: |
    ./agent.sh
  env: [TOKEN, MODE=a=b]
test_validator: { mode: block, provider: command, command: ./v.sh, model: mock }
style_validator: { mode: warn }
architecture_validator: { mode: off }
doctor_validator: { mode: off, provider: mock }
budgets:
  mode: warn
  max_tokens_per_task: 0
  max_tokens_per_run: 10
  max_cost_per_task: 0.1
  max_cost_per_run: 12.345678
  prices:
    big: { input: 1.25, cached_input: 0.125, output: 10 }
    small: { input: 2, output: 3 }
docker: { image: x, network_mode: none, user: '1000:1000', memory_mb: 64, cpus: 2, pids_limit: 64 }
cleanup: { workspaces: never, containers: always }
secrets: [DATABASE_URL, _x1]
",
    )
    .unwrap();
    assert_eq!(config.integration_branch, "release/1.0");
    assert_eq!((config.max_parallel, config.max_retries), (256, 0));
    let milliseconds = [
        config.doctor_timeout,
        config.timeout_minutes,
        config.idle_timeout_minutes,
        config.first_event_timeout_minutes,
    ]
    .map(|limit| limit.duration().as_millis());
    assert_eq!(milliseconds, [300_000, 604_800_000, 1_500, 60]);
    assert_eq!(config.bootstrap, ["npm ci", "make"]);
    assert_eq!(config.resources[0].paths[1].as_str(), "schema.sql");
    assert!(config.resources[1].paths.is_empty());
    assert_eq!(
        (config.manifest_enforcement, config.task_failure_policy),
        (Mode::Block, FailurePolicy::FailFast)
    );
    assert_eq!((config.worker.agent, config.worker.model.as_str()), (Agent::Command, "big"));
    assert_eq!(config.worker.command.as_deref(), Some("./agent.sh\n"));
    assert_eq!(config.worker.env, ["TOKEN", "MODE=a=b"]);
    assert_eq!(
        (config.test_validator.mode, config.test_validator.asked.provider),
        (Mode::Block, Answerer::Command)
    );
    assert_eq!(config.style_validator.mode, Mode::Warn);
    let budgets = &config.budgets;
    assert_eq!((budgets.mode, budgets.max_tokens_per_task), (Mode::Warn, Some(0)));
    assert_eq!(budgets.max_cost_microusd_per_task, Some(100_000));
    assert_eq!(budgets.max_cost_microusd_per_run, Some(12_345_678));
    let prices = BTreeMap::from([
        (
            "big".to_owned(),
            Price {
                input: 1_250_000,
                cached_input: 125_000,
                cache_write_input: 1_250_000,
                output: 10_000_000,
            },
        ),
        (
            "small".to_owned(),
            Price {
                input: 2_000_000,
                cached_input: 2_000_000,
                cache_write_input: 2_000_000,
                output: 3_000_000,
            },
        ),
    ]);
    assert_eq!(budgets.prices, prices);
    assert_eq!(config.cleanup.workspaces, CleanupWhen::Never);
    assert_eq!(config.secrets, ["DATABASE_URL", "_x1"]);
}

#[test]
fn all_problems_come_at_once_each_at_its_place() {
    let found = parse(
        "max_paralel: 4
doctor: ../doctor.sh
max_retries: many
worker:
  agent: comand
  env: [1X]
budgets: [1]
cleanup: { workspaces: on_sucess }
max_parallel: 0
max_parallel: 3
",
    )
    .unwrap_err();
    assert_eq!(
        found,
        [
            "config.yaml:1:1: unknown key `max_paralel` | did you mean `max_parallel`?",
            "config.yaml:1:1: the required key `integration_branch` is missing | add for example `integration_branch: main`",
            "config.yaml:2:9: `doctor`: \"../doctor.sh\" has the component \"..\"; write a plain path below the repository's root | write it like `doctor: .mycelium/doctor.sh`",
            "config.yaml:3:14: `max_retries` must be a whole number from 0 to 100, but is the text \"many\" | write it like `max_retries: 2`",
            "config.yaml:5:10: `worker.agent` must be one of `mock`, `command`, `codex`, `claude`, but is the text \"comand\" | did you mean `command`?",
            "config.yaml:6:9: `worker.env[0]` is neither `NAME` nor `NAME=value` | write it like `env: [PATH_TO_TOOL, MODE=fast]`",
            "config.yaml:7:10: `budgets` must be a mapping of keys to values, but is a list | the keys known here are `mode`, `max_tokens_per_task`, `max_tokens_per_run`, `max_cost_per_task`, `max_cost_per_run`, `prices`, `prices_as_of`",
            "config.yaml:8:24: `cleanup.workspaces` must be one of `never`, `on_success`, `always`, but is the text \"on_sucess\" | did you mean `on_success`?",
            "config.yaml:9:15: `max_parallel` must be a whole number from 1 to 256, but is the number 0 | write it like `max_parallel: 4`",
            "config.yaml:10:1: the key `max_parallel` stands here twice | remove one of the two",
        ]
    );
}

#[test]
fn an_empty_file_misses_both_required_keys() {
    for text in ["", "# nothing yet\n", "{}"] {
        assert_eq!(parse(text).unwrap_err().len(), 2, "{text:?}");
    }
    assert!(parse("- a\n").unwrap_err()[0].contains("the document must be a mapping of keys to values"));
}

#[test]
fn a_syntax_error_is_one_problem_at_its_place() {
    let found = problems("worker: a: b\n");
    assert_eq!(found.len(), 1);
    assert!(found[0].starts_with("config.yaml:3:10: not valid YAML: "), "{found:?}");
}

#[test]
fn an_agent_that_asks_a_model_needs_one_and_gets_no_key() {
    for agent in ["codex", "claude"] {
        let found = problems(&format!("worker: {{ agent: {agent} }}\n"));
        assert_eq!(found.len(), 1, "{found:?}");
        assert!(found[0].contains("`worker.agent` asks a model and needs `worker.model`"), "{found:?}");
    }
    for (section, provider) in
        [("planner", "openai"), ("test_validator", "claude"), ("planner", "compatible")]
    {
        let found = problems(&format!("{section}: {{ provider: {provider} }}\n"));
        assert_eq!(found.len(), 1, "{found:?}");
        let said = format!("`{section}.provider` asks a model and needs `{section}.model`");
        assert!(found[0].contains(&said), "{found:?}");
    }
    let judge = "test_validator: { mode: warn, provider: codex, model: m }\n";
    let found = problems(&format!("{judge}worker: {{ env: [OPENAI_API_KEY] }}\n"));
    assert!(found.len() == 1 && found[0].contains("hands on OPENAI_API_KEY"), "{found:?}");
    for entry in ["OPENAI_API_KEY", "OPENAI_API_KEY=sk-1"] {
        let found = problems(&format!("worker: {{ agent: codex, model: m, env: [PATH, {entry}] }}\n"));
        assert_eq!(
            found,
            [
                "config.yaml:3:47: `worker.env[1]` hands on OPENAI_API_KEY, which the gateway keeps from agents | remove it: agents reach their model without a key"
            ]
        );
        // Other agents may need it.
        assert!(parse(&format!("{MINIMAL}worker: {{ env: [{entry}] }}\n")).is_ok());
    }
}

#[test]
fn a_provider_is_an_address_and_the_name_of_a_key() {
    for address in ["http://models:1/", "http://models:1/v1", "http://models:1/v1/"] {
        let config =
            parse(&format!("{MINIMAL}gateway: {{ openai: {{ base_url: '{address}' }} }}\n")).unwrap();
        assert_eq!(config.gateway.openai.base_url, "http://models:1");
        assert_eq!(config.gateway.openai.key, None);
        assert_eq!(config.gateway.anthropic.key.as_deref(), Some("ANTHROPIC_API_KEY"));
    }
    assert_eq!(
        problems("gateway: { openai: { base_url: 'http://models/v1?key=sk-hunter2' } }\n"),
        [
            "config.yaml:3:32: `gateway.openai.base_url` holds a query, behind which no request can go on | write it like `base_url: \"http://models.internal:8080\"`"
        ]
    );
    let found = problems("gateway: { openai: { base_url: models, key: sk-hunter2 } }\n");
    assert_eq!(
        found,
        [
            "config.yaml:3:32: `gateway.openai.base_url` is no address of http or https | write it like `base_url: \"http://models.internal:8080\"`",
            "config.yaml:3:45: `gateway.openai.key` is not the name of a variable | write it like `key: OPENAI_API_KEY`"
        ]
    );
}

#[test]
fn a_cassette_is_a_name_and_is_recorded_or_replayed() {
    let of = |gateway: &str| parse(&format!("{MINIMAL}gateway: {{ {gateway} }}\n")).unwrap().gateway;
    assert_eq!(of("record: first").cassette, Some(Cassette::Record("first".parse().unwrap())));
    assert!(of("replay: first").is_replayed() && !of("record: first").is_replayed());
    assert_eq!(
        problems("gateway: { record: a, replay: b }\n"),
        [
            "config.yaml:3:31: `gateway.record` and `gateway.replay` cannot both be set | remove one of the two"
        ]
    );
    let escaping = problems("gateway: { record: ../a }\n");
    assert!(escaping.len() == 1 && escaping[0].contains("`gateway.record`"), "{escaping:?}");
}

#[test]
fn a_network_that_is_not_a_containers_own_is_refused() {
    for mode in ["host", "container:other"] {
        let expected = format!(
            "config.yaml:3:25: `docker.network_mode`: `{mode}` is no network of a container's own | set `none`, `bridge` \
             or a network's name"
        );
        assert_eq!(problems(&format!("docker: {{ network_mode: '{mode}' }}\n")), [expected]);
    }
    let named = parse("integration_branch: main\ndoctor: d.sh\ndocker: { network_mode: hosts }\n").unwrap();
    assert_eq!(named.docker.network_mode, "hosts");
}

#[test]
fn a_value_in_the_place_of_a_secrets_name_is_not_repeated() {
    let found = problems("secrets: [TOKEN, hunter2-hunter2]\n");
    assert_eq!(
        found,
        [
            "config.yaml:3:18: `secrets[1]` is not the name of a variable | write it like `secrets: [DATABASE_URL]`"
        ]
    );
}

#[test]
fn keys_that_need_each_other_are_checked_together() {
    assert_eq!(
        problems("worker: { agent: command }\n"),
        [
            "config.yaml:3:18: `worker.agent: command` needs `worker.command` | add for example `command: ./agent.sh`"
        ]
    );
    assert_eq!(
        problems("style_validator: { mode: off, provider: command }\n"),
        [
            "config.yaml:3:41: `style_validator.provider: command` needs `style_validator.command` | add for example `command: ./validate.sh`"
        ]
    );
    assert_eq!(
        problems("budgets: { max_cost_per_run: 1, prices: { defualt: { input: 1, output: 1 } } }\n"),
        [
            "config.yaml:3:30: `budgets.max_cost_per_run` is set, but `budgets.prices` has no entry for the model `default` | did you mean `defualt` in `worker.model`?"
        ]
    );
    assert_eq!(
        problems("resources: [{ name: a }, { name: b }, { name: a }]\n"),
        ["config.yaml:3:47: the resource `a` is declared twice | give one of the two another name"]
    );
}

#[test]
fn a_budget_blocks_where_a_limit_is_set_and_only_there() {
    let mode = |more: &str| parse(&format!("{MINIMAL}{more}")).unwrap().budgets.mode;
    assert_eq!(mode("budgets: { max_tokens_per_run: 5 }\n"), Mode::Block);
    assert_eq!(mode("budgets: { mode: warn, max_tokens_per_run: 5 }\n"), Mode::Warn);
    assert_eq!(mode("budgets: { mode: block }\n"), Mode::Off);
    assert!(problems("budgets: { mode: off }\n")[0].contains("must be one of `warn`, `block`"));
}

#[test]
fn amounts_of_money_are_exact_or_refused() {
    for (amount, why) in [
        ("1.2345678", "has more than 6 decimals"),
        ("-1", "is not a plain decimal number"),
        ("1e3", "is not a plain decimal number"),
        ("'1'", "must be an amount of US dollars"),
    ] {
        let found = problems(&format!(
            "budgets: {{ max_cost_per_task: {amount}, prices: {{ default: {{ input: 1, output: 1 }} }} }}\n"
        ));
        assert!(found.len() == 1 && found[0].contains(why), "{amount}: {found:?}");
    }
    let found = problems("budgets: { prices: { default: { cached_input: 1 } } }\n");
    assert_eq!(found.len(), 2, "{found:?}");
}

#[test]
fn a_key_whose_entries_are_commented_out_counts_as_left_out() {
    let config =
        parse(&format!("{MINIMAL}resources:\n#  - name: a\nworker:\nbudgets:\n  prices:\n")).unwrap();
    assert_eq!(config, parse(MINIMAL).unwrap());
    assert!(problems("max_parallel:\n")[0].contains("but is nothing"));
}

#[test]
fn a_branch_is_named_by_its_short_name() {
    for bad in ["refs/heads/main", "'a b'", "-x", "''", "1.0", "true"] {
        let found = parse(&format!("integration_branch: {bad}\ndoctor: d.sh\n")).unwrap_err();
        assert!(found.len() == 1 && found[0].starts_with("config.yaml:1:21: "), "{bad}: {found:?}");
    }
    // Only YAML 1.1 reads these as booleans.
    assert_eq!(parse("integration_branch: on\ndoctor: d.sh\n").unwrap().integration_branch, "on");
}

#[test]
fn every_example_of_the_reference_is_accepted_in_its_place() {
    for doc in config::reference() {
        let (sections, _) = doc.key.rsplit_once('.').unwrap_or(("", doc.key));
        let strict = serde_saphyr::options! { strict_booleans: true };
        let example: Value = serde_saphyr::from_str_with_options(doc.example, strict).unwrap();
        // Siblings that are required stand beside the example.
        let mut value = example;
        if sections == "budgets.prices.<model>" {
            for sibling in ["input", "output"] {
                value.as_object_mut().unwrap().entry(sibling).or_insert(json!(1));
            }
        } else if sections == "resources[]" {
            value.as_object_mut().unwrap().entry("name").or_insert(json!("x"));
        } else if doc.key == "worker.agent" || doc.key == "planner.provider" {
            value.as_object_mut().unwrap().insert("model".to_owned(), json!("m"));
        } else if doc.example.contains("command") && !doc.key.ends_with("command") {
            value.as_object_mut().unwrap().insert("command".to_owned(), json!("x"));
        } else if doc.key.starts_with("budgets.max_cost") {
            value
                .as_object_mut()
                .unwrap()
                .insert("prices".to_owned(), json!({ "default": { "input": 1, "output": 1 } }));
        }
        for section in sections.rsplit('.').filter(|section| !section.is_empty()) {
            value = match section.strip_suffix("[]") {
                Some(name) => json!({ name: [value] }),
                None => json!({ section.trim_matches(['<', '>']): value }),
            };
        }
        for (key, minimal) in [("integration_branch", "main"), ("doctor", "d.sh")] {
            value.as_object_mut().unwrap().entry(key).or_insert(json!(minimal));
        }
        let text = serde_json::to_string(&value).unwrap();
        assert!(parse(&text).is_ok(), "{}: {text}: {:?}", doc.key, parse(&text));
        let schema = mycelium_schemas::schemas().remove("config").unwrap();
        let flaw = jsonschema::validate(schema.as_value(), &value);
        assert!(flaw.is_ok(), "{}: {text}: {flaw:?}", doc.key);
    }
}

#[test]
fn every_word_of_a_choice_is_a_name_of_its_type() {
    let wrap = |key: &str, word: &str| match key.split_once('.') {
        Some(("worker", name)) => format!("worker: {{ {name}: {word}, command: x, model: m }}\n"),
        Some((section, "provider")) => format!("{section}: {{ provider: {word}, command: x, model: m }}\n"),
        Some((section, name)) => format!("{section}: {{ {name}: {word}, command: x }}\n"),
        None => format!("{key}: {word}\n"),
    };
    for doc in config::reference() {
        let Kind::Choice(words) = doc.kind else { continue };
        for word in words {
            let mut text = format!("{MINIMAL}{}", wrap(doc.key, word));
            if !["validator", "worker", "planner"].iter().any(|section| doc.key.contains(section)) {
                text = text.replace(", command: x", "");
            }
            let config = parse(&text).unwrap();
            let effective = serde_json::to_value(&config).unwrap();
            let found = effective.pointer(&format!("/{}", doc.key.replace('.', "/")));
            let without_effect = ["cleanup.containers", "budgets.mode"];
            assert!(
                found == Some(&json!(word)) || without_effect.iter().any(|key| doc.key.starts_with(key)),
                "{}: {word} became {found:?}",
                doc.key
            );
        }
    }
}

#[test]
fn the_reference_page_is_fresh() {
    crate::assert_fresh(&crate::file("../docs/configuration.md"), &config::reference_markdown());
}
