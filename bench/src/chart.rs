//! The starts as a chart, in SVG: for each host a panel of bars.

use std::error::Error;

use plotters::prelude::*;

use crate::row::{Figure, Row};

/// One host's starts, its own first; seconds.
#[derive(Debug, PartialEq)]
pub struct Panel {
    host: &'static str,
    bars: Vec<(String, f64)>,
}

/// What the rows say about starts.
pub fn panels(measured: &[(&Row, Figure)]) -> Vec<Panel> {
    let mut panels: Vec<Panel> = Vec::new();
    for (row, figure) in measured {
        let (Some(start), Some(theirs)) = (&row.start, figure.theirs) else { continue };
        if start.counts {
            panels.push(Panel { host: start.host, bars: vec![(start.host.to_owned(), figure.ours)] });
        }
        if let Some(panel) = panels.iter_mut().find(|panel| panel.host == start.host) {
            panel.bars.push((start.beside.clone(), theirs));
        }
    }
    panels
}

const WIDTH: i32 = 720;
const TITLE: i32 = 34;
/// Height of a bar with the space below it.
const LINE: i32 = 24;
/// Where bars begin, and how much is left behind the longest for its figure.
const LEFT: i32 = 250;
const RIGHT: i32 = 110;

const OURS: RGBColor = RGBColor(0x1f, 0x6f, 0x50);
const THEIRS: RGBColor = RGBColor(0xa9, 0xb4, 0xbc);

/// Draws them. Each panel has a scale of its own: interpreters differ more than sandboxes.
pub fn svg(panels: &[Panel]) -> Result<String, Box<dyn Error>> {
    let mut text = String::new();
    {
        let height = panels.iter().map(Panel::height).sum::<i32>() + LINE;
        let area = SVGBackend::with_string(&mut text, (WIDTH as u32, height as u32)).into_drawing_area();
        area.fill(&WHITE)?;
        let mut top = 0;
        for panel in panels {
            panel.draw(&area, top)?;
            top += panel.height();
        }
        area.present()?;
    }
    Ok(text)
}

impl Panel {
    fn height(&self) -> i32 {
        TITLE + self.bars.len() as i32 * LINE
    }

    fn draw(
        &self,
        area: &DrawingArea<SVGBackend, plotters::coord::Shift>,
        top: i32,
    ) -> Result<(), Box<dyn Error>> {
        let longest = self.bars.iter().map(|(_, seconds)| *seconds).fold(f64::MIN_POSITIVE, f64::max);
        let title = format!("{}: hello world, milliseconds", self.host);
        area.draw(&Text::new(title, (12, top + 14), ("sans-serif", 15).into_font().style(FontStyle::Bold)))?;
        for (number, (name, seconds)) in self.bars.iter().enumerate() {
            let y = top + TITLE + number as i32 * LINE;
            let length = (f64::from(WIDTH - LEFT - RIGHT) * seconds / longest).round() as i32;
            let colour = if number == 0 { OURS } else { THEIRS };
            area.draw(&Rectangle::new([(LEFT, y), (LEFT + length.max(1), y + LINE - 6)], colour.filled()))?;
            area.draw(&Text::new(name.clone(), (12, y + 3), ("sans-serif", 13)))?;
            area.draw(&Text::new(self.figure(*seconds), (LEFT + length + 6, y + 3), ("sans-serif", 13)))?;
        }
        Ok(())
    }

    /// Milliseconds, and how often the host's own start goes into it.
    fn figure(&self, seconds: f64) -> String {
        let ours = self.bars.first().map_or(seconds, |(_, ours)| *ours);
        let times = seconds / ours;
        let times = if seconds == ours { String::new() } else { format!("  ({times:.1} x)") };
        format!("{:.1}{times}", seconds * 1e3)
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::process::Line;
    use crate::row::{Start, Yardstick};

    fn row(beside: &str, counts: bool) -> Row {
        Row {
            what: String::new(),
            ours: Line::new(["true"]),
            theirs: None,
            beside: Vec::new(),
            yardstick: Yardstick::Ratio,
            target: None,
            weight: 1,
            same_output: true,
            start: Some(Start { host: "hx", beside: beside.to_owned(), counts }),
        }
    }

    #[test]
    fn a_chart() {
        let (plain, wrapped) = (row("x", true), row("wrapper & x", false));
        let figure = |theirs| Figure { ours: 0.001, theirs: Some(theirs), figure: 1.0 };
        let panels = panels(&[(&plain, figure(0.002)), (&wrapped, figure(0.0055))]);
        let bars = [("hx", 0.001), ("x", 0.002), ("wrapper & x", 0.0055)];
        assert_eq!(panels, [Panel { host: "hx", bars: bars.map(|(n, s)| (n.to_owned(), s)).to_vec() }]);
        let text = svg(&panels).unwrap();
        assert_eq!(text.matches("<rect").count(), 1 + bars.len());
        assert!(text.contains("wrapper &amp; x") && text.contains("5.5  (5.5 x)"), "{text}");
    }
}
