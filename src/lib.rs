//! semel checks what a Kafka pipeline really delivers.
//!
//! A [`Design`] states the real settings of the producer, the topic and the consumer, the order of
//! the application's steps, and how many faults to expect. [`check()`] explores every crash, retry
//! and lost answer within that bound and judges each [`Guarantee`]: it holds for this bound, or
//! here is the shortest run that breaks it. [`harness()`] puts your own consumer, over your own
//! storage, under the same faults.
//!
//! ```
//! use semel::{CheckOptions, Design, Guarantee, Verdict, check};
//!
//! let design = Design::parse(
//!     "balance.toml",
//!     br#"
//!         require = ["no-loss", "exactly-once-effect"]
//!
//!         [producer]
//!         acks = "all"
//!         enable.idempotence = true
//!
//!         [consumer]
//!         enable.auto.commit = false
//!         auto.offset.reset = "earliest"
//!
//!         [application]
//!         order = "process -> commit"
//!
//!         [faults]
//!         consumer-crash = 1
//!
//!         [bounds]
//!         records = 1
//!     "#,
//! )?;
//! let verdicts = check(&design, &CheckOptions::default())?;
//! assert_eq!(verdicts.of(Guarantee::NoLoss), &Verdict::Holds);
//!
//! let run = verdicts.of(Guarantee::ExactlyOnceEffect).trace().expect("a crash repeats the effect");
//! let crash = run.steps().iter().find(|step| step.fault().is_some()).expect("one fault");
//! assert_eq!(
//!     crash.sentence(),
//!     "The consumer's process dies after process and before commit of r0."
//! );
//! # Ok::<(), Box<dyn std::error::Error>>(())
//! ```

pub mod catalogue;
pub mod check;
pub mod cli;
pub mod cost;
pub mod design;
pub mod explore;
pub mod harness;
#[cfg(feature = "timely")]
mod hosts;
pub mod lab;
pub mod matrix;
pub mod mend;
pub mod presets;
pub mod replay;
mod report;
pub mod suggest;
pub mod trace;
pub mod verdict;

pub use check::{CheckError, CheckOptions, check, check_file};
pub use cost::{Cost, Polls, cost};
pub use design::{Design, DesignError};
pub use harness::harness;
pub use semel_models::guarantee::Guarantee;
pub use trace::Trace;
pub use verdict::{Verdict, Verdicts};

/// The known word that is nearest to `word`, if it is near.
fn nearest<'a>(word: &str, known: impl Iterator<Item = &'a str>) -> Option<&'a str> {
    known
        .map(|candidate| (strsim::damerau_levenshtein(word, candidate), candidate))
        .filter(|(distance, candidate)| *distance <= candidate.len().max(3) / 3)
        .min()
        .map(|(_, candidate)| candidate)
}
