//! `[application]`: what the code around the clients does.

use super::choices::{
    AckMode, AfterAttempts, Assignment, CommitCovers, ConfirmOn, DeadLetterOrder, DualWriteOrder,
    Framework, OnAbort, OnCommitFailure, OnRestart, OnRevoke, OnSendFailure, OutboxCursor,
    OutboxOrder, PreparedTransaction, ProcessingGuarantee, RecordSource, TransactionalId,
};
use super::diagnostic::Code;
use super::document::Document;
use super::keys::{Keys, Stated};
use super::order::text::OrderText;
use super::order::{Node, syntax};
use super::report::Report;
use super::source::Span;
use super::table::Table;

/// The order as written: its parts, and where they stand.
#[derive(Debug)]
pub(crate) struct WrittenOrder {
    pub nodes: Vec<Node>,
    pub text: OrderText,
    /// The whole value.
    pub span: Span,
}

/// `[application]` as stated, with semel's defaults for what is left out.
#[derive(Debug)]
pub(crate) struct Application {
    /// `None`: missing or unreadable, which has been reported.
    pub order: Option<WrittenOrder>,
    pub commit_covers: Stated<CommitCovers>,
    pub workers: Stated<i64>,
    pub confirm_on: Stated<ConfirmOn>,
    pub seek_on_assign: Stated<bool>,
    pub source: Stated<RecordSource>,
    pub outbox_order: Stated<OutboxOrder>,
    pub outbox_cursor: Stated<OutboxCursor>,
    pub dual_write_order: Stated<DualWriteOrder>,
    pub records_per_transaction: Option<Stated<i64>>,
    pub on_send_failure: Stated<OnSendFailure>,
    pub on_restart: Stated<OnRestart>,
    pub attempts: Stated<i64>,
    pub after_attempts: Stated<AfterAttempts>,
    pub dead_letter_order: Stated<DeadLetterOrder>,
    pub on_commit_failure: Stated<OnCommitFailure>,
    pub on_revoke: Stated<OnRevoke>,
    pub on_lost: Stated<OnRevoke>,
    pub on_abort: Stated<OnAbort>,
    pub prepared_transaction: Stated<PreparedTransaction>,
    pub instances: Stated<i64>,
    pub assignment: Stated<Assignment>,
    pub transactional_id: Stated<TransactionalId>,
    pub group_metadata: Stated<bool>,
    /// Whether a framework has been expanded to the rest.
    pub has_framework: bool,
}

