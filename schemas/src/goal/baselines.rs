//! `traceability/bench.yaml`: what each figure of `accept bench` was when somebody last looked, by class of machine, and how
//! much above it a figure may be. Written by `accept bench --save`.

use std::fmt::Write as _;

use super::read::{done, mapping, required, text, word};
use crate::{
    bench::Measure,
    decode::{Decoder, Field, Section},
    problem::{Problem, Source},
    yaml::{self, Value},
};

const HEADER: &str = "\
# What each figure of `accept bench` is at most allowed to be: its baseline and so many percent (docs/benchmarks.md).
# `accept bench --save` writes the figures of the machine at hand; ratios are in thousandths of their floor.
";
/// The highest tolerances in percent: a gate that can be switched off in a data file is no gate.
const TOLERANCE_MAX: [(Measure, u64); 2] = [(Measure::Instructions, 10), (Measure::CpuRatio, 100)];
/// Those of a file that does not exist yet.
const TOLERANCE_FIRST: Tolerance = Tolerance { instructions_percent: 5, cpu_ratio_percent: 60 };

/// Every baseline.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Baselines {
    /// How much above its baseline a figure may be.
    pub tolerance: Tolerance,
    /// The baselines of each class of machine, sorted by its name.
    pub machines: Vec<MachineBaselines>,
}

/// How much above its baseline a figure may be, in percent of the baseline.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub struct Tolerance {
    /// For instructions.
    pub instructions_percent: u64,
    /// For ratios of CPU time.
    pub cpu_ratio_percent: u64,
}

impl Tolerance {
    /// That of a measure.
    pub fn percent(self, measure: Measure) -> u64 {
        match measure {
            Measure::Instructions => self.instructions_percent,
            Measure::CpuRatio => self.cpu_ratio_percent,
        }
    }
}

/// The baselines of a class of machine.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct MachineBaselines {
    /// The class, as in [`crate::bench::Bench::machine`].
    pub machine: String,
    /// Its figures, sorted by name and measure.
    pub figures: Vec<Baseline>,
}

/// The baseline of a figure.
#[derive(Debug, Clone, PartialEq, Eq, PartialOrd, Ord)]
pub struct Baseline {
    /// Name of the figure.
    pub figure: String,
    /// In which way it is measured.
    pub measure: Measure,
    /// What it was; a ratio in thousandths.
    pub value: u64,
}

impl Default for Baselines {
    fn default() -> Self {
        Self { tolerance: TOLERANCE_FIRST, machines: Vec::new() }
    }
}

impl Baselines {
    /// Those of a class of machine; none where nobody saved any.
    pub fn of(&self, machine: &str) -> &[Baseline] {
        self.machines.iter().find(|known| known.machine == machine).map_or(&[], |known| &known.figures)
    }

    /// Takes figures of a class of machine in the place of those of the same name and measure.
    pub fn save(&mut self, machine: &str, figures: impl IntoIterator<Item = Baseline>) {
        let found = self.machines.iter().position(|known| known.machine == machine);
        let at = found.unwrap_or_else(|| {
            self.machines.push(MachineBaselines { machine: machine.to_owned(), figures: Vec::new() });
            self.machines.len() - 1
        });
        let known = &mut self.machines[at].figures;
        for figure in figures {
            known.retain(|old| (&old.figure, old.measure) != (&figure.figure, figure.measure));
            known.push(figure);
        }
        known.sort();
        self.machines.sort_by(|one, other| one.machine.cmp(&other.machine));
    }

    /// The text of the file.
    pub fn to_yaml(&self) -> String {
        let Tolerance { instructions_percent, cpu_ratio_percent } = self.tolerance;
        let mut text = format!(
            "{HEADER}tolerance_percent: {{instructions: {instructions_percent}, cpu-ratio: {cpu_ratio_percent}}}\nmachines:\n"
        );
        for MachineBaselines { machine, figures } in &self.machines {
            // Writing to a String cannot fail.
            let _ = writeln!(text, "  - machine: {machine}\n    figures:");
            for Baseline { figure, measure, value } in figures {
                let _ = writeln!(text, "      - {{figure: {figure}, measure: {measure}, value: {value}}}");
            }
        }
        text
    }
}

/// Reads the baselines; of an empty file, none.
pub fn parse(source: &Source) -> Result<Baselines, Vec<Problem>> {
    let node = yaml::parse(source).map_err(|problem| vec![problem])?;
    if matches!(node.value, Value::Null) {
        return Ok(Baselines::default());
    }
    let mut d = Decoder::new(source);
    let root = mapping(&mut d, "", &node, &["tolerance_percent", "machines"]);
    let tolerance = read_tolerance(&mut d, &root);
    let machines = required(&mut d, &root, "machines", "let `accept bench --save` write it")
        .map(|field| read_machines(&mut d, &field));
    let baselines = tolerance.zip(machines).map(|(tolerance, machines)| Baselines { tolerance, machines });
    done(d, baselines)
}

