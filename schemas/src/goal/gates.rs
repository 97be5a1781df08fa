//! `traceability/gates.yaml`: what each profile requires. A profile can ask for more than its floor below, never for
//! less: a gate that can be switched off in a data file is no gate.

use super::{
    read::{done, mapping, required, word},
    spec::LANES,
};
use crate::{
    decode::{Decoder, Field, Section},
    problem::{Problem, Source},
    verdict::Gate,
    yaml,
};

/// Gates that every profile requires.
pub const FLOOR: [Gate; 9] = [
    Gate::TierCoverage,
    Gate::NoMergeSafety,
    Gate::Orphans,
    Gate::Denominator,
    Gate::SuspectLinks,
    Gate::Quarantine,
    Gate::WholeRun,
    Gate::CurrentResults,
    Gate::Program,
];

/// What a profile requires beyond that, whatever the file says: else it would go by its name alone.
fn beyond_the_floor(name: ProfileName) -> &'static [Gate] {
    match name {
        ProfileName::Local => &[],
        ProfileName::Nightly => &[Gate::Mutation, Gate::Performance],
        ProfileName::Ci => &[Gate::ResumeCorrectness, Gate::ArtifactSchema, Gate::Flake],
        ProfileName::Release => &Gate::ALL,
    }
}

/// The lanes that a profile requires at least.
fn least_lanes(name: ProfileName) -> &'static [&'static str] {
    match name {
        ProfileName::Local | ProfileName::Nightly => &LANES[..1],
        ProfileName::Ci | ProfileName::Release => &LANES,
    }
}

const TIER_0_PERCENT: u8 = 100;
const TIER_1_PERCENT_MIN: u8 = 80;

/// What is required, by profile.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct GateRules {
    /// How much of Tier 1 has to be verified, in percent. Tier 0 is always 100.
    pub tier_1_percent: u8,
    local: Profile,
    nightly: Profile,
    ci: Profile,
    release: Profile,
}

impl GateRules {
    /// What a profile requires.
    pub fn profile(&self, name: ProfileName) -> &Profile {
        match name {
            ProfileName::Local => &self.local,
            ProfileName::Nightly => &self.nightly,
            ProfileName::Ci => &self.ci,
            ProfileName::Release => &self.release,
        }
    }

    /// The percentage of a tier that has to be verified; none where the tier has no threshold.
    pub fn required_percent(&self, tier: super::Tier) -> Option<u8> {
        match tier {
            super::Tier::Zero => Some(TIER_0_PERCENT),
            super::Tier::One => Some(self.tier_1_percent),
            super::Tier::Two => None,
        }
    }
}

/// For whom the gates are judged.
#[derive(Debug, Clone, Copy, PartialEq, Eq, PartialOrd, Ord)]
pub enum ProfileName {
    /// A developer's machine.
    Local,
    /// Each night: how fast the program is.
    Nightly,
    /// Continuous integration.
    Ci,
    /// Before a release.
    Release,
}

impl ProfileName {
    /// Every profile, the mildest first.
    pub const ALL: [Self; 4] = [Self::Local, Self::Nightly, Self::Ci, Self::Release];

    /// Its name in `gates.yaml`, on the command line and in every report.
    pub fn name(self) -> &'static str {
        match self {
            Self::Local => "local",
            Self::Nightly => "nightly",
            Self::Ci => "ci",
            Self::Release => "release",
        }
    }
}

/// What one profile requires.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Profile {
    /// Which one it is.
    pub name: ProfileName,
    /// Lanes that goals have to be proved in, of those that they name.
    pub lanes: Vec<String>,
    /// Whether results of a tree with uncommitted changes count.
    pub dirty_tree_allowed: bool,
    /// Gates that have to be green.
    pub gates: Vec<Gate>,
}

impl Profile {
    /// Whether a gate has to be green.
    pub fn requires(&self, gate: Gate) -> bool {
        self.gates.contains(&gate)
    }

    /// Whether a lane has to be green.
    pub fn requires_lane(&self, lane: &str) -> bool {
        self.lanes.iter().any(|required| required == lane)
    }
}

/// Reads the rules.
pub fn parse(source: &Source) -> Result<GateRules, Vec<Problem>> {
    let node = yaml::parse(source).map_err(|problem| vec![problem])?;
    let mut d = Decoder::new(source);
    let root = mapping(&mut d, "", &node, &["thresholds", "profiles"]);
    let tier_1_percent = read_thresholds(&mut d, &root);
    let profiles = read_profiles(&mut d, &root);
    let rules = tier_1_percent.zip(profiles).map(|(tier_1_percent, [local, nightly, ci, release])| {
        GateRules { tier_1_percent, local, nightly, ci, release }
    });
    done(d, rules)
}

