//! Which documents are active: those without a condition, and those whose profile is.

use super::super::super::diagnostic::Code;
use super::super::{Entry, Found};
use super::name::{Name, uniform};

/// What a document's condition is called; the second name is that of Boot before 2.4.
const CONDITIONS: [&str; 2] = ["spring.config.activate.onprofile", "spring.profiles"];

/// The entries of the active documents, in their order.
pub(super) fn active(
    documents: Vec<Vec<Entry>>,
    profiles: &[String],
    found: &mut Found,
) -> Vec<Entry> {
    let chosen = with_groups(&documents, chosen(&documents, profiles));
    let mut entries = Vec::new();
    let mut met: Vec<String> = Vec::new();
    for document in documents {
        on_a_platform(&document, found);
        let Some(entry) = condition(&document).cloned() else {
            spelled_twice(&document, found);
            entries.extend(document);
            continue;
        };
        met.extend(names(&entry.value));
        match holds(&entry.value, &chosen) {
            Some(true) => {
                spelled_twice(&document, found);
                entries.extend(document);
            }
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

/// The profiles of a list with commas.
fn listed(text: &str) -> Vec<String> {
    let words = text
        .split(',')
        .map(str::trim)
        .filter(|word| !word.is_empty());
    words.map(str::to_owned).collect()
}

/// The profiles with those that they stand for: `spring.profiles.group` names others for each,
/// `spring.profiles.include` some for all. Both stand in documents without a condition.
fn with_groups(documents: &[Vec<Entry>], mut chosen: Vec<String>) -> Vec<String> {
    let named = |name: &str| -> Vec<String> {
        let free = documents.iter().filter(|own| condition(own).is_none());
        let own = free.flatten().filter(|entry| {
            let key = uniform(&entry.key);
            let rest = key.strip_prefix(name);
            rest.is_some_and(|rest| rest.is_empty() || rest.starts_with('['))
        });
        own.flat_map(|entry| listed(&entry.value)).collect()
    };
    let mut more = named("spring.profiles.include");
    let mut at = 0;
    loop {
        for profile in more.drain(..) {
            if !chosen.contains(&profile) {
                chosen.push(profile);
            }
        }
        let Some(profile) = chosen.get(at) else {
            return chosen;
        };
        more = named(&format!("spring.profiles.group.{}", uniform(profile)));
        at += 1;
    }
}

/// Whether a document is active depends on where it runs, which is not known here.
fn on_a_platform(document: &[Entry], found: &mut Found) {
    let is_about = |entry: &&Entry| uniform(&entry.key) == "spring.config.activate.oncloudplatform";
    if let Some(entry) = document.iter().find(is_about) {
        let message = format!("{} is not read yet", entry.key);
        let mut problem = entry.problem(Code::NotModelled, message);
        problem
            .because("Boot takes this document on that platform only.")
            .write(
                "Leave the condition out, or the whole document, for a check of one of the two.",
            );
        found.problems.push(problem);
    }
}

/// Of two spellings of a name in one document Boot takes one by rules of its own.
fn spelled_twice(document: &[Entry], found: &mut Found) {
    let own = |entry: &&Entry| uniform(&entry.key).starts_with(super::PREFIX);
    let mut before: Vec<&Entry> = Vec::new();
    for entry in document.iter().filter(own) {
        let same = |other: &&&Entry| {
            other.key != entry.key && Name::of(&other.key) == Name::of(&entry.key)
        };
        if let Some(other) = before.iter().find(same) {
            let message = format!("{} is {} in another spelling", entry.key, other.key);
            let mut problem = entry.problem(Code::Contradiction, message);
            problem
                .because("Boot reads one of the two, and which one is not for a file to rely on.")
                .write("Leave one of them out.");
            found.problems.push(problem);
        }
        before.push(entry);
    }
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

    fn entry(key: &str, value: &str) -> Entry {
        Entry {
            key: key.into(),
            value: value.into(),
            source: super::super::Source::new("application.yml", ""),
            span: super::super::Span::from(0..0),
        }
    }

    #[test]
    fn groups_and_includes_bring_further_profiles() {
        let documents = [vec![
            entry("spring.profiles.include", "common, base"),
            entry("spring.profiles.group.production[0]", "prod-db"),
            entry("spring.profiles.group.production[1]", "prodmq"),
            entry("spring.profiles.group.prod-db", "production,replica"),
        ]];
        let chosen = with_groups(&documents, vec![String::from("production")]);
        let expected = [
            "production",
            "common",
            "base",
            "prod-db",
            "prodmq",
            "replica",
        ];
        assert_eq!(chosen, expected);
    }

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
