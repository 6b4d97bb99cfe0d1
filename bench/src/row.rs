//! One comparison: what is run, how often, and what it must reach.

use std::io;
use std::time::Duration;

use crate::process::{Line, Sample};

/// How two commands, or one, become a figure.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum Yardstick {
    /// Our time over theirs.
    Ratio,
    /// Our time minus theirs, in milliseconds.
    Milliseconds,
    /// Our peak of memory minus theirs, in MiB.
    Mebibytes,
    /// The nanoseconds that our command prints, in microseconds.
    Printed,
}

/// One line of the table.
#[derive(Debug, Clone)]
pub struct Row {
    /// What is compared.
    pub what: String,
    /// What is measured.
    pub ours: Line,
    /// What it is compared with.
    pub theirs: Option<Line>,
    /// What runs, unmeasured, before each measured run: both then find the machine's caches alike.
    pub beside: Vec<Line>,
    /// How.
    pub yardstick: Yardstick,
    /// The most that the figure may be; none where the row only informs.
    pub target: Option<f64>,
    /// Runs for each run that was asked for: short ones need more.
    pub weight: usize,
    /// Both commands must print the same.
    pub same_output: bool,
    /// What the chart of starts takes from here.
    pub start: Option<Start>,
}

/// A comparison of starts.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Start {
    /// The host.
    pub host: &'static str,
    /// What it is compared with.
    pub beside: String,
    /// Whether this row says how long the host takes: each does, and one counts.
    pub counts: bool,
}

/// The outcome of a row.
#[derive(Debug, Clone, Copy, PartialEq)]
pub struct Figure {
    /// Ours: seconds, or KiB for [`Yardstick::Mebibytes`].
    pub ours: f64,
    /// Theirs, in the same unit.
    pub theirs: Option<f64>,
    /// What the target speaks of.
    pub figure: f64,
}

impl Row {
    /// Measures the row: one run of each to warm up, then runs in turns.
    pub fn measure(&self, runs: usize) -> io::Result<Figure> {
        self.warm_up()?;
        let mut ours = Vec::new();
        let mut theirs = Vec::new();
        for _ in 0..runs * self.weight {
            ours.push(self.sample(&self.ours)?);
            if let Some(line) = &self.theirs {
                theirs.push(self.sample(line)?);
            }
        }
        Ok(self.yardstick.figure(median(ours), self.theirs.as_ref().map(|_| median(theirs))))
    }

    fn warm_up(&self) -> io::Result<()> {
        let ours = self.ours.output()?;
        let Some(line) = &self.theirs else {
            return Ok(());
        };
        if line.output()? != ours && self.same_output {
            return Err(io::Error::other(format!(
                "`{}` and `{}` print different things",
                self.ours.typed(),
                line.typed()
            )));
        }
        Ok(())
    }

    fn sample(&self, line: &Line) -> io::Result<f64> {
        for other in &self.beside {
            other.measure()?;
        }
        if self.yardstick == Yardstick::Printed {
            return printed(&line.output()?);
        }
        let Sample { wall, memory } = line.measure()?;
        Ok(match self.yardstick {
            Yardstick::Mebibytes => memory as f64,
            _ => wall.as_secs_f64(),
        })
    }

    /// Whether the target is met, if there is one.
    pub fn met(&self, figure: &Figure) -> Option<bool> {
        self.target.map(|target| figure.figure <= target)
    }
}

impl Yardstick {
    fn figure(self, ours: f64, theirs: Option<f64>) -> Figure {
        let other = theirs.unwrap_or_default();
        let figure = match self {
            Yardstick::Ratio => ours / other,
            Yardstick::Milliseconds => (ours - other) * 1e3,
            Yardstick::Mebibytes => (ours - other) / 1024.0,
            Yardstick::Printed => ours * 1e6,
        };
        Figure { ours, theirs, figure }
    }
}

fn printed(output: &[u8]) -> io::Result<f64> {
    let text = String::from_utf8_lossy(output);
    let nanoseconds = text.trim().parse().map_err(io::Error::other)?;
    Ok(Duration::from_nanos(nanoseconds).as_secs_f64())
}

fn median(mut values: Vec<f64>) -> f64 {
    values.sort_by(f64::total_cmp);
    let middle = values.len() / 2;
    match values.len() {
        0 => f64::NAN,
        even if even % 2 == 0 => (values[middle - 1] + values[middle]) / 2.0,
        _ => values[middle],
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    fn row(ours: &str, theirs: &str, yardstick: Yardstick) -> Row {
        Row {
            what: String::new(),
            ours: Line::new(["sh", "-c", ours]),
            theirs: Some(Line::new(["sh", "-c", theirs])),
            beside: Vec::new(),
            yardstick,
            target: Some(1.0),
            weight: 1,
            same_output: true,
            start: None,
        }
    }

    #[test]
    fn medians() {
        assert_eq!(median(vec![3.0, 1.0, 2.0]), 2.0);
        assert_eq!(median(vec![4.0, 1.0, 2.0, 3.0]), 2.5);
    }

    #[test]
    fn figures() {
        assert_eq!(Yardstick::Ratio.figure(3.0, Some(4.0)).figure, 0.75);
        assert_eq!(Yardstick::Milliseconds.figure(0.006, Some(0.001)).figure, 5.0);
        assert_eq!(Yardstick::Mebibytes.figure(4096.0, Some(2048.0)).figure, 2.0);
        let printed = row("echo 150000", "true", Yardstick::Printed);
        let printed = Row { theirs: None, ..printed }.measure(1).unwrap();
        assert!((printed.figure - 150.0).abs() < 1e-6);
    }

    #[test]
    fn the_same_output_is_required() {
        let error = row("echo a", "echo b", Yardstick::Ratio).measure(1).unwrap_err();
        assert!(error.to_string().contains("different"), "{error}");
        assert!(row("echo a", "echo a", Yardstick::Ratio).measure(1).is_ok());
    }

    #[test]
    fn a_target_is_met_up_to_its_own_value() {
        let row = row("true", "true", Yardstick::Ratio);
        let at = |figure| Figure { ours: 1.0, theirs: None, figure };
        assert_eq!(row.met(&at(1.0)), Some(true));
        assert_eq!(row.met(&at(1.01)), Some(false));
    }
}