fn read_tolerance(d: &mut Decoder<'_>, root: &Section<'_>) -> Option<Tolerance> {
    let names = Measure::ALL.map(Measure::name);
    let field = required(d, root, "tolerance_percent", "write `{instructions: 5, cpu-ratio: 60}`")?;
    let section = mapping(d, "tolerance_percent", field.node, &names);
    let [instructions, ratio] = TOLERANCE_MAX.map(|(measure, most)| {
        let help = format!("a tolerance of more than {most} % would let everything through");
        let field = required(d, &section, measure.name(), &help)?;
        d.whole(&field, 0, most, &help)
    });
    Some(Tolerance { instructions_percent: instructions?, cpu_ratio_percent: ratio? })
}

fn read_machines(d: &mut Decoder<'_>, field: &Field<'_>) -> Vec<MachineBaselines> {
    let mut machines: Vec<MachineBaselines> = Vec::new();
    for item in d.items(field, "write one `- …` entry for each class of machine") {
        let section = mapping(d, &item.label, item.node, &["machine", "figures"]);
        let machine = text(d, &section, "machine", "write its class, for example linux-x86_64");
        let figures = required(d, &section, "figures", "let `accept bench --save` write them")
            .map(|field| read_figures(d, &field));
        let Some((machine, figures)) = machine.zip(figures) else { continue };
        if machines.iter().any(|known| known.machine == machine) {
            d.report(&item.node.span, format!("{machine} stands here twice"), "remove one of the two");
        }
        machines.push(MachineBaselines { machine, figures });
    }
    machines.sort_by(|one, other| one.machine.cmp(&other.machine));
    machines
}

fn read_figures(d: &mut Decoder<'_>, field: &Field<'_>) -> Vec<Baseline> {
    let mut figures: Vec<Baseline> = Vec::new();
    for item in d.items(field, "write one `- …` entry for each figure") {
        let Some(found) = read_figure(d, &item) else { continue };
        if figures.iter().any(|known| (&known.figure, known.measure) == (&found.figure, found.measure)) {
            let message = format!("{} ({}) stands here twice", found.figure, found.measure);
            d.report(&item.node.span, message, "remove one of the two");
        }
        figures.push(found);
    }
    figures.sort();
    figures
}

fn read_figure(d: &mut Decoder<'_>, item: &Field<'_>) -> Option<Baseline> {
    const HELP: &str = "let `accept bench --save` write it";
    let section = mapping(d, &item.label, item.node, &["figure", "measure", "value"]);
    let figure = text(d, &section, "figure", HELP);
    let measure = required(d, &section, "measure", HELP)
        .and_then(|field| word(d, &field, &Measure::ALL.map(|measure| (measure.name(), measure))));
    let value = required(d, &section, "value", HELP)
        .and_then(|field| d.whole(&field, 1, u64::from(u32::MAX) * 1000, HELP));
    Some(Baseline { figure: figure?, measure: measure?, value: value? })
}

#[cfg(test)]
mod tests {
    use super::*;

    fn problems(text: &str) -> String {
        let problems = parse(&Source::new("bench.yaml", text)).unwrap_err();
        problems.iter().map(ToString::to_string).collect::<Vec<_>>().join("\n")
    }

    fn saved() -> Baselines {
        let figure = |name: &str, measure, value| Baseline { figure: name.to_owned(), measure, value };
        let mut baselines = Baselines::default();
        baselines.save("linux-x86_64", [figure("plan/10", Measure::CpuRatio, 1500)]);
        baselines.save("linux-aarch64", [figure("plan/10", Measure::CpuRatio, 1400)]);
        let again = [figure("plan/10", Measure::CpuRatio, 1200), figure("plan/10", Measure::Instructions, 9)];
        baselines.save("linux-x86_64", again);
        baselines
    }

    #[test]
    fn what_is_saved_is_read_again_and_replaces_only_its_own() {
        let baselines = saved();
        assert_eq!(parse(&Source::new("bench.yaml", baselines.to_yaml())).unwrap(), baselines);
        assert_eq!(baselines.machines[0].machine, "linux-aarch64");
        assert_eq!(baselines.of("linux-aarch64")[0].value, 1400);
        let values: Vec<u64> = baselines.of("linux-x86_64").iter().map(|figure| figure.value).collect();
        assert_eq!(values, [9, 1200]);
        assert!(baselines.of("macos-aarch64").is_empty());
        assert_eq!(parse(&Source::new("bench.yaml", "")).unwrap(), Baselines::default());
    }

    #[test]
    fn a_tolerance_cannot_let_everything_through() {
        let text = saved().to_yaml();
        let lax =
            problems(&text.replace("instructions: 5, cpu-ratio: 60", "instructions: 11, cpu-ratio: 101"));
        assert!(lax.contains("more than 10 %") || lax.matches("tolerance_percent").count() == 2, "{lax}");
        assert!(
            problems(&text.replace(", cpu-ratio: 60", ""))
                .contains("`tolerance_percent.cpu-ratio` is missing")
        );
    }

    #[test]
    fn what_stands_twice_or_is_nothing_or_unknown_is_refused() {
        let text = saved().to_yaml();
        assert!(
            problems(&text.replace("linux-aarch64", "linux-x86_64"))
                .contains("linux-x86_64 stands here twice")
        );
        assert!(problems(&text.replace("measure: instructions", "measure: cpu-ratio")).contains("twice"));
        assert!(
            problems(&text.replace("measure: instructions", "measure: instruction")).contains("instruction")
        );
        assert!(!problems(&text.replace("value: 1200", "value: 0")).is_empty());
        assert!(!problems("machines: []\n").is_empty());
    }
}
