//! A chart: bars in groups, drawn as SVG on the server, with its numbers as a table. What it shows is read without seeing it.

use std::fmt::Display;

use askama::{Template, filters::HtmlSafe};
use plotters::{
    backend::SVGBackend,
    chart::ChartBuilder,
    drawing::IntoDrawingArea,
    element::{Rectangle, Text},
    style::{
        Color, IntoFont, RGBColor, ShapeStyle,
        text_anchor::{HPos, Pos, VPos},
    },
};

use super::Table;

/// Colours of series, each told from the others without colour by its place in the group and by its legend.
const COLOURS: [RGBColor; 3] = [RGBColor(15, 94, 140), RGBColor(20, 104, 60), RGBColor(165, 33, 26)];
const INK: RGBColor = RGBColor(31, 41, 51);
const MUTE: RGBColor = RGBColor(86, 97, 109);
const LINE: RGBColor = RGBColor(221, 227, 233);
/// Size of the picture; it is shown as wide as there is room.
const SIZE: (u32, u32) = (860, 300);

/// Bars in groups.
#[derive(Debug, Clone)]
pub struct Bars {
    /// What the chart shows.
    pub title: String,
    /// In what it is counted.
    pub unit: &'static str,
    /// What the bars of a group are.
    pub series: Vec<&'static str>,
    /// What each group is, with a number for each of the series.
    pub groups: Vec<(String, Vec<f64>)>,
}

/// A chart with its numbers.
#[derive(Debug, Clone, Template)]
#[template(path = "parts/chart.html")]
pub struct Chart {
    title: String,
    unit: &'static str,
    series: Vec<(&'static str, String)>,
    /// None where nothing is to be drawn.
    svg: Option<String>,
    table: Table,
}

impl HtmlSafe for Chart {}

impl Chart {
    /// A chart of bars, with the same numbers as a table.
    pub fn of(bars: &Bars, table: Table) -> Self {
        let largest = bars.groups.iter().flat_map(|(_, numbers)| numbers).copied().fold(0.0, f64::max);
        let svg = (largest > 0.0).then(|| drawn(bars, largest)).and_then(|drawn| match drawn {
            Ok(svg) => Some(svg),
            Err(error) => {
                // Its table tells the same.
                tracing::warn!(%error, "a chart could not be drawn");
                None
            }
        });
        let hex = |RGBColor(red, green, blue): RGBColor| format!("#{red:02x}{green:02x}{blue:02x}");
        let series = bars.series.iter().enumerate().map(|(at, name)| (*name, hex(COLOURS[at % COLOURS.len()]))).collect();
        Self { title: bars.title.clone(), unit: bars.unit, series, svg, table }
    }
}

/// A number that stands at the axis: short, in 万 where it is large.
fn short(number: f64) -> String {
    let plain = |number: f64| format!("{number:.1}").trim_end_matches('0').trim_end_matches('.').to_owned();
    if number >= 10_000.0 { format!("{}万", plain(number / 10_000.0)) } else { plain(number) }
}

fn drawn(bars: &Bars, largest: f64) -> Result<String, impl Display + use<>> {
    let mut svg = String::new();
    let groups = bars.groups.len().max(1);
    let result = (|| {
        let area = SVGBackend::with_string(&mut svg, SIZE).into_drawing_area();
        let width = f64::from(u32::try_from(groups).unwrap_or(u32::MAX));
        let mut chart = ChartBuilder::on(&area).margin(8).x_label_area_size(28).y_label_area_size(64).build_cartesian_2d(0.0..width, 0.0..largest * 1.15)?;
        let label = ("sans-serif", 13).into_font().color(&MUTE);
        chart
            .configure_mesh()
            .disable_x_mesh()
            .disable_x_axis()
            .light_line_style(LINE.mix(0.0))
            .bold_line_style(LINE)
            .axis_style(LINE)
            .y_labels(5)
            .y_label_formatter(&|number| short(*number))
            .y_label_style(label.clone())
            .draw()?;
        let series = f64::from(u32::try_from(bars.series.len().max(1)).unwrap_or(1));
        let (bar, mut left) = (0.7 / series, 0.0);
        let told = ("sans-serif", 12).into_font().color(&INK).pos(Pos::new(HPos::Center, VPos::Bottom));
        let below = label.pos(Pos::new(HPos::Center, VPos::Top));
        for (name, numbers) in &bars.groups {
            for (at, (number, place)) in numbers.iter().zip(std::iter::successors(Some(0.0), |place| Some(place + 1.0))).enumerate() {
                let from = left + 0.15 + place * bar;
                let style = ShapeStyle { color: COLOURS[at % COLOURS.len()].to_rgba(), filled: true, stroke_width: 0 };
                chart.draw_series([Rectangle::new([(from, 0.0), (from + bar * 0.92, *number)], style)])?;
                if groups * bars.series.len() <= 30 && *number > 0.0 {
                    chart.draw_series([Text::new(short(*number), (from + bar / 2.0, *number), told.clone())])?;
                }
            }
            let (x, y) = chart.backend_coord(&(left + 0.5, 0.0));
            area.draw(&Text::new(name.clone(), (x, y + 6), below.clone()))?;
            left += 1.0;
        }
        area.present()?;
        Ok::<(), plotters::drawing::DrawingAreaErrorKind<std::io::Error>>(())
    })();
    result.map(|()| svg)
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_chart_is_drawn_where_there_is_anything_to_see() {
        let bars = |numbers: [f64; 2]| Bars {
            title: "各年级".into(),
            unit: "人",
            series: vec!["在校", "助学金"],
            groups: vec![("2026级".into(), numbers.to_vec()), ("<2025级>".into(), vec![3.0, 0.0])],
        };
        let chart = Chart::of(&bars([120.0, 45.0]), Table::of("各年级"));
        let svg = chart.svg.clone().unwrap_or_default();
        assert!(svg.starts_with("<svg") && svg.contains("2026级") && svg.contains("120") && svg.contains("&lt;2025级&gt;"), "{svg}");
        assert_eq!(svg.matches("fill=\"#0F5E8C\"").count() + svg.matches("fill=\"#14683C\"").count(), 4, "{svg}");
        let nothing = Bars { groups: vec![("2026级".into(), vec![0.0, 0.0])], ..bars([0.0, 0.0]) };
        assert!(Chart::of(&nothing, Table::of("各年级")).svg.is_none());
        for (number, told) in [(0.0, "0"), (980.0, "980"), (12.5, "12.5"), (10_000.0, "1万"), (123_456.0, "12.3万")] {
            assert_eq!(short(number), told);
        }
    }
}
