//! The text of the design that an import writes.

use super::super::framework::Derived;
use super::super::source::{Place, Source, Span};
use super::super::table::Table;
use super::super::write::quoted;
use super::super::{Design, DesignError};
use super::{Found, Import, Statement};

/// Tables of Kafka's, in the order in which they are written, each with what it is about.
const KAFKA_TABLES: [(Table, &str); 5] = [
    (Table::Producer, "The producer that sends to the topic."),
    (Table::Topic, "The topic."),
    (
        Table::Consumer,
        "The consumer. What is left out has the client's default.",
    ),
    (
        Table::OutputProducer,
        "The producer that writes results and dead letters.",
    ),
    (Table::Application, "What the code around the clients does."),
];

/// The faults of every design that is written, in pairs with the others.
const FAULTS: &[(&str, &str)] = &[("consumer-crash", "")];

/// Where the files say how a producer is set up.
const OF_PRODUCERS: &[(&str, &str)] = &[
    (
        "request-lost",
        "the connection breaks before the broker acts",
    ),
    ("response-lost", "the broker acted, and its answer is lost"),
];

/// Where they do not: it is assumed to be right, and only the consumer's commits are struck.
const OF_COMMITS: &[(&str, &str)] = &[(
    "request-lost.offset-commit",
    "the connection breaks before the broker commits",
)];

/// Where the producer is the service's own.
const PRODUCER_CRASH: (&str, &str) = ("producer-crash", "");

/// What a listener's error handling is for.
const POISON: (&str, &str) = ("poison", "a record that fails at every attempt");

/// The text, with the places that its parts come from.
pub(super) struct Draft {
    pub text: String,
    /// Each setting that came from a file or an option.
    pub imported: Vec<Derived>,
    pub file: String,
    places: Vec<Place>,
}

impl Draft {
    /// Writes what was `found` in the files of `import`, of which `file` is the first.
    pub fn write(import: &Import, file: &str, found: &Found) -> Draft {
        let mut draft = Draft {
            text: String::new(),
            imported: Vec::new(),
            file: file.to_owned(),
            places: Vec::new(),
        };
        draft.head(import, found);
        for (table, about) in KAFKA_TABLES {
            let mut own: Vec<&Statement> = found
                .statements
                .iter()
                .filter(|statement| statement.table == table)
                .collect();
            own.sort_by_key(|statement| statement.key != "framework");
            let is_application = table == Table::Application;
            if own.is_empty() && !is_application {
                continue;
            }
            draft.table(table, about);
            for statement in &own {
                let keys = own.iter().map(|other| other.key.as_str());
                draft.statement(statement, keys);
            }
            if is_application {
                draft.order(import, found);
            }
        }
        draft.sink(import);
        draft.faults(import, found);
        draft.line("");
        draft.line("[bounds]");
        draft.line("records = 2");
        draft
    }

    /// The text as one that can be read.
    pub fn source(&self) -> Source {
        let name = format!("{} (as a design)", self.file);
        Source::written(&name, &self.text, self.places.clone())
    }

    /// The design that it is; what is wrong with it is wrong with the file.
    pub fn design(&self) -> Result<Design, DesignError> {
        Design::of(&self.source()).map_err(|error| error.of_file(&self.file))
    }

    fn line(&mut self, line: &str) {
        self.text.push_str(line);
        self.text.push('\n');
    }

    fn table(&mut self, table: Table, about: &str) {
        self.line("");
        self.line(&format!("# {about}"));
        self.line(&format!("[{}]", table.name()));
    }

    fn head(&mut self, import: &Import, found: &Found) {
        let files: Vec<String> = import
            .files()
            .map(|file| file.display().to_string())
            .collect();
        let files = super::super::report::enumeration(files.iter().map(String::as_str));
        self.line(&format!("# Written from {}.", one_line(&files)));
        if !found.left_out.is_empty() {
            let names = found.left_out.iter().map(String::as_str);
            let names = super::super::report::enumeration(names);
            let left_out = format!(
                "# Left out, without bearing on delivery: {}.",
                one_line(&names)
            );
            self.line(&left_out);
        }
        for assumption in &found.assumed {
            self.line(&format!("# {}", one_line(&assumption.text)));
        }
        let name = found
            .name
            .as_deref()
            .map(str::trim)
            .filter(|name| !name.is_empty());
        if let Some(name) = name {
            self.line(&format!("name = {}", quoted(&one_line(name))));
        }
        let client = import.client.as_deref().unwrap_or("java");
        self.line(&format!("client = {}", quoted(client)));
        self.line("");
        self.line("# What you need: 'semel list guarantees' says when each is violated.");
        let required: Vec<String> = import
            .require
            .iter()
            .map(|own| quoted(own.name()))
            .collect();
        match required.is_empty() {
            true => self.line("# require = [\"no-loss\", \"no-duplicates\"]"),
            false => self.line(&format!("require = [{}]", required.join(", "))),
        }
    }

