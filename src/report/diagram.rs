//! A run as a sequence diagram in SVG: a sentence a row, and beside it who sends what to whom.
//!
//! The bytes depend on the run alone. Texts are wrapped by the widths that letters have at most in
//! common fonts, so that nothing overlaps whatever font there is.

mod arrow;
mod label;
mod shape;
mod text;

use super::lifelines::{CONSUMER, actors};
use super::story::Story;
use crate::trace::{broker_name, lettered};
use arrow::Arrow;
use semel_models::cluster::State;
use semel_models::replication::Status;
use std::fmt::Write;
pub(super) use text::escaped;

/// How the diagrams look, wherever they stand.
pub(super) const STYLE: &str = include_str!("diagram/style.css");

/// The width of the column with the sentences.
const SENTENCES: usize = 326;
/// How far apart lifelines stand.
const APART: usize = 106;
/// How far the ground of a row goes: as far as there is room.
const GROUND: usize = 4000;
/// The height of the row with the names of the lifelines.
const HEAD: usize = 44;
/// The height of a line of text, and of the rest of a row.
const LINE: usize = 17;
const PADDING: usize = 20;

/// A diagram, laid out.
pub(super) struct Diagram<'a> {
    story: &'a Story<'a>,
    arrows: Vec<Arrow>,
    lanes: Vec<String>,
}

