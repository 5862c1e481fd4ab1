//! A batch of one record, as it is stored, and the control batch that ends a transaction.

use crate::lab::fields::Fields;
use crate::lab::frame::{self, Flaw};
use crate::lab::words::{
    LeaderEpoch, Offset, ProducerEpoch, ProducerId, RecordId, Sequence, Stamp,
};
use semel_models::broker::EntryKind;

/// The producer id of a batch without one (-1 on Kafka's wire).
const NO_PRODUCER_ID: u64 = u64::MAX;

/// What a producer sends.
#[derive(Clone, Debug, Default, PartialEq, Eq, Hash)]
pub struct Record {
    /// Which record it is.
    pub id: RecordId,
    /// Its key.
    pub key: Vec<u8>,
    /// Its payload, beside its identity.
    pub payload: Vec<u8>,
}

impl Record {
    /// A record that is nothing but its identity.
    pub fn bare(id: u64) -> Record {
        Record {
            id: RecordId(id),
            ..Record::default()
        }
    }
}

/// One entry of the log: a batch of one record, or a marker.
#[derive(Clone, Debug, PartialEq, Eq, Hash)]
pub struct Batch {
    /// Its offset.
    pub offset: Offset,
    /// The leader epoch in which it was appended.
    pub leader_epoch: LeaderEpoch,
    /// Where it came from; `None` without idempotence.
    pub stamp: Option<Stamp>,
    /// Whether it is part of a transaction, or the marker of one.
    pub kind: EntryKind,
    /// What it holds; `None`: it is a marker, or the log cleaner has removed its record.
    pub record: Option<Record>,
}

impl Batch {
    /// The frame in which it is stored.
    pub(crate) fn to_frame(&self) -> Vec<u8> {
        let none = Stamp {
            producer: ProducerId(NO_PRODUCER_ID),
            ..Stamp::default()
        };
        let stamp = self.stamp.unwrap_or(none);
        let mut body = Vec::new();
        body.extend(self.offset.0.to_be_bytes());
        body.extend(self.leader_epoch.0.to_be_bytes());
        body.extend(stamp.producer.0.to_be_bytes());
        body.extend(stamp.epoch.0.to_be_bytes());
        body.extend(stamp.sequence.0.to_be_bytes());
        body.push(attributes(self.kind));
        body.push(u8::from(self.record.is_some()));
        if let Some(record) = &self.record {
            let key_len = u32::try_from(record.key.len()).expect("a key is far below 4 GiB");
            body.extend(record.id.0.to_be_bytes());
            body.extend(key_len.to_be_bytes());
            body.extend(&record.key);
            body.extend(&record.payload);
        }
        frame::seal(&body)
    }

    /// The batch that a frame's body holds.
    pub(crate) fn from_body(body: &[u8]) -> Result<Batch, Flaw> {
        Batch::read(&mut Fields(body)).ok_or(Flaw::Malformed)
    }

    fn read(fields: &mut Fields) -> Option<Batch> {
        let offset = Offset(fields.u64()?);
        let leader_epoch = LeaderEpoch(fields.i32()?);
        let stamp = Stamp {
            producer: ProducerId(fields.u64()?),
            epoch: ProducerEpoch(fields.i32()?),
            sequence: Sequence(fields.i32()?),
        };
        let kind = kind_of(fields.u8()?)?;
        let record = match fields.u8()? {
            0 => None,
            1 => Some(Record {
                id: RecordId(fields.u64()?),
                key: fields.counted()?.to_vec(),
                payload: fields.rest().to_vec(),
            }),
            // Whatever else a byte can be.
            _ => return None,
        };
        let stamp = (stamp.producer.0 != NO_PRODUCER_ID).then_some(stamp);
        fields.rest().is_empty().then_some(Batch {
            offset,
            leader_epoch,
            stamp,
            kind,
            record,
        })
    }
}

/// Kafka has a bit for what is transactional and one for control batches, and the marker's record
/// says how the transaction ended.
fn attributes(kind: EntryKind) -> u8 {
    let own = EntryKind::ALL.iter().position(|other| *other == kind);
    own.expect("every kind is there") as u8
}

fn kind_of(attributes: u8) -> Option<EntryKind> {
    EntryKind::ALL.get(usize::from(attributes)).copied()
}

#[cfg(test)]
mod tests {
    use super::*;

    fn batch(stamp: Option<Stamp>, kind: EntryKind, record: Option<Record>) -> Batch {
        Batch {
            offset: Offset(7),
            leader_epoch: LeaderEpoch(2),
            stamp,
            kind,
            record,
        }
    }

    #[test]
    fn a_batch_is_read_as_it_was_written() {
        let stamp = Stamp {
            producer: ProducerId(0),
            epoch: ProducerEpoch(1),
            sequence: Sequence(5),
        };
        let record = Record {
            id: RecordId(40),
            key: b"k".to_vec(),
            payload: b"paid".to_vec(),
        };
        for kind in EntryKind::ALL {
            for stamp in [None, Some(stamp)] {
                for record in [None, Some(record.clone())] {
                    let batch = batch(stamp, kind, record);
                    let frame = batch.to_frame();
                    let body = frame::open(&frame).expect("a whole frame");
                    assert_eq!(Batch::from_body(body), Ok(batch));
                }
            }
        }
    }

    #[test]
    fn a_frame_of_something_else_is_malformed() {
        assert_eq!(Batch::from_body(b"short"), Err(Flaw::Malformed));
    }
}
