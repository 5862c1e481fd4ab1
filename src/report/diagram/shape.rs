//! The strokes of a row.

use super::arrow::Shape;
use super::escaped;
use std::fmt::Write;

/// Draws a step from one lifeline to another, at this height.
pub(super) fn put(svg: &mut String, shape: Shape, at: (usize, usize, usize), label: &str) {
    match shape {
        Shape::Own => put_box(svg, "own", at.0, at.2, label),
        Shape::Dies => {
            put_cross(svg, at.0, at.2 - 9, 7);
            put_box(svg, "befalls", at.0, at.2 + 12, label);
        }
        Shape::Fault => {
            put_bolt(svg, at.0, at.2 - 10);
            put_box(svg, "befalls", at.0, at.2 + 12, label);
        }
        Shape::Message => put_arrow(svg, at, label, Head::Arrives, 100),
        Shape::Refused => put_arrow(svg, at, label, Head::Arrives, 100),
        Shape::Lost => put_arrow(svg, at, label, Head::Cross, 72),
        Shape::Late => put_arrow(svg, at, label, Head::Waits, 60),
    }
}

/// What is at the end of an arrow.
enum Head {
    Arrives,
    Cross,
    Waits,
}

/// An arrow that goes so many hundredths of its way.
fn put_arrow(
    svg: &mut String,
    (from, to, y): (usize, usize, usize),
    label: &str,
    head: Head,
    hundredths: usize,
) {
    let way = from.abs_diff(to) * hundredths / 100;
    let is_rightward = to >= from;
    let end = match is_rightward {
        true => from + way,
        false => from - way,
    };
    // The head of an arrow that arrives ends just before the lifeline.
    let tip = match is_rightward {
        true => end - 1,
        false => end + 1,
    };
    let _ = write!(svg, "<path class=\"line\" d=\"M{from} {y}H{tip}\"/>");
    match head {
        Head::Arrives => {
            let back = match is_rightward {
                true => tip - 8,
                false => tip + 8,
            };
            let _ = write!(
                svg,
                "<path class=\"tip\" d=\"M{tip} {y}L{back} {}V{}Z\"/>",
                y - 5,
                y + 5
            );
        }
        Head::Cross => put_cross(svg, end, y, 6),
        Head::Waits => {
            let _ = write!(
                svg,
                "<circle class=\"waits\" cx=\"{end}\" cy=\"{y}\" r=\"7\"/><path class=\"hands\" d=\"M{end} {}V{y}H{}\"/>",
                y - 4,
                end + 3
            );
        }
    }
    let middle = (from + end) / 2;
    let _ = write!(
        svg,
        "<text class=\"label\" x=\"{middle}\" y=\"{}\">{}</text>",
        y - 6,
        escaped(label)
    );
}

fn put_cross(svg: &mut String, x: usize, y: usize, arm: usize) {
    let _ = write!(
        svg,
        "<path class=\"cross\" d=\"M{0} {2}L{1} {3}M{0} {3}L{1} {2}\"/>",
        x - arm,
        x + arm,
        y - arm,
        y + arm
    );
}

/// A box on a lifeline.
fn put_box(svg: &mut String, class: &str, x: usize, y: usize, label: &str) {
    let half = (label.chars().count() * 7 + 14) / 2;
    let _ = write!(
        svg,
        "<rect class=\"{class}\" x=\"{}\" y=\"{}\" width=\"{}\" height=\"22\" rx=\"5\"/><text class=\"does\" x=\"{x}\" y=\"{}\">{}</text>",
        x - half,
        y - 11,
        2 * half,
        y + 4,
        escaped(label)
    );
}

/// A flash of lightning on a lifeline.
fn put_bolt(svg: &mut String, x: usize, y: usize) {
    let _ = write!(
        svg,
        "<path class=\"bolt\" d=\"M{} {}l-7 10h5l-3 8l9 -11h-5l4 -7z\"/>",
        x + 1,
        y - 8
    );
}
