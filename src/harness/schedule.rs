//! A schedule: how many records there are, and what the environment does at which call.
//!
//! Calls are numbered from 1 through a whole run, whichever start of the service makes them. A
//! schedule names only what is out of the ordinary; everything else goes well. So two schedules
//! can be compared by size, and the smallest that fails is the one worth reading.

use serde::{Deserialize, Serialize};
use std::cmp::Ordering;
use std::fmt;
use std::ops::RangeInclusive;

/// What the environment does at one call.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Hash, PartialOrd, Ord, Serialize, Deserialize)]
pub(super) enum Action {
    /// The process dies before the call acts.
    Crash,
    /// The same, and the commit that is on its way is lost with it.
    CrashUnsent,
    /// The call acts, and the process dies before it learns of that.
    CrashAfter,
    /// The request is lost; the client reports a timeout.
    RequestLost,
    /// The request acts and its answer is lost; the client reports a timeout.
    AnswerLost,
    /// The answer is lost, and the client sends the request again.
    Retried,
    /// The leader dies when it has appended what is sent, and before a follower has it.
    LeaderLost,
    /// The followers have it, and the leader dies before it answers.
    LeaderLostUnanswered,
    /// The process stands still before the call acts, longer than its session.
    Pause,
    /// The same, longer than `transaction.timeout.ms`, too.
    LongPause,
    /// The poll returns no more than this many records.
    Poll(u32),
}

/// A budget that an action is paid from.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(super) enum Fault {
    Crash,
    LostRequest,
    LostAnswer,
    LostLeader,
    Pause,
}

impl Fault {
    const ALL: [Fault; 5] = [
        Fault::Crash,
        Fault::LostRequest,
        Fault::LostAnswer,
        Fault::LostLeader,
        Fault::Pause,
    ];

    /// What sets its bounds.
    fn setting(self) -> &'static str {
        match self {
            Fault::Crash => "crashes",
            Fault::LostRequest => "lost_requests",
            Fault::LostAnswer => "lost_answers",
            Fault::LostLeader => "lost_leaders",
            Fault::Pause => "pauses",
        }
    }
}

/// The words of the actions, in schedules.
const WORDS: [(&str, Action); 10] = [
    ("crash", Action::Crash),
    ("crash-unsent", Action::CrashUnsent),
    ("crash-after", Action::CrashAfter),
    ("lost-request", Action::RequestLost),
    ("lost-answer", Action::AnswerLost),
    ("retried", Action::Retried),
    ("leader-lost", Action::LeaderLost),
    ("leader-lost-unanswered", Action::LeaderLostUnanswered),
    ("pause", Action::Pause),
    ("long-pause", Action::LongPause),
];

impl Action {
    /// What it is paid from; `None`: it is no fault.
    pub(super) fn fault(self) -> Option<Fault> {
        match self {
            Action::Crash | Action::CrashUnsent | Action::CrashAfter => Some(Fault::Crash),
            Action::RequestLost => Some(Fault::LostRequest),
            Action::AnswerLost | Action::Retried => Some(Fault::LostAnswer),
            Action::LeaderLost | Action::LeaderLostUnanswered => Some(Fault::LostLeader),
            Action::Pause | Action::LongPause => Some(Fault::Pause),
            Action::Poll(_) => None,
        }
    }

    /// Its word in schedules.
    pub(super) fn word(self) -> &'static str {
        let row = WORDS.iter().find(|(_, action)| *action == self);
        row.map_or("poll", |(word, _)| word)
    }
}

/// One entry of a schedule.
#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize)]
pub(super) struct Item {
    /// At which call.
    pub(super) step: u32,
    /// What happens there.
    pub(super) action: Action,
    /// Which call an earlier run made there; `None`: the schedule was given from outside.
    pub(super) label: Option<String>,
}

impl fmt::Display for Item {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        write!(f, "{}@{}", self.action.word(), self.step)?;
        match self.action {
            Action::Poll(size) => write!(f, "={size}"),
            Action::Crash
            | Action::CrashUnsent
            | Action::CrashAfter
            | Action::RequestLost
            | Action::AnswerLost
            | Action::Retried
            | Action::LeaderLost
            | Action::LeaderLostUnanswered
            | Action::Pause
            | Action::LongPause => Ok(()),
        }
    }
}

