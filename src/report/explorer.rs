//! The model as Stateright's Explorer shows it: steps in sentences, states as facts, and the path as a
//! sequence diagram.
//!
//! A [`Scene`] is a state of the model and nothing else as far as the Explorer compares it. What it
//! carries beside that, only tells: which consumers' processes run, which an action of a member that
//! was put out needs to be told well.

use super::diagram::Diagram;
use super::story::{Moment, Story};
use crate::trace::{Holder, Running, Step, facts, lettered, running, tell_step};
use semel_models::action::Action;
use semel_models::cluster::{Cluster, State};
use semel_models::guarantee::Guarantee;
use semel_models::subject::Subject;
use stateright::{Model, Path, Property};
use std::fmt;
use std::hash::{Hash, Hasher};
use std::sync::Arc;

/// A model to be shown.
#[derive(Clone)]
pub(crate) struct Explorable {
    cluster: Arc<Cluster>,
}

/// A state to be shown.
#[derive(Clone)]
pub(crate) struct Scene {
    state: Arc<State>,
    running: Running,
    cluster: Arc<Cluster>,
}

/// A step to be shown.
#[derive(Clone)]
pub(crate) struct Deed {
    action: Action,
    before: Scene,
}

impl Explorable {
    /// With every order of steps, and with all that a reader wants to know.
    pub(crate) fn of(cluster: &Cluster) -> Explorable {
        Explorable {
            cluster: Arc::new(cluster.for_telling()),
        }
    }
}

impl Scene {
    /// The step that leads from here, and where it leads, if it changes anything.
    fn taken(&self, action: Action) -> Option<(Step, Scene)> {
        let after = self.cluster.next_state(&self.state, action)?;
        let mut running = self.running;
        let told = tell_step(&self.cluster, &self.state, action, &after, &mut running);
        let scene = Scene {
            state: Arc::new(after),
            running,
            cluster: Arc::clone(&self.cluster),
        };
        Some((told, scene))
    }
}

impl PartialEq for Scene {
    fn eq(&self, other: &Scene) -> bool {
        self.state == other.state
    }
}

impl Eq for Scene {}

impl Hash for Scene {
    fn hash<H: Hasher>(&self, hasher: &mut H) {
        self.state.hash(hasher);
    }
}

impl fmt::Debug for Scene {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        let pipeline = self.cluster.pipeline();
        let mut facts = facts(&self.state, pipeline);
        facts.sort_by_key(|fact| fact.holder);
        let mut holder = None;
        for fact in facts {
            if holder != Some(fact.holder) {
                writeln!(f, "{}", title(fact.holder, pipeline.group.instances))?;
                holder = Some(fact.holder);
            }
            writeln!(f, "  {}: {}", fact.name, fact.value)?;
        }
        writeln!(f, "Faults left\n  in all: {}", self.state.left_in_all)?;
        for (key, left) in self.cluster.fault_keys().zip(self.state.left) {
            writeln!(f, "  {key}: {left}")?;
        }
        Ok(())
    }
}

/// What stands above the facts that one holds.
pub(super) fn title(holder: Holder, instances: u16) -> String {
    match holder {
        Holder::Upstream => "Application and producer".into(),
        Holder::Broker => "Broker".into(),
        Holder::OtherPartition => "Partition 1".into(),
        Holder::Coordinator => "Coordinator".into(),
        Holder::Consumer(who) if instances > 1 => format!("Consumer {}", lettered(who)),
        Holder::Consumer(_) => "Consumer".into(),
        Holder::Sink => "Sink".into(),
        Holder::Output => "Output topic".into(),
    }
}

impl PartialEq for Deed {
    fn eq(&self, other: &Deed) -> bool {
        self.action == other.action && self.before == other.before
    }
}

impl fmt::Debug for Deed {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        match self.before.taken(self.action) {
            Some((told, _)) => match told.fault() {
                Some(fault) => write!(f, "⚡ {} [{fault}]", told.sentence()),
                None => f.write_str(told.sentence()),
            },
            None => f.write_str("(changes nothing)"),
        }
    }
}

impl Model for Explorable {
    type State = Scene;
    type Action = Deed;

    fn init_states(&self) -> Vec<Scene> {
        let starts = self.cluster.init_states().into_iter();
        starts
            .map(|state| Scene {
                running: running(&state),
                state: Arc::new(state),
                cluster: Arc::clone(&self.cluster),
            })
            .collect()
    }

    /// Only what changes something: the Explorer would show the rest as dead ends.
    fn actions(&self, scene: &Scene, deeds: &mut Vec<Deed>) {
        let mut actions = Vec::new();
        self.cluster.actions(&scene.state, &mut actions);
        let changes = |action: &Action| self.cluster.next_state(&scene.state, *action).is_some();
        deeds.extend(actions.into_iter().filter(changes).map(|action| Deed {
            action,
            before: scene.clone(),
        }));
    }

    fn next_state(&self, scene: &Scene, deed: Deed) -> Option<Scene> {
        scene.taken(deed.action).map(|(_, after)| after)
    }

    fn format_action(&self, deed: &Deed) -> String {
        format!("{deed:?}")
    }

    /// What the step changes.
    fn format_step(&self, scene: &Scene, deed: Deed) -> Option<String> {
        let (told, _) = scene.taken(deed.action)?;
        let changes = told.change().iter().map(|change| {
            format!(
                "{}: {}\n    was: {}\n",
                change.fact, change.after, change.before
            )
        });
        Some(changes.collect())
    }

    fn as_svg(&self, path: Path<Scene, Deed>) -> Option<String> {
        let path = path.into_vec();
        let (start, _) = path.first()?;
        let mut told = Vec::new();
        for (scene, deed) in &path {
            if let Some(deed) = deed {
                told.push((deed.action, scene.taken(deed.action)?));
            }
        }
        let moments = told.iter().map(|(action, (step, after))| Moment {
            action: *action,
            step,
            after: &after.state,
        });
        let story = Story {
            pipeline: self.cluster.pipeline(),
            start: &start.state,
            moments: moments.collect(),
            loops_from: None,
            end: None,
        };
        Some(Diagram::of(&story).whole())
    }

    fn properties(&self) -> Vec<Property<Self>> {
        fn keeps<const GUARANTEE: usize>(model: &Explorable, scene: &Scene) -> bool {
            let quiescent = model.cluster.is_quiescent(&scene.state);
            let seen = model.cluster.observe(&scene.state, quiescent);
            seen.violated & Guarantee::ALL[GUARANTEE].bit() == 0
        }
        let named = |index: usize| Guarantee::ALL[index].name();
        vec![
            Property::always(named(0), keeps::<0>),
            Property::always(named(1), keeps::<1>),
            Property::always(named(2), keeps::<2>),
            Property::always(named(3), keeps::<3>),
            Property::always(named(4), keeps::<4>),
            Property::always(named(5), keeps::<5>),
        ]
    }
}
