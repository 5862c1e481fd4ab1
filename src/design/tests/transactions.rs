//! An upstream that sends in transactions.

use semel_models::pipeline::{Isolation, Source};
use semel_models::transaction_coordinator::{TransactionRules, TransactionVersion};

use super::*;

/// A design that commits its records, with these lines before and after its parts.
fn transactional(root: &str, producer: &str, application: &str, rest: &str) -> String {
    format!(
        "{root}\n[producer]\ntransactional.id = \"payments\"\n{producer}\n[consumer]\n\
         enable.auto.commit = false\nauto.offset.reset = \"earliest\"\n[application]\n\
         source = \"transaction\"\norder = \"process -> commit\"\n{application}\n{rest}\n"
    )
}

const ABORT: &str = "[faults]\nabort = 1";

fn rules(root: &str, broker: &str) -> TransactionRules {
    let rest = format!("[broker]\n{broker}\n{ABORT}");
    let design = accepted(&transactional(root, "", "", &rest));
    design.pipeline().rules.transactions
}

#[test]
fn versions_and_brokers_decide_the_rules() {
    assert_eq!(rules("", ""), TransactionRules::CURRENT);
    let one = TransactionRules {
        version: TransactionVersion::One,
        ..TransactionRules::CURRENT
    };
    assert_eq!(rules("", "transaction.version = 1"), one);
    assert_eq!(rules("client-version = \"3.9\"", ""), one);
    let one = TransactionRules {
        first_number_is_zero: false,
        ..one
    };
    assert_eq!(rules("kafka = \"3.9\"", ""), one);
    let before_4_1 = TransactionRules {
        first_number_is_zero: false,
        ..TransactionRules::CURRENT
    };
    assert_eq!(rules("kafka = \"4.0\"", ""), before_4_1);
    let unverified = TransactionRules {
        verifies: false,
        ..one
    };
    assert_eq!(rules("kafka = \"3.5\"", ""), unverified);
    let off = "transaction.partition.verification.enable = false";
    assert_eq!(rules("kafka = \"3.9\"", off), unverified);
    let before_kip_360 = TransactionRules {
        epoch_can_be_expected: false,
        ..unverified
    };
    assert_eq!(rules("kafka = \"2.4\"", ""), before_kip_360);
    for (kafka, fences) in [
        ("0.11.0.0", false),
        ("0.11.0.1", false),
        ("0.11.0.2", true),
        ("0.11", true),
        ("1.0", true),
    ] {
        let rules = rules(&format!("kafka = \"{kafka}\""), "");
        assert_eq!(rules.timeout_fences, fences, "{kafka}");
    }
}

#[test]
fn the_isolation_level_counts_where_there_are_transactions() {
    let level = |client: &str, rest: &str| {
        let root = format!("client = \"{client}\"");
        accepted(&transactional(&root, "", "", rest))
            .pipeline()
            .isolation()
    };
    assert_eq!(level("java", ABORT), Isolation::ReadUncommitted);
    assert_eq!(level("librdkafka", ABORT), Isolation::ReadCommitted);
    let text = with_consumer("isolation.level = \"read_committed\"");
    let plain = accepted(&text);
    assert_eq!(plain.pipeline().isolation(), Isolation::ReadUncommitted);
}

#[test]
fn a_client_that_does_not_know_the_clusters_version_is_told_of() {
    let text = transactional("client = \"librdkafka\"", "", "", ABORT);
    assert!(warned(&accepted(&text)).contains(&WarningKind::ResolvedByClient));
    let old = transactional(
        "kafka = \"3.9\"",
        "",
        "",
        &format!("[broker]\ntransaction.version = 2\n{ABORT}"),
    );
    assert_eq!(only(&old).0, Code::RefusedByKafka);
}

#[test]
fn a_transactional_id_and_the_source_go_together() {
    let design = accepted(&transactional("", "", "records-per-transaction = 2", ABORT));
    assert_eq!(
        design.pipeline().producer.source,
        Source::Transaction {
            records_per_transaction: 2
        }
    );
    let without_source = with_producer("transactional.id = \"payments\"");
    assert_eq!(only(&without_source).0, Code::Contradiction);
    let without_id = with_application("source = \"transaction\"");
    assert_eq!(only(&without_id).0, Code::Contradiction);
}

