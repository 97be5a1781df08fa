//! Which variables hold secrets: those that the configuration names, and those that are handed to commands and whose
//! names say so.

use std::collections::BTreeMap;

use mycelium_schemas::config::Config;

use super::Unusable;
use crate::environment::Environment;

/// The variables with their values, and those that are named but not set.
pub(super) fn collect(
    config: &Config,
    environment: &Environment,
) -> (BTreeMap<String, String>, Vec<(String, Unusable)>) {
    let (mut values, mut unset) = (BTreeMap::new(), Vec::new());
    let written: BTreeMap<&str, &str> =
        config.worker.env.iter().filter_map(|entry| entry.split_once('=')).collect();
    let value = |name: &str| written.get(name).copied().or_else(|| environment.get(name));
    for name in &config.secrets {
        match value(name) {
            Some(value) => drop(values.insert(name.clone(), value.to_owned())),
            None => unset.push((name.clone(), Unusable::NotSet)),
        }
    }
    for entry in &config.worker.env {
        let name = entry.split('=').next().unwrap_or(entry);
        if sounds_secret(name)
            && let Some(value) = value(name).filter(|value| !value.is_empty())
        {
            values.insert(name.to_owned(), value.to_owned());
        }
    }
    if config.run_asks_a_model() || config.planner.asked.provider.asks_a_model() {
        // What the gateway sends is kept out of everything else.
        for name in config.gateway.keys() {
            if let Some(key) = environment.get(name) {
                values.insert(name.to_owned(), key.to_owned());
            }
        }
    }
    (values, unset)
}

fn sounds_secret(name: &str) -> bool {
    let name = name.to_ascii_uppercase();
    let last = name.rsplit('_').next().unwrap_or_default();
    ["KEY", "TOKEN", "SECRET"].contains(&last) || name.contains("PASSWORD")
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_name_says_that_its_value_is_secret() {
        for name in ["API_KEY", "key", "GITHUB_TOKEN", "client_secret", "PGPASSWORD", "PASSWORD_FILE"] {
            assert!(sounds_secret(name), "{name}");
        }
        for name in ["KEYBOARD", "MONKEY", "TOKENS", "SECRETARY", "PATH", "KEY_FILE"] {
            assert!(!sounds_secret(name), "{name}");
        }
    }
}
