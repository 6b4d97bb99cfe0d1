//! Native code: hlua loads none. Lua's calls of the loader come here.
#![allow(unsafe_code, reason = "this stands before C functions")]

use std::ffi::{c_char, c_int, c_void};
use std::ptr;

#[unsafe(no_mangle)]
unsafe extern "C" fn __wrap_dlopen(_path: *const c_char, _mode: c_int) -> *mut c_void {
    ptr::null_mut()
}

#[unsafe(no_mangle)]
unsafe extern "C" fn __wrap_dlsym(_library: *mut c_void, _name: *const c_char) -> *mut c_void {
    ptr::null_mut()
}

#[unsafe(no_mangle)]
unsafe extern "C" fn __wrap_dlclose(_library: *mut c_void) -> c_int {
    0
}

#[unsafe(no_mangle)]
unsafe extern "C" fn __wrap_dlerror() -> *const c_char {
    hlua::NO_NATIVE_CODE.as_ptr()
}

/// A static program asks where it lies, in case it loads something from there. That is a look into
/// `/proc`, and dear in a start so short; "unknown" is an answer that the loader takes.
#[unsafe(no_mangle)]
unsafe extern "C" fn __wrap__dl_get_origin() -> *const c_char {
    ptr::without_provenance(usize::MAX)
}
