//! Results and transactions: what `[output.*]` and the keys about them come to, and what is refused
//! beside them.

use semel_models::fault::Fault;
use semel_models::pipeline::{Acks, Isolation, OnAbort, OutputSettings, TransactionalId};
use semel_models::transaction_coordinator::TransactionVersion;

use super::super::models_together;
use super::*;

const TRANSACTIONAL: &str = "[output.producer]\ntransactional.id = \"results\"\n";

/// A sound design with this order, these lines of `[application]`, and these tables.
fn results(order: &str, lines: &str, tables: &str) -> String {
    with_application(lines).replace("process -> commit", order) + tables
}

fn output(text: &str) -> OutputSettings {
    accepted(text).pipeline().consumer.output.clone()
}

#[test]
fn results_are_written_as_their_producer_says_and_read_as_java_reads() {
    let plain = output(&results("produce -> commit", "", ""));
    assert!(plain.idempotence && plain.acks == Acks::All);
    assert_eq!(plain.isolation, Isolation::ReadUncommitted);
    let producer = "[output.producer]\nacks = 1\nretries = 1\n[output.consumer]\nisolation.level = \"read_committed\"\n";
    let stated = output(&results("produce -> commit", "", producer));
    assert_eq!((stated.acks, stated.retries), (Acks::Leader, 1));
    assert!(!stated.idempotence);
    assert_eq!(stated.isolation, Isolation::ReadCommitted);
}

#[test]
fn a_transaction_has_an_id_its_metadata_and_a_seek_unless_said_otherwise() {
    let order = "kafka[produce, commit]";
    let default = output(&results(order, "", TRANSACTIONAL));
    assert_eq!(default.transactional_id, TransactionalId::Stable);
    assert_eq!(default.on_abort, OnAbort::Seek);
    assert!(default.group_metadata && default.offsets_are_awaited);
    let lines = "transactional-id = \"per-start\"\non-abort = \"continue\"\ngroup-metadata = false";
    let stated = output(&results(order, lines, TRANSACTIONAL));
    assert_eq!(stated.transactional_id, TransactionalId::PerStart);
    assert_eq!(stated.on_abort, OnAbort::Continue);
    assert!(!stated.group_metadata);
}

#[test]
fn a_transactional_producer_sends_in_transactions_and_only_there() {
    let without_id = results("kafka[produce, commit]", "", "");
    assert_eq!(only(&without_id).0, Code::Contradiction);
    let without_transaction = results("produce -> commit", "", TRANSACTIONAL);
    assert_eq!(only(&without_transaction).0, Code::RefusedByKafka);
    let plain = TRANSACTIONAL.to_owned() + "enable.idempotence = false\n";
    let without_idempotence = results("kafka[produce, commit]", "", &plain);
    assert!(codes(&refused(&without_idempotence)).contains(&Code::RefusedByKafka));
}

#[test]
fn what_is_about_transactions_needs_one() {
    for lines in [
        "on-abort = \"seek\"",
        "transactional-id = \"stable\"",
        "group-metadata = true",
    ] {
        assert_eq!(only(&with_application(lines)).0, Code::Contradiction);
    }
    let no_offsets = results("kafka[produce]", "group-metadata = true", TRANSACTIONAL);
    assert_eq!(only(&no_offsets).0, Code::Contradiction);
}

#[test]
fn the_version_decides_what_fences_and_what_is_awaited() {
    let of = |kafka: &str| {
        let text = results("kafka[produce, commit]", "", TRANSACTIONAL);
        let design = accepted(&format!("kafka = \"{kafka}\"\n{text}"));
        let pipeline = design.pipeline();
        let output = &pipeline.consumer.output;
        (
            pipeline.rules.transactions.version,
            pipeline.rules.transactions.verifies,
            output.group_metadata,
            output.offsets_are_awaited,
        )
    };
    assert_eq!(of("4.1"), (TransactionVersion::Two, true, true, true));
    assert_eq!(of("3.9"), (TransactionVersion::One, true, true, true));
    assert_eq!(of("3.5"), (TransactionVersion::One, false, true, true));
    assert_eq!(of("2.4"), (TransactionVersion::One, false, false, false));
    let text = results(
        "kafka[produce, commit]",
        "group-metadata = true",
        TRANSACTIONAL,
    );
    let (code, _) = only(&format!("kafka = \"2.4\"\n{text}"));
    assert_eq!(code, Code::RefusedByKafka);
}

