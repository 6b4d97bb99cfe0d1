//! The flow's steps for Lua.

use std::borrow::Cow;
use std::ffi::OsStr;

use hlua::PROFILE;
use sandbox_core::{
    Confined, Entry, Failure, Hints, Host, Invocation, Outcome, Policy, Profile, Sealed, Source, Text, Usage,
    UsageError,
};

use crate::account::ACCOUNT;
use crate::clock;
use crate::environment::{self, variable, with_default};
use crate::files;
use crate::line_source::LineSource;
use crate::loading;
use crate::manners;
use crate::program::{self, Run};
use crate::report::{Reporter, Reserve};
use crate::state::{REGISTRY, State, Status};
use crate::stdio;
use crate::usage;

/// Lua, on its way to the user's program.
pub struct Hlua {
    lua: State,
    invocation: Invocation,
    terminal: bool,
    prepared: Option<Prepared>,
}

/// What needs the policy, or calls that the filter refuses.
struct Prepared {
    hints: Hints,
    lines: LineSource,
}

impl Host for Hlua {
    const PROFILE: &'static Profile = &PROFILE;

    type Script = Text;

    /// `loading` refuses what it cannot check.
    const HOLDS_LIBRARIES: bool = true;

    fn usage(_argv0: &OsStr, error: &UsageError) -> Usage {
        usage::answer(error)
    }

    fn interactive(invocation: &Invocation) -> bool {
        program::may_talk(invocation) && stdio::is_terminal(0)
    }

    fn entry(invocation: &Invocation, policy: &Policy) -> Entry {
        program::entry(invocation, policy)
    }

    fn boot(invocation: Invocation) -> Result<Self, Failure> {
        let terminal = stdio::settle();
        clock::settle();
        let lua = State::new(&ACCOUNT).ok_or_else(|| Failure::boot("not enough memory"))?;
        lua.stop_collector();
        check(lua, lua.call_protected(open_libraries))?;
        Ok(Hlua { lua, invocation, terminal, prepared: None })
    }

    fn neuter(&mut self, policy: &Policy, confined: &Confined) -> Result<(), Failure> {
        let lua = self.lua;
        let ignores_environment = program::has(&self.invocation.switches, "-E");
        let paths = Paths::new(ignores_environment);
        let status = lua.call_protected(|lua| {
            paths.set(lua);
            if policy.neutering() {
                manners::teach(lua, policy);
            }
        });
        check(lua, status)?;
        ACCOUNT.limit_to(confined.memory());
        files::guard();
        loading::obey(policy.control, program::entry(&self.invocation, policy).input);
        let terminal = self.terminal && program::may_talk(&self.invocation);
        let lines = LineSource::new(terminal);
        self.prepared = Some(Prepared { hints: Hints::of(policy, confined), lines });
        Ok(())
    }

    fn run(self, source: Source<Text>, _sealed: Sealed) -> Outcome {
        let Some(Prepared { hints, lines }) = self.prepared else { unreachable!("neuter comes before run") };
        let reserve = Reserve::default();
        reserve.fill();
        let reporter = Reporter::new(&hints, &reserve);
        let mut run = Run::new(self.invocation, source, lines, self.terminal);
        let mut well = false;
        let status = self.lua.call_protected(|lua| well = run.perform(lua, reporter));
        let reporter = if run.talking() { reporter.unnamed() } else { reporter };
        let finished = reporter.check(self.lua, status);
        self.lua.close();
        Outcome::Exit(u8::from(!(well && finished)))
    }
}

/// The environment still holds what is not for the script: the libraries are not to look at it.
fn open_libraries(lua: State) {
    lua.watch_end();
    lua.push_boolean(true);
    lua.set_field(REGISTRY, c"LUA_NOENV");
    lua.open_libraries();
}

fn check(lua: State, status: Status) -> Result<(), Failure> {
    if status == Status::Done {
        return Ok(());
    }
    let cause = lua.bytes(-1).unwrap_or_default();
    Err(Failure::boot(String::from_utf8_lossy(cause)))
}

/// Where `require` looks: as the environment says, or as in Debian's Lua.
struct Paths {
    lua: Cow<'static, [u8]>,
    native: Cow<'static, [u8]>,
}

impl Paths {
    fn new(ignores_environment: bool) -> Self {
        let path = |versioned, plain, default: &'static str| {
            let found = if ignores_environment { None } else { variable(versioned, plain) };
            match found {
                Some((_, value)) => Cow::Owned(with_default(&value, default)),
                None => Cow::Borrowed(default.as_bytes()),
            }
        };
        Paths {
            lua: path("LUA_PATH_5_4", "LUA_PATH", environment::PATH),
            native: path("LUA_CPATH_5_4", "LUA_CPATH", environment::C_PATH),
        }
    }

    fn set(&self, lua: State) {
        lua.get_global(c"package");
        for (name, value) in [(c"path", &self.lua), (c"cpath", &self.native)] {
            lua.push_bytes(value);
            lua.set_field(-2, name);
        }
        lua.pop(1);
    }
}
