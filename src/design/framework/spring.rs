//! Spring for Apache Kafka: a listener container around the Java consumer.
//!
//! Follows spring-kafka 4.0 (and 3.x, which does the same): `KafkaMessageListenerContainer`,
//! `DefaultErrorHandler`, `DefaultAfterRollbackProcessor` and `SeekUtils`, whose `DEFAULT_BACK_OFF` is
//! `FixedBackOff(0, 9)`: ten attempts in all.
//!
//! What is not the same, and why it changes no verdict: after a failed attempt the container seeks back
//! and polls again, and commits the records before the failed one first; here the attempts follow one
//! another in place. In both, attempts are forgotten when the process dies or the partition moves, no
//! later record is handled before the last attempt, and records handled since the last commit are handled
//! again after a crash. A record that a `DefaultAfterRollbackProcessor` has passed over is committed with
//! the next record's transaction, and so it is with `MANUAL_IMMEDIATE`; here at once: it is lost in both.
//! A commit that fails is repeated by the consumer and by the container (`commitRetries`), which is
//! `on-commit-failure = "retry-latest"`, the default. Exceptions that the handler
//! classifies as fatal (a failed deserialization or conversion) are passed over after one attempt: that
//! is what `on-process-failure = { attempts = 1, then = "skip" }` says.

use semel_models::order::{Item, Order, Step};

use super::super::choices::{AckMode, Choice, Framework};
use super::super::diagnostic::Code;
use super::super::document::Scalar;
use super::super::order::{GroupKind, Node, items, order, steps};
use super::super::table::Table;
use super::super::warning::WarningKind;
use super::{Expanding, chosen, per_poll, text};

/// `SeekUtils.DEFAULT_MAX_FAILURES`
const ATTEMPTS: i128 = 10;

/// Keys about which a container leaves nothing to say.
const NOT_BESIDE: &[(Table, &str, &str)] = &[
    (
        Table::Application,
        "commit-covers",
        "The container commits the next offset of the records that were acknowledged, and nothing else.",
    ),
    (
        Table::Application,
        "workers",
        "The container calls the listener in the thread that polls. A listener that hands records to threads of its own acknowledges them before they are handled: write that without `framework`, with the order and `workers`.",
    ),
];

/// How a container commits.
#[derive(Clone, Copy, PartialEq, Eq)]
enum Commits {
    /// After the records of a poll.
    PerPoll,
    /// After each record.
    PerRecord,
    /// After the records of a poll, those that the listener acknowledged.
    AcknowledgedPerPoll,
    /// When the listener acknowledges.
    AcknowledgedAtOnce,
    /// In the transaction that it runs around the listener.
    InTransaction,
    /// Not at all: the client's automatic commit is switched on.
    ByTheClient,
}

impl Commits {
    /// Whether `commit` in the listener's order is its acknowledgement.
    fn acknowledged(self) -> bool {
        match self {
            Commits::AcknowledgedPerPoll | Commits::AcknowledgedAtOnce => true,
            Commits::PerPoll
            | Commits::PerRecord
            | Commits::InTransaction
            | Commits::ByTheClient => false,
        }
    }

    fn why(self) -> &'static str {
        match self {
            Commits::PerPoll => {
                "BATCH, the default: the container commits after all records of a poll, with commitSync()"
            }
            Commits::PerRecord => {
                "RECORD: the container commits after each record, with commitSync()"
            }
            Commits::AcknowledgedPerPoll => {
                "MANUAL: the listener's acknowledge() queues the record; the container commits after all records of a poll"
            }
            Commits::AcknowledgedAtOnce => {
                "MANUAL_IMMEDIATE: `commit` is the listener's acknowledge(), which commits at once"
            }
            Commits::InTransaction => {
                "the container has a transaction manager: each call of the listener and the record's offset are one Kafka transaction (sendOffsetsToTransaction with the group's metadata)"
            }
            Commits::ByTheClient => {
                "enable.auto.commit = true is stated: the container leaves commits to the client"
            }
        }
    }

    /// The order of container and listener together; `None`: what is acknowledged is not the last
    /// thing that the listener does, and the container waits for the end of the poll.
    fn around(self, mut own: Vec<Item>) -> Option<Order> {
        match self {
            Commits::PerPoll => Some(per_poll(own, &[Step::Commit])),
            Commits::PerRecord => {
                own.push(Item::Step(Step::Commit));
                Some(Order(own))
            }
            Commits::AcknowledgedPerPoll => {
                let queued = match own.last() {
                    Some(Item::Step(step)) if acknowledges(step) => Some(*step),
                    Some(_) | None => None,
                };
                own.truncate(own.len() - usize::from(queued.is_some()));
                let is_early = Order(own.clone()).steps().iter().any(acknowledges);
                let then: Vec<Step> = queued.into_iter().collect();
                (!is_early).then(|| per_poll(own, &then))
            }
            Commits::AcknowledgedAtOnce | Commits::ByTheClient => Some(Order(own)),
            Commits::InTransaction => {
                own.push(Item::Step(Step::Commit));
                Some(Order(vec![Item::Kafka(own)]))
            }
        }
    }
}

