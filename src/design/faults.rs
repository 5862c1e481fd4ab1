//! `[faults]`: what may go wrong, and how often.

use semel_models::fault::{Call, Fault, FaultBudget, FaultClass, FaultKey};
use semel_models::order::{Order, Step};
use semel_models::pipeline::{Assignment, GroupProtocol, GroupSettings};

use super::diagnostic::Code;
use super::document::{Document, Field};
use super::keys::{integer, repeated, shortened};
use super::modelled;
use super::partitions;
use super::report::{Report, enumeration, nearest};
use super::source::Span;
use super::table::Table;
use super::warning::WarningKind;

/// The most faults of one kind, and of all kinds together, in one run.
pub const MAX_FAULTS: i64 = 8;

/// How many faults may happen where a design states none.
const DEFAULT_TOTAL: u16 = 2;

/// What decides whether a design can meet a fault.
#[derive(Clone, Debug)]
pub(crate) struct Exposure {
    pub order: Order,
    pub idempotence: bool,
    /// Whether retention may delete by age or size.
    pub retention: bool,
    /// Whether the log cleaner removes replaced records.
    pub cleaned: bool,
    /// Whether the client drops a topic that a broker reports as missing.
    pub drops_topics: bool,
    /// Whether the partition has several replicas.
    pub replicated: bool,
    /// Whether the topic has two partitions from the start.
    pub two_partitions: bool,
    /// Whether late requests of any call are not modelled with the results that are written.
    pub leaves_late_requests_out: bool,
    /// Whether the application may roll its own transaction back.
    pub dual_write: bool,
    /// Whether the upstream sends in transactions.
    pub transactional: bool,
    /// Whether the coordinator may time transactions out: the upstream's, and the output producer's.
    pub time_out: [bool; 2],
    /// `None`: unreadable, which has been reported.
    pub group: Option<GroupSettings>,
}

impl Exposure {
    /// Whether a run of the design can meet the fault.
    fn can_meet(&self, fault: Fault) -> bool {
        let subscribes = self
            .group
            .as_ref()
            .is_none_or(|group| group.assignment == Assignment::Subscribe);
        match fault {
            Fault::LeaderChange | Fault::ReplicaLag => self.replicated,
            Fault::Compaction => self.cleaned,
            Fault::StaleMetadata => self.drops_topics,
            Fault::TransactionTimeout => {
                let [upstream, output] = self.time_out;
                self.transactional && upstream || !self.order.transactions().is_empty() && output
            }
            Fault::Abort => self.dual_write || self.transactional,
            // Who calls assign() has no session, no limit on its polls and no rebalance.
            Fault::ConsumerPause | Fault::SlowProcessing => subscribes,
            Fault::Rebalance => subscribes && self.something_moves(),
            Fault::ProducerIdExpiry => self.idempotence,
            Fault::DedupExpiry => {
                self.order.contains(Step::Remember) || self.order.contains(Step::SkipIfSeen)
            }
            Fault::Retention => self.retention,
            Fault::ProducerCrash
            | Fault::ConsumerCrash
            | Fault::GracefulRestart
            | Fault::ProducerPause
            | Fault::ProcessFailure
            | Fault::ProcessFailureLate
            | Fault::Poison
            | Fault::SinkUnavailable
            | Fault::SinkAnswerLost
            | Fault::RequestLost
            | Fault::ResponseLost
            | Fault::RequestRefused
            | Fault::RequestDelayed
            | Fault::DeliveryTimeout
            | Fault::BrokerCrash
            | Fault::PowerLoss
            | Fault::PowerLossAll
            | Fault::DiskLoss
            | Fault::CoordinatorFailover
            | Fault::OffsetsExpiry
            | Fault::AddPartition
            | Fault::TopicRecreate
            | Fault::OffsetReset => true,
        }
    }

    /// An only member keeps its partition, unless everything is given up first.
    fn something_moves(&self) -> bool {
        self.group
            .as_ref()
            .is_none_or(|group| group.instances > 1 || group.protocol == GroupProtocol::Eager)
    }
}

const WHY: &str = "A budget counts faults: 0 is none, and more than 8 are too many to explore.";

/// The budget that the design states, or the default one.
pub(crate) fn read(document: &Document, exposure: &Exposure, report: &mut Report) -> FaultBudget {
    let fields = document.fields(Table::Faults);
    if document.section(Table::Faults).is_none() {
        return default_budget(exposure, DEFAULT_TOTAL, report);
    }
    if let [total] = fields
        && total.name == "total"
    {
        // A cap alone caps what there is without it.
        let stated = integer(total, 0..=MAX_FAULTS, WHY, report);
        let cap = stated.and_then(|total| u16::try_from(total.value).ok());
        if cap != Some(0) {
            return default_budget(exposure, cap.unwrap_or(DEFAULT_TOTAL), report);
        }
    }
    let mut budget = FaultBudget::default();
    let mut seen: Vec<(&str, Span)> = Vec::new();
    for field in document.fields(Table::Faults) {
        if seen.iter().any(|(name, _)| *name == field.name) {
            repeated(report, Table::Faults, field);
            continue;
        }
        seen.push((&field.name, field.name_span));
        if field.name == "total" {
            let total = integer(field, 0..=MAX_FAULTS, WHY, report);
            budget.total = total.and_then(|total| u16::try_from(total.value).ok());
            continue;
        }
        let Some(key) = key(field, report) else {
            continue;
        };
        let Some(count) = integer(field, 0..=MAX_FAULTS, WHY, report) else {
            continue;
        };
        if both_ways(&budget, key, field, report) || count.value == 0 {
            continue;
        }
        if exposure.can_meet(key.fault) && !modelled::fault(key.fault) {
            report
                .not_modelled(field.name_span, format!("the fault `{}`", key.fault))
                .write(format!("Modelled: {}.", modelled_faults()));
            continue;
        }
        budget
            .entries
            .extend(u16::try_from(count.value).map(|count| (key, count)));
    }
    within_limit(&budget, document, report);
    if budget.total() == 0 && report.problems.is_empty() {
        report.warn(
            WarningKind::NoFaults,
            document
                .section(Table::Faults)
                .and_then(|section| section.span),
            "[faults] allows no fault: only the run in which nothing goes wrong is judged.",
        );
    }
    budget
}

