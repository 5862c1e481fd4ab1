//! Budgets of faults.

use semel_models::fault::{Call, Fault, FaultClass, FaultKey};

use super::super::modelled;
use super::*;

fn with_faults(lines: &str) -> String {
    SOUND.replace("consumer-crash = 1", lines)
}

#[test]
fn a_budget_keeps_the_order_of_the_design() {
    let design = accepted(&with_faults(
        "response-lost.produce = 2\nconsumer-crash = 1\ntotal = 2",
    ));
    let faults = &design.pipeline().faults;
    let per_call = FaultKey {
        fault: Fault::ResponseLost,
        call: Some(Call::Produce),
    };
    let crash = FaultKey {
        fault: Fault::ConsumerCrash,
        call: None,
    };
    assert_eq!(faults.entries, [(per_call, 2), (crash, 1)]);
    assert_eq!(faults.total(), 2);
}

#[test]
fn a_budget_of_zero_is_no_fault() {
    let design = accepted(&with_faults("consumer-crash = 0"));
    assert!(design.pipeline().faults.entries.is_empty());
    assert_eq!(warned(&design), [WarningKind::NoFaults]);
    let design = accepted(&with_faults("consumer-crash = 1\ntotal = 0"));
    assert_eq!(design.pipeline().faults.total(), 0);
    assert_eq!(warned(&design), [WarningKind::NoFaults]);
}

#[test]
fn a_sum_above_the_limit_needs_a_total() {
    let text = with_faults("consumer-crash = 5\nproducer-crash = 4");
    assert_eq!(only(&text).0, Code::OutOfRange);
    accepted(&format!("{text}total = 8\n"));
}

#[test]
fn without_faults_one_of_each_that_is_modelled_is_budgeted_and_told() {
    let design = accepted(&SOUND.replace("[faults]\nconsumer-crash = 1", ""));
    let faults = &design.pipeline().faults;
    let expected: Vec<Fault> = Fault::ALL
        .iter()
        .copied()
        .filter(|fault| {
            modelled::fault(*fault)
                && ![Fault::Poison, Fault::Abort, Fault::StaleMetadata].contains(fault)
                && matches!(
                    fault.class(),
                    FaultClass::Process | FaultClass::Network | FaultClass::Group
                )
        })
        .collect();
    let found: Vec<Fault> = faults.entries.iter().map(|(key, _)| key.fault).collect();
    assert_eq!(found, expected);
    assert!(faults.entries.iter().all(|(_, budget)| *budget == 1));
    assert_eq!(faults.total(), 2);
    let text = design.warnings()[0].text();
    assert!(text.ends_with("and no more than 2 in all."), "{text}");
    assert!(
        !text.contains("poison") && !text.contains("abort"),
        "{text}"
    );
    assert!(!text.contains("stale-metadata"), "{text}");
}

#[test]
fn only_librdkafka_drops_a_topic_that_is_reported_as_missing() {
    let meets = |text: &str| {
        let faults = accepted(text).pipeline().faults.clone();
        faults.contains(Fault::StaleMetadata)
    };
    let bare = SOUND.replace("[faults]\nconsumer-crash = 1", "");
    assert!(!meets(&bare));
    assert!(meets(&format!("client = \"librdkafka\"\n{bare}")));
}

#[test]
fn a_fault_that_the_design_cannot_meet_is_accepted() {
    for line in [
        "transaction-timeout = 1",
        "leader-change = 1",
        "replica-lag = 1",
        "dedup-expiry = 1",
        "abort = 1",
        "compaction = 1",
        "response-lost.end-txn = 1",
    ] {
        assert_eq!(
            accepted(&with_faults(line)).pipeline().faults.total(),
            1,
            "{line}"
        );
    }
    let off = with_faults("producer-id-expiry = 1") + "[producer]\nenable.idempotence = false\n";
    accepted(&off);
    let kept = with_faults("retention = 1") + "[topic]\nretention.ms = -1\n";
    accepted(&kept);
    assert!(!accepted(&kept).pipeline().topic.retention);
    let compacted = with_faults("retention = 1") + "[topic]\ncleanup.policy = \"compact\"\n";
    let topic = accepted(&compacted).pipeline().topic.clone();
    assert!(topic.compacted && topic.cleaned && !topic.retention);
    let both = compacted.replace("compact", "compact,delete");
    assert!(accepted(&both).pipeline().topic.retention);
    let by_broker = with_faults("compaction = 1")
        + "[broker]\nlog.cleanup.policy = \"compact\"\nlog.cleaner.enable = false\n";
    let topic = accepted(&by_broker).pipeline().topic.clone();
    assert!(topic.compacted && !topic.cleaned);
    let by_size = accepted(&format!("{kept}retention.bytes = 1000\n"));
    assert!(by_size.pipeline().topic.retention);
    let by_broker = with_faults("retention = 1") + "[broker]\nlog.retention.ms = -1\n";
    assert!(!accepted(&by_broker).pipeline().topic.retention);
    for line in ["consumer-pause = 1", "slow-processing = 1", "rebalance = 1"] {
        let alone =
            with_faults(line).replace("[application]", "[application]\nassignment = \"assign\"");
        assert_eq!(accepted(&alone).pipeline().faults.total(), 1, "{line}");
    }
}

