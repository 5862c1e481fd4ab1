//! Published delivery failures: one table. Each comes as two designs, the broken one and the same
//! with the published prevention.
//!
//! An entry is two files in `catalogue/` and one row here. A test checks that the broken design
//! violates what the row says, and that the fixed one holds it. A failure that was published in two
//! variants has two entries, `S07` and `S07b`.

use crate::guarantee::Guarantee;
use std::fmt;

macro_rules! symptoms {
    ($($variant:ident = $name:literal, $text:literal;)*) => {
        /// How a failure shows.
        #[derive(Clone, Copy, Debug, PartialEq, Eq, Hash)]
        pub enum Symptom { $(#[doc = $text] $variant,)* }

        impl Symptom {
            /// Every symptom, in the order in which they are documented.
            pub const ALL: &'static [Symptom] = &[$(Symptom::$variant,)*];

            /// The symptom's name in tables.
            pub fn name(self) -> &'static str {
                match self { $(Symptom::$variant => $name,)* }
            }

            /// What it means, in one line.
            pub fn summary(self) -> &'static str {
                match self { $(Symptom::$variant => $text,)* }
            }
        }
    };
}

symptoms! {
    Loss = "loss", "a record that the application relies on is gone";
    Duplicate = "duplicate", "a record counts more than once";
    Reorder = "reorder", "records change places";
    AbortRead = "abort-read", "aborted or uncommitted data is read";
    Diverge = "diverge", "replicas disagree";
    Hang = "hang", "something waits for ever";
    LostEffect = "lost-effect", "an effect is undone or written over";
    Ghost = "ghost", "an effect has no cause";
    Torn = "torn", "a part of a transaction stands alone";
}

impl fmt::Display for Symptom {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str(self.name())
    }
}

/// A published failure.
#[derive(Clone, Copy, Debug)]
pub struct Entry {
    /// Its id.
    pub id: &'static str,
    /// The id and a short name: what the design files begin with.
    pub slug: &'static str,
    /// What the failure is, in one line.
    pub title: &'static str,
    /// How it shows.
    pub symptoms: &'static [Symptom],
    /// The guarantees that the broken design violates and the fixed one holds (or, where `loses`
    /// says so, breaks less badly); the first tells the published story.
    pub violates: &'static [Guarantee],
    /// Where nothing mends it wholly: how many records the worst run loses in the broken design, and
    /// in the fixed one.
    pub loses: Option<(u16, u16)>,
    /// What prevents it.
    pub prevention: &'static str,
    /// Where it was published.
    pub source: &'static str,
    /// The text of the broken design.
    pub broken: &'static str,
    /// The text of the fixed design.
    pub fixed: &'static str,
}

macro_rules! catalogue {
    (@loses) => { None };
    (@loses $broken:literal $fixed:literal) => { Some(($broken, $fixed)) };
    ($(
        $id:literal $name:literal: $title:literal,
        shows [$($symptom:ident),+], violates [$($guarantee:ident),+],
        $(loses $broken:literal then $fixed:literal,)?
        prevented by $prevention:literal,
        source $source:literal;
    )*) => {
        /// Every entry, in the order in which they are listed.
        pub const ENTRIES: &[Entry] = &[
            $(Entry {
                id: $id,
                slug: concat!($id, "-", $name),
                title: $title,
                symptoms: &[$(Symptom::$symptom),+],
                violates: &[$(Guarantee::$guarantee),+],
                loses: catalogue!(@loses $($broken $fixed)?),
                prevention: $prevention,
                source: $source,
                broken: include_str!(concat!("../catalogue/", $id, "-", $name, ".broken.toml")),
                fixed: include_str!(concat!("../catalogue/", $id, "-", $name, ".fixed.toml")),
            },)*
        ];
    };
}

