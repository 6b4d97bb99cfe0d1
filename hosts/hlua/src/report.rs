//! What hlua itself says to the user: versions, errors, and one hint.

use std::cell::Cell;

use sandbox_core::Hints;

use crate::files;
use crate::state::{self, State, Status};
use crate::stdio;

/// The name before an error.
pub const NAME: &str = "hlua";

/// Prints the version as `lua -v` does.
pub fn version() {
    stdio::write_out(state::copyright());
    stdio::write_out(b"\n");
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
        if let Some(hint) = self.hint(without_traceback(message)) {
            stdio::write_error(format!("hint: {hint}\n").as_bytes());
        }
        self.reserve.fill();
    }

    fn hint(self, cause: &[u8]) -> Option<String> {
        if misses_module(cause) {
            return self.hints.for_missing_module();
        }
        files::with_refused(|path| self.hints.for_message(cause, path))
    }
}

/// Whether `require` found nothing, and looked in the working directory too.
fn misses_module(cause: &[u8]) -> bool {
    let says = |text: &[u8]| cause.windows(text.len()).any(|window| window == text);
    says(b"' not found:\n\tno field package.preload['") && says(b"\n\tno file './")
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
    fn a_missing_module_is_known_by_where_it_was_looked_for() {
        let rest = "module 'm' not found:\n\tno field package.preload['m']\n\tno file";
        assert!(misses_module(format!("x:1: {rest} './m.lua'").as_bytes()));
        assert!(!misses_module(format!("x:1: {rest} '/usr/share/lua/5.4/m.lua'").as_bytes()));
        assert!(!misses_module(b"no file './m.lua'"));
    }

    #[test]
    fn the_release_that_is_declared_is_the_one_that_is_linked() {
        let text = state::copyright();
        assert!(text.starts_with(hlua::RELEASE.as_bytes()), "{}", text.escape_ascii());
        assert!(text.ends_with(b" Lua.org, PUC-Rio"), "{}", text.escape_ascii());
    }

    #[test]
    fn the_cause_stands_before_the_traceback() {
        assert_eq!(without_traceback(b"a\nb\nstack traceback:\n\tc"), b"a\nb");
        assert_eq!(without_traceback(b"a"), b"a");
    }
}
