//! Replicas that are struck, and requests that come late to one of them.

use crate::designs::{any_cleaned, any_recreated, any_replicas};
use crate::reductions::{
    DEAD_FIELDS, HARMLESS_FAULTS, SPENT_FAULTS, SYMMETRIC_REPLICAS, Switch, decide_nothing,
};
use crate::trials::try_kind;

const ALONE: &[Switch] = &[
    DEAD_FIELDS,
    HARMLESS_FAULTS,
    SPENT_FAULTS,
    SYMMETRIC_REPLICAS,
];

#[test]
fn no_reduction_decides_anything() {
    try_kind(40, any_replicas(), |design| decide_nothing(design, ALONE));
}

#[test]
fn nor_does_one_where_replicas_are_cleaned() {
    try_kind(12, any_cleaned(), |design| decide_nothing(design, ALONE));
}

#[test]
fn nor_does_one_where_their_topic_is_created_again() {
    try_kind(20, any_recreated(), |design| decide_nothing(design, ALONE));
}
