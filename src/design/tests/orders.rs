//! Orders over all their parts: the grammar, the rules and the nearest order.

use proptest::prelude::*;
use semel_models::order::{Item, Order, Step};
use semel_models::pipeline::Client;

use super::super::order::rules::{Surroundings, can_be_built, check};
use super::super::order::{order, syntax};
use super::*;

const JAVA: Surroundings = Surroundings {
    client: Client::Java,
    external: false,
    topic: false,
    dedup_in_database: true,
    automatic_store: true,
    workers: false,
};

fn nearest(text: &str, around: &Surroundings) -> String {
    let broken = check(&syntax::parse(text).unwrap(), around);
    let write = broken.first().map_or("", |broken| broken.write.as_str());
    match write.split_once("can be built: `") {
        Some((_, order)) => order.trim_end_matches("`.").to_owned(),
        None => String::from("none"),
    }
}

#[test]
fn each_order_of_the_specification_is_accepted() {
    for text in [
        "process -> commit",
        "each(process) -> commit",
        "skip-if-seen -> db[process, remember] -> commit",
        "each(process -> commit)",
        "each(db[process, save-offset])",
        "db[each(process), save-offset]",
        "db[skip-if-seen, process, remember]->commit-async",
        " \n db [ process ,\tremember ]\n->commit ",
        "commit -> process -> commit",
        "skip-if-seen -> db[skip-if-seen, process, remember, save-offset]",
    ] {
        accepted(&with_order(&text.replace('\n', "\\n").replace('\t', "\\t")));
    }
}

#[test]
fn the_nearest_order_moves_only_what_must_move() {
    for (text, expected) in [
        ("db[process, commit]", "db[process] -> commit"),
        (
            "db[process, remember, produce]",
            "db[process, remember] -> produce",
        ),
        (
            "skip-if-seen -> each(process) -> commit",
            "each(skip-if-seen -> process) -> commit",
        ),
        (
            "each(process) -> each(remember) -> commit",
            "each(process -> remember) -> commit",
        ),
        ("each(process -> each(commit))", "each(process -> commit)"),
        (
            "db[each(process -> commit), save-offset]",
            "each(db[process] -> commit) -> save-offset",
        ),
        ("db[process, kafka[commit]]", "db[process] -> kafka[commit]"),
        ("kafka[process, commit-async]", "kafka[process]"),
        ("process -> store-offset", "process -> commit"),
        ("db[process, commit] -> commit", "db[process] -> commit"),
        ("commit", "none"),
    ] {
        let found = nearest(text, &JAVA);
        if text.starts_with("db[each") {
            // Which of two equally near orders is offered is not fixed; that it can be built is.
            let parsed = order(&syntax::parse(&found).unwrap());
            assert!(can_be_built(&parsed, &JAVA), "{found}");
        } else {
            assert_eq!(found, expected, "{text}");
        }
    }
}

#[test]
fn an_external_effect_moves_before_the_transaction_and_a_separate_insert_behind_it() {
    let external = Surroundings {
        external: true,
        ..JAVA
    };
    assert_eq!(
        nearest("db[process, remember] -> commit", &external),
        "process -> db[remember] -> commit"
    );
    let separate = Surroundings {
        dedup_in_database: false,
        ..JAVA
    };
    assert_eq!(
        nearest("db[process, remember] -> commit", &separate),
        "db[process] -> remember -> commit"
    );
    assert!(
        check(
            &syntax::parse("db[skip-if-seen, process] -> commit").unwrap(),
            &separate
        )
        .is_empty()
    );
}

/// The first thing that the rules say about an order.
fn refusal(text: &str, around: &Surroundings) -> String {
    let broken = check(&syntax::parse(text).unwrap(), around);
    broken
        .first()
        .map_or(String::new(), |rule| rule.message.clone())
}

