//! Benchmarks: what is measured, what it is compared with, and what the gate makes of it. The program is a script, so that
//! how fast it is can be chosen; no figure here depends on the clock of the machine but by far.

use std::fs;

use serde_json::Value;

use crate::checkout::{Answer, Checkout};

/// A resume that is measured. `plan` and `run`, which prepare it, do nothing.
fn checkout(resume: &str) -> Checkout {
    let checkout = Checkout::new();
    checkout.program(&format!("case \"$1\" in resume) {resume};; esac; exit 0"));
    checkout
}

/// What the gate wants measured.
fn all_figures() -> impl Iterator<Item = (&'static str, &'static str)> {
    let names = [
        "plan/10",
        "plan/100",
        "plan/1000",
        "run/1",
        "run/10",
        "run/50",
        "resume/finished",
        "logs/10000",
        "logs/1000000",
        "workspace/create",
        "workspace/remove",
    ];
    names.into_iter().flat_map(|name| ["instructions", "cpu-ratio"].map(|measure| (name, measure)))
}

/// Baselines of so much for every figure, on this class of machine: of a ratio, so many thousandths of its floor.
fn baselines(checkout: &Checkout, value: u64) {
    let machine = format!("{}-{}", std::env::consts::OS, std::env::consts::ARCH);
    let figures: Vec<String> = all_figures()
        .map(|(figure, measure)| {
            format!("      - {{figure: {figure}, measure: {measure}, value: {value}}}\n")
        })
        .collect();
    let text = format!(
        "tolerance_percent: {{instructions: 5, cpu-ratio: 60}}\nmachines:\n  - machine: {machine}\n    figures:\n{}",
        figures.concat()
    );
    checkout.write("traceability/bench.yaml", &text);
}

fn bench(checkout: &Checkout, more: &str) -> Answer {
    checkout.accept(&format!("bench --bin program --out out --json {more}"))
}

#[test]
fn a_figure_far_below_its_baseline_passes_and_one_far_above_is_red_and_named() {
    let checkout = checkout(":");
    baselines(&checkout, 1_000_000);
    let answer = bench(&checkout, "--quick resume");
    assert_eq!(answer.code, Some(0), "{}", answer.err);
    let figure = &answer.json()["figures"][0];
    assert_eq!(
        (figure["name"].as_str(), figure["measure"].as_str()),
        (Some("resume/finished"), Some("cpu-ratio"))
    );
    assert_eq!(figure["rounds"], 3);
    assert!(figure["value"].as_u64().unwrap() > 0);
    let kept = fs::read_to_string(checkout.path("out/bench.json")).unwrap();
    assert_eq!(serde_json::from_str::<Value>(&kept).unwrap(), answer.json());

    baselines(&checkout, 1);
    let answer = bench(&checkout, "--quick resume");
    assert_eq!(answer.code, Some(1), "{}", answer.err);
    assert!(answer.err.contains("too slow: resume/finished (cpu-ratio) is "), "{}", answer.err);
    assert!(answer.err.contains("over its limit 0.001x; its baseline is 0.001x"), "{}", answer.err);
}

#[test]
fn without_a_baseline_there_is_no_verdict_and_one_that_is_saved_lets_the_same_figures_through() {
    let checkout = checkout(":");
    let answer = bench(&checkout, "--quick resume");
    assert_eq!(answer.code, Some(1));
    assert!(answer.err.contains("Nobody saved baselines"), "{}", answer.err);
    let answer = bench(&checkout, "resume --save");
    assert_eq!(answer.code, Some(0), "{}", answer.err);
    let saved = fs::read_to_string(checkout.path("traceability/bench.yaml")).unwrap();
    let value = answer.json()["figures"].as_array().unwrap().last().unwrap()["value"].to_string();
    assert!(
        saved.contains(&format!("figure: resume/finished, measure: cpu-ratio, value: {value}}}")),
        "{saved}"
    );
}

