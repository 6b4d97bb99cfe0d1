//! One line of advice for an error that nobody caught, if it is the sandbox's.
#![allow(unsafe_code, reason = "the exceptions' types are C's")]

use std::fs;
use std::io;
use std::os::unix::ffi::OsStrExt;
use std::path::{Path, PathBuf};

use pyo3::ffi;
use sandbox_core::Hints;

use crate::object::Object;
use crate::venv;

/// Advice about an exception, without the word `hint:`.
pub fn about(error: &Object, hints: &Hints) -> Option<String> {
    // SAFETY: the types are objects that live as long as the interpreter.
    let [memory, module, system] =
        unsafe { [ffi::PyExc_MemoryError, ffi::PyExc_ModuleNotFoundError, ffi::PyExc_OSError] }
            // SAFETY: both are objects.
            .map(|kind| unsafe { ffi::PyErr_GivenExceptionMatches(error.as_ptr(), kind) != 0 });
    if memory {
        return hints.for_message(b"not enough memory", None);
    }
    if module {
        return closed_directory().map(|path| hints.for_closed_directory(&path));
    }
    if !system {
        return None;
    }
    let path = error.attribute(c"filename").and_then(|name| name.path());
    hints.for_message(error.shown()?.as_bytes(), path.as_deref().map(Path::new))
}

/// The first directory in which modules would have been looked for, if it could be read.
fn closed_directory() -> Option<PathBuf> {
    // SAFETY: an exception is being reported: the GIL is held.
    let path = unsafe { Object::of_sys(c"path")? };
    let directories = (0..path.length()).filter_map(|place| Some(PathBuf::from(path.item(place)?.path()?)));
    let here = |path: PathBuf| match path.as_os_str().is_empty() {
        true => std::env::current_dir().unwrap_or(path),
        false => path,
    };
    let refused = |path: &PathBuf| {
        fs::read_dir(path).is_err_and(|error| error.kind() == io::ErrorKind::PermissionDenied)
    };
    venv::closed().into_iter().chain(directories.map(here)).find(refused)
}
