//! Which orders can be built, and why the others cannot.

use semel_models::order::{Item, Order, Step};
use semel_models::pipeline::Client;

use super::super::source::Span;
use super::{GroupKind, Node, Part, nearest, steps, workers};

/// What the rules must know of the rest of the design.
#[derive(Clone, Copy, Debug)]
pub(crate) struct Surroundings {
    pub client: Client,
    /// `effect = "external"`.
    pub external: bool,
    /// `effect = "topic"`.
    pub topic: bool,
    /// `dedup = "durable"`: the dedup store is in the sink's database.
    pub dedup_in_database: bool,
    /// librdkafka's `enable.auto.offset.store`.
    pub automatic_store: bool,
    /// Whether worker threads handle the records.
    pub workers: bool,
}

/// One rule that an order breaks.
#[derive(Clone, Debug, PartialEq, Eq)]
pub(crate) struct Broken {
    pub span: Span,
    pub message: String,
    pub why: String,
    pub write: String,
}

/// What `each` needs: beside it only these steps mean something once per poll.
pub(crate) fn beside_each(step: Step) -> bool {
    match step {
        Step::Commit | Step::CommitAsync | Step::SaveOffset | Step::Flush => true,
        Step::Process
        | Step::SkipIfSeen
        | Step::Remember
        | Step::StoreOffset
        | Step::Produce
        | Step::ProduceAsync => false,
    }
}

/// Whether the step speaks to Kafka or to its client.
pub(crate) fn speaks_to_kafka(step: Step) -> bool {
    match step {
        Step::Commit
        | Step::CommitAsync
        | Step::StoreOffset
        | Step::Produce
        | Step::ProduceAsync
        | Step::Flush => true,
        Step::Process | Step::SkipIfSeen | Step::Remember | Step::SaveOffset => false,
    }
}

/// Whether an order may have the step once only.
pub(crate) fn once_only(step: Step) -> bool {
    match step {
        Step::Process | Step::Remember | Step::Produce | Step::ProduceAsync => true,
        Step::SkipIfSeen
        | Step::Commit
        | Step::CommitAsync
        | Step::SaveOffset
        | Step::StoreOffset
        | Step::Flush => false,
    }
}

/// Every rule that the order breaks, each with the nearest order that can be built.
pub(crate) fn check(nodes: &[Node], around: &Surroundings) -> Vec<Broken> {
    let mut broken = broken_rules(nodes, around);
    if broken.is_empty() {
        return broken;
    }
    if let Some(order) = nearest::order(nodes, around) {
        for rule in &mut broken {
            let space = if rule.write.is_empty() { "" } else { " " };
            let write = format!("{space}The nearest order that can be built: `{order}`.");
            rule.write.push_str(&write);
        }
    }
    broken
}

/// Whether an order without places breaks no rule.
pub(crate) fn can_be_built(order: &Order, around: &Surroundings) -> bool {
    fn placed(items: &[Item]) -> Vec<Node> {
        let group = |kind, inner: &[Item]| Part::Group(kind, placed(inner));
        let node = |item: &Item| Node {
            part: match item {
                Item::Step(step) => Part::Step(*step),
                Item::Each(inner) => group(GroupKind::Each, inner),
                Item::Database(inner) => group(GroupKind::Database, inner),
                Item::Kafka(inner) => group(GroupKind::Kafka, inner),
            },
            span: Span::from(0..0),
        };
        items.iter().map(node).collect()
    }
    broken_rules(&placed(&order.0), around).is_empty()
}

/// Every rule that the order breaks, without an order in its place.
pub(crate) fn broken_rules(nodes: &[Node], around: &Surroundings) -> Vec<Broken> {
    let mut rules = Rules {
        around,
        broken: Vec::new(),
    };
    if nodes.is_empty() {
        rules.refuse(
            Span::from(0..0),
            "the order is empty",
            "An application that takes no step has no effect and commits nothing.",
            "Write at least `process`, as in `process -> commit`.",
        );
        return rules.broken;
    }
    rules.group(nodes, &mut Vec::new());
    rules.each(nodes);
    rules.effects(nodes);
    rules.repeated(nodes);
    let mut broken = rules.broken;
    if around.workers {
        broken.extend(workers::broken(nodes));
    }
    broken
}

struct Rules<'a> {
    around: &'a Surroundings,
    broken: Vec<Broken>,
}

