//! What `lua` does with its command line, in its order.

use std::ffi::{CString, OsStr, OsString, c_int};
use std::mem;
use std::os::unix::ffi::OsStrExt;

use sandbox_core::{Entry, Given, Invocation, Policy, Program, Source, Text};

use crate::dialogue;
use crate::environment;
use crate::line_source::LineSource;
use crate::report::{self, Reporter};
use crate::script;
use crate::state::{Kind, MULTIPLE, State, Status};

/// One run of the interpreter: all that it owns, so that what a Lua error may leave only borrows.
pub struct Run {
    switches: Vec<Given>,
    /// The command line with the script's place in it, as the table `arg` shows it.
    words: Vec<OsString>,
    script: Option<usize>,
    source: Source<Text>,
    chunk: CString,
    init: Option<(CString, CString)>,
    lines: LineSource,
    terminal: bool,
    talking: bool,
}

impl Run {
    /// Takes all apart that needs allocation.
    pub fn new(invocation: Invocation, source: Source<Text>, lines: LineSource, terminal: bool) -> Self {
        let chunk = match &source {
            Source::File { name, .. } => script::chunk_name('@', name),
            Source::Stdin | Source::None => CString::default(),
        };
        let Invocation { argv0, switches, mut raw, program, args } = invocation;
        raw.insert(0, argv0);
        let script = place_script(&mut raw, program);
        raw.extend(args);
        let init = if has(&switches, "-E") { None } else { init() };
        let words = raw;
        Run { switches, words, script, source, chunk, init, lines, terminal, talking: false }
    }

    /// Runs all of it; whether it went well.
    pub fn perform(&mut self, lua: State, reporter: Reporter<'_>) -> bool {
        // `lua` keeps two values here: with them, deep recursion ends at the same depth.
        lua.set_top(2);
        if self.has("-i") || self.has("-v") {
            report::version();
        }
        self.set_arg(lua);
        lua.start_generational_collector();
        if !self.run_init(lua, reporter) || !self.run_switches(lua, reporter) {
            return false;
        }
        if self.script.is_some() && !self.run_script(lua, reporter) {
            return false;
        }
        if self.has("-i") {
            self.talk(lua, reporter);
        } else if self.script.is_none() && !self.has("-e") && !self.has("-v") {
            self.run_input(lua, reporter);
        }
        true
    }

    /// Whether an error left a dialogue, where errors come without hlua's name.
    pub fn talking(&self) -> bool {
        self.talking
    }

    fn has(&self, name: &str) -> bool {
        has(&self.switches, name)
    }

    /// The table `arg`: the script at 0, its arguments after it, all else before it.
    fn set_arg(&self, lua: State) {
        let script = self.script.unwrap_or(0);
        let after = self.words.len() - script - 1;
        let room = |count: usize| count.try_into().unwrap_or(0);
        lua.push_table(room(after), room(script + 1));
        for (place, word) in (-(script as i64)..).zip(&self.words) {
            lua.push_bytes(word.as_bytes());
            lua.set_slot(-2, place);
        }
        lua.set_global(c"arg");
    }

    /// `LUA_INIT`: a chunk, or `@` and a file's name.
    fn run_init(&self, lua: State, reporter: Reporter<'_>) -> bool {
        let Some((name, text)) = &self.init else { return true };
        let status = match text.to_bytes() {
            [b'@', ..] => lua.load_file(Some(&text.as_c_str()[1..])),
            chunk => lua.load(chunk, name),
        };
        run_chunk(lua, reporter, status)
    }

    fn run_switches(&self, lua: State, reporter: Reporter<'_>) -> bool {
        self.switches.iter().all(|given| {
            let value = given.value.as_deref().unwrap_or_default();
            match given.name {
                "-e" => {
                    let status = lua.load(value.as_bytes(), c"=(command line)");
                    run_chunk(lua, reporter, status)
                }
                "-l" => require(lua, reporter, value),
                "-W" => {
                    lua.warn(c"@on");
                    true
                }
                _ => true,
            }
        })
    }

    fn run_script(&mut self, lua: State, reporter: Reporter<'_>) -> bool {
        let mut status = match &self.source {
            Source::File { script: Text(text), .. } => lua.load(script::body(text), &self.chunk),
            Source::Stdin | Source::None => lua.load_file(None),
        };
        if status == Status::Done {
            // The text has done its work, and may be large.
            drop(mem::replace(&mut self.source, Source::None));
            let count = push_arguments(lua);
            status = lua.call_traced(count, MULTIPLE);
        }
        reporter.check(lua, status)
    }

    fn talk(&mut self, lua: State, reporter: Reporter<'_>) {
        self.talking = true;
        dialogue::talk(lua, &mut self.lines, reporter.unnamed());
        self.talking = false;
    }

