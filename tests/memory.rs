//! How much memory explorations really take, measured at the allocator.
//!
//! One test alone, for what is measured is the whole process.

use peak_alloc::PeakAlloc;
use semel::explore::{Limit, Livelock, Options, Outcome, explore};
use semel::presets;
use semel_models::cluster::Cluster;
use semel_models::reference::{Parameters, Reference};
use semel_models::subject::Subject;

#[global_allocator]
static MEMORY: PeakAlloc = PeakAlloc;

#[test]
fn the_memory_that_an_exploration_takes_is_what_it_tells_and_what_was_allowed() {
    // States that are kept whole: 535,424.
    let protocol = Reference::new(Parameters::MEDIUM).expect("small enough");
    // A little less than it takes, half of it, and a tenth.
    assert_kept(&protocol, [980, 500, 100]);
    // States that are kept as far as they use their words: 49,594. Smaller blocks of work, which bring
    // fewer candidates at once, do with a little less.
    let preset = presets::named("exactly-once-topic-to-topic").expect("a preset");
    let design = presets::design(preset).expect("a design");
    let cluster = Cluster::new(design.pipeline().clone()).expect("small enough");
    assert_kept(&cluster, [800, 500, 100]);
}

/// What is told is what is taken, and thousandths of it, as allowed, end the exploration.
fn assert_kept(subject: &impl Subject, allowed: [u64; 3]) {
    let measured = |options: &Options| {
        MEMORY.reset_peak_usage();
        let before = MEMORY.current_usage();
        let found = explore(subject, options, &mut |_| {});
        let livelock = found.livelock(options);
        let peak = (MEMORY.peak_usage() - before) as u64;
        (found.outcome(), livelock, found.bytes(), peak)
    };
    let (outcome, livelock, told, peak) = measured(&Options::default());
    assert_eq!((outcome, livelock), (Outcome::Complete, Livelock::None));
    assert_near(told, peak);
    for allowed in allowed.map(|thousandths| told * thousandths / 1_000) {
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
