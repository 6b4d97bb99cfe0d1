//! Pages of the heap that every run uses, taken together.
#![allow(unsafe_code, reason = "madvise(2) has no safe form")]

/// What a short script uses of the heap, in bytes: the libraries are most of it.
const USUAL: usize = 44 << 10;

/// Has the kernel give the heap's first pages in one call: one by one, each costs a fault, and together these are a part
/// of the start that can be measured. Where the kernel does not know the advice, it goes without.
pub fn take() {
    const PAGE: usize = 4 << 10;
    let block = Vec::<u8>::with_capacity(USUAL);
    let begin = block.as_ptr().addr().next_multiple_of(PAGE);
    let length = (block.as_ptr().addr() + USUAL - begin) / PAGE * PAGE;
    // SAFETY: the pages lie within the block; the advice (madvise(2), MADV_POPULATE_WRITE) leaves
    // their content as it is. The answer does not matter.
    unsafe { libc::madvise(begin as *mut libc::c_void, length, libc::MADV_POPULATE_WRITE) };
}