impl Rules<'_> {
    fn refuse(&mut self, span: Span, message: impl Into<String>, why: &str, write: &str) {
        self.broken.push(Broken {
            span,
            message: message.into(),
            why: why.to_owned(),
            write: write.to_owned(),
        });
    }

    /// What may stand inside which group.
    fn group(&mut self, nodes: &[Node], groups: &mut Vec<GroupKind>) {
        for node in nodes {
            match &node.part {
                Part::Step(step) => {
                    let transaction = |kind: &&GroupKind| **kind != GroupKind::Each;
                    match groups.iter().rfind(transaction) {
                        Some(GroupKind::Database) => self.in_database(*step, node.span),
                        Some(GroupKind::Kafka) => self.in_kafka(*step, node.span),
                        Some(GroupKind::Each) | None => {}
                    }
                    self.for_client(*step, node.span);
                }
                Part::Group(kind, inner) => {
                    self.nested(*kind, node.span, groups);
                    if inner.is_empty() {
                        self.refuse(
                            node.span,
                            format!("{} is empty", kind.shape()),
                            "A group without a step does nothing.",
                            "",
                        );
                    }
                    groups.push(*kind);
                    self.group(inner, groups);
                    groups.pop();
                }
            }
        }
    }

    fn nested(&mut self, kind: GroupKind, span: Span, groups: &[GroupKind]) {
        let inside = |outer| groups.contains(&outer);
        match kind {
            GroupKind::Each if inside(GroupKind::Each) => self.refuse(
                span,
                "each(...) stands inside each(...)",
                "each(...) runs once per record of a poll: there is nothing to repeat within one record.",
                "",
            ),
            GroupKind::Database if inside(GroupKind::Database) => self.refuse(
                span,
                "db[...] stands inside db[...]",
                "A database transaction commits as a whole: one inside another is the same transaction.",
                "",
            ),
            GroupKind::Kafka if inside(GroupKind::Kafka) => self.refuse(
                span,
                "kafka[...] stands inside kafka[...]",
                "A producer has one transaction at a time.",
                "",
            ),
            GroupKind::Kafka if inside(GroupKind::Database) => self.refuse(
                span,
                "kafka[...] stands inside db[...]",
                "A database cannot roll back what Kafka has committed: the two commit one after the other, never as one.",
                "",
            ),
            GroupKind::Each | GroupKind::Database | GroupKind::Kafka => {}
        }
    }

    fn in_database(&mut self, step: Step, span: Span) {
        if speaks_to_kafka(step) {
            let write = match step {
                Step::Commit | Step::CommitAsync | Step::StoreOffset => {
                    "To have the offset in the database's transaction, write `save-offset`."
                }
                Step::Produce | Step::ProduceAsync | Step::Flush => {
                    "To publish what the database committed, write it to an outbox in the transaction."
                }
                Step::Process | Step::SkipIfSeen | Step::Remember | Step::SaveOffset => "",
            };
            self.refuse(
                span,
                format!("`{}` stands inside db[...]", step.name()),
                "It speaks to Kafka, which takes no part in the database's transaction: it is neither rolled back nor committed with it.",
                write,
            );
        } else if step == Step::Process && self.around.external {
            self.external(span, GroupKind::Database);
        } else if step == Step::Remember && !self.around.dedup_in_database {
            self.refuse(
                span,
                "`remember` stands inside db[...], but the dedup store is not in the sink's database",
                "The insert goes to another store and stays when the transaction rolls back. (`skip-if-seen` may stand there: it only looks.)",
                "Or keep the dedup store in the sink's database: `dedup = \"durable\"` in [sink].",
            );
        }
    }

    fn in_kafka(&mut self, step: Step, span: Span) {
        let (why, write) = match step {
            Step::CommitAsync => (
                "Inside a transaction offsets are committed by sendOffsetsToTransaction, which waits for its answer.",
                "Write `commit`.",
            ),
            Step::StoreOffset => (
                "The background commit that takes stored offsets is no part of the transaction.",
                "Write `commit`: inside kafka[...] it is sendOffsetsToTransaction.",
            ),
            Step::Process if self.around.external => {
                self.external(span, GroupKind::Kafka);
                return;
            }
            Step::Process
            | Step::SkipIfSeen
            | Step::Remember
            | Step::Commit
            | Step::SaveOffset
            | Step::Produce
            | Step::ProduceAsync
            | Step::Flush => return,
        };
        let message = format!("`{}` stands inside kafka[...]", step.name());
        self.refuse(span, message, why, write);
    }

    fn external(&mut self, span: Span, group: GroupKind) {
        self.refuse(
            span,
            format!(
                "`process` stands inside {}, but its effect is external",
                group.shape()
            ),
            "Nothing rolls back a call that has reached a provider outside: it cannot be part of a transaction.",
            "",
        );
    }

    /// Steps that the client itself refuses.
    fn for_client(&mut self, step: Step, span: Span) {
        if step != Step::StoreOffset {
            return;
        }
        match self.around.client {
            Client::Java => self.refuse(
                span,
                "`store-offset` does not exist in the Java client",
                "It has no offset store: automatic commit takes the position that earlier polls reached.",
                "",
            ),
            Client::Librdkafka if self.around.automatic_store => self.refuse(
                span,
                "librdkafka refuses `store-offset` while enable.auto.offset.store = true",
                "rd_kafka_offsets_store() returns RD_KAFKA_RESP_ERR__INVALID_ARG: the offset is stored when the record is handed over, before it is handled.",
                "Write `enable.auto.offset.store = false` in [consumer].",
            ),
            Client::Librdkafka => {}
        }
    }

    /// With an `each`, what is outside of it runs once per poll.
    fn each(&mut self, nodes: &[Node]) {
        let mut eaches = 0;
        self.count_eaches(nodes, &mut eaches);
        if eaches > 0 {
            self.outside_each(nodes);
        }
    }

    fn count_eaches(&mut self, nodes: &[Node], eaches: &mut usize) {
        for node in nodes {
            match &node.part {
                Part::Group(GroupKind::Each, _) => {
                    *eaches += 1;
                    if *eaches > 1 {
                        self.refuse(
                            node.span,
                            "each(...) stands beside another each(...)",
                            "Each runs once per record of a poll; two of them would be two passes over it, and only commit, commit-async, save-offset and flush may stand beside an each(...).",
                            "",
                        );
                    }
                }
                Part::Group(GroupKind::Database | GroupKind::Kafka, inner) => {
                    self.count_eaches(inner, eaches);
                }
                Part::Step(_) => {}
            }
        }
    }

    fn outside_each(&mut self, nodes: &[Node]) {
        const WHY: &str = "Beside an each(...) a step runs once per poll, not per record: only commit, commit-async, save-offset and flush have a meaning there.";
        for node in nodes {
            match &node.part {
                Part::Step(step) if !beside_each(*step) => {
                    let message = format!("`{}` stands beside an each(...)", step.name());
                    self.refuse(node.span, message, WHY, "");
                }
                Part::Step(_) | Part::Group(GroupKind::Each, _) => {}
                Part::Group(kind @ (GroupKind::Database | GroupKind::Kafka), inner) => {
                    if contains_each(inner) {
                        self.outside_each(inner);
                    } else {
                        let message = format!("{} stands beside an each(...)", kind.shape());
                        self.refuse(node.span, message, WHY, "");
                    }
                }
            }
        }
    }

    /// An order must have an effect, of the kind that its sink takes.
    fn effects(&mut self, nodes: &[Node]) {
        let all = steps(nodes);
        let effect =
            |step: &Step| matches!(step, Step::Process | Step::Produce | Step::ProduceAsync);
        if !all.iter().any(|(step, _, _)| effect(step)) {
            let span = match (nodes.first(), nodes.last()) {
                (Some(first), Some(last)) => Span::from(first.span.start..last.span.end),
                (_, _) => Span::from(0..0),
            };
            self.refuse(
                span,
                "the order never has an effect",
                "No record would ever be handled, so every guarantee would be about nothing.",
                "Write `process` (the effect in the sink) where the record is handled.",
            );
        }
        if !self.around.topic {
            return;
        }
        for (step, span, _) in all {
            if step == Step::Process {
                self.refuse(
                    span,
                    "`process` has no sink to act on: effect = \"topic\"",
                    "With a topic as sink the only effect is a result that `produce` writes.",
                    "Write `produce`, or another effect in [sink].",
                );
            }
        }
    }

    fn repeated(&mut self, nodes: &[Node]) {
        let mut seen: Vec<Step> = Vec::new();
        for (step, span, _) in steps(nodes) {
            let same = |other: &Step| {
                let sends = |step| matches!(step, Step::Produce | Step::ProduceAsync);
                *other == step || sends(*other) && sends(step)
            };
            if once_only(step) && seen.iter().any(same) {
                let why = match step {
                    Step::Remember => {
                        "A second insert of the same identity always conflicts with the first."
                    }
                    Step::Process
                    | Step::Produce
                    | Step::ProduceAsync
                    | Step::SkipIfSeen
                    | Step::Commit
                    | Step::CommitAsync
                    | Step::SaveOffset
                    | Step::StoreOffset
                    | Step::Flush => {
                        "A record has one effect: done twice in one order, it would be a duplicate without any fault."
                    }
                };
                let message = format!("`{}` stands in the order twice", step.name());
                self.refuse(span, message, why, "");
            }
            seen.push(step);
        }
    }
}

fn contains_each(nodes: &[Node]) -> bool {
    nodes.iter().any(|node| match &node.part {
        Part::Step(_) => false,
        Part::Group(GroupKind::Each, _) => true,
        Part::Group(GroupKind::Database | GroupKind::Kafka, inner) => contains_each(inner),
    })
}
