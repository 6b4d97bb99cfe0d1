//! Memory: the C library's, under a limit of address space, and what every start uses.
#![allow(unsafe_code, reason = "mallopt, mmap and CPython's allocators have no safe form")]

use std::ffi::{c_int, c_void};
use std::mem::MaybeUninit;
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

const PAGE: usize = 4 << 10;

/// A huge page: one fault brings as much as 512 others, and at the end it goes as one.
const HUGE_PAGE: usize = 2 << 20;

/// What a short script uses of the C library's heap, in bytes.
const USUAL_HEAP: usize = 768 << 10;

/// Takes pages that every start uses, together.
pub fn take_pages() {
    let heap = whole_pages(pages::reserve_heap(USUAL_HEAP));
    let data = whole_pages(data());
    if !move_into_huge_page(&data, &heap) {
        pages::take(heap);
        pages::take(data);
    }
    arenas();
}

fn whole_pages(range: Range<usize>) -> Range<usize> {
    range.start.next_multiple_of(PAGE)..range.end / PAGE * PAGE
}

/// Puts memory of a huge page in the place of the program's data, with a copy of it, and of the heap, of which nothing is in use.
fn move_into_huge_page(data: &Range<usize>, heap: &Range<usize>) -> bool {
    let Some(page) = huge_page(data.len()) else { return false };
    let rest = page.start + data.len();
    let for_heap = rest..(rest + heap.len()).min(page.end);
    // SAFETY: the page is new and as large as the data. Nobody else is here: the program that the data belongs to has not begun.
    unsafe {
        ptr::copy_nonoverlapping(data.start as *const u8, page.start as *mut u8, data.len());
        libc::munmap(for_heap.end as *mut c_void, page.end - for_heap.end);
        put(&(page.start..rest), data.start) && put(&for_heap, heap.start)
    }
}

/// Moves memory to another place, in which nothing is left of what was there.
///
/// # Safety
/// Both are the caller's.
unsafe fn put(memory: &Range<usize>, place: usize) -> bool {
    let flags = libc::MREMAP_MAYMOVE | libc::MREMAP_FIXED;
    // SAFETY: the caller's promise.
    let moved = unsafe {
        libc::mremap(memory.start as *mut c_void, memory.len(), memory.len(), flags, place as *mut c_void)
    };
    moved != libc::MAP_FAILED
}

/// A new huge page, all zero, if the kernel has one and it is large enough.
fn huge_page(least: usize) -> Option<Range<usize>> {
    if least > HUGE_PAGE {
        return None;
    }
    let memory = new_memory(2 * HUGE_PAGE);
    if memory.is_null() {
        return None;
    }
    let whole = memory.addr()..memory.addr() + 2 * HUGE_PAGE;
    let begin = whole.start.next_multiple_of(HUGE_PAGE);
    let page = begin..begin + HUGE_PAGE;
    // SAFETY: all of it is new and ours; to unmap an empty part is an error without consequence. The first write brings the
    // whole page, if it is huge; the second of its parts shows it (mincore(2)).
    unsafe {
        libc::munmap(memory, page.start - whole.start);
        libc::munmap(page.end as *mut c_void, whole.end - page.end);
        let mut second = 0;
        if libc::madvise(page.start as *mut c_void, HUGE_PAGE, libc::MADV_HUGEPAGE) == 0 {
            (page.start as *mut u8).write_volatile(0);
            libc::mincore((page.start + PAGE) as *mut c_void, PAGE, &raw mut second);
        }
        if second & 1 == 0 {
            libc::munmap(page.start as *mut c_void, HUGE_PAGE);
            return None;
        }
    }
    Some(page)
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
    /// What is left of the first arenas' memory.
    static LEFT: Mutex<Option<Range<usize>>> = Mutex::new(None);
    if size != ARENA {
        return new_memory(size);
    }
    let Ok(mut left) = LEFT.lock() else { return new_memory(size) };
    let range = left.get_or_insert_with(|| huge_page(ARENA).unwrap_or_else(|| first_arena(ARENA)));
    if range.len() < size {
        return new_memory(size);
    }
    let begin = range.start;
    range.start += size;
    begin as *mut c_void
}

/// The first arena where there are no huge pages, with all its pages.
fn first_arena(size: usize) -> Range<usize> {
    let memory = new_memory(size);
    if memory.is_null() {
        return 0..0;
    }
    let range = memory.addr()..memory.addr() + size;
    pages::take(range.clone());
    range
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
///
/// # Safety
/// The GIL is held, and no other thread uses CPython's allocators.
pub unsafe fn keep() {
    use ffi::PyMemAllocatorDomain as Domain;
    KEEP.store(true, Ordering::Relaxed);
    for domain in [Domain::PYMEM_DOMAIN_RAW, Domain::PYMEM_DOMAIN_MEM, Domain::PYMEM_DOMAIN_OBJ] {
        let mut allocator = MaybeUninit::<ffi::PyMemAllocatorEx>::uninit();
        // SAFETY: the caller's promise; the first call fills the structure, the second copies it.
        unsafe {
            ffi::PyMem_GetAllocator(domain, allocator.as_mut_ptr());
            (*allocator.as_mut_ptr()).free = Some(forget);
            ffi::PyMem_SetAllocator(domain, allocator.as_mut_ptr());
        }
    }
}

extern "C" fn forget(_context: *mut c_void, _memory: *mut c_void) {}

extern "C" fn unmap(_context: *mut c_void, memory: *mut c_void, size: usize) {
    if KEEP.load(Ordering::Relaxed) {
        return;
    }
    // SAFETY: CPython gives back what `map` gave, and uses it no more.
    unsafe { libc::munmap(memory, size) };
}
