//! Designs compared: each judged once per class of faults.
//!
//! ```
//! use semel::matrix::{Environment, judge};
//! use semel::{CheckOptions, Guarantee, presets};
//!
//! let preset = presets::named("at-most-once").expect("a preset");
//! let design = presets::design(preset)?;
//! let options = CheckOptions::default();
//! let alone = judge(&design, Environment::NoFaults, &options)?.expect("always judged");
//! assert_eq!(alone.of(Guarantee::NoLoss).name(), "holds");
//! let stated = judge(&design, Environment::AsStated, &options)?.expect("always judged");
//! assert_eq!(stated.of(Guarantee::NoLoss).name(), "violated");
//! # Ok::<(), Box<dyn std::error::Error>>(())
//! ```

use crate::check::{CheckError, CheckOptions, Explorer, check_pipeline};
use crate::design::{Design, models_fault, models_together, write};
use crate::explore::Progress;
use crate::verdict::{Stop, Verdicts};
use semel_models::cluster::{Cluster, Witness};
use semel_models::fault::{Fault, FaultBudget, FaultClass, FaultKey};
use semel_models::pipeline::Pipeline;

/// How many faults of a class one run may meet.
pub const FAULTS_PER_RUN: u16 = 2;

/// How many states a class is explored with before it is judged with one fault in a run instead,
/// unless the caller sets a limit.
const MAX_STATES: u64 = 500_000;

/// What may go wrong around a design.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Environment {
    /// Nothing.
    NoFaults,
    /// What the design states.
    AsStated,
    /// One of each fault of this class that the design can meet, no more than [`FAULTS_PER_RUN`]
    /// in one run; only one in a run where that takes too many states.
    Class(FaultClass),
}

impl Environment {
    /// Every environment, in the order in which they are listed.
    pub const ALL: [Environment; 8] = [
        Environment::NoFaults,
        Environment::AsStated,
        Environment::Class(FaultClass::Process),
        Environment::Class(FaultClass::Network),
        Environment::Class(FaultClass::Group),
        Environment::Class(FaultClass::Time),
        Environment::Class(FaultClass::Storage),
        Environment::Class(FaultClass::Operator),
    ];

    /// The environment's name on the command line and in tables.
    pub fn name(self) -> &'static str {
        match self {
            Environment::NoFaults => "none",
            Environment::AsStated => "as-stated",
            Environment::Class(FaultClass::Process) => "process",
            Environment::Class(FaultClass::Network) => "network",
            Environment::Class(FaultClass::Group) => "group",
            Environment::Class(FaultClass::Time) => "time",
            Environment::Class(FaultClass::Storage) => "storage",
            Environment::Class(FaultClass::Operator) => "operator",
        }
    }

    /// What it is, in one line.
    pub fn summary(self) -> &'static str {
        match self {
            Environment::NoFaults => "nothing goes wrong",
            Environment::AsStated => "the faults that each design states",
            Environment::Class(FaultClass::Process) => "processes die or fail",
            Environment::Class(FaultClass::Network) => {
                "requests and answers are lost, refused or late"
            }
            Environment::Class(FaultClass::Group) => "membership of the consumer group changes",
            Environment::Class(FaultClass::Time) => "a time limit passes too early",
            Environment::Class(FaultClass::Storage) => "brokers lose power, disks or leadership",
            Environment::Class(FaultClass::Operator) => {
                "an operator, or time on the scale of days, changes something"
            }
        }
    }
}

/// Judges every guarantee of `design` in `environment`; `None`: the design can meet none of the
/// faults of this class that are modelled.
pub fn judge(
    design: &Design,
    environment: Environment,
    options: &CheckOptions,
) -> Result<Option<Verdicts>, CheckError> {
    judge_watched(design, environment, options, &mut |_| {})
}

/// Judges as [`judge`] does, and shows `watch` how far it has come.
pub(crate) fn judge_watched(
    design: &Design,
    environment: Environment,
    options: &CheckOptions,
    watch: &mut dyn FnMut(&Progress),
) -> Result<Option<Verdicts>, CheckError> {
    match environment {
        Environment::NoFaults => {
            check_with(design, FaultBudget::default(), options, watch).map(Some)
        }
        Environment::AsStated => {
            let stated = design.pipeline().faults.clone();
            check_with(design, stated, options, watch).map(Some)
        }
        Environment::Class(class) => judge_class(design, class, MAX_STATES, options, watch),
    }
}

/// The faults of `environment` that a design could meet, and is judged without: they are not modelled
/// together with the design, or with the other faults of the class.
pub fn left_out(design: &Design, environment: Environment) -> Vec<Fault> {
    let Environment::Class(class) = environment else {
        return Vec::new();
    };
    let judged = judged_with(design, class);
    let met = |fault: Fault| !is_known(design, fault) || can_meet(design.pipeline(), one(fault));
    of_class(class)
        .filter(|fault| !judged.contains(*fault) && met(*fault))
        .collect()
}

