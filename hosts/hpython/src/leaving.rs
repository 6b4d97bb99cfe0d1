//! The quick end of an interpreter in which nothing would notice the slow one.
//!
//! CPython takes an interpreter apart object by object, so that destructors run. A process that is about to end needs that
//! only where a destructor does something that can be seen: Python code in `__del__`, in a generator that waits in a
//! `try`, in the callback of a weak reference; the end of a file with something in its buffer; what an extension module
//! does. When there is none of these, nor a thread, nor anything that waits for the end, standard output and error
//! are flushed, as CPython would, and the rest is left to the kernel.
#![allow(unsafe_code, reason = "this stands before functions of the interpreter")]

use std::ffi::{CStr, c_char, c_int, c_void};
use std::ptr;
use std::sync::atomic::{AtomicU64, Ordering};

use pyo3::ffi;

use crate::interpreter;
use crate::object::Object;

unsafe extern "C" {
    fn __real_Py_FinalizeEx() -> c_int;
    fn __real_Py_Exit(status: c_int) -> !;
}

#[unsafe(no_mangle)]
unsafe extern "C" fn __wrap_Py_FinalizeEx() -> c_int {
    // SAFETY: whoever ends the interpreter holds the GIL.
    unsafe {
        match leave() {
            Some(flushed) => c_int::from(flushed) - 1,
            None => __real_Py_FinalizeEx(),
        }
    }
}

/// What CPython ends with when it cannot flush its output.
const UNFLUSHED: c_int = 120;

#[unsafe(no_mangle)]
unsafe extern "C" fn __wrap_Py_Exit(status: c_int) -> ! {
    // SAFETY: as above.
    unsafe {
        match leave() {
            Some(flushed) => libc::exit(if flushed { status } else { UNFLUSHED }),
            None => __real_Py_Exit(status),
        }
    }
}

/// How many libraries had been loaded when the user's code began.
static LOADED: AtomicU64 = AtomicU64::new(u64::MAX);

/// Remembers what belongs to the interpreter itself. Without this call there is no quick end.
pub fn prepare() {
    LOADED.store(libraries(), Ordering::Relaxed);
}

/// Leaves at once if that is safe: whether all output could be flushed.
///
/// # Safety
/// The GIL is held.
unsafe fn leave() -> Option<bool> {
    // SAFETY: the caller's promise.
    unsafe {
        if ffi::Py_IsInitialized() == 0 || libraries() != LOADED.load(Ordering::Relaxed) {
            return None;
        }
        let quiet = is_plain() && is_alone() && nothing_waits()? && nothing_notices()?;
        ffi::PyErr_Clear();
        quiet.then(flush)
    }
}

/// How often a library was loaded into this process (dl_iterate_phdr(3)).
fn libraries() -> u64 {
    unsafe extern "C" fn count(info: *mut libc::dl_phdr_info, _size: usize, data: *mut c_void) -> c_int {
        // SAFETY: the C library hands over its structure and what was passed below.
        unsafe { *data.cast::<u64>() = (*info).dlpi_adds };
        1
    }
    let mut adds = 0_u64;
    // SAFETY: the function and the number outlive the call.
    unsafe { libc::dl_iterate_phdr(Some(count), (&raw mut adds).cast()) };
    adds
}

/// Whether the interpreter has not been asked to say anything while it ends.
unsafe fn is_plain() -> bool {
    // SAFETY: the caller holds the GIL.
    unsafe {
        let config = interpreter::configuration();
        let asked = [(*config).verbose, (*config).dev_mode, (*config).malloc_stats, (*config).dump_refs];
        asked.iter().all(|option| *option == 0) && (*config).warnoptions.length == 0
    }
}

/// Whether there is one interpreter with one thread.
unsafe fn is_alone() -> bool {
    // SAFETY: the caller holds the GIL, so both lists stand still.
    unsafe {
        let interpreter = ffi::PyInterpreterState_Head();
        let thread = ffi::PyInterpreterState_ThreadHead(interpreter);
        ffi::PyInterpreterState_Next(interpreter).is_null() && ffi::PyThreadState_Next(thread).is_null()
    }
}

/// Whether nobody has asked to be called at the end: `atexit`, and `threading`, which waits for its threads.
unsafe fn nothing_waits() -> Option<bool> {
    // SAFETY: the caller holds the GIL; the modules are borrowed.
    unsafe {
        if !ffi::PyDict_GetItemString(ffi::PyImport_GetModuleDict(), c"threading".as_ptr()).is_null() {
            return Some(false);
        }
        Some(call(c"atexit", c"_ncallbacks")?.integer()? == 0)
    }
}

