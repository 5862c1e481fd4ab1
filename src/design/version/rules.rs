//! The rules of protocol and clients that came with a release: one table.
//!
//! A row says who has the rule, since which release of Apache Kafka, since which of librdkafka, and
//! where it is decided. A rule that brokers and clients must share is in force where both have it.
//! What a rule changes in Kafka's defaults stands in [`super::defaults`].

use semel_models::pipeline::Client;

use super::{Version, Versions, fix, patch, version};

/// Who must have a rule for it to be in force.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Hash)]
pub enum Party {
    /// The brokers.
    Broker,
    /// The clients.
    Client,
    /// Brokers and clients.
    Both,
}

/// One row: a rule and the release that brought it.
#[derive(Clone, Copy, Debug)]
pub struct Introduction {
    /// The rule.
    pub rule: Rule,
    /// Who must have it.
    pub party: Party,
    /// The first release of Apache Kafka that has it.
    pub since: Version,
    /// The first release that no longer has it; `None`: it is still there.
    pub until: Option<Version>,
    /// Later releases than the first that do not have it.
    pub except: &'static [Version],
    /// The first version of librdkafka that has it; `None`: none has.
    pub librdkafka: Option<Version>,
    /// The proposal or the issue.
    pub reference: &'static str,
    /// What the rule says, in one line.
    pub summary: &'static str,
}

