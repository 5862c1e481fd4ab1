//! `[sink]`: where effects go, and how the application knows what it has done.

use super::choices::{DedupInsert, DedupKey, DedupStore, EffectName};
use super::diagnostic::Code;
use super::document::{Document, Scalar};
use super::keys::{Keys, Stated, integer};
use super::report::Report;
use super::table::Table;

/// `[sink]` as stated, with semel's defaults for what is left out.
#[derive(Debug)]
pub(crate) struct Sink {
    pub effect: Stated<EffectName>,
    pub idempotency_key: Stated<bool>,
    pub dedup: Stated<DedupStore>,
    pub dedup_insert: Stated<DedupInsert>,
    pub dedup_key: Stated<DedupKey>,
    /// How many identities the store remembers; `None`: all.
    pub dedup_window: Stated<Option<i64>>,
    pub fencing: Stated<bool>,
    pub version_guard: Stated<bool>,
}

impl Sink {
    pub fn read(document: &Document, report: &mut Report) -> Self {
        let mut keys = Keys::new(document, Table::Sink, report);
        let sink = Sink {
            effect: keys.choice("effect", EffectName::Add, report),
            idempotency_key: keys.boolean("idempotency-key", false, report),
            dedup: keys.choice("dedup", DedupStore::Durable, report),
            dedup_insert: keys.choice("dedup-insert", DedupInsert::Unique, report),
            dedup_key: keys.choice("dedup-key", DedupKey::Record, report),
            dedup_window: window(&mut keys, report),
            fencing: keys.boolean("fencing", false, report),
            version_guard: keys.boolean("version-guard", false, report),
        };
        keys.finish(report);
        sink.contradictions(report);
        sink
    }

    fn contradictions(&self, report: &mut Report) {
        if self.idempotency_key.value && self.effect.value != EffectName::External {
            report
                .problem(
                    Code::Contradiction,
                    self.idempotency_key.at,
                    "`idempotency-key` needs effect = \"external\"",
                )
                .because("An idempotency key goes with a call to a provider outside; the effect here is not such a call.")
                .write("Write effect = \"external\", or use `remember` and a dedup store.");
        }
    }
}

fn window(keys: &mut Keys<'_>, report: &mut Report) -> Stated<Option<i64>> {
    let unlimited = Stated::default(None);
    let Some(field) = keys.take("dedup-window") else {
        return unlimited;
    };
    match &field.value {
        Scalar::Text(text) if text == "unlimited" => Stated {
            value: None,
            at: Some(field.value_span),
        },
        Scalar::Text(_) => {
            super::keys::wrong_type(report, field, "\"unlimited\" or a whole number from 1 to 6");
            unlimited
        }
        _ => integer(
            field,
            1..=6,
            "A design has at most 6 records to remember.",
            report,
        )
        .map_or(unlimited, |stated| Stated {
            value: Some(stated.value),
            at: stated.at,
        }),
    }
}