#[test]
fn what_is_not_modelled_beside_results_is_refused_by_name() {
    let order = "produce -> commit";
    let refused = |lines: &str, tables: &str| only(&results(order, lines, tables));
    let workers = refused("workers = 1", "");
    assert_eq!(workers.0, Code::NotModelled);
    assert!(workers.1.contains("workers"), "{}", workers.1);
    let two = refused("", "[output.topic]\npartitions = 2\n");
    assert_eq!(two.0, Code::NotModelled);
    let reset = refused("", "[output.consumer]\nauto.offset.reset = \"latest\"\n");
    assert!(reset.1.contains("auto.offset.reset"), "{}", reset.1);
    let power = results(order, "", "").replace("consumer-crash", "power-loss-all");
    assert!(only(&power).1.contains("power-loss-all"));
    let letters = results(
        "kafka[produce, commit]",
        "on-process-failure = { then = \"dead-letter\" }",
        TRANSACTIONAL,
    );
    assert_eq!(only(&letters).0, Code::NotModelled);
}

#[test]
fn dead_letters_and_retries_beside_faults_that_take_them_are_refused_by_name() {
    let faults = |then: &str, output: &str, faults: &str| {
        let lines = format!("on-process-failure = {{ then = \"{then}\" }}");
        let text = with_application(&lines).replace("consumer-crash = 1", faults);
        text + "[output.producer]\n" + output
    };
    let acks = "acks = \"all\"\n";
    for then in ["dead-letter", "retry-topic"] {
        for fault in ["broker-crash", "power-loss", "disk-loss"] {
            let both = format!("poison = 1\n{fault} = 1");
            let (code, told) = only(&faults(then, acks, &both));
            assert_eq!(code, Code::NotModelled);
            assert!(told.contains(fault), "{told}");
            // Without a failure nothing is written there.
            accepted(&faults(then, acks, &format!("{fault} = 1")));
            accepted(&faults(then, acks, &format!("{both}\ntotal = 1")));
        }
        // One replica is the leader for ever.
        accepted(&faults(then, acks, "poison = 1\nleader-change = 1"));
        let crash = "process-failure = 1\nconsumer-crash = 1";
        let (code, told) = only(&faults(then, "acks = 0\n", crash));
        assert_eq!(code, Code::NotModelled);
        assert!(told.contains("acks = 0"), "{told}");
        accepted(&faults(then, "acks = 1\n", crash));
        accepted(&faults(then, "acks = 0\n", "process-failure = 1"));
    }
    let lines = "on-process-failure = { then = \"dead-letter\" }";
    let results = results("produce -> commit", lines, "");
    let struck = results.replace("consumer-crash", "broker-crash");
    assert_eq!(only(&struck).0, Code::NotModelled);
    assert!(!models_together(&accepted(&results), Fault::BrokerCrash));
}

#[test]
fn other_faults_than_the_stated_ones_are_known_or_not() {
    let produce = accepted(&results("produce -> commit", "", ""));
    assert!(!models_together(&produce, Fault::PowerLossAll));
    assert!(models_together(&produce, Fault::PowerLoss));
    assert!(models_together(&produce, Fault::RequestDelayed));
    assert!(models_together(&accepted(SOUND), Fault::PowerLoss));
    let lines = "transactional-id = \"per-start\"";
    let text = results("kafka[produce, commit]", lines, TRANSACTIONAL);
    let old = accepted(&format!("kafka = \"3.5\"\n{text}"));
    assert!(!models_together(&old, Fault::RequestDelayed));
    assert!(!models_together(&old, Fault::BrokerCrash));
}

