//! What can only fail behind the doors answers with an error that names the flag. These are manners, not the wall:
//! whoever gets around them meets the kernel.
//!
//! CPython tells a hook what it is about to do (PEP 578). That is one place for every way to a function, whatever a
//! script has imported or replaced.
#![allow(unsafe_code, reason = "CPython calls its hooks from C")]

use std::ffi::{CStr, OsStr, OsString, c_char, c_int, c_void};
use std::fs;
use std::path::{Path, PathBuf};
use std::ptr;
use std::sync::{Mutex, OnceLock};

use hpython_profile::{FORK_EXEC, NETWORK, NEUTERED};
use pyo3::ffi;
use sandbox_core::{Confined, Hints, Neutered, Policy, denial};

use crate::advice;
use crate::metadata;
use crate::object::Object;

/// What the hook goes by.
struct Manners {
    programs: bool,
    sockets: bool,
    /// Where the script may write.
    writable: &'static [PathBuf],
    hints: Hints,
}

static MANNERS: OnceLock<Manners> = OnceLock::new();

/// Advice for the error that ended the run.
static ADVICE: Mutex<Option<String>> = Mutex::new(None);

/// From now on what this policy refuses names the flag.
pub fn teach(policy: &Policy, confined: &Confined, writable: &'static [PathBuf]) {
    let manners = Manners {
        programs: policy.runs_programs(),
        sockets: !policy.net.is_empty(),
        writable,
        hints: Hints::of(policy, confined),
    };
    if !manners.programs {
        refuse_fork_exec();
    }
    if MANNERS.set(manners).is_ok() {
        // SAFETY: the hook is a function that lives for ever, and needs no data.
        unsafe { PySys_AddAuditHook(hook, ptr::null_mut()) };
    }
}

type Hook = unsafe extern "C" fn(*const c_char, *mut ffi::PyObject, *mut c_void) -> c_int;

unsafe extern "C" {
    /// PEP 578; the crate lacks it.
    fn PySys_AddAuditHook(hook: Hook, data: *mut c_void) -> c_int;
}

/// Advice for the error that nobody caught, if it was the sandbox's.
pub fn advice() -> Option<String> {
    ADVICE.lock().ok()?.take()
}

unsafe extern "C" fn hook(event: *const c_char, arguments: *mut ffi::PyObject, _data: *mut c_void) -> c_int {
    let Some(manners) = MANNERS.get() else { return 0 };
    // SAFETY: CPython hands over the event's name; during the call it holds the GIL.
    let event = unsafe { CStr::from_ptr(event) }.to_bytes();
    let Some(topic) = Topic::of(event) else { return 0 };
    // SAFETY: as above; the arguments are a tuple, or null.
    let Some(arguments) = (unsafe { Object::share(arguments) }) else { return 0 };
    match manners.judge(topic, event, &arguments) {
        None => 0,
        Some(refusal) => refusal.raise(),
    }
}

/// What an event is about.
#[derive(Clone, Copy, PartialEq, Eq, Debug)]
enum Topic {
    Program,
    Socket,
    Link,
    Copy,
    Import,
    Library,
    Uncaught,
}

impl Topic {
    /// Events come often, and hardly one is of interest.
    fn of(event: &[u8]) -> Option<Self> {
        match event {
            b"import" => Some(Topic::Import),
            b"os.system" | b"os.exec" | b"os.fork" | b"os.forkpty" | b"os.posix_spawn"
            | b"subprocess.Popen" | b"pty.spawn" | b"webbrowser.open" => Some(Topic::Program),
            b"socket.__new__" => Some(Topic::Socket),
            b"os.link" | b"os.symlink" => Some(Topic::Link),
            b"shutil.copymode" | b"shutil.copystat" => Some(Topic::Copy),
            b"ctypes.dlopen" => Some(Topic::Library),
            b"sys.excepthook" => Some(Topic::Uncaught),
            _ => None,
        }
    }
}

/// A `PermissionError`.
struct Refusal {
    text: String,
    path: Option<OsString>,
}

impl Manners {
    fn judge(&self, topic: Topic, event: &[u8], arguments: &Object) -> Option<Refusal> {
        match topic {
            Topic::Program if self.programs => None,
            Topic::Program => Some(Refusal::of(neutered(event)?, arguments.item(0))),
            Topic::Copy => {
                if let Some(copy) = arguments.item(1).and_then(|copy| copy.path()) {
                    metadata::copying(copy);
                }
                None
            }
            Topic::Socket => socket(arguments, self.sockets),
            Topic::Link => Some(Refusal::of(neutered(event)?, arguments.item(1))),
            // The name, and the file if it is an extension that is about to be loaded.
            Topic::Import => self.library(topic, arguments, 1),
            Topic::Library => self.library(topic, arguments, 0),
            Topic::Uncaught => {
                if let (Ok(mut advice), Some(error)) = (ADVICE.lock(), arguments.item(2)) {
                    *advice = advice::about(&error, &self.hints);
                }
                None
            }
        }
    }

    /// Native code comes from where the script cannot have put it.
    fn library(&self, topic: Topic, arguments: &Object, place: usize) -> Option<Refusal> {
        if self.writable.is_empty() {
            return None;
        }
        let path = arguments.item(place)?.path()?;
        let text = self.untrusted(Path::new(&path), topic)?;
        Some(Refusal { text, path: Some(path) })
    }

