//! What a step does in the sink's database, and that the rows are as they should be.

use super::interrupted::{Instead, Interrupted, Why};
use super::prepared_steps::Preparing;
use super::{LabError, Run};
use crate::lab::judge::{Judgement, Records};
use semel_models::action::{Action, ConsumerStrike, Strike};
use semel_models::cluster::{Ran, State};
use semel_models::store::Store;
use std::convert::Infallible;

/// What came of an execution, whatever the store.
type Outcome = (&'static str, u32);

fn outcome<E>(ran: Ran<E>) -> Result<Outcome, E> {
    match ran {
        Ran::Found(places) => Ok(("found", places)),
        Ran::Done(skipped) => Ok(("done", skipped)),
        Ran::Refused => Ok(("refused", 0)),
        Ran::Failed(error) => Err(error),
    }
}

impl Run {
    /// Runs the operation of the step as SQL, and the model's beside it.
    pub(super) fn run_on_sink(&mut self, action: Action) -> Result<(), LabError> {
        self.break_off(action)?;
        let Some(execution) = self.cluster.execution(&self.state, action) else {
            return Ok(());
        };
        let (who, says) = (execution.who, self.says(&execution));
        let process = &self.state.consumers[usize::from(who)];
        let (mut own, mut sink) = (process.clone(), self.state.sink.clone());
        let mut ledger = self.state.ledger.clone();
        let ran = execution.run(&self.cluster, &mut own, &mut sink, &mut ledger);
        let Ok::<_, Infallible>(expected) = outcome(ran);
        let (mut real, mut counted) = (process.clone(), self.state.ledger.clone());
        let mut sink = Preparing::over(self.rig.sink(who), says);
        let ran = execution.run(&self.cluster, &mut real, &mut sink, &mut counted);
        let ran = outcome(ran)?;
        self.agree("the outcome of the operation", expected, ran)?;
        self.agree("the ledger", &ledger, &counted)?;
        self.agree("what the process knows", own, real)
    }

    /// A transaction that a fault strikes is run up to its commit, and not committed.
    fn break_off(&mut self, action: Action) -> Result<(), LabError> {
        let Some(execution) = self.cluster.broken_off(&self.state, action) else {
            return Ok(());
        };
        let crashes = matches!(
            action,
            Action::Fault {
                strike: Strike::Consumer {
                    how: ConsumerStrike::Crash,
                    ..
                },
                ..
            }
        );
        let says = self.says(&execution);
        let mut sink = Interrupted {
            sink: self.rig.sink(execution.who),
            instead: match crashes {
                true => Instead::Crash,
                false => Instead::RollBack,
            },
        };
        let mut process = self.state.consumers[usize::from(execution.who)].clone();
        let mut ledger = self.state.ledger.clone();
        let mut sink = Preparing::over(&mut sink, says);
        match execution.run(&self.cluster, &mut process, &mut sink, &mut ledger) {
            Ran::Failed(Why::Failed(error)) => Err(error.into()),
            Ran::Failed(Why::Interrupted) | Ran::Refused | Ran::Done(_) | Ran::Found(_) => Ok(()),
        }
    }

    /// A new owner tells its generation, and reads the saved offset.
    pub(super) fn tell_fence(&mut self, after: &State) -> Result<(), LabError> {
        let owner = after.group.owner.unwrap_or(0);
        if after.sink.fence != self.state.sink.fence {
            self.rig.sink(owner).fence(after.sink.fence)?;
        }
        let owned = self.state.group.owner == after.group.owner
            && self.state.group.generation == after.group.generation;
        if !owned && self.cluster.limits().saves {
            let saved = self.rig.sink(owner).saved()?;
            self.agree("the saved offset", after.sink.saved, saved)?;
        }
        Ok(())
    }

    /// Compares every table with the model's sink.
    pub(super) fn compare_sink(&mut self) -> Result<(), LabError> {
        let contents = self.rig.sink(0).contents()?;
        let sink = &self.state.sink;
        let rows = (0..).zip(sink.rows.iter());
        let rows = rows.filter_map(|(key, row)| Some((key, (*row)?.record)));
        self.agree("the rows", rows.collect(), contents.rows)?;
        let seen = sink.seen.keys.iter().collect();
        self.agree("the dedup keys", seen, contents.seen)?;
        let saved = sink.saved.map(|next| next.0);
        self.agree("the saved offset", saved, contents.saved)?;
        self.agree("the newest generation", sink.fence, contents.fence)
    }

    /// Compares the count of the rows with the ledger.
    pub(super) fn compare_judgement(&self, judgement: &Judgement) -> Result<(), LabError> {
        let ledger = &self.state.ledger;
        let those = |is: &dyn Fn(u16) -> bool| -> Records {
            let records = 0..self.cluster.pipeline().bounds.records;
            records.filter(|record| is(*record)).collect()
        };
        let lost = those(&|record| ledger.is_confirmed(record) && !ledger.is_settled(record));
        self.agree("the records without an effect", &lost, &judgement.lost)?;
        let repeated = those(&|record| ledger.handled[usize::from(record)] > 1);
        self.agree(
            "the records with several effects",
            &repeated,
            &judgement.repeated,
        )?;
        let sent = |record| ledger.sent.contains(record) && !ledger.is_aborted(record);
        let phantom = those(&|record| ledger.is_handled(record) && !sent(record));
        self.agree(
            "the records that were never sent",
            &phantom,
            &judgement.phantom,
        )?;
        let disordered = !judgement.out_of_order.is_empty();
        self.agree("whether order was kept", ledger.disordered, disordered)
    }
}
