//! Traces carry the text of their design; what is secret in it must not travel along.

use super::document::{Document, Field};
use super::source::{Source, Span};
use super::table::Table;

/// What stands in place of a secret.
const REDACTED: &str = "\"(redacted)\"";

/// What the names of properties with secrets contain.
const MARKS: [&str; 8] = [
    "password",
    "secret",
    "jaas",
    "credential",
    "token",
    "ssl.keystore.key",
    "ssl.key",
    "private.key",
];

/// The design's text without the values of properties that hold secrets.
pub(crate) fn redacted(document: &Document, source: &Source) -> String {
    let mut spans: Vec<Span> = Table::ALL
        .iter()
        .flat_map(|table| document.fields(*table))
        .filter(|field| is_secret(field))
        .map(|field| field.value_span)
        .collect();
    spans.sort_by_key(|span| std::cmp::Reverse(span.start));
    let mut text = source.text().to_owned();
    for span in spans {
        text.replace_range(span.start..span.end, REDACTED);
    }
    text
}

fn is_secret(field: &Field) -> bool {
    is_secret_name(&field.name)
}

/// Whether a property of this name holds a secret.
pub(crate) fn is_secret_name(name: &str) -> bool {
    let name = name.to_ascii_lowercase();
    MARKS.iter().any(|mark| name.contains(mark))
}

#[cfg(test)]
mod tests {
    use crate::design::Design;

    #[test]
    fn a_design_does_not_repeat_its_secrets() {
        let text = r#"
            [producer]
            sasl.jaas.config = "module required password=hunter2;"
            ssl.keystore.password = "hunter3"
            client.id = "payments"
            [consumer]
            enable.auto.commit = false
            "ssl.truststore.password" = """hunter4"""
            [application]
            order = "process -> commit"
        "#;
        let design = Design::parse("secret.toml", text.as_bytes()).expect("a design");
        assert!(!design.text().contains("hunter"), "{}", design.text());
        assert!(design.text().contains("client.id = \"payments\""));
        let again = Design::parse("secret.toml", design.text().as_bytes()).expect("a design");
        assert_eq!(again.pipeline(), design.pipeline());
    }
}
