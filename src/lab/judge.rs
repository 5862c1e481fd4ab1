//! The judge: what became of each record, counted from the rows of the sink's database alone, or from
//! the output topic where the results there are the effect.
//!
//! It shares no code with the model's ledger, and knows of the run only what was sent. It judges a
//! run that has ended: of a record that might still be read it would say that it is lost.

use crate::lab::sink::{Database, SinkError, Using, small};
use std::collections::{BTreeMap, BTreeSet};

/// Records, by their numbers in the order in which they were first sent.
pub type Records = BTreeSet<u16>;

/// What is known of a run besides its database.
#[derive(Clone, Debug, Default, PartialEq, Eq)]
pub struct Sends {
    /// How many keys the records share, in turn.
    pub keys: u16,
    /// Records that were sent at least once.
    pub sent: Records,
    /// Records that the application may rely on.
    pub confirmed: Records,
    /// Records whose delivery was reported failed.
    pub failed: Records,
    /// Records of which every copy was sent in a database transaction that rolled back.
    pub aborted: Records,
    /// Records that the dead-letter topic holds.
    pub dead_lettered: Records,
    /// Records without a send order, the one with the lower number first.
    pub unordered: BTreeSet<(u16, u16)>,
}

/// What became of the records.
#[derive(Clone, Debug, Default, PartialEq, Eq)]
pub struct Judgement {
    /// Records that the application relies on without an effect: none took place, no newer write
    /// stands for it, and the dead-letter topic does not hold it.
    pub lost: Records,
    /// Records whose effect took place more than once.
    pub repeated: Records,
    /// Records whose first effect came after that of a later record of their key.
    pub out_of_order: Records,
    /// Records that had an effect and were never sent, or only in transactions that rolled back.
    pub phantom: Records,
    /// Records that had an effect although their delivery was reported failed. No fault of the
    /// pipeline: whoever read the report knows no better.
    pub in_doubt: Records,
}

/// The effects of one record.
#[derive(Clone, Copy, Debug)]
struct Effects {
    times: i64,
    /// The place of the first among all effects.
    first: i64,
}

/// Judges the run whose sink is in `database`.
///
/// # Errors
/// When there is no sink, and when its database fails.
pub fn judge(database: &Database, sends: &Sends) -> Result<Judgement, SinkError> {
    let (effects, superseded) = database.read("count the effects", |using| {
        Ok((effects(using)?, superseded(using)?))
    })?;
    Ok(sends.judge(&effects, &superseded))
}

/// Judges the run whose effects are results in the output topic, of these records in the order in which
/// its reader saw them.
pub(crate) fn judge_results(seen: &[u16], sends: &Sends) -> Judgement {
    let mut effects = BTreeMap::new();
    for (place, record) in (0..).zip(seen) {
        let new = Effects {
            times: 0,
            first: place,
        };
        effects.entry(*record).or_insert(new).times += 1;
    }
    sends.judge(&effects, &Records::new())
}

fn effects(using: Using<'_>) -> Result<BTreeMap<u16, Effects>, SinkError> {
    let count = "SELECT record, count(*), min(id) FROM effects GROUP BY record";
    let rows = using.rows(count, &[])?.into_iter();
    let effects = rows.map(|[record, times, first]| {
        let number = |value: Option<i64>| value.expect("there is a row of this record");
        let effects = Effects {
            times: number(times),
            first: number(first),
        };
        (small(record), effects)
    });
    Ok(effects.collect())
}

fn superseded(using: Using<'_>) -> Result<Records, SinkError> {
    let rows = using.rows("SELECT DISTINCT record FROM superseded", &[])?;
    Ok(rows.into_iter().map(|[record]| small(record)).collect())
}