/// Judges with the faults of one class, and with one of them in a run where more take more than
/// `most` states.
fn judge_class(
    design: &Design,
    class: FaultClass,
    most: u64,
    options: &CheckOptions,
    watch: &mut dyn FnMut(&Progress),
) -> Result<Option<Verdicts>, CheckError> {
    let faults = judged_with(design, class);
    if faults.entries.is_empty() {
        return Ok(None);
    }
    if options.within(design).max_states.is_some() {
        return check_with(design, faults, options, watch).map(Some);
    }
    let short = CheckOptions {
        max_states: Some(most),
        ..options.clone()
    };
    let judged = check_with(design, faults.clone(), &short, watch)?;
    if judged.stop() != Some(Stop::States) {
        return Ok(Some(judged));
    }
    let one = FaultBudget {
        total: Some(1),
        ..faults
    };
    check_with(design, one, options, watch).map(Some)
}

fn check_with(
    design: &Design,
    faults: FaultBudget,
    options: &CheckOptions,
    watch: &mut dyn FnMut(&Progress),
) -> Result<Verdicts, CheckError> {
    let pipeline = Pipeline {
        faults,
        ..design.pipeline().clone()
    };
    check_pipeline(&mut Explorer::default(), design, pipeline, options, watch)
}

/// The faults of a class, without `poison`: it is met by name only, for it blocks or loses by its nature.
fn of_class(class: FaultClass) -> impl Iterator<Item = Fault> {
    let all = Fault::ALL.iter().copied();
    all.filter(move |fault| fault.class() == class && *fault != Fault::Poison)
}

/// A budget of this fault alone.
fn one(fault: Fault) -> FaultBudget {
    FaultBudget {
        entries: vec![(FaultKey { fault, call: None }, 1)],
        total: None,
    }
}

/// Whether the model knows what the fault does to the design.
fn is_known(design: &Design, fault: Fault) -> bool {
    models_fault(fault) && models_together(design, fault)
}

/// What the cell of a class is judged with.
fn judged_with(design: &Design, class: FaultClass) -> FaultBudget {
    accepted(design, budget(design, class))
}

/// One of each fault of `class` that the model knows in `design`, and the design can meet.
fn budget(design: &Design, class: FaultClass) -> FaultBudget {
    let met = |fault: &Fault| is_known(design, *fault) && can_meet(design.pipeline(), one(*fault));
    FaultBudget {
        entries: of_class(class)
            .filter(met)
            .flat_map(|fault| one(fault).entries)
            .collect(),
        total: Some(FAULTS_PER_RUN),
    }
}

/// Those of `faults` that the design would be read with, one after the other: what is not modelled
/// together with the design, or with a fault before it, is left out of the cell.
fn accepted(design: &Design, mut faults: FaultBudget) -> FaultBudget {
    let mut accepted = FaultBudget {
        entries: Vec::new(),
        total: faults.total,
    };
    // Another partition goes with the fewest others, and would keep them out.
    let comes_last = |(key, _): &(FaultKey, u16)| key.fault == Fault::AddPartition;
    faults.entries.sort_by_key(comes_last);
    for entry in faults.entries {
        let mut more = accepted.clone();
        more.entries.push(entry);
        let stated = Pipeline {
            faults: more.clone(),
            ..design.pipeline().clone()
        };
        let text = write(&stated, &design.versions());
        if Design::parse(design.file(), text.as_bytes()).is_ok() {
            accepted = more;
        }
    }
    accepted
}

/// Whether the model can spend every fault of `faults` on `pipeline`.
fn can_meet(pipeline: &Pipeline, faults: FaultBudget) -> bool {
    let exposed = Pipeline {
        faults,
        ..pipeline.clone()
    };
    let Ok(cluster) = Cluster::new(exposed) else {
        // One fault fits wherever the design itself does; what does not is refused when explored.
        return true;
    };
    let never = |witness: &Witness| matches!(witness, Witness::Fault { entry: None, .. });
    !cluster.witnesses().iter().any(never)
}

#[cfg(test)]
mod tests {
    use super::*;
    use semel_models::guarantee::Guarantee;

    fn design(order: &str) -> Design {
        let text = format!(
            "[consumer]\nenable.auto.commit = false\nauto.offset.reset = \"earliest\"\n\
             [application]\norder = \"{order}\"\n[faults]\nconsumer-crash = 1\n\
             [bounds]\nrecords = 1\n"
        );
        Design::parse("matrix.toml", text.as_bytes()).expect("a design")
    }