fn within_limit(budget: &FaultBudget, document: &Document, report: &mut Report) {
    if i64::from(budget.total()) <= MAX_FAULTS {
        return;
    }
    let span = document
        .section(Table::Faults)
        .and_then(|section| section.span);
    report
        .problem(
            Code::OutOfRange,
            span,
            format!("the budgets allow {} faults in one run", budget.total()),
        )
        .because("More than 8 are too many to explore.")
        .write("Cap their sum: total = 2, or any number up to 8.");
}

/// `response-lost`, or `response-lost.produce`.
fn key(field: &Field, report: &mut Report) -> Option<FaultKey> {
    let name = field.name.as_str();
    if let Some(fault) = Fault::named(name) {
        return Some(FaultKey { fault, call: None });
    }
    let (first, rest) = name.split_once('.').unwrap_or((name, ""));
    let Some(fault) = Fault::named(first) else {
        let near = nearest(first, Fault::ALL.iter().map(|fault| fault.name()));
        report
            .problem(
                Code::UnknownKey,
                field.name_span,
                format!("there is no fault `{}`", shortened(first)),
            )
            .label("no such fault")
            .write(match near {
                Some(near) => format!("Did you mean `{near}`?"),
                None => format!("Modelled: {}.", modelled_faults()),
            });
        return None;
    };
    if !fault.strikes_calls() {
        report
            .problem(
                Code::UnknownKey,
                field.name_span,
                format!("the fault `{fault}` strikes no calls"),
            )
            .because("Only request-lost, response-lost, request-refused and request-delayed strike a call over the network.")
            .write(format!("Write `{fault}`."));
        return None;
    }
    let Some(call) = Call::named(rest) else {
        let calls = Call::ALL.map(Call::name);
        report
            .problem(
                Code::UnknownKey,
                field.name_span,
                format!("there is no call `{}`", shortened(rest)),
            )
            .label("no such call")
            .write(match nearest(rest, calls) {
                Some(near) => format!("Did you mean `{fault}.{near}`?"),
                None => format!("The calls are {}.", enumeration(calls)),
            });
        return None;
    };
    Some(FaultKey {
        fault,
        call: Some(call),
    })
}

/// A fault has one budget for every call, or one per call.
fn both_ways(budget: &FaultBudget, key: FaultKey, field: &Field, report: &mut Report) -> bool {
    let clash = budget
        .entries
        .iter()
        .any(|(other, _)| other.fault == key.fault && other.call.is_some() != key.call.is_some());
    if clash {
        report
            .problem(
                Code::Contradiction,
                field.name_span,
                format!(
                    "`{}` has a budget for any call and one for a single call",
                    key.fault
                ),
            )
            .because("It would not be said which of the two pays for the single call.")
            .write("Keep the one, or the budgets per call.");
    }
    clash
}

fn modelled_faults() -> String {
    let modelled = Fault::ALL.iter().filter(|fault| modelled::fault(**fault));
    enumeration(modelled.map(|fault| fault.name()))
}

/// One of each process, network and group fault that the design can meet.
fn default_budget(exposure: &Exposure, total: u16, report: &mut Report) -> FaultBudget {
    let by_default = |fault: &Fault| {
        let common = match fault.class() {
            FaultClass::Process | FaultClass::Network | FaultClass::Group => true,
            FaultClass::Time | FaultClass::Storage | FaultClass::Operator => false,
        };
        common && *fault != Fault::Poison && exposure.can_meet(*fault)
    };
    let is_modelled = |fault: &Fault| {
        let apart = exposure.leaves_late_requests_out && *fault == Fault::RequestDelayed
            || exposure.two_partitions && !partitions::goes_with(*fault);
        modelled::fault(*fault) && !apart
    };
    let (included, missing): (Vec<Fault>, Vec<Fault>) = Fault::ALL
        .iter()
        .copied()
        .filter(by_default)
        .partition(is_modelled);
    let names = |faults: &[Fault]| enumeration(faults.iter().map(|fault| fault.name()));
    let mut text = format!(
        "[faults] names no fault: one each of {}, and no more than {total} in all.",
        names(&included)
    );
    if !missing.is_empty() {
        text.push_str(&format!(
            " Not modelled yet, and so not among them: {}.",
            names(&missing)
        ));
    }
    report.warn(WarningKind::DefaultFaults, None, text);
    FaultBudget {
        entries: included
            .into_iter()
            .map(|fault| (FaultKey { fault, call: None }, 1))
            .collect(),
        total: Some(total),
    }
}
