//! Python functions that C calls (ctypes' `CFUNCTYPE`, GObject's callbacks). libffi gives each a piece of code of its own, for which
//! it wants memory that is writable and executable, where it was not built with code for that in its own file: nobody gets such
//! memory behind the doors.
//!
//! Here the code is part of this file, as many pieces as there may be callbacks at a time, each with its place in a table. Their only
//! work is to bring a closure to libffi, in the way that it knows from Go: a pointer in a register.
#![allow(unsafe_code, reason = "this stands before C functions")]

use std::arch;
use std::ffi::{CStr, c_int, c_void};
use std::ptr;
use std::sync::Mutex;
use std::sync::atomic::{AtomicPtr, Ordering};

/// How many callbacks there may be at a time.
const MOST: usize = 1024;
/// How far the pieces of code are apart.
const STRIDE: usize = 16;

arch::global_asm!(
    ".globl hpython_callbacks",
    ".hidden hpython_callbacks",
    ".balign {stride}",
    "hpython_callbacks:",
    ".rept {most}",
    ".balign {stride}",
    // Where it is; and on.
    "lea r10, [rip]",
    "jmp hpython_callback",
    ".endr",
    "hpython_callback:",
    "lea r11, [rip + hpython_callbacks + 7]",
    "sub r10, r11",
    "shr r10, 1",
    "lea r11, [rip + {table}]",
    "mov r10, qword ptr [r11 + r10]",
    "jmp qword ptr [r10]",
    stride = const STRIDE,
    most = const MOST,
    table = sym TABLE,
);

unsafe extern "C" {
    static hpython_callbacks: u8;
}

/// The callback of each piece of code.
static TABLE: [AtomicPtr<Callback>; MOST] = [const { AtomicPtr::new(ptr::null_mut()) }; MOST];

/// The pieces that nobody has, and how many were ever given out.
static FREE: Mutex<(Vec<usize>, usize)> = Mutex::new((Vec::new(), 0));

type Function = unsafe extern "C" fn(*mut c_void, *mut c_void, *mut *mut c_void, *mut c_void);

/// What libffi knows as a closure of Go, and behind it what it would keep in one of C.
#[repr(C)]
struct Callback {
    entry: *const c_void,
    interface: *mut c_void,
    function: Option<Function>,
    meant: Option<Function>,
    data: *mut c_void,
    place: usize,
}

/// ffi_closure_alloc(3): memory for a callback, and in `code` its address for C.
#[cfg_attr(not(test), unsafe(no_mangle))]
unsafe extern "C" fn ffi_closure_alloc(size: usize, code: *mut *mut c_void) -> *mut c_void {
    let Some(place) = take() else { return ptr::null_mut() };
    // SAFETY: new memory of the size that is asked for, or of ours; the caller has a place for the address. The piece of code is
    // one of those above.
    unsafe {
        let callback = libc::calloc(1, size.max(size_of::<Callback>())).cast::<Callback>();
        if callback.is_null() {
            give_back(place);
            return ptr::null_mut();
        }
        (*callback).place = place;
        TABLE[place].store(callback, Ordering::Release);
        code.write((&raw const hpython_callbacks).add(place * STRIDE).cast_mut().cast());
        callback.cast()
    }
}

fn take() -> Option<usize> {
    let mut free = FREE.lock().ok()?;
    if let Some(place) = free.0.pop() {
        return Some(place);
    }
    let place = free.1;
    free.1 += usize::from(place < MOST);
    (place < MOST).then_some(place)
}

fn give_back(place: usize) {
    if let Ok(mut free) = FREE.lock() {
        free.0.push(place);
    }
}

/// ffi_closure_free(3)
#[cfg_attr(not(test), unsafe(no_mangle))]
unsafe extern "C" fn ffi_closure_free(closure: *mut c_void) {
    if closure.is_null() {
        return;
    }
    // SAFETY: the caller hands over what `ffi_closure_alloc` gave, and uses it no more.
    unsafe {
        let place = (*closure.cast::<Callback>()).place;
        TABLE[place].store(ptr::null_mut(), Ordering::Release);
        libc::free(closure);
        give_back(place);
    }
}

/// ffi_prep_closure_loc(3): lets a callback call this function with these data.
#[cfg_attr(not(test), unsafe(no_mangle))]
unsafe extern "C" fn ffi_prep_closure_loc(
    closure: *mut c_void,
    interface: *mut c_void,
    function: Function,
    data: *mut c_void,
    _code: *mut c_void,
) -> c_int {
    /// What libffi answers to a wrong interface (`FFI_BAD_ABI`).
    const BAD_ABI: c_int = 2;
    // SAFETY: the caller hands over what `ffi_closure_alloc` gave, and an interface of libffi's.
    unsafe {
        let Some(prepare) = prepare_go_closure() else { return BAD_ABI };
        let callback = closure.cast::<Callback>();
        (*callback).meant = Some(function);
        (*callback).data = data;
        prepare(closure, interface, call)
    }
}

/// What libffi calls: the closure comes where the data would.
unsafe extern "C" fn call(
    interface: *mut c_void,
    answer: *mut c_void,
    arguments: *mut *mut c_void,
    closure: *mut c_void,
) {
    // SAFETY: libffi hands over the closure that was prepared above.
    unsafe {
        let callback = &*closure.cast::<Callback>();
        if let Some(function) = callback.meant {
            function(interface, answer, arguments, callback.data);
        }
    }
}

type PrepareGoClosure = unsafe extern "C" fn(*mut c_void, *mut c_void, Function) -> c_int;

/// libffi's own; whoever has an interface has loaded it.
unsafe fn prepare_go_closure() -> Option<PrepareGoClosure> {
    const NAMES: [&CStr; 2] = [c"libffi.so.8", c"libffi.so.7"];
    // SAFETY: a library that is loaded already is asked for a function, which is of this type.
    unsafe {
        let loaded = |name: &CStr| libc::dlopen(name.as_ptr(), libc::RTLD_LAZY | libc::RTLD_NOLOAD);
        let library = NAMES.into_iter().map(loaded).find(|library| !library.is_null())?;
        let found = libc::dlsym(library, c"ffi_prep_go_closure".as_ptr());
        libc::dlclose(library);
        (!found.is_null()).then(|| std::mem::transmute::<*mut c_void, PrepareGoClosure>(found))
    }
}
