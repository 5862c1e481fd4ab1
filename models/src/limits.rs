//! The largest value that a design can give each field of the state.
//!
//! Everything here follows from the bound: a state that a design cannot reach costs no bits, and
//! a design whose bound no state can hold is refused before it is explored.

mod results;

pub use results::MAX_RAISED;

use crate::cluster::Reductions;
use crate::fault::{Call, Fault, FaultKey};
use crate::order::Step;
use crate::output;
use crate::partitions;
use crate::pipeline::{
    Acks, AfterAttempts, AutoCommit, Client, DedupKey, Effect, Isolation, OffsetReset, OnAbort,
    OnCommitFailure, OnRevoke, OnSendFailure, Pipeline, PreparedTransaction, Source, Start,
    TransactionalId,
};
use crate::program::Program;
use crate::transaction_coordinator::TransactionVersion;
use std::fmt;

/// The most consumers of the group.
pub const MAX_INSTANCES: usize = 2;
/// The most records that a bound may have.
pub const MAX_RECORDS: usize = 6;
/// The most records that a poll returns: which of them are skipped is a set of bits.
pub const MAX_HAND: u16 = 32;
/// The most records in the hands of one consumer's workers.
pub const MAX_TASKS: usize = 16;
/// The most entries of the retry topic, copies of records that can never be handled apart.
pub const MAX_RETRIES: usize = 12;
/// The most entries of a dedup store that forgets.
pub const MAX_REMEMBERED: usize = 16;
/// The most entries that a log may get.
pub const MAX_LOG: usize = 30;
/// The most produce requests on one connection.
pub const MAX_FLIGHTS: usize = 18;
/// The most requests that may be late at once.
pub const MAX_LIMBO: usize = 4;
/// The most results of one process that nobody waits for at once.
pub const MAX_SENDS: usize = 64;
/// The most records of the output topic that its reader does not see yet.
pub const MAX_UNSEEN: usize = 64;
/// The most entries of a fault budget that a design can spend.
pub const MAX_BUDGETS: usize = 32;
/// The most different commits that a loss of power can choose from.
pub const MAX_HISTORY: usize = 40;

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

/// Where states have to find room.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Room {
    /// Packed, by the million.
    Packed,
    /// One at a time.
    Unpacked,
}

