//! Which faults are not modelled beside which parts of a design: one table of what the rules refuse.

use semel_models::fault::Fault;

use super::{output, partitions, transactions};

/// A part of a design that some faults cannot meet.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Hash)]
pub enum Beside {
    /// Results that the application writes.
    Results,
    /// A dead-letter or retry topic, and faults by which records come there.
    Letters,
    /// An upstream that sends in transactions.
    Transactions,
    /// A second partition, from the start or added.
    SecondPartition,
}

impl Beside {
    /// All of them, in the order in which they are documented.
    pub const ALL: [Beside; 4] = [
        Beside::Results,
        Beside::Letters,
        Beside::Transactions,
        Beside::SecondPartition,
    ];

    /// What it is called in a table.
    pub fn name(self) -> &'static str {
        match self {
            Beside::Results => "`produce` or `kafka[...]`",
            Beside::Letters => "a dead-letter or retry topic that is written",
            Beside::Transactions => "`source = \"transaction\"`",
            Beside::SecondPartition => "`partitions = 2` or the fault `add-partition`",
        }
    }

    /// Whether the model knows what the fault does beside it.
    pub fn goes_with(self, fault: Fault) -> bool {
        match self {
            Beside::Results => output::goes_with(fault),
            Beside::Letters => output::letters_go_with(fault),
            Beside::Transactions => transactions::goes_with(fault),
            Beside::SecondPartition => partitions::goes_with(fault),
        }
    }
}
