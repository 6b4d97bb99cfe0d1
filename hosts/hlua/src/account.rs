//! The script's memory: what Lua holds is counted, and beyond the limit an allocation fails, which
//! Lua turns into "not enough memory", an error like any other.
//!
//! Counted is what malloc takes for a block, not what Lua asked for: many small objects are to end at
//! this limit and not at the kernel's, where the C library and Rust would find no memory either.
#![allow(unsafe_code, reason = "Lua's allocator is a C function on raw memory")]

use std::cell::Cell;
use std::ffi::{c_int, c_void};
use std::ptr;

use mlua::ffi::{LUA_ERRMEM, lua_State};

/// What is used, and what may be.
pub struct Account {
    used: Cell<usize>,
    limit: Cell<usize>,
    /// What was used after the last collection for want of memory, if no error has come of it.
    collected: Cell<Option<usize>>,
    end: Cell<End>,
}

/// How near the end of the process is.
#[derive(Clone, Copy, PartialEq, Eq)]
enum End {
    /// The script runs.
    Far,
    /// The state is being closed; finalizers run.
    Near,
    /// The last finalizer has run: nobody asks for memory any more.
    Here,
}

// SAFETY: a Lua state runs on one thread, and hlua has one.
unsafe impl Sync for Account {}

/// The account of the one state.
pub static ACCOUNT: Account = Account::new();

impl Account {
    const fn new() -> Self {
        Account {
            used: Cell::new(0),
            limit: Cell::new(usize::MAX),
            collected: Cell::new(None),
            end: Cell::new(End::Far),
        }
    }

    /// Begins with what the state holds already.
    pub fn start_with(&self, bytes: usize) {
        self.used.set(bytes);
    }

    /// Sets the limit; `None` lifts it.
    pub fn limit_to(&self, bytes: Option<u64>) {
        let limit = bytes.and_then(|bytes| usize::try_from(bytes).ok());
        self.limit.set(limit.unwrap_or(usize::MAX));
    }

    /// The process ends when the state is closed.
    pub fn approach_end(&self) {
        self.end.set(End::Near);
    }

    /// Finalizers are through, if the state is being closed: from now on blocks are kept. Giving back each object of a state
    /// is a part of a short run that can be measured, and the kernel takes them all at once.
    pub fn keep_blocks(&self) {
        if self.end.get() == End::Near {
            self.end.set(End::Here);
        }
    }

    /// What the allocator is given with each call.
    pub fn as_pointer(&'static self) -> *mut c_void {
        ptr::from_ref(self).cast_mut().cast()
    }

    /// Whether a collection for want of memory could find much: the last one did, or enough was
    /// allocated since.
    fn worth_collecting(&self) -> bool {
        let Some(collected) = self.collected.get() else { return true };
        self.used.get().saturating_sub(collected) >= self.limit.get() / 32
    }
}

/// What malloc takes for a block: its own word more, in steps of 16, and at least 32.
#[inline]
fn taken(size: usize) -> usize {
    (size.wrapping_add(23) & !15).max(32)
}

/// Lua's allocation function. Shrinking always succeeds, as Lua demands.
pub unsafe extern "C" fn allocate(
    account: *mut c_void,
    block: *mut c_void,
    old: usize,
    new: usize,
) -> *mut c_void {
    // SAFETY: the pointer is the one of `as_pointer`, to a static.
    let account = unsafe { &*account.cast::<Account>() };
    // For a new block Lua passes the kind of the object as its old size.
    let rest = account.used.get().wrapping_sub(if block.is_null() { 0 } else { taken(old) });
    if new == 0 {
        account.used.set(rest);
        if account.end.get() != End::Here {
            // SAFETY: the block came from realloc, or is null.
            unsafe { libc::free(block) };
        }
        return ptr::null_mut();
    }
    // Lua's sizes stay below half of the address space: the sum does not wrap.
    let after = rest.wrapping_add(taken(new));
    if after > account.limit.get() && after > account.used.get() {
        return ptr::null_mut();
    }
    // SAFETY: as above.
    let block = unsafe { libc::realloc(block, new) };
    if !block.is_null() {
        account.used.set(after);
    }
    block
}

