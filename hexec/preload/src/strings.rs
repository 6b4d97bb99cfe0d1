//! C's arrays of strings, and room on the stack for new ones.

use std::ffi::{CStr, c_char, c_void};

/// `argv` or `envp`: pointers to C strings with a null at their end; null itself is an empty one, as for the kernel.
#[derive(Clone, Copy)]
pub struct Strings(*const *const c_char);

impl Strings {
    /// Takes what the caller of a C function gave.
    ///
    /// # Safety
    /// It is an array as described, and outlives the value.
    pub unsafe fn new(array: *const *const c_char) -> Self {
        Strings(array)
    }

    /// For C.
    pub fn as_pointer(self) -> *const *const c_char {
        self.0
    }

    /// The pointers, without the null.
    pub fn pointers(self) -> impl Iterator<Item = *const c_char> + Clone {
        let mut next = self.0;
        std::iter::from_fn(move || {
            // SAFETY: the array ends with a null, behind which nothing is read.
            unsafe {
                if next.is_null() || (*next).is_null() {
                    return None;
                }
                let pointer = *next;
                next = next.add(1);
                Some(pointer)
            }
        })
    }

    /// The strings.
    pub fn iter<'a>(self) -> impl Iterator<Item = &'a CStr> + Clone {
        // SAFETY: each is a C string that lives as long as the array.
        self.pointers().map(|pointer| unsafe { CStr::from_ptr(pointer) })
    }
}

unsafe extern "C" {
    fn hexec_with_room(words: usize, user: extern "C" fn(*mut c_void, *mut usize), context: *mut c_void);
}

/// Work, until it is done; then its result.
struct Job<W, R> {
    work: Option<W>,
    words: usize,
    result: Option<R>,
}

/// Calls `work` with so many words on the stack, all zero.
pub fn with_room<R, W: FnOnce(&mut [usize]) -> R>(words: usize, work: W) -> Option<R> {
    extern "C" fn run<R, W: FnOnce(&mut [usize]) -> R>(context: *mut c_void, room: *mut usize) {
        // SAFETY: the context is the job below, and the room is as large as it asked for; zeros make it whole.
        unsafe {
            let job = &mut *context.cast::<Job<W, R>>();
            room.write_bytes(0, job.words);
            let room = std::slice::from_raw_parts_mut(room, job.words);
            job.result = job.work.take().map(|work| work(room));
        }
    }
    let mut job = Job { work: Some(work), words, result: None };
    // SAFETY: the job outlives the call, during which only `run` touches it.
    unsafe { hexec_with_room(words, run::<R, W>, (&raw mut job).cast()) };
    job.result
}

/// Calls `work` with a new array of these strings, on the stack.
pub fn with_array<R>(
    strings: impl Iterator<Item = *const c_char> + Clone,
    work: impl FnOnce(Strings) -> R,
) -> Option<R> {
    with_room(strings.clone().count() + 1, |room| {
        for (place, string) in room.iter_mut().zip(strings) {
            *place = string.expose_provenance();
        }
        // SAFETY: the last word is still zero.
        work(unsafe { Strings::new(room.as_ptr().cast()) })
    })
}