impl<'a> Diagram<'a> {
    pub(super) fn of(story: &'a Story<'a>) -> Diagram<'a> {
        let arrows: Vec<Arrow> = (0..story.moments.len())
            .map(|place| arrow::of(story, place))
            .collect();
        let both = arrows
            .iter()
            .flat_map(|arrow| [arrow.from.clone(), arrow.to.clone()]);
        Diagram {
            lanes: actors(both),
            arrows,
            story,
        }
    }

    fn width(&self) -> usize {
        SENTENCES + self.lanes.len().max(1) * APART
    }

    /// Where the lifeline of an actor stands.
    fn lane(&self, actor: &str) -> usize {
        let place = self.lanes.iter().position(|lane| lane == actor);
        SENTENCES + place.unwrap_or(self.lanes.len()) * APART + APART / 2
    }

    /// The names of the lifelines, as a picture of its own.
    pub(super) fn head(&self) -> String {
        let width = self.width();
        let mut svg = format!(
            "<svg class=\"lanes\" viewBox=\"0 0 {width} {HEAD}\" preserveAspectRatio=\"xMinYMin\" style=\"--w:{width}px;--h:{HEAD}px\" aria-hidden=\"true\">"
        );
        self.put_heads(&mut svg);
        svg + "</svg>"
    }

    fn put_heads(&self, svg: &mut String) {
        for actor in &self.lanes {
            let (x, half) = (self.lane(actor), APART / 2 - 5);
            let _ = write!(
                svg,
                "<rect class=\"head\" x=\"{}\" y=\"6\" width=\"{}\" height=\"{}\" rx=\"6\"/>",
                x - half,
                2 * half,
                HEAD - 12
            );
            let lines = text::wrapped(actor, 12);
            for (at, line) in lines.iter().enumerate() {
                let y = HEAD / 2 + 4 + at * 13 - (lines.len() - 1) * 13 / 2;
                let _ = write!(
                    svg,
                    "<text class=\"name\" x=\"{x}\" y=\"{y}\">{}</text>",
                    escaped(line)
                );
            }
        }
    }

    /// The rows, as a picture of its own; each with the id of its step behind `prefix`.
    pub(super) fn body(&self, prefix: &str, title: &str) -> String {
        let (rows, height) = self.rows(0, Some(prefix));
        let width = self.width();
        format!(
            "<svg class=\"rows\" viewBox=\"0 0 {width} {height}\" preserveAspectRatio=\"xMinYMin\" style=\"--w:{width}px;--h:{height}px\" role=\"img\" aria-label=\"{}\">{rows}</svg>",
            escaped(title)
        )
    }

    /// All of it, as one picture that needs nothing else.
    pub(super) fn whole(&self) -> String {
        let (rows, height) = self.rows(HEAD, None);
        let (width, mut heads) = (self.width(), String::new());
        self.put_heads(&mut heads);
        format!(
            "<svg xmlns=\"http://www.w3.org/2000/svg\" class=\"alone\" viewBox=\"0 0 {width} {height}\" width=\"{width}\" height=\"{height}\"><style>{STYLE}</style><rect class=\"paper\" width=\"{width}\" height=\"{height}\"/>{heads}{rows}</svg>"
        )
    }

    /// The rows from this height on, and where they end.
    fn rows(&self, top: usize, prefix: Option<&str>) -> (String, usize) {
        let mut svg = String::new();
        let mut y = top;
        for place in 0..self.story.moments.len() {
            if self.story.loops_from == Some(place) {
                y = self.band(
                    &mut svg,
                    y,
                    "loop",
                    "↻ From here on the run repeats for ever:",
                );
            }
            y = self.row(&mut svg, y, place, prefix);
        }
        if let Some(from) = self.story.loops_from {
            let back = format!("↻ … and again from step {}.", from + 1);
            y = self.band(&mut svg, y, "loop", &back);
        }
        if let Some(end) = &self.story.end {
            y = self.end(&mut svg, y, &end.guarantee, &end.sentence);
        }
        (svg, y)
    }

    fn row(&self, svg: &mut String, y: usize, place: usize, prefix: Option<&str>) -> usize {
        let moment = &self.story.moments[place];
        let lines = text::wrapped(moment.step.sentence(), 41);
        let faults = moment.step.fault().is_some();
        let height = (lines.len() + usize::from(faults)) * LINE + PADDING;
        let mut class = String::from("row");
        for (is_so, name) in [(faults, " fault"), (self.is_last(place), " last")] {
            if is_so {
                class.push_str(name);
            }
        }
        let id = prefix.map_or(String::new(), |prefix| {
            format!(" data-step=\"{prefix}{}\"", place + 1)
        });
        let _ = write!(
            svg,
            "<g class=\"{class}\"{id}><rect class=\"back\" y=\"{y}\" width=\"{GROUND}\" height=\"{height}\"/>"
        );
        self.lifelines(svg, y, height, place);
        let _ = write!(
            svg,
            "<text class=\"number\" x=\"30\" y=\"{}\">{}</text>",
            y + PADDING / 2 + 13,
            place + 1
        );
        for (at, line) in lines.iter().enumerate() {
            put_line(svg, "said", y + PADDING / 2 + 13 + at * LINE, line);
        }
        if let Some(fault) = moment.step.fault() {
            let at = y + PADDING / 2 + 13 + lines.len() * LINE;
            put_line(svg, "spends", at, &format!("⚡ fault: {fault}"));
        }
        self.drawn(svg, y + height / 2, place);
        svg.push_str("</g>");
        y + height
    }

    fn is_last(&self, place: usize) -> bool {
        place + 1 == self.story.moments.len()
            && self.story.end.is_some()
            && self.story.loops_from.is_none()
    }

    /// The lifelines beside a row: dashed where there is no process.
    fn lifelines(&self, svg: &mut String, y: usize, height: usize, place: usize) {
        let (before, after) = (self.story.before(place), self.story.moments[place].after);
        let (middle, end) = (y + height / 2, y + height);
        let (mut up, mut down) = (String::new(), String::new());
        for actor in &self.lanes {
            let x = self.lane(actor);
            let states = [self.is_down(actor, before), self.is_down(actor, after)];
            let segments: &[(bool, usize, usize)] = match states {
                [down, after] if down == after => &[(down, y, end)],
                [down, after] => &[(down, y, middle), (after, middle, end)],
            };
            for (is_down, from, to) in segments {
                let strokes = if *is_down { &mut down } else { &mut up };
                let _ = write!(strokes, "M{x} {from}V{to}");
            }
        }
        for (class, strokes) in [("life", up), ("life down", down)] {
            if !strokes.is_empty() {
                let _ = write!(svg, "<path class=\"{class}\" d=\"{strokes}\"/>");
            }
        }
    }

    /// Whether an actor's process does not run.
    fn is_down(&self, actor: &str, state: &State) -> bool {
        let several = self.story.pipeline.group.instances > 1;
        let mut consumers = (0..self.story.pipeline.group.instances).filter(|who| match several {
            true => actor == format!("{CONSUMER} {}", lettered(*who)),
            false => actor == CONSUMER,
        });
        if let Some(who) = consumers.next() {
            return !state.consumers[usize::from(who)].is_running();
        }
        let replicas = self.story.pipeline.topic.replication.replicas;
        let broker = (0..replicas).find(|who| actor == broker_name(*who));
        match (&state.replication, broker) {
            (Some(replication), Some(who)) => replication.replica(who).status != Status::Up,
            (None, _) | (_, None) => false,
        }
    }

    fn drawn(&self, svg: &mut String, y: usize, place: usize) {
        let arrow = &self.arrows[place];
        let label = label::of(self.story, place);
        svg.push_str("<g class=\"drawn\">");
        let between = (self.lane(&arrow.from), self.lane(&arrow.to), y);
        shape::put(svg, arrow.shape, between, &label);
        svg.push_str("</g>");
    }

    /// A row of text only.
    fn band(&self, svg: &mut String, y: usize, class: &str, text: &str) -> usize {
        let height = LINE + PADDING / 2;
        let _ = write!(
            svg,
            "<g class=\"{class}\"><rect class=\"back\" y=\"{y}\" width=\"{GROUND}\" height=\"{height}\"/>"
        );
        put_line(svg, "said", y + 17, text);
        svg.push_str("</g>");
        y + height
    }

    /// What the run ends in.
    fn end(&self, svg: &mut String, y: usize, guarantee: &str, sentence: &str) -> usize {
        let letters = (self.width() - 50) / 8;
        let lines = text::wrapped(sentence, letters);
        let height = (lines.len() + 1) * LINE + PADDING;
        let _ = write!(
            svg,
            "<g class=\"end\"><rect class=\"back\" y=\"{y}\" width=\"{GROUND}\" height=\"{height}\"/>"
        );
        let first = y + PADDING / 2 + 13;
        put_line(svg, "broken", first, &format!("✗ {guarantee} is broken"));
        for (at, line) in lines.iter().enumerate() {
            put_line(svg, "said", first + (at + 1) * LINE, line);
        }
        svg.push_str("</g>");
        y + height
    }
}

fn put_line(svg: &mut String, class: &str, y: usize, line: &str) {
    let _ = write!(
        svg,
        "<text class=\"{class}\" x=\"40\" y=\"{y}\">{}</text>",
        escaped(line)
    );
}
