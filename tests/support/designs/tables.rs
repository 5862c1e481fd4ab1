//! The tables of a random design.

use super::order::Around;
use super::{Application, Bounds, Clients, Draw, Sink};

pub(super) const ACKS: &[&str] = &[
    "acks = \"all\"\nenable.idempotence = true\n",
    "acks = \"all\"\nenable.idempotence = false\n",
    "acks = \"1\"\nenable.idempotence = false\n",
    "acks = \"0\"\nenable.idempotence = false\n",
];
pub(super) const RETRIES: &[&str] = &["", "", "retries = 1\n"];
pub(super) const IN_FLIGHT: &[&str] = &[
    "",
    "max.in.flight.requests.per.connection = 1\n",
    "max.in.flight.requests.per.connection = 2\n",
];
pub(super) const TIMEOUTS: &[&str] = &["", "", "delivery.timeout.ms = 2000000000\n"];
pub(super) const TOPICS: &[&str] = &[
    "",
    "",
    "retention.ms = -1\n",
    "flush.messages = 1\n",
    "flush.messages = 2\n",
];
pub(super) const LISTENERS: &[&str] = &["", "", "commit", "drop-buffered", "nothing"];
pub(super) const EFFECTS: &[&str] = &["add", "upsert", "external", "external with key"];
pub(super) const SOURCES: &[&str] = &[
    "",
    "",
    "confirm-on = \"send\"\n",
    "source = \"outbox\"\n",
    "source = \"outbox\"\noutbox-order = \"mark -> publish\"\n",
    "source = \"outbox\"\noutbox-cursor = \"highest-id\"\nconfirm-on = \"ack\"\n",
    "source = \"dual-write\"\n",
    "source = \"dual-write\"\ndual-write-order = \"kafka -> database\"\n",
];
pub(super) const FAILURES: &[&str] = &[
    "",
    "{ attempts = 2, then = \"stop\" }",
    "{ then = \"close\" }",
    "{ attempts = 2, then = \"skip\" }",
    "{ then = \"dead-letter\" }",
    "{ then = \"dead-letter\" }\ndead-letter-order = \"commit -> write\"",
    "{ then = \"block\" }",
    "{ then = \"retry-topic\" }",
];
const JAVA_GROUPS: [&str; 5] = [
    "",
    "partition.assignment.strategy = \"org.apache.kafka.clients.consumer.StickyAssignor\"\n",
    "partition.assignment.strategy = \"org.apache.kafka.clients.consumer.CooperativeStickyAssignor\"\n",
    "group.protocol = \"consumer\"\n",
    "group.protocol = \"consumer\"\ngroup.remote.assignor = \"range\"\n",
];
const LIBRDKAFKA_GROUPS: [&str; 5] = [
    "",
    "rebalance_cb = true\n",
    "partition.assignment.strategy = \"cooperative-sticky\"\n",
    "group.protocol = \"consumer\"\n",
    "group.protocol = \"consumer\"\nrebalance_cb = true\n",
];

impl Draw {
    pub(super) fn text(&self) -> String {
        let (clients, faults) = (self.clients.text(), &self.faults);
        let (application, sink) = (self.application(), self.sink());
        let bounds = self.bounds.text();
        format!("{clients}\n{application}\n{sink}\n{faults}\n{bounds}")
    }

    /// What of the rest of the design decides how the order can be built.
    fn around(&self) -> Around {
        Around {
            external: self.sink.effect.starts_with("external"),
            dedup_in_database: self.sink.dedup.is_empty(),
            store_offset: self.clients.librdkafka && self.clients.stores,
            workers: self.application.workers > 0,
        }
    }

    /// Records that failed go to a retry topic only where their offsets are settled at once.
    fn may_retry_elsewhere(&self) -> bool {
        let application = &self.application;
        application.workers == 0
            && self.clients.automatic == "false"
            && application.on_commit_failure.is_empty()
            && self.sink.key.is_empty()
            && !self.sink.guard
            && application.order.has("commit")
            && !application.order.has("save-offset")
    }

    fn application(&self) -> String {
        let application = &self.application;
        let order = application.order.text(self.around());
        let mut text = format!("[application]\norder = \"{order}\"\n");
        text += &application.crew(&order);
        text += &application.listeners();
        let retries = application.failure.contains("retry-topic") && !self.may_retry_elsewhere();
        let writes_behind = application.workers > 0 && application.failure.contains("commit ->");
        if !application.failure.is_empty() && !retries && !writes_behind {
            text += &format!("on-process-failure = {}\n", application.failure);
        }
        for (key, value) in [
            ("on-commit-failure", application.on_commit_failure),
            ("on-send-failure", application.on_send_failure),
        ] {
            text += &stated(key, value);
        }
        if application.on_restart && !application.source.contains("outbox") {
            text += "on-restart = \"resend-unconfirmed\"\n";
        }
        text += application.source;
        text
    }

