//! Versions of Kafka: what each has, and what was otherwise in the past.

use insta::assert_snapshot;
use semel_models::pipeline::{Acks, GroupProtocol};

use super::super::{KAFKA_VERSIONS, RULES, Rule};
use super::*;

fn at(version: &str, text: &str) -> String {
    format!("kafka = \"{version}\"\n{text}")
}

#[test]
fn every_version_is_accepted_and_clients_are_as_old_as_their_brokers() {
    for version in KAFKA_VERSIONS {
        let design = accepted(&at(&version.to_string(), SOUND));
        assert_eq!(design.versions().kafka, version);
        assert_eq!(design.versions().client, version);
    }
}

#[test]
fn defaults_are_those_of_the_clients_version() {
    let producer = |version: &str| accepted(&at(version, SOUND)).pipeline().producer.clone();
    for (version, acks, idempotence, retries) in [
        ("0.10", Acks::Leader, false, 0),
        ("1.0", Acks::Leader, false, 0),
        ("2.0", Acks::Leader, false, 0),
        ("2.1", Acks::Leader, false, 2),
        ("2.8", Acks::Leader, false, 2),
        ("3.0.0", Acks::All, false, 2),
        ("3.0", Acks::All, true, 2),
        ("3.1.0", Acks::All, false, 2),
        ("3.1.1", Acks::All, true, 2),
        ("4.3", Acks::All, true, 2),
    ] {
        let found = producer(version);
        assert_eq!(
            (found.acks, found.idempotence, found.retries),
            (acks, idempotence, retries),
            "{version}"
        );
    }
}

#[test]
fn an_older_producer_adjusts_what_was_not_set_for_idempotence() {
    let of = |version: &str, lines: &str| {
        let text = with_producer(&format!("enable.idempotence = true\n{lines}"));
        parse(&at(version, &text)).map(|design| design.pipeline().producer.clone())
    };
    let first = of("0.11", "").unwrap();
    assert_eq!(
        (first.acks, first.retries, first.max_in_flight),
        (Acks::All, 2, 1)
    );
    let later = of("2.0", "").unwrap();
    assert_eq!((later.acks, later.max_in_flight), (Acks::All, 5));
    for (version, line) in [
        ("0.11", "max.in.flight.requests.per.connection = 2"),
        ("2.0", "acks = 1"),
        ("2.8", "retries = 0"),
        ("2.8", "max.in.flight.requests.per.connection = 6"),
    ] {
        let error = of(version, line).unwrap_err();
        assert_eq!(codes(&error), [Code::RefusedByKafka], "{version} {line}");
    }
}

#[test]
fn six_in_flight_dropped_idempotence_in_silence_before_4_0() {
    let text = with_producer("max.in.flight.requests.per.connection = 6");
    let dropped = accepted(&at("3.9", &text));
    assert!(!dropped.pipeline().producer.idempotence);
    assert_eq!(dropped.warnings()[0].kind(), WarningKind::ResolvedByClient);
    assert_eq!(only(&at("4.0", &text)).0, Code::RefusedByKafka);
    // Before 3.0 idempotence was not the default.
    assert!(warned(&accepted(&at("2.8", &text))).is_empty());
}

#[test]
fn what_a_version_does_not_have_is_refused_with_the_release_that_brought_it() {
    let cooperative = with_consumer(
        "partition.assignment.strategy = \"org.apache.kafka.clients.consumer.CooperativeStickyAssignor\"",
    );
    let designs = [
        at("0.10", &with_producer("enable.idempotence = true")),
        at("2.0", &with_producer("delivery.timeout.ms = 60000")),
        at("2.2", &with_consumer("group.instance.id = \"one\"")),
        format!(
            "client-version = \"4.0\"\n{}",
            at("2.2", &with_consumer("group.instance.id = \"one\""))
        ),
        at("2.3", &cooperative),
        at("3.9", &with_consumer("group.protocol = \"consumer\"")),
        format!(
            "client-version = \"3.6\"\n{}",
            with_consumer("group.protocol = \"consumer\"")
        ),
        at(
            "2.3",
            &with_application("on-revoke = \"commit\"\non-lost = \"nothing\""),
        ),
        at(
            "3.3",
            &(SOUND.to_owned() + "[broker]\nproducer.id.expiration.ms = 1\n"),
        ),
        format!("client-version = \"3.0\"\n{}", at("0.10", SOUND)),
    ];
    let told_of = |text: &String| told(&refused(text));
    assert_snapshot!(designs.iter().map(told_of).collect::<Vec<_>>().join("\n\n"));
}

