//! Writes of records that failed for good, to the dead-letter or the retry topic.
//!
//! A write is one step with an outcome: the client repeats it until it is answered, or its delivery timeout
//! passes (a timeout of a healthy write is the fault `delivery-timeout`). One that failed leaves the record
//! where it was: it is handled again from its first step, and its attempts are counted anew, as by Spring's
//! `DefaultErrorHandler` (`resetStateOnRecoveryFailure`). The fault and the timeout behind it are one step:
//! until the timeout the application stands still, and what others do meanwhile can be done before or after.
//!
//! Where every broker loses power, what the dead-letter topic had may be gone, and a write under way may time out
//! as well. Nothing else that strikes brokers is modelled here: it may take what one replica of that topic holds,
//! and the design reader refuses it. So it does with acks=0 beside crashes of the process: a record counts as
//! written while it is on its way, and goes with the process. There is no answer that could be lost then.

use super::{Cluster, State};
use crate::action::{Delivery, Place, Strike};
use crate::broker::Synced;
use crate::consumer::Recovery;
use crate::limbo::Late;
use crate::pipeline::AfterAttempts;

impl Cluster {
    /// The record that failed is written to the dead-letter topic, and passed over.
    pub(super) fn write_failed(&self, state: &mut State, who: u16, at: Place) {
        self.write(state, who, at);
        self.write_is_over(state, who, at);
    }

    fn write(&self, state: &mut State, who: u16, at: Place) {
        let Some(record) = self.record_at(state, who, at) else {
            return;
        };
        if self.pipeline.consumer.output.idempotence {
            // The broker takes only one of a request and its repetitions by the same producer.
            let repeated = Late::Output { record, by: who };
            state.limbo.retain(|late| *late != repeated);
        }
        self.append_failed(state, record);
    }

    /// A record that failed is appended to its topic.
    pub(super) fn append_failed(&self, state: &mut State, record: u16) {
        if self.pipeline.consumer.on_process_failure.then == AfterAttempts::RetryTopic {
            state.retries.write(record);
        } else {
            state.ledger.dead_letter(record);
        }
    }

    fn write_is_over(&self, state: &mut State, who: u16, at: Place) {
        match at {
            Place::Task(index) => {
                self.task(state, who, index).writes = false;
                if !self.task(state, who, index).done {
                    self.pass_over(state, who, at);
                }
                let consumer = &mut state.consumers[usize::from(who)];
                consumer.crew.settle();
            }
            Place::Hand(_) | Place::Poll => {
                state.consumers[usize::from(who)].recovery = Recovery::None;
                self.pass_over(state, who, at);
            }
        }
    }

    /// The write to the dead-letter topic is lost: it is repeated, unless nobody hears of it.
    pub(super) fn lose_failed_write(&self, state: &mut State, who: u16) {
        if !self.hears_of_results()
            && let Some(at) = self.writing(state, who)
        {
            self.write_is_over(state, who, at);
        }
    }

    /// The answer to the write is lost: the write is repeated, which an idempotent producer's broker
    /// recognises.
    pub(super) fn lose_failed_write_answer(&self, state: &mut State, who: u16) {
        let Some(at) = self.writing(state, who) else {
            return;
        };
        if self.pipeline.consumer.output.idempotence {
            self.write_failed(state, who, at);
        } else {
            self.write(state, who, at);
        }
    }

    /// The write is late: it is repeated, unless nobody waits for its answer.
    pub(super) fn delay_failed_write(&self, state: &mut State, who: u16) {
        let record = self
            .writing(state, who)
            .and_then(|at| self.record_at(state, who, at));
        if let Some(record) = record {
            state.limbo.add(Late::Output { record, by: who });
        }
        self.lose_failed_write(state, who);
    }

    /// The ways in which a write may fail, where the client waits for an answer.
    pub(super) fn failing_writes(&self, who: u16, add: &mut impl FnMut(Strike)) {
        if !self.hears_of_results() {
            return;
        }
        for behind in Delivery::ALL {
            for appended in [false, true] {
                // What was answered has been appended; a repetition in flight expires with its client.
                let may = match behind {
                    Delivery::ResponseLost => appended,
                    // A write that was there as well would tell no more.
                    Delivery::PowerLossAll => !appended,
                    Delivery::RequestLost | Delivery::RequestDelayed | Delivery::Slow => {
                        !appended || self.pipeline.rules.flights_expire
                    }
                };
                if may {
                    add(Strike::FailWrite {
                        who,
                        behind,
                        appended,
                    });
                }
            }
        }
    }

    /// The write has failed, as far as its client knows: the record is handled again.
    pub(super) fn fail_write(&self, state: &mut State, who: u16, behind: Delivery, appended: bool) {
        let Some(at) = self.writing(state, who) else {
            return;
        };
        if behind == Delivery::PowerLossAll {
            self.strike_all_brokers(state);
        }
        let late = self.record_at(state, who, at);
        if let Some(record) = late.filter(|_| behind == Delivery::RequestDelayed) {
            state.limbo.add(Late::Output { record, by: who });
        }
        if appended {
            self.write(state, who, at);
        }
        match at {
            Place::Task(index) => {
                let task = self.task(state, who, index);
                (task.writes, task.done) = (false, false);
            }
            Place::Hand(_) | Place::Poll => {
                state.consumers[usize::from(who)].recovery = Recovery::None;
            }
        }
        // Its attempts were counted anew when it was given up.
        self.try_again(state, who, at);
    }

    /// Every broker loses power while a record is written. The write that times out has the record handled again;
    /// commits or dead letters that are lost as well are the fault by itself.
    fn strike_all_brokers(&self, state: &mut State) {
        let Some(replication) = &state.replication else {
            return self.restart_broker(state, state.broker.log_end(), Synced::WhatIsLeft);
        };
        let controller = &replication.controller;
        let last = controller.leader.or(controller.in_sync.iter().next());
        let commits = state.group.history.len() as u16;
        self.strike_every_replica(state, last, commits, true);
    }

    /// Which record is being written to the dead-letter topic.
    pub(super) fn writing(&self, state: &State, who: u16) -> Option<Place> {
        let consumer = &state.consumers[usize::from(who)];
        if consumer.recovery == Recovery::Write {
            return Some(Place::Hand(consumer.failing));
        }
        let task = consumer.crew.tasks.iter().position(|task| task.writes);
        task.map(|index| Place::Task(index as u16))
    }
}
