//! The consumers of the group: who assigns, and how a rebalance goes.

use semel_models::pipeline::{Assignment, GroupProtocol, GroupSettings};

use super::*;

fn group(text: &str) -> GroupSettings {
    accepted(text).pipeline().group.clone()
}

fn strategy(classes: &[&str]) -> String {
    let package = "org.apache.kafka.clients.consumer";
    let names: Vec<String> = classes
        .iter()
        .map(|class| format!("\"{package}.{class}\""))
        .collect();
    format!("partition.assignment.strategy = [{}]", names.join(", "))
}

#[test]
fn java_is_eager_unless_every_assignor_is_cooperative() {
    for (classes, protocol, sticky) in [
        (vec!["RangeAssignor"], GroupProtocol::Eager, false),
        (vec!["RoundRobinAssignor"], GroupProtocol::Eager, false),
        (vec!["StickyAssignor"], GroupProtocol::Eager, true),
        (
            vec!["CooperativeStickyAssignor"],
            GroupProtocol::Cooperative,
            true,
        ),
        (
            vec!["RangeAssignor", "CooperativeStickyAssignor"],
            GroupProtocol::Eager,
            false,
        ),
        (
            vec!["CooperativeStickyAssignor", "RangeAssignor"],
            GroupProtocol::Eager,
            true,
        ),
    ] {
        let found = group(&with_consumer(&strategy(&classes)));
        assert_eq!(
            (found.protocol, found.sticky),
            (protocol, sticky),
            "{classes:?}"
        );
    }
    let default = group(SOUND);
    assert_eq!(default.protocol, GroupProtocol::Eager);
    assert!(!default.sticky);
}

#[test]
fn librdkafka_is_eager_by_default_and_cooperative_if_asked() {
    let of = |line: &str| {
        let consumer = format!("enable.auto.commit = false\n{line}");
        group(&librdkafka("enable.idempotence = true", &consumer))
    };
    assert_eq!(of("").protocol, GroupProtocol::Eager);
    let cooperative = of("partition.assignment.strategy = \"cooperative-sticky\"");
    assert_eq!(cooperative.protocol, GroupProtocol::Cooperative);
    assert!(cooperative.sticky);
    assert_eq!(
        of("group.protocol = \"consumer\"").protocol,
        GroupProtocol::Consumer
    );
}

#[test]
fn the_coordinators_assignor_is_the_one_asked_for_or_the_brokers_first() {
    let of = |consumer: &str, broker: &str| {
        let text = with_consumer(&format!("group.protocol = \"consumer\"\n{consumer}")) + broker;
        parse(&text).map(|design| design.pipeline().group.sticky)
    };
    let range_first = "[broker]\ngroup.consumer.assignors = \"range,uniform\"\n";
    assert!(of("", "").unwrap());
    assert!(!of("group.remote.assignor = \"range\"", "").unwrap());
    assert!(!of("", range_first).unwrap());
    assert!(of("group.remote.assignor = \"uniform\"", range_first).unwrap());
    let only_range = "[broker]\ngroup.consumer.assignors = \"range\"\n";
    let error = of("group.remote.assignor = \"uniform\"", only_range).unwrap_err();
    assert_eq!(codes(&error), [Code::RefusedByKafka]);
}

#[test]
fn instances_assignment_and_static_members_reach_the_pipeline() {
    let two = group(&with_application("instances = 2"));
    assert_eq!(two.instances, 2);
    let assigned = group(&with_application("assignment = \"assign\"\ninstances = 2"));
    assert_eq!(assigned.assignment, Assignment::Assign);
    let fixed = group(&with_consumer("group.instance.id = \"one\""));
    assert!(fixed.static_membership);
    // Who assigns itself is no member.
    let alone = with_consumer("group.instance.id = \"one\"")
        .replace("[application]", "[application]\nassignment = \"assign\"");
    assert!(!group(&alone).static_membership);
}

#[test]
fn librdkafka_without_a_callback_revokes_and_rejoins_in_the_background() {
    let of = |consumer: &str, application: &str| {
        let consumer = format!("enable.auto.commit = false\n{consumer}");
        let text = librdkafka("enable.idempotence = true", &consumer);
        let found = group(&text.replace("[application]", &format!("[application]\n{application}")));
        (found.revokes_in_background, found.rejoins_in_background)
    };
    assert_eq!(of("", ""), (true, true));
    assert_eq!(of("rebalance_cb = true", ""), (false, false));
    assert_eq!(of("", "on-revoke = \"commit\""), (false, false));
    assert_eq!(of("", "on-revoke = \"nothing\""), (false, false));
    assert_eq!(of("", "assignment = \"assign\""), (false, false));
    let consumer = "enable.auto.commit = false\nrebalance_cb = false";
    let text = librdkafka("enable.idempotence = true", consumer)
        .replace("[application]", "[application]\non-revoke = \"commit\"");
    assert_eq!(only(&text).0, Code::Contradiction);
}

#[test]
fn an_empty_name_makes_no_static_member() {
    let consumer = "enable.auto.commit = false\ngroup.instance.id = \"\"";
    let text = librdkafka("enable.idempotence = true", consumer);
    assert!(!group(&text).static_membership);
    assert_eq!(
        only(&with_consumer("group.instance.id = \"\"")).0,
        Code::UnknownValue
    );
}

#[test]
fn java_used_to_revoke_between_polls_under_the_consumer_protocol() {
    let of = |version: &str, consumer: &str, application: &str| {
        let text = with_consumer(&format!("group.protocol = \"consumer\"\n{consumer}"))
            .replace("[application]", &format!("[application]\n{application}"));
        let found = group(&format!("kafka = \"{version}\"\n{text}"));
        (found.revokes_in_background, found.rejoins_in_background)
    };
    assert_eq!(of("4.0", "", ""), (true, true));
    assert_eq!(of("4.2.0", "", ""), (true, true));
    assert_eq!(of("4.2", "", ""), (false, true));
    assert_eq!(of("4.3", "", ""), (false, true));
    assert_eq!(of("4.0", "", "on-revoke = \"commit\""), (false, false));
    let auto = with_consumer("group.protocol = \"consumer\"")
        .replace("enable.auto.commit = false", "enable.auto.commit = true");
    let found = group(&format!("kafka = \"4.0\"\n{auto}"));
    assert!(!found.revokes_in_background && found.rejoins_in_background);
    let classic = group(&format!("kafka = \"4.0\"\n{SOUND}"));
    assert!(!classic.revokes_in_background && !classic.rejoins_in_background);
}

#[test]
fn a_saved_offset_or_a_fence_needs_a_listener_that_waits_for_the_poll() {
    let of = |text: &str| {
        let text = text.replace("[consumer]", "[consumer]\ngroup.protocol = \"consumer\"");
        group(&format!("kafka = \"4.0\"\n{text}")).revokes_in_background
    };
    let saved = with_order("db[process, save-offset]");
    assert!(!of(&saved));
    assert!(of(&saved.replace(
        "[application]",
        "[application]\nseek-on-assign = false"
    )));
    assert!(!of(&(SOUND.to_owned() + "[sink]\nfencing = true\n")));
}