#[test]
fn a_version_whose_rules_the_design_meets_and_the_model_lacks_is_refused() {
    let faults = |line: &str| SOUND.replace("consumer-crash = 1", line);
    let idempotent =
        |line: &str| format!("[producer]\nenable.idempotence = true\n{}", faults(line));
    let designs = [
        at("0.11", &idempotent("producer-id-expiry = 1")),
        at("2.0", &faults("offsets-expiry = 1")),
        at("0.10.0", SOUND),
        at("3.2.1", &SOUND.replace("enable.auto.commit = false", "")),
    ];
    let told_of = |text: &String| told(&refused(text));
    assert_snapshot!(designs.iter().map(told_of).collect::<Vec<_>>().join("\n\n"));
    // The patch that mended it.
    accepted(&at(
        "3.2.3",
        &SOUND.replace("enable.auto.commit = false", ""),
    ));
    // The same versions, where nothing meets the rule.
    accepted(&at("0.11", &idempotent("broker-crash = 1")));
    accepted(&at("2.0", &faults("offset-reset = 1")));
    accepted(&at("3.2", &SOUND.replace("enable.auto.commit = false", "")));
    // Rules that the pipeline has.
    accepted(&at("1.0", &idempotent("producer-id-expiry = 1")));
    accepted(&at("2.3", &idempotent("retention = 1")));
    accepted(&at("2.2", &faults("power-loss = 1")));
}

#[test]
fn a_patch_that_was_never_released_is_refused() {
    assert_snapshot!(told(&refused(&at("3.2.9", SOUND))));
    for never in ["0.10.3.0", "0.11.1.0", "0.11.0.4", "2.8.3", "3.8.2"] {
        assert_eq!(only(&at(never, SOUND)).0, Code::UnknownValue, "{never}");
        let client = format!("client-version = \"{never}\"\n{}", at("3.0", SOUND));
        assert_eq!(only(&client).0, Code::UnknownValue, "{never}");
    }
    // Of a release that is still maintained there may be newer ones.
    for patch in [
        "0.10.2.2", "0.11.0", "0.11.0.3", "2.8.2", "3.2.3", "4.3.1", "4.3.7",
    ] {
        accepted(&at(patch, SOUND));
    }
}

#[test]
fn the_consumer_protocol_is_there_since_4_0() {
    let design = accepted(&at("4.0", &with_consumer("group.protocol = \"consumer\"")));
    assert_eq!(design.pipeline().group.protocol, GroupProtocol::Consumer);
    assert!(design.rules().has(Rule::ConsumerProtocol));
    assert!(!design.rules().has(Rule::EligibleLeaderReplicas));
}

#[test]
fn the_newest_version_has_every_rule_that_was_not_taken_back() {
    let design = accepted(SOUND);
    for row in RULES {
        assert_eq!(
            design.rules().has(row.rule),
            row.until.is_none(),
            "{:?}",
            row.rule
        );
    }
}

#[test]
fn librdkafka_brings_its_own_rules_to_any_broker() {
    let text = librdkafka("enable.idempotence = true", "enable.auto.commit = false");
    let design = accepted(&at("2.1", &text));
    assert!(design.rules().has(Rule::PositionValidation));
    assert!(!design.rules().has(Rule::StaticMembership));
    assert!(!design.rules().has(Rule::IdempotenceByDefault));
}

#[test]
fn versions_too_far_apart_do_not_speak_to_each_other() {
    let text = |kafka: &str, client: &str| {
        let off = with_producer("acks = \"all\"");
        format!("client-version = \"{client}\"\n{}", at(kafka, &off))
    };
    assert_eq!(only(&text("4.0", "2.0")).0, Code::RefusedByKafka);
    assert_eq!(only(&text("2.0", "4.0")).0, Code::RefusedByKafka);
    accepted(&text("4.0", "2.1"));
    accepted(&text("3.9", "2.0"));
}

