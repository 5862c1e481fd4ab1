//! Which documents are active: those without a condition, and those whose profile is.

use super::super::super::diagnostic::Code;
use super::super::{Entry, Found};
use super::name::uniform;

/// What a document's condition is called; the second name is that of Boot before 2.4.
const CONDITIONS: [&str; 2] = ["spring.config.activate.onprofile", "spring.profiles"];

/// The entries of the active documents, in their order.
pub(super) fn active(
    documents: Vec<Vec<Entry>>,
    profiles: &[String],
    found: &mut Found,
) -> Vec<Entry> {
    let chosen = chosen(&documents, profiles);
    let mut entries = Vec::new();
    let mut met: Vec<String> = Vec::new();
    for document in documents {
        let Some(entry) = condition(&document).cloned() else {
            entries.extend(document);
            continue;
        };
        met.extend(names(&entry.value));
        match holds(&entry.value, &chosen) {
            Some(true) => entries.extend(document),
            Some(false) => {}
            None => {
                let message = format!(
                    "the condition \"{}\" of a document is not read yet",
                    entry.value
                );
                let mut problem = entry.problem(Code::NotModelled, message);
                problem.write("Write one profile, `!profile`, or several with `|`, `&` or commas.");
                found.problems.push(problem);
            }
        }
    }
    not_met(profiles, &met, found);
    entries
}

/// The profiles that are active: as asked for, or as the files say.
fn chosen(documents: &[Vec<Entry>], profiles: &[String]) -> Vec<String> {
    let conditional = |document: &Vec<Entry>| condition(document).is_some();
    let named = documents
        .iter()
        .filter(|document| !conditional(document))
        .flatten()
        .rfind(|entry| uniform(&entry.key) == "spring.profiles.active");
    let listed = |text: &str| -> Vec<String> {
        let words = text
            .split(',')
            .map(str::trim)
            .filter(|word| !word.is_empty());
        words.map(str::to_owned).collect()
    };
    let mut chosen: Vec<String> = match (profiles.is_empty(), named) {
        (false, _) => profiles.iter().flat_map(|own| listed(own)).collect(),
        (true, Some(entry)) => listed(&entry.value),
        (true, None) => Vec::new(),
    };
    if chosen.is_empty() {
        chosen.push(String::from("default"));
    }
    chosen
}

/// The entry that says when a document is active.
fn condition(document: &[Entry]) -> Option<&Entry> {
    document
        .iter()
        .find(|entry| CONDITIONS.contains(&uniform(&entry.key).as_str()))
}

fn names(condition: &str) -> impl Iterator<Item = String> {
    let words = condition.split(['|', '&', ',', '!', '(', ')', ' ']);
    words.filter(|word| !word.is_empty()).map(str::to_owned)
}

/// Whether the condition holds; `None`: it mixes `&` and `|`, or has brackets.
fn holds(condition: &str, chosen: &[String]) -> Option<bool> {
    let one = |word: &str| {
        let word = word.trim();
        match word.strip_prefix('!') {
            Some(name) => !chosen.iter().any(|own| own == name.trim()),
            None => chosen.iter().any(|own| own == word),
        }
    };
    let (any, all) = (condition.contains(['|', ',']), condition.contains('&'));
    match (condition.contains(['(', ')']), any, all) {
        (true, _, _) | (_, true, true) => None,
        (false, _, false) => Some(condition.split(['|', ',']).any(one)),
        (false, false, true) => Some(condition.split('&').all(one)),
    }
}

/// A profile that no document knows is a slip, or the name of a file.
fn not_met(profiles: &[String], met: &[String], found: &mut Found) {
    for profile in profiles.iter().filter(|own| !met.contains(own)) {
        found.assume(None, format!("No document is about the profile \"{profile}\". If it has a file of its own, name that with --spring, too, behind the first."));
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_condition_holds_as_in_boot() {
        let chosen = [String::from("prod"), String::from("eu")];
        for (condition, expected) in [
            ("prod", Some(true)),
            ("dev", Some(false)),
            ("!dev", Some(true)),
            ("dev | eu", Some(true)),
            ("dev, prod", Some(true)),
            ("prod & eu", Some(true)),
            ("prod & !eu", Some(false)),
            ("(prod & eu) | dev", None),
        ] {
            assert_eq!(holds(condition, &chosen), expected, "{condition}");
        }
    }
}
