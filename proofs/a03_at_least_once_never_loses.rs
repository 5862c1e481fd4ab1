//! **A3. Handle, then commit: no confirmed record is lost.**
//!
//! The committed offset covers only records that have had their effect, so a restart passes over
//! nothing. Two conditions, without which the order of the steps is of no use:
//! - the log keeps what it confirmed. `acks=0` confirms what never arrived; a single replica that
//!   is not flushed confirms what a power failure takes away;
//! - the group begins at the log's start, or has a committed offset to begin at. Where it has
//!   none, `auto.offset.reset` decides, and its default is `latest` in both clients: the first
//!   crash before the first commit passes over whatever was there. With two consumers it takes no
//!   crash: a rebalance is enough.
//!
//! Proved: `no-loss` for Java clients, one partition with one replica that flushes each record, one
//! consumer, 2 records, and at most 2 of the faults producer crash, consumer crash, lost request,
//! lost answer and loss of power. From a committed start it is proved with `latest` as well: there
//! both engines explore the same pipeline from another first state, and find as many states as with
//! `earliest`. Two consumers are judged with 2 records and at most 2 of the faults consumer crash,
//! consumer pause, slow processing and rebalance. The runs that break it are told with a single record and a single fault.

use crate::support::{
    GROUP_SITUATIONS, changed, contended, judge, one_record, story, two_instances,
};
use semel::Guarantee;
use semel::design::Design;
use semel::explore::{Options, Outcome, explore};
use semel_models::action::Action;
use semel_models::cluster::{Cluster, State};
use semel_models::offset::{NextOffset, Position};
use semel_models::subject::{Observation, Subject};
use stateright::{Checker, Model, Property};

const AT_LEAST_ONCE: &str = r#"
client = "java"

[producer]
acks = "all"

[topic]
flush.messages = 1

[consumer]
enable.auto.commit = false
auto.offset.reset = "earliest"

[application]
order = "process -> commit"

[faults]
producer-crash = 1
consumer-crash = 1
request-lost = 1
response-lost = 1
power-loss-all = 1
total = 2

[bounds]
records = 2
"#;

const EARLIEST: &str = "auto.offset.reset = \"earliest\"";

#[test]
fn process_then_commit_loses_no_confirmed_record() {
    judge(AT_LEAST_ONCE)
        .holds(Guarantee::NoLoss)
        .explored(18_068, 45_747);
}

#[test]
fn the_consumer_died_before_the_commit_and_the_power_failed() {
    judge(AT_LEAST_ONCE)
        .reached("the consumer dies between process and commit")
        .reached("a record is sent again after its answer was lost")
        .reached("producer-crash")
        .reached("request-lost")
        .reached("power-loss-all");
}

#[test]
fn with_the_order_turned_round_a_record_is_lost() {
    let turned = changed(AT_LEAST_ONCE, "process -> commit", "commit -> process");
    let steps = [
        "The application sends r0.",
        "The producer puts r0 on the wire.",
        "The broker appends r0 at offset 0.",
        "The acknowledgement of r0 reaches the producer.",
        "A poll returns r0 (offset 0).",
        "commit: the group's committed offset is 1.",
        "The consumer's process dies after commit and before process of r0.",
        "The consumer starts, joins the group and reads from offset 1 (the committed offset).",
    ];
    let end = "r0: confirmed to the application, without an effect, and never delivered any more.";
    judge(&story(&turned, "consumer-crash"))
        .is_broken(Guarantee::NoLoss, &steps, end)
        .explored(27, 39);
}

#[test]
fn with_latest_a_crash_before_the_first_commit_loses_the_record() {
    let latest = changed(AT_LEAST_ONCE, EARLIEST, "auto.offset.reset = \"latest\"");
    let steps = [
        "The application sends r0.",
        "The producer puts r0 on the wire.",
        "The broker appends r0 at offset 0.",
        "The acknowledgement of r0 reaches the producer.",
        "The consumer's process dies between two polls, with nothing in hand.",
        "The consumer starts, joins the group and reads from offset 1 (no offset is committed, auto.offset.reset=latest).",
    ];
    let end = "r0: confirmed to the application, without an effect, and never delivered any more.";
    judge(&story(&latest, "consumer-crash"))
        .is_broken(Guarantee::NoLoss, &steps, end)
        .explored(27, 39);
}

#[test]
fn both_clients_lose_records_by_default() {
    for client in ["java", "librdkafka"] {
        let stated = changed(
            &one_record(AT_LEAST_ONCE),
            "\"java\"",
            &format!("\"{client}\""),
        );
        judge(&stated).holds(Guarantee::NoLoss);
        judge(&changed(&stated, EARLIEST, "")).violates(Guarantee::NoLoss);
    }
}

#[test]
fn with_none_the_consumer_stops_instead_of_losing() {
    let none = changed(AT_LEAST_ONCE, EARLIEST, "auto.offset.reset = \"none\"");
    let steps = [
        "The application sends r0.",
        "The producer puts r0 on the wire.",
        "The broker appends r0 at offset 0.",
        "The acknowledgement of r0 reaches the producer.",
        "The consumer's process dies between two polls, with nothing in hand.",
    ];
    let end = "r0: confirmed and in the log, but never delivered: the consumer fails at every start, for it has no valid offset and auto.offset.reset=none.";
    judge(&story(&none, "consumer-crash"))
        .holds(Guarantee::NoLoss)
        .is_broken(Guarantee::Progress, &steps, end)
        .explored(21, 31);
}

