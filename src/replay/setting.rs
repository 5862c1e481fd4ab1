//! The model that a trace is replayed on: that of its design, under the bound that it states.

use crate::check::{self, CheckError};
use crate::design::{Design, DesignError};
use crate::trace::{Bound, Trace};
use semel_models::cluster::Cluster;
use semel_models::fault::{Call, Fault, FaultBudget, FaultKey};
use semel_models::guarantee::Guarantee;
use semel_models::pipeline::Bounds;
use std::collections::BTreeMap;

/// A trace that cannot be replayed at all.
#[derive(Clone, Debug, thiserror::Error)]
#[non_exhaustive]
pub enum ReplayError {
    /// This version refuses the design.
    #[error("this version refuses the design that the trace carries: {0}")]
    Design(#[from] DesignError),
    /// The design is too large.
    #[error(transparent)]
    Check(#[from] CheckError),
    /// The trace speaks of a fault that this version does not have.
    #[error("bound.faults: there is no fault \"{0}\" in this version ('semel list faults')")]
    UnknownFault(String),
    /// The trace speaks of a guarantee that this version does not have.
    #[error("guarantee: there is no guarantee \"{0}\" in this version ('semel list guarantees')")]
    UnknownGuarantee(String),
    /// The size of the recorded run is none.
    #[error("bound.{name}: {value} is out of range: between 1 and {most}")]
    Size {
        /// What of the bound.
        name: &'static str,
        /// As it was recorded.
        value: u16,
        /// The most there may be.
        most: u16,
    },
    /// The design means another bound in this version.
    #[error(
        "bound.{name}: the trace was recorded with {recorded}, and its design means {meant} in this version; to replay it, use the version of semel that recorded it"
    )]
    OtherBound {
        /// What of the bound.
        name: &'static str,
        /// As it was recorded.
        recorded: u16,
        /// As this version reads the design.
        meant: u16,
    },
}

/// What a trace is replayed on.
pub(super) struct Setting {
    pub cluster: Cluster,
    pub guarantee: Guarantee,
}

/// The most records of a run.
const MAX_RECORDS: u16 = 10_000;

/// The setting of `trace`. Its faults and its size are those of its bound: a comparison by classes
/// of faults finds runs with other faults than the design states, a search at random larger ones.
pub(super) fn of(trace: &Trace) -> Result<Setting, ReplayError> {
    let unknown = || ReplayError::UnknownGuarantee(trace.guarantee().into());
    let guarantee = trace.violates().ok_or_else(unknown)?;
    let source = trace.design();
    let design = Design::parse(&source.file, source.text.as_bytes())?;
    let mut pipeline = design.pipeline().clone();
    let recorded = trace.bound();
    let stated = check::bound(&pipeline);
    if stated.faults != recorded.faults || stated.total != recorded.total {
        pipeline.faults = budget(&recorded.faults, recorded.total)?;
    }
    pipeline.bounds = size(recorded, pipeline.bounds.clone())?;
    agree(recorded, &check::bound(&pipeline))?;
    // A run found at random may be larger than any that could be explored.
    let cluster = match Cluster::new(pipeline.clone()) {
        Ok(cluster) => cluster.for_telling(),
        Err(_) => Cluster::for_running(pipeline).map_err(|cause| CheckError::of(&design, cause))?,
    };
    Ok(Setting { cluster, guarantee })
}

/// The design's bounds, of the size of the recorded run.
fn size(recorded: &Bound, stated: Bounds) -> Result<Bounds, ReplayError> {
    let within = |name, value, most| match (1..=most).contains(&value) {
        true => Ok(value),
        false => Err(ReplayError::Size { name, value, most }),
    };
    let records = within("records", recorded.records, MAX_RECORDS)?;
    Ok(Bounds {
        records,
        keys: within("keys", recorded.keys, records)?,
        poll: within("poll", recorded.poll, records)?,
        ..stated
    })
}

fn budget(faults: &BTreeMap<String, u16>, total: u16) -> Result<FaultBudget, ReplayError> {
    let entry = |(name, budget): (&String, &u16)| match key(name) {
        Some(key) => Ok((key, *budget)),
        None => Err(ReplayError::UnknownFault(name.clone())),
    };
    Ok(FaultBudget {
        entries: faults.iter().map(entry).collect::<Result<_, _>>()?,
        total: Some(total),
    })
}

/// The fault, or the fault of one call, with this name.
fn key(name: &str) -> Option<FaultKey> {
    match name.split_once('.') {
        None => Fault::named(name).map(|fault| FaultKey { fault, call: None }),
        Some((fault, call)) => Some(FaultKey {
            fault: Fault::named(fault).filter(|fault| fault.strikes_calls())?,
            call: Some(Call::named(call)?),
        }),
    }
}

fn agree(recorded: &Bound, meant: &Bound) -> Result<(), ReplayError> {
    let both = [
        ("partitions", recorded.partitions, meant.partitions),
        ("retries", recorded.retries, meant.retries),
        ("total", recorded.total, meant.total),
    ];
    let differs = both
        .into_iter()
        .find(|(_, recorded, meant)| recorded != meant);
    match differs {
        Some((name, recorded, meant)) => Err(ReplayError::OtherBound {
            name,
            recorded,
            meant,
        }),
        None => Ok(()),
    }
}
