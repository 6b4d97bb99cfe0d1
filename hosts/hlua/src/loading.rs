//! Files of code that a script loads: `loadfile`, `dofile`, `require`, `LUA_INIT=@file` and standard input all end in
//! `luaL_loadfilex`, and the linker sends its calls here. Where only files that may be executed are to be run, these are
//! refused: behind the doors the kernel cannot be asked about them.
#![allow(unsafe_code, reason = "this stands before a C function")]

use std::ffi::{c_char, c_int};
use std::sync::atomic::{AtomicBool, Ordering};

use mlua::ffi::{self, lua_State};
use sandbox_core::denial;
use sandbox_core::exec_control::Control;

use crate::script::Line;

static FILES_REFUSED: AtomicBool = AtomicBool::new(false);
static INPUT_REFUSED: AtomicBool = AtomicBool::new(false);

/// From now on what is asked of interpreters holds for what a script loads. `admitted` says that standard input is the
/// program, and was looked at.
pub fn obey(control: Control, admitted: bool) {
    INPUT_REFUSED.store(control.deny_interactive && !admitted, Ordering::Relaxed);
    FILES_REFUSED.store(control.restrict_file, Ordering::Relaxed);
}

unsafe extern "C-unwind" {
    fn __real_luaL_loadfilex(state: *mut lua_State, name: *const c_char, mode: *const c_char) -> c_int;
}

/// Loads a file, or answers as for one that cannot be opened. No name is standard input.
#[unsafe(no_mangle)]
unsafe extern "C-unwind" fn __wrap_luaL_loadfilex(
    state: *mut lua_State,
    name: *const c_char,
    mode: *const c_char,
) -> c_int {
    let refused = if name.is_null() { &INPUT_REFUSED } else { &FILES_REFUSED };
    if !refused.load(Ordering::Relaxed) {
        // SAFETY: the arguments are Lua's own.
        return unsafe { __real_luaL_loadfilex(state, name, mode) };
    }
    let name = if name.is_null() { c"stdin".as_ptr() } else { name };
    let message = Line::new(denial::UNCHECKED);
    // SAFETY: the name is a C string, and Lua takes the message from the stack. `Line` has no destructor.
    unsafe {
        ffi::lua_pushfstring(state, c"cannot open %s: %s".as_ptr(), name, message.as_c_str().as_ptr());
    }
    ffi::LUA_ERRERR + 1
}
