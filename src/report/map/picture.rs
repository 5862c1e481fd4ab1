//! The design space as a picture: one dot an order, in a band by what it gives, further to the right the
//! more it costs.

use super::super::words::bound_in_words;
use super::{share, summary};
use crate::design::Design;
use crate::suggest::{Delivery, Map, Place};
use std::fmt::Write;

/// Between two dots.
const PITCH: usize = 10;
const DOTS_A_ROW: usize = 5;
const GAP: usize = 14;
const LEFT: usize = 16;
const TOP: usize = 82;
const HEADER: usize = 30;

const STYLE: &str = "
  text { font: 13px system-ui, sans-serif; fill: #1c2024 }
  .title { font-size: 16px; font-weight: 600 }
  .dim { fill: #5c6670 }
  .code { font-family: ui-monospace, monospace }
  rect { fill: #f3f5f7 }
  .exactly { fill: #1a7f4b } .least { fill: #2563b8 } .most { fill: #a15c00 }
  .neither { fill: #b3261e } .open { fill: #7a828a }
  @media (prefers-color-scheme: dark) {
    text { fill: #e6e9ec } .dim { fill: #a4adb6 } rect { fill: #1d2227 } .paper { fill: #121518 }
    .exactly { fill: #4cc38a } .least { fill: #6ea8fe } .most { fill: #f0a44a }
    .neither { fill: #f47067 } .open { fill: #8b949e }
  }
  .paper { fill: #ffffff }
";

fn class(delivery: Delivery) -> &'static str {
    match delivery {
        Delivery::ExactlyOnce => "exactly",
        Delivery::AtLeastOnce => "least",
        Delivery::AtMostOnce => "most",
        Delivery::Neither => "neither",
        Delivery::Undecided => "open",
    }
}

/// The cost of all records, which puts an order into its column.
fn price(place: &Place) -> u32 {
    place.cost.sum()
}

/// A band of orders that give the same.
struct Band<'m> {
    delivery: Delivery,
    count: usize,
    cheapest: &'m Place,
    /// The orders of each price.
    columns: Vec<Vec<&'m Place>>,
}

impl Band<'_> {
    fn height(&self) -> usize {
        let rows = self
            .columns
            .iter()
            .map(|own| own.len().div_ceil(DOTS_A_ROW));
        HEADER + rows.max().unwrap_or(0).max(1) * PITCH + GAP
    }
}

/// Draws the map as SVG.
pub(crate) fn draw(design: &Design, map: &Map) -> String {
    let mut prices: Vec<u32> = map.places.iter().map(price).collect();
    prices.sort_unstable();
    prices.dedup();
    let bands: Vec<Band> = summary(map)
        .into_iter()
        .map(|(delivery, count, cheapest)| Band {
            delivery,
            count,
            cheapest,
            columns: columns(map, delivery, &prices),
        })
        .collect();
    let column = DOTS_A_ROW * PITCH + GAP;
    let width = (LEFT * 2 + prices.len() * column).max(760);
    let height = TOP + bands.iter().map(|band| band.height() + GAP).sum::<usize>() + 48;
    let mut svg = String::new();
    // Writing to a string cannot fail.
    let _ = write!(
        svg,
        "<svg xmlns=\"http://www.w3.org/2000/svg\" viewBox=\"0 0 {width} {height}\" width=\"{width}\" height=\"{height}\" role=\"img\">\n<style>{STYLE}</style>\n<rect class=\"paper\" width=\"{width}\" height=\"{height}\"/>\n<text class=\"title\" x=\"{LEFT}\" y=\"28\">{}: what each order gives, and what it costs</text>\n<text class=\"dim\" x=\"{LEFT}\" y=\"48\">One dot an order ({} in all); to the right: more calls, durable writes and transactions per record</text>\n<text class=\"dim\" x=\"{LEFT}\" y=\"66\">{}</text>\n",
        text(design.name()),
        map.places.len(),
        text(&bound_in_words(&map.bound))
    );
    let mut top = TOP;
    for band in &bands {
        draw_band(&mut svg, band, top, width, column);
        top += band.height() + GAP;
    }
    draw_axis(&mut svg, map, &prices, top, column);
    svg.push_str("</svg>\n");
    svg
}

fn columns<'m>(map: &'m Map, delivery: Delivery, prices: &[u32]) -> Vec<Vec<&'m Place>> {
    let column = |own: &u32| {
        let is_in = |place: &&Place| place.delivery == delivery && price(place) == *own;
        map.places.iter().filter(is_in).collect()
    };
    prices.iter().map(column).collect()
}

fn draw_band(svg: &mut String, band: &Band, top: usize, width: usize, column: usize) {
    let class = class(band.delivery);
    let _ = writeln!(
        svg,
        "<rect x=\"{}\" y=\"{top}\" width=\"{}\" height=\"{}\" rx=\"6\"/>\n<text x=\"{}\" y=\"{}\"><tspan class=\"{class}\" font-weight=\"600\">{}</tspan><tspan class=\"dim\" dx=\"6\">— {} of them; the cheapest:</tspan><tspan class=\"code\" dx=\"6\">{}</tspan></text>",
        LEFT / 2,
        width - LEFT,
        band.height(),
        LEFT,
        top + 20,
        band.delivery.name(),
        band.count,
        text(&band.cheapest.order)
    );
    for (number, places) in band.columns.iter().enumerate() {
        for (at, place) in places.iter().enumerate() {
            let _ = writeln!(
                svg,
                "<circle class=\"{class}\" cx=\"{}\" cy=\"{}\" r=\"4\"><title>{}: {}</title></circle>",
                LEFT + number * column + (at % DOTS_A_ROW) * PITCH + PITCH / 2,
                top + HEADER + (at / DOTS_A_ROW) * PITCH + PITCH / 2,
                text(&place.order),
                place.cost
            );
        }
    }
}

fn draw_axis(svg: &mut String, map: &Map, prices: &[u32], top: usize, column: usize) {
    for (number, own) in prices.iter().enumerate() {
        let cost = map.places.iter().find(|place| price(place) == *own);
        let label = cost.map_or(String::new(), |place| share(place.cost, *own));
        let _ = writeln!(
            svg,
            "<text class=\"dim\" x=\"{}\" y=\"{}\" text-anchor=\"middle\">{label}</text>",
            LEFT + number * column + DOTS_A_ROW * PITCH / 2,
            top + 16
        );
    }
    let _ = writeln!(
        svg,
        "<text class=\"dim\" x=\"{LEFT}\" y=\"{}\">calls + durable writes + transactions per record</text>",
        top + 36
    );
}

fn text(text: &str) -> String {
    text.replace('&', "&amp;")
        .replace('<', "&lt;")
        .replace('>', "&gt;")
}
