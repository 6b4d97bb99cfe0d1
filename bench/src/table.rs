//! The outcome as a Markdown table.

use crate::row::{Figure, Row, Yardstick};

/// The heading.
pub const HEADING: &str = "| what | ours | theirs | result | to reach | reached |\n|---|--:|--:|--:|--:|---|";

/// One line of the table.
pub fn line(row: &Row, figure: &Figure) -> String {
    let amount = |value| match row.yardstick {
        Yardstick::Mebibytes => format!("{:.2} MiB", value / 1024.0),
        Yardstick::Printed => format!("{:.0} us", value * 1e6),
        _ => format!("{:.3} ms", value * 1e3),
    };
    let reached = match row.met(figure) {
        Some(true) => "yes",
        Some(false) => "**no**",
        None => "",
    };
    format!(
        "| {} | {} | {} | {} | {} | {reached} |",
        row.what,
        amount(figure.ours),
        figure.theirs.map(amount).unwrap_or_default(),
        result(row.yardstick, figure.figure),
        row.target.map(|target| format!("<= {}", result(row.yardstick, target))).unwrap_or_default(),
    )
}

fn result(yardstick: Yardstick, value: f64) -> String {
    match yardstick {
        Yardstick::Ratio => format!("{value:.2}"),
        Yardstick::Milliseconds => format!("{value:+.2} ms"),
        Yardstick::Mebibytes => format!("{value:+.2} MiB"),
        Yardstick::Printed => format!("{value:.0} us"),
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::process::Line;

    #[test]
    fn a_line() {
        let row = Row {
            what: "hello".to_owned(),
            ours: Line::new(["a"]),
            theirs: None,
            beside: Vec::new(),
            yardstick: Yardstick::Ratio,
            target: Some(0.75),
            weight: 1,
            same_output: true,
            start: None,
        };
        let figure = Figure { ours: 0.0006, theirs: Some(0.0008), figure: 0.754 };
        assert_eq!(line(&row, &figure), "| hello | 0.600 ms | 0.800 ms | 0.75 | <= 0.75 | **no** |");
    }
}
