//! The values of a Kafka property, as alternatives of a schema: as TOML has them, and as the text that a
//! properties file has.

use serde_json::{Value, json};

use super::super::value::Kind;

pub(super) fn of(kind: &Kind<'_>) -> Vec<Value> {
    match kind {
        Kind::Boolean { short } => {
            let mut values = vec![
                json!({ "type": "boolean" }),
                text("^([Tt][Rr][Uu][Ee]|[Ff][Aa][Ll][Ss][Ee])$"),
            ];
            if *short {
                values.push(json!({ "enum": ["t", "f", "1", "0", 1, 0] }));
            }
            values
        }
        Kind::Integer { min, max, also } => {
            let mut values = vec![json!({ "type": "integer", "minimum": min, "maximum": max })];
            values.extend(also.map(|also| json!({ "const": also })));
            values.push(text("^ *[-+]?[0-9]+ *$"));
            values
        }
        Kind::Decimal { min, max } => {
            let mut number = json!({ "type": "number" });
            if *min != f64::MIN {
                number["minimum"] = json!(min);
            }
            if *max != f64::MAX {
                number["maximum"] = json!(max);
            }
            vec![number, text("^ *[-+]?[0-9.eE+-]+ *$")]
        }
        Kind::Choice {
            words,
            any_case,
            prefix,
        } => choice(words, *any_case, *prefix),
        Kind::Acks => vec![
            json!({ "enum": ["all"] }),
            json!({ "type": "integer", "minimum": -1, "maximum": 1000 }),
            text("^-?[0-9]+$"),
        ],
        Kind::List { may_be_empty } => {
            let least = u8::from(!may_be_empty);
            vec![
                json!({ "type": "string", "minLength": least }),
                json!({ "type": "array", "items": { "type": "string" }, "minItems": least }),
            ]
        }
        Kind::Text { may_be_empty } => vec![
            json!({ "type": "string", "minLength": u8::from(!may_be_empty) }),
            json!({ "type": ["integer", "boolean"] }),
        ],
    }
}

fn choice(words: &[&str], any_case: bool, prefix: Option<&str>) -> Vec<Value> {
    let mut known: Vec<Value> = Vec::new();
    let mut add = |value: Value| {
        if !known.contains(&value) {
            known.push(value);
        }
    };
    for word in words {
        add(json!(word));
        if any_case {
            add(json!(word.to_lowercase()));
            add(json!(word.to_uppercase()));
        }
        if let Ok(number) = word.parse::<i64>() {
            add(json!(number));
        }
        if let Ok(truth) = word.parse::<bool>() {
            add(json!(truth));
        }
    }
    let mut values = vec![json!({ "enum": known })];
    values.extend(prefix.map(|prefix| text(&format!("^{prefix}"))));
    values
}

fn text(pattern: &str) -> Value {
    json!({ "type": "string", "pattern": pattern })
}