/// The number of records, and what is out of the ordinary in a run.
#[derive(Clone, Debug, Serialize, Deserialize)]
pub(super) struct Schedule {
    pub(super) records: u32,
    /// In the order of the calls.
    pub(super) items: Vec<Item>,
}

impl Schedule {
    /// Nothing goes wrong.
    pub(super) fn calm(records: u32) -> Schedule {
        Schedule {
            records,
            items: Vec::new(),
        }
    }

    /// How many faults it has.
    pub(super) fn faults(&self) -> u32 {
        let faults = self
            .items
            .iter()
            .filter(|item| item.action.fault().is_some());
        faults.count() as u32
    }

    /// How many of one kind.
    pub(super) fn count(&self, fault: Fault) -> u32 {
        let of_kind = |item: &&Item| item.action.fault() == Some(fault);
        self.items.iter().filter(of_kind).count() as u32
    }

    /// The same with one entry more, at its end.
    pub(super) fn with(&self, item: Item) -> Schedule {
        let mut more = self.clone();
        more.items.push(item);
        more
    }

    /// Records, faults and short polls together: what a reader has to keep in mind.
    pub(super) fn size(&self) -> u32 {
        self.records + self.items.len() as u32
    }

    /// Of one size, what is easier to follow: few faults, few records, few processes at once.
    fn key(&self) -> (u32, u32, u32, u32, Vec<(u32, Action)>) {
        let places = self.items.iter().map(|item| (item.step, item.action));
        let pauses = self.count(Fault::Pause);
        (
            self.size(),
            self.faults(),
            self.records,
            pauses,
            places.collect(),
        )
    }

    /// Reads what [`Display`](fmt::Display) writes.
    pub(super) fn parse(text: &str) -> Result<Schedule, String> {
        let mut words = text.split_whitespace();
        let records = words
            .next()
            .and_then(|word| word.strip_prefix("records="))
            .and_then(|number| number.parse().ok())
            .filter(|records| *records > 0)
            .ok_or("it begins with the number of records, as in 'records=1'")?;
        let mut items: Vec<Item> = Vec::new();
        for word in words {
            let item = parse_item(word)?;
            if items.last().is_some_and(|last| last.step > item.step) {
                return Err(format!("'{word}' comes after a later call"));
            }
            items.push(item);
        }
        Ok(Schedule { records, items })
    }
}

fn parse_item(word: &str) -> Result<Item, String> {
    let (name, place) = word
        .split_once('@')
        .ok_or_else(|| format!("'{word}' is not of the form 'crash@3'"))?;
    let (step, size) = match place.split_once('=') {
        Some((step, size)) => (step, Some(size)),
        None => (place, None),
    };
    let number = |text: &str| {
        let number = text.parse::<u32>().ok().filter(|number| *number > 0);
        number.ok_or_else(|| format!("in '{word}', '{text}' is not a number from 1 on"))
    };
    let action = match (WORDS.iter().find(|(known, _)| *known == name), size) {
        (Some((_, action)), None) => *action,
        (None, Some(size)) if name == "poll" => Action::Poll(number(size)?),
        (Some(_), Some(_)) => return Err(format!("'{word}': only 'poll@3=1' has a size")),
        (None, _) => {
            let words = WORDS.map(|(word, _)| word).join(", ");
            return Err(format!("'{word}': known are {words}, and poll@3=1"));
        }
    };
    Ok(Item {
        step: number(step)?,
        action,
        label: None,
    })
}

impl fmt::Display for Schedule {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        write!(f, "records={}", self.records)?;
        self.items.iter().try_for_each(|item| write!(f, " {item}"))
    }
}

/// The smaller one first; of one size that with fewer faults, fewer records, fewer pauses, earlier
/// calls.
impl Ord for Schedule {
    fn cmp(&self, other: &Schedule) -> Ordering {
        self.key().cmp(&other.key())
    }
}

impl PartialOrd for Schedule {
    fn partial_cmp(&self, other: &Schedule) -> Option<Ordering> {
        Some(self.cmp(other))
    }
}

