//! A run with the states that it goes through: what diagrams and state panels are drawn from.

use crate::replay::Replay;
use crate::trace::Step;
use semel_models::action::Action;
use semel_models::cluster::State;
use semel_models::pipeline::Pipeline;

/// A run, step by step.
pub(super) struct Story<'a> {
    pub(super) pipeline: &'a Pipeline,
    /// The state before the first step.
    pub(super) start: &'a State,
    pub(super) moments: Vec<Moment<'a>>,
    /// For a run without end: how many steps stand before its loop.
    pub(super) loops_from: Option<usize>,
    pub(super) end: Option<End>,
}

/// One step and the state that it leads to.
pub(super) struct Moment<'a> {
    pub(super) action: Action,
    pub(super) step: &'a Step,
    pub(super) after: &'a State,
}

/// What a run ends in.
pub(super) struct End {
    /// The guarantee that is broken.
    pub(super) guarantee: String,
    /// What is wrong, in one sentence.
    pub(super) sentence: String,
}

impl<'a> Story<'a> {
    /// The story of a replayed run, which ends in `sentence`.
    pub(super) fn of(replay: &'a Replay, sentence: String) -> Story<'a> {
        let moments = replay.steps().iter().map(|step| Moment {
            action: step.action(),
            step: step.told(),
            after: step.after(),
        });
        Story {
            pipeline: replay.pipeline(),
            start: replay.start(),
            moments: moments.collect(),
            loops_from: replay.loops_from(),
            end: Some(End {
                guarantee: replay.guarantee().to_string(),
                sentence,
            }),
        }
    }

    /// The state before the step in this place; behind the last one, the last state.
    pub(super) fn before(&self, place: usize) -> &'a State {
        match place {
            0 => self.start,
            place => self.moments[place - 1].after,
        }
    }
}
