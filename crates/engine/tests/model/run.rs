//! Many programs, from a seed on.
#![expect(clippy::print_stdout, reason = "a chore tells what it found")]

use std::time::{Duration, Instant};

use crate::generate::program;
use crate::play::{Counts, play};
use crate::shrink::shrink;

/// What is to be run.
struct Order {
    seed: u64,
    programs: u64,
    /// No program is begun after so long.
    seconds: Option<u64>,
}

/// A few programs with each run of the tests.
#[test]
fn a_few_random_programs_break_no_law() {
    let failures = run(&Order { seed: 1, programs: 40, seconds: Some(60) });
    assert_eq!(failures, 0);
}

/// What `cargo xtask model` runs: `MODEL_SEED`, `MODEL_PROGRAMS`, `MODEL_SECONDS`.
#[test]
#[ignore = "cargo xtask model runs it"]
fn programs() {
    let number = |name: &str| std::env::var(name).ok().and_then(|text| text.parse::<u64>().ok());
    let order = Order {
        seed: number("MODEL_SEED").unwrap_or(1),
        programs: number("MODEL_PROGRAMS").unwrap_or(100),
        seconds: number("MODEL_SECONDS"),
    };
    assert_eq!(run(&order), 0, "a law was broken");
}

fn run(order: &Order) -> usize {
    let began = Instant::now();
    let (mut done, mut steps, mut failures) = (0, 0, 0);
    let mut counts = Counts::new();
    for seed in order.seed..order.seed + order.programs {
        if order.seconds.is_some_and(|seconds| began.elapsed() > Duration::from_secs(seconds)) {
            break;
        }
        let program = program(seed);
        done += 1;
        steps += program.len();
        if let Err(failure) = play(seed, &program, &mut counts) {
            failures += 1;
            let (program, failure) = shrink(seed, &program, failure);
            println!("\nseed {seed}: {}\n  {}", failure.breach.law, failure.breach.told);
            println!("    play({seed}, &[");
            program.iter().for_each(|step| println!("        {step:?},"));
            println!("    ])");
            failure.log.iter().for_each(|line| println!("  {line}"));
        }
    }
    println!("programs {done}, steps {steps}, failures {failures}, seconds {}", began.elapsed().as_secs());
    for (what, count) in counts {
        println!("{count:8} {what}");
    }
    failures
}