impl PartialEq for Schedule {
    fn eq(&self, other: &Schedule) -> bool {
        self.key() == other.key()
    }
}

impl Eq for Schedule {}

/// How many faults of each kind a run may have.
#[derive(Clone, Debug, Serialize, Deserialize)]
pub(super) struct Budget {
    pub(super) crashes: RangeInclusive<u32>,
    pub(super) lost_requests: RangeInclusive<u32>,
    pub(super) lost_answers: RangeInclusive<u32>,
    pub(super) lost_leaders: RangeInclusive<u32>,
    pub(super) pauses: RangeInclusive<u32>,
    /// Of all kinds together.
    pub(super) total: u32,
}

impl Budget {
    fn of(&self, fault: Fault) -> &RangeInclusive<u32> {
        match fault {
            Fault::Crash => &self.crashes,
            Fault::LostRequest => &self.lost_requests,
            Fault::LostAnswer => &self.lost_answers,
            Fault::LostLeader => &self.lost_leaders,
            Fault::Pause => &self.pauses,
        }
    }

    /// Whether `action` may happen beside what happened already.
    pub(super) fn allows(&self, so_far: &Schedule, action: Action) -> bool {
        action.fault().is_none_or(|fault| {
            so_far.faults() < self.total && so_far.count(fault) < *self.of(fault).end()
        })
    }

    /// The ranges by kind.
    fn kinds(&self) -> [(&'static str, &RangeInclusive<u32>); 5] {
        Fault::ALL.map(|fault| (fault.setting(), self.of(fault)))
    }

    /// How many faults a run has at least that is judged.
    pub(super) fn least(&self) -> u32 {
        self.kinds().iter().map(|(_, range)| *range.start()).sum()
    }

    /// What no run can keep.
    pub(super) fn problem(&self) -> Option<String> {
        if let Some((kind, range)) = self.kinds().iter().find(|(_, range)| range.is_empty()) {
            let (start, end) = (range.start(), range.end());
            return Some(format!("{kind}({start}..={end}): the range is empty"));
        }
        let least = self.least();
        (least > self.total).then(|| {
            format!(
                "faults({}): the ranges ask for at least {least} faults in each run",
                self.total
            )
        })
    }

    /// Whether a run has as many faults as it is to be judged with.
    pub(super) fn is_enough(&self, schedule: &Schedule) -> bool {
        Fault::ALL
            .iter()
            .all(|fault| schedule.count(*fault) >= *self.of(*fault).start())
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_schedule_is_read_as_it_is_written() {
        let text = "records=3 poll@1=2 pause@3 crash@3 lost-answer@7 crash-after@12";
        let schedule = Schedule::parse(text).expect("a schedule");
        assert_eq!(schedule.to_string(), text);
        assert_eq!((schedule.faults(), schedule.size()), (4, 8));
    }

    #[test]
    fn what_is_no_schedule_is_refused_with_the_word_that_is_wrong() {
        let refused = |text: &str| Schedule::parse(text).expect_err("it is refused");
        assert!(refused("crash@3").contains("records=1"));
        assert!(refused("records=0").contains("records=1"));
        assert!(refused("records=1 crsh@3").contains("'crsh@3': known are crash, "));
        assert!(refused("records=1 crash@x").contains("'x' is not a number"));
        assert!(refused("records=1 crash@3=1").contains("only 'poll@3=1' has a size"));
        assert!(refused("records=1 crash@3 pause@2").contains("'pause@2' comes after"));
        assert!(refused("records=1 crash").contains("of the form 'crash@3'"));
    }

    #[test]
    fn smaller_schedules_come_first_and_fewer_faults_before_fewer_records() {
        let mut schedules = [
            "records=1 crash@2 crash@4",
            "records=2 crash@1",
            "records=1 crash@2",
            "records=3",
            "records=1",
        ]
        .map(|text| Schedule::parse(text).expect("a schedule"));
        schedules.sort();
        assert_eq!(
            schedules.map(|schedule| schedule.to_string()),
            [
                "records=1",
                "records=1 crash@2",
                "records=3",
                "records=2 crash@1",
                "records=1 crash@2 crash@4",
            ]
        );
    }
}