    /// The error if a library is not to be loaded.
    fn untrusted(&self, path: &Path, topic: Topic) -> Option<String> {
        // A bare name of ctypes is looked for in the system's directories, that of a module in the working directory.
        if topic == Topic::Library && path.components().count() == 1 {
            return None;
        }
        let Ok(file) = fs::canonicalize(path) else {
            // What does not exist the loader reports; what exists and has no name may have been put anywhere.
            return fs::metadata(path).is_ok().then(|| denial::native_code(None));
        };
        let root = self.writable.iter().find(|root| file.starts_with(root))?;
        Some(denial::native_code(Some(root)))
    }
}

/// Pairs of unix sockets have no address and stay open, TCP is open where it is granted; the kernel refuses all other sockets.
fn socket(arguments: &Object, granted: bool) -> Option<Refusal> {
    let number = |place: usize| c_int::try_from(arguments.item(place)?.integer()?).ok();
    let (family, kind) = (number(1)?, number(2)? & !(libc::SOCK_CLOEXEC | libc::SOCK_NONBLOCK));
    let tcp = matches!(family, libc::AF_INET | libc::AF_INET6) && kind == libc::SOCK_STREAM;
    if family == libc::AF_UNIX || (tcp && granted) {
        return None;
    }
    let text = if tcp { denial::neutered(&NETWORK) } else { denial::socket() };
    Some(Refusal { text, path: None })
}

/// What is declared under an event's name.
fn neutered(event: &[u8]) -> Option<&'static Neutered> {
    NEUTERED.iter().find(|neutered| neutered.what.as_bytes() == event)
}

impl Refusal {
    /// Of something neutered that was asked to act on a file.
    fn of(neutered: &Neutered, file: Option<Object>) -> Self {
        Refusal { text: denial::neutered(neutered), path: file.and_then(|file| file.path()) }
    }

    /// Raises it; the answer is a hook's for "no".
    fn raise(self) -> c_int {
        // SAFETY: the GIL is held where the hook is called; each object is checked before its use.
        unsafe {
            let path = self.path.as_deref().and_then(|path| Object::text(path));
            let text = Object::text(OsStr::new(&self.text));
            let (Some(text), Some(number)) = (text, Object::own(ffi::PyLong_FromLong(libc::EPERM.into())))
            else {
                ffi::PyErr_NoMemory();
                return -1;
            };
            let path = path.as_ref().map_or(ptr::null_mut(), Object::as_ptr);
            let arguments =
                ffi::PyTuple_Pack(if path.is_null() { 2 } else { 3 }, number.as_ptr(), text.as_ptr(), path);
            if !arguments.is_null() {
                ffi::PyErr_SetObject(ffi::PyExc_PermissionError, arguments);
                ffi::Py_DECREF(arguments);
            }
        }
        -1
    }
}

/// `_posixsubprocess.fork_exec` tells no hook. Where the module is part of the interpreter its table of functions is
/// changed before the module is made; elsewhere the kernel's error has to do.
fn refuse_fork_exec() {
    // SAFETY: the table ends with a null name, and one thread runs; a module definition that is made in phases is a
    // constant of the module, whose functions end with a null name.
    unsafe {
        let mut entry = ffi::PyImport_Inittab;
        while !(*entry).name.is_null() && CStr::from_ptr((*entry).name) != c"_posixsubprocess" {
            entry = entry.add(1);
        }
        let Some(initialize) = (*entry).initfunc else { return };
        let definition = initialize();
        // A module that is made at once is none that can be changed before it is made.
        if definition.is_null() || ffi::Py_TYPE(definition) != &raw mut ffi::PyModuleDef_Type {
            return ffi::PyErr_Clear();
        }
        let definition = definition.cast::<ffi::PyModuleDef>();
        if (*definition).m_methods.is_null() {
            return ffi::PyErr_Clear();
        }
        let mut method = (*definition).m_methods;
        while !(*method).ml_name.is_null() {
            if CStr::from_ptr((*method).ml_name) == c"fork_exec" {
                (*method).ml_meth = ffi::PyMethodDefPointer { PyCFunction: fork_exec };
                (*method).ml_flags = ffi::METH_VARARGS;
            }
            method = method.add(1);
        }
    }
}

unsafe extern "C" fn fork_exec(
    _module: *mut ffi::PyObject,
    _arguments: *mut ffi::PyObject,
) -> *mut ffi::PyObject {
    Refusal::of(&FORK_EXEC, None).raise();
    ptr::null_mut()
}

#[cfg(test)]
mod tests {
    use sandbox_core::Lift;

    use super::*;

    #[test]
    fn events_of_interest() {
        let told = |what: &&str| *what != FORK_EXEC.what;
        let programs = NEUTERED.iter().filter(|neutered| neutered.lift == Lift::Run);
        for what in programs.map(|neutered| neutered.what).filter(told) {
            assert_eq!(Topic::of(what.as_bytes()), Some(Topic::Program), "{what}");
        }
        for topic in [&b"os.link"[..], b"os.symlink"] {
            assert_eq!((Topic::of(topic), neutered(topic).is_some()), (Some(Topic::Link), true));
        }
        assert_eq!(Topic::of(b"os.listdir"), None);
        assert_eq!(Topic::of(b"open"), None);
    }
}
