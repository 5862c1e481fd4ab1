//! The largest value that a design can give each field of the state.
//!
//! Everything here follows from the bound: a state that a design cannot reach costs no bits, and
//! a design whose bound no state can hold is refused before it is explored.

use crate::fault::{Fault, FaultKey};
use crate::order::Step;
use crate::pipeline::{
    Acks, AutoCommit, Client, OffsetReset, OnSendFailure, Pipeline, Source, Start,
};
use crate::program::Program;
use std::fmt;

/// The most records that a bound may have.
pub const MAX_RECORDS: usize = 6;
/// The most entries that a log may get.
pub const MAX_LOG: usize = 30;
/// The most produce requests on one connection.
pub const MAX_FLIGHTS: usize = 18;
/// The most requests that may be late at once.
pub const MAX_LIMBO: usize = 4;
/// The most entries of a fault budget that a design can spend.
pub const MAX_BUDGETS: usize = 32;

/// A bound that the model's state cannot hold.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct TooLarge {
    /// What is too large.
    pub what: &'static str,
    /// How much the bound asks for.
    pub asked: usize,
    /// How much there may be.
    pub limit: usize,
    /// What to do about it.
    pub advice: &'static str,
}

impl fmt::Display for TooLarge {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        write!(
            f,
            "the bound allows up to {} {}, the model holds {}; {}",
            self.asked, self.what, self.limit, self.advice
        )
    }
}

impl std::error::Error for TooLarge {}

/// The limits of one design.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Limits {
    /// Records.
    pub records: u8,
    /// Records that a poll may return.
    pub poll: u8,
    /// Entries of the log; also the largest offset.
    pub log: u8,
    /// Produce requests on the connection at once.
    pub flights: u8,
    /// Late requests at once.
    pub limbo: u8,
    /// Restarts of the producer.
    pub sessions: u8,
    /// Epochs of one producer id after the first.
    pub epochs: u8,
    /// The largest sequence number.
    pub sequence: u8,
    /// Sends of one producer session.
    pub sends: u8,
    /// Retries of one batch.
    pub attempts: u8,
    /// Leader epochs after the first.
    pub leader_epochs: u8,
    /// Generations of the group.
    pub generations: u8,
    /// Whether the design ever commits to the group coordinator.
    pub commits: bool,
    /// Whether commits are ever sent without waiting.
    pub background_commits: bool,
    /// Whether the design has a dedup store.
    pub remembers: bool,
    /// Whether the design looks records up.
    pub skips: bool,
    /// Whether the design saves offsets in the sink's database.
    pub saves: bool,
    /// Whether librdkafka's offset store is in use.
    pub stores: bool,
    /// Operations of the order.
    pub operations: u8,
    /// Whether a fault can strike the producer's side at all.
    pub strikes: bool,
    /// Whether anything can take the end of the log away.
    pub truncation: bool,
    /// Whether anything can take the beginning of the log away.
    pub retention: bool,
    /// Whether the broker can forget a producer id.
    pub forgets: bool,
    /// Whether records pass through a database upstream.
    pub database: bool,
    /// Whether a relay reads them there.
    pub relay: bool,
    /// Whether a database transaction upstream can roll back.
    pub aborts: bool,
    /// Whether the client remembers the offset of its last acknowledged record.
    pub answered_offsets: bool,
}

