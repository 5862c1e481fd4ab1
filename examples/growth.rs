//! Draws how the states of a design grow with its bounds:
//!
//! `cargo run --release --example growth -- docs/growth.svg`
//!
//! Each curve changes one bound of the preset `at-least-once`, and leaves the others: the records,
//! how many faults one run may meet, or the instances.

use plotters::prelude::*;
use semel::explore::{Options, Outcome, explore};
use semel::presets;
use semel_models::cluster::Cluster;
use semel_models::pipeline::Pipeline;
use std::error::Error;
use std::num::NonZeroUsize;
use std::path::PathBuf;
use std::thread;

type Change = fn(&mut Pipeline, u16);

/// What is changed, how far, and its colour.
const CURVES: [(&str, Change, u16, RGBColor); 3] = [
    (
        "records",
        |pipeline, to| pipeline.bounds.records = to,
        5,
        RED,
    ),
    ("faults in one run", more_faults, 5, BLUE),
    (
        "instances",
        |pipeline, to| pipeline.group.instances = to,
        2,
        GREEN,
    ),
];

/// Up to so many faults in one run, each kind as often.
fn more_faults(pipeline: &mut Pipeline, to: u16) {
    pipeline.faults.total = Some(to);
    for (_, own) in &mut pipeline.faults.entries {
        *own = to;
    }
}

fn main() -> Result<(), Box<dyn Error>> {
    let file = std::env::args_os().nth(1).map(PathBuf::from);
    let file = file.ok_or("name the file to draw to: growth.svg")?;
    let mut curves = Vec::new();
    for (name, change, most, colour) in CURVES {
        let mut points = Vec::new();
        for to in 1..=most {
            let mut pipeline = at_least_once()?;
            change(&mut pipeline, to);
            let states = states(pipeline)?;
            println!("{name} | {to} | {states}");
            points.push((to.into(), states));
        }
        curves.push((name, points, colour));
    }
    draw(&file, &curves)
}

fn at_least_once() -> Result<Pipeline, Box<dyn Error>> {
    let preset = presets::named("at-least-once").ok_or("a preset")?;
    Ok(presets::design(preset)?.pipeline().clone())
}

fn states(pipeline: Pipeline) -> Result<u64, Box<dyn Error>> {
    let cluster = Cluster::new(pipeline)?;
    let cores = thread::available_parallelism().unwrap_or(NonZeroUsize::MIN);
    let found = explore(&cluster, &Options::default().jobs(cores), &mut |_| {});
    match found.outcome() {
        Outcome::Complete => Ok(found.unique_states()),
        other => Err(format!("not explored to the end: {other:?}").into()),
    }
}

type Curve = (&'static str, Vec<(u32, u64)>, RGBColor);

fn draw(file: &PathBuf, curves: &[Curve]) -> Result<(), Box<dyn Error>> {
    let area = SVGBackend::new(file, (720, 420)).into_drawing_area();
    area.fill(&WHITE)?;
    let mut chart = ChartBuilder::on(&area)
        .margin(16)
        .x_label_area_size(40)
        .y_label_area_size(80)
        .build_cartesian_2d(1u32..5, (100u64..10_000_000).log_scale())?;
    chart
        .configure_mesh()
        .x_labels(5)
        .x_desc("the bound")
        .y_desc("unique states")
        .draw()?;
    for (name, points, colour) in curves {
        let line = LineSeries::new(points.iter().copied(), colour.stroke_width(2));
        chart
            .draw_series(line)?
            .label(*name)
            .legend(|(x, y)| PathElement::new([(x, y), (x + 20, y)], colour.stroke_width(2)));
        let dots = points
            .iter()
            .map(|point| Circle::new(*point, 4, colour.filled()));
        chart.draw_series(dots)?;
    }
    chart
        .configure_series_labels()
        .position(SeriesLabelPosition::UpperLeft)
        .background_style(WHITE)
        .border_style(BLACK)
        .draw()?;
    area.present()?;
    Ok(())
}