#[test]
fn no_step_that_speaks_to_kafka_stands_in_a_database_transaction() {
    for step in Step::ALL {
        let of_database = [
            Step::Process,
            Step::SkipIfSeen,
            Step::Remember,
            Step::SaveOffset,
        ];
        let text = format!("process -> db[{}]", step.name());
        let expected = match of_database.contains(&step) {
            true if step == Step::Process => String::from("`process` stands in the order twice"),
            true => String::new(),
            false => format!("`{}` stands inside db[...]", step.name()),
        };
        assert_eq!(refusal(&text, &JAVA), expected);
    }
}

#[test]
fn only_four_steps_stand_beside_an_each() {
    for step in Step::ALL {
        let text = format!("each(process) -> {}", step.name());
        let beside = [
            Step::Commit,
            Step::CommitAsync,
            Step::SaveOffset,
            Step::Flush,
        ];
        assert_eq!(
            refusal(&text, &JAVA).is_empty(),
            beside.contains(&step),
            "{text}"
        );
    }
    assert_eq!(
        refusal("each(process) -> db[save-offset]", &JAVA),
        "db[...] stands beside an each(...)"
    );
    assert_eq!(
        refusal("each(process) -> db[each(remember)]", &JAVA),
        "each(...) stands beside another each(...)"
    );
    assert_eq!(refusal("kafka[each(db[process]), commit]", &JAVA), "");
}

#[test]
fn groups_nest_only_as_transactions_can() {
    for (text, message) in [
        (
            "db[process, kafka[commit]]",
            "kafka[...] stands inside db[...]",
        ),
        (
            "db[each(kafka[process])]",
            "kafka[...] stands inside db[...]",
        ),
        (
            "kafka[process, kafka[commit]]",
            "kafka[...] stands inside kafka[...]",
        ),
        ("db[process, db[remember]]", "db[...] stands inside db[...]"),
        (
            "each(process -> each(commit))",
            "each(...) stands inside each(...)",
        ),
        (
            "kafka[process, commit-async]",
            "`commit-async` stands inside kafka[...]",
        ),
        ("kafka[each(produce-async), flush, commit]", ""),
        ("kafka[db[process, remember], produce, commit]", ""),
        ("kafka[process, save-offset, commit]", ""),
    ] {
        assert_eq!(refusal(text, &JAVA), message, "{text}");
    }
    let librdkafka = Surroundings {
        client: Client::Librdkafka,
        automatic_store: false,
        ..JAVA
    };
    assert_eq!(
        refusal("kafka[process, store-offset]", &librdkafka),
        "`store-offset` stands inside kafka[...]"
    );
    let external = Surroundings {
        external: true,
        ..JAVA
    };
    assert_eq!(
        refusal("kafka[process, commit]", &external),
        "`process` stands inside kafka[...], but its effect is external"
    );
}

#[test]
fn a_topic_as_sink_takes_results_only() {
    let topic = Surroundings {
        topic: true,
        ..JAVA
    };
    assert_eq!(
        refusal("process -> commit", &topic),
        "`process` has no sink to act on: effect = \"topic\""
    );
    assert_eq!(nearest("process -> commit", &topic), "produce -> commit");
    assert_eq!(refusal("produce -> commit", &topic), "");
}

#[test]
fn offsets_may_be_saved_beside_an_external_effect() {
    let text =
        with_order("process -> db[remember, save-offset]") + "[sink]\neffect = \"external\"\n";
    accepted(&text);
}

#[test]
fn stored_offsets_need_the_automatic_store_off() {
    let text = |store: bool| {
        librdkafka(
            "enable.idempotence = true",
            &format!("auto.offset.reset = \"earliest\"\nenable.auto.offset.store = {store}"),
        )
        .replace("-> commit", "-> store-offset")
    };
    assert!(accepted(&text(false)).warnings().is_empty());
    let (code, message) = only(&text(true));
    assert_eq!(code, Code::OrderRule);
    assert_eq!(
        message,
        "librdkafka refuses `store-offset` while enable.auto.offset.store = true"
    );
    let never = text(false).replace(
        "enable.auto.offset.store",
        "enable.auto.commit = false\nenable.auto.offset.store",
    );
    assert_eq!(warned(&accepted(&never)), [WarningKind::NothingCommits]);
}

