//! The nemesis: it holds the fault budgets and spends them, passes on what the network makes of a
//! connection, and keeps late requests.

use super::Setting;
use super::message::{Blow, Event, Message, Pick, Role, SinkBlow, Wire};
use super::node::{Behave, Mail};
use crate::fault::{Call, Fault};
use crate::limbo::Late;
use crate::pipeline::Source;

/// The nemesis.
#[derive(Clone, Debug, Default, PartialEq, Eq, Hash)]
pub struct State {
    /// What is left of each entry of the budget.
    left: Vec<u16>,
    total: u16,
    /// Late requests, sorted: they race.
    late: Vec<Late>,
}

impl Behave for State {
    fn receive(&mut self, _setting: &Setting, message: Message, mail: &mut Mail) {
        match message {
            Message::Broke(_) => mail.push((Role::Producer, message)),
            Message::Closed(_) => mail.push((Role::Broker, message)),
            Message::Delayed(late) => {
                self.late.push(late);
                self.late.sort_unstable();
            }
            _ => unreachable!("{message:?} is not for the nemesis"),
        }
    }

    fn fire(&mut self, _setting: &Setting, event: Event, mail: &mut Mail) {
        let Event::Arrive(late) = event else {
            unreachable!("{event:?} is not the nemesis's");
        };
        if let Some(slot) = self.late.iter().position(|other| *other == late) {
            self.late.remove(slot);
        }
        let to = match late {
            Late::Produce { .. } => Role::Broker,
            Late::Commit { .. } => Role::Coordinator,
            Late::Output { .. } | Late::Result { .. } | Late::Call { .. } => {
                unreachable!("other topics are not hosted here")
            }
            Late::InitProducerId { .. }
            | Late::AddPartitions { .. }
            | Late::EndTransaction { .. } => {
                unreachable!("transactions are not hosted here")
            }
        };
        mail.push((to, Message::Late(late)));
    }

    fn choose(&mut self, setting: &Setting, pick: Pick, mail: &mut Mail) {
        let Pick::Strike(blow) = pick else {
            unreachable!("{pick:?} is not the nemesis's");
        };
        if let Some(entry) = self.payer(setting, blow) {
            self.left[entry] -= 1;
            self.total -= 1;
            mail.push((blow.target(), Message::Strike(blow)));
        }
    }

    fn events(&self, _setting: &Setting) -> Vec<Event> {
        let mut late = self.late.clone();
        late.dedup();
        late.into_iter().map(Event::Arrive).collect()
    }

    fn picks(&self, setting: &Setting) -> Vec<Pick> {
        let blows = blows(setting).into_iter();
        blows
            .filter(|blow| self.payer(setting, *blow).is_some())
            .map(Pick::Strike)
            .collect()
    }
}

impl State {
    pub(super) fn start(setting: &Setting) -> State {
        let faults = &setting.pipeline.faults;
        State {
            left: faults.entries.iter().map(|(_, budget)| *budget).collect(),
            total: faults.total(),
            late: Vec::new(),
        }
    }

    /// The entry that pays for `blow`: one for this very call before one for any.
    fn payer(&self, setting: &Setting, blow: Blow) -> Option<usize> {
        let (fault, call) = blow.price();
        let pays = |wanted: Option<Call>| {
            let mut entries = setting.pipeline.faults.entries.iter().zip(&self.left);
            entries
                .position(|((key, _), left)| key.fault == fault && key.call == wanted && *left > 0)
        };
        let named = call.and_then(|call| pays(Some(call)));
        named.or_else(|| pays(None)).filter(|_| self.total > 0)
    }
}

/// Everything that can strike a pipeline of this kind.
fn blows(setting: &Setting) -> Vec<Blow> {
    let wires = [
        Wire::LoseRequest,
        Wire::LoseAnswer,
        Wire::Refuse,
        Wire::Delay,
    ];
    let consumer = &setting.pipeline.consumer;
    // Which record fails only matters where the application goes on without it.
    let places = match consumer.on_process_failure.goes_on() {
        true => setting.limits.poll,
        false => 1,
    };
    let commits = wires.into_iter().filter(|_| consumer.commits());
    let mut blows = vec![
        Blow::ProducerCrash,
        Blow::DeliveryTimeout,
        Blow::ConsumerCrash,
    ];
    if matches!(setting.pipeline.producer.source, Source::DualWrite(_)) {
        blows.push(Blow::Abort);
    }
    blows.extend(wires.map(Blow::Produce));
    blows.extend(commits.map(Blow::Commit));
    for nth in 0..places {
        for flag in [false, true] {
            blows.push(Blow::Fail { late: flag, nth });
            blows.push(Blow::Sink(SinkBlow { acts: flag, nth }));
        }
    }
    blows
}

impl Blow {
    fn target(self) -> Role {
        match self {
            Blow::ProducerCrash | Blow::DeliveryTimeout | Blow::Abort => Role::Producer,
            Blow::Produce(_) => Role::Broker,
            Blow::Commit(_) => Role::Coordinator,
            Blow::ConsumerCrash | Blow::Fail { .. } => Role::Consumer,
            Blow::Sink(_) => Role::Sink,
        }
    }

    /// The fault that it is, and the call that it strikes.
    fn price(self) -> (Fault, Option<Call>) {
        let wire = |wire, call| {
            let fault = match wire {
                Wire::LoseRequest => Fault::RequestLost,
                Wire::LoseAnswer => Fault::ResponseLost,
                Wire::Refuse => Fault::RequestRefused,
                Wire::Delay => Fault::RequestDelayed,
            };
            (fault, Some(call))
        };
        match self {
            Blow::ProducerCrash => (Fault::ProducerCrash, None),
            Blow::DeliveryTimeout => (Fault::DeliveryTimeout, None),
            Blow::Abort => (Fault::Abort, None),
            Blow::ConsumerCrash => (Fault::ConsumerCrash, None),
            Blow::Produce(how) => wire(how, Call::Produce),
            Blow::Commit(how) => wire(how, Call::OffsetCommit),
            Blow::Fail { late: false, .. } => (Fault::ProcessFailure, None),
            Blow::Fail { late: true, .. } => (Fault::ProcessFailureLate, None),
            Blow::Sink(SinkBlow { acts: false, .. }) => (Fault::SinkUnavailable, None),
            Blow::Sink(SinkBlow { acts: true, .. }) => (Fault::SinkAnswerLost, None),
        }
    }
}
