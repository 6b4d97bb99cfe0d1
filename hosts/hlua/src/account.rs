//! The script's memory: every byte that Lua holds is counted, and beyond the limit an allocation
//! fails, which Lua turns into "not enough memory", an error like any other.
#![allow(unsafe_code, reason = "Lua's allocator is a C function on raw memory")]

use std::cell::Cell;
use std::ffi::c_void;
use std::ptr;

/// What is used, and what may be.
pub struct Account {
    used: Cell<usize>,
    limit: Cell<usize>,
}

// SAFETY: a Lua state runs on one thread, and hlua has one.
unsafe impl Sync for Account {}

/// The account of the one state.
pub static ACCOUNT: Account = Account { used: Cell::new(0), limit: Cell::new(usize::MAX) };

impl Account {
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
    let old = if block.is_null() { 0 } else { old };
    let rest = account.used.get().wrapping_sub(old);
    if new == 0 {
        account.used.set(rest);
        // SAFETY: the block came from realloc, or is null.
        unsafe { libc::free(block) };
        return ptr::null_mut();
    }
    // Lua's sizes stay below half of the address space: the sum does not wrap.
    let after = rest.wrapping_add(new);
    if after > account.limit.get() && new > old {
        return ptr::null_mut();
    }
    // SAFETY: as above.
    let block = unsafe { libc::realloc(block, new) };
    if !block.is_null() {
        account.used.set(after);
    }
    block
}

#[cfg(test)]
mod tests {
    use super::*;

    fn account(limit: usize) -> Account {
        Account { used: Cell::new(0), limit: Cell::new(limit) }
    }

    fn call(account: &Account, block: *mut c_void, old: usize, new: usize) -> *mut c_void {
        // SAFETY: the account outlives the call and the sizes are those of the block.
        unsafe { allocate(ptr::from_ref(account).cast_mut().cast(), block, old, new) }
    }

    #[test]
    fn growth_ends_at_the_limit_and_shrinking_does_not() {
        let account = account(100);
        let block = call(&account, ptr::null_mut(), 4, 100);
        assert!(!block.is_null());
        assert!(call(&account, ptr::null_mut(), 4, 1).is_null());
        assert!(call(&account, block, 100, 101).is_null());
        account.limit_to(Some(10));
        let block = call(&account, block, 100, 50);
        assert!(!block.is_null());
        assert_eq!(account.used.get(), 50);
        call(&account, block, 50, 0);
        assert_eq!(account.used.get(), 0);
    }
}
