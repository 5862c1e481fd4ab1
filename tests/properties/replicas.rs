//! Replicas that are struck, and requests that come late to one of them.

use semel_models::cluster::Reductions;

use crate::designs::any_replicas;
use crate::findings::explored_whole;
use crate::reductions::{same_lengths, same_verdicts};
use crate::trials::{MOST_STATES, try_kind};

#[test]
fn no_reduction_decides_anything() {
    try_kind(40, any_replicas(), |design| {
        let none = explored_whole(design.pipeline(), Reductions::NONE, 10 * MOST_STATES)?;
        let all = explored_whole(design.pipeline(), Reductions::ALL, MOST_STATES)?;
        same_verdicts(&all, &none)?;
        type Switch = fn(&mut Reductions);
        let keep_lengths: [Switch; 4] = [
            |one| one.dead_fields = true,
            |one| one.harmless_faults = true,
            |one| one.spent_faults = true,
            |one| one.symmetric_replicas = true,
        ];
        for switch in keep_lengths {
            let mut one = Reductions::NONE;
            switch(&mut one);
            same_lengths(
                &explored_whole(design.pipeline(), one, 10 * MOST_STATES)?,
                &none,
            )?;
        }
        Ok(())
    });
}