#[test]
fn what_is_not_modelled_beside_results_and_brokers_is_refused_by_name() {
    let struck = |order: &str, lines: &str, tables: &str, faults: &str| {
        let text = results(order, lines, tables);
        let text = text.replace("consumer-crash = 1", faults);
        only(&text).1
    };
    let order = "produce -> commit";
    for other in ["poison", "retention"] {
        let faults = format!("broker-crash = 1\n{other} = 1");
        let message = struck(order, "", "", &faults);
        assert!(message.contains(other), "{message}");
    }
    let late =
        results(order, "", "").replace("consumer-crash", "request-delayed = 1\nbroker-crash");
    accepted(&late);
    let mixed = struck(
        "each(produce-async) -> flush -> commit",
        "",
        "",
        "poison = 1\nbroker-crash = 1",
    );
    assert!(mixed.contains("poison"), "{mixed}");
    let ids = "transactional-id = \"per-partition\"";
    let partition = struck(
        "kafka[produce, commit]",
        ids,
        TRANSACTIONAL,
        "leader-change = 1",
    );
    assert!(partition.contains("per-partition"), "{partition}");
    let text = results(order, "", "").replace("consumer-crash", "broker-crash");
    assert!(only(&format!("kafka = \"2.0\"\n{text}")).1.contains("2.0"));
    let old = format!("kafka = \"2.8\"\nclient-version = \"2.4\"\n{text}");
    assert!(only(&old).1.contains("before 2.5"));
}

#[test]
fn what_comes_behind_is_modelled_where_the_log_of_results_is() {
    let old = |ids: &str, fault: &str| {
        let text = results("kafka[produce, commit]", ids, TRANSACTIONAL);
        format!("kafka = \"3.5\"\n{}", text.replace("consumer-crash", fault))
    };
    let lost = "request-lost.output-produce";
    let per_start = "transactional-id = \"per-start\"";
    assert!(accepted(&old("", lost)).pipeline().logs_results());
    assert!(
        !accepted(&old("", "consumer-crash"))
            .pipeline()
            .logs_results()
    );
    assert!(only(&old(per_start, lost)).1.contains("given up"));
    accepted(&old(per_start, lost).replace("3.5", "3.6"));
    // A client that takes another producer id, in an application that goes on.
    let skips = "on-process-failure = { attempts = 1, then = \"skip\" }";
    let text = results("produce -> commit", skips, "");
    let skips = text.replace("consumer-crash", "request-delayed.output-produce");
    assert!(
        only(&format!("kafka = \"2.4\"\n{skips}"))
            .1
            .contains("given up")
    );
    accepted(&format!("kafka = \"2.5\"\n{skips}"));
    // What a design meets that names no fault leaves late requests out where the log would have to show them.
    let unnamed = |ids: &str, kafka: &str| {
        let text = old(ids, lost).replace(&format!("[faults]\n{lost} = 1\n"), "");
        accepted(&text.replace("3.5", kafka))
    };
    let followed = unnamed("", "3.9");
    assert!(followed.pipeline().logs_results());
    assert!(followed.pipeline().faults.contains(Fault::RequestDelayed));
    let unfollowed = unnamed(per_start, "3.9");
    assert!(!unfollowed.pipeline().logs_results());
    assert!(!unfollowed.pipeline().faults.contains(Fault::RequestDelayed));
}

#[test]
fn which_result_of_a_poll_failed_is_known_to_nobody() {
    let order = "each(produce-async) -> flush -> commit";
    let of = |failure: &str| {
        let lines = format!("on-process-failure = {{ {failure} }}");
        results(order, &lines, "")
    };
    for (failure, refused) in [
        ("attempts = 2, then = \"stop\"", "attempts = 2"),
        ("attempts = 1, then = \"block\"", "then = \"block\""),
        (
            "attempts = 1, then = \"dead-letter\"",
            "then = \"dead-letter\"",
        ),
    ] {
        assert!(only(&of(failure)).1.contains(refused));
    }
    accepted(&of("attempts = 1, then = \"skip\""));
    accepted(
        &of("attempts = 2, then = \"stop\"").replace(order, "produce-async -> flush -> commit"),
    );
}

