//! Whatever the bytes, reading ends with a design or with diagnostics that can be shown.

use proptest::prelude::*;

use super::super::properties::find;
use super::super::{Class, Scope, properties};
use super::*;

fn shown(bytes: &[u8]) -> Result<(), TestCaseError> {
    match Design::parse("any.toml", bytes) {
        Ok(design) => prop_assert!(!design.name().is_empty()),
        Err(error) => {
            prop_assert!(!error.problems().is_empty());
            let mut text = String::new();
            let handler =
                miette::GraphicalReportHandler::new_themed(miette::GraphicalTheme::none());
            prop_assert!(handler.render_report(&mut text, &error).is_ok());
            for problem in error.problems() {
                prop_assert!(!problem.message().contains('\n'));
                prop_assert!(problem.message().len() < 500, "{}", problem.message());
            }
        }
    }
    Ok(())
}

fn key() -> impl Strategy<Value = String> {
    let own: Vec<String> = super::super::table::OWN_KEYS
        .iter()
        .map(|(_, key)| (*key).to_owned())
        .collect();
    let kafka: Vec<String> = properties()
        .iter()
        .filter(|row| row.class == Class::Modelled)
        .map(|row| row.name.clone())
        .collect();
    prop_oneof![
        prop::sample::select(own),
        prop::sample::select(kafka),
        "[a-z.\"-]{1,12}",
    ]
}

fn value() -> impl Strategy<Value = String> {
    prop_oneof![
        any::<i64>().prop_map(|number| number.to_string()),
        (-2_i64..10).prop_map(|number| number.to_string()),
        any::<bool>().prop_map(|boolean| boolean.to_string()),
        "\"[ -~&&[^\"\\\\]]{0,20}\"",
        Just(String::from("\"process -> commit\"")),
        Just(String::from("[\"no-loss\"]")),
        Just(String::from("{}")),
        Just(String::from("{ attempts = 2 }")),
        Just(String::from("1.5")),
        Just(String::from("2026-01-01")),
    ]
}

fn line() -> impl Strategy<Value = String> {
    let header = prop::sample::select(vec![
        "[producer]",
        "[topic]",
        "[consumer]",
        "[broker]",
        "[application]",
        "[sink]",
        "[faults]",
        "[bounds]",
        "[expect]",
        "[output.producer]",
        "[[sink]]",
        "client = \"librdkafka\"",
    ]);
    prop_oneof![
        1 => header.prop_map(String::from),
        3 => (key(), value()).prop_map(|(key, value)| format!("{key} = {value}")),
    ]
}

proptest! {
    #[test]
    fn no_bytes_make_reading_panic(bytes in prop::collection::vec(any::<u8>(), 0..200)) {
        shown(&bytes)?;
    }

    #[test]
    fn no_text_makes_reading_panic(text in "\\PC{0,200}") {
        shown(text.as_bytes())?;
    }

    #[test]
    fn no_jumble_of_lines_makes_reading_panic(lines in prop::collection::vec(line(), 0..20)) {
        shown(lines.join("\n").as_bytes())?;
    }

    #[test]
    fn no_single_line_more_makes_a_sound_design_panic(line in line()) {
        shown(format!("{line}\n{SOUND}").as_bytes())?;
        shown(format!("{SOUND}\n{line}\n").as_bytes())?;
    }
}

/// Every property is accepted at its default, and none of those that bear on delivery is taken
/// at another value without a word.
#[test]
fn every_property_is_accepted_at_its_default() {
    use semel_models::pipeline::Client;

    for (client, name) in [(Client::Java, "java"), (Client::Librdkafka, "librdkafka")] {
        for row in properties().iter().filter(|row| row.accepted_by(client)) {
            let places: &[&str] = match row.scope {
                Scope::Producer => &["producer"],
                Scope::Consumer => &["consumer"],
                Scope::Client => &["producer", "consumer"],
                Scope::Topic => &["topic"],
                Scope::Broker => &["broker"],
            };
            let Some(default) = row.default(client) else {
                continue;
            };
            let computed = [
                "num.partitions",
                "default.replication.factor",
                "Double.MAX_VALUE",
            ];
            if row.since.is_some() || row.until.is_some() || computed.contains(&default) {
                continue;
            }
            for place in places {
                let scope = if *place == "producer" {
                    Scope::Producer
                } else {
                    Scope::Consumer
                };
                let scope = if row.scope == Scope::Client {
                    scope
                } else {
                    row.scope
                };
                let chosen = find(client, scope, &row.name);
                if !chosen.is_some_and(|chosen| std::ptr::eq(chosen, row)) {
                    continue;
                }
                let default = default.replace('\\', "\\\\").replace('"', "\\\"");
                let text = format!(
                    "client = \"{name}\"\n[application]\norder = \"process\"\n[{place}]\n\"{}\" = \"{default}\"\n",
                    row.name
                );
                accepted(&text);
            }
        }
    }
}

#[test]
fn a_property_that_is_not_modelled_yet_is_refused_off_its_default() {
    for row in properties().iter().filter(|row| {
        row.class == Class::NotYet
            && row.since.is_none()
            && row.until.is_none()
            && row.java_type.as_deref() == Some("boolean")
    }) {
        let other = row.java_default == "false";
        let place = match row.scope {
            Scope::Topic => "topic",
            Scope::Broker => "broker",
            Scope::Consumer | Scope::Client => "consumer",
            Scope::Producer => "producer",
        };
        let text = format!(
            "[{place}]\n\"{}\" = {other}\n[application]\norder = \"process\"\n",
            row.name
        );
        assert_eq!(codes(&refused(&text)), [Code::NotModelled], "{}", row.name);
    }
}