#[test]
fn an_older_librdkafka_is_judged_where_its_rules_are_known() {
    let older = |producer: &str, consumer: &str, faults: &str| {
        let text = librdkafka(producer, consumer).replace("[faults]\nconsumer-crash = 1", faults);
        format!("client-version = \"1.8\"\n{text}")
    };
    let idempotent = "enable.idempotence = true";
    let by_hand = "enable.auto.commit = false";
    let design = accepted(&older(idempotent, by_hand, "[faults]\nstale-metadata = 1"));
    assert!(!design.pipeline().rules.sequences_outlive_metadata);
    assert!(!design.pipeline().rules.truncation_noticed);
    let lost = older(idempotent, by_hand, "[faults]\nresponse-lost = 1");
    assert_eq!(only(&lost).0, Code::NotModelled);
    let newer = lost.replace("1.8", "2.15");
    assert!(accepted(&newer).pipeline().rules.sequences_outlive_metadata);
    let unknown = lost.replace("1.8", "1.7");
    assert_eq!(only(&unknown).0, Code::NotModelled);
}

/// Results in a transaction, beside faults of brokers.
fn struck(client: &str, kafka: &str, faults: &str) -> String {
    format!(
        "client = \"librdkafka\"\nclient-version = \"{client}\"\nkafka = \"{kafka}\"\n\
         [consumer]\nenable.auto.commit = false\nauto.offset.reset = \"earliest\"\n\
         [output.producer]\ntransactional.id = \"results\"\n[output.topic]\nreplication.factor = 2\n\
         [application]\norder = \"kafka[each(produce-async), commit]\"\n[sink]\neffect = \"topic\"\n\
         [faults]\n{faults}\n"
    )
}

#[test]
fn a_librdkafka_that_raises_its_epoch_within_a_transaction_is_known_by_its_version_and_its_brokers()
{
    for (client, kafka, raises) in [
        ("1.6", "2.4", true),
        ("1.6.1", "3.5", true),
        ("1.8.0", "2.5", true),
        ("1.8.0", "2.4", false),
        ("1.8.2", "2.5", false),
        ("1.8", "2.4", false),
        ("2.15", "2.5", false),
    ] {
        let design = accepted(&struck(client, kafka, "leader-change = 1"));
        let own = design.pipeline().raises_within_transactions();
        assert_eq!(own, raises, "{client} with {kafka}");
    }
}

#[test]
fn a_librdkafka_that_raises_its_epoch_within_a_transaction_is_refused_where_that_is_not_modelled() {
    let change = "leader-change = 1";
    let refuse = "request-refused.output-produce = 1";
    for (client, kafka, faults, why) in [
        ("1.8.0", "2.6", change, "aborts its transaction before"),
        ("1.8.2", "3.9", change, "aborts its transaction before"),
        ("1.6", "3.6", change, "fails its transaction"),
        ("1.6", "2.4", refuse, "fails its transaction"),
        ("1.6.0", "2.4", change, "is one of its transactions"),
    ] {
        let text = struck(client, kafka, faults);
        let error = refused(&text);
        let problem = &error.problems()[0];
        assert_eq!(problem.kind(), Code::NotModelled, "{client} with {kafka}");
        let because = problem.why().unwrap_or_default();
        assert!(because.contains(why), "{client} with {kafka}: {because}");
    }
}

#[test]
fn librdkafka_1_6_is_judged_where_nothing_was_mended_since() {
    let by_hand = "enable.auto.commit = false";
    let older = |consumer: &str, faults: &str| {
        let text = librdkafka("", consumer).replace("[faults]\nconsumer-crash = 1", faults);
        format!("client-version = \"1.6\"\n{text}")
    };
    accepted(&older(by_hand, "[faults]\nconsumer-crash = 1"));
    for (consumer, faults) in [
        ("enable.auto.commit = true", "[faults]\nconsumer-crash = 1"),
        (by_hand, "[faults]\nrequest-lost.offset-commit = 1"),
    ] {
        assert_eq!(
            only(&older(consumer, faults)).0,
            Code::NotModelled,
            "{faults}"
        );
    }
}

#[test]
fn a_topic_that_is_created_again_is_judged_where_the_rules_are_known() {
    let at = |version: &str| {
        at(
            version,
            &SOUND.replace("consumer-crash = 1", "topic-recreate = 1"),
        )
    };
    for (version, noticed) in [("2.0", true), ("2.1", false), ("2.8", false), ("3.2", true)] {
        let rules = accepted(&at(version)).pipeline().rules;
        assert_eq!(rules.recreated_topic_noticed, noticed, "{version}");
    }
    for version in ["0.10", "3.0", "3.1"] {
        assert_eq!(only(&at(version)).0, Code::NotModelled, "{version}");
    }
    let guarded = at("4.1") + "[sink]\neffect = \"upsert\"\nversion-guard = true\n";
    assert_eq!(only(&guarded).0, Code::NotModelled);
}