#[test]
fn a_program_that_does_not_do_its_work_is_no_fast_program() {
    let checkout = checkout("echo broken >&2; exit 3");
    baselines(&checkout, 1_000_000);
    let answer = bench(&checkout, "--quick resume");
    assert_eq!(answer.code, Some(2), "{}", answer.err);
    for part in ["resume/finished: ", "ended with Exited(3) instead of exit code 0", "broken"] {
        assert!(answer.err.contains(part), "{part}: {}", answer.err);
    }
    assert!(!checkout.path("out/bench.json").exists());
}

#[test]
fn what_is_not_asked_rightly_is_refused_before_anything_is_measured() {
    let checkout = checkout(":");
    for (more, said) in [
        ("nonsense", "no figure has one of these texts in its name; the names are plan/10, plan/100"),
        ("--quick --save resume", "cannot be used with"),
        ("--baselines missing.yaml resume", "cannot read"),
    ] {
        let answer = bench(&checkout, more);
        assert_eq!(answer.code, Some(2), "{more}");
        assert!(answer.err.contains(said), "{more}: {}", answer.err);
    }
    checkout.write(
        "traceability/bench.yaml",
        "tolerance_percent: {instructions: 5, cpu-ratio: 1000}\nmachines: []\n",
    );
    let answer = bench(&checkout, "resume");
    assert_eq!(answer.code, Some(2));
    assert!(answer.err.contains("bench.yaml:1:"), "{}", answer.err);
}

#[test]
fn the_gate_reads_the_newest_figures_and_names_what_stands_in_the_way() {
    let checkout = checkout(":");
    baselines(&checkout, 1_000_000);
    fs::write(checkout.path(".gitignore"), "out\nprogram\n").unwrap();
    checkout.commit();
    assert_eq!(checkout.accept("run --bin program --out out").code, Some(0));
    let performance = || {
        let gate = checkout.accept("gate --profile nightly --out out --bin program --json").json();
        let verdicts = gate["verdicts"].as_array().unwrap().clone();
        let found = verdicts.into_iter().find(|verdict| verdict["gate"] == "performance").unwrap();
        (found["verdict"].as_str().unwrap().to_owned(), found["reasons"].to_string())
    };
    assert_eq!(
        performance(),
        ("red".to_owned(), r#"["Nothing was measured, so there is no verdict."]"#.to_owned())
    );

    assert_eq!(bench(&checkout, "--quick resume").code, Some(0));
    let (verdict, reasons) = performance();
    assert_eq!(verdict, "red");
    for reason in ["It was a quick look", "Only figures with resume", "The program was given"] {
        assert!(reasons.contains(reason), "{reason}: {reasons}");
    }

    // The same figures, as if nothing had been left out.
    let path = checkout.path("out/bench.json");
    let mut kept: Value = serde_json::from_str(&fs::read_to_string(&path).unwrap()).unwrap();
    kept["partial"] = serde_json::json!([]);
    fs::write(&path, kept.to_string()).unwrap();
    let (verdict, reasons) = performance();
    let machine = format!("{}-{}", std::env::consts::OS, std::env::consts::ARCH);
    let missed = format!("run/50 (cpu-ratio) has a baseline on {machine} and was not measured.");
    assert!(verdict == "red" && reasons.contains(&missed), "{reasons}");
    let measured = kept["figures"][0].clone();
    kept["figures"] = all_figures()
        .map(|(name, measure)| {
            let mut figure = measured.clone();
            (figure["name"], figure["measure"]) = (name.into(), measure.into());
            figure
        })
        .collect();
    fs::write(&path, kept.to_string()).unwrap();
    assert_eq!(performance().0, "green");
    baselines(&checkout, 1);
    checkout.commit();
    let (verdict, reasons) = performance();
    assert_eq!(verdict, "red");
    assert!(
        reasons.contains("over its limit 0.001x") && reasons.contains("about other sources"),
        "{reasons}"
    );

    fs::write(&path, "{\"schema_version\": 1").unwrap();
    let gate = checkout.accept("gate --profile nightly --out out --bin program");
    assert_eq!(gate.code, Some(2), "{}", gate.err);
}