fn read_thresholds(d: &mut Decoder<'_>, root: &Section<'_>) -> Option<u8> {
    const HELP: &str = "Tier 0 is safety: nothing less than all of it is enough";
    let field = required(d, root, "thresholds", "write `{tier0: 100, tier1: 80}`")?;
    let section = mapping(d, "thresholds", field.node, &["tier0", "tier1"]);
    if let Some(tier_0) = required(d, &section, "tier0", HELP) {
        d.whole(&tier_0, TIER_0_PERCENT.into(), TIER_0_PERCENT.into(), HELP);
    }
    let help = format!("the threshold can be raised, not lowered below {TIER_1_PERCENT_MIN}");
    let tier_1 = required(d, &section, "tier1", &help)?;
    let percent = d.whole(&tier_1, TIER_1_PERCENT_MIN.into(), 100, &help)?;
    u8::try_from(percent).ok()
}

fn read_profiles(d: &mut Decoder<'_>, root: &Section<'_>) -> Option<[Profile; 4]> {
    let names = ProfileName::ALL.map(ProfileName::name);
    let field = required(d, root, "profiles", "write the profiles `local`, `nightly`, `ci` and `release`")?;
    let section = mapping(d, "profiles", field.node, &names);
    let [local, nightly, ci, release] = ProfileName::ALL.map(|name| {
        let field = required(d, &section, name.name(), "say what this profile requires")?;
        read_profile(d, &field, name)
    });
    Some([local?, nightly?, ci?, release?])
}

fn read_profile(d: &mut Decoder<'_>, field: &Field<'_>, name: ProfileName) -> Option<Profile> {
    let section = mapping(d, &field.label, field.node, &["lanes", "dirty_tree", "require"]);
    let lanes = required(d, &section, "lanes", "list the lanes that are required")
        .map(|field| words(d, &field, &LANES.map(|lane| (lane, lane))));
    if lanes.as_ref().is_some_and(Vec::is_empty) {
        d.report(
            &field.node.span,
            format!("`{}` requires no lane", field.label),
            "a profile without one proves nothing",
        );
    }
    let dirty_tree = required(d, &section, "dirty_tree", "write `allowed` or `refused`")
        .and_then(|field| word(d, &field, &[("allowed", true), ("refused", false)]));
    let gates = required(d, &section, "require", "list the gates that are required")
        .map(|field| words(d, &field, &Gate::ALL.map(|gate| (gate.name(), gate))));
    for gate in FLOOR.iter().chain(beyond_the_floor(name).iter().filter(|gate| !FLOOR.contains(gate))) {
        if gates.as_ref().is_some_and(|gates| !gates.contains(gate)) {
            let message = format!("`{}` does not require the gate `{gate}`", field.label);
            let whose = if FLOOR.contains(gate) { "every profile" } else { "this profile" };
            d.report(&field.node.span, message, format!("{whose} requires it: add it"));
        }
    }
    for lane in least_lanes(name) {
        if lanes.as_ref().is_some_and(|lanes| !lanes.is_empty() && !lanes.contains(lane)) {
            let message = format!("`{}` does not require the lane `{lane}`", field.label);
            d.report(&field.node.span, message, "this profile requires it: add it");
        }
    }
    if dirty_tree == Some(true) && name != ProfileName::Local {
        let message = format!("`{}` allows uncommitted changes", field.label);
        d.report(&field.node.span, message, "only `local` may: what is not committed has no name");
    }
    Some(Profile {
        name,
        lanes: lanes?.into_iter().map(str::to_owned).collect(),
        dirty_tree_allowed: dirty_tree?,
        gates: gates?,
    })
}

/// A list of words out of a known set, each once.
fn words<T: Copy + PartialEq>(d: &mut Decoder<'_>, field: &Field<'_>, known: &[(&str, T)]) -> Vec<T> {
    let mut read = Vec::new();
    for item in d.items(field, "write `[…]`") {
        let Some(word) = word(d, &item, known) else { continue };
        if read.contains(&word) {
            let message = format!("`{}` is what an earlier one is already", item.label);
            d.report(&item.node.span, message, "leave it out");
        } else {
            read.push(word);
        }
    }
    read
}

#[cfg(test)]
mod tests {
    use super::*;