macro_rules! rules {
    ($($variant:ident: $party:ident, $since:expr, $until:expr, $except:expr, $librdkafka:expr, $reference:literal, $summary:literal;)*) => {
        /// A rule that not every version has.
        #[derive(Clone, Copy, Debug, PartialEq, Eq, Hash, PartialOrd, Ord)]
        #[non_exhaustive]
        pub enum Rule { $(#[doc = $summary] $variant,)* }

        /// Every rule with its release, the oldest first.
        pub const RULES: &[Introduction] = &[$(Introduction {
            rule: Rule::$variant,
            party: Party::$party,
            since: $since,
            until: $until,
            except: $except,
            librdkafka: $librdkafka,
            reference: $reference,
            summary: $summary,
        },)*];
    };
}

/// Every version of librdkafka that is known has it.
const OF_OLD: Option<Version> = Some(version(1, 0));
/// No version of librdkafka has it.
const NEVER: Option<Version> = None;

rules! {
    ResetForGoodReason: Client, version(0, 10), None, &[], Some(version(1, 8)), "librdkafka 1.8.0",
        "a look-up of an offset that fails for now resets no position, and a commit that fails for now is sent again";
    HeartbeatThread: Client, patch(0, 10, 1), None, &[], OF_OLD, "KIP-62",
        "heartbeats come from a thread of their own, and max.poll.interval.ms limits the handling";
    IdempotentProducer: Both, version(0, 11), None, &[], OF_OLD, "KIP-98",
        "brokers know producer ids and sequence numbers";
    SequencesOutliveMetadata: Client, version(0, 11), None, &[], Some(version(1, 9)), "librdkafka 1.9.0",
        "an idempotent producer keeps its sequence numbers while a broker reports the topic as missing";
    FatalInTransactions: Client, version(0, 11), None, &[], Some(patch(1, 6, 1)), "librdkafka 1.6.1",
        "a fatal error of an idempotent producer is one of its transactions, too";
    EmptyAbortsSkipped: Client, version(0, 11), None, &[], Some(version(1, 7)), "librdkafka 1.7.0",
        "an aborted transaction without records hides no committed record behind it";
    TimedCommitsWait: Client, version(0, 11), None, &[], Some(version(1, 7)), "librdkafka 1.7.0",
        "no automatic commit is sent during a rebalance";
    SkippedNumberFails: Client, version(0, 11), None, &[], Some(patch(1, 8, 2)), "librdkafka #3575, 1.8.2",
        "a transactional producer whose partition found a sequence number skipped fails its transaction";
    AbortBeforeEpoch: Client, version(0, 11), None, &[], Some(version(2, 0)), "librdkafka #3575, 2.0.0",
        "a transactional producer that lost its place aborts its transaction before it asks for the next epoch";
    SequenceAfterLostAnswer: Client, version(0, 11), None, &[], Some(version(2, 3)), "librdkafka #4438",
        "an idempotent producer expects the right sequence number after an answer was lost";
    StoreOfOwnPartitions: Client, version(0, 11), None, &[], Some(version(1, 9)), "librdkafka 1.9.0",
        "an offset is only stored of a partition that is assigned to the consumer";
    OffsetsGoWithTheTopic: Broker, version(0, 11), None, &[], OF_OLD, "KAFKA-2000",
        "committed offsets are deleted with their topic";
    TruncationByEpoch: Broker, version(0, 11), None, &[], OF_OLD, "KIP-101",
        "a follower truncates to where the leader's epoch ended, not to its high watermark";
    TimeoutFences: Broker, fix(11, 0, 2), None, &[], OF_OLD, "KAFKA-6119",
        "a transaction that times out fences its producer with a new epoch";
    FiveBatches: Both, version(1, 0), None, &[], OF_OLD, "KAFKA-5494",
        "an idempotent producer may have five requests in flight, and brokers recognise its last five batches";
    UnknownProducerId: Broker, version(1, 0), Some(version(2, 5)), &[], OF_OLD, "KAFKA-5793",
        "a broker without state of a producer id refuses every sequence number but 0";
    EpochOfTheAnswer: Broker, version(2, 0), None, &[], OF_OLD, "KIP-279",
        "a leader that does not know an epoch answers with the epoch before it, so that fast leader changes do not diverge";
    EpochFencing: Broker, version(2, 1), None, &[], OF_OLD, "KIP-320",
        "fetches carry the leader's epoch, and a leader or follower of an older one is refused";
    EpochInCommits: Client, version(2, 1), None, &[], Some(version(2, 1)), "KIP-320",
        "a committed position carries the epoch of its leader";
    DeliveryTimeout: Client, version(2, 1), None, &[], OF_OLD, "KIP-91",
        "delivery.timeout.ms limits a record's delivery as a whole, and retries are unlimited";
    OffsetsExpireWithTheGroup: Broker, version(2, 1), None, &[], OF_OLD, "KIP-211",
        "committed offsets expire from when the group became empty, not from when they were committed";
    StaticMembership: Both, version(2, 3), None, &[], OF_OLD, "KIP-345",
        "group.instance.id: a member that restarts within its session takes its place again";
    PositionValidation: Client, version(2, 3), None, &[], Some(version(2, 1)), "KIP-320",
        "after a change of leader the consumer asks where the epoch of its position ended";
    CooperativeRebalancing: Client, version(2, 4), None, &[], OF_OLD, "KIP-429",
        "a rebalance takes away only what moves, and the listener is told of partitions that were lost";
    StateOutlivesRecords: Broker, version(2, 4), None, &[], OF_OLD, "KAFKA-7190",
        "a broker remembers a producer id after its last record left the log";
    PollDuringRebalance: Client, version(2, 5), None, &[], OF_OLD, "KAFKA-8421",
        "polls return records during a cooperative rebalance, and commits fail meanwhile";
    AnySequenceWithoutState: Broker, version(2, 5), None, &[], OF_OLD, "KIP-360",
        "a broker without state of a producer id accepts any sequence number";
    LocalEpochBump: Client, version(2, 5), None, &[], OF_OLD, "KIP-360",
        "an idempotent producer that met an unknown producer id goes on with the next epoch";
    SaysItsEpoch: Client, version(2, 5), None, &[], Some(version(1, 7)), "KIP-360",
        "a transactional producer that asks for another epoch says which one it has";
    FencedEpochKnown: Broker, version(2, 5), Some(version(2, 6)), &[], OF_OLD, "KIP-360, KAFKA-9666",
        "a producer that had its own open transaction aborted by InitProducerId is given the next epoch when it asks again";
    EpochAtCoordinator: Both, version(2, 5), None, &[], Some(version(1, 7)), "KIP-360",
        "a transactional producer that does not know what became of a delivery, or whose delivery failed before the commit, has the coordinator raise its epoch";
    GroupMetadata: Both, version(2, 5), None, &[], OF_OLD, "KIP-447",
        "sendOffsetsToTransaction carries the member's generation, which fences an older owner";
    IdempotenceByDefault: Client, patch(3, 0, 1), None, &[patch(3, 1, 0)], NEVER, "KIP-679, KAFKA-13598",
        "enable.idempotence is true unless it is set otherwise";
    TopicIdsInMetadata: Client, version(3, 0), None, &[], OF_OLD, "KAFKA-12257",
        "a client knows by its id that a topic was deleted and created again";
    AcksAllByDefault: Client, version(3, 0), None, &[], OF_OLD, "KIP-679",
        "acks is all unless it is set otherwise";
    CleanerStops: Broker, version(3, 1), None, &[], OF_OLD, "KAFKA-13194",
        "the log cleaner stops at the high watermark: no record that may be taken back replaces another";
    CommitBehindRebalance: Client, version(3, 2), Some(patch(3, 2, 3)), &[], NEVER, "KAFKA-14196",
        "an eager consumer goes on fetching while its automatic commit before a rebalance is under way";
    TopicIdsAfterAbsence: Client, version(3, 2), None, &[], OF_OLD, "KAFKA-13488",
        "a client that saw the topic missing in between takes the metadata of the new one";
    BrokerEpochInFetch: Broker, version(3, 5), None, &[], OF_OLD, "KIP-903",
        "a broker that restarted with an empty disk is not taken for its former self";
    TransactionVerification: Broker, version(3, 6), None, &[], OF_OLD, "KIP-890",
        "a produce request without its transaction is refused";
    StrayReplicas: Broker, version(3, 7), None, &[], OF_OLD, "KAFKA-14616",
        "a broker that was down when its topic was deleted and created again has an empty replica when it is back";
    HighWatermarkWaits: Broker, version(3, 7), None, &[], OF_OLD, "KAFKA-15583",
        "the high watermark does not move while fewer replicas are in sync than min.insync.replicas, which counts as far as there are replicas";
    OffsetVerification: Broker, version(3, 7), None, &[], OF_OLD, "KIP-890",
        "an offset commit without its transaction is refused";
    TransactionVersion2: Both, version(4, 0), None, &[], NEVER, "KIP-890",
        "every transaction has a producer epoch of its own";
    FenceRaisesOnce: Broker, patch(4, 0, 1), None, &[], OF_OLD, "KAFKA-19367",
        "under transaction version 2 the epoch is raised once where the coordinator aborts a transaction by itself";
    ConsumerProtocol: Both, version(4, 0), None, &[], Some(version(2, 12)), "KIP-848",
        "group.protocol = consumer: the coordinator computes the assignment, and takes away only what moves";
    FirstNumberIsZero: Broker, version(4, 1), None, &[], OF_OLD, "KAFKA-18202",
        "under transaction version 2 a partition that knows nothing of a producer takes its first sequence number only";
    EligibleLeaderReplicas: Broker, version(4, 1), None, &[], OF_OLD, "KIP-966",
        "replicas that left the in-sync ones below the minimum may still lead";
    EndlessTimeout: Broker, version(4, 1), None, &[], OF_OLD, "KIP-939",
        "a transaction whose transaction.timeout.ms is 2147483647 never times out";
    ProduceNamesIds: Both, version(4, 1), None, &[], NEVER, "KAFKA-10551",
        "a produce request names its topic by id, and is refused by another topic of that name";
    CommitOverPoll: Client, version(4, 2), None, &[], NEVER, "KAFKA-18376",
        "under the consumer protocol an automatic commit may cover what the current poll is returning";
    RevocationInPollsOnly: Client, patch(4, 2, 1), None, &[], NEVER, "KAFKA-20332",
        "under the consumer protocol a revocation starts in a poll, never between two";
    AssignmentInPollsOnly: Client, version(4, 3), None, &[], NEVER, "KAFKA-20106",
        "under the consumer protocol an assignment is taken over in a poll, never between two";
    EpochOfTheAssignment: Broker, version(4, 3), None, &[], OF_OLD, "KIP-1251",
        "under the consumer protocol a commit with an older epoch is taken for a partition that the member still has";
}

impl Rule {
    /// The rule's row.
    pub fn introduction(self) -> &'static Introduction {
        RULES
            .iter()
            .find(|row| row.rule == self)
            .expect("the table defines the rules")
    }
}

impl Introduction {
    /// Whether a release of Apache Kafka has the rule.
    fn in_release(&self, release: Version) -> bool {
        release.at_least(self.since)
            && !self.until.is_some_and(|until| release.at_least(until))
            && !self.except.contains(&release)
    }
}

/// The rules that are in force in a design, in the order of the table.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct DesignRules {
    in_force: Vec<Rule>,
}

impl DesignRules {
    /// Whether the rule is in force.
    pub fn has(&self, rule: Rule) -> bool {
        self.in_force.contains(&rule)
    }

    /// The rules in force.
    pub fn in_force(&self) -> &[Rule] {
        &self.in_force
    }
}

impl Versions {
    /// Whether the rule is in force between these brokers and clients.
    pub fn has(&self, rule: Rule) -> bool {
        let row = rule.introduction();
        let broker = || row.in_release(self.kafka);
        let client = || match self.library {
            Client::Java => row.in_release(self.client),
            Client::Librdkafka => row
                .librdkafka
                .is_some_and(|since| self.client.at_least(since)),
        };
        match row.party {
            Party::Broker => broker(),
            Party::Client => client(),
            Party::Both => broker() && client(),
        }
    }

    /// Every rule in force between these brokers and clients.
    pub fn rules(&self) -> DesignRules {
        DesignRules {
            in_force: RULES
                .iter()
                .map(|row| row.rule)
                .filter(|rule| self.has(*rule))
                .collect(),
        }
    }
}
