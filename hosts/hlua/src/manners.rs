//! Functions that can only fail behind the doors answer with an error that names the flag. These are
//! manners, not the wall: whoever gets at the originals meets the kernel.

use std::ffi::c_int;

use sandbox_core::{Neutered, Policy, denial};

use crate::chunks;
use crate::script::Line;
use crate::state::{Kind, State};

/// Replaces what this policy refuses.
pub fn teach(lua: State, policy: &Policy) {
    if !policy.lifts(hlua::CHUNK.lift) {
        chunks::refuse();
    }
    if !policy.lifts(hlua::EXECUTE.lift) {
        replace(lua, c"os", c"execute", execute);
    }
    if !policy.lifts(hlua::POPEN.lift) {
        replace(lua, c"io", c"popen", popen);
    }
    replace(lua, c"package", c"loadlib", loadlib);
    replace(lua, c"debug", c"getregistry", getregistry);
    replace_c_searchers(lua);
}

fn replace<F: Fn(State) -> c_int + Copy>(
    lua: State,
    library: &'static std::ffi::CStr,
    name: &'static std::ffi::CStr,
    function: F,
) {
    lua.get_global(library);
    lua.push_function(function);
    lua.set_field(-2, name);
    lua.pop(1);
}

/// The third searcher looks for C libraries, the fourth for those that hold several modules.
fn replace_c_searchers(lua: State) {
    lua.get_global(c"package");
    lua.get_field(-1, c"searchers");
    lua.push_function(no_c_library);
    lua.set_slot(-2, 3);
    lua.push_function(nothing);
    lua.set_slot(-2, 4);
    lua.pop(2);
}

fn refuse(lua: State, what: &Neutered) -> ! {
    let message = Line::new(&denial::neutered(what));
    lua.raise(message.as_c_str())
}

/// Without a command it asks for a shell, and there is none.
fn execute(lua: State) -> c_int {
    if lua.kind(1) != Kind::Nothing {
        refuse(lua, &hlua::EXECUTE)
    }
    lua.push_boolean(false);
    1
}

fn popen(lua: State) -> c_int {
    refuse(lua, &hlua::POPEN)
}

fn loadlib(lua: State) -> c_int {
    refuse(lua, &hlua::LOADLIB)
}

fn getregistry(lua: State) -> c_int {
    refuse(lua, &hlua::REGISTRY)
}

fn no_c_library(lua: State) -> c_int {
    lua.push_bytes(b"no C library: ");
    lua.push_bytes(hlua::NO_NATIVE_CODE.to_bytes());
    lua.concatenate(2);
    1
}

fn nothing(lua: State) -> c_int {
    lua.push_nil();
    1
}