catalogue! {
    "P01" "acks-0": "acks=0: the client reports success and nobody has the record",
        shows [Loss], violates [NoLoss],
        prevented by "acks=all: a record counts as sent when every in-sync replica has it",
        source "Kafka, ProducerConfig.ACKS_DOC";
    "P02" "acks-1": "acks=1: the leader acknowledges a record and dies before anybody has fetched it",
        shows [Loss], violates [NoLoss],
        prevented by "acks=all: a record is acknowledged once every in-sync replica has it",
        source "Kafka, ProducerConfig.ACKS_DOC";
    "P03" "minimum-of-one": "acks=all with one in-sync replica is an acknowledgement of the leader alone",
        shows [Loss], violates [NoLoss],
        prevented by "min.insync.replicas=2 with three replicas: what is acknowledged is on two brokers",
        source "Kafka, TopicConfig.MIN_IN_SYNC_REPLICAS_DOC and the design documentation, 4.7";
    "P04" "retry-without-idempotence": "a retry without idempotence appends the record a second time",
        shows [Duplicate], violates [NoDuplicates],
        prevented by "enable.idempotence=true: the broker recognises the retry",
        source "Kafka, ProducerConfig.RETRIES_DOC and ENABLE_IDEMPOTENCE_DOC; librdkafka, INTRODUCTION";
    "P05" "in-flight-reorder": "a retry is overtaken by a later request in flight",
        shows [Reorder], violates [InOrder],
        prevented by "max.in.flight.requests.per.connection=1: nothing overtakes a retry (or idempotence)",
        source "Kafka, ProducerConfig.MAX_IN_FLIGHT_REQUESTS_PER_CONNECTION_DOC; KAFKA-3197; librdkafka, INTRODUCTION, \"Reordering\"";
    "P06" "idempotence-silently-off": "idempotence that everybody believes in was switched off by another setting",
        shows [Duplicate, Reorder], violates [NoDuplicates, InOrder],
        prevented by "enable.idempotence=true, stated: the client then refuses what contradicts it",
        source "Kafka, ProducerConfig.ENABLE_IDEMPOTENCE_DOC; KAFKA-13598";
    "P08" "new-producer-id": "a restarted producer has a new id, so what it sends again is new to the broker",
        shows [Duplicate], violates [NoDuplicates],
        prevented by "dedup in the sink's transaction, by the record's own identity",
        source "KIP-98, \"within a single producer session\"";
    "P09" "producer-id-forgotten": "retention removes a producer's records, the broker forgets the producer, and its retry is new",
        shows [Duplicate], violates [NoDuplicates],
        prevented by "brokers from 2.4 and clients from 2.5: what is known of a producer outlives its records",
        source "KIP-360; KAFKA-7190";
    "P11" "buffered-send": "the source was told \"done\" when send() returned, and the buffer dies with the process",
        shows [Loss], violates [NoLoss],
        prevented by "confirm to the source when the delivery report has come",
        source "Kafka, KafkaProducer javadoc: send() is asynchronous";
    "P13" "dual-write": "the database commits, the process dies, and the record is never sent",
        shows [Loss], violates [NoLoss],
        prevented by "an outbox: the record is a row of the same transaction, and a relay publishes it",
        source "atlasofengineering.com, \"Transactional outbox\"";
    "P13b" "dual-write-ghost": "the record is sent, and the database transaction that it tells of rolls back",
        shows [Ghost], violates [NoPhantom],
        prevented by "an outbox: a row that rolls back is never published",
        source "atlasofengineering.com, \"Transactional outbox\"";
    "P15" "sequence-reset": "a client that believes the topic missing forgets its sequence numbers, and new messages pass for repeats",
        shows [Loss], violates [NoLoss],
        prevented by "librdkafka from 1.9.0: the numbers of a partition outlive it",
        source "librdkafka, CHANGELOG 1.9.0, \"Transactional producer fixes\"";
    "B01" "unclean-election": "a replica that is not in sync is elected, and the others cut off what it has not",
        shows [Loss, Diverge], violates [NoLoss],
        prevented by "unclean.leader.election.enable=false: the partition waits for a replica that has everything",
        source "Kafka, TopicConfig.UNCLEAN_LEADER_ELECTION_ENABLE_DOC; KIP-320, motivation";
    "B02" "truncation-to-high-watermark": "a follower cuts its log to a high watermark that it learnt late, and is elected",
        shows [Loss], violates [NoLoss],
        prevented by "brokers from 0.11: a follower asks where the leader's epoch ended",
        source "KIP-101, scenario 1; hachikuji/kafka-specification, KafkaTruncateToHighWatermark.tla";
    "B04" "unknown-epoch": "after two fast changes the leader does not know the epoch that a follower asks about",
        shows [Loss, Diverge], violates [NoLoss],
        prevented by "brokers from 2.0: the answer names the epoch that it is about",
        source "KAFKA-6361; KIP-279; hachikuji/kafka-specification, Kip101.tla and Kip279.tla";
    "B05" "stale-fetches": "a follower that missed two changes of leader goes on fetching, and counts",
        shows [Loss], violates [NoLoss],
        prevented by "brokers from 2.1: a fetch carries the leader epoch, and a stale one is refused",
        source "KAFKA-6880; KIP-320; hachikuji/kafka-specification, Kip320FirstTry.tla";
    "B06" "last-replica-standing": "the last in-sync replica loses power, comes back with less, and leads all the same",
        shows [Loss], violates [NoLoss],
        prevented by "eligible.leader.replicas.version=1 (KIP-966): replicas that left below the minimum may lead",
        source "KIP-966; Vanlightly, kafka-tlaplus, 5_recovery.md";
    "B07" "shared-power-loss": "a power loss takes an acknowledged record from every page cache at once",
        shows [Loss], violates [NoLoss],
        prevented by "flush.messages=1, or replicas that do not share their power",
        source "Vanlightly, kafka-tlaplus, 5_recovery.md; Kafka, TopicConfig.FLUSH_MESSAGES_INTERVAL_DOC";
    "B09" "replaced-disk": "a late request puts a broker with an empty disk among the in-sync replicas",
        shows [Loss], violates [NoLoss],
        prevented by "brokers from 3.5: the request carries the broker's epoch",
        source "KAFKA-14139; KIP-903";
    "C01" "commit-before-process": "the offset is committed before the record is handled",
        shows [Loss], violates [NoLoss],
        prevented by "process, then commit",
        source "Kafka, design.html 4.6";
    "C02" "process-before-commit": "the record is handled before its offset is committed",
        shows [Duplicate], violates [NoDuplicates],
        prevented by "dedup: the effect and a unique mark in one database transaction",
        source "Kafka, design.html 4.6; KafkaConsumer javadoc";
    "C03" "automatic-commit-workers": "another thread handles the record while the next poll commits it",
        shows [Loss], violates [NoLoss],
        prevented by "no automatic commit: the loop commits what the thread has finished",
        source "Kafka, KafkaConsumer javadoc: consume all data of a poll before the next; franz-go #57";
    "C04" "automatic-offset-store": "librdkafka stores the offset when it hands the record over, and commits it in the background",
        shows [Loss], violates [NoLoss],
        prevented by "enable.auto.offset.store=false, and the offset stored after handling",
        source "librdkafka, INTRODUCTION, \"At-least-once processing\"; CONFIGURATION.md";
    "C06" "highest-of-workers": "threads finish out of order, and the highest finished offset is committed",
        shows [Loss], violates [NoLoss],
        prevented by "a commit that ends before the first record that is not finished",
        source "martynwin.com on a parallel consumer's highest seen offset";
    "C07" "saved-commit": "a commit that failed is kept, and sent again over a later one",
        shows [Duplicate], violates [NoDuplicates],
        prevented by "no commit is kept that a later one has overtaken: it is repeated before anything else is handled",
        source "spring-kafka #3186";
    "C09" "revoked-before-commit": "a handled record moves to another consumer before its commit has arrived",
        shows [Duplicate], violates [NoDuplicates],
        prevented by "a synchronous commit in onPartitionsRevoked",
        source "Kafka, 536cdf692fb (KAFKA-14196); KafkaConsumer javadoc, rebalance listeners";
    "C11" "reset-to-latest": "without a committed offset auto.offset.reset=latest skips what is there",
        shows [Loss], violates [NoLoss],
        prevented by "auto.offset.reset=earliest",
        source "Kafka, ConsumerConfig.AUTO_OFFSET_RESET_DOC; librdkafka, CONFIGURATION.md";
    "C12" "out-of-range": "retention overtakes the consumer, and the reset jumps over what is still there",
        shows [Loss], violates [NoLoss], loses 3 then 1,
        prevented by "auto.offset.reset=earliest: only what retention took is lost, and nothing brings that back",
        source "Kafka, ConsumerConfig.AUTO_OFFSET_RESET_DOC; KIP-320; examples/ExactlyOnceMessageProcessor.java";
    "C14" "new-partition-latest": "a partition is added, written to, and found by the consumer later: auto.offset.reset=latest passes over what is there",
        shows [Loss], violates [NoLoss],
        prevented by "auto.offset.reset=earliest",
        source "Kafka, ConsumerConfig.AUTO_OFFSET_RESET_DOC; KIP-842; KIP-1327";
    "C15" "poison-skipped": "a record that always fails is passed over after some attempts",
        shows [Loss], violates [NoLoss],
        prevented by "a dead-letter topic, written before the offset is committed",
        source "Kafka, examples/ExactlyOnceMessageProcessor.java, \"Skipping records\"";
    "C15b" "poison-blocks": "a record that always fails is tried for ever, and everything behind it waits",
        shows [Hang], violates [Progress],
        prevented by "a dead-letter topic after some attempts",
        source "Kafka, examples/ExactlyOnceMessageProcessor.java";
    "T01" "offset-behind-the-transaction": "the result is written in a transaction, and its offset is committed behind it",
        shows [Duplicate], violates [NoDuplicates],
        prevented by "sendOffsetsToTransaction: the offset is committed with the result, or neither is",
        source "KIP-98, \"Consume-transform-produce\"";
    "T01b" "offset-before-the-transaction": "the offset is committed, and the transaction that writes the result comes after",
        shows [Loss], violates [NoLoss],
        prevented by "sendOffsetsToTransaction: the offset is committed with the result, or neither is",
        source "KIP-98, \"Consume-transform-produce\"";
    "T02" "zombie-transaction": "an instance that lost the partition commits its transaction beside the new owner's",
        shows [Duplicate], violates [NoDuplicates],
        prevented by "the consumer's group metadata in sendOffsetsToTransaction (brokers and clients from 2.5)",
        source "KIP-447, \"Motivation\"";
    "T04" "abort-without-rewind": "the transaction is aborted, and the consumer polls on behind its records",
        shows [Loss], violates [NoLoss],
        prevented by "a seek to the committed offset after every abort",
        source "Kafka, examples/ExactlyOnceMessageProcessor.java; jepsen-io/redpanda, abort.clj";
    "C21" "topic-created-again": "a consumer stays with the metadata of a deleted topic, for the new one has a lower leader epoch",
        shows [Hang], violates [Progress],
        prevented by "clients that know a topic by its id; what lay unread in the deleted log is gone with any",
        source "KAFKA-12257 (06dfa54be75), KAFKA-13488";
    "T05" "read-uncommitted": "a reader that did not ask for isolation acts on an aborted record",
        shows [AbortRead], violates [NoPhantom],
        prevented by "isolation.level=read_committed (librdkafka's default, not Java's)",
        source "Kafka, ConsumerConfig.ISOLATION_LEVEL_DOC; librdkafka, CONFIGURATION";
    "T06" "hanging-transaction": "a record that arrives behind the abort of its transaction opens one in the log that nobody ends, and readers of what is committed stop there",
        shows [Hang], violates [Progress],
        prevented by "brokers from 3.6: the partition leader verifies that a record belongs to a transaction",
        source "KIP-890, KAFKA-14402";
    "T07" "late-produce": "a late record of an aborted transaction is committed with the next one",
        shows [AbortRead], violates [NoPhantom],
        prevented by "transaction version 2: every transaction has a producer epoch of its own",
        source "KIP-890";
    "T08" "late-end": "a late commit ends the next transaction, which the application aborts",
        shows [AbortRead], violates [NoPhantom],
        prevented by "transaction version 2: every transaction has a producer epoch of its own",
        source "KAFKA-17754; users@kafka, 2024; Jepsen, Bufstream 0.1.0; KIP-890";
    "T09" "timeout-without-fence": "a producer whose transaction timed out goes on in it unfenced",
        shows [AbortRead], violates [NoPhantom],
        prevented by "brokers from 0.11.0.2: a timeout raises the producer epoch",
        source "KAFKA-6119; Kafka, ProducerConfig.TRANSACTION_TIMEOUT_DOC";
    "T11" "two-phase-timeout": "a prepared transaction times out while its job is down, and the job reads on behind its checkpoint",
        shows [Loss], violates [NoLoss],
        prevented by "brokers from 4.1 and a timeout of 2147483647 ms, which never passes; KIP-939, once it is released, asks for it",
        source "FLIP-319; KIP-939";
    "T15" "epoch-within-transaction": "a producer has its epoch raised in the middle of a transaction, goes on, and commits what is left of it",
        shows [Loss], violates [NoLoss],
        prevented by "librdkafka from 1.8.2: a skipped sequence number fails the transaction",
        source "librdkafka #3575; CHANGELOG of 1.8.2";
    "S01" "check-then-act": "two consumers look a record up, neither finds it, both apply it",
        shows [Duplicate], violates [NoDuplicates],
        prevented by "a unique key in the transaction of the effect",
        source "exactly-once.github.io, \"Improving outbox\"";
    "S02" "mark-apart": "the dedup mark is written in a transaction of its own, before the effect",
        shows [Loss], violates [NoLoss],
        prevented by "one database transaction for the mark and the effect",
        source "model-checking-exactly-once: stores that are not written atomically";
    "S03" "dedup-window": "the dedup store has forgotten a record when it is delivered again",
        shows [Duplicate], violates [NoDuplicates],
        prevented by "a window that reaches as far back as a delivery can be repeated",
        source "exactly-once.github.io, \"Outbox\"; cruxible.dev";
    "S05" "increment": "balance += amount runs again when the record is delivered again",
        shows [Duplicate], violates [ExactlyOnceEffect],
        prevented by "an effect that may be repeated: set the value instead of adding to it",
        source "common knowledge, without a first publication";
    "S07" "offset-not-sought": "the offset is in the sink's database, and nobody seeks to it",
        shows [Duplicate], violates [NoDuplicates],
        prevented by "seek() to the saved offset in onPartitionsAssigned",
        source "Kafka, KafkaConsumer javadoc, \"Storing Offsets Outside Kafka\"";
    "S07b" "zombie-write": "a consumer that lost the partition writes its effect and its offset over the new owner's",
        shows [LostEffect, Duplicate], violates [ExactlyOnceEffect, NoDuplicates],
        prevented by "compare-and-set: a row or an offset is only written over an older one",
        source "Kafka, KafkaConsumer javadoc, \"Storing Offsets Outside Kafka\" (the recipe; the failure is common knowledge)";
    "S08" "outbox-relay": "the relay publishes a row and dies before it marks it",
        shows [Duplicate], violates [NoDuplicates],
        prevented by "dedup downstream, by the row's identity",
        source "tomodahinata.com, outbox guide";
    "S08b" "outbox-marked-first": "the relay marks a row and dies before it publishes it",
        shows [Loss], violates [NoLoss],
        prevented by "publish, then mark",
        source "tomodahinata.com, outbox guide";
    "S09" "outbox-highest-id": "a row commits below the id that the relay has reached, and is never read",
        shows [Loss], violates [NoLoss],
        prevented by "a status in each row (or change data capture)",
        source "denis-tsv/Outbox, README: the basic relay can miss messages";
}
