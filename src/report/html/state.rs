//! A state as cards: who holds what, and what the last step changed of it.

use crate::report::diagram::escaped;
use crate::report::explorer::title;
use crate::report::story::Story;
use crate::trace::{Fact, Value, facts, lettered};
use semel_models::cluster::State;
use semel_models::consumer::Phase;
use semel_models::pipeline::Pipeline;
use std::fmt::Write;

/// The state after so many steps of a run.
pub(super) fn cards(story: &Story, steps: usize) -> String {
    let state = story.before(steps);
    let earlier = story.before(steps.saturating_sub(1));
    let (now, before) = (facts(state, story.pipeline), facts(earlier, story.pipeline));
    let pointers = pointers(state, story.pipeline);
    let mut html = String::from("<div class=\"cards\">");
    let mut holder = None;
    let mut told: Vec<(&Fact, &Fact)> = now.iter().zip(&before).collect();
    told.sort_by_key(|(fact, _)| fact.holder);
    for (fact, was) in told {
        if holder != Some(fact.holder) {
            html.push_str(match holder {
                Some(_) => "</dl></div><div class=\"card\">",
                None => "<div class=\"card\">",
            });
            let _ = write!(
                html,
                "<h5>{}</h5><dl>",
                title(fact.holder, story.pipeline.group.instances)
            );
            holder = Some(fact.holder);
        }
        put_fact(&mut html, fact, was, &pointers);
    }
    html.push_str("</dl></div></div>");
    html
}

/// What points at an offset of the log.
struct Pointer {
    offset: u16,
    name: String,
}

/// Where the log is committed and read.
fn pointers(state: &State, pipeline: &Pipeline) -> Vec<Pointer> {
    let committed = state.group.committed.map(|at| Pointer {
        offset: at.next.0,
        name: "committed".into(),
    });
    let several = pipeline.group.instances > 1;
    let reading = (0..pipeline.group.instances).filter_map(|who| {
        let consumer = &state.consumers[usize::from(who)];
        let reads = matches!(consumer.phase, Phase::Polling | Phase::Handling);
        reads.then(|| Pointer {
            offset: consumer.position().next.0,
            name: match several {
                true => format!("{} reads next", lettered(who)),
                false => "reads next".into(),
            },
        })
    });
    committed.into_iter().chain(reading).collect()
}

fn put_fact(html: &mut String, fact: &Fact, was: &Fact, pointers: &[Pointer]) {
    let changed = match fact.value == was.value {
        true => "",
        false => " class=\"changed\"",
    };
    let _ = write!(html, "<div{changed}><dt>{}</dt><dd>", escaped(&fact.name));
    match (&fact.value, &was.value) {
        (Value::Items { items, note }, Value::Items { items: earlier, .. }) => {
            let pointers = match fact.name.as_str() {
                "log" => pointers,
                _ => &[],
            };
            put_items(html, items, earlier, pointers);
            if let Some(note) = note {
                let _ = write!(html, " <span class=\"note\">{}</span>", escaped(note));
            }
        }
        (now, before) => put_text(html, &now.to_string(), &before.to_string()),
    }
    html.push_str("</dd></div>");
}

fn put_text(html: &mut String, now: &str, before: &str) {
    if now != before {
        let _ = write!(html, "<del>{}</del> ", escaped(before));
    }
    let _ = match now {
        "none" | "not running" => write!(html, "<span class=\"none\">{now}</span>"),
        told => write!(html, "{}", escaped(told)),
    };
}

/// Items side by side: what is new is marked, what is gone is struck out; `pointers` say what
/// stands at which offset.
fn put_items(html: &mut String, items: &[String], earlier: &[String], pointers: &[Pointer]) {
    for gone in earlier.iter().filter(|item| !items.contains(item)) {
        let _ = write!(html, "<del class=\"item\">{}</del>", in_item(gone));
    }
    let offset = |item: &String| {
        let (offset, _) = item.split_once(": ")?;
        offset.parse::<u16>().ok()
    };
    for item in items {
        let tag = match earlier.contains(item) {
            true => "span",
            false => "ins",
        };
        let marks = offset(item).map_or(String::new(), |offset| marks(pointers, offset));
        let _ = write!(
            html,
            "<{tag} class=\"item\">{}{marks}</{tag}>",
            in_item(item)
        );
    }
    // What points behind the last item, points at something that is still to come.
    let there: Vec<u16> = items.iter().filter_map(offset).collect();
    let mut beyond: Vec<u16> = pointers.iter().map(|pointer| pointer.offset).collect();
    beyond.retain(|offset| !there.contains(offset));
    beyond.sort_unstable();
    beyond.dedup();
    for offset in &beyond {
        let marks = marks(pointers, *offset);
        let _ = write!(
            html,
            "<span class=\"item ghost\"><b>{offset}</b>{marks}</span>"
        );
    }
    if items.is_empty() && beyond.is_empty() {
        html.push_str("<span class=\"none\">empty</span>");
    }
}

/// The names of what points at an offset.
fn marks(pointers: &[Pointer], offset: u16) -> String {
    let here = pointers.iter().filter(|pointer| pointer.offset == offset);
    here.map(|pointer| format!("<em>{}</em>", escaped(&pointer.name)))
        .collect()
}

/// An item; the offset that it begins with and the numbers that it ends with stand apart.
fn in_item(item: &str) -> String {
    let (offset, entry) = match item.split_once(": ") {
        Some((offset, entry)) if offset.parse::<u16>().is_ok() => {
            (format!("<b>{offset}</b>"), entry)
        }
        Some(_) | None => (String::new(), item),
    };
    match entry.split_once(['[', '(']) {
        Some((what, _)) if !what.is_empty() => {
            let (what, about) = entry.split_at(what.len());
            format!("{offset}{}<small>{}</small>", escaped(what), escaped(about))
        }
        Some(_) | None => format!("{offset}{}", escaped(entry)),
    }
}
