//! One actor of the model, whichever it is: Stateright's side of it.

use super::message::{Choice, Event, Message, Pick, Role, Timer};
use super::{Setting, broker, consumer, coordinator, nemesis, producer, sink};
use stateright::actor::{Actor, Id, Out, model_timeout};
use std::borrow::Cow;
use std::sync::Arc;

/// Messages on their way out.
pub(super) type Mail = Vec<(Role, Message)>;

/// What an actor does; the rest is the same for each.
pub(super) trait Behave {
    /// A message arrives.
    fn receive(&mut self, setting: &Setting, message: Message, mail: &mut Mail);

    /// A timer fires.
    fn fire(&mut self, _setting: &Setting, _event: Event, _mail: &mut Mail) {}

    /// A choice is made.
    fn choose(&mut self, _setting: &Setting, _pick: Pick, _mail: &mut Mail) {}

    /// The timers that are set in this state. Each changes something when it fires.
    fn events(&self, _setting: &Setting) -> Vec<Event> {
        Vec::new()
    }

    /// What there is to choose from in this state.
    fn picks(&self, _setting: &Setting) -> Vec<Pick> {
        Vec::new()
    }
}

/// The state of an actor.
#[derive(Clone, Debug, PartialEq, Eq, Hash)]
pub enum NodeState {
    /// Of the producer.
    Producer(Box<producer::State>),
    /// Of the broker.
    Broker(broker::State),
    /// Of the group coordinator.
    Coordinator(coordinator::State),
    /// Of the consumer.
    Consumer(Box<consumer::State>),
    /// Of the sink.
    Sink(sink::State),
    /// Of the nemesis.
    Nemesis(nemesis::State),
}

impl NodeState {
    fn start(role: Role, setting: &Setting) -> NodeState {
        match role {
            Role::Producer => NodeState::Producer(Box::new(producer::State::start(setting))),
            Role::Broker => NodeState::Broker(broker::State::default()),
            Role::Coordinator => NodeState::Coordinator(coordinator::State::default()),
            Role::Consumer => NodeState::Consumer(Box::new(consumer::State::start(setting))),
            Role::Sink => NodeState::Sink(sink::State::start(setting)),
            Role::Nemesis => NodeState::Nemesis(nemesis::State::start(setting)),
        }
    }

    fn behaviour(&self) -> &dyn Behave {
        match self {
            NodeState::Producer(state) => state.as_ref(),
            NodeState::Broker(state) => state,
            NodeState::Coordinator(state) => state,
            NodeState::Consumer(state) => state.as_ref(),
            NodeState::Sink(state) => state,
            NodeState::Nemesis(state) => state,
        }
    }

    fn behaviour_mut(&mut self) -> &mut dyn Behave {
        match self {
            NodeState::Producer(state) => state.as_mut(),
            NodeState::Broker(state) => state,
            NodeState::Coordinator(state) => state,
            NodeState::Consumer(state) => state.as_mut(),
            NodeState::Sink(state) => state,
            NodeState::Nemesis(state) => state,
        }
    }
}

/// An actor of a pipeline.
#[derive(Clone, Debug)]
pub struct Node {
    pub(super) role: Role,
    pub(super) setting: Arc<Setting>,
}

/// What made an actor act.
enum Cause<'a> {
    Start,
    Message,
    Timer(&'a Timer),
    Choice,
}

impl Node {
    /// Sends what is to be sent, and has timers and choices follow the state.
    fn put_out(
        &self,
        before: Option<&NodeState>,
        after: &NodeState,
        cause: &Cause<'_>,
        mail: Mail,
        out: &mut Out<Node>,
    ) {
        for (to, message) in mail {
            out.send(to.id(), message);
        }
        let setting = &self.setting;
        let events = |state: &NodeState| state.behaviour().events(setting);
        let set = before.map(events).unwrap_or_default();
        let wanted = events(after);
        for event in set.iter().filter(|event| !wanted.contains(event)) {
            out.cancel_timer(self.timer(*event));
        }
        for event in wanted {
            let timer = self.timer(event);
            let fired = matches!(cause, Cause::Timer(fired) if **fired == timer);
            if fired || !set.contains(&event) {
                out.set_timer(timer, model_timeout());
            }
        }
        let offered = before.map(|state| state.behaviour().picks(setting));
        let picks = after.behaviour().picks(setting);
        if matches!(cause, Cause::Choice) || offered.unwrap_or_default() != picks {
            let owner = self.role;
            let choices = picks.into_iter().map(|pick| Choice { owner, pick });
            out.choose_random(owner.key(), choices.collect());
        }
    }

    fn timer(&self, event: Event) -> Timer {
        Timer {
            owner: self.role,
            event,
        }
    }

    fn act(
        &self,
        state: &mut Cow<'_, NodeState>,
        cause: &Cause<'_>,
        out: &mut Out<Node>,
        act: impl FnOnce(&mut dyn Behave, &Setting, &mut Mail),
    ) {
        let before = state.clone().into_owned();
        let mut mail = Mail::new();
        act(state.to_mut().behaviour_mut(), &self.setting, &mut mail);
        self.put_out(Some(&before), state, cause, mail, out);
    }
}

impl Actor for Node {
    type Msg = Message;
    type Timer = Timer;
    type State = NodeState;
    type Storage = ();
    type Random = Choice;

    fn on_start(&self, _id: Id, _storage: &Option<()>, out: &mut Out<Self>) -> NodeState {
        let state = NodeState::start(self.role, &self.setting);
        self.put_out(None, &state, &Cause::Start, Mail::new(), out);
        state
    }

    fn on_msg(
        &self,
        _id: Id,
        state: &mut Cow<'_, NodeState>,
        _src: Id,
        message: Message,
        out: &mut Out<Self>,
    ) {
        self.act(state, &Cause::Message, out, |actor, setting, mail| {
            actor.receive(setting, message, mail);
        });
    }

    fn on_timeout(
        &self,
        _id: Id,
        state: &mut Cow<'_, NodeState>,
        timer: &Timer,
        out: &mut Out<Self>,
    ) {
        self.act(state, &Cause::Timer(timer), out, |actor, setting, mail| {
            actor.fire(setting, timer.event, mail);
        });
    }

    fn on_random(
        &self,
        _id: Id,
        state: &mut Cow<'_, NodeState>,
        choice: &Choice,
        out: &mut Out<Self>,
    ) {
        self.act(state, &Cause::Choice, out, |actor, setting, mail| {
            actor.choose(setting, choice.pick, mail);
        });
    }

    fn name(&self) -> String {
        self.role.key()
    }
}
