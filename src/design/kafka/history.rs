//! Properties as they were in the versions that the design is about.

use super::super::diagnostic::Code;
use super::super::document::Field;
use super::super::properties::{Property, Scope, find};
use super::super::report::Report;
use super::super::version::defaults::former_default;
use super::super::version::{Version, Versions, parse};

/// Whether the versions that the design is about have the property already.
fn is_there(row: &Property, scope: Scope, versions: &Versions) -> bool {
    let since = row.since.as_deref().and_then(parse);
    match (versions.of(scope), since) {
        (Some(version), Some(since)) => version.at_least(since),
        (None, _) | (_, None) => true,
    }
}

/// Refuses a property that the versions that the design is about do not have.
pub(super) fn exists(
    row: &Property,
    scope: Scope,
    versions: &Versions,
    field: &Field,
    report: &mut Report,
) -> bool {
    let Some(version) = versions.of(scope) else {
        return true;
    };
    let limit = |text: &Option<String>| text.as_deref().and_then(parse);
    let (since, until) = (limit(&row.since), limit(&row.until));
    let gone = |until: Version| (version.major, version.minor) > (until.major, until.minor);
    let message = if since.is_some_and(|since| !version.at_least(since)) {
        format!("`{}` does not exist in Kafka {version}", row.name)
    } else if until.is_some_and(gone) {
        format!("`{}` no longer exists in Kafka {version}", row.name)
    } else {
        return true;
    };
    let problem = report.problem(Code::UnknownKey, field.name_span, message);
    match (since, until) {
        (Some(since), _) => problem.write(format!("It exists since Kafka {since}.")),
        (None, Some(until)) => problem.write(format!("It existed until Kafka {until}.")),
        (None, None) => problem,
    };
    false
}

/// The default in the versions that the design is about.
pub(crate) fn default(
    row: &'static Property,
    scope: Scope,
    versions: &Versions,
) -> Option<&'static str> {
    let client = versions.library;
    if !is_there(row, scope, versions) {
        return None;
    }
    former_default(versions, scope, row.canonical(client)).or_else(|| row.default(client))
}

/// The default in the one spelling of its kind.
pub(super) fn default_of(
    row: &'static Property,
    scope: Scope,
    versions: &Versions,
) -> Option<String> {
    let client = versions.library;
    let row = find(client, scope, row.canonical(client)).unwrap_or(row);
    let default = default(row, scope, versions)?;
    Some(
        row.kind(client)
            .check(default)
            .unwrap_or_else(|_| default.to_owned()),
    )
}