#[test]
fn the_default_faults_are_those_that_the_design_can_meet() {
    let names = |text: &str| -> Vec<&str> {
        let entries = accepted(text).pipeline().faults.entries.clone();
        entries.iter().map(|(key, _)| key.fault.name()).collect()
    };
    let default = SOUND.replace("[faults]\nconsumer-crash = 1", "");
    let assigned = default.replace("[application]", "[application]\nassignment = \"assign\"");
    let dual = default.replace("[application]", "[application]\nsource = \"dual-write\"");
    let strategy = "org.apache.kafka.clients.consumer.CooperativeStickyAssignor";
    let cooperative = default.replace(
        "[consumer]",
        &format!("[consumer]\npartition.assignment.strategy = \"{strategy}\""),
    );
    let two = cooperative.replace("[application]", "[application]\ninstances = 2");
    assert!(names(&default).contains(&"rebalance") && !names(&default).contains(&"abort"));
    for fault in ["rebalance", "consumer-pause", "slow-processing"] {
        assert!(!names(&assigned).contains(&fault), "{fault}");
    }
    assert!(names(&dual).contains(&"abort"));
    // An only member that keeps what it has is never moved.
    assert!(!names(&cooperative).contains(&"rebalance"));
    assert!(names(&two).contains(&"rebalance"));
}

#[test]
fn a_cap_alone_caps_the_default_faults() {
    let capped = accepted(&with_faults("total = 1"));
    let default = accepted(&with_faults("").replace("[faults]", ""));
    assert_eq!(
        capped.pipeline().faults.entries,
        default.pipeline().faults.entries
    );
    assert_eq!(capped.pipeline().faults.total(), 1);
    let none = accepted(&with_faults("total = 0"));
    assert!(none.pipeline().faults.entries.is_empty());
    assert_eq!(none.pipeline().faults.total(), 0);
    assert_eq!(warned(&none), [WarningKind::NoFaults]);
}

#[test]
fn what_removes_records_or_offsets_by_age_is_accepted_at_any_age() {
    for line in [
        "[topic]\nretention.ms = 1",
        "[topic]\nretention.bytes = 1000",
        "[broker]\nlog.retention.hours = 1",
        "[broker]\noffsets.retention.minutes = 20000",
        "[broker]\nproducer.id.expiration.ms = 1",
    ] {
        let text = with_faults("consumer-crash = 1") + line + "\n";
        assert!(accepted(&text).pipeline().topic.retention, "{line}");
    }
}

#[test]
fn a_producer_id_expires_first_only_where_its_time_is_the_shorter() {
    let first = |lines: &str| {
        let text = with_faults("producer-id-expiry = 1") + lines;
        accepted(&text).pipeline().producer.id_expires_first
    };
    assert!(!first(""));
    assert!(first("[broker]\nproducer.id.expiration.ms = 119999\n"));
    assert!(!first("[broker]\nproducer.id.expiration.ms = 120000\n"));
    let longer = "[broker]\nproducer.id.expiration.ms = 119999\n[producer]\ndelivery.timeout.ms = ";
    assert!(!first(&format!("{longer}60000\n")));
    // Without sequence numbers there is nothing to forget.
    let off = "[broker]\nproducer.id.expiration.ms = 1\n[producer]\nenable.idempotence = false\n";
    assert!(!first(off));
    // The client raises what was not set.
    let raised =
        "[broker]\nproducer.id.expiration.ms = 200000\n[producer]\nrequest.timeout.ms = 300000\n";
    assert!(first(raised));
}

#[test]
fn a_fault_that_can_be_met_and_is_not_modelled_is_refused() {
    for fault in Fault::ALL.iter().filter(|fault| !modelled::fault(**fault)) {
        let text = with_faults(&format!("{fault} = 1"));
        let cannot_meet = ["transaction-timeout", "leader-change", "replica-lag"];
        if cannot_meet.contains(&fault.name()) {
            accepted(&text);
        } else {
            let refusal = (
                Code::NotModelled,
                format!("the fault `{fault}` is not modelled yet"),
            );
            assert_eq!(only(&text), refusal);
        }
    }
}

#[test]
fn every_modelled_fault_is_accepted_with_every_call_that_it_strikes() {
    for fault in Fault::ALL.iter().filter(|fault| modelled::fault(**fault)) {
        accepted(&with_faults(&format!("{fault} = 1")));
        for call in Call::ALL {
            let text = with_faults(&format!("{fault}.{} = 1", call.name()));
            if fault.strikes_calls() {
                accepted(&text);
            } else {
                assert_eq!(only(&text).0, Code::UnknownKey);
            }
        }
    }
}

#[test]
fn a_budget_for_any_call_excludes_one_for_a_single_call() {
    let text = with_faults("\"response-lost.produce\" = 1\nresponse-lost = 1");
    assert_eq!(only(&text).0, Code::Contradiction);
}

#[test]
fn unknown_faults_and_calls_name_the_nearest() {
    let instead = |line| {
        refused(&with_faults(line)).problems()[0]
            .instead()
            .unwrap()
            .to_owned()
    };
    assert_eq!(
        instead("consumer-crush = 1"),
        "Did you mean `consumer-crash`?"
    );
    assert_eq!(
        instead("response-lost.produced = 1"),
        "Did you mean `response-lost.produce`?"
    );
    let then = "[application]\norder = \"process -> commit\"\nthen = \"block\"\n";
    assert_eq!(
        refused(then).problems()[0].instead(),
        Some("Did you mean `on-process-failure.then`?")
    );
}
