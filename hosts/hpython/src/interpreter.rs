//! CPython's start and end (PEP 587), with `site` in between: it runs the user's code, and so waits for the doors.
#![allow(unsafe_code, reason = "the interpreter is C")]

use std::ffi::{CStr, CString, OsStr, c_char, c_int};
use std::mem::MaybeUninit;
use std::os::unix::ffi::OsStrExt;
use std::ptr;

use pyo3::ffi;

use crate::late::Late;
use crate::leaving;
use crate::object::Object;
use crate::venv;

/// The paths that `python3` has, found when hpython was built: the interpreter need not look for them, and a
/// `pyvenv.cfg` beside this program has no say.
const EXECUTABLE: &CStr = to_c(hpython_profile::EXECUTABLE);
const PLATLIBDIR: &CStr = to_c(hpython_profile::PLATLIBDIR);
const PREFIX: &CStr = to_c(hpython_profile::PREFIX);

/// Where no bytecode can be.
const NO_CACHE: &CStr = c"/dev/null";

const fn to_c(text: &'static str) -> &'static CStr {
    match CStr::from_bytes_with_nul(text.as_bytes()) {
        Ok(text) => text,
        Err(_) => panic!("a path with a zero byte"),
    }
}

/// What became of the start.
pub enum Start {
    /// The interpreter is up.
    Up(Interpreter),
    /// It has said what it was asked, or what is wrong with the question.
    Over(u8),
}

/// The one interpreter, initialised, with the GIL held.
pub struct Interpreter(());

impl Interpreter {
    /// Starts the interpreter without `site`.
    ///
    /// # Errors
    /// CPython's sentence.
    pub fn start(words: &[CString], late: &Late) -> Result<Start, String> {
        let argv: Vec<*mut c_char> = words.iter().map(|word| word.as_ptr().cast_mut()).collect();
        let count = argv.len().try_into().unwrap_or(ffi::Py_ssize_t::MAX);
        // SAFETY: nobody else uses CPython yet; both structures are initialised by the functions for that before use,
        // and the words outlive the calls, which copy them.
        let status = unsafe {
            let mut pre = MaybeUninit::<ffi::PyPreConfig>::uninit();
            ffi::PyPreConfig_InitPythonConfig(pre.as_mut_ptr());
            let status = ffi::Py_PreInitializeFromBytesArgs(pre.as_ptr(), count, argv.as_ptr().cast_mut());
            if failed(&status) { status } else { initialize(count, &argv, late) }
        };
        // SAFETY: these look at the structure.
        unsafe {
            if ffi::PyStatus_IsExit(status) != 0 {
                return Ok(Start::Over(low_byte(status.exitcode)));
            }
            if ffi::PyStatus_IsError(status) != 0 {
                return Err(sentence(&status));
            }
        }
        Ok(Start::Up(Interpreter(())))
    }

    /// Sets what has waited for the doors: in `sys`, and in the configuration, which other interpreters are made from. False
    /// after an error, which has been printed.
    pub fn apply(&mut self, late: &Late) -> bool {
        // SAFETY: the interpreter is up and the GIL held; the configuration is ours to change while no other
        // interpreter has been made from it.
        unsafe {
            let applied = apply(configuration(), late).is_some();
            if !applied {
                ffi::PyErr_Print();
            }
            applied
        }
    }

    /// Makes the end quick where nothing would notice.
    pub fn prepare_end(&mut self) {
        // SAFETY: the interpreter is up and the GIL held.
        unsafe { leaving::prepare() };
    }

    /// Imports `site`, as the start would have done; false after an error, which has been printed.
    pub fn import_site(&mut self) -> bool {
        // SAFETY: the interpreter is up and the GIL held; the configuration is ours to change while no other
        // interpreter has been made from it.
        unsafe {
            (*configuration()).site_import = 1;
            if !show_site() {
                ffi::PyErr_Print();
                return false;
            }
            let site = ffi::PyImport_ImportModule(c"site".as_ptr());
            if site.is_null() {
                ffi::PyErr_Print();
                return false;
            }
            ffi::Py_DECREF(site);
        }
        true
    }

    /// Runs what the command line says, and ends the interpreter.
    pub fn run(self) -> u8 {
        // SAFETY: the interpreter is up and the GIL held.
        unsafe {
            leaving::remember_modules();
            low_byte(ffi::Py_RunMain())
        }
    }
}

unsafe extern "C" {
    fn _Py_GetConfig() -> *mut ffi::PyConfig;
}

/// The configuration of the interpreter, which there is no official way to change.
unsafe fn configuration() -> *mut ffi::PyConfig {
    // SAFETY: the caller holds the GIL.
    unsafe { _Py_GetConfig() }
}

/// None after an error, which is set.
unsafe fn apply(config: *mut ffi::PyConfig, late: &Late) -> Option<()> {
    // SAFETY: the caller holds the GIL, and the fields are the configuration's.
    unsafe {
        if let Some(environment) = &late.environment {
            let executable = venv::executable(environment);
            set(config, &raw mut (*config).executable, c"executable", &executable)?;
            if cfg!(Py_3_14) {
                set(config, &raw mut (*config).prefix, c"prefix", environment.as_os_str())?;
                set(config, &raw mut (*config).exec_prefix, c"exec_prefix", environment.as_os_str())?;
            }
        }
        if let Some(cache) = &late.cache {
            set(config, &raw mut (*config).pycache_prefix, c"pycache_prefix", cache)?;
        }
        for (place, directory) in (0..).zip(&late.path) {
            insert(config, place, directory.as_os_str())?;
        }
    }
    Some(())
}

/// Sets a text, or none if it is empty, in the configuration and in `sys`. None after an error, which is set.
unsafe fn set(
    config: *mut ffi::PyConfig,
    field: *mut *mut libc::wchar_t,
    name: &CStr,
    value: &OsStr,
) -> Option<()> {
    // SAFETY: the caller holds the GIL; the field is one of the configuration's.
    unsafe {
        let none = value.is_empty();
        let object = if none { Object::share(ffi::Py_None()) } else { Object::text(value) };
        let object = present(object)?;
        if ffi::PySys_SetObject(name.as_ptr(), object.as_ptr()) != 0 {
            return None;
        }
        // The value is that of a variable or an argument: it has no zero byte.
        let bytes = present(CString::new(value.as_bytes()).ok())?;
        let status = match none {
            true => ffi::PyConfig_SetString(config, field, ptr::null()),
            false => ffi::PyConfig_SetBytesString(config, field, bytes.as_ptr()),
        };
        present((!failed(&status)).then_some(()))
    }
}

/// Inserts a directory into the paths of modules. None after an error, which is set.
unsafe fn insert(config: *mut ffi::PyConfig, place: ffi::Py_ssize_t, directory: &OsStr) -> Option<()> {
    // SAFETY: the caller holds the GIL; the decoded copy is freed once.
    unsafe {
        let bytes = present(CString::new(directory.as_bytes()).ok())?;
        let wide = ffi::Py_DecodeLocale(bytes.as_ptr(), ptr::null_mut());
        present((!wide.is_null()).then_some(()))?;
        let status = ffi::PyWideStringList_Insert(&raw mut (*config).module_search_paths, place, wide);
        ffi::PyMem_RawFree(wide.cast());
        present((!failed(&status)).then_some(()))?;
        let (path, entry) = (present(Object::of_sys(c"path"))?, present(Object::text(directory))?);
        (ffi::PyList_Insert(path.as_ptr(), place, entry.as_ptr()) == 0).then_some(())
    }
}

/// What is missing is missing for want of memory.
unsafe fn present<T>(value: Option<T>) -> Option<T> {
    if value.is_none() {
        // SAFETY: the caller holds the GIL.
        unsafe { ffi::PyErr_NoMemory() };
    }
    value
}

/// Lets `sys.flags.no_site` say what `python3`'s does.
unsafe fn show_site() -> bool {
    // SAFETY: `sys.flags` is a tuple as long as the names that its type matches; the slot's old value is a small
    // integer, whose reference is given back.
    unsafe {
        let flags = ffi::PySys_GetObject(c"flags".as_ptr());
        if flags.is_null() {
            return false;
        }
        let names = ffi::PyObject_GetAttrString(ffi::Py_TYPE(flags).cast(), c"__match_args__".as_ptr());
        if names.is_null() {
            return false;
        }
        let name = ffi::PyUnicode_FromString(c"no_site".as_ptr());
        let place = ffi::PySequence_Index(names, name);
        ffi::Py_DECREF(name);
        ffi::Py_DECREF(names);
        if place < 0 {
            return false;
        }
        let old = ffi::PyTuple_GET_ITEM(flags, place);
        ffi::PyTuple_SET_ITEM(flags, place, ffi::PyLong_FromLong(0));
        ffi::Py_DECREF(old);
        true
    }
}

unsafe fn initialize(count: ffi::Py_ssize_t, argv: &[*mut c_char], late: &Late) -> ffi::PyStatus {
    let mut config = MaybeUninit::<ffi::PyConfig>::uninit();
    let at = config.as_mut_ptr();
    // SAFETY: the first call initialises the structure; the rest is the order that PEP 587 asks for.
    unsafe {
        ffi::PyConfig_InitPythonConfig(at);
        let mut status = ffi::PyConfig_SetBytesArgv(at, count, argv.as_ptr().cast_mut().cast());
        if !failed(&status) {
            (*at).site_import = 0;
            status = set_paths(at);
        }
        if !failed(&status) && late.cache.is_some() {
            status = ffi::PyConfig_SetBytesString(at, &raw mut (*at).pycache_prefix, NO_CACHE.as_ptr());
        }
        if !failed(&status) {
            status = ffi::Py_InitializeFromConfig(at);
        }
        ffi::PyConfig_Clear(at);
        status
    }
}

unsafe fn set_paths(config: *mut ffi::PyConfig) -> ffi::PyStatus {
    // SAFETY: the configuration is initialised, and each field one of its own.
    unsafe {
        let fields = [
            (&raw mut (*config).executable, EXECUTABLE),
            (&raw mut (*config).base_executable, EXECUTABLE),
            (&raw mut (*config).prefix, PREFIX),
            (&raw mut (*config).base_prefix, PREFIX),
            (&raw mut (*config).exec_prefix, PREFIX),
            (&raw mut (*config).base_exec_prefix, PREFIX),
            // With a home no pyvenv.cfg, python._pth or PYTHONHOME is asked, and with a path no PYTHONPATH.
            (&raw mut (*config).home, PREFIX),
            (&raw mut (*config).pythonpath_env, c""),
            // PYTHONPLATLIBDIR would say where beneath the prefix the library is.
            (&raw mut (*config).platlibdir, PLATLIBDIR),
        ];
        for (field, value) in fields {
            let status = ffi::PyConfig_SetBytesString(config, field, value.as_ptr());
            if failed(&status) {
                return status;
            }
        }
        ffi::PyStatus_Ok()
    }
}

fn failed(status: &ffi::PyStatus) -> bool {
    // SAFETY: it looks at the structure.
    unsafe { ffi::PyStatus_Exception(*status) != 0 }
}

fn sentence(status: &ffi::PyStatus) -> String {
    if status.err_msg.is_null() {
        return "no reason given".into();
    }
    // SAFETY: CPython's messages are constants.
    unsafe { CStr::from_ptr(status.err_msg) }.to_string_lossy().into_owned()
}

/// An exit status as the kernel takes it.
fn low_byte(status: c_int) -> u8 {
    status.to_le_bytes()[0]
}
