//! Transactions that a database says are prepared: which lies in a row of the sink's, written by the database
//! transaction that prepares one, and read by the next start.

use super::transaction_steps::output_key;
use super::{LabError, Run};
use crate::lab::sink::{Prepared, SinkError, SqlSink};
use semel_models::cluster::Execution;
use semel_models::ledger::Ledger;
use semel_models::limits::Limits;
use semel_models::offset::NextOffset;
use semel_models::output::{self, Output};
use semel_models::pipeline::Pipeline;
use semel_models::store::{NotDone, Over, Performed, Store, Write};
use semel_models::transaction_coordinator::Outcome;

/// What a database transaction says of the Kafka transaction around it.
#[derive(Clone, Copy, Debug)]
pub(super) struct Says {
    /// The transactional id.
    id: u16,
    /// What is prepared; `None`: nothing was sent.
    prepared: Option<Prepared>,
}

/// A database that can say it.
pub(super) trait SayPrepared: Store {
    fn say(&mut self, says: Says) -> Result<(), Self::Error>;
}

impl SayPrepared for SqlSink {
    fn say(&mut self, says: Says) -> Result<(), SinkError> {
        self.prepare(says.id, says.prepared)
    }
}

/// The sink; the last statement of each of its transactions says what is prepared, where that is to be said.
pub(super) struct Preparing<'a, S> {
    pub(super) sink: &'a mut S,
    pub(super) says: Option<Says>,
    pub(super) in_transaction: bool,
}

impl<'a, S: SayPrepared> Preparing<'a, S> {
    pub(super) fn over(sink: &'a mut S, says: Option<Says>) -> Preparing<'a, S> {
        Preparing {
            sink,
            says,
            in_transaction: false,
        }
    }
}

impl<S: SayPrepared> Store for Preparing<'_, S> {
    type Error = S::Error;
    type Begun = S::Begun;

    fn begin(&mut self) -> Result<S::Begun, S::Error> {
        self.in_transaction = true;
        self.sink.begin()
    }

    fn commit(&mut self, begun: S::Begun) -> Result<(), S::Error> {
        self.in_transaction = false;
        let said = self.says.map_or(Ok(()), |says| self.sink.say(says));
        match said {
            Ok(()) => self.sink.commit(begun),
            Err(error) => {
                // The failure says more than what may fail after it.
                let _ = self.sink.roll_back(begun);
                Err(error)
            }
        }
    }

    fn roll_back(&mut self, begun: S::Begun) -> Result<(), S::Error> {
        self.in_transaction = false;
        self.sink.roll_back(begun)
    }

    fn knows(&self, key: u16) -> Result<bool, S::Error> {
        self.sink.knows(key)
    }

    fn insert(
        &mut self,
        key: u16,
        fenced: Option<u16>,
        pipeline: &Pipeline,
        limits: &Limits,
    ) -> Result<bool, NotDone<S::Error>> {
        self.sink.insert(key, fenced, pipeline, limits)
    }

    fn perform(
        &mut self,
        write: Write,
        pipeline: &Pipeline,
        ledger: &Ledger,
    ) -> Result<Performed, NotDone<S::Error>> {
        self.sink.perform(write, pipeline, ledger)
    }

    fn saved(&self) -> Result<Option<NextOffset>, S::Error> {
        self.sink.saved()
    }

    /// Outside of a transaction, one of its own.
    fn save(
        &mut self,
        next: NextOffset,
        over: Over,
        fenced: Option<u16>,
    ) -> Result<(), NotDone<S::Error>> {
        if self.in_transaction || self.says.is_none() {
            return self.sink.save(next, over, fenced);
        }
        let begun = self.begin()?;
        match self.sink.save(next, over, fenced) {
            Ok(()) => Ok(self.commit(begun)?),
            Err(refused) => {
                self.roll_back(begun)?;
                Err(refused)
            }
        }
    }

    fn fence(&mut self, generation: u16) -> Result<(), S::Error> {
        self.sink.fence(generation)
    }
}

impl Run {
    /// What the operation has the database say, if it prepares a transaction.
    pub(super) fn says(&self, execution: &Execution<'_>) -> Option<Says> {
        let prepares = self.cluster.prepares(execution.operation) && !execution.looks_up;
        let output = self.state.output.as_deref().filter(|_| prepares)?;
        let own = &output.producers[usize::from(execution.who)];
        let told = self.rig.results().told(execution.who);
        Some(Says {
            id: output::id_of(execution.who, self.cluster.pipeline()),
            prepared: told.filter(|_| own.open),
        })
    }

    /// A start reads what the database says is prepared, and asks the coordinator for the commit of that.
    pub(super) fn resume(&mut self, who: u16, id: u16, commits: bool) -> Result<(), LabError> {
        let version = self.cluster.pipeline().rules.transactions.version;
        let found = self.rig.sink(who).prepared(id)?;
        let committed = found.is_some_and(|found| {
            let kept = self.rig.transactions().get(output_key(found.producer));
            let mut asked = kept;
            asked.end(found.epoch.0 as u16, Outcome::Commit, version);
            asked.phase != kept.phase
        });
        self.agree("whether the start commits something", commits, committed)
    }

    /// Compares what the database says is prepared with what is so in the model: that of an epoch which is
    /// no longer in force is nothing.
    pub(super) fn compare_prepared(&mut self, output: &Output) -> Result<(), LabError> {
        if !self.cluster.limits().prepares {
            return Ok(());
        }
        for id in 0..output.transactions.len() as u16 {
            let current = self.rig.results().identity(id);
            let expected = output.prepared[usize::from(id)].map(|_| current);
            let found = self.rig.sink(0).prepared(id)?;
            let found = found.filter(|found| *found == current);
            self.agree("what the database says is prepared", expected, found)?;
        }
        Ok(())
    }
}