unsafe extern "C-unwind" {
    fn __real_luaC_fullgc(state: *mut lua_State, emergency: c_int);
    fn __real_luaD_throw(state: *mut lua_State, status: c_int) -> !;
}

/// A full collection. When an allocation fails, Lua collects and tries again. Near the limit each
/// search finds half of what the one before did, and the table of strings asks for one with every new
/// string: minutes near a limit of a gigabyte. So a search that can find little is left out; a script
/// that holds all but a thirty-second of its memory may be told that this is not enough.
#[unsafe(no_mangle)]
unsafe extern "C-unwind" fn __wrap_luaC_fullgc(state: *mut lua_State, emergency: c_int) {
    if emergency != 0 && !ACCOUNT.worth_collecting() {
        return;
    }
    // SAFETY: the arguments are Lua's own.
    unsafe { __real_luaC_fullgc(state, emergency) };
    if emergency != 0 {
        ACCOUNT.collected.set(Some(ACCOUNT.used.get()));
    }
}

/// The way by which an error for want of memory leaves Lua's allocator. It may let go of much: searching
/// is worth it again.
#[unsafe(no_mangle)]
unsafe extern "C-unwind" fn __wrap_luaD_throw(state: *mut lua_State, status: c_int) -> ! {
    if status == LUA_ERRMEM {
        ACCOUNT.collected.set(None);
    }
    // SAFETY: the arguments are Lua's own.
    unsafe { __real_luaD_throw(state, status) }
}

#[cfg(test)]
mod tests {
    use super::*;

    fn account(limit: u64) -> Account {
        let account = Account::new();
        account.limit_to(Some(limit));
        account
    }

    fn call(account: &Account, block: *mut c_void, old: usize, new: usize) -> *mut c_void {
        // SAFETY: the account outlives the call and the sizes are those of the block.
        unsafe { allocate(ptr::from_ref(account).cast_mut().cast(), block, old, new) }
    }

    #[test]
    fn growth_ends_at_the_limit_and_shrinking_does_not() {
        let account = account(128);
        let block = call(&account, ptr::null_mut(), 4, 100);
        assert!(!block.is_null());
        assert_eq!(account.used.get(), 112);
        assert!(call(&account, ptr::null_mut(), 4, 1).is_null());
        assert!(call(&account, block, 100, 200).is_null());
        account.limit_to(Some(10));
        let block = call(&account, block, 100, 50);
        assert!(!block.is_null());
        assert_eq!(account.used.get(), 64);
        call(&account, block, 50, 0);
        assert_eq!(account.used.get(), 0);
        call(&account, ptr::null_mut(), 0, 0);
        assert_eq!(account.used.get(), 0);
    }

    #[test]
    fn blocks_are_kept_only_at_the_end() {
        let account = account(1000);
        account.keep_blocks();
        assert!(account.end.get() == End::Far);
        account.approach_end();
        account.keep_blocks();
        let block = call(&account, ptr::null_mut(), 4, 100);
        call(&account, block, 100, 0);
        assert_eq!(account.used.get(), 0);
        // SAFETY: it was kept.
        unsafe { libc::free(block) };
    }

    #[test]
    fn malloc_takes_more_than_is_asked_for() {
        assert_eq!([1, 24, 25, 40, 41].map(taken), [32, 32, 48, 48, 64]);
    }

    #[test]
    fn a_search_is_not_repeated_where_little_was_added() {
        let account = account(6400);
        account.start_with(6000);
        assert!(account.worth_collecting());
        account.collected.set(Some(5900));
        assert!(!account.worth_collecting());
        account.collected.set(Some(5800));
        assert!(account.worth_collecting());
    }
}