    fn sink(&self) -> String {
        let Sink {
            effect,
            dedup,
            insert,
            key,
            window,
            fencing,
            guard,
        } = self.sink;
        let order = &self.application.order;
        let external = effect.starts_with("external");
        let mut text = stated("effect", if external { "external" } else { effect });
        if effect == "external with key" {
            text += "idempotency-key = true\n";
        }
        text += &stated("dedup", dedup);
        text += &stated("dedup-insert", insert);
        text += &stated("dedup-key", key);
        if !window.is_empty() && order.has("remember") {
            text += &format!("dedup-window = {window}\n");
        }
        if fencing && !external && !self.application.assigns {
            text += "fencing = true\n";
        }
        if guard && (effect == "upsert" || order.has("save-offset")) {
            text += "version-guard = true\n";
        }
        format!("[sink]\n{text}")
    }
}

impl Clients {
    fn text(&self) -> String {
        let mut text = String::new();
        if self.librdkafka {
            text += "client = \"librdkafka\"\n";
        } else {
            text += &stated("kafka", self.version);
        }
        text += "[producer]\n";
        for lines in self.producer {
            let late = lines.contains("delivery.timeout.ms") && self.version == "1.1";
            if !late {
                text += lines;
            }
        }
        text += &format!("[topic]\n{}[consumer]\n", self.topic);
        let reset = match (self.librdkafka, self.reset) {
            (true, "none") => "error",
            (_, reset) => reset,
        };
        text += &format!("auto.offset.reset = \"{reset}\"\n");
        if !self.automatic.is_empty() {
            text += &format!("enable.auto.commit = {}\n", self.automatic);
        }
        if self.librdkafka && self.stores {
            text += "enable.auto.offset.store = false\n";
        }
        text += match self.librdkafka {
            true => LIBRDKAFKA_GROUPS[self.protocol],
            // The older ones have neither the consumer protocol nor cooperative rebalancing.
            false if !matches!(self.version, "" | "4.0") => JAVA_GROUPS[self.protocol.min(1)],
            false => JAVA_GROUPS[self.protocol],
        };
        if self.member && self.version != "1.1" {
            text += "group.instance.id = \"one\"\n";
        }
        text
    }
}

impl Application {
    /// The workers, and what a commit covers with as many.
    fn crew(&self, order: &str) -> String {
        let covers = match self.workers {
            0 => ["next", "last", "position"][self.covers],
            1 => ["next", "contiguous", "position"][self.covers],
            _ => ["contiguous", "highest", "position"][self.covers],
        };
        let mut text = String::new();
        if self.workers > 0 {
            text += &format!("workers = {}\n", self.workers);
        }
        let commits = order.contains("commit") || order.contains("offset");
        if covers != "next" && (commits || self.workers > 1) {
            text += &stated("commit-covers", covers);
        }
        text
    }

    fn listeners(&self) -> String {
        let mut text = String::new();
        let fits = |what: &str| what != "drop-buffered" || self.workers > 0;
        for (key, what) in [("on-revoke", self.revoke), ("on-lost", self.lost)] {
            if fits(what) && !self.assigns {
                text += &stated(key, what);
            }
        }
        if self.instances {
            text += "instances = 2\n";
        }
        if self.assigns {
            text += "assignment = \"assign\"\n";
        }
        if !self.seeks {
            text += "seek-on-assign = false\n";
        }
        text
    }
}

impl Bounds {
    fn text(&self) -> String {
        let Bounds {
            records,
            two_keys,
            poll,
            retries,
            cold,
        } = *self;
        let mut text = format!("[bounds]\nrecords = {records}\n");
        if two_keys && records == 2 {
            text += "keys = 2\n";
        }
        if !poll.is_empty() {
            text += &format!("poll = {poll}\n");
        }
        if !retries.is_empty() {
            text += &format!("retries = {retries}\n");
        }
        if cold {
            text += "start = \"cold\"\n";
        }
        text
    }
}

/// A key with a word, unless it is left out.
fn stated(key: &str, word: &str) -> String {
    match word {
        "" => String::new(),
        word => format!("{key} = \"{word}\"\n"),
    }
}
