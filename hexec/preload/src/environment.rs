//! What children must get so that this library is loaded there too, whatever their environment was to be.

use std::cell::UnsafeCell;
use std::ffi::{CStr, c_char};
use std::sync::atomic::{AtomicBool, Ordering};

use crate::next;
use crate::strings::{Strings, with_array, with_room};

/// How the file is called that `LD_PRELOAD` names.
const LIBRARY: &[u8] = b"libhexec.so";
const PRELOAD: &[u8] = b"LD_PRELOAD=";
const SKIP: &[u8] = b"HEXEC_SKIP=";

/// A setting of this process as it was when it started, `NAME=value` and a zero.
struct Setting {
    text: UnsafeCell<[u8; 8192]>,
    set: AtomicBool,
}

// SAFETY: it is written once, before there are threads, and `set` says that it was.
unsafe impl Sync for Setting {}

impl Setting {
    const fn new() -> Self {
        Setting { text: UnsafeCell::new([0; 8192]), set: AtomicBool::new(false) }
    }

    /// Puts parts together, if they fit.
    fn keep(&self, parts: [&[u8]; 2]) {
        // SAFETY: as above, nobody else looks at it yet.
        let text = unsafe { &mut *self.text.get() };
        let length = parts.iter().map(|part| part.len()).sum::<usize>();
        if length < text.len() {
            text[..parts[0].len()].copy_from_slice(parts[0]);
            text[parts[0].len()..length].copy_from_slice(parts[1]);
            self.set.store(true, Ordering::Release);
        }
    }

    fn get(&self) -> Option<&CStr> {
        // SAFETY: as above, nobody writes any more.
        let text = || unsafe { &*self.text.get() };
        self.set.load(Ordering::Acquire).then(|| CStr::from_bytes_until_nul(text()).unwrap_or_default())
    }
}

/// `LD_PRELOAD=` and this library as `LD_PRELOAD` named it; unset where something else had it loaded.
static OURS: Setting = Setting::new();
/// `HEXEC_SKIP=` and programs that are left alone.
static SKIPPED: Setting = Setting::new();

#[used]
#[unsafe(link_section = ".init_array")]
static START: extern "C" fn() = start;

extern "C" fn start() {
    next::find();
    for variable in current().iter().map(CStr::to_bytes) {
        if let Some(list) = variable.strip_prefix(PRELOAD) {
            if let Some(name) =
                libraries(list).find(|name| name.rsplit(|&byte| byte == b'/').next() == Some(LIBRARY))
            {
                OURS.keep([PRELOAD, name]);
            }
        } else if let Some(list) = variable.strip_prefix(SKIP) {
            SKIPPED.keep([SKIP, list]);
        }
    }
}

/// This process's own environment.
pub fn current() -> Strings {
    unsafe extern "C" {
        static environ: *const *const c_char;
    }
    // SAFETY: the C library keeps it so; that nobody changes it meanwhile is asked of all who start programs.
    unsafe { Strings::new(environ) }
}

fn libraries(list: &[u8]) -> impl Iterator<Item = &[u8]> {
    list.split(|byte| matches!(byte, b':' | b' '))
}

/// Whether this program was to be left alone: what it starts is the kernel's matter alone.
pub fn is_skipped() -> bool {
    let Some(list) = SKIPPED.get().and_then(|setting| setting.to_bytes().strip_prefix(SKIP)) else {
        return false;
    };
    let mut path = [0; 4096];
    // SAFETY: the buffer has the room that is named.
    let length = unsafe { libc::readlink(c"/proc/self/exe".as_ptr(), path.as_mut_ptr().cast(), path.len()) };
    let path = &path[..usize::try_from(length).unwrap_or(0)];
    let name = path.rsplit(|&byte| byte == b'/').next().unwrap_or_default();
    list.split(|&byte| byte == b':')
        .any(|skipped| !skipped.is_empty() && (skipped == name || skipped == path))
}

/// Calls `work` with an environment that loads this library, which is the given one if that does.
pub fn with_ours<R>(given: Strings, work: impl FnOnce(Strings) -> R) -> Option<R> {
    let (Some(ours), skipped) = (OURS.get(), SKIPPED.get()) else { return Some(work(given)) };
    let ours = &ours.to_bytes()[PRELOAD.len()..];
    let theirs = given.iter().find_map(|variable| variable.to_bytes().strip_prefix(PRELOAD));
    let loads = theirs.is_some_and(|list| libraries(list).any(|name| name == ours));
    let skips = match skipped {
        Some(skipped) => given.iter().any(|variable| variable == skipped),
        None => !given.iter().any(|variable| variable.to_bytes().starts_with(SKIP)),
    };
    if loads && skips {
        return Some(work(given));
    }
    let length = PRELOAD.len() + ours.len() + theirs.map_or(0, |list| 1 + list.len()) + 1;
    with_room(length.div_ceil(size_of::<usize>()), |room| {
        let preload =
            join(room, &[PRELOAD, ours, theirs.map_or(b"".as_slice(), |_| b":"), theirs.unwrap_or_default()]);
        let kept = given.iter().filter(|variable| {
            let variable = variable.to_bytes();
            !variable.starts_with(PRELOAD) && !variable.starts_with(SKIP)
        });
        let all = kept.map(CStr::as_ptr).chain([preload]).chain(skipped.map(CStr::as_ptr));
        with_array(all, work)
    })
    .flatten()
}

/// Writes parts one behind the other into room that is large enough for them and a zero.
fn join(room: &mut [usize], parts: &[&[u8]]) -> *const c_char {
    // SAFETY: these are the room's own bytes.
    let bytes = unsafe { std::slice::from_raw_parts_mut(room.as_mut_ptr().cast::<u8>(), size_of_val(room)) };
    let mut free = &mut *bytes;
    for part in parts {
        let (place, rest) = free.split_at_mut(part.len());
        place.copy_from_slice(part);
        free = rest;
    }
    bytes.as_ptr().cast()
}
