//! Python objects, as far as hpython needs them: owned references, text, attributes.
#![allow(unsafe_code, reason = "the interpreter is C")]

use std::ffi::{CStr, CString, OsStr, OsString};
use std::mem::ManuallyDrop;
use std::os::unix::ffi::{OsStrExt, OsStringExt};

use pyo3::ffi;

/// An owned reference. It lives only while the GIL is held.
pub struct Object(*mut ffi::PyObject);

impl Object {
    /// Takes over a new reference; none after an error, which is forgotten.
    ///
    /// # Safety
    /// The GIL is held; `pointer` is null or a reference that the caller owns.
    pub unsafe fn own(pointer: *mut ffi::PyObject) -> Option<Self> {
        if pointer.is_null() {
            // SAFETY: the GIL is held.
            unsafe { ffi::PyErr_Clear() };
            return None;
        }
        Some(Object(pointer))
    }

    /// Another reference to a borrowed object.
    ///
    /// # Safety
    /// The GIL is held; `pointer` is null or an object.
    pub unsafe fn share(pointer: *mut ffi::PyObject) -> Option<Self> {
        // SAFETY: the caller's promises.
        unsafe {
            ffi::Py_XINCREF(pointer);
            Object::own(pointer)
        }
    }

    /// A text, decoded as Python decodes paths and arguments.
    ///
    /// # Safety
    /// The GIL is held.
    pub unsafe fn text(text: &OsStr) -> Option<Self> {
        let text = CString::new(text.as_bytes()).ok()?;
        // SAFETY: the string outlives the call.
        unsafe { Object::own(ffi::PyUnicode_DecodeFSDefault(text.as_ptr())) }
    }

    /// An attribute of the module `sys`.
    ///
    /// # Safety
    /// The GIL is held.
    pub unsafe fn of_sys(name: &CStr) -> Option<Self> {
        // SAFETY: the answer is borrowed.
        unsafe { Object::share(ffi::PySys_GetObject(name.as_ptr())) }
    }

    /// The borrowed pointer, for calls of the API.
    pub fn as_ptr(&self) -> *mut ffi::PyObject {
        self.0
    }

    /// The reference, for who takes it over.
    pub fn into_ptr(self) -> *mut ffi::PyObject {
        ManuallyDrop::new(self).0
    }

    /// An attribute.
    pub fn attribute(&self, name: &CStr) -> Option<Object> {
        // SAFETY: whoever made this object holds the GIL.
        unsafe { Object::own(ffi::PyObject_GetAttrString(self.0, name.as_ptr())) }
    }

    /// What it answers when it is called without arguments.
    pub fn call(&self) -> Option<Object> {
        // SAFETY: as above.
        unsafe { Object::own(ffi::PyObject_CallNoArgs(self.0)) }
    }

    /// An item of a tuple or a list.
    pub fn item(&self, place: usize) -> Option<Object> {
        let place = place.try_into().ok()?;
        // SAFETY: as above.
        unsafe { Object::own(ffi::PySequence_GetItem(self.0, place)) }
    }

    /// How many items there are.
    pub fn length(&self) -> usize {
        // SAFETY: as above.
        let length = unsafe { ffi::PyObject_Length(self.0) };
        length.try_into().unwrap_or_else(|_| {
            // SAFETY: as above; the length is negative after an error.
            unsafe { ffi::PyErr_Clear() };
            0
        })
    }

    /// What it holds if it is a path: a text or bytes.
    pub fn path(&self) -> Option<OsString> {
        // SAFETY: as above; the bytes live as long as the encoded object.
        unsafe {
            let encoded = if ffi::PyBytes_Check(self.0) != 0 {
                Object::share(self.0)?
            } else if ffi::PyUnicode_Check(self.0) != 0 {
                Object::own(ffi::PyUnicode_EncodeFSDefault(self.0))?
            } else {
                return None;
            };
            let start = ffi::PyBytes_AsString(encoded.0);
            Some(OsString::from_vec(CStr::from_ptr(start).to_bytes().to_vec()))
        }
    }

    /// As `str` shows it.
    pub fn shown(&self) -> Option<OsString> {
        // SAFETY: as above.
        unsafe { Object::own(ffi::PyObject_Str(self.0))?.path() }
    }

    /// Its value if it is an integer.
    pub fn integer(&self) -> Option<i64> {
        // SAFETY: as above.
        unsafe {
            let value = ffi::PyLong_AsLongLong(self.0);
            if value == -1 && !ffi::PyErr_Occurred().is_null() {
                ffi::PyErr_Clear();
                return None;
            }
            Some(value)
        }
    }
}

impl Drop for Object {
    fn drop(&mut self) {
        // SAFETY: the reference is owned, and the GIL held.
        unsafe { ffi::Py_DECREF(self.0) };
    }
}