/// The design under `latest` and this loss of power, with an offset committed before the first run.
fn started_with_latest(power_loss: &str) -> CommittedStart {
    let latest = changed(AT_LEAST_ONCE, EARLIEST, "auto.offset.reset = \"latest\"");
    let latest = changed(&latest, "power-loss-all", power_loss);
    let design = Design::parse("theorem.toml", latest.as_bytes()).expect("a design");
    let cluster = Cluster::new(design.pipeline().clone()).expect("a bound that the model holds");
    CommittedStart(cluster)
}

#[test]
fn with_latest_and_a_committed_start_nothing_is_lost() {
    let started = started_with_latest("power-loss");
    let found = explore(&started, &Options::default(), &mut |_| {});
    assert_eq!(found.outcome(), Outcome::Complete);
    assert_eq!(found.violation(Guarantee::NoLoss as usize), None);
    assert!(found.violation(Guarantee::NoDuplicates as usize).is_some());
    let size = (found.unique_states(), found.transitions());
    assert_eq!(size, (16_096, 38_612));

    let other = started.checker().spawn_dfs().join();
    assert!(other.discovery(Guarantee::NoLoss.name()).is_none());
    assert_eq!(
        (
            other.unique_state_count() as u64,
            other.state_count() as u64
        ),
        (size.0, size.1 + 1)
    );
}

/// Nobody flushes what the group committed, so the start is gone with the power of every broker.
#[test]
fn with_latest_a_committed_start_is_lost_with_the_power_of_every_broker() {
    let started = started_with_latest("power-loss-all");
    let found = explore(&started, &Options::default(), &mut |_| {});
    assert!(found.violation(Guarantee::NoLoss as usize).is_some());
}

#[test]
fn with_acks_0_a_record_is_confirmed_that_never_arrives() {
    let unasked = changed(AT_LEAST_ONCE, "acks = \"all\"", "acks = \"0\"");
    let steps = [
        "The application sends r0.",
        "The producer puts r0 on the wire; with acks=0 it counts as delivered at once.",
        "The connection breaks: the produce request of r0 never reaches the broker.",
    ];
    let end = "r0: confirmed to the application, without an effect, and never delivered any more.";
    judge(&story(&unasked, "request-lost"))
        .is_broken(Guarantee::NoLoss, &steps, end)
        .explored(8, 7);
}

#[test]
fn a_single_replica_that_is_not_flushed_loses_what_it_confirmed() {
    let unflushed = changed(AT_LEAST_ONCE, "flush.messages = 1", "");
    let steps = [
        "The application sends r0.",
        "The producer puts r0 on the wire.",
        "The broker appends r0 at offset 0.",
        "The acknowledgement of r0 reaches the producer.",
        "Every broker loses power and starts again without what was not flushed: r0 is gone.",
    ];
    let end = "r0: confirmed to the application, without an effect, and never delivered any more.";
    judge(&story(&unflushed, "power-loss-all"))
        .is_broken(Guarantee::NoLoss, &steps, end)
        .explored(85, 130);
}

/// A cluster whose group has committed offset 0 before anything happens.
struct CommittedStart(Cluster);

impl Model for CommittedStart {
    type State = State;
    type Action = Action;

    fn init_states(&self) -> Vec<State> {
        let mut states = self.0.init_states();
        for state in &mut states {
            state.group.committed = Some(Position::bare(NextOffset(0)));
        }
        states
    }

    fn actions(&self, state: &State, actions: &mut Vec<Action>) {
        self.0.actions(state, actions);
    }

    fn next_state(&self, state: &State, action: Action) -> Option<State> {
        self.0.next_state(state, action)
    }

    fn properties(&self) -> Vec<Property<Self>> {
        let loses_nothing = |model: &Self, state: &State| {
            let quiescent = model.0.is_quiescent(state);
            model.observe(state, quiescent).violated & Guarantee::NoLoss.bit() == 0
        };
        vec![Property::always(Guarantee::NoLoss.name(), loses_nothing)]
    }
}

impl Subject for CommittedStart {
    fn words(&self) -> usize {
        self.0.words()
    }

    fn pack(&self, state: &mut State, words: &mut [u32]) {
        self.0.pack(state, words);
    }

    fn unpack(&self, words: &[u32]) -> State {
        self.0.unpack(words)
    }

    fn is_fault(&self, action: &Action) -> bool {
        self.0.is_fault(action)
    }

    fn observe(&self, state: &State, quiescent: bool) -> Observation {
        self.0.observe(state, quiescent)
    }

    fn reached_by(&self, state: &State, action: &Action) -> u64 {
        self.0.reached_by(state, action)
    }
}

#[test]
fn two_consumers_lose_nothing_wherever_the_partition_goes() {
    judge(&contended(AT_LEAST_ONCE))
        .holds(Guarantee::NoLoss)
        .reached_all(&GROUP_SITUATIONS)
        .reached("a commit of a consumer that was put out of the group arrives")
        .explored(5_566, 17_638);
}

#[test]
fn with_latest_a_rebalance_before_the_first_commit_loses_the_record() {
    let latest = changed(AT_LEAST_ONCE, EARLIEST, "auto.offset.reset = \"latest\"");
    let steps = [
        "The application sends r0.",
        "The producer puts r0 on the wire.",
        "The broker appends r0 at offset 0.",
        "The acknowledgement of r0 reaches the producer.",
        "The group rebalances: B gets the partition and reads from offset 1 (no offset is committed, auto.offset.reset=latest).",
    ];
    let end = "r0: confirmed to the application, without an effect, and never delivered any more.";
    judge(&story(&two_instances(&latest), "rebalance"))
        .is_broken(Guarantee::NoLoss, &steps, end)
        .explored(24, 32);
}
