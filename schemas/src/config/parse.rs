//! From the text of `config.yaml` to the configuration in effect, or every reason why not.

use std::{collections::BTreeMap, fmt::Display, str::FromStr};

use serde::de::DeserializeOwned;

use super::{
    Agent, Answerer, Answering, Budgets, Cassette, Cleanup, Config, Docker, FailurePolicy, Gateway, Minutes,
    Mode, Planner, Price, Provider, Resource, Validator, Worker, address, dollars,
    keys::{self, KeyDoc, Kind},
};
use crate::{
    decode::{Decoder, Field, Section, quoted},
    id::LockName,
    problem::{Problem, Source, did_you_mean},
    yaml::{self, Node, Value, shorten},
};

/// Reads a configuration strictly. All problems come back at once, in the order of their places.
pub fn parse(source: &Source) -> Result<Config, Vec<Problem>> {
    let root = yaml::parse(source).map_err(|problem| vec![problem])?;
    let mut reader = Reader { decoder: Decoder::new(source) };
    let config = reader.config(&root);
    let problems = reader.decoder.finish();
    match config {
        Some(config) if problems.is_empty() => Ok(config),
        _ => Err(problems),
    }
}

/// A section of the file and its name in the table of keys.
struct Keys<'n> {
    section: Section<'n>,
    pattern: String,
}

/// A value that is set, with what the table says about it.
struct Set<'n> {
    field: Field<'n>,
    doc: &'static KeyDoc,
    help: String,
}

impl<'n> Keys<'n> {
    fn doc(&self, name: &str) -> Option<&'static KeyDoc> {
        keys::below(&self.pattern).find(|(known, _)| *known == name).map(|(_, doc)| doc)
    }

    fn get(&self, name: &str) -> Option<Set<'n>> {
        let doc = self.doc(name)?;
        Some(Set { field: self.section.get(name)?, doc, help: for_example(doc) })
    }
}

/// Whether a text can be the name of an environment variable.
fn is_variable(text: &str) -> bool {
    text.starts_with(|c: char| c.is_ascii_alphabetic() || c == '_')
        && text.chars().all(|c| c.is_ascii_alphanumeric() || c == '_')
}

fn for_example(doc: &KeyDoc) -> String {
    format!("write it like `{}`", doc.example)
}

struct Reader<'a> {
    decoder: Decoder<'a>,
}