#[test]
fn what_a_committing_application_cannot_mean_is_refused() {
    for line in [
        "confirm-on = \"send\"",
        "confirm-on = \"database-commit\"",
        "on-send-failure = \"ignore\"",
    ] {
        let text = transactional("", "", line, ABORT);
        assert_eq!(only(&text).0, Code::Contradiction, "{line}");
    }
}

#[test]
fn clients_and_coordinator_refuse_what_contradicts_a_transaction() {
    for (client, line) in [
        ("java", "enable.idempotence = false"),
        ("java", "acks = 1"),
        ("java", "retries = 0"),
        ("java", "max.in.flight.requests.per.connection = 6"),
        ("java", "transaction.timeout.ms = 900001"),
        ("librdkafka", "enable.idempotence = false"),
        ("librdkafka", "acks = 1"),
        ("librdkafka", "message.timeout.ms = 60001"),
        ("librdkafka", "socket.timeout.ms = 60101"),
    ] {
        let root = format!("client = \"{client}\"");
        let text = transactional(&root, line, "", ABORT);
        assert_eq!(only(&text).0, Code::RefusedByKafka, "{client}: {line}");
    }
    let old = accepted(&transactional("kafka = \"2.8\"", "", "", ABORT));
    assert!(old.pipeline().producer.idempotence, "turned on by the id");
}

#[test]
fn brokers_may_be_struck_beside_it_with_any_number_of_replicas() {
    for fault in [
        "broker-crash",
        "power-loss",
        "disk-loss",
        "leader-change",
        "replica-lag",
    ] {
        for replicas in 1..=3 {
            let rest = format!("[topic]\nreplication.factor = {replicas}\n[faults]\n{fault} = 1");
            accepted(&transactional("", "", "", &rest));
        }
    }
}

#[test]
fn before_2_0_librdkafka_is_refused_where_a_delivery_may_fail() {
    let text = |version: &str, faults: &str| {
        let root = format!("client = \"librdkafka\"\nclient-version = \"{version}\"");
        transactional(&root, "", "", &format!("[faults]\n{faults} = 1"))
    };
    for fault in ["request-refused.produce", "leader-change"] {
        let (code, message) = only(&text("1.8", fault));
        assert_eq!(code, Code::NotModelled);
        assert!(message.contains("client-version"), "{message}");
        accepted(&text("2.15", fault));
    }
    accepted(&text("1.8", "abort"));
}

#[test]
fn with_faults_of_the_log_and_of_every_broker_it_is_not_modelled_yet() {
    for fault in [
        "power-loss-all",
        "retention",
        "producer-id-expiry",
        "topic-recreate",
    ] {
        let text = transactional("", "", "", &format!("[faults]\n{fault} = 1"));
        let (code, message) = only(&text);
        assert_eq!(code, Code::NotModelled);
        assert!(message.contains(fault), "{message}");
    }
}

#[test]
fn it_goes_with_coordinators_that_move_and_topics_that_are_reported_as_missing() {
    for fault in ["coordinator-failover", "stale-metadata"] {
        let faults = format!("[faults]\n{fault} = 1");
        for client in ["java", "librdkafka"] {
            let root = format!("client = \"{client}\"");
            accepted(&transactional(&root, "", "", &faults));
        }
    }
    let old = "client = \"librdkafka\"\nclient-version = \"1.8\"";
    let text = transactional(old, "", "", "[faults]\nstale-metadata = 1");
    assert_eq!(only(&text).0, Code::NotModelled, "librdkafka #3575");
}

#[test]
fn its_pipeline_is_written_as_the_design_that_it_came_from() {
    for root in ["", "kafka = \"3.9\"", "client = \"librdkafka\""] {
        let design = accepted(&transactional(
            root,
            "",
            "records-per-transaction = 2",
            ABORT,
        ));
        let written = crate::design::write(design.pipeline(), &design.versions());
        let again = accepted(&written);
        assert_eq!(again.pipeline(), design.pipeline(), "{written}");
    }
}