/// The limits of one design.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Limits {
    /// Records.
    pub records: u16,
    /// Records that a poll may return.
    pub poll: u16,
    /// Entries of the log; also the largest offset.
    pub log: u16,
    /// Whether results have a client and a log of their own.
    pub logs_results: bool,
    /// Whether leaders may have asked a coordinator that moves, in vain.
    pub forgets_questions: bool,
    /// Whether an output producer's epoch may be raised while its transaction is open.
    pub raises_within: bool,
    /// Whether a late EndTxn may end an output producer's transaction between two of its calls.
    pub ends_between: bool,
    /// Whether output producers know what they have added to their transaction, and the coordinator may know
    /// better.
    pub registers: bool,
    /// Whether a coordinator may move while it gives an output producer another epoch, and know no more of
    /// the one before.
    pub forgets_epochs: bool,
    /// Sends in the accumulator at once.
    pub queue: u16,
    /// Produce requests on the connection at once.
    pub flights: u16,
    /// Late requests at once.
    pub limbo: u16,
    /// Restarts of the producer.
    pub sessions: u16,
    /// Epochs of one producer id after the first.
    pub epochs: u16,
    /// The largest sequence number.
    pub sequence: u16,
    /// Sends of one producer session.
    pub sends: u16,
    /// Retries of one batch.
    pub attempts: u16,
    /// Leader epochs after the first.
    pub leader_epochs: u16,
    /// Replicas of the partition.
    pub replicas: u16,
    /// Consumers of the group.
    pub instances: u16,
    /// Generations that a state holds beside the first; the most that a byte holds, where they are
    /// not numbered anew.
    pub generations: u16,
    /// The consumer that the partition is always assigned to, where there is no other.
    pub sole_owner: Option<u16>,
    /// Whether a consumer can be put out of the group without knowing.
    pub zombies: bool,
    /// Whether a consumer ever gives the partition up with commits that it owes.
    pub leaves: bool,
    /// Whether a consumer may have another place to read on at than the one that it is at: a client gives the
    /// partition up or joins without the application, or the application waits for an answer before it seeks.
    pub reads_on_elsewhere: bool,
    /// Records in the hands of one consumer's workers.
    pub tasks: u16,
    /// Failed attempts that are counted.
    pub failures: u16,
    /// Whether records that failed are written elsewhere.
    pub writes_failed: bool,
    /// Entries of the retry topic that anyone can still read; also the largest offset there.
    pub retries: u16,
    /// Whether commits that failed are kept for later.
    pub saves_failed_commits: bool,
    /// How many different commits every broker's loss of power may take; 0: it takes none.
    pub history: u16,
    /// Whether a listener drops what waits for workers.
    pub drops_buffered: bool,
    /// Whether where an assignment began is of interest.
    pub assigned_at: bool,
    /// Whether the look-ups of a transaction are a step of their own.
    pub looks_ahead: bool,
    /// Whether the dedup store forgets.
    pub dedup_forgets: bool,
    /// Entries of a dedup store that forgets.
    pub remembered: u16,
    /// Whether the sink refuses writes of older generations.
    pub fences: bool,
    /// Whether a newer write can stand for a record.
    pub supersedes: bool,
    /// Whether records go to a dead-letter topic.
    pub dead_letters: bool,
    /// Whether records may turn out to be impossible to handle.
    pub poisons: bool,
    /// Whether an operator may set the committed offset.
    pub offset_resets: bool,
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
    pub operations: u16,
    /// Whether a fault can strike the producer's side at all.
    pub strikes: bool,
    /// Whether anything can take the end of the log away.
    pub truncation: bool,
    /// Whether the topic can be created again.
    pub recreates: bool,
    /// Whether anything can take the beginning of the log away.
    pub retention: bool,
    /// Whether the log can have offsets without a record that a poll returns.
    pub gaps: bool,
    /// Whether a replica can have batches without their records.
    pub empties: bool,
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
    /// Whether results that are written without a transaction can be late.
    pub results: bool,
    /// Failed attempts at a result.
    pub output_attempts: u16,
    /// Whether the delivery timeout of a result may pass because a fault took its answer.
    pub results_expire: bool,
    /// Results that nobody waits for, of one process, at once.
    pub output_sends: u16,
    /// Whether a producer id may expire at one of the replicas.
    pub expires_apart: bool,
    /// Transactional ids at once, those of processes that are gone among them.
    pub transactional_ids: u16,
    /// Records of the output topic that its reader does not see yet.
    pub unseen: u16,
    /// Whether the reader of the output topic takes results whose transaction may still abort.
    pub reads_early: bool,
    /// Whether the database says which transaction is prepared.
    pub prepares: bool,
    /// Whether results are written to the output topic, or offsets in transactions at least.
    pub output: bool,
    /// Whether records are sent in transactions.
    pub transactions: bool,
    /// Whether commitTransaction() may be called before a delivery fails, and that tells something.
    pub commits_early: bool,
    /// Whether the topic can get another partition.
    pub adds_partition: bool,
    /// Whether it has, or can get, a second partition.
    pub second_partition: bool,
    /// Whether it matters that a poll may return records of both partitions.
    pub polls_both: bool,
}