    /// One statement, and where it comes from.
    fn statement<'k>(&mut self, statement: &Statement, mut beside: impl Iterator<Item = &'k str>) {
        let key = &statement.key;
        // TOML reads the dots as tables: a name that begins another would be both.
        let begins = |one: &str, other: &str| {
            other
                .strip_prefix(one)
                .is_some_and(|rest| rest.starts_with('.'))
        };
        let bare = |letter: char| letter.is_ascii_alphanumeric() || "-_.".contains(letter);
        let clashes = beside.any(|other| begins(key, other) || begins(other, key));
        let is_bare = key.chars().all(bare) && !key.split('.').any(str::is_empty);
        let name = match clashes || !is_bare {
            true => quoted_key(key),
            false => key.clone(),
        };
        let value = value(statement);
        let start = self.text.len();
        self.text.push_str(&format!("{name} = {value}"));
        self.places.push(Place {
            span: Span::from(start..self.text.len()),
            source: statement.from.source.clone(),
            origin: statement.from.span,
        });
        let place = statement.from.place();
        self.line(&format!("  # {}", one_line(&place)));
        self.imported.push(Derived {
            table: statement.table,
            key: key.clone(),
            value,
            why: place,
        });
    }

    /// The order: as the option says, or what it is left to be.
    fn order(&mut self, import: &Import, found: &Found) {
        let has_framework = found.states(Table::Application, "framework");
        match (&import.order, has_framework) {
            (Some(order), _) => self.option(Table::Application, "order", order),
            (None, true) => {
                self.line("# What the listener or topology does with one record, such as:");
                let acknowledges = found.says(Table::Application, "ack-mode", "MANUAL");
                let then = if acknowledges { " -> commit" } else { "" };
                self.line(&format!("# order = \"db[process, remember]{then}\""));
            }
            (None, false) => {
                self.line("order = \"process -> commit\"  # handle it, then commitSync(offset + 1)")
            }
        }
        let in_transactions = found.states(Table::OutputProducer, "transactional.id");
        if found.listens && !in_transactions {
            self.line("# A DefaultErrorHandler with a DeadLetterPublishingRecoverer:");
            self.line("# on-process-failure = { attempts = 10, then = \"dead-letter\" }");
        }
    }

    /// A setting of the command line.
    fn option(&mut self, table: Table, key: &str, value: &str) {
        let value = escaped(value);
        let option = format!("--{key}");
        let statement = format!("{key} = {value}");
        let start = self.text.len();
        self.places.push(Place {
            span: Span::from(start..start + statement.len()),
            source: Source::new(&option, &statement),
            origin: Span::from(0..statement.len()),
        });
        self.line(&statement);
        self.imported.push(Derived {
            table,
            key: key.to_owned(),
            value,
            why: option,
        });
    }

    fn sink(&mut self, import: &Import) {
        self.line("");
        self.line("# What handling a record does: \"add\" (balance += amount), \"upsert\" (the last write wins),");
        self.line(
            "# \"external\" (a call to a provider outside), or \"topic\" (only what it produces).",
        );
        self.line("[sink]");
        match &import.effect {
            Some(effect) => self.option(Table::Sink, "effect", effect),
            None => self.line("# effect = \"add\""),
        }
    }

    fn faults(&mut self, import: &Import, found: &Found) {
        self.line("");
        self.line("# What may go wrong in one run, and how often: 'semel list faults'.");
        self.line("[faults]");
        let writes = |step: &str| {
            import
                .order
                .as_deref()
                .is_some_and(|order| order.contains(step))
        };
        let is_about = |table: Table| found.statements.iter().any(|own| own.table == table);
        let produces = writes("produce") || is_about(Table::OutputProducer) || found.has_topology;
        let of_requests = match is_about(Table::Producer) || produces {
            true => OF_PRODUCERS,
            false => OF_COMMITS,
        };
        let poison = found.listens.then_some(&POISON);
        let producer = import.producer.is_some().then_some(&PRODUCER_CRASH);
        let faults = FAULTS.iter().chain(of_requests);
        for (fault, about) in faults.chain(poison).chain(producer) {
            match about.is_empty() {
                true => self.line(&format!("{fault} = 1")),
                false => self.line(&format!("{fault} = 1  # {about}")),
            }
        }
        self.line("total = 2");
    }
}

/// The value as TOML writes it: numbers and truth values bare.
fn value(statement: &Statement) -> String {
    let text = statement.value.trim();
    let is_number = text.len() < 19
        && text
            .strip_prefix('-')
            .unwrap_or(text)
            .chars()
            .all(|c| c.is_ascii_digit())
        && text
            .parse::<i64>()
            .is_ok_and(|number| number.to_string() == text);
    if !statement.is_text && (is_number || text == "true" || text == "false") {
        text.to_owned()
    } else {
        escaped(&statement.value)
    }
}

/// A basic string of TOML, whatever stands in it.
fn escaped(text: &str) -> String {
    let mut escaped = String::from("\"");
    for letter in text.chars() {
        match letter {
            '"' | '\\' => escaped.extend(['\\', letter]),
            control if control.is_control() => {
                escaped.push_str(&format!("\\u{:04X}", u32::from(control)));
            }
            letter => escaped.push(letter),
        }
    }
    escaped.push('"');
    escaped
}

fn quoted_key(key: &str) -> String {
    escaped(key)
}

/// A comment is one line.
fn one_line(text: &str) -> String {
    text.chars()
        .map(|letter| if letter.is_control() { ' ' } else { letter })
        .collect()
}