impl Reader<'_> {
    fn config(&mut self, root: &Node) -> Option<Config> {
        let keys = self.section("", "", root);
        let integration_branch = self.integration_branch(&keys);
        let doctor = self.required(&keys, "doctor").and_then(|set| self.parsed(&set));
        let worker = self.worker(&keys);
        let validators = ["test_validator", "style_validator", "architecture_validator", "doctor_validator"]
            .map(|name| self.validator(&keys, name));
        let judges = || validators.iter().filter(|judge| judge.mode != Mode::Off);
        let mut models: Vec<(&str, &str)> = vec![("`worker.model`", &worker.model)];
        models.extend(
            judges()
                .filter(|judge| judge.asked.provider.asks_a_model())
                .filter_map(|judge| Some(("the validator's `model`", judge.asked.model.as_deref()?))),
        );
        let budgets = self.budgets(&keys, &models);
        let gateway = self.gateway(&keys);
        let hires = judges().any(|judge| judge.asked.provider.is_program());
        if worker.agent.asks_a_model() || hires {
            self.check_keys(&keys, &gateway);
        }
        let [test_validator, style_validator, architecture_validator, doctor_validator] = validators;
        Some(Config {
            doctor_timeout: self.minutes(&keys, "doctor_timeout", 30),
            doctor_canary: keys
                .get("doctor_canary")
                .and_then(|set| self.decoder.flag(&set.field, &set.help))
                .unwrap_or(false),
            max_parallel: self.whole(&keys, "max_parallel").unwrap_or(4),
            max_retries: self.whole(&keys, "max_retries").unwrap_or(2),
            timeout_minutes: self.minutes(&keys, "timeout_minutes", 60),
            idle_timeout_minutes: self.minutes(&keys, "idle_timeout_minutes", 15),
            first_event_timeout_minutes: self.minutes_or(&keys, "first_event_timeout_minutes", Minutes::HALF),
            bootstrap: self.texts(&keys, "bootstrap"),
            resources: self.resources(&keys),
            manifest_enforcement: self.choice(&keys, "manifest_enforcement").unwrap_or(Mode::Warn),
            task_failure_policy: self.choice(&keys, "task_failure_policy").unwrap_or(FailurePolicy::Retry),
            planner: self.planner(&keys),
            worker,
            test_validator,
            style_validator,
            architecture_validator,
            doctor_validator,
            budgets,
            gateway,
            docker: self.docker(&keys),
            cleanup: self.cleanup(&keys),
            secrets: self.names(&keys, "secrets"),
            // Last, so that the problems of all other keys were found before.
            integration_branch: integration_branch?,
            doctor: doctor?,
        })
    }

    fn integration_branch(&mut self, keys: &Keys<'_>) -> Option<String> {
        let set = self.required(keys, "integration_branch")?;
        let name = self.decoder.text(&set.field, &set.help)?;
        let flaw = if name.starts_with("refs/") {
            "is a full reference"
        } else if name.starts_with('-') || name.contains(|c: char| c.is_whitespace() || c.is_control()) {
            "cannot be the name of a branch"
        } else {
            return Some(name.to_owned());
        };
        let message = format!("`integration_branch`: {:?} {flaw}", shorten(name));
        self.decoder.report(&set.field.node.span, message, "write the short name of a local branch");
        None
    }

    fn resources(&mut self, keys: &Keys<'_>) -> Vec<Resource> {
        let mut resources: Vec<Resource> = Vec::new();
        let Some(set) = keys.get("resources") else { return resources };
        for item in self.decoder.items(&set.field, &set.help) {
            let entry = self.section(&item.label, "resources[]", item.node);
            let name_set = self.required(&entry, "name");
            let name: Option<LockName> = name_set.as_ref().and_then(|set| self.parsed(set));
            let paths = self.parsed_list(&entry, "paths");
            let (Some(name_set), Some(name)) = (name_set, name) else { continue };
            if resources.iter().any(|other| other.name == name) {
                let message = format!("the resource `{name}` is declared twice");
                self.decoder.report(&name_set.field.node.span, message, "give one of the two another name");
                continue;
            }
            resources.push(Resource { name, paths });
        }
        resources
    }

    fn planner(&mut self, keys: &Keys<'_>) -> Planner {
        let repairs = |set: Option<u32>| set.unwrap_or(2);
        let Some(keys) = self.subsection(keys, "planner") else {
            return Planner { max_repairs: repairs(None), ..Planner::default() };
        };
        Planner { asked: self.answering(&keys), max_repairs: repairs(self.whole(&keys, "max_repairs")) }
    }

    fn worker(&mut self, keys: &Keys<'_>) -> Worker {
        let default_model = || "default".to_owned();
        let Some(keys) = self.subsection(keys, "worker") else {
            return Worker { model: default_model(), ..Worker::default() };
        };
        let agent: Agent = self.choice(&keys, "agent").unwrap_or_default();
        let command = self.text(&keys, "command");
        if agent == Agent::Command {
            self.need_command(&keys, "agent");
        }
        if agent.asks_a_model() && keys.section.get("model").is_none() {
            self.need_model(&keys, "agent");
        }
        let model = self.text(&keys, "model").unwrap_or_else(default_model);
        let (program, args) = (self.text(&keys, "program"), self.texts(&keys, "args"));
        Worker { agent, command, model, program, args, env: self.environment(&keys) }
    }

    /// Reports a missing `model` at the word that needs one.
    fn need_model(&mut self, keys: &Keys<'_>, asking: &str) {
        let (Some(set), Some(doc)) = (keys.get(asking), keys.doc("model")) else { return };
        let message =
            format!("`{}` asks a model and needs `{}`", set.field.label, keys.section.label("model"));
        self.decoder.report(&set.field.node.span, message, format!("add for example `{}`", doc.example));
    }

    fn gateway(&mut self, keys: &Keys<'_>) -> Gateway {
        let defaults = Gateway::default();
        let Some(keys) = self.subsection(keys, "gateway") else { return defaults };
        Gateway {
            openai: self.provider(&keys, "openai", defaults.openai),
            anthropic: self.provider(&keys, "anthropic", defaults.anthropic),
            cassette: self.cassette(&keys),
        }
    }

    fn cassette(&mut self, keys: &Keys<'_>) -> Option<Cassette> {
        let [record, replay] = ["record", "replay"].map(|key| keys.get(key));
        if let (Some(_), Some(replay)) = (&record, &replay) {
            let message = "`gateway.record` and `gateway.replay` cannot both be set".to_owned();
            self.decoder.report(&replay.field.node.span, message, "remove one of the two");
            return None;
        }
        let record = record.and_then(|set| self.parsed(&set)).map(Cassette::Record);
        record.or_else(|| replay.and_then(|set| self.parsed(&set)).map(Cassette::Replay))
    }

    fn provider(&mut self, keys: &Keys<'_>, name: &str, default: Provider) -> Provider {
        let Some(keys) = self.subsection(keys, name) else { return default };
        let base_url = keys.get("base_url").and_then(|set| {
            match address::read(self.decoder.text(&set.field, &set.help)?) {
                Ok(address) => Some(address.to_owned()),
                Err(wrong) => {
                    let message = format!("`{}` {wrong}", set.field.label);
                    self.decoder.report(&set.field.node.span, message, set.help.as_str());
                    None
                }
            }
        });
        let key = keys.get("key").and_then(|set| {
            let name = self.decoder.text(&set.field, &set.help)?;
            if is_variable(name) {
                return Some(name.to_owned());
            }
            // It may be the key itself, written here by mistake: the message does not repeat it.
            let message = format!("`{}` is not the name of a variable", set.field.label);
            self.decoder.report(&set.field.node.span, message, set.help.as_str());
            None
        });
        match base_url {
            Some(base_url) => Provider { base_url, key },
            None => Provider { key: key.or(default.key), base_url: default.base_url },
        }
    }

    /// Reports a key that is kept from agents and handed on to them all the same.
    fn check_keys(&mut self, keys: &Keys<'_>, gateway: &Gateway) {
        let Some(keys) = self.subsection(keys, "worker") else { return };
        let Some(set) = keys.get("env") else { return };
        for item in self.decoder.items(&set.field, &set.help) {
            let Some(text) = self.decoder.text(&item, &set.help) else { continue };
            let name = text.split('=').next().unwrap_or_default();
            if gateway.keys().any(|key| key == name) {
                let message =
                    format!("`{}` hands on {name}, which the gateway keeps from agents", item.label);
                self.decoder.report(
                    &item.node.span,
                    message,
                    "remove it: agents reach their model without a key",
                );
            }
        }
    }

    fn environment(&mut self, keys: &Keys<'_>) -> Vec<String> {
        let Some(set) = keys.get("env") else { return Vec::new() };
        let mut entries = Vec::new();
        for item in self.decoder.items(&set.field, &set.help) {
            let Some(text) = self.decoder.text(&item, &set.help) else { continue };
            let name = text.split('=').next().unwrap_or_default();
            if is_variable(name) && !text.contains('\0') {
                entries.push(text.to_owned());
            } else {
                // It may hold a secret, and one that is cut short is known by nobody: the message does not repeat it.
                let message = format!("`{}` is neither `NAME` nor `NAME=value`", item.label);
                self.decoder.report(&item.node.span, message, set.help.as_str());
            }
        }
        entries
    }

    /// Names of environment variables.
    fn names(&mut self, keys: &Keys<'_>, key: &str) -> Vec<String> {
        let Some(set) = keys.get(key) else { return Vec::new() };
        let mut names = Vec::new();
        for item in self.decoder.items(&set.field, &set.help) {
            let Some(text) = self.decoder.text(&item, &set.help) else { continue };
            if is_variable(text) {
                names.push(text.to_owned());
            } else {
                // It may be a value, written here by mistake: the message does not repeat it.
                let message = format!("`{}` is not the name of a variable", item.label);
                self.decoder.report(&item.node.span, message, set.help.as_str());
            }
        }
        names
    }

    fn validator(&mut self, keys: &Keys<'_>, name: &str) -> Validator {
        let Some(keys) = self.subsection(keys, name) else { return Validator::default() };
        Validator { mode: self.choice(&keys, "mode").unwrap_or_default(), asked: self.answering(&keys) }
    }

    fn answering(&mut self, keys: &Keys<'_>) -> Answering {
        let provider: Answerer = self.choice(keys, "provider").unwrap_or_default();
        if provider == Answerer::Command {
            self.need_command(keys, "provider");
        }
        if provider.asks_a_model() && keys.section.get("model").is_none() {
            self.need_model(keys, "provider");
        }
        Answering {
            provider,
            model: self.text(keys, "model"),
            command: self.text(keys, "command"),
            program: self.text(keys, "program"),
        }
    }

    /// Reports a missing `command` at the word that asks for it.
    fn need_command(&mut self, keys: &Keys<'_>, asking: &str) {
        if keys.section.get("command").is_some() {
            return;
        }
        let (Some(set), Some(doc)) = (keys.get(asking), keys.doc("command")) else { return };
        let message = format!("`{}: command` needs `{}`", set.field.label, keys.section.label("command"));
        self.decoder.report(&set.field.node.span, message, format!("add for example `{}`", doc.example));
    }

    fn budgets(&mut self, keys: &Keys<'_>, models: &[(&str, &str)]) -> Budgets {
        let Some(keys) = self.subsection(keys, "budgets") else { return Budgets::default() };
        let mode: Option<Mode> = self.choice(&keys, "mode");
        let mut budgets = Budgets {
            mode: Mode::Off,
            max_tokens_per_task: self.whole(&keys, "max_tokens_per_task"),
            max_tokens_per_run: self.whole(&keys, "max_tokens_per_run"),
            max_cost_microusd_per_task: self.dollars(&keys, "max_cost_per_task"),
            max_cost_microusd_per_run: self.dollars(&keys, "max_cost_per_run"),
            prices: self.prices(&keys),
            prices_as_of: self.day(&keys, "prices_as_of"),
        };
        for limit in ["max_cost_per_task", "max_cost_per_run"] {
            let Some(set) = keys.get(limit) else { continue };
            for (named_by, model) in models.iter().filter(|(_, model)| !budgets.prices.contains_key(*model)) {
                self.need_price(&set, &budgets.prices, named_by, model);
            }
        }
        let tokens = budgets.max_tokens_per_task.or(budgets.max_tokens_per_run);
        let cost = budgets.max_cost_microusd_per_task.or(budgets.max_cost_microusd_per_run);
        if tokens.or(cost).is_some() {
            budgets.mode = mode.unwrap_or(Mode::Block);
        }
        budgets
    }

    /// Reports a limit of cost that nothing can be counted against.
    fn need_price(&mut self, limit: &Set<'_>, prices: &BTreeMap<String, Price>, named_by: &str, model: &str) {
        let message = format!(
            "`{}` is set, but `budgets.prices` has no entry for the model `{model}`",
            limit.field.label
        );
        let help = match did_you_mean(model, prices.keys().map(String::as_str)) {
            Some(near) => format!("did you mean `{near}` in {named_by}?"),
            None => format!("add `{model}: {{ input: …, output: … }}` to `budgets.prices`"),
        };
        self.decoder.report(&limit.field.node.span, message, help);
    }

    fn prices(&mut self, keys: &Keys<'_>) -> BTreeMap<String, Price> {
        let mut prices = BTreeMap::new();
        let Some(set) = keys.get("prices") else { return prices };
        let models = self.decoder.section(&set.field.label, set.field.node, &[]);
        for (model, field) in models.fields() {
            let entry = self.section(&field.label, "budgets.prices.<model>", field.node);
            let input = self.required(&entry, "input").and_then(|_| self.dollars(&entry, "input"));
            let output = self.required(&entry, "output").and_then(|_| self.dollars(&entry, "output"));
            let cached_input = self.dollars(&entry, "cached_input");
            let cache_write_input = self.dollars(&entry, "cache_write_input");
            if let (Some(input), Some(output)) = (input, output) {
                let cached_input = cached_input.unwrap_or(input);
                let cache_write_input = cache_write_input.unwrap_or(input);
                prices.insert(model.to_owned(), Price { input, cached_input, cache_write_input, output });
            }
        }
        prices
    }

    /// A day as `YYYY-MM-DD`.
    fn day(&mut self, keys: &Keys<'_>, name: &str) -> Option<String> {
        let set = keys.get(name)?;
        let text = self.decoder.text(&set.field, &set.help)?;
        if text.parse::<jiff::civil::Date>().is_ok_and(|day| day.to_string() == text) {
            return Some(text.to_owned());
        }
        let message = format!("`{}`: {:?} is no day", set.field.label, shorten(text));
        self.decoder.report(&set.field.node.span, message, set.help.as_str());
        None
    }

    fn cleanup(&mut self, keys: &Keys<'_>) -> Cleanup {
        let Some(keys) = self.subsection(keys, "cleanup") else { return Cleanup::default() };
        Cleanup {
            workspaces: self.choice(&keys, "workspaces").unwrap_or_default(),
            containers: self.choice(&keys, "containers").unwrap_or_default(),
        }
    }

    fn docker(&mut self, keys: &Keys<'_>) -> Docker {
        let defaults = Docker::default();
        let Some(keys) = self.subsection(keys, "docker") else { return defaults };
        Docker {
            image: self.text(&keys, "image"),
            network_mode: self.network_mode(&keys).unwrap_or(defaults.network_mode),
            user: self.text(&keys, "user"),
            memory_mb: self.whole(&keys, "memory_mb").unwrap_or(defaults.memory_mb),
            cpus: self.whole(&keys, "cpus"),
            pids_limit: self.whole(&keys, "pids_limit").unwrap_or(defaults.pids_limit),
        }
    }
}