impl Limits {
    /// The limits that follow from `pipeline`, whose budget entries that can be spent are
    /// `spendable`.
    pub fn of(
        pipeline: &Pipeline,
        spendable: &[(FaultKey, u16)],
        reductions: Reductions,
        room: Room,
    ) -> Result<Limits, TooLarge> {
        let fits = |what, asked, limit| at_most(room, what, asked, limit);
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
        let resends = pipeline.producer.sends_again();
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
        let replicated = pipeline.is_replicated();
        let storage =
            paid(&|key| restarts_broker(key.fault) || replicated && key.fault.strikes_brokers());
        // Every transaction leaves a marker. A fault can have one be made again, and can end the next
        // one early; one of a broker, or of the coordinator, has a marker be written again, too.
        let moves = paid(&|key| key.fault == Fault::CoordinatorFailover);
        let markers = match source {
            Source::Transaction {
                records_per_transaction,
            } => {
                records.div_ceil(usize::from(records_per_transaction))
                    + 3 * upstream
                    + storage
                    + moves
            }
            Source::Memory | Source::Outbox { .. } | Source::DualWrite(_) => 0,
        };
        let sends = if resends { copies } else { records };
        // In the Java client a send that was given up stays on the wire.
        let answered = pipeline.producer.acks != Acks::None;
        let stays = resends && answered && pipeline.client == Client::Java;
        // With acks=0 an application that waits for its report goes on while its send is on the wire.
        let stays = stays || source.waits_for_reports() && !answered;
        let on_the_wire = if stays { copies } else { records };
        let retention = paid(&|key| key.fault == Fault::Retention);
        let expiry = paid(&|key| key.fault == Fault::ProducerIdExpiry);
        let crashes = paid(&|key| key.fault == Fault::ProducerCrash);
        let idempotent = pipeline.producer.idempotence;
        let second_partition =
            pipeline.bounds.partitions > 1 || paid(&|key| key.fault == Fault::AddPartition) > 0;
        let consumer = &pipeline.consumer;
        let order = &consumer.order;
        let can = |fault: Fault| paid(&|key| key.fault == fault) > 0;
        let instances = usize::from(pipeline.group.instances);
        let zombies = can(Fault::ConsumerPause) || can(Fault::SlowProcessing);
        let struck = paid(&|key| key.fault.strikes_calls() || key.fault == Fault::DeliveryTimeout);
        let logs_results = pipeline.logs_results()
            || !reductions.whole_results && consumer.produces() && pipeline.can_log_results();
        // A result that cannot be delivered fails like handling, but for one in a transaction.
        let results_expire = consumer.produces()
            && !logs_results
            && consumer.output.acks != Acks::None
            && paid(&takes_results_answers) > 0;
        let can_fail = struck > 0 || results_expire || logs_results;
        let undelivered = consumer.produces() && !consumer.has_transactions() && can_fail;
        let fails = paid(&|key| key.fault.fails_handling()) > 0 || undelivered;
        let on_failure = consumer.on_process_failure;
        let restarts = can(Fault::GracefulRestart)
            || can(Fault::Rebalance)
            || fails && on_failure.then == AfterAttempts::Close;
        let settings = &pipeline.group;
        let late_offsets = |key: &FaultKey| {
            delayed(key) && key.call.is_none_or(|call| call == Call::TxnOffsetCommit)
        };
        let waits_to_seek = consumer.has_transactions()
            && consumer.output.on_abort == OnAbort::Seek
            && paid(&late_offsets) > 0;
        let reads_on_elsewhere = settings.revokes_in_background
            || settings.rejoins_in_background
            || waits_to_seek && consumer.offset_reset != OffsetReset::Earliest;
        // A result whose delivery times out may still be on the wire. Where leaders ask for its
        // transaction, or add their partition to it, it is never taken once that has ended.
        // Results that would tell no more are left out: see `Output::end_records` and
        // `Cluster::send_result`.
        let result_sends = records * (2 + struck);
        let ids = usize::from(output::ids(pipeline));
        let ids = match consumer.output.transactional_id {
            // A process that ends leaves one behind; see `output_transactions`.
            TransactionalId::PerStart => ids + total + 1,
            TransactionalId::Stable | TransactionalId::PerPartition => ids,
        };
        let unseen =
            2 * records + ids * usize::from(pipeline.bounds.poll) + paid(&delayed) + struck;
        let rules = &pipeline.rules.transactions;
        let refused = rules.leaders_ask();
        let results =
            consumer.produces() && !logs_results && !(consumer.has_transactions() && refused);
        let given_up = if results && pipeline.client == Client::Java {
            paid(&|key| key.fault == Fault::DeliveryTimeout)
        } else {
            0
        };
        let late_commits = if consumer.commits() {
            paid(&delayed)
        } else {
            0
        };
        let tasks = tasks(pipeline, records, total, upstream, behind);
        let fences = pipeline.sink.fencing;
        let workers = consumer.workers > 0;
        // The group's, each consumer's, the sink's, and those of what is under way.
        let held = instances + late_commits + if fences { 1 + tasks * instances } else { 0 };
        let remembered = remembered(pipeline, records, copies);
        let dedup_forgets = order.contains(Step::Remember)
            && (pipeline.sink.dedup_window.is_some() || can(Fault::DedupExpiry));
        let raises_within =
            logs_results && consumer.has_transactions() && pipeline.raises_within_transactions();
        let ends_between = pipeline.ends_come_between()
            && paid(&|key| key.is_for(Fault::RequestDelayed, Call::EndTxn)) > 0;
        let cleaned_apart = can(Fault::Compaction)
            && (pipeline.tells_replicas_apart() || replicated && !reductions.healthy_replicas);
        let limits = Limits {
            records: fits("records", records, MAX_RECORDS)?,
            poll: fits(
                "records a poll",
                usize::from(pipeline.bounds.poll),
                MAX_RECORDS,
            )?
            .min(MAX_HAND),
            log: fits("log entries", copies + markers, MAX_LOG)?,
            logs_results,
            raises_within,
            ends_between,
            registers: raises_within || logs_results && ends_between,
            forgets_questions: moves > 0
                && logs_results
                && pipeline.rules.transactions.leaders_ask(),
            forgets_epochs: moves > 0
                && consumer.has_transactions()
                && pipeline.rules.transactions.version == TransactionVersion::One
                && pipeline.rules.transactions.epoch_can_be_expected,
            queue: narrow(records),
            flights: fits("produce requests in flight", on_the_wire, MAX_FLIGHTS)?,
            limbo: fits("late requests", paid(&delayed) + given_up, MAX_LIMBO)?,
            sessions: narrow(crashes + restarts_of_clients(pipeline, upstream)),
            // A gap ends in an epoch bump, or in one for each record behind it.
            epochs: if pipeline.producer.is_transactional() {
                // Each marker may have an epoch of its own, and so has each start.
                narrow(markers + 4 * upstream + 1)
            } else if idempotent {
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
            replicas: pipeline.topic.replication.replicas,
            instances: narrow(instances),
            generations: if reductions.generations {
                narrow(held)
            } else {
                u16::MAX
            },
            sole_owner: (instances == 1 && !zombies && pipeline.subscribes()).then_some(0),
            zombies,
            leaves: restarts || instances > 1 || can(Fault::AddPartition),
            reads_on_elsewhere,
            tasks: narrow(tasks),
            failures: if fails { on_failure.attempts } else { 0 },
            writes_failed: fails && consumer.writes_failed(),
            retries: if fails && on_failure.then == AfterAttempts::RetryTopic {
                // Each record is there once, and once more for each fault that lets it be handled
                // or written again.
                let own = fits(
                    "records in the retry topic",
                    records + total + 1,
                    MAX_RETRIES,
                )?;
                // One that can never be handled is there once between each two offsets that are named:
                // the topic's start and what is committed, what commits are late with, and of each
                // consumer its position, and the record in hand with the one behind it.
                let named = 2 + late_commits + 3 * instances;
                let poison = paid(&|key| key.fault == Fault::Poison).min(records);
                own + narrow(poison * named)
            } else {
                0
            },
            saves_failed_commits: consumer.on_commit_failure == OnCommitFailure::RetrySaved,
            history: if can(Fault::PowerLossAll)
                && consumer.commits()
                && !pipeline.topic.flushes_internal_topics
            {
                fits(
                    "different commits",
                    (copies + 1)
                        * match consumer.auto_commit {
                            AutoCommit::Off => 1,
                            AutoCommit::AtPoll | AutoCommit::Background { .. } => storage + 2,
                        },
                    MAX_HISTORY,
                )?
            } else {
                0
            },
            drops_buffered: [consumer.on_revoke, consumer.on_lost]
                .contains(&OnRevoke::DropBuffered),
            assigned_at: workers || consumer.on_revoke == OnRevoke::Commit,
            looks_ahead: pipeline.is_concurrent() && order.contains(Step::SkipIfSeen),
            dedup_forgets,
            remembered: if dedup_forgets {
                fits("dedup entries in their order", remembered, MAX_REMEMBERED)?
            } else {
                0
            },
            fences,
            supersedes: pipeline.sink.version_guard && pipeline.sink.effect == Effect::Upsert,
            dead_letters: fails && matches!(on_failure.then, AfterAttempts::DeadLetter(_)),
            poisons: can(Fault::Poison),
            offset_resets: can(Fault::OffsetReset),
            commits: consumer.commits() || can(Fault::OffsetReset),
            background_commits: consumer.commits_in_background(),
            remembers: order.contains(Step::Remember),
            skips: order.contains(Step::SkipIfSeen)
                || order.contains(Step::Remember)
                || fails && on_failure.goes_on(),
            saves: order.contains(Step::SaveOffset),
            stores: order.contains(Step::StoreOffset)
                || matches!(consumer.auto_commit, AutoCommit::Background { .. }),
            operations: narrow(Program::compile(order, consumer.workers).operations.len()),
            strikes: upstream > 0,
            truncation: storage > 0 || can(Fault::TopicRecreate),
            recreates: can(Fault::TopicRecreate),
            retention: retention > 0,
            gaps: can(Fault::Compaction) || pipeline.producer.is_transactional(),
            empties: idempotent && cleaned_apart,
            forgets: idempotent && (retention > 0 || expiry > 0 || cleaned_apart),
            expires_apart: idempotent
                && expiry > 0
                && (replicated || logs_results || pipeline.tells_replicas_apart()),
            database: match source {
                Source::Memory | Source::Transaction { .. } => false,
                Source::Outbox { .. } | Source::DualWrite(_) => true,
            },
            relay: matches!(source, Source::Outbox { .. }),
            aborts: (matches!(source, Source::DualWrite(_))
                || pipeline.producer.is_transactional())
                && total > 0,
            answered_offsets: idempotent && keeps_offsets(pipeline),
            results,
            results_expire,
            output_attempts: if consumer.produces() && struck + moves > 0 {
                consumer.output.retries
            } else {
                0
            },
            output_sends: if order.contains(Step::ProduceAsync) {
                fits("results on their way", result_sends, MAX_SENDS)?
            } else {
                0
            },
            transactional_ids: if !consumer.has_transactions() {
                0
            } else {
                narrow(ids)
            },
            unseen: if consumer.has_transactions() {
                fits("results that are not committed", unseen, MAX_UNSEEN)?
            } else {
                0
            },
            reads_early: consumer.produces()
                && consumer.has_transactions()
                && consumer.output.isolation == Isolation::ReadUncommitted,
            prepares: consumer.has_transactions()
                && consumer.output.prepared_transaction == PreparedTransaction::Resume,
            output: consumer.produces() || consumer.has_transactions(),
            transactions: pipeline.producer.is_transactional(),
            commits_early: pipeline.keeps_epoch_behind_commit()
                && paid(&|key| fails_a_delivery(key, pipeline)) > 0,
            adds_partition: can(Fault::AddPartition),
            second_partition,
            polls_both: second_partition && partitions::polls_both(pipeline),
        };
        // The budget is an array in every state.
        at_most(
            Room::Packed,
            "kinds of faults",
            spendable.len(),
            MAX_BUDGETS,
        )
        .map_err(|error| TooLarge {
            advice: "name fewer of them in [faults]",
            ..error
        })?;
        Ok(limits)
    }
}

/// Records in the hands of one consumer's workers: what it polled, and what each revocation left
/// with them. A fault is either spent upstream, or makes records be read again.
fn tasks(
    pipeline: &Pipeline,
    records: usize,
    total: usize,
    upstream: usize,
    behind: usize,
) -> usize {
    if pipeline.consumer.workers == 0 {
        return 0;
    }
    let cold = match pipeline.bounds.start {
        Start::Cold => usize::from(pipeline.group.instances),
        Start::Joined => 0,
    };
    let resends = usize::from(pipeline.producer.on_send_failure == OnSendFailure::Resend);
    let most = (0..=upstream)
        .map(|spent| records * (1 + spent * (1 + resends)) * (1 + cold + total - spent))
        .max()
        .unwrap_or(records);
    (most + behind).min(MAX_TASKS)
}

/// Entries of a dedup store that forgets.
fn remembered(pipeline: &Pipeline, records: usize, log: usize) -> usize {
    let keys = match pipeline.sink.dedup_key {
        DedupKey::Record => records,
        DedupKey::Offset => log,
    };
    pipeline
        .sink
        .dedup_window
        .map_or(keys, |window| keys.min(usize::from(window)))
}

fn at_most(room: Room, what: &'static str, asked: usize, limit: usize) -> Result<u16, TooLarge> {
    if asked > limit && room == Room::Packed {
        return Err(TooLarge {
            what,
            asked,
            limit,
            advice: "lower [bounds] records or the total of [faults]",
        });
    }
    Ok(narrow(asked))
}

fn narrow(value: usize) -> u16 {
    u16::try_from(value).unwrap_or(u16::MAX)
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
    let old = pipeline.client == Client::Java && !pipeline.rules.java_bumps_epoch;
    old && !pipeline.producer.is_transactional()
}

/// Whether the fault can take or delay an answer to a result, so that its delivery timeout may pass.
fn takes_results_answers(key: &FaultKey) -> bool {
    let is_struck = key.call.is_none_or(|call| call == Call::OutputProduce);
    let takes = key.fault.strikes_calls() && key.fault != Fault::RequestRefused;
    is_struck && (takes || key.fault == Fault::ConsumerPause)
}

/// Whether the fault can make the producer send a record once more.
fn strikes_upstream(fault: Fault) -> bool {
    fault.strikes_calls()
        || fault == Fault::ProducerCrash
        || fault == Fault::ProducerPause
        || fault == Fault::ProducerIdExpiry
        || fault == Fault::TopicRecreate
        || fault == Fault::Retention
        || fault == Fault::Abort
        || fault == Fault::TransactionTimeout
        || fault == Fault::DeliveryTimeout
        || fault == Fault::StaleMetadata
        || fault.strikes_brokers()
}

/// Whether the fault can make a delivery fail that was not put back before.
fn fails_a_delivery(key: &FaultKey, pipeline: &Pipeline) -> bool {
    let settings = &pipeline.producer;
    let refused = key.is_for(Fault::RequestRefused, Call::Produce);
    let breaks = [
        Fault::RequestLost,
        Fault::ResponseLost,
        Fault::RequestDelayed,
    ]
    .iter()
    .any(|fault| key.is_for(*fault, Call::Produce))
        || key.fault.strikes_brokers();
    key.fault == Fault::DeliveryTimeout
        || key.fault == Fault::ProducerPause
        || breaks && (settings.retries > 0 || !settings.retries_are_capped)
        || refused && !settings.retries_are_capped
}

/// Whether the fault restarts the broker.
pub fn restarts_broker(fault: Fault) -> bool {
    matches!(
        fault,
        Fault::BrokerCrash | Fault::PowerLoss | Fault::PowerLossAll | Fault::DiskLoss
    )
}

/// The faults after which the partition may go to the other consumer.
pub const MOVES_PARTITION: &[Fault] = &[
    Fault::ConsumerCrash,
    Fault::GracefulRestart,
    Fault::ConsumerPause,
    Fault::SlowProcessing,
    Fault::Rebalance,
];

/// Whether the fault ends the consumer's process.
pub fn ends_consumer(fault: Fault) -> bool {
    matches!(
        fault,
        Fault::ConsumerCrash
            | Fault::Poison
            | Fault::ProcessFailure
            | Fault::ProcessFailureLate
            | Fault::SinkUnavailable
            | Fault::SinkAnswerLost
    )
}