    const RULES: &str = "\
thresholds: {tier0: 100, tier1: 80}
profiles:
  local:
    lanes: [mock]
    dirty_tree: allowed
    require: [tier-coverage, no-merge-safety, orphans, denominator, suspect-links, quarantine, whole-run,
      current-results, program]
  nightly:
    lanes: [mock]
    dirty_tree: refused
    require: [tier-coverage, no-merge-safety, orphans, denominator, suspect-links, quarantine, whole-run,
      current-results, program, mutation, performance]
  ci:
    lanes: [mock, docker]
    dirty_tree: refused
    require: [tier-coverage, no-merge-safety, orphans, denominator, suspect-links, quarantine, whole-run,
      current-results, program, resume-correctness, artifact-schema, flake]
  release:
    lanes: [mock, docker]
    dirty_tree: refused
    require: [tier-coverage, no-merge-safety, orphans, denominator, suspect-links, quarantine, whole-run,
      current-results, program, resume-correctness, artifact-schema, flake, saboteurs, mutation, performance]
";

    fn problems(text: &str) -> Vec<String> {
        parse(&Source::new("gates.yaml", text)).unwrap_err().iter().map(ToString::to_string).collect()
    }

    #[test]
    fn the_rules_are_read() {
        let rules = parse(&Source::new("gates.yaml", RULES)).unwrap();
        let local = rules.profile(ProfileName::Local);
        assert!(local.requires(Gate::TierCoverage) && !local.requires(Gate::Flake));
        assert!(local.requires_lane("mock") && !local.requires_lane("docker"));
    }

    #[test]
    fn a_threshold_cannot_be_lowered() {
        assert_eq!(problems(&RULES.replace("tier1: 80", "tier1: 79")).len(), 1);
        assert_eq!(problems(&RULES.replace("tier0: 100", "tier0: 99")).len(), 1);
    }

    #[test]
    fn nothing_is_required_twice() {
        for (from, to) in [("[mock]", "[mock, mock]"), ("[tier-coverage,", "[tier-coverage, tier-coverage,")]
        {
            let found = problems(&RULES.replacen(from, to, 1));
            assert_eq!(found.len(), 1, "{found:?}");
            assert!(found[0].contains("is what an earlier one is already"), "{found:?}");
        }
    }

    #[test]
    fn a_gate_of_the_floor_cannot_be_dropped() {
        for gate in FLOOR {
            let text = RULES.replace(&format!("{gate},"), "").replace(&format!(", {gate}"), "");
            assert!(problems(&text)[0].contains(&format!("does not require the gate `{gate}`")), "{gate}");
        }
    }

    /// The rules with the line of a profile changed.
    fn changed(profile: &str, from: &str, to: &str) -> String {
        let start = RULES.find(&format!("  {profile}:")).unwrap();
        let (before, rest) = RULES.split_at(start);
        assert!(rest.contains(from), "{from}");
        format!("{before}{}", rest.replacen(from, to, 1))
    }

    #[test]
    fn what_makes_a_profile_what_it_is_cannot_be_dropped() {
        for (profile, gates) in [
            ("nightly", &["mutation", "performance"][..]),
            ("ci", &["resume-correctness", "artifact-schema", "flake"]),
            (
                "release",
                &["resume-correctness", "artifact-schema", "flake", "saboteurs", "mutation", "performance"],
            ),
        ] {
            for gate in gates {
                let found = problems(&changed(profile, &format!(", {gate}"), ""));
                let said = format!("`profiles.{profile}` does not require the gate `{gate}`");
                assert!(found.len() == 1 && found[0].contains(&said), "{profile} {gate}: {found:?}");
            }
            let found = problems(&changed(profile, "refused", "allowed"));
            assert!(
                found.len() == 1 && found[0].contains("allows uncommitted changes"),
                "{profile}: {found:?}"
            );
        }
        for profile in ["ci", "release"] {
            for lane in LANES {
                let kept = if lane == "mock" { "[docker]" } else { "[mock]" };
                let found = problems(&changed(profile, "[mock, docker]", kept));
                let said = format!("does not require the lane `{lane}`");
                assert!(found.len() == 1 && found[0].contains(&said), "{profile} {lane}: {found:?}");
            }
        }
        assert!(
            problems(&changed("local", "[mock]", "[docker]"))[0].contains("does not require the lane `mock`")
        );
    }

    #[test]
    fn an_unknown_gate_or_lane_or_a_missing_profile_is_refused() {
        assert!(
            problems(&RULES.replace("[tier-coverage", "[tier-coverge")).concat().contains("tier-coverge")
        );
        assert!(problems(&RULES.replace("[mock]", "[]"))[0].contains("requires no lane"));
        assert!(
            problems(RULES.split_once("  release:").unwrap().0)[0].contains("`profiles.release` is missing")
        );
        assert!(!problems("").is_empty());
    }
}
