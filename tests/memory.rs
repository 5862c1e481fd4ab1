//! How much memory explorations really take, measured at the allocator.
//!
//! One test alone, for what is measured is the whole process.

use peak_alloc::PeakAlloc;
use semel::explore::{Limit, Livelock, Options, Outcome, explore};
use semel_models::reference::{Parameters, Reference};

#[global_allocator]
static MEMORY: PeakAlloc = PeakAlloc;

#[test]
fn the_memory_that_an_exploration_takes_is_what_it_tells_and_what_was_allowed() {
    let protocol = Reference::new(Parameters::MEDIUM).expect("small enough");
    let measured = |options: &Options| {
        MEMORY.reset_peak_usage();
        let before = MEMORY.current_usage();
        let found = explore(&protocol, options, &mut |_| {});
        let livelock = found.livelock(options);
        let peak = (MEMORY.peak_usage() - before) as u64;
        (found.outcome(), livelock, found.bytes(), peak)
    };
    let (outcome, livelock, told, peak) = measured(&Options::default());
    assert_eq!(
        (outcome, livelock),
        (Outcome::Complete, Livelock::None),
        "535,424 states"
    );
    assert_near(told, peak);
    // A little less than it takes, half of it, and a tenth.
    for allowed in [told - told / 50, told / 2, told / 10] {
        let (outcome, _, _, peak) = measured(&Options::default().max_bytes(allowed));
        assert_eq!(outcome, Outcome::Limit(Limit::Memory));
        assert!(
            peak <= allowed + allowed / 10,
            "{peak} bytes where {allowed} were allowed"
        );
    }
}

fn assert_near(told: u64, measured: u64) {
    let tenth = told / 10;
    assert!(
        (told - tenth..=told + tenth).contains(&measured),
        "{measured} bytes where {told} are told"
    );
}