    /// Neither script nor option that acts: a dialogue, or the program on standard input.
    fn run_input(&mut self, lua: State, reporter: Reporter<'_>) {
        if self.terminal {
            report::version();
            self.talk(lua, reporter);
        } else {
            let status = lua.load_file(None);
            run_chunk(lua, reporter, status);
        }
    }
}

/// Whether a switch was given.
pub fn has(switches: &[Given], name: &str) -> bool {
    switches.iter().any(|given| given.name == name)
}

/// Whether the command line ends in a dialogue if standard input is a terminal.
pub fn may_talk(invocation: &Invocation) -> bool {
    let acts = has(&invocation.switches, "-e") || has(&invocation.switches, "-v");
    has(&invocation.switches, "-i") || (invocation.program == Program::None && !acts)
}

/// How code enters beside the script.
pub fn entry(invocation: &Invocation, policy: &Policy) -> Entry {
    let switches = &invocation.switches;
    let init = |name: &str| {
        let text = std::env::var_os(name).filter(|_| policy.lets_in(name.as_bytes()) && !has(switches, "-E"));
        text.is_some_and(|text| !text.as_bytes().starts_with(b"@"))
    };
    let text = has(switches, "-e") || has(switches, "-i") || init("LUA_INIT_5_4") || init("LUA_INIT");
    let none = invocation.program == Program::None && !has(switches, "-e") && !has(switches, "-v");
    Entry { text, input: none || invocation.program == Program::Stdin }
}

/// Puts the script's name behind the options and tells its place.
fn place_script(words: &mut Vec<OsString>, program: Program) -> Option<usize> {
    match program {
        Program::None => return None,
        Program::File(name) => words.push(name),
        Program::Stdin if words.last().is_some_and(|word| word == "-") => {}
        Program::Stdin => words.push("-".into()),
    }
    Some(words.len() - 1)
}

/// The variable's name as a chunk's name, and its value.
fn init() -> Option<(CString, CString)> {
    let (name, value) = environment::variable("LUA_INIT_5_4", "LUA_INIT")?;
    Some((script::chunk_name('=', OsStr::new(name)), CString::new(value).ok()?))
}

fn run_chunk(lua: State, reporter: Reporter<'_>, status: Status) -> bool {
    let status = if status == Status::Done { lua.call_traced(0, 0) } else { status };
    reporter.check(lua, status)
}

/// `-l mod`, `-l g=mod`; of `mod-version` the global is `mod`.
fn require(lua: State, reporter: Reporter<'_>, value: &OsStr) -> bool {
    let value = value.as_bytes();
    let split = |mark| value.iter().position(|&byte| byte == mark);
    let (global, module) = match (split(b'='), split(b'-')) {
        (Some(place), _) => (&value[..place], &value[place + 1..]),
        (None, Some(place)) => (&value[..place], value),
        (None, None) => (value, value),
    };
    lua.push_bytes(global);
    lua.get_global(c"require");
    lua.push_bytes(module);
    let status = lua.call_traced(1, 1);
    if status == Status::Done {
        lua.set_named_global();
        return true;
    }
    lua.remove(-2);
    reporter.check(lua, status)
}

/// Pushes the script's arguments from the table `arg`, which options may have changed.
fn push_arguments(lua: State) -> c_int {
    if lua.get_global(c"arg") != Kind::Table {
        lua.raise(c"'arg' is not a table");
    }
    let count = lua.length(-1);
    let count = count.clamp(0, i64::from(i32::MAX) - 3) as c_int;
    lua.need_room(count + 3, c"too many arguments to script");
    for slot in 1..=count {
        lua.get_slot(-slot, slot.into());
    }
    lua.remove(-count - 1);
    count
}

#[cfg(test)]
mod tests {
    use super::*;

    fn invocation(switches: &[&'static str], program: Program) -> Invocation {
        Invocation {
            argv0: "hlua".into(),
            switches: switches.iter().map(|name| Given { name, value: None }).collect(),
            raw: switches.iter().map(Into::into).collect(),
            program,
            args: vec!["a".into()],
        }
    }

    #[test]
    fn a_dialogue_needs_nothing_else_to_do() {
        assert!(may_talk(&invocation(&[], Program::None)));
        assert!(may_talk(&invocation(&["-W"], Program::None)));
        assert!(may_talk(&invocation(&["-i"], Program::File("x".into()))));
        assert!(!may_talk(&invocation(&["-e"], Program::None)));
        assert!(!may_talk(&invocation(&[], Program::File("x".into()))));
        assert!(!may_talk(&invocation(&[], Program::Stdin)));
    }

    #[test]
    fn the_script_stands_between_options_and_arguments() {
        let mut words = vec!["hlua".into(), "-W".into()];
        assert_eq!(place_script(&mut words, Program::File("x".into())), Some(2));
        let mut words = vec!["hlua".into(), "-".into()];
        assert_eq!(place_script(&mut words, Program::Stdin), Some(1));
        assert_eq!(place_script(&mut words, Program::None), None);
    }
}