impl Sends {
    fn judge(&self, effects: &BTreeMap<u16, Effects>, superseded: &Records) -> Judgement {
        let having = |has: &dyn Fn(&u16, &Effects) -> bool| -> Records {
            let those = effects.iter().filter(|(record, of)| has(record, of));
            those.map(|(record, _)| *record).collect()
        };
        let is_lost = |record: &&u16| {
            !effects.contains_key(record)
                && !superseded.contains(record)
                && !self.dead_lettered.contains(record)
        };
        Judgement {
            lost: self.confirmed.iter().filter(is_lost).copied().collect(),
            repeated: having(&|_, of| of.times > 1),
            out_of_order: having(&|record, of| {
                let mut others = effects.iter();
                others.any(|(other, its)| its.first < of.first && self.is_before(*record, *other))
            }),
            phantom: having(&|record, _| {
                !self.sent.contains(record) || self.aborted.contains(record)
            }),
            in_doubt: having(&|record, _| self.failed.contains(record)),
        }
    }

    /// Whether `record` was sent before `other` under the same key.
    fn is_before(&self, record: u16, other: u16) -> bool {
        record < other
            && (other - record).checked_rem(self.keys) == Some(0)
            && !self.unordered.contains(&(record, other))
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    /// The judgement of effects in this order, of four records that were sent and confirmed;
    /// a newer write stands for the last.
    fn judged(order: &[u16], change: impl FnOnce(&mut Sends)) -> Judgement {
        let mut effects = BTreeMap::new();
        for (place, record) in order.iter().enumerate() {
            let new = Effects {
                times: 0,
                first: place as i64,
            };
            effects.entry(*record).or_insert(new).times += 1;
        }
        let mut sends = Sends {
            keys: 1,
            sent: (0..4).collect(),
            confirmed: (0..4).collect(),
            ..Sends::default()
        };
        change(&mut sends);
        sends.judge(&effects, &Records::from([3]))
    }

    #[test]
    fn each_effect_once_and_in_order_is_as_it_should_be() {
        assert_eq!(judged(&[0, 1, 2], |_| {}), Judgement::default());
    }

    #[test]
    fn a_confirmed_record_without_effect_is_lost_unless_it_is_dead_lettered_or_superseded() {
        assert_eq!(judged(&[0], |_| {}).lost, Records::from([1, 2]));
        let excused = |sends: &mut Sends| {
            sends.confirmed.remove(&1);
            sends.dead_lettered.insert(2);
        };
        assert!(judged(&[0], excused).lost.is_empty());
    }

    #[test]
    fn a_second_effect_is_a_repetition_and_changes_no_order() {
        let judgement = judged(&[0, 1, 2, 0], |_| {});
        assert_eq!(judgement.repeated, Records::from([0]));
        assert!(judgement.out_of_order.is_empty());
    }

    #[test]
    fn a_first_effect_after_that_of_a_later_record_of_its_key_is_out_of_order() {
        assert_eq!(judged(&[1, 0, 2], |_| {}).out_of_order, Records::from([0]));
        let two_keys = |sends: &mut Sends| sends.keys = 2;
        assert!(judged(&[1, 0, 2], two_keys).out_of_order.is_empty());
        assert_eq!(
            judged(&[1, 2, 0], two_keys).out_of_order,
            Records::from([0])
        );
        let overlapping = |sends: &mut Sends| sends.unordered = BTreeSet::from([(0, 1)]);
        assert!(judged(&[1, 0, 2], overlapping).out_of_order.is_empty());
    }

    #[test]
    fn an_effect_that_nobody_sent_or_that_was_rolled_back_is_a_phantom() {
        let change = |sends: &mut Sends| {
            sends.sent.remove(&1);
            sends.aborted.insert(2);
        };
        assert_eq!(judged(&[0, 1, 2], change).phantom, Records::from([1, 2]));
    }

    #[test]
    fn an_effect_in_spite_of_a_failure_report_is_in_doubt_and_no_fault() {
        let change = |sends: &mut Sends| {
            sends.confirmed.remove(&1);
            sends.failed = Records::from([1, 3]);
        };
        let in_doubt = Records::from([1]);
        let nothing_else = Judgement::default();
        assert_eq!(
            judged(&[0, 1, 2], change),
            Judgement {
                in_doubt,
                ..nothing_else
            }
        );
    }
}