#[test]
fn an_order_has_a_limit_of_steps() {
    let commits = |number: usize| format!("process{}", " -> commit".repeat(number));
    accepted(&with_order(&commits(15)));
    assert_eq!(only(&with_order(&commits(16))).0, Code::OrderSyntax);
}

fn step() -> impl Strategy<Value = Step> {
    prop::sample::select(Step::ALL.to_vec())
}

fn item() -> impl Strategy<Value = Item> {
    step()
        .prop_map(Item::Step)
        .prop_recursive(3, 12, 4, |inner| {
            let group = prop::collection::vec(inner, 1..4);
            prop_oneof![
                group.clone().prop_map(Item::Each),
                group.clone().prop_map(Item::Database),
                group.prop_map(Item::Kafka),
            ]
        })
}

fn any_order() -> impl Strategy<Value = Order> {
    prop::collection::vec(item(), 1..5)
        .prop_map(Order)
        .prop_filter("the limit of steps", |order| {
            order.steps().len() <= syntax::MAX_STEPS
        })
}

fn surroundings() -> impl Strategy<Value = Surroundings> {
    prop::array::uniform5(any::<bool>()).prop_map(
        |[java, external, durable, automatic, workers]| Surroundings {
            client: if java {
                Client::Java
            } else {
                Client::Librdkafka
            },
            external,
            topic: false,
            dedup_in_database: durable,
            automatic_store: automatic,
            workers,
        },
    )
}

proptest! {
    #[test]
    fn an_order_is_read_as_it_is_written(written in any_order()) {
        let nodes = syntax::parse(&written.to_string()).unwrap();
        prop_assert_eq!(order(&nodes), written);
    }

    #[test]
    fn places_of_steps_show_their_names(written in any_order()) {
        let text = written.to_string();
        for (step, span, _) in super::super::order::steps(&syntax::parse(&text).unwrap()) {
            prop_assert_eq!(&text[span.start..span.end], step.name());
        }
    }

    #[test]
    fn the_nearest_order_can_be_built(written in any_order(), around in surroundings()) {
        let nodes = syntax::parse(&written.to_string()).unwrap();
        if let Some(rule) = check(&nodes, &around).first() {
            if let Some((_, offered)) = rule.write.split_once("can be built: `") {
                let offered = syntax::parse(offered.trim_end_matches("`.")).unwrap();
                prop_assert!(check(&offered, &around).is_empty());
            }
        } else {
            prop_assert!(can_be_built(&written, &around));
        }
    }

    #[test]
    fn an_order_with_an_effect_has_a_nearest_one(mut written in any_order(), around in surroundings()) {
        let effect = [Step::Process, Step::Produce, Step::ProduceAsync];
        if !effect.iter().any(|step| written.contains(*step)) {
            written.0[0] = Item::Step(Step::Process);
        }
        let nodes = syntax::parse(&written.to_string()).unwrap();
        for rule in check(&nodes, &around) {
            prop_assert!(rule.write.contains("can be built"), "{written}: {}", rule.message);
        }
    }

    #[test]
    fn no_order_text_makes_the_parser_panic(text in "\\PC{0,60}") {
        let _ = syntax::parse(&text);
    }

    #[test]
    fn no_jumble_of_tokens_makes_the_parser_panic(
        tokens in prop::collection::vec(
            prop::sample::select(vec!["each(", "db[", "kafka[", ")", "]", "->", ",", "process", "x", " ", "-", "→"]),
            0..30,
        )
    ) {
        let _ = parse(&with_order(&tokens.concat()));
    }
}
