//! `sim`: simulated runs by the thousand.

use std::{
    collections::BTreeMap,
    io::{self, Write},
    panic,
    process::ExitCode,
    time::Instant,
};

use clap::Parser;
use mycelium_sim::{Dice, Mutant, Played, canary, play, play_seeds, shrink};

/// Plays runs of the core in a simulated world and checks every promise after every step.
#[derive(Debug, Parser)]
#[command(name = "sim")]
struct Args {
    /// How many runs to play, with one seed after the other.
    #[arg(long, default_value_t = 1000)]
    runs: u64,
    /// The first seed.
    #[arg(long, default_value_t = 0)]
    seed: u64,
    /// Play an orchestrator that is wrong in this way: a run must fail.
    #[arg(long)]
    mutant: Option<Mutant>,
}

fn main() -> io::Result<ExitCode> {
    let args = Args::parse();
    let mut out = io::stdout().lock();
    if canary().is_ok() {
        writeln!(out, "the canary lives: a run that must fail does not, so that no other proves anything")?;
        return Ok(ExitCode::FAILURE);
    }
    let begun = Instant::now();
    let seeds = args.seed..args.seed.saturating_add(args.runs);
    match play_seeds(seeds, args.mutant) {
        Played::Kept(seen) => {
            tell_seen(&mut out, &seen)?;
            let seconds = begun.elapsed().as_secs_f64();
            #[expect(clippy::cast_precision_loss, reason = "a rate for people")]
            let rate = args.runs as f64 / seconds;
            writeln!(out, "{} runs kept every promise, in {seconds:.1} s ({rate:.0} a second)", args.runs)?;
            Ok(ExitCode::SUCCESS)
        }
        Played::Hangs(seed) => {
            writeln!(out, "seed {seed}: does not come back")?;
            writeln!(out, "again: {}", again(seed, args.mutant))?;
            Ok(ExitCode::FAILURE)
        }
        Played::Broken(seed, failure) => {
            writeln!(out, "seed {seed}: {failure}; looking for the smallest such run")?;
            out.flush()?;
            explain(&mut out, seed, args.mutant)
        }
    }
}

fn tell_seen(out: &mut impl Write, seen: &BTreeMap<&str, u64>) -> io::Result<()> {
    seen.iter().try_for_each(|(what, count)| writeln!(out, "{count:>10} {what}"))
}

/// Tells a broken promise at its smallest, and how to see it again.
fn explain(out: &mut impl Write, seed: u64, mutant: Option<Mutant>) -> io::Result<ExitCode> {
    let dice = Dice::bytes_of_seed(seed);
    // Each try tells its panic in the failure; the place was told when it came first.
    panic::set_hook(Box::new(|_| {}));
    let fails = |dice: &[u8]| {
        play(dice.to_vec(), mutant).err().map(|failure| {
            let used = failure.used;
            (failure, used)
        })
    };
    if let Some((smallest, failure)) = shrink(&dice, fails) {
        for line in &failure.story {
            writeln!(out, "{line}")?;
        }
        writeln!(out, "seed {seed}: {failure}")?;
        writeln!(out, "shrunk from {} dice to {}: {smallest:?}", dice.len(), smallest.len())?;
    }
    writeln!(out, "again: {}", again(seed, mutant))?;
    Ok(ExitCode::FAILURE)
}

fn again(seed: u64, mutant: Option<Mutant>) -> String {
    let mutant = mutant.map(|mutant| format!(" --mutant {}", mutant.name())).unwrap_or_default();
    format!("cargo sim --runs 1 --seed {seed}{mutant}")
}
