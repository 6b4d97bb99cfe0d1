//! Memory: the C library's, under a limit of address space, and what every start uses.
#![allow(unsafe_code, reason = "mallopt, mmap and CPython's allocators have no safe form")]

use std::ffi::{c_int, c_void};
use std::ops::Range;
use std::ptr;
use std::sync::Mutex;
use std::sync::atomic::{AtomicBool, Ordering};

use pyo3::ffi;
use sandbox_core::pages;

/// Keeps threads from reserving 64 MiB of address space each for an arena of their own: under a limit that would be its
/// end. Python's own allocator serves small objects, so there is little to contend for.
pub fn settle() {
    const ARENAS: libc::c_int = 2;
    // SAFETY: it takes two numbers.
    unsafe { libc::mallopt(libc::M_ARENA_MAX, ARENAS) };
}

/// A huge page: one fault brings as much as 512 others.
const HUGE_PAGE: usize = 2 << 20;
const PAGE: usize = 4 << 10;

/// What a short script uses of the C library's heap, in bytes.
const USUAL_HEAP: usize = 768 << 10;

/// Takes pages that every start uses, together.
pub fn take_pages() {
    let (heap, data) = (whole_pages(pages::reserve_heap(USUAL_HEAP)), whole_pages(data()));
    let Some(page) = huge_page() else { return };
    // SAFETY: the page is ours; it is as large as both parts.
    unsafe {
        let huge = page.start as *mut u8;
        let length = data.len();
        ptr::copy_nonoverlapping(data.start as *const u8, huge, length);
        libc::mremap(huge.cast(), length, length, libc::MREMAP_MAYMOVE | libc::MREMAP_FIXED, data.start);
        let rest = (HUGE_PAGE - length).min(heap.len());
        libc::mremap(huge.add(length).cast(), rest, rest, libc::MREMAP_MAYMOVE | libc::MREMAP_FIXED, heap.start);
        libc::munmap(huge.add(length + rest).cast(), HUGE_PAGE - length - rest);
    }
    arenas();
}

fn whole_pages(range: Range<usize>) -> Range<usize> {
    range.start.next_multiple_of(PAGE)..range.end / PAGE * PAGE
}

/// Asks for a huge page. Where the kernel has none, the pages come one by one.
///
/// # Safety
/// The memory is the caller's, and nothing was written there.
unsafe fn advise_huge_page(begin: usize) {
    // SAFETY: the advice changes no content; the answer does not matter.
    unsafe { libc::madvise(begin as *mut c_void, HUGE_PAGE, libc::MADV_HUGEPAGE) };
}

/// The program's own data, CPython's objects that exist before it starts among them: nearly every page of them is written,
/// because references are counted.
fn data() -> Range<usize> {
    unsafe extern "C" fn first(info: *mut libc::dl_phdr_info, _size: usize, data: *mut c_void) -> c_int {
        // SAFETY: the C library hands over its structure, whose headers are those of the program, and what was passed below.
        unsafe {
            let headers = std::slice::from_raw_parts((*info).dlpi_phdr, (*info).dlpi_phnum.into());
            *data.cast::<Range<usize>>() = written(headers, (*info).dlpi_addr);
        }
        1
    }
    let mut range = 0..0;
    // SAFETY: the function and the range outlive the call (dl_iterate_phdr(3)); the program comes first.
    unsafe { libc::dl_iterate_phdr(Some(first), (&raw mut range).cast()) };
    range
}

/// The data segment without what became read-only when the loader was done with it.
fn written(headers: &[libc::Elf64_Phdr], base: u64) -> Range<usize> {
    let range = |header: &libc::Elf64_Phdr, size: u64| {
        let start = base + header.p_vaddr;
        start as usize..(start + size) as usize
    };
    let of_kind = |kind, flags| {
        move |header: &&libc::Elf64_Phdr| header.p_type == kind && header.p_flags & flags == flags
    };
    let Some(segment) = headers.iter().find(of_kind(libc::PT_LOAD, libc::PF_W)) else { return 0..0 };
    let fixed = headers
        .iter()
        .find(of_kind(libc::PT_GNU_RELRO, 0))
        .map_or(0, |header| range(header, header.p_memsz).end);
    let Range { start, end } = range(segment, segment.p_filesz);
    start.max(fixed)..end
}

/// Lets the first arenas of CPython's allocator, which every start fills, come as one huge page.
fn arenas() {
    let mut allocator =
        ffi::PyObjectArenaAllocator { ctx: ptr::null_mut(), alloc: Some(map), free: Some(unmap) };
    // SAFETY: no interpreter is up, and the structure is copied.
    unsafe { ffi::PyObject_SetArenaAllocator(&raw mut allocator) };
}

extern "C" fn map(_context: *mut c_void, size: usize) -> *mut c_void {
    /// CPython takes other memory in the same way, in smaller pieces.
    const ARENA: usize = 1 << 20;
    /// What is left of the huge page.
    static LEFT: Mutex<Option<Range<usize>>> = Mutex::new(None);
    if size == ARENA && let Ok(mut left) = LEFT.lock() {
        let range = left.get_or_insert_with(|| huge_page().unwrap_or(0..0));
        if range.len() >= size {
            let begin = range.start;
            range.start += size;
            return begin as *mut c_void;
        }
    }
    new_memory(size)
}

/// New memory with the place and advice for a huge page; an empty range where there is none.
fn huge_page() -> Option<Range<usize>> {
    let memory = new_memory(2 * HUGE_PAGE);
    if memory.is_null() {
        return None;
    }
    let whole = memory.addr()..memory.addr() + 2 * HUGE_PAGE;
    let begin = whole.start.next_multiple_of(HUGE_PAGE);
    let page = begin..begin + HUGE_PAGE;
    // SAFETY: all of it is new and ours; an empty part is refused.
    unsafe {
        libc::munmap(memory, page.start - whole.start);
        libc::munmap(page.end as *mut c_void, whole.end - page.end);
        advise_huge_page(page.start);
    }
    Some(page)
}

/// New memory, all zero; null if there is none.
fn new_memory(size: usize) -> *mut c_void {
    let (protection, flags) = (libc::PROT_READ | libc::PROT_WRITE, libc::MAP_PRIVATE | libc::MAP_ANONYMOUS);
    // SAFETY: the kernel chooses the place.
    let memory = unsafe { libc::mmap(ptr::null_mut(), size, protection, flags, -1, 0) };
    if memory == libc::MAP_FAILED { ptr::null_mut() } else { memory }
}

/// Whether the process is about to end.
static KEEP: AtomicBool = AtomicBool::new(false);

/// From now on no memory is given back: the process ends, and the kernel takes all of it at once.
pub fn keep() {
    KEEP.store(true, Ordering::Relaxed);
}

extern "C" fn unmap(_context: *mut c_void, memory: *mut c_void, size: usize) {
    if KEEP.load(Ordering::Relaxed) {
        return;
    }
    // SAFETY: CPython gives back what `map` gave, and uses it no more.
    unsafe { libc::munmap(memory, size) };
}
