//! The text of a history: what was written is read, and nothing else.

use mycelium_schemas::flake::Execution;
use mycelium_traceability::flake::{History, line};

use crate::support::{World, execution};

fn one() -> Execution {
    execution(World::honest().catalogue().iter().next().unwrap(), "run-0", "mock", 7)
}

#[test]
fn what_was_written_is_read() {
    let text = line(&one()).unwrap().repeat(2);
    let history = History::read(&text).unwrap();
    assert_eq!((history.executions, history.torn), (vec![one(); 2], 0));
    assert_eq!(History::read("").unwrap().executions.len(), 0);
}

#[test]
fn a_torn_line_costs_itself_alone_wherever_it_was_torn() {
    let whole = line(&one()).unwrap();
    for end in 1..whole.len() - 1 {
        let text = format!("{whole}{}\n{whole}{}", &whole[..end], &whole[..end]);
        let history = History::read(&text).unwrap();
        assert_eq!((history.executions.len(), history.torn), (2, 2), "torn at {end}");
    }
}

#[test]
fn what_no_crash_leaves_is_refused_with_its_place() {
    let whole = line(&one()).unwrap();
    for (bad, why) in [
        ("garbage", "line 2 is no execution"),
        ("{}", "line 2 is no execution"),
        (&whole.replace("passed", "excellent"), "line 2 is no execution"),
        (&whole.replace("\"v\":1", "\"v\":2"), "line 2 has format version 2"),
        ("{\"v\":99,\"unknown\":[]}", "line 2 has format version 99"),
    ] {
        let error = History::read(&format!("{whole}{bad}\n{whole}")).unwrap_err().to_string();
        assert!(error.starts_with(why), "{bad}: {error}");
    }
}
