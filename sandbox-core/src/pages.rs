//! Pages of memory that every run of a host uses, taken together.
#![allow(unsafe_code, reason = "madvise(2) has no safe form")]

use std::hint::black_box;
use std::ops::Range;

const PAGE: usize = 4 << 10;

/// Has the kernel give pages of the heap in one call: one by one, each costs a fault, and together these are a part of
/// the start that can be measured. `usual` is what a short script uses, in bytes. Where the kernel does not know the
/// advice, it goes without.
pub fn take_heap(usual: usize) {
    take(reserve_heap(usual));
}

/// Lets the heap be so many bytes larger, and says where they are: nobody has used them yet.
pub fn reserve_heap(bytes: usize) -> Range<usize> {
    // A large block is a mapping of its own until one of that size was freed (mallopt(3), M_MMAP_THRESHOLD): the second is the
    // heap's, and stays with it.
    drop(black_box(Vec::<u8>::with_capacity(bytes)));
    let block = black_box(Vec::<u8>::with_capacity(bytes));
    let begin = block.as_ptr().addr();
    begin..begin + bytes
}

/// The same for memory that is there already, by its addresses.
pub fn take(range: Range<usize>) {
    let begin = range.start.next_multiple_of(PAGE);
    let length = range.end.saturating_sub(begin) / PAGE * PAGE;
    // SAFETY: the advice (madvise(2), MADV_POPULATE_WRITE) leaves content as it is, and memory that is not there is an
    // error. The answer does not matter.
    unsafe { libc::madvise(begin as *mut libc::c_void, length, libc::MADV_POPULATE_WRITE) };
}
