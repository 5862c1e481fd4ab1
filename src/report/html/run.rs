//! One run: its diagram, and the state after each step.

use super::state::cards;
use super::{Chapter, Followed};
use crate::report::diagram::{Diagram, escaped};
use crate::report::replay::end_in_words;
use crate::report::story::Story;
use crate::report::words::run_in_words;
use crate::trace::Step;
use std::fmt::Write;

/// Writes a run of a design.
pub(super) fn put(html: &mut String, chapter: &Chapter, followed: &Followed) {
    let guarantee = followed.guarantee;
    let id = format!("{}{guarantee}", chapter.prefix);
    let end = end_in_words(&followed.replay);
    let story = Story::of(&followed.replay, end.clone());
    let diagram = Diagram::of(&story);
    let _ = write!(
        html,
        "\n<section class=\"run sheet\" id=\"{id}\" aria-labelledby=\"{id}-title\"><header><h3 id=\"{id}-title\"><span class=\"verdict violated\">violated</span>{guarantee}: {}</h3><p class=\"ends\">{}</p><p class=\"means\">{guarantee} is violated when {}.</p>",
        run_in_words(followed.trace),
        escaped(&end),
        escaped(guarantee.violated_when())
    );
    chapter.put_mends(html, guarantee);
    let title = format!("Sequence diagram of the run that violates {guarantee}");
    let _ = write!(
        html,
        "<p class=\"swipe\">Swipe the diagram sideways to see who sends what to whom.</p></header><div class=\"stage\"><div class=\"diagram\" tabindex=\"0\" role=\"group\" aria-label=\"{title}\">{}{}</div><div class=\"panel\">",
        diagram.head(),
        diagram.body(&format!("{id}-"), &title)
    );
    put_controls(html, story.moments.len());
    let _ = write!(
        html,
        "<ol class=\"steps\" tabindex=\"0\" aria-label=\"Steps and states\"><li class=\"step\" id=\"{id}-0\"><p class=\"said\">The start.</p>{}</li>",
        cards(&story, 0)
    );
    for (place, moment) in story.moments.iter().enumerate() {
        put_step(html, &format!("{id}-{}", place + 1), place + 1, moment.step);
        if place + 1 == story.moments.len() && story.loops_from.is_none() {
            let _ = write!(
                html,
                "<p class=\"ends\">✗ {guarantee} is broken. {}</p>",
                escaped(&end)
            );
        }
        let _ = write!(
            html,
            "<details class=\"state\"><summary>The state after this step</summary>{}</details></li>",
            cards(&story, place + 1)
        );
    }
    html.push_str("</ol></div></div></section>");
}

fn put_controls(html: &mut String, steps: usize) {
    let _ = write!(
        html,
        "<div class=\"controls\"><button type=\"button\" aria-label=\"Previous step\">◀</button><input type=\"range\" min=\"0\" max=\"{steps}\" value=\"0\" step=\"1\" aria-label=\"Step\"><button type=\"button\" aria-label=\"Next step\">▶</button><output></output></div><p class=\"live\" aria-live=\"polite\"></p>"
    );
}

/// The beginning of a step: what happens, and what it changes.
fn put_step(html: &mut String, id: &str, number: usize, step: &Step) {
    let fault = step.fault().map_or(String::new(), |fault| {
        format!(
            " <span class=\"spends\">⚡ fault: {}</span>",
            escaped(fault)
        )
    });
    let _ = write!(
        html,
        "<li class=\"step\" id=\"{id}\"><p class=\"said\"><b>{number}</b>{}{fault}</p>",
        escaped(step.sentence())
    );
    if step.change().is_empty() {
        return;
    }
    html.push_str("<ul class=\"changes\">");
    for change in step.change() {
        let _ = write!(
            html,
            "<li>{}: <del>{}</del> → {}</li>",
            escaped(&change.fact),
            escaped(&change.before),
            escaped(&change.after)
        );
    }
    html.push_str("</ul>");
}
