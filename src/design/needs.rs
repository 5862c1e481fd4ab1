//! Statements that mean nothing, or cannot both hold, without another part of the design.

mod reports;

pub(crate) use reports::callback;

use semel_models::order::{Order, Step};
use semel_models::pipeline::Client;

use super::application::Application;
use super::choices::{
    AfterAttempts, CommitCovers, ConfirmOn, DeadLetterOrder, EffectName, OnRestart, OnRevoke,
    RecordSource,
};
use super::diagnostic::Code;
use super::group::assigns_itself;
use super::report::Report;
use super::resolve::Parts;
use super::source::Span;
use super::version::Rule;

/// One thing that a statement needs.
struct Need<'n> {
    /// The statement: the key, or the key with its value.
    what: &'n str,
    at: Option<Span>,
    met: bool,
    needed: &'n str,
    why: &'n str,
    write: &'n str,
}

fn refuse(needs: &[Need<'_>], report: &mut Report) {
    for need in needs.iter().filter(|need| !need.met) {
        let Some(at) = need.at else {
            continue;
        };
        report
            .problem(
                Code::Contradiction,
                at,
                format!("`{}` needs {}", need.what, need.needed),
            )
            .because(need.why)
            .write(need.write);
    }
}

pub(crate) fn check(parts: &Parts<'_>, order: Option<&Order>, report: &mut Report) {
    source(parts.application, report);
    confirmation(parts.application, report);
    resumption(parts.application, report);
    reports::check(parts, report);
    workers(parts.application, order, report);
    listener(parts, report);
    dead_letters(parts.application, report);
    transactions(parts.application, order, report);
    sink(parts, order, report);
}

/// What goes with one source only.
fn source(application: &Application, report: &mut Report) {
    let is = |source| application.source.value == source;
    let outbox = |what, at, why| Need {
        what,
        at,
        met: is(RecordSource::Outbox),
        needed: "source = \"outbox\"",
        why,
        write: "Write source = \"outbox\", or leave the key out.",
    };
    refuse(
        &[
            outbox(
                "outbox-order",
                application.outbox_order.at,
                "It says whether the relay of an outbox publishes a row before it marks it; records of this design come from no such table.",
            ),
            outbox(
                "outbox-cursor",
                application.outbox_cursor.at,
                "It says how the relay of an outbox finds its next row; records of this design come from no such table.",
            ),
            Need {
                what: "dual-write-order",
                at: application.dual_write_order.at,
                met: is(RecordSource::DualWrite),
                needed: "source = \"dual-write\"",
                why: "It says whether the application writes to its database or to Kafka first; in this design it does not write to both.",
                write: "Write source = \"dual-write\", or leave the key out.",
            },
            Need {
                what: "records-per-transaction",
                at: application
                    .records_per_transaction
                    .as_ref()
                    .and_then(|stated| stated.at),
                met: is(RecordSource::Transaction),
                needed: "source = \"transaction\"",
                why: "It says how many records the upstream commits in one transaction; in this design it has none.",
                write: "Leave the key out.",
            },
        ],
        report,
    );
}

/// A record without a row is never confirmed by one.
fn confirmation(application: &Application, report: &mut Report) {
    let has_rows = match application.source.value {
        RecordSource::Outbox | RecordSource::DualWrite => true,
        RecordSource::Memory | RecordSource::Transaction => false,
    };
    refuse(
        &[Need {
            what: "confirm-on = \"database-commit\"",
            at: application.confirm_on.at,
            met: has_rows || application.confirm_on.value != ConfirmOn::DatabaseCommit,
            needed: "source = \"outbox\" or \"dual-write\"",
            why: "The application relies on a row that it committed to its database; records of this source have no row.",
            write: "Write one of these sources, or confirm-on = \"ack\".",
        }],
        report,
    );
}

/// An outbox has its own memory of what is to be published.
fn resumption(application: &Application, report: &mut Report) {
    let resumes = application.on_restart.value == OnRestart::ResendUnconfirmed;
    if application.source.value == RecordSource::Outbox && resumes {
        report
            .problem(
                Code::Contradiction,
                application.on_restart.at,
                "on-restart = \"resend-unconfirmed\" and source = \"outbox\" are two answers to one question",
            )
            .because("After a restart the relay goes on where its table says: what is not marked is published again, whatever was confirmed.")
            .write("Leave `on-restart` out.");
    }
}

/// What a commit of the poll loop can cover, with workers and without.
fn workers(application: &Application, order: Option<&Order>, report: &mut Report) {
    let workers = application.workers.value;
    let covers = &application.commit_covers;
    let on_callback = [application.on_revoke.value, application.on_lost.value];
    refuse(
        &[Need {
            what: match covers.value {
                CommitCovers::Highest => "commit-covers = \"highest\"",
                CommitCovers::Next
                | CommitCovers::Last
                | CommitCovers::Position
                | CommitCovers::Contiguous => "commit-covers = \"contiguous\"",
            },
            at: covers.at,
            met: workers > 0
                || !matches!(
                    covers.value,
                    CommitCovers::Contiguous | CommitCovers::Highest
                ),
            needed: "workers",
            why: "Without workers records are done in the order in which they were polled: the next offset after this record is the contiguous and the highest one at once.",
            write: "Write commit-covers = \"next\", or workers = 1 to 4.",
        }],
        report,
    );
    let saves = |order: &Order| {
        [Step::Commit, Step::CommitAsync, Step::SaveOffset]
            .into_iter()
            .any(|step| order.contains(step))
    };
    let commits = order.is_some_and(saves) || on_callback.contains(&OnRevoke::Commit);
    let of_one_record = matches!(covers.value, CommitCovers::Next | CommitCovers::Last);
    if workers > 1 && commits && of_one_record {
        let stated = match (covers.is_stated(), covers.value) {
            (true, CommitCovers::Last) => "commit-covers = \"last\"",
            (true, _) => "commit-covers = \"next\"",
            (false, _) => "commit-covers, which is \"next\" when it is left out,",
        };
        report
            .problem(
                Code::Contradiction,
                covers.at.or(application.workers.at),
                format!("{stated} does not say what is committed with workers = {workers}"),
            )
            .because("Workers finish records in any order. \"The next offset after this record\" may then be above a record that another worker still has in hand, and it is not said whether that is meant.")
            .write("Write commit-covers = \"contiguous\" (up to the first record that is not done), \"highest\" (the highest that is done: it may pass over others) or \"position\" (a bare commitSync(): all that was polled).");
    }
}

/// A rebalance listener needs a group that rebalances, and something to drop.
fn listener(parts: &Parts<'_>, report: &mut Report) {
    let application = parts.application;
    for (key, stated) in [
        ("on-revoke", &application.on_revoke),
        ("on-lost", &application.on_lost),
    ] {
        let acts = stated.value != OnRevoke::Nothing;
        let drops = stated.value == OnRevoke::DropBuffered;
        let drop = format!("{key} = \"drop-buffered\"");
        refuse(
            &[
                Need {
                    what: key,
                    at: stated.at,
                    met: !acts || !assigns_itself(application),
                    needed: "assignment = \"subscribe\"",
                    why: "A consumer that calls assign() takes part in no rebalance: its listener never runs.",
                    write: "Leave the key out, or write assignment = \"subscribe\".",
                },
                Need {
                    what: &drop,
                    at: stated.at,
                    met: !drops || application.workers.value > 0,
                    needed: "workers",
                    why: "Without workers nothing is buffered: the listener runs inside a poll, when every record that was polled before is done.",
                    write: "Leave the key out, or write workers = 1 to 4.",
                },
            ],
            report,
        );
    }
    callbacks(parts, report);
}

/// What the client calls, and what it does not call.
fn callbacks(parts: &Parts<'_>, report: &mut Report) {
    let application = parts.application;
    let stated = application.on_revoke.at.is_some() || application.on_lost.at.is_some();
    if stated
        && parts
            .consumer
            .get("rebalance_cb")
            .is_some_and(|stated| stated.value == "false")
    {
        report
            .problem(
                Code::Contradiction,
                parts.consumer.at("rebalance_cb"),
                "on-revoke and on-lost need a rebalance callback, and `rebalance_cb` takes it away",
            )
            .because("Without a callback librdkafka gives partitions up by itself, and no code of the application runs.")
            .write("Leave `rebalance_cb` out.");
    }
    let alike = application.on_lost.value == application.on_revoke.value;
    let java = parts.versions.library == Client::Java;
    if java && !alike && !parts.versions.has(Rule::CooperativeRebalancing) {
        report
            .problem(
                Code::RefusedByKafka,
                application.on_lost.at,
                format!(
                    "the Java client {} has no callback for partitions that were lost",
                    parts.versions.client
                ),
            )
            .because("onPartitionsLost() came with Kafka 2.4 (KIP-429); before, onPartitionsRevoked() was called for them, too.")
            .write("Leave `on-lost` out, or write client-version = \"2.4\" or newer.");
    }
}

fn dead_letters(application: &Application, report: &mut Report) {
    let letters = application.after_attempts.value == AfterAttempts::DeadLetter;
    let at = application.dead_letter_order.at;
    let commits_first = application.dead_letter_order.value == DeadLetterOrder::CommitWrite;
    refuse(
        &[
            Need {
                what: "dead-letter-order",
                at,
                met: letters,
                needed: "on-process-failure = { then = \"dead-letter\" }",
                why: "It says whether a dead letter is written before the record's offset is committed; this design writes none.",
                write: "Write then = \"dead-letter\", or leave the key out.",
            },
            Need {
                what: "dead-letter-order = \"commit -> write\"",
                at,
                met: !letters || !commits_first || application.workers.value == 0,
                needed: "workers = 0",
                why: "A worker commits nothing: the poll loop does, after the worker has written the dead letter and is done with the record.",
                write: "Write dead-letter-order = \"write -> commit\".",
            },
        ],
        report,
    );
}

/// What goes with Kafka transactions only.
fn transactions(application: &Application, order: Option<&Order>, report: &mut Report) {
    let met = order.is_none_or(|order| !order.transactions().is_empty());
    let keys = [
        ("on-abort", application.on_abort.at),
        ("prepared-transaction", application.prepared_transaction.at),
        ("transactional-id", application.transactional_id.at),
        ("group-metadata", application.group_metadata.at),
    ];
    for (what, at) in keys {
        let need = Need {
            what,
            at,
            met,
            needed: "kafka[...] in the order",
            why: "It is about the transactions of the output producer; this design has none.",
            write: "Write kafka[...] around what is to be one transaction, or leave the key out.",
        };
        refuse(&[need], report);
    }
}

fn sink(parts: &Parts<'_>, order: Option<&Order>, report: &mut Report) {
    let sink = parts.sink;
    let has = |step| order.is_none_or(|order| order.contains(step));
    let upserts = sink.effect.value == EffectName::Upsert;
    let fences = sink.fencing.value;
    refuse(
        &[
            Need {
                what: "version-guard",
                at: sink.version_guard.at,
                met: !sink.version_guard.value || upserts || has(Step::SaveOffset),
                needed: "effect = \"upsert\", or `save-offset` in the order",
                why: "It lets a row, or the saved offset, be written over an older version only; this design writes neither.",
                write: "Write effect = \"upsert\", save the offset with the effect (`db[process, save-offset]`), or leave the key out.",
            },
            Need {
                what: "fencing",
                at: sink.fencing.at,
                met: !fences || !assigns_itself(parts.application),
                needed: "assignment = \"subscribe\"",
                why: "The sink refuses writers of an older generation of the group; consumers that call assign() are in no group and have none.",
                write: "Leave the key out, or write assignment = \"subscribe\".",
            },
            Need {
                what: "fencing",
                at: sink.fencing.at,
                met: !fences || sink.effect.value != EffectName::External,
                needed: "a sink that knows generations",
                why: "The sink must compare the writer's generation with the newest that it was told of; a provider outside does not.",
                write: "Leave the key out, or write idempotency-key = true if the provider has such keys.",
            },
            Need {
                what: "fencing",
                at: sink.fencing.at,
                met: !fences || sink.effect.value != EffectName::Topic,
                needed: "a sink that knows generations",
                why: "A topic takes what every producer sends. Kafka fences by the transactional id, or by the generation that sendOffsetsToTransaction carries.",
                write: "Leave the key out, or write kafka[...] with group-metadata = true or transactional-id = \"per-partition\".",
            },
            Need {
                what: "dedup-window",
                at: sink
                    .dedup_window
                    .at
                    .filter(|_| sink.dedup_window.value.is_some()),
                met: has(Step::Remember),
                needed: "`remember` in the order",
                why: "It says how many identities the dedup store keeps; nothing is ever put in it.",
                write: "Write an order with `remember`, or leave the key out.",
            },
        ],
        report,
    );
}
