//! Names as Boot binds them.

/// A name without what makes no difference to Boot.
pub(in super::super) fn uniform(name: &str) -> String {
    let letters = name.chars().filter(|letter| !"-_".contains(*letter));
    letters.flat_map(char::to_lowercase).collect()
}

/// What a key under `spring.kafka` names.
#[derive(PartialEq, Eq)]
pub(super) enum Name {
    /// One of Boot's own names, in its uniform spelling.
    Path(String),
    /// A key of the map `properties` of this owner; common to all where it is empty.
    Map(String, String),
}

impl Name {
    pub(super) fn of(key: &str) -> Name {
        let parts = parts(key);
        let own: Vec<&str> = parts.iter().skip(2).map(String::as_str).collect();
        let map = own
            .iter()
            .take(2)
            .position(|part| uniform(part) == "properties");
        match map {
            Some(at) if at + 1 < own.len() => {
                let owner: Vec<String> = own[..at].iter().map(|part| uniform(part)).collect();
                Name::Map(owner.join("."), own[at + 1..].join("."))
            }
            Some(_) | None => {
                let own: Vec<String> = own.iter().map(|part| uniform(part)).collect();
                Name::Path(own.join("."))
            }
        }
    }
}

/// The parts of a name: `a.b[c.d]` has three.
fn parts(key: &str) -> Vec<String> {
    let mut parts = Vec::new();
    let mut part = String::new();
    let mut bracket = false;
    for letter in key.chars() {
        match letter {
            '.' if !bracket => {
                parts.extend(Some(std::mem::take(&mut part)).filter(|own| !own.is_empty()))
            }
            '[' if !bracket => {
                bracket = true;
                parts.extend(Some(std::mem::take(&mut part)).filter(|own| !own.is_empty()));
            }
            ']' if bracket => {
                bracket = false;
                parts.push(std::mem::take(&mut part));
            }
            letter => part.push(letter),
        }
    }
    parts.extend(Some(part).filter(|own| !own.is_empty()));
    parts
}
