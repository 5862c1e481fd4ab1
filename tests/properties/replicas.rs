//! Replicas that are struck, and requests that come late to one of them.

use crate::designs::any_replicas;
use crate::reductions::{
    DEAD_FIELDS, HARMLESS_FAULTS, SPENT_FAULTS, SYMMETRIC_REPLICAS, Switch, decide_nothing,
};
use crate::trials::try_kind;

#[test]
fn no_reduction_decides_anything() {
    const ALONE: &[Switch] = &[
        DEAD_FIELDS,
        HARMLESS_FAULTS,
        SPENT_FAULTS,
        SYMMETRIC_REPLICAS,
    ];
    try_kind(40, any_replicas(), |design| decide_nothing(design, ALONE));
}
