//! Designs, their verdicts and their shortest runs as one page that needs nothing else: no network,
//! and no script to be read in full. With the script, runs are stepped through.
//!
//! The bytes depend on what was found alone: no time stands in them.

mod run;
mod state;

use super::diagram;
use super::diagram::escaped;
use super::words::{
    asked_in_words, bound_in_words, completeness, derived_in_words, extent_in_words,
    price_in_words, runs, verdict_in_words, warnings,
};
use crate::catalogue::{Entry, Explained, changes};
use crate::mend::Mends;
use crate::replay::{Replay, ReplayError, replay};
use crate::trace::Trace;
use crate::verdict::{Outcome, Verdicts};
use semel_models::guarantee::Guarantee;
use std::fmt::Write as _;
use std::io::{self, Write};

/// What every page has in its first lines: a file with it was written by this command.
pub(crate) const MARK: &str = "<!-- written by semel report -->";

const PAGE: &str = include_str!("html/page.html");
const STYLE: &str = include_str!("html/style.css");
const SCRIPT: &str = include_str!("html/script.js");
const LEGEND: &str = include_str!("html/legend.html");

/// A page that grows design by design.
#[derive(Default)]
pub(crate) struct Page {
    titles: Vec<String>,
    /// A link to each, where the page has several.
    contents: String,
    body: String,
    chapters: usize,
    has_runs: bool,
}

/// A design, what was found, and its runs followed through the model.
struct Chapter<'a> {
    verdicts: &'a Verdicts,
    /// The text of the design.
    text: &'a str,
    /// Which of the page's designs it is, from 1 on.
    number: usize,
    /// What stands before the ids of the runs and their steps.
    prefix: String,
    runs: Vec<Followed<'a>>,
}

/// A run and the states that it goes through.
struct Followed<'a> {
    guarantee: Guarantee,
    trace: &'a Trace,
    replay: Replay,
}

impl Page {
    /// Adds a design with the verdicts on it.
    pub(crate) fn add(&mut self, verdicts: &Verdicts, text: &str) -> Result<(), ReplayError> {
        self.begin(verdicts.name().into(), verdicts.outcome());
        self.put_chapter(verdicts, text, None)
    }

    /// Adds a published failure: its broken and its fixed design.
    pub(crate) fn add_entry(&mut self, explained: &Explained) -> Result<(), ReplayError> {
        let entry = explained.entry;
        self.begin(
            format!("{}: {}", entry.id, entry.title),
            explained.outcome(),
        );
        put_entry(&mut self.body, entry);
        self.put_chapter(&explained.broken, entry.broken, Some("The broken design"))?;
        self.put_chapter(&explained.fixed, entry.fixed, Some("The fixed design"))
    }

    /// Begins the part of the page with this title.
    fn begin(&mut self, title: String, outcome: Outcome) {
        let (class, told) = match outcome {
            Outcome::AsAsked => ("holds", "as asked"),
            Outcome::Undecided => ("undecided", "undecided"),
            Outcome::NotAsAsked => ("violated", "not as asked"),
        };
        let _ = write!(
            self.contents,
            "<li><a href=\"#design-{}\">{}</a> <span class=\"verdict {class}\">{told}</span></li>",
            self.chapters + 1,
            escaped(&title)
        );
        self.titles.push(title);
    }

    fn put_chapter(
        &mut self,
        verdicts: &Verdicts,
        text: &str,
        role: Option<&str>,
    ) -> Result<(), ReplayError> {
        self.chapters += 1;
        let chapter = Chapter {
            verdicts,
            text,
            number: self.chapters,
            prefix: match self.chapters {
                1 => String::new(),
                later => format!("design-{later}-"),
            },
            runs: followed(verdicts)?,
        };
        self.has_runs |= !chapter.runs.is_empty();
        chapter.put(&mut self.body, role);
        Ok(())
    }

