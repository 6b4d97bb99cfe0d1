//! A quicker end for an interpreter in which nothing would notice.
//!
//! When CPython ends it looks for garbage among all objects, several times, so that destructors run. A process that is about to end
//! needs that only where a destructor does something that can be seen: Python code in `__del__`, in a generator that waits in a `try`,
//! in the callback of a weak reference; the end of a file with something in its buffer; what an extension module does.
//! When there is none of these, the collector is told to leave all objects alone (`gc.freeze`), the modules that were there before
//! the user's program are left as they are, and memory is left to the kernel. All else at the end is CPython's own.
#![allow(unsafe_code, reason = "the interpreter is C")]

use std::ffi::{CStr, c_int, c_void};
use std::ptr;
use std::sync::Mutex;
use std::sync::atomic::{AtomicU64, Ordering};

use pyo3::ffi;

use crate::memory;
use crate::object::Object;

/// With more blocks of memory in use than this, looking at all objects would take longer than a short program does, and the end of
/// a long one is a small part of it.
const MOST_BLOCKS: i64 = 250_000;

/// How many libraries had been loaded when the user's code began.
static LOADED: AtomicU64 = AtomicU64::new(u64::MAX);

/// Where the modules are that were there when the user's program began. They are not held: the program may let them go.
static MODULES: Mutex<Vec<usize>> = Mutex::new(Vec::new());

/// The functions of the collector that the end needs, in this order.
const COLLECTOR: [&CStr; 3] = [c"freeze", c"get_freeze_count", c"get_objects"];

/// Asks to be called when the program is over, after everybody else who asked for that (atexit calls the first last). What is
/// needed then is fetched now, when no user's code has changed how modules are imported.
///
/// # Safety
/// The GIL is held.
pub unsafe fn prepare() {
    LOADED.store(libraries(), Ordering::Relaxed);
    // SAFETY: the caller's promise. Without a call at the end there is just no quicker one.
    unsafe {
        if register().is_none() {
            ffi::PyErr_Clear();
        }
    }
}

unsafe fn register() -> Option<()> {
    static mut METHOD: ffi::PyMethodDef = ffi::PyMethodDef {
        ml_name: c"leave".as_ptr(),
        ml_meth: ffi::PyMethodDefPointer { PyCFunction: leave },
        ml_flags: ffi::METH_NOARGS,
        ml_doc: ptr::null(),
    };
    // SAFETY: the caller holds the GIL; the method lives for ever.
    unsafe {
        let [register] = functions(c"atexit", [c"register"])?;
        let [freeze, count, objects] = functions(c"gc", COLLECTOR)?;
        let collector = Object::own(ffi::PyTuple_Pack(3, freeze.as_ptr(), count.as_ptr(), objects.as_ptr()))?;
        let leave =
            Object::own(ffi::PyCFunction_NewEx(&raw mut METHOD, collector.as_ptr(), ptr::null_mut()))?;
        Object::own(ffi::PyObject_CallOneArg(register.as_ptr(), leave.as_ptr())).map(drop)
    }
}

/// Functions of a module that the interpreter has built in. The script sees what it imports itself: so the module is not left
/// among the imported ones.
unsafe fn functions<const N: usize>(module: &CStr, names: [&CStr; N]) -> Option<[Object; N]> {
    // SAFETY: the caller holds the GIL.
    unsafe {
        let modules = ffi::PyImport_GetModuleDict();
        let here = !ffi::PyDict_GetItemString(modules, module.as_ptr()).is_null();
        let object = Object::own(ffi::PyImport_ImportModule(module.as_ptr()))?;
        if !here && ffi::PyDict_DelItemString(modules, module.as_ptr()) != 0 {
            ffi::PyErr_Clear();
        }
        let found: Vec<Object> = names.iter().filter_map(|name| object.attribute(name)).collect();
        found.try_into().ok()
    }
}

/// Remembers which modules are there. To be called before the user's program begins.
///
/// # Safety
/// The GIL is held.
pub unsafe fn remember_modules() {
    let Ok(mut known) = MODULES.lock() else { return };
    // SAFETY: the caller's promise.
    unsafe { each_module(|_, module| known.push(module.addr())) };
}