impl Limits {
    /// The limits that follow from `pipeline`, whose budget entries that can be spent are
    /// `spendable`.
    pub fn of(pipeline: &Pipeline, spendable: &[(FaultKey, u8)]) -> Result<Limits, TooLarge> {
        let total = usize::from(pipeline.faults.total());
        let paid = |of: &dyn Fn(&FaultKey) -> bool| -> usize {
            let sum: usize = spendable
                .iter()
                .filter(|(key, _)| of(key))
                .map(|(_, budget)| usize::from(*budget))
                .sum();
            sum.min(total)
        };
        let records = usize::from(pipeline.bounds.records);
        let delayed = |key: &FaultKey| key.fault == Fault::RequestDelayed;
        // Each fault that strikes the producer's side can make each outstanding record be
        // appended once more, by its retry; nothing else appends. An application that sends again
        // what failed can append it once more still, when the timeout passes for a retry that was
        // appended; and what it sent may fail again behind the gap that a failed send left.
        let upstream = paid(&|key| strikes_upstream(key.fault));
        let source = pipeline.producer.source;
        let resends = pipeline.producer.on_send_failure == OnSendFailure::Resend
            || source.waits_for_reports();
        let own = match (source.waits_for_reports(), resends) {
            // One record is outstanding at a time.
            (true, _) => records + 2 * upstream,
            (false, true) => records * (1 + 2 * upstream),
            (false, false) => records * (1 + upstream),
        };
        // In librdkafka a timeout in flight also repeats what was in flight behind it. A record
        // times out once, or with such an application once for each fault.
        let behind = match (pipeline.client, resends) {
            (Client::Java, _) => 0,
            (Client::Librdkafka, _) if upstream == 0 || source.waits_for_reports() => 0,
            (Client::Librdkafka, false) => records * (records - 1) / 2,
            (Client::Librdkafka, true) => upstream * records * (records - 1),
        };
        let copies = own + behind;
        let sends = if resends { copies } else { records };
        // In the Java client a send that was given up stays on the wire.
        let answered = pipeline.producer.acks != Acks::None;
        let stays = resends && answered && pipeline.client == Client::Java;
        // With acks=0 an application that waits for its report goes on while its send is on the wire.
        let stays = stays || source.waits_for_reports() && !answered;
        let on_the_wire = if stays { copies } else { records };
        let consumer_deaths = paid(&|key| ends_consumer(key.fault));
        let storage = paid(&|key| restarts_broker(key.fault));
        let retention = paid(&|key| key.fault == Fault::Retention);
        let expiry = paid(&|key| key.fault == Fault::ProducerIdExpiry);
        let crashes = paid(&|key| key.fault == Fault::ProducerCrash);
        let idempotent = pipeline.producer.idempotence;
        let consumer = &pipeline.consumer;
        let order = &consumer.order;
        // With the policy `none` a truncated log ends the consumer's process, too.
        let ended_by_truncation = match consumer.offset_reset {
            OffsetReset::None => (storage + retention).min(total),
            OffsetReset::Earliest | OffsetReset::Latest => 0,
        };
        let cold = usize::from(pipeline.bounds.start == Start::Cold);
        let joins = cold + consumer_deaths + ended_by_truncation;
        let limits = Limits {
            records: at_most("records", records, MAX_RECORDS)?,
            poll: at_most(
                "records a poll",
                usize::from(pipeline.bounds.poll),
                MAX_RECORDS,
            )?,
            log: at_most("log entries", copies, MAX_LOG)?,
            flights: at_most("produce requests in flight", on_the_wire, MAX_FLIGHTS)?,
            limbo: at_most("late requests", paid(&delayed), MAX_LIMBO)?,
            sessions: narrow(crashes + restarts_of_clients(pipeline, upstream)),
            // A gap ends in an epoch bump, or in one for each record behind it.
            epochs: if idempotent {
                narrow((records + 1) * upstream)
            } else {
                0
            },
            sequence: if idempotent { narrow(sends) } else { 0 },
            sends: narrow(sends),
            attempts: if upstream > 0 {
                pipeline.producer.retries
            } else {
                0
            },
            leader_epochs: narrow(storage),
            generations: narrow(joins),
            commits: consumer.commits(),
            background_commits: consumer.commits_in_background(),
            remembers: order.contains(Step::Remember),
            skips: order.contains(Step::SkipIfSeen) || order.contains(Step::Remember),
            saves: order.contains(Step::SaveOffset),
            stores: order.contains(Step::StoreOffset)
                || matches!(consumer.auto_commit, AutoCommit::Background { .. }),
            operations: narrow(Program::compile(order).operations.len()),
            strikes: upstream > 0,
            truncation: storage > 0,
            retention: retention > 0,
            forgets: idempotent && (retention > 0 || expiry > 0),
            database: source != Source::Memory,
            relay: matches!(source, Source::Outbox { .. }),
            aborts: matches!(source, Source::DualWrite(_)) && total > 0,
            answered_offsets: idempotent && keeps_offsets(pipeline),
        };
        at_most("kinds of faults", spendable.len(), MAX_BUDGETS).map_err(|error| TooLarge {
            advice: "name fewer of them in [faults]",
            ..error
        })?;
        Ok(limits)
    }
}

fn at_most(what: &'static str, asked: usize, limit: usize) -> Result<u8, TooLarge> {
    if asked > limit {
        return Err(TooLarge {
            what,
            asked,
            limit,
            advice: "lower [bounds] records or the total of [faults]",
        });
    }
    Ok(narrow(asked))
}

fn narrow(value: usize) -> u8 {
    u8::try_from(value).unwrap_or(u8::MAX)
}

/// How often a producer id can be replaced while its application runs on: a relay replaces a client
/// in a fatal state, and a Java client without KIP-360 one that lost track.
fn restarts_of_clients(pipeline: &Pipeline, upstream: usize) -> usize {
    let relay = matches!(pipeline.producer.source, Source::Outbox { .. });
    match pipeline.client {
        _ if !pipeline.producer.idempotence => 0,
        Client::Librdkafka if relay => upstream,
        Client::Java if keeps_offsets(pipeline) => {
            (usize::from(pipeline.bounds.records) + 1) * upstream
        }
        Client::Librdkafka | Client::Java => 0,
    }
}

/// Whether the client compares the offset of its last acknowledged record with the log's start.
fn keeps_offsets(pipeline: &Pipeline) -> bool {
    pipeline.client == Client::Java && !pipeline.rules.java_bumps_epoch
}

/// Whether the fault can make the producer send a record once more.
fn strikes_upstream(fault: Fault) -> bool {
    fault.strikes_calls()
        || fault == Fault::ProducerCrash
        || fault == Fault::ProducerPause
        || fault == Fault::ProducerIdExpiry
        || fault == Fault::Retention
        || fault == Fault::Abort
        || fault == Fault::DeliveryTimeout
        || restarts_broker(fault)
}

/// Whether the fault restarts the broker.
pub fn restarts_broker(fault: Fault) -> bool {
    matches!(
        fault,
        Fault::BrokerCrash | Fault::PowerLoss | Fault::PowerLossAll | Fault::DiskLoss
    )
}

/// Whether the fault ends the consumer's process.
pub fn ends_consumer(fault: Fault) -> bool {
    matches!(
        fault,
        Fault::ConsumerCrash
            | Fault::ProcessFailure
            | Fault::ProcessFailureLate
            | Fault::SinkUnavailable
            | Fault::SinkAnswerLost
    )
}
