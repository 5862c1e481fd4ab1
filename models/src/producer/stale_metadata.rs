//! A broker that restarts reports a topic as missing, until it has caught up with the cluster.
//!
//! **librdkafka** takes that for the truth: the topic does not exist, its partitions are removed, and
//! what waits in their queues fails (`rd_kafka_topic_set_notexists`,
//! `rd_kafka_topic_partition_cnt_update`, PARTITION_LEAVE in `rdkafka_broker.c`). With right metadata
//! the partitions come back as new objects. Since 1.9.0 an idempotent producer saves the number of the
//! last message and the base of its epoch, and goes on from there; what failed in between leaves a
//! gap, which is out of order at the broker and bumps the epoch. Before, it counts from 0 again, under
//! the same producer id and epoch: the broker takes new messages for repeats of old ones, and answers
//! with a success ([`crate::pipeline::KafkaRules::sequences_outlive_metadata`]; CHANGELOG of 1.9.0).
//!
//! **In a transaction** what fails so counts against it (`rd_kafka_dr_msgq0`, `txn_dr_fails`): its commit is
//! refused, and the application aborts. The new object of the partition is not known to belong to the
//! transaction, and is added once more with its next message (`rd_kafka_txn_add_partition`).
//!
//! **Java** keeps everything: sequence numbers are by partition (`TxnPartitionMap`), batches wait in
//! the accumulator for a leader (`RecordAccumulator.ready`), and `send()` waits for the topic up to
//! `max.block.ms`. Nothing changes but when things happen.
//!
//! **Consumers** give the partition up and get it back, as in a rebalance, which is a fault of its
//! own; a client that asks the wrong broker is answered NOT_LEADER_OR_FOLLOWER and asks again, as
//! after a request that is refused.
//!
//! **Left out.** What is in flight at that moment: the broker's answer to it comes to the old object
//! and means what it would have meant before. A call of `produce()` while the topic is missing fails
//! at once, and is like a send that was never made until the application makes it again.

use super::librdkafka::LibrdkafkaSequences;
use super::{Failure, Producer};
use crate::ledger::Ledger;
use crate::outbox::Database;
use crate::pipeline::{Client, OnSendFailure, Pipeline};

impl Producer {
    /// Whether its client would drop a topic that is reported as missing, with anything to lose.
    pub fn can_drop_topic(&self, database: &Database, pipeline: &Pipeline) -> bool {
        pipeline.client == Client::Librdkafka
            && self.flights.is_empty()
            && !self.librdkafka.fatal
            && self.is_busy(database, pipeline)
    }

    /// The topic is reported as missing, and comes back.
    pub fn drop_topic(&mut self, pipeline: &Pipeline, ledger: &mut Ledger) {
        let before = self.librdkafka;
        let newest = match pipeline.rules.sequences_outlive_metadata {
            true => LibrdkafkaSequences {
                epoch: before.epoch,
                base: before.base,
                ..LibrdkafkaSequences::default()
            },
            false => LibrdkafkaSequences {
                epoch: before.epoch,
                // Messages are counted anew, from the next one on.
                acknowledged: self.created,
                ..LibrdkafkaSequences::default()
            },
        };
        if pipeline.producer.idempotence {
            self.librdkafka = newest;
        }
        let waiting = self.queue.to_vec();
        self.queue.truncate(0);
        for batch in waiting {
            if pipeline.producer.is_transactional() {
                self.fail_in_transaction(&batch, Failure::RetriesExhausted, pipeline, ledger);
                continue;
            }
            match pipeline.producer.on_send_failure {
                OnSendFailure::Resend => self.enqueue(batch.record),
                OnSendFailure::GiveUp | OnSendFailure::Ignore => {
                    self.leave_failed(batch.record, pipeline, ledger);
                }
            }
        }
    }
}
