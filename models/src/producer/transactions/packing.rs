//! The packed form of a producer's transactions.

use super::{Added, Stage, Transactions};
use crate::codec::Codec;
use crate::limits::Limits;
use crate::transaction_coordinator::Part;

impl Transactions {
    /// Visits the fields.
    pub fn code(&mut self, codec: &mut impl Codec, limits: &Limits) {
        self.id.code(codec, limits.epochs, &[Part::Input]);
        let mut stage = self.stage as u16;
        codec.field(&mut stage, Stage::ALL.len() as u16 - 1);
        self.stage = Stage::ALL[usize::from(stage)];
        let mut added = self.added as u16;
        codec.field(&mut added, Added::ALL.len() as u16 - 1);
        self.added = Added::ALL[usize::from(added)];
        codec.flag_if(limits.strikes, &mut self.raises);
        if limits.replicas > 1 {
            let mut end = self.replicating.unwrap_or(0);
            codec.field(&mut end, limits.log);
            self.replicating = Some(end).filter(|end| *end > 0);
        }
        self.current.code(codec, limits.records);
        self.undecided.code(codec, limits.records);
        if limits.strikes {
            self.rolled_back.code(codec, limits.records);
            self.kept.code(codec, limits.records);
        }
    }
}
