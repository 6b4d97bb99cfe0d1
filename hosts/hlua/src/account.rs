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
    /// The request that was refused last.
    refused: Cell<Option<Request>>,
    /// A request that a collection did not help, while no error has come of it.
    borne: Cell<Option<Request>>,
}

/// A block is to be another size.
#[derive(Clone, Copy, PartialEq, Eq)]
struct Request {
    block: *mut c_void,
    old: usize,
    new: usize,
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
            refused: Cell::new(None),
            borne: Cell::new(None),
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

    /// What the allocator is given with each call.
    pub fn as_pointer(&'static self) -> *mut c_void {
        ptr::from_ref(self).cast_mut().cast()
    }

    /// What will be used when `request` is granted. Lua's sizes stay below half of the address space:
    /// the sum does not wrap.
    #[inline]
    fn after(&self, request: Request) -> usize {
        let freed = if request.block.is_null() { 0 } else { taken(request.old) };
        self.used.get().wrapping_sub(freed).wrapping_add(taken(request.new))
    }

    #[cold]
    fn refuse(&self, request: Request) -> *mut c_void {
        self.refused.set(Some(request));
        ptr::null_mut()
    }

    /// Whether Lua bears that this request is refused, as it did before.
    fn bears(&self) -> bool {
        self.borne.get().is_some() && self.borne.get() == self.refused.get()
    }

    /// A collection was made for the refused request.
    fn collected(&self) {
        let hopeless = self.refused.get().filter(|&request| self.after(request) > self.limit.get());
        self.borne.set(hopeless);
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
    if new == 0 {
        if !block.is_null() {
            account.used.set(account.used.get().wrapping_sub(taken(old)));
        }
        // SAFETY: the block came from realloc, or is null.
        unsafe { libc::free(block) };
        return ptr::null_mut();
    }
    let request = Request { block, old, new };
    let after = account.after(request);
    if after > account.limit.get() && after > account.used.get() {
        return account.refuse(request);
    }
    // SAFETY: as above.
    let block = unsafe { libc::realloc(block, new) };
    if block.is_null() {
        return account.refuse(request);
    }
    account.used.set(after);
    block
}

unsafe extern "C-unwind" {
    fn __real_luaC_fullgc(state: *mut lua_State, emergency: c_int);
    fn __real_luaD_throw(state: *mut lua_State, status: c_int) -> !;
}

/// A full collection. When an allocation fails, Lua collects and tries again. That is right but for
/// the table of strings: from some point on it would grow with every new string, Lua bears that it
/// cannot, and for each string all memory would be searched: minutes near a limit of a gigabyte. So a
/// request that was refused before, and borne, is refused without another search.
#[unsafe(no_mangle)]
unsafe extern "C-unwind" fn __wrap_luaC_fullgc(state: *mut lua_State, emergency: c_int) {
    if emergency != 0 && ACCOUNT.bears() {
        return;
    }
    // SAFETY: the arguments are Lua's own.
    unsafe { __real_luaC_fullgc(state, emergency) };
    if emergency != 0 {
        ACCOUNT.collected();
    }
}

/// The one way by which errors leave: where memory is the cause, nothing was borne.
#[unsafe(no_mangle)]
unsafe extern "C-unwind" fn __wrap_luaD_throw(state: *mut lua_State, status: c_int) -> ! {
    if status == LUA_ERRMEM {
        ACCOUNT.borne.set(None);
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
    fn malloc_takes_more_than_is_asked_for() {
        assert_eq!([1, 24, 25, 40, 41].map(taken), [32, 32, 48, 48, 64]);
    }

    #[test]
    fn only_what_was_refused_and_borne_is_refused_unsearched() {
        let account = account(1000);
        account.start_with(900);
        assert!(!account.bears());
        call(&account, ptr::null_mut(), 4, 500);
        assert!(!account.bears());
        account.collected();
        assert!(account.bears());
        call(&account, ptr::null_mut(), 4, 400);
        assert!(!account.bears());
        account.start_with(100);
        account.collected();
        assert!(!account.bears());
    }
}
