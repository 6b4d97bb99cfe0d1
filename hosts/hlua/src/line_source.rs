//! Where a dialogue's lines come from: a terminal with line editing, or any other input.

use std::io::ErrorKind;

use rustyline::error::ReadlineError;
use rustyline::history::MemHistory;
use rustyline::{Config, Editor};

use crate::stdio;

/// Lines, one at a time. It owns the last one: code that may be left by a Lua error only borrows it.
pub struct LineSource {
    editor: Option<Editor<(), MemHistory>>,
    prompt: Vec<u8>,
    line: Vec<u8>,
}

impl LineSource {
    /// With line editing if `terminal`. Setting that up takes calls that are refused later.
    pub fn new(terminal: bool) -> Self {
        let config = Config::builder().auto_add_history(false).build();
        let editor = if terminal { Editor::with_history(config, MemHistory::new()).ok() } else { None };
        LineSource { editor, prompt: Vec::new(), line: Vec::new() }
    }

    /// Sets the prompt of the next line.
    pub fn set_prompt(&mut self, prompt: &[u8]) {
        self.prompt.clear();
        self.prompt.extend_from_slice(prompt);
    }

    /// Reads a line; what it read is [`Self::line`].
    pub fn read(&mut self) -> Read {
        stdio::flush_out();
        if self.editor.is_some() { self.edit() } else { self.plain() }
    }

    /// The line that was read last.
    pub fn line(&self) -> &[u8] {
        &self.line
    }

    /// Keeps a statement for recall.
    pub fn remember(&mut self, statement: &[u8]) {
        if let Some(editor) = &mut self.editor {
            // A statement that cannot be recalled is no reason to stop.
            let _ = editor.add_history_entry(String::from_utf8_lossy(statement));
        }
    }

    fn edit(&mut self) -> Read {
        let Some(editor) = &mut self.editor else { return Read::End };
        match editor.readline(&String::from_utf8_lossy(&self.prompt)) {
            Ok(line) => {
                self.line = line.into_bytes();
                Read::Line
            }
            Err(ReadlineError::Interrupted) => Read::Discarded,
            // Bytes that are no text: only this line is lost.
            Err(ReadlineError::Io(error)) if error.kind() == ErrorKind::InvalidData => Read::Discarded,
            Err(_) => Read::End,
        }
    }

    /// Shows prompt and line as `lua` does with its line editor on an input that is no terminal.
    fn plain(&mut self) -> Read {
        stdio::write_out(&self.prompt);
        stdio::flush_out();
        if !stdio::read_line(&mut self.line) {
            return Read::End;
        }
        stdio::write_out(&self.line);
        stdio::write_out(b"\n");
        stdio::flush_out();
        Read::Line
    }
}

/// What came of an attempt to read a line.
#[derive(Clone, Copy, PartialEq, Eq)]
pub enum Read {
    /// A line.
    Line,
    /// The user threw away what was typed.
    Discarded,
    /// There are no more.
    End,
}
