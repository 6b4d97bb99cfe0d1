//! A quicker end for an interpreter in which nothing would notice.
//!
//! When CPython ends it looks for garbage among all objects, several times, so that destructors run. A process that is about to end
//! needs that only where a destructor does something that can be seen: Python code in `__del__`, in a generator that waits in a `try`,
//! in the callback of a weak reference; the end of a file with something in its buffer; what an extension module does.
//! When there is none of these, the collector is told to leave all objects alone (`gc.freeze`), and memory is left to the kernel.
//! All else at the end is CPython's own.
#![allow(unsafe_code, reason = "the interpreter is C")]

use std::ffi::{CStr, c_int, c_void};
use std::ptr;
use std::sync::atomic::{AtomicU64, Ordering};

use pyo3::ffi;

use crate::memory;
use crate::object::Object;

/// How many libraries had been loaded when the user's code began.
static LOADED: AtomicU64 = AtomicU64::new(u64::MAX);

/// Asks to be called when the program is over, after everybody else who asked for that (atexit calls the first last).
///
/// # Safety
/// The GIL is held.
pub unsafe fn prepare() {
    static mut METHOD: ffi::PyMethodDef = ffi::PyMethodDef {
        ml_name: c"leave".as_ptr(),
        ml_meth: ffi::PyMethodDefPointer { PyCFunction: leave },
        ml_flags: ffi::METH_NOARGS,
        ml_doc: ptr::null(),
    };
    LOADED.store(libraries(), Ordering::Relaxed);
    // SAFETY: the caller's promise; the method lives for ever. Without a call at the end there is just no quicker one.
    unsafe {
        let modules = ffi::PyImport_GetModuleDict();
        let here = !ffi::PyDict_GetItemString(modules, c"atexit".as_ptr()).is_null();
        let atexit = Object::own(ffi::PyImport_ImportModule(c"atexit".as_ptr()));
        let leave = Object::own(ffi::PyCFunction_NewEx(&raw mut METHOD, ptr::null_mut(), ptr::null_mut()));
        if let (Some(register), Some(leave)) =
            (atexit.and_then(|atexit| atexit.attribute(c"register")), leave)
        {
            drop(Object::own(ffi::PyObject_CallOneArg(register.as_ptr(), leave.as_ptr())));
        }
        // The script sees what it imports; the list of calls is the interpreter's.
        if !here && ffi::PyDict_DelItemString(modules, c"atexit".as_ptr()) != 0 {
            ffi::PyErr_Clear();
        }
    }
}

unsafe extern "C" fn leave(
    _module: *mut ffi::PyObject,
    _arguments: *mut ffi::PyObject,
) -> *mut ffi::PyObject {
    // SAFETY: CPython calls its functions with the GIL held.
    unsafe {
        if libraries() == LOADED.load(Ordering::Relaxed) && nothing_notices() == Some(true) {
            drop(call(c"gc", c"freeze"));
            memory::keep();
        }
        ffi::PyErr_Clear();
        Object::share(ffi::Py_None()).map_or(ptr::null_mut(), Object::into_ptr)
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