/// Whether no object would do anything that can be seen.
unsafe fn nothing_notices() -> Option<bool> {
    // SAFETY: the caller holds the GIL; the objects are borrowed from the list while it lives.
    unsafe {
        if call(c"gc", c"get_freeze_count")?.integer()? != 0 {
            return Some(false);
        }
        let streams = Streams::standard()?;
        let callback = Object::own(ffi::PyUnicode_InternFromString(c"__callback__".as_ptr()))?;
        let objects = call(c"gc", c"get_objects")?;
        let quiet = |place| is_quiet(ffi::PyList_GET_ITEM(objects.as_ptr(), place), &streams, &callback);
        Some((0..ffi::PyList_Size(objects.as_ptr())).all(quiet))
    }
}

unsafe fn is_quiet(object: *mut ffi::PyObject, streams: &Streams, callback: &Object) -> bool {
    // SAFETY: the caller holds the GIL and lends the object.
    unsafe {
        let kind = ffi::Py_TYPE(object);
        if (*kind).tp_del.is_some() || ((*kind).tp_finalize.is_some() && !streams.have(object)) {
            return false;
        }
        if ffi::PyType_Check(object) != 0 {
            return is_quiet_type(object.cast());
        }
        if ffi::PyWeakref_Check(object) != 0 {
            let Some(callback) = Object::own(ffi::PyObject_GetAttr(object, callback.as_ptr())) else {
                return false;
            };
            return callback.as_ptr() == ffi::Py_None()
                || ffi::PyCFunction_CheckExact(callback.as_ptr()) != 0;
        }
        true
    }
}

/// Whether instances end without Python code; not all of them can be found.
unsafe fn is_quiet_type(kind: *mut ffi::PyTypeObject) -> bool {
    // SAFETY: the caller holds the GIL and lends the type.
    unsafe {
        if (*kind).tp_finalize.is_none() {
            return true;
        }
        let method = Object::own(ffi::PyObject_GetAttrString(kind.cast(), c"__del__".as_ptr()));
        method.is_some_and(|method| ffi::Py_TYPE(method.as_ptr()) == &raw mut ffi::PyWrapperDescr_Type)
    }
}

/// The objects behind standard input, output and error.
struct Streams(Vec<Object>);

impl Streams {
    /// None where the script has put others in their place.
    unsafe fn standard() -> Option<Self> {
        let mut layers = Vec::new();
        for (name, first) in
            [(c"stdin", c"__stdin__"), (c"stdout", c"__stdout__"), (c"stderr", c"__stderr__")]
        {
            // SAFETY: the caller holds the GIL.
            let (now, first) = unsafe { (Object::of_sys(name)?, Object::of_sys(first)?) };
            if now.as_ptr() != first.as_ptr() {
                return None;
            }
            let buffer = first.attribute(c"buffer");
            layers.extend(buffer.as_ref().and_then(|buffer| buffer.attribute(c"raw")));
            layers.extend(buffer);
            layers.push(first);
        }
        Some(Streams(layers))
    }

    fn have(&self, object: *mut ffi::PyObject) -> bool {
        self.0.iter().any(|layer| layer.as_ptr() == object)
    }
}

/// Flushes standard output and error as CPython does; whether both could be.
fn flush() -> bool {
    // SAFETY: `leave` holds the GIL.
    unsafe {
        let flushed = |name: &CStr, tell: bool| {
            let Some(stream) = Object::of_sys(name) else { return true };
            let closed = stream.attribute(c"closed");
            if stream.as_ptr() == ffi::Py_None()
                || closed.is_some_and(|closed| ffi::PyObject_IsTrue(closed.as_ptr()) > 0)
            {
                return true;
            }
            let none: *const c_char = ptr::null();
            let answer = ffi::PyObject_CallMethod(stream.as_ptr(), c"flush".as_ptr(), none);
            if answer.is_null() && tell {
                ffi::PyErr_WriteUnraisable(stream.as_ptr());
            }
            Object::own(answer).is_some()
        };
        let output = flushed(c"stdout", true);
        flushed(c"stderr", false) && output
    }
}

/// What a function of a module answers, if it is still the module's own.
unsafe fn call(module: &CStr, function: &CStr) -> Option<Object> {
    // SAFETY: the caller holds the GIL.
    unsafe {
        let module = Object::own(ffi::PyImport_ImportModule(module.as_ptr()))?;
        let function = module.attribute(function)?;
        if ffi::PyCFunction_CheckExact(function.as_ptr()) == 0 {
            return None;
        }
        Object::own(ffi::PyObject_CallNoArgs(function.as_ptr()))
    }
}
