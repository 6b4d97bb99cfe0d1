//! Compiles hlua's system call filters and names the C functions that its own code stands before.

/// Calls of these C functions come to `__wrap_NAME`; Lua's sources stay as they are.
const WRAPPED: &[&str] = &[
    // chunks.rs: every way to a binary chunk ends here
    "luaU_undump",
    // account.rs: collections for want of memory
    "luaC_fullgc",
    "luaD_throw",
    // files.rs: what a failed call may tell about paths
    "fopen64",
    "freopen64",
    "remove",
    "rename",
    "tmpfile64",
    // native.rs: no native code
    "dlopen",
    "dlsym",
    "dlclose",
    "dlerror",
    "_dl_get_origin",
    // descriptors.rs: the C library's fstat, without a path behind a pointer
    "__fstat64",
];

/// A static C library leaves out the parts of a locale that it does not see used, and it does not see
/// that `os.date` and string comparison use these.
const LOCALE: &[&str] =
    &["_nl_current_LC_COLLATE_used", "_nl_current_LC_MESSAGES_used", "_nl_current_LC_TIME_used"];

fn main() {
    filter_compiler::embed("hlua");
    for name in LOCALE {
        println!("cargo::rustc-link-arg-bins=-Wl,--undefined={name}");
    }
    for name in WRAPPED {
        println!("cargo::rustc-link-arg-bins=-Wl,--wrap={name}");
    }
    println!("cargo::rerun-if-changed=build.rs");
}