    /// Writes the page.
    pub(crate) fn write(&self, out: &mut dyn Write) -> io::Result<()> {
        let title = match self.titles.as_slice() {
            [] => "semel report".to_string(),
            titles => format!("{} – semel report", titles.join(", ")),
        };
        let (plain, parts) = PAGE.split_once("{{").unwrap_or((PAGE, ""));
        out.write_all(plain.as_bytes())?;
        for part in parts.split("{{") {
            let (name, rest) = part.split_once("}}").unwrap_or((part, ""));
            match name {
                "title" => out.write_all(escaped(&title).as_bytes())?,
                "style" => write!(out, "{STYLE}{}", diagram::STYLE)?,
                "script" => out.write_all(SCRIPT.as_bytes())?,
                _ => self.write_body(out)?,
            }
            out.write_all(rest.as_bytes())?;
        }
        Ok(())
    }

    fn write_body(&self, out: &mut dyn Write) -> io::Result<()> {
        let heading = match self.titles.as_slice() {
            [one] => escaped(one),
            titles => format!("{} designs", titles.len()),
        };
        let contents = match self.titles.len() {
            0 | 1 => String::new(),
            _ => format!(
                "<nav class=\"sheet\" aria-label=\"Designs\"><ol>{}</ol></nav>",
                self.contents
            ),
        };
        let version = env!("CARGO_PKG_VERSION");
        writeln!(
            out,
            "<div class=\"page\"><header><p class=\"brand\"><b>semel</b> what this Kafka pipeline really delivers</p><h1>{heading}</h1></header>\n{contents}<main>{}</main>",
            self.body
        )?;
        out.write_all(b"<footer class=\"foot\">")?;
        if self.has_runs {
            out.write_all(LEGEND.as_bytes())?;
        }
        write!(out, "<p>Written by semel {version}.</p></footer></div>")
    }
}

fn followed(verdicts: &Verdicts) -> Result<Vec<Followed<'_>>, ReplayError> {
    let runs = runs(verdicts).into_iter();
    runs.map(|(guarantee, trace)| {
        Ok(Followed {
            guarantee,
            trace,
            replay: replay(trace)?,
        })
    })
    .collect()
}

fn put_entry(html: &mut String, entry: &Entry) {
    let symptoms = entry.symptoms.iter().map(|symptom| {
        let told = format!("{symptom}: {}", symptom.summary());
        format!("<dd>{}</dd>", escaped(&told))
    });
    let _ = write!(
        html,
        "<section class=\"sheet entry\"><dl><dt>shows as</dt>{}<dt>prevented by</dt><dd>{}",
        symptoms.collect::<String>(),
        escaped(entry.prevention)
    );
    html.push_str("<ul class=\"change\">");
    let mut table = "";
    for change in changes(entry) {
        if change.table != table {
            let _ = write!(
                html,
                "<li><code class=\"dim\">{}</code></li>",
                escaped(change.table)
            );
            table = change.table;
        }
        let (class, sign) = match change.is_added {
            true => ("come", '+'),
            false => ("gone", '−'),
        };
        let _ = write!(
            html,
            "<li><code class=\"{class}\">{sign} {}</code></li>",
            escaped(change.line)
        );
    }
    let _ = write!(
        html,
        "</ul></dd><dt>source</dt><dd>{}</dd></dl></section>",
        escaped(entry.source)
    );
}