/// Calls a function with the name and the object of each imported module, both borrowed.
unsafe fn each_module(mut call: impl FnMut(*mut ffi::PyObject, *mut ffi::PyObject)) {
    let (mut place, mut name, mut module) = (0, ptr::null_mut(), ptr::null_mut());
    // SAFETY: the caller holds the GIL, and does not change the dictionary meanwhile.
    unsafe {
        let modules = ffi::PyImport_GetModuleDict();
        while ffi::PyDict_Next(modules, &raw mut place, &raw mut name, &raw mut module) != 0 {
            call(name, module);
        }
    }
}

unsafe extern "C" fn leave(
    collector: *mut ffi::PyObject,
    _arguments: *mut ffi::PyObject,
) -> *mut ffi::PyObject {
    // SAFETY: CPython calls its functions with the GIL held, and hands over what the function was made with.
    unsafe {
        if is_the_end() && leave_quickly(collector).is_none() {
            ffi::PyErr_Clear();
        }
        Object::share(ffi::Py_None()).map_or(ptr::null_mut(), Object::into_ptr)
    }
}

/// Whether the interpreter ends: a program may make the calls of atexit itself, and go on.
unsafe fn is_the_end() -> bool {
    // SAFETY: the caller holds the GIL.
    unsafe { ffi::PyEval_GetFrame().is_null() }
}

/// None, and perhaps with an error set, if something would notice.
unsafe fn leave_quickly(collector: *mut ffi::PyObject) -> Option<()> {
    // SAFETY: the caller holds the GIL, and lends the functions.
    unsafe {
        let collector = Object::share(collector)?;
        let function = |place| collector.item(place);
        if libraries() != LOADED.load(Ordering::Relaxed) || is_large()? {
            return None;
        }
        if function(1)?.call()?.integer()? != 0 || !nothing_notices(&function(2)?.call()?)? {
            return None;
        }
        function(0)?.call()?;
        if is_alone() && !tells_all()? {
            keep_modules();
            memory::keep();
        }
        Some(())
    }
}

/// Whether there are too many objects to look at them.
unsafe fn is_large() -> Option<bool> {
    // SAFETY: the caller holds the GIL.
    let blocks = unsafe { Object::of_sys(c"getallocatedblocks")?.call()?.integer()? };
    // None are counted where another allocator was asked for.
    Some(blocks == 0 || blocks > MOST_BLOCKS)
}

/// Whether no other thread could look for a module.
unsafe fn is_alone() -> bool {
    // SAFETY: the caller holds the GIL, and so its own state is on the list.
    unsafe {
        let first = ffi::PyInterpreterState_ThreadHead(ffi::PyInterpreterState_Get());
        ffi::PyThreadState_Next(first).is_null()
    }
}

/// Whether the end of every module is told (`-v`).
unsafe fn tells_all() -> Option<bool> {
    // SAFETY: the caller holds the GIL.
    let flags = unsafe { Object::of_sys(c"flags")? };
    Some(flags.attribute(c"verbose")?.integer()? != 0)
}

/// Hides the modules from the end that were there before the user's program: taking them apart takes time. The program's own go as
/// always.
unsafe fn keep_modules() {
    let Ok(known) = MODULES.lock() else { return };
    let mut names = Vec::new();
    // SAFETY: the caller holds the GIL. A module gets a reference that nobody gives back.
    unsafe {
        each_module(|name, module| {
            if known.contains(&module.addr()) {
                ffi::Py_INCREF(module);
                names.extend(Object::share(name));
            }
        });
        let modules = ffi::PyImport_GetModuleDict();
        for name in names {
            if ffi::PyDict_DelItem(modules, name.as_ptr()) != 0 {
                ffi::PyErr_Clear();
            }
        }
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

/// Whether none of these objects, a list of all, would do anything that can be seen.
unsafe fn nothing_notices(objects: &Object) -> Option<bool> {
    // SAFETY: the caller holds the GIL; the objects are borrowed from the list while it lives.
    unsafe {
        let streams = Streams::standard()?;
        let callback = Object::own(ffi::PyUnicode_InternFromString(c"__callback__".as_ptr()))?;
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
