//! Interactive mode: statements are read, run, and their results printed.

use std::ffi::CStr;

use crate::line_source::{LineSource, Read};
use crate::report::Reporter;
use crate::state::{Kind, MULTIPLE, State, Status};
use crate::stdio;

/// How Lua's message ends when a chunk could go on.
const UNFINISHED: &[u8] = b"<eof>";
const CHUNK: &CStr = c"=stdin";

/// What reading a statement gave.
enum Statement {
    /// A function, or an error, is on the stack.
    Loaded(Status),
    /// Nothing: the user threw it away.
    Discarded,
    /// Nothing more will come.
    End,
}

/// Talks until the input ends. An error may leave this function: it owns nothing.
pub fn talk(lua: State, lines: &mut LineSource, reporter: Reporter<'_>) {
    loop {
        lua.set_top(0);
        match read_statement(lua, lines) {
            Statement::End => break,
            Statement::Discarded => {}
            Statement::Loaded(Status::Done) => {
                let status = lua.call_traced(0, MULTIPLE);
                if reporter.check(lua, status) {
                    print_results(lua, reporter);
                }
            }
            Statement::Loaded(status) => {
                reporter.check(lua, status);
            }
        }
    }
    lua.set_top(0);
    stdio::write_out(b"\n");
    stdio::flush_out();
}

fn read_statement(lua: State, lines: &mut LineSource) -> Statement {
    match push_line(lua, lines, true) {
        Read::End => return Statement::End,
        Read::Discarded => return Statement::Discarded,
        Read::Line => {}
    }
    if load_expression(lua, lines) {
        return Statement::Loaded(Status::Done);
    }
    load_statement(lua, lines)
}

/// Tries the line as an expression.
fn load_expression(lua: State, lines: &mut LineSource) -> bool {
    lua.push_bytes(b"return ");
    lua.push_copy(1);
    lua.concatenate(2);
    let status = lua.load(lua.bytes(-1).unwrap_or_default(), CHUNK);
    if status != Status::Done {
        lua.set_top(1);
        return false;
    }
    let line = lua.bytes(1).unwrap_or_default();
    if !line.is_empty() {
        lines.remember(line);
    }
    lua.remove(1);
    lua.remove(1);
    true
}

/// Reads more lines until they make a statement, or a mistake.
fn load_statement(lua: State, lines: &mut LineSource) -> Statement {
    loop {
        let status = lua.load(lua.bytes(1).unwrap_or_default(), CHUNK);
        let next = if unfinished(lua, status) { push_line(lua, lines, false) } else { Read::End };
        match next {
            Read::Discarded => return Statement::Discarded,
            Read::End => {
                lines.remember(lua.bytes(1).unwrap_or_default());
                lua.remove(1);
                return Statement::Loaded(status);
            }
            Read::Line => {
                lua.remove(2); // the message
                lua.push_bytes(b"\n");
                lua.insert(-2);
                lua.concatenate(3);
            }
        }
    }
}

fn unfinished(lua: State, status: Status) -> bool {
    status == Status::Syntax && lua.bytes(-1).is_some_and(|text| text.ends_with(UNFINISHED))
}

/// Pushes the next line; `= x` in a first one is `return x`.
fn push_line(lua: State, lines: &mut LineSource, first: bool) -> Read {
    push_prompt(lua, first);
    lines.set_prompt(lua.bytes(-1).unwrap_or_default());
    lua.pop(1);
    let read = lines.read();
    if read == Read::Line {
        match lines.line() {
            [b'=', expression @ ..] if first => {
                lua.push_bytes(b"return ");
                lua.push_bytes(expression);
                lua.concatenate(2);
            }
            line => lua.push_bytes(line),
        }
    }
    read
}

fn push_prompt(lua: State, first: bool) {
    let (name, default): (_, &[u8]) = if first { (c"_PROMPT", b"> ") } else { (c"_PROMPT2", b">> ") };
    if lua.get_global(name) == Kind::Nothing {
        lua.push_bytes(default);
    } else {
        lua.push_text_of(-1);
    }
    lua.remove(-2);
}

fn print_results(lua: State, reporter: Reporter<'_>) {
    let count = lua.top();
    if count == 0 {
        return;
    }
    lua.need_room(20, c"too many results to print");
    lua.get_global(c"print");
    lua.insert(1);
    if lua.call(count, 0, 0) != Status::Done {
        lua.push_bytes(b"error calling 'print' (");
        lua.insert(-2);
        lua.push_bytes(b")");
        lua.concatenate(3);
        reporter.show(lua.bytes(-1).unwrap_or_default());
    }
}
