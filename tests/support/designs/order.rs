//! Random orders that can be built.

use proptest::prelude::*;
use proptest::sample::{Index, select, subsequence};

/// What an order is made of.
#[derive(Clone, Debug)]
pub(super) struct OrderDraw {
    /// The steps beside the commit, in their order.
    steps: Vec<&'static str>,
    /// Whether, and which of them, a database transaction holds.
    database: Option<(Index, Index)>,
    /// How the offset is committed, and before which of them; `None`: after all.
    commit: Option<(&'static str, Option<Index>)>,
    /// Whether a second commit comes at the end.
    again: bool,
    each: Each,
}

/// Where an `each` stands.
#[derive(Clone, Copy, Debug, PartialEq)]
enum Each {
    Nowhere,
    /// Around all but the commit, which is taken once per poll.
    BesideCommit,
    /// Around everything.
    AroundAll,
    /// In one transaction for the whole poll, with the offset.
    InDatabase,
}

/// What the rest of the design allows.
#[derive(Clone, Copy, Debug)]
pub(super) struct Around {
    pub external: bool,
    pub dedup_in_database: bool,
    pub store_offset: bool,
    pub workers: bool,
}

pub(super) fn draws() -> impl Strategy<Value = OrderDraw> {
    let others = subsequence(vec!["skip-if-seen", "remember", "save-offset"], 0..=3);
    let steps = others.prop_flat_map(|others| {
        let shuffled = Just([&["process"], others.as_slice()].concat()).prop_shuffle();
        // The order in which they make sense comes up most.
        let rank = |step: &&str| match *step {
            "skip-if-seen" => 0,
            "process" => 1,
            "remember" => 2,
            _ => 3,
        };
        let mut sensible = [&["process"], others.as_slice()].concat();
        sensible.sort_by_key(rank);
        prop_oneof![2 => Just(sensible), 1 => shuffled]
    });
    let database = prop::option::of(any::<(Index, Index)>());
    let commits = select(vec![
        "commit",
        "commit",
        "commit",
        "commit-async",
        "store-offset",
    ]);
    let last = prop_oneof![2 => Just(None), 1 => any::<Index>().prop_map(Some)];
    let commit = prop::option::weighted(0.85, (commits, last));
    let each = select(vec![
        Each::Nowhere,
        Each::Nowhere,
        Each::BesideCommit,
        Each::AroundAll,
        Each::InDatabase,
    ]);
    (steps, database, commit, prop::bool::weighted(0.1), each).prop_map(
        |(steps, database, commit, again, each)| OrderDraw {
            steps,
            database,
            commit,
            again,
            each,
        },
    )
}

impl OrderDraw {
    /// Whether the order has `step`.
    pub(super) fn has(&self, step: &str) -> bool {
        let commits = self.commit.is_some_and(|(how, _)| how == step);
        self.steps.contains(&step) || commits
    }

    /// The order as it is written.
    pub(super) fn text(&self, around: Around) -> String {
        let each = if around.workers {
            Each::Nowhere
        } else {
            self.each
        };
        let items = self.items(around);
        let commit = self.commit.map(|(how, place)| {
            let stored = how == "store-offset" && !around.store_offset;
            (if stored { "commit" } else { how }, place)
        });
        let (how, place) = match commit {
            None => return whole(&items, each),
            Some(commit) => commit,
        };
        // The poll loop commits what its workers have done, and beside an `each` nothing is stored.
        let beside = each == Each::BesideCommit && how != "store-offset";
        let last = around.workers && how != "store-offset";
        if beside || each == Each::InDatabase {
            let all = whole(&items, if beside { Each::AroundAll } else { each });
            return match (how, place) {
                ("store-offset", _) => all,
                (how, Some(_)) => format!("{how} -> {all}"),
                (how, None) => format!("{all} -> {how}"),
            };
        }
        let mut items = items;
        let at = place
            .filter(|_| !last)
            .map_or(items.len(), |place| place.index(items.len()));
        items.insert(at, how.into());
        if self.again && !around.workers {
            items.push(how.into());
        }
        whole(&items, each)
    }

    /// The steps beside the commit, some of them in a database transaction.
    fn items(&self, around: Around) -> Vec<String> {
        let plain = |step: &&'static str| match *step {
            "process" => around.external,
            "remember" => !around.dedup_in_database,
            _ => false,
        };
        let mut items: Vec<String> = self.steps.iter().map(|step| String::from(*step)).collect();
        let Some((first, last)) = self.database else {
            return items;
        };
        let (first, last) = (first.index(items.len()), last.index(items.len()));
        let (first, last) = (first.min(last), first.max(last));
        if !self.steps[first..=last].iter().any(plain) {
            let inner = items.drain(first..=last).collect::<Vec<_>>().join(", ");
            items.insert(first, format!("db[{inner}]"));
        }
        items
    }
}

/// The items one after the other, with an `each` around them.
fn whole(items: &[String], each: Each) -> String {
    let steps = items.join(" -> ");
    match each {
        Each::Nowhere => steps,
        Each::BesideCommit | Each::AroundAll => format!("each({steps})"),
        Each::InDatabase if steps.contains("db[") => format!("each({steps})"),
        Each::InDatabase => format!("db[each({steps})]"),
    }
}