impl Application {
    pub fn read(document: &Document, report: &mut Report) -> Self {
        let mut keys = Keys::new(document, Table::Application, report);
        let order = read_order(&mut keys, document, report);
        let source = keys.choice("source", RecordSource::Memory, report);
        let confirm = match source.value {
            RecordSource::Memory | RecordSource::Transaction => ConfirmOn::Ack,
            RecordSource::Outbox | RecordSource::DualWrite => ConfirmOn::DatabaseCommit,
        };
        // Java's onPartitionsLost() calls onPartitionsRevoked() unless it is overridden, and
        // librdkafka has one callback for both.
        let on_revoke = keys.choice("on-revoke", OnRevoke::Nothing, report);
        let application = Application {
            order,
            commit_covers: keys.choice("commit-covers", CommitCovers::Next, report),
            workers: number(
                &mut keys,
                "workers",
                0,
                0..=4,
                "The bound is kept small: 4 threads show every interleaving of two and more.",
                report,
            ),
            confirm_on: keys.choice("confirm-on", confirm, report),
            seek_on_assign: keys.boolean("seek-on-assign", true, report),
            source,
            outbox_order: keys.choice("outbox-order", OutboxOrder::PublishMark, report),
            outbox_cursor: keys.choice("outbox-cursor", OutboxCursor::Status, report),
            dual_write_order: keys.choice(
                "dual-write-order",
                DualWriteOrder::DatabaseKafka,
                report,
            ),
            records_per_transaction: keys.integer(
                "records-per-transaction",
                1..=6,
                "A design sends at most 6 records.",
                report,
            ),
            on_send_failure: keys.choice("on-send-failure", OnSendFailure::GiveUp, report),
            on_restart: keys.choice("on-restart", OnRestart::Forget, report),
            attempts: number(
                &mut keys,
                "on-process-failure.attempts",
                1,
                1..=100,
                "The first try counts as an attempt.",
                report,
            ),
            after_attempts: keys.choice("on-process-failure.then", AfterAttempts::Stop, report),
            dead_letter_order: keys.choice(
                "dead-letter-order",
                DeadLetterOrder::WriteCommit,
                report,
            ),
            on_commit_failure: keys.choice(
                "on-commit-failure",
                OnCommitFailure::RetryLatest,
                report,
            ),
            on_lost: keys.choice("on-lost", on_revoke.value, report),
            on_revoke,
            on_abort: keys.choice("on-abort", OnAbort::Seek, report),
            prepared_transaction: keys.choice(
                "prepared-transaction",
                PreparedTransaction::Abort,
                report,
            ),
            instances: number(
                &mut keys,
                "instances",
                1,
                1..=2,
                "One group has one or two consumers.",
                report,
            ),
            assignment: keys.choice("assignment", Assignment::Subscribe, report),
            transactional_id: keys.choice("transactional-id", TransactionalId::Stable, report),
            group_metadata: keys.boolean("group-metadata", true, report),
            has_framework: framework(&mut keys, report),
        };
        keys.finish(report);
        application
    }
}

/// Whether there is a framework. It has been expanded to the other keys: only its words are checked.
fn framework(keys: &mut Keys<'_>, report: &mut Report) -> bool {
    keys.choice("ack-mode", AckMode::Batch, report);
    keys.choice(
        "processing.guarantee",
        ProcessingGuarantee::AtLeastOnce,
        report,
    );
    let framework = keys.choice("framework", Framework::SpringKafka, report);
    framework.is_stated()
}

fn number(
    keys: &mut Keys<'_>,
    name: &str,
    default: i64,
    range: std::ops::RangeInclusive<i64>,
    why: &str,
    report: &mut Report,
) -> Stated<i64> {
    keys.integer(name, range, why, report)
        .unwrap_or(Stated::default(default))
}

fn read_order(
    keys: &mut Keys<'_>,
    document: &Document,
    report: &mut Report,
) -> Option<WrittenOrder> {
    const EXAMPLE: &str = "Write, for instance, order = \"process -> commit\" in [application].";
    let Some(field) = keys.take("order") else {
        let span = document
            .section(Table::Application)
            .and_then(|section| section.span);
        // Without a place of its own, the missing order is shown at the file's beginning.
        let span = span.unwrap_or(Span { start: 0, end: 0 });
        report
            .problem(Code::Missing, span, "the design has no order")
            .label("no `order` in [application]")
            .because("The order of effects and commits decides what a crash loses or repeats.")
            .write(EXAMPLE);
        return None;
    };
    let super::document::Scalar::Text(text) = &field.value else {
        super::keys::wrong_type(report, field, "the order as a string");
        return None;
    };
    if text.len() > syntax::MAX_BYTES {
        let message = format!("the order has more than {} bytes", syntax::MAX_BYTES);
        report
            .problem(Code::TooLarge, field.name_span, message)
            .because(format!("It has at most {} steps.", syntax::MAX_STEPS));
        return None;
    }
    let places = OrderText::new(&report.source, field.value_span, text);
    match syntax::parse(text) {
        Ok(nodes) => Some(WrittenOrder {
            nodes,
            text: places,
            span: field.value_span,
        }),
        Err(errors) => {
            for error in errors {
                let code = if error.too_deep {
                    Code::TooDeep
                } else {
                    Code::OrderSyntax
                };
                report
                    .problem(code, places.place(error.span), error.message)
                    .write(error.write);
            }
            None
        }
    }
}