fn acknowledges(step: &Step) -> bool {
    matches!(step, Step::Commit | Step::CommitAsync)
}

/// The listener's own order, if there is one; the container's work is stated.
pub(super) fn expand(spring: &mut Expanding<'_, '_>) -> Option<Order> {
    spring.not_beside(NOT_BESIDE, Framework::SpringKafka);
    let mode = chosen::<AckMode>(spring.document, "ack-mode");
    let (mode, _) = mode.unwrap_or((AckMode::Batch, spring.at));
    let commits = commits(spring, mode)?;
    if commits != Commits::ByTheClient {
        spring.default(
            Table::Consumer,
            "enable.auto.commit",
            Scalar::Boolean(false),
            "the container sets it where the application does not: it commits itself",
        );
    }
    let nodes = spring.own_order(Step::Process)?;
    if !spring.once_per_record(&nodes, "A listener") {
        return None;
    }
    let listener = state_order(spring, &nodes, commits)?;
    on_failure(spring, commits == Commits::InTransaction);
    spring.default(
        Table::Application,
        "on-revoke",
        text("nothing"),
        "the container's rebalance listener commits what was acknowledged and is not committed yet; between two polls there is nothing of the kind",
    );
    Some(listener)
}

/// How the container commits; `None`: that is not modelled, or Spring refuses it.
fn commits(spring: &mut Expanding<'_, '_>, mode: AckMode) -> Option<Commits> {
    let commits = match mode {
        AckMode::Batch => Commits::PerPoll,
        AckMode::Record => Commits::PerRecord,
        AckMode::Manual => Commits::AcknowledgedPerPoll,
        AckMode::ManualImmediate => Commits::AcknowledgedAtOnce,
        AckMode::Time | AckMode::Count | AckMode::CountTime => {
            return not_modelled(
                spring,
                format!("ack-mode = \"{}\"", mode.name()),
                "When it commits depends on a clock or on a count over several polls, which the order language does not say.",
                "Write \"BATCH\" for what it does at its most eager (a commit after each poll), or \"RECORD\", \"MANUAL\" or \"MANUAL_IMMEDIATE\" if that is what you use.",
            );
        }
    };
    match (
        commits.acknowledged(),
        by_the_client(spring),
        is_transactional(spring),
    ) {
        (false, true, false) => Some(Commits::ByTheClient),
        (false, true, true) => both_commit(spring),
        (true, true, _) => refused_by_spring(spring, mode),
        (_, false, false) => Some(commits),
        (false, false, true) => Some(Commits::InTransaction),
        (true, false, true) => not_modelled(
            spring,
            format!(
                "ack-mode = \"{}\" with a transactional container",
                mode.name()
            ),
            "`transactional.id` in [output.producer] gives the container a transaction around the listener, which commits each record's offset itself.",
            "Write ack-mode = \"RECORD\", or leave it out.",
        ),
    }
}

/// Refuses the mode.
fn not_modelled(
    spring: &mut Expanding<'_, '_>,
    what: String,
    why: &str,
    write: &str,
) -> Option<Commits> {
    let at = spring.field(Table::Application, "ack-mode")?.value_span;
    let problem = spring.report.not_modelled(at, what);
    problem.because(why).write(write);
    None
}

fn refused_by_spring(spring: &mut Expanding<'_, '_>, mode: AckMode) -> Option<Commits> {
    let at = spring
        .field(Table::Consumer, "enable.auto.commit")?
        .value_span;
    let mode = mode.name();
    let message = format!("Spring refuses enable.auto.commit = true with ack-mode = \"{mode}\"");
    spring
        .report
        .problem(Code::RefusedByKafka, at, message)
        .because("java.lang.IllegalStateException: consumer cannot be configured for auto commit for this ackMode.")
        .write("Leave enable.auto.commit out: then the container sets it to false.");
    None
}

