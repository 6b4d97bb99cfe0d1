//! libnode, one step at a time.
#![allow(unsafe_code, reason = "the interpreter is C++")]

use std::ffi::{CStr, CString, c_char, c_int, c_void};

use hnode_sys as sys;
use sandbox_core::{Failure, Invocation};

/// The name of the module that runs before all else. It is gone from the lists of modules when it has run.
const PRELOAD: &CStr = c"hnode";

/// What became of the start.
pub enum Start {
    /// Node has read the command line; there is one thread.
    Up(Node),
    /// It has said what it was asked, or what is wrong with the question.
    Over(u8),
}

/// Node, without threads.
pub struct Node(());

/// Node with threads and an environment in which nothing has run yet.
pub struct Environment(());

/// Keeps the block of the command line for the process's title.
pub fn keep_title(argc: c_int, argv: *mut *mut c_char) {
    // SAFETY: these are the arguments of `main`, which live as long as the process.
    unsafe { sys::hnode_keep_title(argc, argv) }
}

/// Ends the process as it is, threads and all.
pub fn leave(status: i32) -> ! {
    // SAFETY: it touches no memory of ours.
    unsafe { sys::hnode_leave(status) }
}

/// The words of `NODE_OPTIONS`, as Node splits them.
pub fn split_options(options: &CStr) -> Vec<CString> {
    unsafe extern "C" fn keep(into: *mut c_void, word: *const c_char) {
        // SAFETY: it is the vector below, which nobody else has, and a string that lives as long as the call.
        unsafe { (*into.cast::<Vec<CString>>()).push(CStr::from_ptr(word).to_owned()) }
    }
    let mut words: Vec<CString> = Vec::new();
    // SAFETY: the text and the vector outlive the call.
    unsafe { sys::hnode_split_options(options.as_ptr(), keep, (&raw mut words).cast()) }
    words
}

impl Node {
    /// Reads the command line, and starts what needs no thread.
    ///
    /// # Errors
    /// An argument with a zero byte.
    pub fn start(invocation: Invocation) -> Result<Start, Failure> {
        let words: Vec<_> = invocation.into_words().collect();
        let pointers: Vec<*const c_char> = words.iter().map(|word| word.as_ptr()).collect();
        let count = c_int::try_from(pointers.len()).map_err(|error| Failure::boot(error.to_string()))?;
        let mut status = 0;
        // SAFETY: the words outlive the call, which copies them; one thread runs.
        let over =
            unsafe { sys::hnode_initialize(count, pointers.as_ptr(), PRELOAD.as_ptr(), &raw mut status) };
        Ok(if over == 0 { Start::Up(Node(())) } else { Start::Over(low_byte(status)) })
    }

    /// Starts the threads and the environment. `preload` is what runs first; `heap` the size of V8's heap in MiB, `hint` what
    /// is said when it is full; `debugger` what a script is told that wants one for a worker, or nothing.
    ///
    /// # Errors
    /// Node's sentence.
    pub fn load(
        self,
        threads: u32,
        heap: u32,
        preload: &str,
        hint: &CStr,
        debugger: &CStr,
    ) -> Result<Environment, Failure> {
        let mut sentence: [c_char; 256] = [0; 256];
        // SAFETY: the texts outlive the call, which copies them; the buffer has the size that is said.
        let answer = unsafe {
            sys::hnode_start(
                threads,
                heap,
                preload.as_ptr().cast(),
                preload.len(),
                hint.as_ptr(),
                debugger.as_ptr(),
                sentence.as_mut_ptr(),
                sentence.len(),
            )
        };
        if answer == 0 {
            return Ok(Environment(()));
        }
        // SAFETY: the buffer lives, and its last byte is zero whatever was written.
        let cause = unsafe { CStr::from_ptr(sentence.as_ptr()) };
        Err(Failure::boot(cause.to_string_lossy()))
    }
}

impl Environment {
    /// Runs what is preloaded, then what the command line says.
    pub fn run(self) -> u8 {
        // SAFETY: the environment is up, and this is the thread that made it.
        low_byte(unsafe { sys::hnode_run() })
    }
}

/// An exit status as the kernel takes it.
fn low_byte(status: c_int) -> u8 {
    status.to_le_bytes()[0]
}
