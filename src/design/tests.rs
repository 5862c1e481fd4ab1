//! Tests over whole designs: what a file says, and what comes of it.

mod accepted;
mod application;
mod client_rules;
mod faults;
mod frameworks;
mod groups;
mod hazards;
mod needs;
mod orders;
mod output;
mod output_rules;
mod partitions;
mod properties;
mod refused;
mod transactions;
mod two_phase;
mod versions;
mod write;

use super::{Code, Design, DesignError, WarningKind};

/// A design that breaks no rule and needs no warning.
const SOUND: &str = r#"
[consumer]
enable.auto.commit = false
auto.offset.reset = "earliest"
[application]
order = "process -> commit"
[faults]
consumer-crash = 1
"#;

fn parse(text: &str) -> Result<Design, DesignError> {
    Design::parse("design.toml", text.as_bytes())
}

fn accepted(text: &str) -> Design {
    match parse(text) {
        Ok(design) => design,
        Err(error) => panic!("refused: {}\n{text}", told(&error)),
    }
}

fn refused(text: &str) -> DesignError {
    match parse(text) {
        Ok(_) => panic!("accepted:\n{text}"),
        Err(error) => error,
    }
}

/// A sound design but for these lines of `[producer]`.
fn with_producer(lines: &str) -> String {
    format!("[producer]\n{lines}\n{SOUND}")
}

/// A librdkafka design with these lines of `[producer]` and idempotence said one way or other.
fn librdkafka(producer: &str, consumer: &str) -> String {
    format!(
        "client = \"librdkafka\"\n[producer]\n{producer}\n[consumer]\n{consumer}\n\
         [application]\norder = \"process -> commit\"\n[faults]\nconsumer-crash = 1\n"
    )
}

/// A sound design with these lines of `[application]`.
fn with_application(lines: &str) -> String {
    SOUND.replace("[application]", &format!("[application]\n{lines}"))
}

/// A sound design with these lines of `[consumer]`.
fn with_consumer(lines: &str) -> String {
    SOUND.replace("[consumer]", &format!("[consumer]\n{lines}"))
}

fn with_order(order: &str) -> String {
    SOUND.replace("process -> commit", order)
}

/// Everything that an error says, as plain lines.
fn told(error: &DesignError) -> String {
    let mut lines = vec![error.to_string()];
    for problem in error.problems() {
        let at = problem
            .position()
            .map_or(String::new(), |at| format!(":{}:{}", at.line, at.column));
        lines.push(String::new());
        lines.push(format!("{}{at} [{}]", problem.file(), problem.kind()));
        lines.push(format!("  {}", problem.message()));
        if !problem.offending().is_empty() {
            lines.push(format!("  offending: {}", problem.offending()));
        }
        for (name, text) in [("why", problem.why()), ("instead", problem.instead())] {
            lines.extend(text.map(|text| format!("  {name}: {text}")));
        }
    }
    lines.join("\n")
}

fn codes(error: &DesignError) -> Vec<Code> {
    error
        .problems()
        .iter()
        .map(|problem| problem.kind())
        .collect()
}

fn warned(design: &Design) -> Vec<WarningKind> {
    design
        .warnings()
        .iter()
        .map(|warning| warning.kind())
        .collect()
}

/// The only problem of a design: its code and its message.
fn only(text: &str) -> (Code, String) {
    let error = refused(text);
    assert_eq!(error.problems().len(), 1, "{}", told(&error));
    let problem = &error.problems()[0];
    (problem.kind(), problem.message().to_owned())
}
