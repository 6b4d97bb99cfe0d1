//! SIGINT while a chunk runs: the first one raises "interrupted!" in it, a second one kills.
#![allow(unsafe_code, reason = "signals and Lua's hooks are C")]

use std::ffi::c_int;
use std::mem::MaybeUninit;
use std::ptr;
use std::sync::atomic::{AtomicPtr, Ordering};

use mlua::ffi;

/// The state to interrupt; the handler has no other way to it.
static RUNNING: AtomicPtr<ffi::lua_State> = AtomicPtr::new(ptr::null_mut());

/// From now on SIGINT interrupts this state.
pub fn watch(state: *mut ffi::lua_State) {
    RUNNING.store(state, Ordering::Relaxed);
    let handler: extern "C" fn(c_int) = interrupt;
    handle(handler as libc::sighandler_t);
}

/// From now on SIGINT kills.
pub fn unwatch() {
    handle(libc::SIG_DFL);
}

fn handle(handler: libc::sighandler_t) {
    // SAFETY: the structure is all zero, which is an empty mask and no flags (a blocking read is to
    // end with EINTR), and its handler is a function that may run in a signal.
    unsafe {
        let mut action = MaybeUninit::<libc::sigaction>::zeroed().assume_init();
        action.sa_sigaction = handler;
        libc::sigaction(libc::SIGINT, &raw const action, ptr::null_mut());
    }
}

/// Nothing may be raised inside a signal: this only sets a hook, which Lua calls at its next step.
extern "C" fn interrupt(_signal: c_int) {
    unwatch();
    let mask = ffi::LUA_MASKCALL | ffi::LUA_MASKRET | ffi::LUA_MASKLINE | ffi::LUA_MASKCOUNT;
    // SAFETY: lua_sethook is the one function of the API that may be called from a signal.
    unsafe { ffi::lua_sethook(RUNNING.load(Ordering::Relaxed), Some(stop), mask, 1) };
}

unsafe extern "C-unwind" fn stop(state: *mut ffi::lua_State, _event: *mut ffi::lua_Debug) {
    // SAFETY: Lua calls its hooks where errors may be raised.
    unsafe {
        ffi::lua_sethook(state, None, 0, 0);
        ffi::luaL_error(state, c"interrupted!".as_ptr());
    }
}
