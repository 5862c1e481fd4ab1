//! Consumers written with async.

use semel::Guarantee::{ExactlyOnceEffect, NoLoss};
use semel::harness::{AsyncKafka, AsyncService, BoxError, RecordId, Situation, harness_async};
use std::path::Path;

/// Writes in a task of its own; what it writes is there once or twice, as its field says.
struct Writer {
    is_idempotent: bool,
}

impl AsyncService for Writer {
    async fn run(&self, dir: &Path, kafka: AsyncKafka) -> Result<(), BoxError> {
        loop {
            let records = kafka.poll().await?;
            if records.is_empty() {
                return Ok(());
            }
            for record in &records {
                let file = dir.join("effects");
                let (id, is_idempotent) = (record.id.0 as u8, self.is_idempotent);
                let write = async move {
                    let mut effects = std::fs::read(&file).unwrap_or_default();
                    if !(is_idempotent && effects.contains(&id)) {
                        effects.push(id);
                    }
                    std::fs::write(&file, effects)
                };
                tokio::spawn(write).await??;
                kafka.point_of("written", record).await?;
                kafka.commit_record(record).await?;
            }
        }
    }

    fn effects(&self, dir: &Path) -> Result<Vec<RecordId>, BoxError> {
        let ids = std::fs::read(dir.join("effects")).unwrap_or_default();
        Ok(ids.into_iter().map(|id| RecordId(u64::from(id))).collect())
    }
}

#[test]
fn an_async_consumer_is_checked_as_any_other() {
    let held = harness_async(Writer {
        is_idempotent: true,
    })
    .check(&[NoLoss, ExactlyOnceEffect]);
    assert!(held.coverage().reached(Situation::RedeliveredAfterEffect) > 0);
    assert!(held.coverage().reached(Situation::OwnerBeside) > 0);
    let report = harness_async(Writer {
        is_idempotent: false,
    })
    .try_check(&[ExactlyOnceEffect]);
    let report = report.expect("a verdict");
    assert_eq!(report.violations()[0].schedule, "records=1 crash@2");
}
