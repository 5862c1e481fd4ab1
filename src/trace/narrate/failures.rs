//! Failures of handling, and what follows, told.

use super::ConsumerScene;
use crate::trace::facts::name;
use semel_models::action::{Delivery, Failure, Place};
use semel_models::consumer::crew::Task;
use semel_models::consumer::{Phase, Recovery};
use semel_models::offset::Offset;
use semel_models::order::{Item, Step};
use semel_models::pipeline::{AfterAttempts, Dedup};
use semel_models::program::Operation;

impl ConsumerScene<'_> {
    pub(super) fn crash(&self) -> String {
        let consumer = self.before();
        if consumer.phase != Phase::Handling {
            let tasks: Vec<String> = consumer
                .crew
                .tasks
                .iter()
                .filter(|task| !task.done)
                .map(|task| name(task.record))
                .collect();
            if !tasks.is_empty() {
                return format!(
                    "{}'s process dies while its workers have {}.",
                    self.the(),
                    tasks.join(" and ")
                );
            }
            let nothing = match consumer.crew.tasks.is_empty() {
                true => ", with nothing in hand",
                false => "",
            };
            return format!("{}'s process dies between two polls{nothing}.", self.the());
        }
        let who = self.records_at_hand();
        let next = self.operation();
        let before = usize::from(consumer.operation).checked_sub(1);
        match before.map(|index| &self.cluster.program().operations[index]) {
            Some(done) => {
                format!(
                    "{}'s process dies after {done} and before {next} of {who}.",
                    self.the()
                )
            }
            None if self.awaits_report() => format!(
                "{}'s process dies while it waits for the report of the result of {who}.",
                self.the()
            ),
            None => format!("{}'s process dies before {next} of {who}.", self.the()),
        }
    }

    pub(super) fn fail(&self, failure: Failure, at: Place) -> (&'static str, String) {
        let records = self.records_at(at);
        let operation = self.operation_of(at);
        let then = self.after_failure(at);
        let (step, work, whose) = (
            &operation.item,
            self.work_done(),
            self.store_called(operation),
        );
        let sentence = match failure {
            Failure::Before => format!("Handling {records} fails before its effect, and {then}."),
            Failure::After if operation.transaction => format!(
                "Handling {records} fails after its effect: {step} is rolled back, and {then}."
            ),
            Failure::After | Failure::Sent if self.fails_after_report() => format!(
                "The result of {records} is sent, and handling is to fail once it is reported."
            ),
            Failure::After => {
                format!("Handling {records} fails after its effect ({work}), and {then}.")
            }
            Failure::Sent => format!(
                "The result of {records} is sent{}; then handling fails, and {then}.",
                self.scene.newly_seen()
            ),
            Failure::SinkUnavailable => {
                format!(
                    "The {whose} does not answer to {step} of {records} and does nothing; {then}."
                )
            }
            Failure::SinkAnswerLost if self.cluster.prepares(operation) => format!(
                "The {whose} does what {step} of {records} asks ({work}), but its answer is lost; the process ends, and its next start asks the database."
            ),
            Failure::SinkAnswerLost => format!(
                "The {whose} does what {step} of {records} asks ({work}), but its answer is lost; {then}."
            ),
            Failure::Poison => {
                format!("{records} cannot be handled, now or ever: handling fails, and {then}.")
            }
        };
        let actor = match failure {
            Failure::Before | Failure::After | Failure::Sent | Failure::Poison => "consumer",
            Failure::SinkUnavailable | Failure::SinkAnswerLost => "sink",
        };
        (actor, sentence)
    }

    fn task(&self, index: u16) -> Task {
        self.before().crew.tasks[usize::from(index)]
    }

    fn operation_of(&self, at: Place) -> &Operation {
        match at {
            Place::Hand(_) | Place::Poll => self.operation(),
            Place::Task(index) => {
                let operation = self.task(index).operation;
                &self.cluster.program().operations[usize::from(operation)]
            }
        }
    }

    fn records_at(&self, at: Place) -> String {
        match at {
            Place::Hand(place) if self.goes_on() => name(self.before().hand[usize::from(place)]),
            Place::Hand(_) | Place::Poll => self.records_at_hand(),
            Place::Task(index) => name(self.task(index).record),
        }
    }

    fn goes_on(&self) -> bool {
        self.cluster
            .pipeline()
            .consumer
            .on_process_failure
            .goes_on()
    }

    /// What follows a failure.
    fn after_failure(&self, at: Place) -> String {
        let then = self.after_attempt(at);
        let tried_again = then == "it is tried again";
        match self.operation_of(at).transaction_begin() {
            None => then.into(),
            Some(_) if tried_again => {
                format!("the transaction is aborted and {}", self.then_after_abort())
            }
            Some(_) => format!("the transaction is aborted and {then}"),
        }
    }

    fn after_attempt(&self, at: Place) -> &'static str {
        let settings = self.cluster.pipeline().consumer.on_process_failure;
        let attempts = match at {
            Place::Task(index) => self.task(index).attempts,
            Place::Hand(_) | Place::Poll => self.before().attempts,
        };
        if settings.then == AfterAttempts::Block || attempts + 1 < settings.attempts {
            return "it is tried again";
        }
        match settings.then {
            AfterAttempts::Stop => "the process ends",
            AfterAttempts::Close => "the exception leaves the loop: the consumer is closed",
            AfterAttempts::Skip => "it is passed over",
            AfterAttempts::DeadLetter(_) => "it is to go to the dead-letter topic",
            AfterAttempts::RetryTopic => "it is to go to the retry topic",
            AfterAttempts::Block => "it is tried again",
        }
    }

    /// The store that the operation calls.
    fn store_called(&self, operation: &Operation) -> &'static str {
        let only_looks = |step| matches!(step, Step::SkipIfSeen | Step::Remember);
        let separate = self.cluster.pipeline().sink.dedup == Dedup::Separate;
        if separate && operation.steps().all(only_looks) {
            "dedup store"
        } else {
            "sink"
        }
    }

    /// The attempt at a record that cannot be handled, if that is what the step was.
    pub(super) fn failed_again(&self) -> Option<String> {
        let consumer = self.before();
        let operation = self.operation();
        let poisoned = |place: &u16| {
            consumer.skipped & (1 << place) == 0
                && self
                    .scene
                    .before
                    .poisoned
                    .contains(consumer.hand[usize::from(*place)])
        };
        let place = consumer
            .places(operation.scope)
            .find(poisoned)
            .filter(|_| {
                let only_produces = self.cluster.pipeline().consumer.only_produces();
                operation.contains(Step::Process)
                    || only_produces
                        && (operation.contains(Step::Produce)
                            || operation.contains(Step::ProduceAsync))
            })?;
        let at = Place::Hand(place);
        Some(format!(
            "{}Handling {} fails again, and {}.",
            self.whose(),
            name(consumer.hand[usize::from(place)]),
            self.after_failure(at)
        ))
    }

    /// Whether the sink refused what the application wrote.
    pub(super) fn was_refused(&self) -> bool {
        let dropped = match self.after().phase {
            Phase::Outside | Phase::Down => true,
            Phase::Idle | Phase::Polling | Phase::Handling | Phase::Leaving => false,
        };
        dropped && self.before().phase == Phase::Handling
    }

    pub(super) fn refused_write(&self, item: &Item, records: &str) -> String {
        let why = if self.before().generation < self.scene.before.sink.fence {
            "a newer generation owns the partition"
        } else {
            "another offset is saved than the one that it started from"
        };
        format!(
            "{}{item} of {records} is refused by the sink: {why}. The {} drops what it has in hand, and joins again.",
            self.whose(),
            self.name()
        )
    }

    pub(super) fn write_failed(&self) -> String {
        self.written(self.record_to_write())
    }

    /// The record that is being written to the dead-letter or the retry topic.
    fn record_to_write(&self) -> u16 {
        let consumer = self.before();
        if consumer.recovery == Recovery::Write {
            consumer.hand[usize::from(consumer.failing)]
        } else {
            let task = consumer.crew.tasks.iter().find(|task| task.writes);
            task.map_or(0, |task| task.record)
        }
    }

    /// The delivery timeout of a write to the dead-letter or the retry topic passes.
    pub(super) fn failed_write_fails(&self, behind: Delivery, appended: bool) -> String {
        let record = name(self.record_to_write());
        let topic = self.scene.topic_of_failures();
        let happens = match behind {
            Delivery::RequestLost => {
                format!("The request that writes {record} to the {topic} topic is lost")
            }
            Delivery::RequestDelayed => {
                format!("The request that writes {record} to the {topic} topic is held up")
            }
            Delivery::ResponseLost => {
                format!("The {topic} topic has {record}, and the answer is lost")
            }
            Delivery::PowerLossAll => format!(
                "Every broker loses power while {record} is to be written to the {topic} topic"
            ),
            Delivery::Slow => format!("The write of {record} to the {topic} topic takes too long"),
        };
        let timeout = match (behind, appended) {
            (Delivery::RequestLost | Delivery::RequestDelayed, true) => {
                "its repetition is written, but the delivery timeout passes before the answer arrives"
            }
            (Delivery::RequestLost | Delivery::RequestDelayed, false)
            | (Delivery::ResponseLost, _) => "the delivery timeout passes before it is repeated",
            (Delivery::PowerLossAll, _) => "the delivery timeout passes before they are back",
            (Delivery::Slow, true) => "the topic has it when the delivery timeout passes",
            (Delivery::Slow, false) => "the delivery timeout passes",
        };
        format!(
            "{}{happens}; {timeout}. For the application the write has failed, and it handles {record} again.",
            self.whose()
        )
    }

    fn written(&self, record: u16) -> String {
        format!(
            "{}{} is written to the {} topic and passed over.",
            self.whose(),
            name(record),
            self.scene.topic_of_failures()
        )
    }

    pub(super) fn drop_task(&self, index: u16) -> String {
        let task = self.before().crew.tasks[usize::from(index)];
        format!(
            "{}{} was still in the queue when the listener dropped that: no worker handles it.",
            self.whose(),
            name(task.record)
        )
    }

    pub(super) fn work(&self, index: u16) -> String {
        let task = self.task(index);
        let record = name(task.record);
        if task.writes {
            return self.written(task.record);
        }
        let operation = self.operation_of(Place::Task(index));
        let worker = match self.whose().as_str() {
            "" => "A worker".into(),
            whose => format!("{whose}one of its workers"),
        };
        let poisoned = self.scene.before.poisoned.contains(task.record);
        if poisoned && operation.contains(Step::Process) && !task.skipped {
            let then = self.after_failure(Place::Task(index));
            return format!("{worker} fails to handle {record} again, and {then}.");
        }
        let after = self.after().crew.tasks.get(usize::from(index));
        let looked = after.is_some_and(|after| after.looked.is_some());
        if task.looked.is_none() && looked {
            let found = self.store_knows(task.record, Offset(task.offset));
            return self.looked_up(operation, &record, found);
        }
        match &operation.item {
            Item::Step(Step::SkipIfSeen) => {
                let knows = if self.store_knows(task.record, Offset(task.offset)) {
                    "knows"
                } else {
                    "does not know"
                };
                format!("{worker} looks {record} up: the dedup store {knows} it.")
            }
            Item::Step(Step::StoreOffset) => {
                let at = self.after().stored.map_or(0, |at| at.next.0);
                format!(
                    "{worker} does store-offset of {record}: the background commit may commit offset {at}."
                )
            }
            item => format!("{worker} does {item} of {record}: {}.", self.work_done()),
        }
    }
}