/// Both the upstream and the application send in transactions; `after`: the rest of `[faults]`.
fn two_hops(kafka: &str, producers: [&str; 2], after: &str) -> String {
    let [upstream, results] = producers;
    format!(
        "kafka = \"{kafka}\"\n[producer]\ntransactional.id = \"upstream\"\n{upstream}\n\
         [consumer]\nenable.auto.commit = false\nauto.offset.reset = \"earliest\"\n\
         [application]\norder = \"kafka[produce, commit]\"\nsource = \"transaction\"\n\
         [sink]\neffect = \"topic\"\n[output.producer]\ntransactional.id = \"results\"\n{results}\n\
         [broker]\ntransaction.max.timeout.ms = 2147483647\n[faults]\nconsumer-crash = 1\n{after}"
    )
}

#[test]
fn each_of_two_transactional_producers_has_its_own_timeout() {
    const ENDLESS: &str = "transaction.timeout.ms = 2147483647";
    let times_out = |producers: [&str; 2]| {
        let design = accepted(&two_hops("4.1", producers, "transaction-timeout = 1"));
        let pipeline = design.pipeline();
        let output = &pipeline.consumer.output;
        [
            pipeline.producer.transactions_time_out,
            output.transactions_time_out,
        ]
    };
    assert_eq!(times_out(["", ""]), [true, true]);
    assert_eq!(times_out([ENDLESS, ""]), [false, true]);
    assert_eq!(times_out(["", ENDLESS]), [true, false]);
    assert_eq!(times_out([ENDLESS, ENDLESS]), [false, false]);
}

#[test]
fn where_both_have_a_coordinator_no_request_to_it_may_be_late() {
    let late = |kafka: &str, fault: &str| two_hops(kafka, ["", ""], &format!("{fault} = 1"));
    let refused = |kafka: &str, fault: &str| {
        let (code, message) = only(&late(kafka, fault));
        assert_eq!(code, Code::NotModelled);
        assert!(
            message.contains("source = \"transaction\" and kafka[...]"),
            "{message}"
        );
    };
    for fault in ["request-delayed", "request-delayed.init-producer-id"] {
        refused("3.9", fault);
        refused("4.1", fault);
    }
    refused("3.9", "request-delayed.end-txn");
    refused("3.9", "request-delayed.add-offsets");
    accepted(&late("4.1", "request-delayed.end-txn"));
    accepted(&late("3.9", "request-delayed.txn-offset-commit"));
    let both = accepted(&late("4.1", "abort"));
    assert!(!models_together(&both, Fault::RequestDelayed));
    assert!(models_together(&both, Fault::ResponseLost));
    assert!(!models_together(&both, Fault::CoordinatorFailover));
    let (_, moves) = only(&late("4.1", "coordinator-failover"));
    assert!(moves.contains("coordinator-failover"), "{moves}");
}

#[test]
fn late_calls_of_transactions_are_modelled() {
    let design = |kafka: &str, ids: &str, faults: &str| {
        let text = results("kafka[produce, commit]", ids, TRANSACTIONAL);
        format!(
            "kafka = \"{kafka}\"\n{}",
            text.replace("consumer-crash = 1", faults)
        )
    };
    for kafka in ["3.9", "4.1"] {
        let late = accepted(&design(kafka, "", "request-delayed = 1"));
        let is_first = kafka == "3.9";
        assert_eq!(late.pipeline().logs_results(), is_first);
    }
    accepted(&design(
        "3.9",
        "",
        "request-delayed.end-txn = 1\ndelivery-timeout = 1",
    ));
    // An EndTxn that is late needs the log of results, which follows no id that does not stay.
    let per_start = "transactional-id = \"per-start\"";
    let (code, _) = only(&design("3.9", per_start, "request-delayed.end-txn = 1"));
    assert_eq!(code, Code::NotModelled);
    accepted(&design(
        "3.9",
        per_start,
        "request-delayed.txn-offset-commit = 1",
    ));
    accepted(&design("4.1", per_start, "request-delayed.end-txn = 1"));
}