impl Chapter<'_> {
    fn put(&self, html: &mut String, role: Option<&str>) {
        let verdicts = self.verdicts;
        let heading = role.unwrap_or(verdicts.name());
        let _ = write!(
            html,
            "\n<section class=\"design\" id=\"design-{}\"><h2>{} <span class=\"file\">{}</span></h2><div class=\"sheet\"><p>{}</p>",
            self.number,
            escaped(heading),
            escaped(verdicts.file()),
            escaped(&bound_in_words(verdicts.bound()))
        );
        self.put_verdicts(html);
        self.put_notes(html);
        self.put_derived(html);
        let _ = write!(
            html,
            "<details class=\"text\"><summary>The design</summary><pre tabindex=\"0\">{}</pre></details></div>",
            escaped(self.text)
        );
        if self.runs.is_empty() && verdicts.stop().is_none() {
            html.push_str("<p class=\"unbroken\">No run within this bound violates anything.</p>");
        }
        for followed in &self.runs {
            run::put(html, self, followed);
        }
        html.push_str("</section>");
    }

    /// What was written from files, and what the framework stands for.
    fn put_derived(&self, html: &mut String) {
        let verdicts = self.verdicts;
        let mut rows = verdicts
            .imported()
            .iter()
            .chain(verdicts.derived())
            .peekable();
        if rows.peek().is_none() {
            return;
        }
        html.push_str("<details class=\"text\" open><summary>What the files and the framework stand for</summary><ul class=\"notes\">");
        for row in rows {
            let _ = write!(
                html,
                "<li><code>{}</code> <span class=\"dim\">{}</span></li>",
                escaped(&derived_in_words(row)),
                escaped(&row.why)
            );
        }
        html.push_str("</ul></details>");
    }

    fn put_verdicts(&self, html: &mut String) {
        html.push_str("<table class=\"verdicts\"><tbody>");
        for judgement in self.verdicts.judgements() {
            let guarantee = judgement.guarantee();
            let told = verdict_in_words(self.verdicts.bound(), judgement);
            let name = match judgement.verdict().trace() {
                Some(_) => format!("<a href=\"#{}{guarantee}\">{guarantee}</a>", self.prefix),
                None => guarantee.to_string(),
            };
            let asked = match (asked_in_words(judgement), judgement.outcome()) {
                (asked, Outcome::AsAsked) => escaped(asked),
                (asked, Outcome::Undecided | Outcome::NotAsAsked) => {
                    format!("<strong>{}</strong>", escaped(asked))
                }
            };
            let _ = write!(
                html,
                "<tr><th scope=\"row\">{name}</th><td><span class=\"verdict {}\">{}</span></td><td class=\"dim\">{asked}</td></tr>",
                judgement.verdict().name(),
                escaped(&told)
            );
        }
        html.push_str("</tbody></table>");
    }

    fn put_notes(&self, html: &mut String) {
        let verdicts = self.verdicts;
        let _ = write!(
            html,
            "<ul class=\"notes\"><li class=\"dim\">{}: {}.</li>",
            completeness(verdicts.stop()),
            extent_in_words(verdicts)
        );
        let reached = verdicts.witnesses().iter();
        let reached: Vec<&str> = reached
            .filter(|witness| witness.reached)
            .map(|witness| witness.name.as_str())
            .collect();
        if !reached.is_empty() {
            let _ = write!(
                html,
                "<li class=\"dim\">Reached: {}.</li>",
                escaped(&reached.join("; "))
            );
        }
        if !verdicts.asks() {
            html.push_str("<li class=\"dim\">Nothing is required of this design.</li>");
        }
        for warning in warnings(verdicts) {
            let _ = write!(
                html,
                "<li class=\"warning\">Warning: {}</li>",
                escaped(&warning)
            );
        }
        html.push_str("</ul>");
    }

    /// The changes with which a guarantee holds.
    fn put_mends(&self, html: &mut String, guarantee: Guarantee) {
        let Mends::Tried(mends) = self.verdicts.mends() else {
            return;
        };
        let own = mends.iter().find(|(mended, _)| *mended == guarantee);
        let mends = own.map_or(&[][..], |(_, mends)| mends);
        if mends.is_empty() {
            html.push_str("<p class=\"mends\">None of the single changes that were tried makes it hold within this bound.</p>");
            return;
        }
        html.push_str(
            "<div class=\"mends\"><p>With one of these changes it holds within this bound:</p><ul>",
        );
        for mend in mends {
            let price = match price_in_words(self.verdicts, mend) {
                price if price.is_empty() => price,
                price => format!(" <span class=\"warning\">({})</span>", escaped(&price)),
            };
            let change = escaped(mend.change());
            let _ = write!(html, "<li><code>{change}</code>{price}</li>");
        }
        html.push_str("</ul></div>");
    }
}