/// A transaction commits offsets, and so does the client: Spring lets both.
fn both_commit(spring: &mut Expanding<'_, '_>) -> Option<Commits> {
    let at = spring
        .field(Table::Consumer, "enable.auto.commit")?
        .value_span;
    spring
        .report
        .not_modelled(
            at,
            "enable.auto.commit = true with a transactional container",
        )
        .because("The client then commits offsets beside the transactions that send them.")
        .write("Leave enable.auto.commit out: then the container sets it to false.");
    None
}

fn by_the_client(spring: &Expanding<'_, '_>) -> bool {
    spring.is_true(Table::Consumer, "enable.auto.commit")
}

/// Whether the container has a transaction manager, as Boot gives it one with a
/// `transaction-id-prefix`; a listener that has transactions of its own says so in its order.
fn is_transactional(spring: &Expanding<'_, '_>) -> bool {
    let own = |nodes: Vec<Node>| {
        let all = steps(&nodes);
        all.iter()
            .any(|(_, _, around)| around.contains(&GroupKind::Kafka))
    };
    let has_own = spring.own_order(Step::Process).is_some_and(own);
    spring.states(Table::OutputProducer, "transactional.id") && !has_own
}

/// States the order of listener and container together; the listener's alone is given back.
fn state_order(spring: &mut Expanding<'_, '_>, nodes: &[Node], commits: Commits) -> Option<Order> {
    let all = order(nodes).steps();
    let commit = all.iter().find(|step| acknowledges(step));
    if let Some(step) = commit.filter(|_| !commits.acknowledged()) {
        spring.refuse_order(
            format!("`{}` stands in the order of a listener that does not commit", step.name()),
            "`order` says what the listener does with one record. In this mode the container commits, whatever the listener does.",
            "Take it away; or write ack-mode = \"MANUAL\" or \"MANUAL_IMMEDIATE\", where `commit` is the listener's acknowledge().",
        );
        return None;
    }
    let mut own = items(nodes);
    if commits.acknowledged() && !spring.states(Table::Application, "order") {
        own.push(Item::Step(Step::Commit));
        spring.report.warn(
            WarningKind::Assumed,
            spring.at,
            "`order` is left out: it is assumed that the listener handles a record and then calls acknowledge(), \"process -> commit\".",
        );
    }
    let Some(whole) = commits.around(own.clone()) else {
        spring.refuse_order(
            String::from("a listener that acknowledges before its work, with ack-mode = \"MANUAL\", is not modelled yet"),
            "MANUAL only queues the acknowledgement; the commit comes after the whole poll. What is acknowledged early and then fails is committed all the same.",
            "Write `commit` last, or ack-mode = \"MANUAL_IMMEDIATE\" if you use that.",
        );
        return None;
    };
    spring.state_order(&whole, commits.why());
    Some(Order(own))
}

/// What happens to a record whose listener throws.
fn on_failure(spring: &mut Expanding<'_, '_>, in_transaction: bool) {
    let (attempts, skip) = match in_transaction {
        true => (
            "DefaultAfterRollbackProcessor: FixedBackOff(0, 9), ten attempts in all, each in a transaction of its own",
            "DefaultAfterRollbackProcessor without a recoverer: the record is logged and passed over",
        ),
        false => (
            "DefaultErrorHandler: FixedBackOff(0, 9), ten attempts in all",
            "DefaultErrorHandler without a recoverer: the record is logged and passed over, and its offset committed, with MANUAL_IMMEDIATE by the next acknowledgement",
        ),
    };
    spring.default(
        Table::Application,
        "on-process-failure.attempts",
        Scalar::Integer(ATTEMPTS),
        attempts,
    );
    spring.default(
        Table::Application,
        "on-process-failure.then",
        text("skip"),
        skip,
    );
    let order = spring.field(Table::Application, "dead-letter-order");
    let Some(field) = order.filter(|field| field.value == text("commit -> write")) else {
        return;
    };
    let at = field.value_span;
    spring
        .report
        .problem(
            Code::Contradiction,
            at,
            "a DeadLetterPublishingRecoverer writes before the container commits",
        )
        .because("The container commits the record's offset when the recoverer has returned.")
        .write("Leave `dead-letter-order` out.");
}