impl Reader<'_> {
    /// A network of the containers' own: what shares another's is no isolation.
    fn network_mode(&mut self, keys: &Keys<'_>) -> Option<String> {
        let set = keys.get("network_mode")?;
        let mode = self.decoder.text(&set.field, &set.help)?;
        if mode == "host" || mode.starts_with("container:") {
            let message =
                format!("`{}`: `{}` is no network of a container's own", set.field.label, shorten(mode));
            self.decoder.report(&set.field.node.span, message, "set `none`, `bridge` or a network's name");
            return None;
        }
        Some(mode.to_owned())
    }
}

/// Reading one key by what the table says about it.
impl Reader<'_> {
    fn section<'n>(&mut self, path: &str, pattern: &str, node: &'n Node) -> Keys<'n> {
        let allowed: Vec<&str> = keys::below(pattern).map(|(name, _)| name).collect();
        Keys { section: self.decoder.section(path, node, &allowed), pattern: pattern.to_owned() }
    }

    fn subsection<'n>(&mut self, keys: &Keys<'n>, name: &str) -> Option<Keys<'n>> {
        let set = keys.get(name)?;
        Some(self.section(&set.field.label, set.doc.key, set.field.node))
    }

    fn required<'n>(&mut self, keys: &Keys<'n>, name: &str) -> Option<Set<'n>> {
        let set = keys.get(name);
        if set.is_none()
            && let Some(doc) = keys.doc(name)
        {
            self.decoder.missing(&keys.section, name, format!("add for example `{}`", doc.example));
        }
        set
    }

    fn text(&mut self, keys: &Keys<'_>, name: &str) -> Option<String> {
        let set = keys.get(name)?;
        self.decoder.text(&set.field, &set.help).map(str::to_owned)
    }

    fn texts(&mut self, keys: &Keys<'_>, name: &str) -> Vec<String> {
        let Some(set) = keys.get(name) else { return Vec::new() };
        let items = self.decoder.items(&set.field, &set.help);
        items.iter().filter_map(|item| self.decoder.text(item, &set.help)).map(str::to_owned).collect()
    }

    fn parsed<T: FromStr<Err: Display>>(&mut self, set: &Set<'_>) -> Option<T> {
        self.decoder.parsed(&set.field, &set.help)
    }

    fn parsed_list<T: FromStr<Err: Display>>(&mut self, keys: &Keys<'_>, name: &str) -> Vec<T> {
        let Some(set) = keys.get(name) else { return Vec::new() };
        let items = self.decoder.items(&set.field, &set.help);
        items.iter().filter_map(|item| self.decoder.parsed(item, &set.help)).collect()
    }

    /// A whole number within the table's bounds; those fit the type asked for.
    fn whole<T: TryFrom<u64>>(&mut self, keys: &Keys<'_>, name: &str) -> Option<T> {
        let set = keys.get(name)?;
        let Kind::Whole { min, max } = set.doc.kind else { return None };
        self.decoder.whole(&set.field, min, max, &set.help)?.try_into().ok()
    }

    /// Minutes, or so many where nothing is said.
    fn minutes(&mut self, keys: &Keys<'_>, name: &str, unless_set: u64) -> Minutes {
        self.minutes_or(keys, name, Minutes::whole(unless_set))
    }

    fn minutes_or(&mut self, keys: &Keys<'_>, name: &str, fallback: Minutes) -> Minutes {
        let Some(set) = keys.get(name) else { return fallback };
        let Value::Number(text) = &set.field.node.value else {
            self.decoder.mismatch(&set.field, "a number of minutes", set.help.as_str());
            return fallback;
        };
        text.parse().unwrap_or_else(|error| {
            let message = format!("`{}`: {text} {error}", set.field.label);
            self.decoder.report(&set.field.node.span, message, set.help.as_str());
            fallback
        })
    }

    /// Millionths of a dollar.
    fn dollars(&mut self, keys: &Keys<'_>, name: &str) -> Option<u64> {
        let set = keys.get(name)?;
        let Value::Number(text) = &set.field.node.value else {
            self.decoder.mismatch(&set.field, "an amount of US dollars", set.help.as_str());
            return None;
        };
        match dollars::parse_microusd(text) {
            Ok(amount) => Some(amount),
            Err(error) => {
                let message = format!("`{}`: {text} {error}", set.field.label);
                self.decoder.report(&set.field.node.span, message, set.help.as_str());
                None
            }
        }
    }

    /// One of the table's words, which are the names that the type has in serialized form.
    fn choice<T: DeserializeOwned>(&mut self, keys: &Keys<'_>, name: &str) -> Option<T> {
        let set = keys.get(name)?;
        let Kind::Choice(words) = set.doc.kind else { return None };
        let expected = format!("one of {}", quoted(words));
        let Value::Text(word) = &set.field.node.value else {
            self.decoder.mismatch(&set.field, &expected, set.help.as_str());
            return None;
        };
        if words.contains(&word.as_str()) {
            return serde_json::from_value(serde_json::Value::String(word.clone())).ok();
        }
        let help = did_you_mean(word, words.iter().copied())
            .map_or(set.help.clone(), |near| format!("did you mean `{near}`?"));
        self.decoder.mismatch(&set.field, &expected, help);
        None
    }
}
