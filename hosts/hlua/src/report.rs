//! What hlua itself says to the user: versions, errors, and one hint.

use std::cell::Cell;

use sandbox_core::Hints;

use crate::files;
use crate::state::{State, Status};
use crate::stdio;

/// The name before an error.
pub const NAME: &str = "hlua";

const COPYRIGHT: &[u8] = b"Lua 5.4.8  Copyright (C) 1994-2025 Lua.org, PUC-Rio\n";

/// Prints the version as `lua -v` does.
pub fn version() {
    stdio::write_out(COPYRIGHT);
    stdio::flush_out();
}

/// How errors are shown.
#[derive(Clone, Copy)]
pub struct Reporter<'a> {
    hints: &'a Hints,
    reserve: &'a Reserve,
    named: bool,
}

/// Memory for words about the want of memory.
#[derive(Default)]
pub struct Reserve(Cell<Vec<u8>>);

impl Reserve {
    /// Sets it aside, if there is any.
    pub fn fill(&self) {
        let mut block = Vec::new();
        // What cannot be had cannot be kept.
        let _ = block.try_reserve_exact(32 << 10);
        self.0.set(block);
    }

    fn empty(&self) {
        self.0.take();
    }
}

impl<'a> Reporter<'a> {
    /// With hlua's name before each error.
    pub fn new(hints: &'a Hints, reserve: &'a Reserve) -> Self {
        Reporter { hints, reserve, named: true }
    }

    /// Without the name, as in a dialogue.
    pub fn unnamed(self) -> Self {
        Reporter { named: false, ..self }
    }

    /// Shows the error that a call has left on the stack, if it has; true if it has not.
    pub fn check(self, lua: State, status: Status) -> bool {
        if status == Status::Done {
            return true;
        }
        self.show(lua.bytes(-1).unwrap_or(b"(error message not a string)"));
        lua.pop(1);
        false
    }

    /// Shows an error and, if it is a refusal, what would help.
    pub fn show(self, message: &[u8]) {
        self.reserve.empty();
        // As in `lua`, a message ends at a zero byte.
        let message = message.split(|&byte| byte == 0).next().unwrap_or_default();
        if self.named {
            stdio::write_error(NAME.as_bytes());
            stdio::write_error(b": ");
        }
        stdio::write_error(message);
        stdio::write_error(b"\n");
        let cause = without_traceback(message);
        if let Some(hint) = files::with_refused(|path| self.hints.for_message(cause, path)) {
            stdio::write_error(format!("hint: {hint}\n").as_bytes());
        }
        self.reserve.fill();
    }
}

fn without_traceback(message: &[u8]) -> &[u8] {
    const MARK: &[u8] = b"\nstack traceback:";
    let end = message.windows(MARK.len()).position(|window| window == MARK);
    &message[..end.unwrap_or(message.len())]
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn the_cause_stands_before_the_traceback() {
        assert_eq!(without_traceback(b"a\nb\nstack traceback:\n\tc"), b"a\nb");
        assert_eq!(without_traceback(b"a"), b"a");
    }
}
