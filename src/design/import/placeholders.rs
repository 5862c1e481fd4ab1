//! `${...}` in Spring Boot's configuration: another key of the same files, or the default behind the
//! colon. Nothing is read from the environment: a verdict is about what the files say.

use super::Entry;

/// How deep placeholders may stand for placeholders.
const MAX_DEPTH: usize = 8;

/// A value with its placeholders filled in.
pub(super) struct Filled {
    pub value: String,
    /// The placeholders for which the default was taken.
    pub defaults: Vec<String>,
}

/// Fills the placeholders of `value` in; the name of one that has neither a key nor a default, if there
/// is such a one.
pub(super) fn fill(value: &str, entries: &[Entry]) -> Result<Filled, String> {
    let mut defaults = Vec::new();
    let value = filled(value, entries, &mut defaults, MAX_DEPTH)?;
    Ok(Filled { value, defaults })
}

fn filled(
    value: &str,
    entries: &[Entry],
    defaults: &mut Vec<String>,
    depth: usize,
) -> Result<String, String> {
    let mut text = String::new();
    let mut rest = value;
    while let Some(start) = rest.find("${") {
        text.push_str(&rest[..start]);
        let inside = &rest[start + 2..];
        let Some(end) = closing(inside) else {
            return Err(rest[start..].to_owned());
        };
        let own = &inside[..end];
        let (name, default) = match own.split_once(':') {
            Some((name, default)) => (name.trim(), Some(default)),
            None => (own.trim(), None),
        };
        if depth == 0 {
            return Err(name.to_owned());
        }
        let stated = entries.iter().rev().find(|entry| same(&entry.key, name));
        text.push_str(&match (stated, default) {
            (Some(entry), _) => filled(&entry.value, entries, defaults, depth - 1)?,
            (None, Some(default)) => {
                defaults.push(format!("${{{own}}}"));
                filled(default, entries, defaults, depth - 1)?
            }
            (None, None) => return Err(name.to_owned()),
        });
        rest = &inside[end + 1..];
    }
    text.push_str(rest);
    Ok(text)
}

/// Where the placeholder ends that `inside` begins in.
fn closing(inside: &str) -> Option<usize> {
    let mut open = 1;
    for (at, letter) in inside.char_indices() {
        match letter {
            '{' => open += 1,
            '}' => open -= 1,
            _ => {}
        }
        if open == 0 {
            return Some(at);
        }
    }
    None
}

/// Whether two names are one by Boot's relaxed rules.
fn same(one: &str, other: &str) -> bool {
    super::spring::uniform(one) == super::spring::uniform(other)
}

#[cfg(test)]
mod tests {
    use super::super::super::source::{Source, Span};
    use super::*;

    fn entry(key: &str, value: &str) -> Entry {
        Entry {
            key: key.to_owned(),
            value: value.to_owned(),
            source: Source::new("a.yml", ""),
            span: Span::from(0..0),
        }
    }

    #[test]
    fn a_key_goes_before_the_default_and_a_default_is_told() {
        let entries = [entry("app.acks", "all"), entry("app.self", "${app.self}")];
        let of = |value| fill(value, &entries).map(|filled| (filled.value, filled.defaults));
        assert_eq!(of("${app.acks:1}"), Ok((String::from("all"), Vec::new())));
        assert_eq!(
            of("x-${ACKS:${OTHER:0}}"),
            Ok((
                String::from("x-0"),
                vec![
                    String::from("${ACKS:${OTHER:0}}"),
                    String::from("${OTHER:0}")
                ]
            ))
        );
        assert_eq!(of("${ACKS}"), Err(String::from("ACKS")));
        assert_eq!(of("${app.self}"), Err(String::from("app.self")));
        assert_eq!(of("${open"), Err(String::from("${open")));
    }
}