    #[test]
    fn a_class_replaces_the_faults_that_the_design_states() {
        let judged = |environment| {
            let judged = judge(
                &design("commit -> process"),
                environment,
                &CheckOptions::default(),
            );
            judged.expect("small").expect("judged")
        };
        let network = judged(Environment::Class(FaultClass::Network));
        assert!(!network.bound().faults.contains_key("consumer-crash"));
        assert!(network.bound().faults.contains_key("response-lost"));
        assert_eq!(network.bound().total, FAULTS_PER_RUN);
        assert_eq!(network.of(Guarantee::NoLoss).name(), "holds");
        assert_eq!(
            judged(Environment::AsStated).of(Guarantee::NoLoss).name(),
            "violated"
        );
        assert_eq!(judged(Environment::NoFaults).bound().total, 0);
    }

    #[test]
    fn a_class_holds_all_its_modelled_faults_that_the_design_can_meet_and_no_other() {
        for environment in Environment::ALL {
            let Environment::Class(class) = environment else {
                continue;
            };
            let design = design("process -> commit");
            for (key, count) in budget(&design, class).entries {
                assert_eq!((key.fault.class(), count), (class, 1));
            }
        }
        let design = design("process -> commit");
        let storage = budget(&design, FaultClass::Storage);
        assert!(storage.contains(Fault::PowerLoss) && storage.contains(Fault::DiskLoss));
    }

    #[test]
    fn a_class_leaves_out_what_is_not_modelled_beside_results() {
        let results = design("produce -> commit");
        let of = |class| budget(&results, class);
        let storage = of(FaultClass::Storage);
        assert!(!storage.contains(Fault::PowerLossAll) && storage.contains(Fault::PowerLoss));
        let kept = accepted(&results, storage);
        assert!(kept.contains(Fault::PowerLoss) || kept.contains(Fault::Retention));
        assert!(of(FaultClass::Network).contains(Fault::RequestDelayed));
        let told = left_out(&results, Environment::Class(FaultClass::Storage));
        assert!(told.contains(&Fault::PowerLossAll) && !told.contains(&Fault::PowerLoss));
    }

    #[test]
    fn what_a_design_would_be_refused_with_is_left_out_of_its_cell() {
        let text = "[consumer]\nenable.auto.commit = false\nauto.offset.reset = \"earliest\"\n\
             [application]\norder = \"process -> commit\"\ninstances = 2\n\
             [faults]\nconsumer-crash = 1\n[bounds]\nrecords = 1\n";
        let two = Design::parse("matrix.toml", text.as_bytes()).expect("a design");
        let all = budget(&two, FaultClass::Operator);
        assert!(all.contains(Fault::AddPartition) && all.contains(Fault::OffsetReset));
        let kept = accepted(&two, all);
        assert!(!kept.contains(Fault::AddPartition) && kept.contains(Fault::OffsetReset));
        let operator = Environment::Class(FaultClass::Operator);
        assert_eq!(left_out(&two, operator), [Fault::AddPartition]);
        assert_eq!(left_out(&two, Environment::AsStated), []);
        for class in [
            FaultClass::Process,
            FaultClass::Network,
            FaultClass::Storage,
        ] {
            let design = design("process -> commit");
            let all = budget(&design, class);
            assert_eq!(accepted(&design, all.clone()), all);
            assert_eq!(left_out(&design, Environment::Class(class)), []);
        }
    }

    #[test]
    fn a_class_that_takes_too_many_states_is_judged_with_one_fault_in_a_run() {
        let total = |most, options: &CheckOptions| {
            let design = design("process -> commit");
            let judged = judge_class(&design, FaultClass::Network, most, options, &mut |_| {});
            let judged = judged.expect("small").expect("judged");
            (judged.bound().total, judged.stop())
        };
        let free = CheckOptions::default();
        assert_eq!(total(MAX_STATES, &free), (FAULTS_PER_RUN, None));
        assert_eq!(total(50, &free), (1, None));
        let limited = CheckOptions {
            max_states: Some(50),
            ..CheckOptions::default()
        };
        let stopped = Some(Stop::States);
        assert_eq!(
            total(50, &limited),
            (FAULTS_PER_RUN, stopped),
            "whoever sets a limit gets it"
        );
    }

    #[test]
    fn faults_of_a_sink_need_a_step_that_calls_it() {
        // Every order that can be judged has an effect, so only a model without one shows it.
        let design = design("process -> commit");
        let mut pipeline = design.pipeline().clone();
        pipeline.consumer.order.0.remove(0);
        assert!(!can_meet(&pipeline, one(Fault::SinkUnavailable)));
        assert!(can_meet(&pipeline, one(Fault::ConsumerCrash)));
    }
}
