//! Amounts as people write them: `512M`, `10s`, `none`.

use std::fmt;

/// A budget's size, or its absence.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum Limit {
    /// No limit of ours.
    None,
    /// At most this much, in the budget's base unit (bytes, milliseconds or pieces).
    At(u64),
}

/// What a budget counts.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum Unit {
    /// Bytes; `K`, `M`, `G`, `T` are powers of 1024.
    Bytes,
    /// Time, kept in milliseconds; `ms`, `s`, `m`, `h`, and seconds where nothing stands.
    Milliseconds,
    /// Time in whole seconds, kept in milliseconds.
    Seconds,
    /// Pieces.
    Count,
}

impl Unit {
    /// Reads an amount.
    ///
    /// # Errors
    /// A sentence that says what is expected.
    pub fn parse(self, text: &str) -> Result<Limit, &'static str> {
        if text == "none" {
            return Ok(Limit::None);
        }
        let digits = text.bytes().take_while(u8::is_ascii_digit).count();
        let (number, suffix) = text.split_at(digits);
        let number: u64 = number.parse().map_err(|_| self.expected())?;
        let factor = self.factor(suffix).ok_or(self.expected())?;
        let amount = number.checked_mul(factor).ok_or("an amount below 2^64 is expected")?;
        if self == Unit::Seconds && amount % 1000 != 0 {
            return Err(self.expected());
        }
        Ok(Limit::At(amount))
    }

    fn factor(self, suffix: &str) -> Option<u64> {
        Some(match (self, suffix) {
            (Unit::Count, "") | (Unit::Milliseconds | Unit::Seconds, "ms") => 1,
            (Unit::Bytes, _) => return bytes_factor(suffix),
            (Unit::Milliseconds | Unit::Seconds, "" | "s") => 1000,
            (Unit::Milliseconds | Unit::Seconds, "m") => 60 * 1000,
            (Unit::Milliseconds | Unit::Seconds, "h") => 3600 * 1000,
            _ => return None,
        })
    }

    fn expected(self) -> &'static str {
        match self {
            Unit::Bytes => "bytes are expected, such as 4096, 512M, 1GiB, or none",
            Unit::Milliseconds => "a time is expected, such as 500ms, 10s, 5m, 1h, or none",
            Unit::Seconds => "a time in whole seconds is expected, such as 10s, 5m, 1h, or none",
            Unit::Count => "a number is expected, such as 64, or none",
        }
    }

    /// The amount as [`Unit::parse`] reads it, in the largest unit that divides it.
    #[must_use]
    pub fn show(self, limit: Limit) -> String {
        let Limit::At(amount) = limit else {
            return "none".into();
        };
        let scale: &[(u64, &str)] = match self {
            Unit::Bytes => &[(1 << 40, "T"), (1 << 30, "G"), (1 << 20, "M"), (1 << 10, "K")],
            Unit::Milliseconds | Unit::Seconds => &[(1000, "s"), (1, "ms")],
            Unit::Count => &[],
        };
        scale
            .iter()
            .find(|(factor, _)| amount != 0 && amount % factor == 0)
            .map_or_else(|| amount.to_string(), |(factor, suffix)| format!("{}{suffix}", amount / factor))
    }
}

fn bytes_factor(suffix: &str) -> Option<u64> {
    let letter = suffix.strip_suffix("iB").or(suffix.strip_suffix('B'));
    match letter.unwrap_or(suffix) {
        "" if !suffix.starts_with('i') => Some(1),
        "K" | "k" => Some(1 << 10),
        "M" | "m" => Some(1 << 20),
        "G" | "g" => Some(1 << 30),
        "T" | "t" => Some(1 << 40),
        _ => None,
    }
}

impl fmt::Display for Limit {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str(&Unit::Count.show(*self))
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn amounts() {
        let table = [
            (Unit::Bytes, "4096", Some(4096)),
            (Unit::Bytes, "512M", Some(512 << 20)),
            (Unit::Bytes, "1GiB", Some(1 << 30)),
            (Unit::Bytes, "1GB", Some(1 << 30)),
            (Unit::Bytes, "7B", Some(7)),
            (Unit::Bytes, "7iB", None),
            (Unit::Bytes, "512X", None),
            (Unit::Bytes, "M", None),
            (Unit::Bytes, "-1", None),
            (Unit::Bytes, "", None),
            (Unit::Bytes, "99999999999T", None),
            (Unit::Milliseconds, "10", Some(10_000)),
            (Unit::Milliseconds, "500ms", Some(500)),
            (Unit::Milliseconds, "2m", Some(120_000)),
            (Unit::Milliseconds, "10 s", None),
            (Unit::Seconds, "500ms", None),
            (Unit::Seconds, "2000ms", Some(2000)),
            (Unit::Count, "64", Some(64)),
            (Unit::Count, "64K", None),
        ];
        for (unit, text, expected) in table {
            let got = unit.parse(text).ok();
            assert_eq!(got, expected.map(Limit::At), "{text}");
        }
        assert_eq!(Unit::Count.parse("none"), Ok(Limit::None));
    }

    #[test]
    fn shown_amounts_read_back() {
        for (unit, amount) in [
            (Unit::Bytes, 0),
            (Unit::Bytes, 1 << 30),
            (Unit::Bytes, 1000),
            (Unit::Milliseconds, 1500),
            (Unit::Seconds, 60_000),
            (Unit::Count, 256),
        ] {
            let limit = Limit::At(amount);
            assert_eq!(unit.parse(&unit.show(limit)), Ok(limit));
        }
    }
}
