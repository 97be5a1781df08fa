//! `sim`: simulated runs by the thousand.

use std::{
    collections::BTreeMap,
    io::{self, Write},
    process::ExitCode,
    time::Instant,
};

use clap::Parser;
use mycelium_sim::{Dice, play, shrink};

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
}

fn main() -> io::Result<ExitCode> {
    let args = Args::parse();
    let mut out = io::stdout().lock();
    let begun = Instant::now();
    let mut seen = BTreeMap::<&str, u64>::new();
    for seed in (args.seed..).take(usize::try_from(args.runs).unwrap_or(usize::MAX)) {
        let dice = Dice::bytes_of_seed(seed);
        match play(dice.clone()) {
            Ok(summary) => {
                for (what, count) in summary.seen {
                    *seen.entry(what).or_default() += count;
                }
            }
            Err(failure) => {
                writeln!(out, "seed {seed}: {failure}; looking for the smallest such run")?;
                out.flush()?;
                return explain(&mut out, seed, &dice);
            }
        }
    }
    for (what, count) in &seen {
        writeln!(out, "{count:>10} {what}")?;
    }
    let seconds = begun.elapsed().as_secs_f64();
    #[expect(clippy::cast_precision_loss, reason = "a rate for people")]
    let rate = args.runs as f64 / seconds;
    writeln!(out, "{} runs kept every promise, in {seconds:.1} s ({rate:.0} a second)", args.runs)?;
    Ok(ExitCode::SUCCESS)
}

/// Tells a broken promise at its smallest, and how to see it again.
fn explain(out: &mut impl Write, seed: u64, dice: &[u8]) -> io::Result<ExitCode> {
    let fails = |dice: &[u8]| play(dice.to_vec()).err().map(|failure| (failure.clone(), failure.used));
    if let Some((smallest, failure)) = shrink(dice, fails) {
        for line in &failure.story {
            writeln!(out, "{line}")?;
        }
        writeln!(out, "seed {seed}: {failure}")?;
        writeln!(out, "shrunk from {} dice to {}: {smallest:?}", dice.len(), smallest.len())?;
    }
    writeln!(out, "again: cargo sim --runs 1 --seed {seed}")?;
    Ok(ExitCode::FAILURE)
}
