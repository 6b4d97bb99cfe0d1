//! Precompiled chunks. Lua does not check them, and a forged one corrupts memory: so they do not
//! load unless the user says so. `load`, `loadfile`, `dofile`, `require` and the command line all end
//! in `luaU_undump`, and the linker sends its calls here.
#![allow(unsafe_code, reason = "this stands before a C function")]

use std::ffi::{CStr, c_char, c_int, c_void};
use std::sync::atomic::{AtomicBool, Ordering};

use mlua::ffi::{self, lua_State};
use sandbox_core::denial;

use crate::script::Line;

static REFUSED: AtomicBool = AtomicBool::new(false);

/// From now on precompiled chunks do not load.
pub fn refuse() {
    REFUSED.store(true, Ordering::Relaxed);
}

unsafe extern "C-unwind" {
    fn __real_luaU_undump(state: *mut lua_State, stream: *mut c_void, name: *const c_char) -> *mut c_void;
    /// Lua's own way to end a load with a status.
    fn luaD_throw(state: *mut lua_State, status: c_int) -> !;
}

/// Loads a precompiled chunk, or ends the load as a malformed one does.
#[unsafe(no_mangle)]
unsafe extern "C-unwind" fn __wrap_luaU_undump(
    state: *mut lua_State,
    stream: *mut c_void,
    name: *const c_char,
) -> *mut c_void {
    if !REFUSED.load(Ordering::Relaxed) {
        // SAFETY: the arguments are Lua's own.
        return unsafe { __real_luaU_undump(state, stream, name) };
    }
    let message = Line::new(&denial::neutered(&hlua::CHUNK));
    // SAFETY: Lua is inside a protected load, so it takes a throw with the message on the stack;
    // the name is a C string. `Line` has no destructor, and nothing else lives here.
    unsafe {
        ffi::lua_pushfstring(state, c"%s: %s".as_ptr(), shown(name), message.as_c_str().as_ptr());
        luaD_throw(state, ffi::LUA_ERRSYNTAX)
    }
}

/// A chunk's name as Lua's own messages about precompiled chunks show it.
unsafe fn shown(name: *const c_char) -> *const c_char {
    // SAFETY: the caller's, a C string.
    let text = unsafe { CStr::from_ptr(name) };
    match text.to_bytes().first() {
        Some(b'@' | b'=') => &text[1..],
        Some(b'\x1b') => c"binary string",
        _ => text,
    }
    .as_ptr()
}
